<?php
/** Permalinks. */
final class Pressroom_Rewrite {
	public static function get() {
		global $wp_rewrite;
		$rules = get_option( 'rewrite_rules' );
		return array(
			'structure'     => (string) get_option( 'permalink_structure' ),
			'category_base' => (string) get_option( 'category_base' ),
			'tag_base'      => (string) get_option( 'tag_base' ),
			'using_index'   => (bool) $wp_rewrite->using_index_permalinks(),
			'rules'         => is_array( $rules ) ? count( $rules ) : 0,
		);
	}

	public static function set( $action ) {
		global $wp_rewrite;
		if ( isset( $action['structure'] ) ) {
			$structure = $action['structure'];
			if ( '' !== $structure && ( '/' !== $structure[0] || ! preg_match( '~%[^/%]+%~', $structure ) ) ) {
				return new WP_Error( 'bad_structure', 'A permalink structure begins with a slash and names something, such as `/%postname%/`.' );
			}
			$wp_rewrite->set_permalink_structure( $structure );
			if ( get_option( 'permalink_structure' ) !== $structure ) {
				return new WP_Error( 'not_stored', 'WordPress keeps another structure.' );
			}
		}
		if ( isset( $action['category_base'] ) ) {
			$wp_rewrite->set_category_base( $action['category_base'] );
		}
		if ( isset( $action['tag_base'] ) ) {
			$wp_rewrite->set_tag_base( $action['tag_base'] );
		}
		// Types and taxonomies put their rules in under the structure that held when
		// they were registered: the next start must do that again.
		$wp_rewrite->init();
		create_initial_taxonomies();
		return self::flush( $action );
	}

	public static function flush( $action ) {
		$skip = Pressroom_Bridge::request( 'skip' );
		$hard = ! empty( $action['hard'] );
		if ( null !== $skip['plugins'] || $skip['themes'] || $skip['mu_plugins'] || ! empty( $action['structure'] ) ) {
			// Rules made without what registers them would lose them; without any, the
			// site makes them at its next request.
			delete_option( 'rewrite_rules' );
			$rebuilt = false;
		} else {
			$rebuilt = true;
		}
		$wrote = false;
		if ( $hard ) {
			require_once ABSPATH . 'wp-admin/includes/file.php';
			require_once ABSPATH . 'wp-admin/includes/misc.php';
			// This PHP is no Apache module, but whoever asks for this has Apache in front.
			add_filter( 'got_rewrite', '__return_true', PHP_INT_MAX );
			$wrote = ! is_multisite() && (bool) save_mod_rewrite_rules();
			remove_filter( 'got_rewrite', '__return_true', PHP_INT_MAX );
		}
		if ( $rebuilt ) {
			flush_rewrite_rules( false );
		}
		return array_merge( self::get(), array( 'rebuilt' => $rebuilt, 'htaccess' => $wrote ) );
	}
}
