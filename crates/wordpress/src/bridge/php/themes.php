<?php
/** The active theme and its undo. */
final class Pressroom_Themes {
	private static function names( $themes ) {
		$names = array( 'template', 'stylesheet', 'template_root', 'stylesheet_root', 'current_theme', 'theme_switched', 'theme_switched_via_customizer', 'theme_switch_menu_locations', 'sidebars_widgets', 'rewrite_rules' );
		foreach ( array_unique( array_filter( $themes ) ) as $theme ) {
			$names[] = 'theme_mods_' . $theme;
		}
		return $names;
	}

	/** What a switch to `stylesheet` would change. */
	public static function read( $action ) {
		$rows  = Pressroom_Rows::read( array( 'template', 'stylesheet' ) );
		$named = array();
		foreach ( $rows as $name => $row ) {
			$named[ $name ] = null === $row ? '' : base64_decode( $row['value'] );
		}
		$other = isset( $action['stylesheet'] ) ? $action['stylesheet'] : '';
		return array(
			'template'   => $named['template'],
			'stylesheet' => $named['stylesheet'],
			'rows'       => (object) Pressroom_Rows::read( self::names( array( $named['stylesheet'], $other ) ) ),
		);
	}

	public static function activate( $action ) {
		require_once ABSPATH . 'wp-admin/includes/admin.php';
		$theme = wp_get_theme( $action['stylesheet'] );
		if ( ! $theme->exists() ) {
			return new WP_Error( 'theme_not_found', 'There is no such theme.' );
		}
		if ( $theme->errors() ) {
			return $theme->errors();
		}
		if ( is_multisite() && ! $theme->is_allowed() ) {
			return new WP_Error( 'theme_not_allowed', 'The network does not allow this theme on this blog.' );
		}
		$valid = validate_theme_requirements( $theme->get_stylesheet() );
		if ( is_wp_error( $valid ) ) {
			return $valid;
		}
		$before = self::read( $action );
		$undo   = static function () use ( $before ) {
			return Pressroom_Rows::put( (array) $before['rows'] );
		};
		Pressroom_Bridge::so_far( array( 'before' => $before, 'after' => null ) );
		Pressroom_Bridge::undo_with( $undo );
		try {
			if ( $before['stylesheet'] !== $theme->get_stylesheet() ) {
				switch_theme( $theme->get_stylesheet() );
			}
		} catch ( Throwable $thrown ) {
			$undo();
			throw $thrown;
		}
		Pressroom_Bridge::undo_with( null );
		$after = self::read( $action );
		if ( $after['stylesheet'] !== $theme->get_stylesheet() || $after['template'] !== $theme->get_template() ) {
			$undo();
			return new WP_Error( 'not_switched', 'Another theme is active afterwards.' );
		}
		return array( 'before' => $before, 'after' => $after );
	}

	/** Puts back what `read` or `before` told, byte for byte. */
	public static function restore( $action ) {
		$before = self::read( $action['record'] );
		$done   = Pressroom_Rows::put( (array) $action['record']['rows'] );
		return $done ? array( 'before' => $before, 'after' => self::read( $action['record'] ) ) : new WP_Error( 'not_stored', 'The theme could not be put back.' );
	}

	/** Which themes the blogs of a network may use. */
	public static function enable( $action ) {
		if ( ! is_multisite() ) {
			return new WP_Error( 'not_a_network', 'This is a single site.' );
		}
		foreach ( $action['themes'] as $name ) {
			if ( $action['enabled'] && ! wp_get_theme( $name )->exists() ) {
				return new WP_Error( 'theme_not_found', "There is no theme `$name`." );
			}
		}
		if ( $action['enabled'] ) {
			WP_Theme::network_enable_theme( $action['themes'] );
		} else {
			WP_Theme::network_disable_theme( $action['themes'] );
		}
		$stored  = Pressroom_Rows::read_network( 'allowedthemes' );
		$allowed = null === $stored ? array() : @unserialize( base64_decode( $stored ), array( 'allowed_classes' => false ) );
		return array( 'allowed' => is_array( $allowed ) ? array_map( 'strval', array_keys( array_filter( $allowed ) ) ) : array() );
	}
}
