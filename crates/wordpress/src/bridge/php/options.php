<?php
/** PHP's values as JSON can have them. */
final class Pressroom_Values {
	private static $objects = false;

	/** Objects become maps with `__class`, bytes that are no UTF-8 `{"__base64": …}`. */
	public static function plain( $value, $depth = 0 ) {
		if ( $depth > 64 ) {
			return array( '__too_deep' => true );
		}
		if ( is_string( $value ) ) {
			return preg_match( '//u', $value ) ? $value : array( '__base64' => base64_encode( $value ) );
		}
		if ( is_float( $value ) && ! is_finite( $value ) ) {
			return array( '__float' => (string) $value );
		}
		if ( is_array( $value ) ) {
			$plain = array();
			foreach ( $value as $key => $item ) {
				$plain[ $key ] = self::plain( $item, $depth + 1 );
			}
			return $plain;
		}
		if ( is_object( $value ) ) {
			self::$objects = true;
			$class         = get_class( $value );
			$plain         = array( '__class' => $class );
			foreach ( (array) $value as $key => $item ) {
				if ( '__PHP_Incomplete_Class_Name' === $key ) {
					$plain['__class'] = $item;
				} else {
					// Private and protected names carry zero bytes in front.
					$plain[ preg_replace( '/^\0.*\0/s', '', (string) $key ) ] = self::plain( $item, $depth + 1 );
				}
			}
			return $plain;
		}
		return is_resource( $value ) ? null : $value;
	}

	/** A stored string as the value it stands for: `array( plain value, holds objects )`. */
	public static function stored( $text ) {
		self::$objects = false;
		$value         = $text;
		if ( is_serialized( $text ) ) {
			$found = @unserialize( trim( $text ), array( 'allowed_classes' => false ) );
			if ( false !== $found || 'b:0;' === trim( $text ) ) {
				$value = $found;
			}
		}
		$plain = self::plain( $value );
		return array( $plain, self::$objects );
	}
}

/** Options of a blog and of a network. */
final class Pressroom_Options {
	private static function row( $name, $network ) {
		global $wpdb;
		if ( $network ) {
			return $wpdb->get_row( $wpdb->prepare( "SELECT meta_value AS value, NULL AS autoload FROM {$wpdb->sitemeta} WHERE site_id = %d AND meta_key = %s ORDER BY meta_id LIMIT 1", get_current_network_id(), $name ) );
		}
		return $wpdb->get_row( $wpdb->prepare( "SELECT option_value AS value, autoload FROM {$wpdb->options} WHERE option_name = %s LIMIT 1", $name ) );
	}

	private static function is_network( $action ) {
		if ( empty( $action['network'] ) ) {
			return false;
		}
		if ( ! is_multisite() ) {
			throw new Pressroom_Died( 'This is a single site.', 'not_a_network' );
		}
		return true;
	}

	private static function stored( $name, $network ) {
		$row = self::row( $name, $network );
		if ( ! $row ) {
			return array( 'name' => $name, 'exists' => false, 'stored' => null, 'bytes' => 0, 'autoload' => null, 'serialized' => false, 'objects' => false );
		}
		list( $value, $objects ) = Pressroom_Values::stored( $row->value );
		return array(
			'name'       => $name,
			'exists'     => true,
			'stored'     => $value,
			'bytes'      => strlen( $row->value ),
			'autoload'   => $row->autoload,
			'serialized' => is_serialized( $row->value ),
			'objects'    => $objects,
		);
	}

	/** What the table has and, beside it, what WordPress answers its own code. */
	private static function told( $name, $network ) {
		$told  = self::stored( $name, $network );
		$value = $network ? get_site_option( $name, null ) : get_option( $name, null );
		// The same way through PHP's types, so that only a real difference differs.
		$told['value']   = Pressroom_Values::plain( $value );
		$told['differs'] = json_encode( $told['value'] ) !== json_encode( $told['stored'] );
		return $told;
	}

	public static function get( $action ) {
		return self::told( $action['name'], self::is_network( $action ) );
	}

	private static function is_on( $autoload ) {
		return in_array( $autoload, array( 'yes', 'on', 'auto-on', 'auto' ), true );
	}

	private static function set_autoload( $name, $wanted ) {
		global $wpdb;
		$row = self::row( $name, false );
		if ( null === $wanted || ! $row || self::is_on( $row->autoload ) === $wanted ) {
			return;
		}
		if ( function_exists( 'wp_set_option_autoload' ) ) {
			wp_set_option_autoload( $name, $wanted );
		} else {
			$wpdb->update( $wpdb->options, array( 'autoload' => $wanted ? 'yes' : 'no' ), array( 'option_name' => $name ) );
			wp_cache_delete( $name, 'options' );
			wp_cache_delete( 'alloptions', 'options' );
		}
	}

	private static function refuse_objects( $before, $action ) {
		if ( $before['objects'] && empty( $action['force'] ) ) {
			throw new Pressroom_Died( 'This option holds PHP objects, which would be lost.', 'holds_objects' );
		}
	}

	public static function set( $action ) {
		$network = self::is_network( $action );
		$name    = $action['name'];
		$before  = self::stored( $name, $network );
		self::refuse_objects( $before, $action );
		if ( $network ) {
			update_site_option( $name, $action['value'] );
		} else {
			// A new row gets its autoload at once, an old one keeps it through this call.
			update_option( $name, $action['value'], isset( $action['autoload'] ) ? (bool) $action['autoload'] : null );
			self::set_autoload( $name, isset( $action['autoload'] ) ? (bool) $action['autoload'] : null );
		}
		$after = self::told( $name, $network );
		if ( ! $after['exists'] || ! self::same( $after['stored'], $action['value'] ) ) {
			return new Pressroom_Partly( array( 'before' => $before, 'after' => $after ), 'not_stored', 'The table holds another value afterwards: WordPress or a plugin changed it.' );
		}
		return array( 'before' => $before, 'after' => $after );
	}

	/** Rows hold text: `1` and `"1"`, `true` and `"1"` are the same there. */
	private static function same( $stored, $given ) {
		if ( is_scalar( $given ) || null === $given ) {
			return is_scalar( $stored ) && (string) $stored === (string) $given;
		}
		return json_encode( $stored ) === json_encode( Pressroom_Values::plain( $given ) );
	}

	public static function add( $action ) {
		$network = self::is_network( $action );
		$name    = $action['name'];
		if ( self::row( $name, $network ) ) {
			return new WP_Error( 'exists', 'There is such an option already.' );
		}
		$before = self::stored( $name, $network );
		if ( $network ) {
			add_site_option( $name, $action['value'] );
		} else {
			add_option( $name, $action['value'], '', isset( $action['autoload'] ) && ! $action['autoload'] ? 'no' : 'yes' );
		}
		$after = self::told( $name, $network );
		return $after['exists'] ? array( 'before' => $before, 'after' => $after ) : new WP_Error( 'not_stored', 'The option is not there afterwards.' );
	}

	public static function delete( $action ) {
		$network = self::is_network( $action );
		$name    = $action['name'];
		$before  = self::stored( $name, $network );
		if ( ! $before['exists'] ) {
			return new WP_Error( 'option_missing', 'There is no such option.' );
		}
		if ( $network ) {
			delete_site_option( $name );
		} else {
			delete_option( $name );
		}
		$after = self::told( $name, $network );
		return $after['exists'] ? new WP_Error( 'not_deleted', 'The option is still there.' ) : array( 'before' => $before, 'after' => $after );
	}

	public static function all( $action ) {
		global $wpdb;
		$network = self::is_network( $action );
		$limit   = max( 1, min( 5000, (int) $action['limit'] ) );
		$table   = $network ? $wpdb->sitemeta : $wpdb->options;
		$key     = $network ? 'meta_key' : 'option_name';
		$value   = $network ? 'meta_value' : 'option_value';
		$load    = $network ? 'NULL' : 'autoload';
		$where   = $network ? $wpdb->prepare( 'site_id = %d', get_current_network_id() ) : '1 = 1';
		if ( isset( $action['prefix'] ) ) {
			$where .= $wpdb->prepare( " AND {$key} LIKE %s", $wpdb->esc_like( $action['prefix'] ) . '%' );
		}
		if ( isset( $action['search'] ) ) {
			$where .= $wpdb->prepare( " AND {$key} LIKE %s", '%' . $wpdb->esc_like( $action['search'] ) . '%' );
		}
		$on = "'yes', 'on', 'auto-on', 'auto'";
		if ( isset( $action['autoload'] ) && ! $network ) {
			$where .= " AND autoload " . ( $action['autoload'] ? '' : 'NOT ' ) . "IN ($on)";
		}
		$page = $where;
		if ( isset( $action['after'] ) ) {
			$page .= $wpdb->prepare( " AND {$key} > %s", $action['after'] );
		}
		$totals  = $wpdb->get_row( "SELECT COUNT(*) AS rows_found, COALESCE(SUM(LENGTH({$value})), 0) AS bytes FROM {$table} WHERE {$where}" );
		$loaded  = $network ? null : (int) $wpdb->get_var( "SELECT COALESCE(SUM(LENGTH(option_value)), 0) FROM {$wpdb->options} WHERE autoload IN ($on)" );
		$columns = "{$key} AS name, LENGTH({$value}) AS bytes, {$load} AS autoload" . ( empty( $action['values'] ) ? '' : ", IF(LENGTH({$value}) <= 65536, {$value}, NULL) AS value" );
		$options = array();
		foreach ( $wpdb->get_results( "SELECT {$columns} FROM {$table} WHERE {$page} ORDER BY {$key} LIMIT {$limit}" ) as $row ) {
			$option = array( 'name' => $row->name, 'bytes' => (int) $row->bytes, 'autoload' => $row->autoload );
			if ( ! empty( $action['values'] ) && null !== $row->value ) {
				$option['stored'] = Pressroom_Values::stored( $row->value )[0];
			}
			$options[] = $option;
		}
		return array(
			'total'          => (int) $totals->rows_found,
			'total_bytes'    => (int) $totals->bytes,
			'autoload_bytes' => $loaded,
			'options'        => $options,
		);
	}

	/**
	 * Names of options that begin as PHP values do and are none. WordPress takes such a row for
	 * plain text (`is_serialized()` looks at its end) or for `false`; either way what it held is lost.
	 */
	public static function broken() {
		global $wpdb;
		$names = array();
		$rows  = $wpdb->get_results( "SELECT option_name AS name, option_value AS value FROM {$wpdb->options} WHERE option_value REGEXP '^([aOC]:[0-9]+:|s:[0-9]+:\")'" );
		foreach ( (array) $rows as $row ) {
			if ( false === @unserialize( trim( $row->value ), array( 'allowed_classes' => false ) ) ) {
				$names[] = (string) $row->name;
			}
		}
		return array( 'names' => $names );
	}
}
