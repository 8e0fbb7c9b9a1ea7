<?php
/** Rows of the options and site meta tables, byte for byte and past all filters. */
final class Pressroom_Rows {
	/** `name => array( value in base64, autoload )`, `null` for a row that is not there. */
	public static function read( $names ) {
		global $wpdb;
		$rows = array();
		foreach ( $names as $name ) {
			$row = $wpdb->get_row( $wpdb->prepare( "SELECT option_value, autoload FROM {$wpdb->options} WHERE option_name = %s LIMIT 1", $name ) );
			$rows[ $name ] = $row ? array( 'value' => base64_encode( $row->option_value ), 'autoload' => $row->autoload ) : null;
		}
		return $rows;
	}

	/** Whether the rows are as given afterwards, as a second look says. */
	public static function put( $rows ) {
		global $wpdb;
		foreach ( $rows as $name => $row ) {
			if ( null === $row ) {
				$wpdb->query( $wpdb->prepare( "DELETE FROM {$wpdb->options} WHERE option_name = %s", $name ) );
			} else {
				$wpdb->query( $wpdb->prepare( "INSERT INTO {$wpdb->options} (option_name, option_value, autoload) VALUES (%s, %s, %s) ON DUPLICATE KEY UPDATE option_value = VALUES(option_value), autoload = VALUES(autoload)", $name, base64_decode( $row['value'] ), $row['autoload'] ) );
			}
			wp_cache_delete( $name, 'options' );
		}
		wp_cache_delete( 'alloptions', 'options' );
		wp_cache_delete( 'notoptions', 'options' );
		return self::read( array_keys( $rows ) ) === $rows;
	}

	/** A network's value in base64, `null` for none. */
	public static function read_network( $name ) {
		global $wpdb;
		if ( ! is_multisite() ) {
			return null;
		}
		$value = $wpdb->get_var( $wpdb->prepare( "SELECT meta_value FROM {$wpdb->sitemeta} WHERE site_id = %d AND meta_key = %s ORDER BY meta_id LIMIT 1", get_current_network_id(), $name ) );
		return null === $value ? null : base64_encode( $value );
	}

	public static function put_network( $name, $value ) {
		global $wpdb;
		if ( ! is_multisite() ) {
			return null === $value;
		}
		$network = get_current_network_id();
		if ( null === $value ) {
			$wpdb->query( $wpdb->prepare( "DELETE FROM {$wpdb->sitemeta} WHERE site_id = %d AND meta_key = %s", $network, $name ) );
		} elseif ( null === self::read_network( $name ) ) {
			$wpdb->query( $wpdb->prepare( "INSERT INTO {$wpdb->sitemeta} (site_id, meta_key, meta_value) VALUES (%d, %s, %s)", $network, $name, base64_decode( $value ) ) );
		} else {
			$wpdb->query( $wpdb->prepare( "UPDATE {$wpdb->sitemeta} SET meta_value = %s WHERE site_id = %d AND meta_key = %s", base64_decode( $value ), $network, $name ) );
		}
		wp_cache_delete( $network . ':' . $name, 'site-options' );
		wp_cache_delete( $network . ':notoptions', 'site-options' );
		wp_cache_delete( $network, 'site_meta' );
		return self::read_network( $name ) === $value;
	}
}
