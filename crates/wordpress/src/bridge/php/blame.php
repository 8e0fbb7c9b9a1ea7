<?php
/**
 * Which component ended the run.
 *
 * In falling order of worth: the file that PHP's error names, the innermost frame of
 * a trace that belongs to a component, the component that was being loaded (begun,
 * but its `…_loaded` hook not fired), and the only component with a callback at the
 * priority of the hook that was running. `exit` and a memory limit hit inside
 * WordPress leave only the last two: PHP unwinds its stack without running code, so
 * WordPress' own record of running hooks still stands.
 */
final class Pressroom_Blame {
	private static $loaded = array();

	public static function loaded( $file ) {
		self::$loaded[ self::normal( $file ) ] = true;
	}

	/** A PHP error that names its file. */
	public static function error( $error ) {
		// An uncaught exception, seen where somebody else handles those: its trace is in the text.
		$files = array( array( 'file' => $error['file'], 'line' => $error['line'] ) );
		if ( preg_match_all( '~^#\d+ (/.+?)\((\d+)\): ~m', $error['message'], $found, PREG_SET_ORDER ) ) {
			foreach ( $found as $frame ) {
				$files[] = array( 'file' => $frame[1], 'line' => (int) $frame[2] );
			}
		}
		return self::first( $files, 'error' );
	}

	public static function throwable( $thrown ) {
		$frames = $thrown->getTrace();
		array_unshift( $frames, array( 'file' => $thrown->getFile(), 'line' => $thrown->getLine() ) );
		return self::first( $frames, 'error' );
	}

	public static function trace( $frames ) {
		return self::first( $frames, 'error' );
	}

	/** For an end that names nobody. */
	public static function guess( $phase ) {
		$blame = Pressroom_Boot::redirecting();
		if ( null === $blame && 'boot' === $phase ) {
			$blame = self::being_loaded();
		}
		if ( null === $blame ) {
			$blame = self::working_on();
		}
		return null === $blame ? self::running_hook() : $blame;
	}

	private static $target;

	/** The component that an action is about to run code of. */
	public static function about_to_run( $kind, $slug, $file ) {
		self::$target = null === $kind ? null : array(
			'kind'     => $kind,
			'slug'     => $slug,
			'file'     => $file,
			'line'     => null,
			'evidence' => 'action',
		);
	}

	private static function working_on() {
		return self::$target;
	}

	private static function first( $frames, $evidence ) {
		foreach ( $frames as $frame ) {
			if ( empty( $frame['file'] ) ) {
				continue;
			}
			$component = self::of( $frame['file'] );
			if ( null !== $component ) {
				$component['line']     = isset( $frame['line'] ) ? (int) $frame['line'] : null;
				$component['evidence'] = $evidence;
				return $component;
			}
		}
		return null;
	}

	private static function being_loaded() {
		$kinds = array( 'drop_in' );
		if ( function_exists( 'did_action' ) && isset( $GLOBALS['wp_actions'] ) ) {
			if ( did_action( 'after_setup_theme' ) ) {
				return null;
			}
			if ( did_action( 'plugins_loaded' ) ) {
				$kinds = array( 'theme' );
			} elseif ( did_action( 'muplugins_loaded' ) ) {
				$kinds = array( 'plugin' );
			} else {
				$kinds = array( 'drop_in', 'mu_plugin', 'plugin' );
			}
		}
		$done = array();
		foreach ( array_keys( self::$loaded ) as $file ) {
			$component = self::of( $file );
			if ( $component ) {
				$done[ $component['kind'] . ' ' . $component['slug'] ] = true;
			}
		}
		foreach ( array_reverse( get_included_files() ) as $file ) {
			$component = self::of( $file );
			if ( $component && in_array( $component['kind'], $kinds, true ) && ! isset( $done[ $component['kind'] . ' ' . $component['slug'] ] ) ) {
				// A drop-in is done once WordPress goes on to the next thing.
				if ( 'drop_in' === $component['kind'] && self::is_past_drop_ins( $component['slug'] ) ) {
					return null;
				}
				$component['line']     = null;
				$component['evidence'] = 'loading';
				return $component;
			}
		}
		return null;
	}

	private static function is_past_drop_ins( $name ) {
		return ! empty( self::$loaded ) || ( 'db.php' === $name && isset( $GLOBALS['wp_object_cache'] ) ) || ( 'object-cache.php' === $name && function_exists( 'get_locale' ) );
	}

	private static function running_hook() {
		$stack = isset( $GLOBALS['wp_current_filter'] ) ? array_reverse( $GLOBALS['wp_current_filter'] ) : array();
		foreach ( $stack as $name ) {
			$hook = isset( $GLOBALS['wp_filter'][ $name ] ) ? $GLOBALS['wp_filter'][ $name ] : null;
			if ( ! $hook instanceof WP_Hook ) {
				continue;
			}
			$priority = $hook->current_priority();
			$found    = array();
			$here     = false !== $priority && isset( $hook->callbacks[ $priority ] ) ? $hook->callbacks[ $priority ] : array();
			foreach ( $here as $callback ) {
				$component = self::of_callback( $callback['function'] );
				if ( $component ) {
					$found[ $component['kind'] . ' ' . $component['slug'] ] = $component;
				}
			}
			if ( 1 === count( $found ) ) {
				return reset( $found );
			}
			if ( $found ) {
				// Several could have been it, and a guess would accuse the innocent.
				return null;
			}
		}
		return null;
	}

	private static function of_callback( $callback ) {
		try {
			if ( is_string( $callback ) && false !== strpos( $callback, '::' ) ) {
				$callback = explode( '::', $callback );
			}
			if ( is_array( $callback ) ) {
				$at = new ReflectionMethod( $callback[0], $callback[1] );
			} elseif ( is_object( $callback ) && ! $callback instanceof Closure ) {
				$at = new ReflectionMethod( $callback, '__invoke' );
			} else {
				$at = new ReflectionFunction( $callback );
			}
		} catch ( ReflectionException $thrown ) {
			return null;
		}
		$component = $at->getFileName() ? self::of( $at->getFileName() ) : null;
		if ( $component ) {
			$component['line']     = (int) $at->getStartLine();
			$component['evidence'] = 'hook';
		}
		return $component;
	}

	private static function normal( $path ) {
		return str_replace( '\\', '/', (string) $path );
	}

	private static function drop_ins() {
		return array( 'advanced-cache.php', 'db.php', 'db-error.php', 'fatal-error-handler.php', 'install.php', 'maintenance.php', 'object-cache.php', 'php-error.php', 'sunrise.php', 'blog-deleted.php', 'blog-inactive.php', 'blog-suspended.php' );
	}

	/** The component that a file belongs to, without line and evidence; `null` for none. */
	public static function of( $file ) {
		$file = self::normal( $file );
		// Code made by eval() and functions made at run time.
		$file = preg_replace( '~\(\d+\) : .*$~', '', $file );
		if ( ! empty( $GLOBALS['wp_plugin_paths'] ) ) {
			foreach ( $GLOBALS['wp_plugin_paths'] as $dir => $real ) {
				if ( 0 === strpos( $file, rtrim( $real, '/' ) . '/' ) ) {
					$file = $dir . substr( $file, strlen( rtrim( $real, '/' ) ) );
				}
			}
		}
		$content = defined( 'WP_CONTENT_DIR' ) ? WP_CONTENT_DIR : Pressroom_Bridge::request( 'root' ) . '/wp-content';
		$places  = array(
			'mu_plugin' => array( defined( 'WPMU_PLUGIN_DIR' ) ? WPMU_PLUGIN_DIR : $content . '/mu-plugins' ),
			'plugin'    => array( defined( 'WP_PLUGIN_DIR' ) ? WP_PLUGIN_DIR : $content . '/plugins' ),
			'theme'     => array( $content . '/themes' ),
		);
		if ( ! empty( $GLOBALS['wp_theme_directories'] ) ) {
			$places['theme'] = array_merge( $places['theme'], $GLOBALS['wp_theme_directories'] );
		}
		foreach ( $places as $kind => $dirs ) {
			foreach ( $dirs as $dir ) {
				foreach ( array_unique( array( self::normal( $dir ), self::normal( realpath( $dir ) ) ) ) as $base ) {
					if ( '' !== $base && 0 === strpos( $file, rtrim( $base, '/' ) . '/' ) ) {
						$rest = substr( $file, strlen( rtrim( $base, '/' ) ) + 1 );
						return array(
							'kind' => $kind,
							'slug' => preg_replace( '~\.php$~', '', explode( '/', $rest )[0] ),
							'file' => $rest,
						);
					}
				}
			}
		}
		if ( in_array( basename( $file ), self::drop_ins(), true ) ) {
			foreach ( array( self::normal( $content ), self::normal( realpath( $content ) ) ) as $base ) {
				if ( dirname( $file ) === rtrim( $base, '/' ) ) {
					return array(
						'kind' => 'drop_in',
						'slug' => basename( $file ),
						'file' => basename( $file ),
					);
				}
			}
		}
		return null;
	}
}
