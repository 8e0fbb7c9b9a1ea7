<?php
/** The first start of a site, and ways in without a password. */
final class Pressroom_Install {
	public static function install( $action ) {
		if ( is_blog_installed() ) {
			return new WP_Error( 'already_installed', 'WordPress is installed already.' );
		}
		if ( ! defined( 'WP_SITEURL' ) ) {
			define( 'WP_SITEURL', $action['url'] );
		}
		require_once ABSPATH . 'wp-admin/includes/upgrade.php';
		require_once ABSPATH . 'wp-admin/includes/translation-install.php';
		$locale = 'en_US' === $action['locale'] || ! in_array( $action['locale'], get_available_languages(), true ) ? '' : $action['locale'];
		if ( '' !== $locale ) {
			load_default_textdomain( $locale );
			$GLOBALS['wp_locale'] = new WP_Locale();
		}
		// The installer hashes the password as a form would send it: with slashes.
		$result = wp_install( $action['title'], $action['admin_user'], $action['admin_email'], true, '', wp_slash( $action['admin_password'] ), $locale );
		if ( is_wp_error( $result ) ) {
			return $result;
		}
		if ( empty( $result['user_id'] ) || is_wp_error( $result['user_id'] ) ) {
			return is_wp_error( $result['user_id'] ) ? $result['user_id'] : new WP_Error( 'no_user', 'The administrator was not made.' );
		}
		update_option( 'siteurl', $action['url'] );
		update_option( 'home', $action['url'] );
		global $wp_rewrite;
		$wp_rewrite->init();
		$wp_rewrite->set_permalink_structure( $action['permalinks'] );
		// Categories and tags were registered while there was no structure to put their rules in.
		create_initial_taxonomies();
		flush_rewrite_rules( false );
		return array(
			'user_id' => (int) $result['user_id'],
			'locale'  => '' === $locale ? 'en_US' : $locale,
		);
	}

	public static function issue_login( $action ) {
		global $wpdb;
		if ( wp_normalize_path( WPMU_PLUGIN_DIR ) !== wp_normalize_path( Pressroom_Bridge::request( 'mu_plugins' ) ) ) {
			return new WP_Error( 'mu_plugins_elsewhere', 'This site keeps its must-use plugins in another place.' );
		}
		if ( null === $action['user'] ) {
			$users = get_users( array( 'role' => 'administrator', 'orderby' => 'ID', 'order' => 'ASC', 'number' => 1 ) );
			$user  = $users ? $users[0] : null;
			if ( ! $user && is_multisite() ) {
				$user = get_user_by( 'id', Pressroom_Boot::administrator() );
			}
		} else {
			$user = get_user_by( 'login', $action['user'] );
		}
		if ( ! $user ) {
			return new WP_Error( 'user_missing', null === $action['user'] ? 'The site has no administrator.' : 'The site has no such user.' );
		}
		if ( ! $user->has_cap( 'read' ) ) {
			return new WP_Error( 'user_without_role', 'This user has no role on the site.' );
		}
		$redirect = $action['redirect'];
		if ( '' === $redirect ) {
			$redirect = '/wp-admin/';
		}
		if ( ! preg_match( '~^/(?![/\\\\])[^\x00-\x1f\x7f\\\\]*$~', $redirect ) ) {
			return new WP_Error( 'bad_redirect', 'The redirect must be a path on the same site.' );
		}
		$expires = time() + (int) $action['lifetime_s'];
		$name    = 'pressroom_login_' . substr( $action['token_hash'], 0, 16 );
		$rows    = array(
			'_transient_timeout_' . $name => (string) $expires,
			'_transient_' . $name         => wp_json_encode(
				array(
					'hash'     => $action['token_hash'],
					'user_id'  => $user->ID,
					'redirect' => $redirect,
					'expires'  => $expires,
				)
			),
		);
		// Straight into the table: with an object cache, transients would not be in
		// it, and a row that can be deleted exactly once is what makes a login single.
		foreach ( $rows as $key => $value ) {
			$stored = $wpdb->query( $wpdb->prepare( "INSERT INTO {$wpdb->options} (option_name, option_value, autoload) VALUES (%s, %s, 'no') ON DUPLICATE KEY UPDATE option_value = VALUES(option_value)", $key, $value ) );
			if ( false === $stored ) {
				return new WP_Error( 'not_stored', 'The login could not be stored: ' . $wpdb->last_error );
			}
			wp_cache_delete( $key, 'options' );
		}
		wp_cache_delete( 'notoptions', 'options' );
		return array(
			'user_id' => (int) $user->ID,
			'login'   => $user->user_login,
			'expires' => $expires,
			'home'    => home_url( '/' ),
		);
	}
}
