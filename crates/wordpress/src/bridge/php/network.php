<?php
/** The blogs of a network, and what a site is. */
final class Pressroom_Network {
	private static function told( $row, $details ) {
		global $wpdb;
		$told = array( 'id' => (int) $row->blog_id, 'domain' => $row->domain, 'path' => $row->path );
		foreach ( array( 'public', 'archived', 'mature', 'spam', 'deleted' ) as $flag ) {
			$told[ $flag ] = (bool) (int) $row->$flag;
		}
		$told['registered']   = $row->registered;
		$told['last_updated'] = $row->last_updated;
		if ( $details ) {
			$prefix = $wpdb->get_blog_prefix( $row->blog_id );
			$known  = $wpdb->get_results( "SELECT option_name, option_value FROM {$prefix}options WHERE option_name IN ('home', 'blogname', 'db_version')", OBJECT_K );
			$value  = static function ( $name ) use ( $known ) {
				return isset( $known[ $name ] ) ? $known[ $name ]->option_value : null;
			};
			$told['home']       = $value( 'home' );
			$told['title']      = $value( 'blogname' );
			$told['db_version'] = null === $value( 'db_version' ) ? null : (int) $value( 'db_version' );
		}
		return $told;
	}

	public static function all( $action ) {
		global $wpdb;
		if ( ! is_multisite() ) {
			return new WP_Error( 'not_a_network', 'This is a single site.' );
		}
		$limit = max( 1, min( 1000, (int) $action['limit'] ) );
		$where = $wpdb->prepare( 'site_id = %d', get_current_network_id() );
		if ( isset( $action['search'] ) ) {
			$like   = '%' . $wpdb->esc_like( $action['search'] ) . '%';
			$where .= $wpdb->prepare( ' AND (domain LIKE %s OR path LIKE %s)', $like, $like );
		}
		$page  = $where . $wpdb->prepare( ' AND blog_id > %d', (int) $action['after'] );
		$blogs = array();
		foreach ( $wpdb->get_results( "SELECT * FROM {$wpdb->blogs} WHERE {$page} ORDER BY blog_id LIMIT {$limit}" ) as $row ) {
			$blogs[] = self::told( $row, ! empty( $action['details'] ) );
		}
		return array(
			'total' => (int) $wpdb->get_var( "SELECT COUNT(*) FROM {$wpdb->blogs} WHERE {$where}" ),
			'blogs' => $blogs,
		);
	}

	public static function create( $action ) {
		global $wpdb;
		if ( ! is_multisite() ) {
			return new WP_Error( 'not_a_network', 'This is a single site.' );
		}
		require_once ABSPATH . 'wp-admin/includes/upgrade.php';
		$slug = $action['slug'];
		if ( ! preg_match( '~^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$~', $slug ) ) {
			return new WP_Error( 'bad_slug', 'A blog is named by small letters, digits and hyphens.' );
		}
		$network = get_network();
		if ( is_subdomain_install() ) {
			$domain = $slug . '.' . preg_replace( '~^www\.~', '', $network->domain );
			$path   = $network->path;
		} else {
			if ( in_array( $slug, get_subdirectory_reserved_names(), true ) ) {
				return new WP_Error( 'reserved', 'WordPress keeps this name for itself.' );
			}
			$domain = $network->domain;
			$path   = $network->path . $slug . '/';
		}
		$user = Pressroom_Users::find( $action['admin'] );
		$id   = wpmu_create_blog( $domain, $path, $action['title'], $user->ID, array( 'public' => empty( $action['public'] ) ? 0 : 1 ), $network->id );
		if ( is_wp_error( $id ) ) {
			return $id;
		}
		$row = $wpdb->get_row( $wpdb->prepare( "SELECT * FROM {$wpdb->blogs} WHERE blog_id = %d", $id ) );
		return $row ? self::told( $row, true ) : new WP_Error( 'not_created', 'The blog is not there afterwards.' );
	}

	public static function info() {
		global $wpdb, $wp_db_version;
		$extensions = array_map( 'strtolower', get_loaded_extensions() );
		sort( $extensions );
		$prefix = $wpdb->get_blog_prefix();
		$stored = Pressroom_Rows::read( array( 'db_version' ) );
		return array(
			'wordpress'         => get_bloginfo( 'version' ),
			'db_version_stored' => null === $stored['db_version'] ? null : (int) base64_decode( $stored['db_version']['value'] ),
			'db_version_code'   => (int) $wp_db_version,
			'php'               => PHP_VERSION,
			'database'          => (string) $wpdb->get_var( 'SELECT VERSION()' ),
			'extensions'        => $extensions,
			'blog_id'           => get_current_blog_id(),
			'home'              => home_url(),
			'siteurl'           => site_url(),
			'title'             => (string) get_option( 'blogname' ),
			'locale'            => get_locale(),
			'languages'         => array_values( get_available_languages() ),
			'timezone'          => wp_timezone_string(),
			'utc_offset_s'      => wp_timezone()->getOffset( new DateTime( 'now', new DateTimeZone( 'UTC' ) ) ),
			'permalinks'        => (string) get_option( 'permalink_structure' ),
			'blog_public'       => '0' !== (string) get_option( 'blog_public' ),
			'admin_email'       => (string) get_option( 'admin_email' ),
			'users'             => (int) $wpdb->get_var( $wpdb->prepare( "SELECT COUNT(*) FROM {$wpdb->usermeta} WHERE meta_key = %s", $prefix . 'capabilities' ) ),
			'multisite'         => is_multisite(),
			'subdomains'        => is_multisite() && is_subdomain_install(),
			'blogs'             => is_multisite() ? (int) $wpdb->get_var( $wpdb->prepare( "SELECT COUNT(*) FROM {$wpdb->blogs} WHERE site_id = %d", get_current_network_id() ) ) : 1,
			'table_prefix'      => $wpdb->base_prefix,
			'object_cache'      => (bool) wp_using_ext_object_cache(),
			'template'          => get_template(),
			'stylesheet'        => get_stylesheet(),
			'cron_disabled'     => defined( 'DISABLE_WP_CRON' ) && DISABLE_WP_CRON,
			'debug'             => defined( 'WP_DEBUG' ) && WP_DEBUG,
			'environment'       => function_exists( 'wp_get_environment_type' ) ? wp_get_environment_type() : 'production',
		);
	}
}
