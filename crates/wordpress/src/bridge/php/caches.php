<?php
/** What WordPress keeps to be faster. */
final class Pressroom_Caches {
	public static function clean_components() {
		require_once ABSPATH . 'wp-admin/includes/plugin.php';
		wp_clean_plugins_cache( true );
		wp_clean_themes_cache( true );
		return null;
	}

	public static function flush_objects() {
		$flushed = wp_cache_flush();
		if ( false === $flushed ) {
			return new WP_Error( 'not_flushed', 'The object cache says that it was not flushed.' );
		}
		return array( 'persistent' => (bool) wp_using_ext_object_cache() );
	}

	public static function set_cached( $action ) {
		if ( ! wp_cache_set( $action['key'], $action['value'], 'pressroom', 60 ) ) {
			return new WP_Error( 'not_set', 'The object cache says that it did not take the value.' );
		}
		return array( 'persistent' => (bool) wp_using_ext_object_cache() );
	}

	/** Our one-time logins look like transients so that old ones are cleaned away. */
	private static function is_ours( $name ) {
		return 0 === strpos( $name, '_transient_pressroom_login_' ) || 0 === strpos( $name, '_transient_timeout_pressroom_login_' );
	}

	public static function delete_transients( $action ) {
		global $wpdb;
		$expired = ! empty( $action['expired_only'] );
		$deleted = 0;
		foreach ( array( '_transient_', '_site_transient_' ) as $prefix ) {
			$deleted += self::delete_from( $wpdb->options, 'option_name', 'option_value', $prefix, $expired, '' );
		}
		if ( is_multisite() && ! empty( $action['network'] ) ) {
			$network  = get_current_network_id();
			$deleted += self::delete_from( $wpdb->sitemeta, 'meta_key', 'meta_value', '_site_transient_', $expired, $wpdb->prepare( 'site_id = %d AND ', $network ) );
		}
		wp_cache_delete( 'alloptions', 'options' );
		wp_cache_delete( 'notoptions', 'options' );
		// With such a cache the tables hold none of the transients in use.
		$persistent = (bool) wp_using_ext_object_cache();
		if ( $persistent && ! $expired ) {
			wp_cache_flush();
		}
		return array( 'deleted' => $deleted, 'persistent' => $persistent );
	}

	/** How many transients went, each counted once. */
	private static function delete_from( $table, $key, $value, $prefix, $expired, $where ) {
		global $wpdb;
		$timeout = $prefix . 'timeout_';
		$names   = array();
		if ( $expired ) {
			$found = $wpdb->get_col( $wpdb->prepare( "SELECT {$key} FROM {$table} WHERE {$where}{$key} LIKE %s AND {$value} < %d", $wpdb->esc_like( $timeout ) . '%', time() ) );
			foreach ( $found as $name ) {
				$names[] = substr( $name, strlen( $timeout ) );
			}
		} else {
			$found = $wpdb->get_col( $wpdb->prepare( "SELECT {$key} FROM {$table} WHERE {$where}{$key} LIKE %s", $wpdb->esc_like( $prefix ) . '%' ) );
			foreach ( $found as $name ) {
				if ( ! self::is_ours( $name ) ) {
					$names[] = substr( $name, strlen( 0 === strpos( $name, $timeout ) ? $timeout : $prefix ) );
				}
			}
		}
		$names = array_unique( $names );
		foreach ( array_chunk( $names, 200 ) as $some ) {
			Pressroom_Bridge::check_fence();
			$both = array();
			foreach ( $some as $name ) {
				$both[] = $prefix . $name;
				$both[] = $timeout . $name;
			}
			$marks = implode( ', ', array_fill( 0, count( $both ), '%s' ) );
			$wpdb->query( $wpdb->prepare( "DELETE FROM {$table} WHERE {$where}{$key} IN ({$marks})", $both ) );
			foreach ( $both as $name ) {
				if ( $wpdb->options === $table ) {
					wp_cache_delete( $name, 'options' );
				} else {
					wp_cache_delete( get_current_network_id() . ':' . $name, 'site-options' );
				}
			}
		}
		return count( $names );
	}
}
