<?php
/** Activation and its undo. */
final class Pressroom_Plugins {
	private static function record() {
		$rows = Pressroom_Rows::read( array( 'active_plugins' ) );
		return array( $rows['active_plugins'], Pressroom_Rows::read_network( 'active_sitewide_plugins' ) );
	}

	private static function put( $record ) {
		$blog    = Pressroom_Rows::put( array( 'active_plugins' => $record[0] ) );
		$network = Pressroom_Rows::put_network( 'active_sitewide_plugins', $record[1] );
		return $blog && $network;
	}

	private static function decode( $base64 ) {
		$value = null === $base64 ? null : @unserialize( base64_decode( $base64 ), array( 'allowed_classes' => false ) );
		return is_array( $value ) ? $value : array();
	}

	private static function told( $record ) {
		$active  = array_values( array_filter( self::decode( null === $record[0] ? null : $record[0]['value'] ), 'is_string' ) );
		$network = array_map( 'strval', array_keys( self::decode( $record[1] ) ) );
		return array(
			'active'         => $active,
			'network_active' => $network,
			'row'            => $record[0],
			'network_row'    => $record[1],
		);
	}

	public static function read() {
		return self::told( self::record() );
	}

	private static function is_active( $file, $network ) {
		$now = self::read();
		return in_array( $file, $network ? $now['network_active'] : $now['active'], true );
	}

	/** A plugin's file by its file or the name of its directory. */
	private static function find( $name ) {
		$name = trim( (string) $name );
		if ( '' === $name || 0 !== validate_file( $name ) ) {
			return new WP_Error( 'plugin_invalid', 'This is no name of a plugin.' );
		}
		if ( '.php' === substr( $name, -4 ) && is_file( WP_PLUGIN_DIR . '/' . $name ) ) {
			return plugin_basename( $name );
		}
		if ( false === strpos( $name, '/' ) && is_dir( WP_PLUGIN_DIR . '/' . $name ) ) {
			$found = array_keys( get_plugins( '/' . $name ) );
			if ( $found ) {
				return $name . '/' . $found[0];
			}
		}
		if ( is_file( WP_PLUGIN_DIR . '/' . $name . '.php' ) ) {
			return $name . '.php';
		}
		return new WP_Error( 'plugin_not_found', "There is no plugin `$name`." );
	}

	public static function activate( $action ) {
		return self::change( $action, true );
	}

	public static function deactivate( $action ) {
		return self::change( $action, false );
	}

	private static function change( $action, $on ) {
		require_once ABSPATH . 'wp-admin/includes/admin.php';
		$network = ! empty( $action['network_wide'] );
		if ( $network && ! is_multisite() ) {
			return new WP_Error( 'not_a_network', 'This is a single site.' );
		}
		$data = array( 'before' => self::read(), 'after' => null, 'plugins' => array() );
		foreach ( $action['plugins'] as $name ) {
			Pressroom_Bridge::check_fence();
			$record = self::record();
			$file   = self::find( $name );
			$result = array( 'plugin' => is_wp_error( $file ) ? (string) $name : $file, 'ok' => false, 'changed' => false, 'code' => 'fatal', 'error' => 'PHP ended while this was done.', 'warning' => null, 'blame' => null );
			// As it is told should PHP die now.
			$dying              = $data;
			$dying['plugins'][] = $result;
			Pressroom_Bridge::so_far( $dying );
			Pressroom_Bridge::undo_with(
				static function () use ( $record ) {
					return self::put( $record );
				}
			);
			if ( ! is_wp_error( $file ) ) {
				Pressroom_Blame::about_to_run( 'plugin', preg_replace( '~\.php$~', '', explode( '/', $file )[0] ), $file );
			}
			$data['plugins'][] = is_wp_error( $file ) ? self::failed( $result, $file ) : self::change_one( $result, $file, $record, $network, ! empty( $action['silent'] ), $on );
			Pressroom_Bridge::undo_with( null );
			Pressroom_Blame::about_to_run( null, null, null );
		}
		$data['after'] = self::read();
		foreach ( $data['plugins'] as $result ) {
			if ( ! $result['ok'] ) {
				return new Pressroom_Partly( $data, $result['code'], $result['error'], $result['blame'] );
			}
		}
		return $data;
	}

	private static function failed( $result, $error ) {
		$result['code']  = (string) $error->get_error_code();
		$result['error'] = trim( wp_strip_all_tags( $error->get_error_message() ) );
		return $result;
	}

	private static function change_one( $result, $file, $record, $network, $silent, $on ) {
		$was   = self::is_active( $file, $network );
		$level = ob_get_level();
		try {
			if ( $on ) {
				$error = activate_plugin( $file, '', $network, $silent );
			} else {
				$error = null;
				deactivate_plugins( $file, $silent, $network );
			}
			if ( is_wp_error( $error ) && 'unexpected_output' === $error->get_error_code() ) {
				// WordPress says this of a plugin that it has made active all the same.
				$result['warning'] = 'unexpected_output';
				$error             = null;
			}
		} catch ( Throwable $thrown ) {
			$died            = $thrown instanceof Pressroom_Died;
			$error           = new WP_Error( $died ? $thrown->name : 'exception', ( $died ? '' : get_class( $thrown ) . ': ' ) . $thrown->getMessage() );
			$result['blame'] = Pressroom_Blame::throwable( $thrown );
			while ( ob_get_level() > $level ) {
				ob_end_clean();
			}
		}
		// Plugins that every site has count as well: WordPress decides for them.
		$is = self::is_active( $file, $network ) || ( $on && ! $network && self::is_active( $file, true ) );
		if ( null === $error && $is !== $on ) {
			$error = new WP_Error( $on ? 'not_activated' : 'not_deactivated', $on ? 'The plugin is not active afterwards.' : 'The plugin is still active.' );
		}
		if ( is_wp_error( $error ) ) {
			self::put( $record );
			return self::failed( $result, $error );
		}
		$result['ok']      = true;
		$result['changed'] = $was !== $is;
		$result['code']    = null;
		$result['error']   = null;
		return $result;
	}

	/** Sets the list as it is, running nothing. */
	public static function set( $action ) {
		$before = self::read();
		$files  = array_values( array_map( 'strval', $action['plugins'] ) );
		if ( ! empty( $action['network_wide'] ) ) {
			if ( ! is_multisite() ) {
				return new WP_Error( 'not_a_network', 'This is a single site.' );
			}
			$old = self::decode( $before['network_row'] );
			$new = array();
			foreach ( $files as $file ) {
				$new[ $file ] = isset( $old[ $file ] ) ? $old[ $file ] : time();
			}
			$done = Pressroom_Rows::put_network( 'active_sitewide_plugins', base64_encode( serialize( $new ) ) );
		} else {
			$row  = array(
				'value'    => base64_encode( serialize( $files ) ),
				'autoload' => $before['row'] ? $before['row']['autoload'] : 'yes',
			);
			$done = Pressroom_Rows::put( array( 'active_plugins' => $row ) );
		}
		return $done ? array( 'before' => $before, 'after' => self::read() ) : new WP_Error( 'not_stored', 'The list of active plugins could not be stored.' );
	}

	/** Puts back what `read` or `before` told, byte for byte. */
	public static function restore( $action ) {
		$before = self::read();
		$done   = self::put( array( $action['record']['row'], $action['record']['network_row'] ) );
		return $done ? array( 'before' => $before, 'after' => self::read() ) : new WP_Error( 'not_stored', 'The list of active plugins could not be put back.' );
	}

	/** Runs what a plugin wants done before its files go; they stay. */
	public static function uninstall( $action ) {
		require_once ABSPATH . 'wp-admin/includes/admin.php';
		$file = self::find( $action['plugin'] );
		if ( is_wp_error( $file ) ) {
			return $file;
		}
		if ( self::is_active( $file, false ) || self::is_active( $file, true ) ) {
			return new WP_Error( 'plugin_active', 'An active plugin cannot be uninstalled.' );
		}
		if ( ! is_uninstallable_plugin( $file ) ) {
			return array( 'plugin' => $file, 'ran' => 'nothing' );
		}
		if ( defined( 'WP_UNINSTALL_PLUGIN' ) ) {
			throw new Pressroom_Died( 'One start of WordPress can uninstall one plugin.', 'needs_own_boot' );
		}
		Pressroom_Blame::about_to_run( 'plugin', preg_replace( '~\.php$~', '', explode( '/', $file )[0] ), $file );
		$ran = is_file( WP_PLUGIN_DIR . '/' . dirname( $file ) . '/uninstall.php' ) ? 'file' : 'hook';
		uninstall_plugin( $file );
		Pressroom_Blame::about_to_run( null, null, null );
		return array( 'plugin' => $file, 'ran' => $ran );
	}
}
