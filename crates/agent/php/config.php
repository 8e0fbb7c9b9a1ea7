<?php
/** What the site's configuration defines, by running it; see `evaluate.rs` and `settings.rs`. */
final class Pressroom_Config {
	const MOST  = 1048576;
	const LIMIT = 20;

	private static $known = array();

	/** What was told may hold no longer. */
	public static function forget() {
		self::$known = array();
	}

	/** As [`settings`], remembered for this request. */
	public static function told( $root, $php ) {
		if ( ! isset( self::$known[ $root ] ) ) {
			self::$known[ $root ] = self::settings( $root, $php );
		}
		return self::$known[ $root ];
	}

	/** The settings of the WordPress in a directory, in the shape of `Settings`. */
	public static function settings( $root, $php ) {
		$root  = Pressroom_Home::plain( $root );
		$place = self::locate( $root );
		if ( null === $place ) {
			return array();
		}
		list( $file, $above ) = $place;
		$settings             = array(
			'file'   => $file,
			'above'  => $above,
			'source' => 'evaluated',
		);
		try {
			$config = self::evaluate( $root, $file, $php );
		} catch ( Pressroom_Refused $why ) {
			if ( in_array( $why->reason, array( 'cancelled', 'deadline' ), true ) ) {
				throw $why;
			}
			$settings['source']  = 'read';
			$settings['trouble'] = $why->getMessage();
			return $settings;
		}
		$text    = static function ( $name ) use ( $config ) {
			return array_key_exists( $name, $config ) ? self::text( $config[ $name ] ) : null;
		};
		$defined = static function ( $name ) use ( $config, $text ) {
			if ( ! array_key_exists( $name, $config ) ) {
				return array( 'is' => 'no' );
			}
			$value = $text( $name );
			return null === $value ? array( 'is' => 'unknown' ) : array(
				'is'    => 'as',
				'value' => $value,
			);
		};
		$flag    = static function ( $name ) use ( $config ) {
			return array_key_exists( $name, $config ) ? self::truth( $config[ $name ] ) : false;
		};
		foreach ( array( 'DB_NAME', 'DB_USER', 'DB_PASSWORD', 'DB_HOST' ) as $name ) {
			// A variable that is absent here has no value in this environment.
			$is                              = isset( $config[ $name ] ) ? $config[ $name ] : null;
			$settings[ strtolower( $name ) ] = null === $is || is_bool( $is ) ? null : $text( $name );
		}
		foreach ( array( 'DB_CHARSET', 'DB_COLLATE', 'DOMAIN_CURRENT_SITE', 'PATH_CURRENT_SITE', 'SITE_ID_CURRENT_SITE', 'BLOG_ID_CURRENT_SITE', 'CUSTOM_USER_TABLE', 'CUSTOM_USER_META_TABLE', 'WP_HOME', 'WP_SITEURL' ) as $name ) {
			$settings[ strtolower( $name ) ] = $defined( $name );
		}
		$settings['table_prefix']      = self::text( $config['$table_prefix'] );
		$settings['debug']             = $flag( 'WP_DEBUG' );
		$settings['subdomain_install'] = $flag( 'SUBDOMAIN_INSTALL' );
		$settings['multisite']         = self::multisite( $config );
		$settings['directories']       = self::directories( $root, $config );
		return $settings;
	}

	/** Every constant, in the shape of `Listing`. */
	public static function listing( $root, $php ) {
		$root  = Pressroom_Home::plain( $root );
		$place = self::locate( $root );
		if ( null === $place ) {
			throw Pressroom_Refused::missing( Pressroom_Home::below( $root, 'wp-config.php' ) );
		}
		$config    = self::evaluate( $root, $place[0], $php );
		$constants = array();
		foreach ( $config as $name => $value ) {
			if ( '$' === $name[0] ) {
				continue;
			}
			$constants[] = array(
				'name'   => $name,
				'value'  => $value instanceof Pressroom_Unknown ? null : $value,
				'secret' => (bool) preg_match( '/PASS|KEY|SALT|SECRET|TOKEN|CREDENTIAL|PWD/i', $name ),
			);
		}
		return array(
			'file'         => $place[0],
			'source'       => 'evaluated',
			'constants'    => $constants,
			'table_prefix' => self::text( $config['$table_prefix'] ),
			'may_be_more'  => false,
			'trouble'      => null,
		);
	}

	/** The file and whether it lies one level above, as `wp-load.php` finds it. */
	public static function locate( $root ) {
		Pressroom_Home::resolve( $root );
		$own = Pressroom_Home::below( $root, 'wp-config.php' );
		if ( null !== Pressroom_Home::read_start( $own, 1 ) ) {
			return array( $own, false );
		}
		if ( '' === $root ) {
			return null;
		}
		$parent = false === strrpos( $root, '/' ) ? '' : substr( $root, 0, strrpos( $root, '/' ) );
		$above  = Pressroom_Home::below( $parent, 'wp-config.php' );
		$other  = Pressroom_Home::reach( Pressroom_Home::below( $parent, 'wp-settings.php' ) );
		if ( ( null === $other || ! file_exists( $other ) ) && null !== Pressroom_Home::read_start( $above, 1 ) ) {
			return array( $above, true );
		}
		return null;
	}

	/** What two runs for different hosts agree on: constants, and `$table_prefix` by that name. */
	private static function evaluate( $root, $file, $php ) {
		if ( null === $php ) {
			throw new Pressroom_Refused( 'no_php', 'which PHP runs the configuration is not known' );
		}
		$first  = self::run( $root, $file, $php, 'localhost' );
		$second = self::run( $root, $file, $php, 'pressroom.invalid' );
		$all    = array();
		foreach ( array( $first, $second ) as $one ) {
			foreach ( $one->constants as $name => $told ) {
				$all[ (string) hex2bin( $name ) ] = array( $name, $told );
			}
		}
		ksort( $all, SORT_STRING );
		$config = array();
		foreach ( $all as $name => list( $hex, $told ) ) {
			$same            = isset( $first->constants->$hex, $second->constants->$hex ) && $first->constants->$hex == $second->constants->$hex; // By value.
			$config[ $name ] = $same ? self::value( $told ) : new Pressroom_Unknown();
		}
		$prefix                  = $first->table_prefix == $second->table_prefix ? $first->table_prefix : 'unknown'; // By value.
		$config['$table_prefix'] = null === $prefix ? new Pressroom_Unknown() : self::value( $prefix );
		return $config;
	}

	private static function run( $root, $file, $php, $host ) {
		$nonce = bin2hex( random_bytes( 16 ) );
		$home  = rtrim( Pressroom_Home::real(), '/' );
		$dir   = '' === $root ? "$home/" : "$home/$root/";
		$input = array(
			'nonce'   => $nonce,
			'config'  => bin2hex( "$home/$file" ),
			'abspath' => bin2hex( $dir ),
			'host'    => $host,
		);
		$child = Pressroom_Child::php( $php, 256, Pressroom_Agent::$programs['evaluate'], Pressroom_Agent::json( $input ), $dir );
		$heard = new Pressroom_Frames( $nonce );
		$child->follow( array( $heard, 'feed' ), array( 'Pressroom_Agent', 'check' ), self::LIMIT );
		if ( $child->overdue ) {
			throw new Pressroom_Refused( 'php', 'the configuration did not end within ' . self::LIMIT . ' seconds' );
		}
		if ( null === $heard->answer ) {
			throw new Pressroom_Refused( 'php', 'run by PHP, the configuration does not load WordPress' );
		}
		return $heard->answer;
	}

	private static function value( $told ) {
		if ( isset( $told->text ) ) {
			return hex2bin( $told->text );
		}
		if ( isset( $told->int ) ) {
			return $told->int;
		}
		if ( isset( $told->bool ) ) {
			return $told->bool;
		}
		return 'null' === $told ? null : new Pressroom_Unknown();
	}

	/** A value as PHP makes it text; null where it cannot be told. */
	private static function text( $value ) {
		$told = ! $value instanceof Pressroom_Unknown && preg_match( '//u', (string) $value );
		return $told ? (string) $value : null;
	}

	private static function truth( $value ) {
		return $value instanceof Pressroom_Unknown ? null : (bool) $value;
	}

	private static function multisite( $config ) {
		if ( array_key_exists( 'MULTISITE', $config ) ) {
			return self::truth( $config['MULTISITE'] );
		}
		$is = false;
		foreach ( array( 'SUBDOMAIN_INSTALL', 'VHOST', 'SUNRISE' ) as $name ) {
			if ( array_key_exists( $name, $config ) ) {
				if ( ! $config[ $name ] instanceof Pressroom_Unknown ) {
					return true;
				}
				$is = null;
			}
		}
		return $is;
	}

	private static function directories( $root, $config ) {
		$moved   = static function ( $name ) use ( $config ) {
			if ( ! array_key_exists( $name, $config ) ) {
				return null;
			}
			$path = $config[ $name ];
			if ( ! is_string( $path ) || '' === $path || '/' !== $path[0] ) {
				return array( 'is' => 'unknown' );
			}
			return self::directory( $path );
		};
		$join    = static function ( $directory, $name ) {
			if ( isset( $directory['path'] ) ) {
				$directory['path'] = ( '' === $directory['path'] ? '' : $directory['path'] . '/' ) . $name;
			}
			return $directory;
		};
		$content = $moved( 'WP_CONTENT_DIR' );
		if ( null === $content ) {
			$content = array(
				'is'   => 'inside',
				'path' => Pressroom_Home::below( $root, 'wp-content' ),
			);
		}
		$all     = array(
			'content'  => $content,
			'plugins'  => $moved( 'WP_PLUGIN_DIR' ),
			'must_use' => $moved( 'WPMU_PLUGIN_DIR' ),
			'themes'   => $join( $content, 'themes' ),
			'uploads'  => $join( $content, 'uploads' ),
		);
		if ( null === $all['plugins'] ) {
			$all['plugins'] = $join( $content, 'plugins' );
		}
		if ( null === $all['must_use'] ) {
			$all['must_use'] = $join( $content, 'mu-plugins' );
		}
		if ( array_key_exists( 'UPLOADS', $config ) ) {
			$path           = $config['UPLOADS'];
			$all['uploads'] = is_string( $path )
				? self::directory( Pressroom_Home::path() . '/' . ( '' === $root ? '' : "$root/" ) . $path )
				: array( 'is' => 'unknown' );
		}
		return $all;
	}

	private static function directory( $path ) {
		$inside = Pressroom_Home::inside( $path );
		return array(
			'is'   => null === $inside ? 'outside' : 'inside',
			'path' => null === $inside ? $path : $inside,
		);
	}
}

/** A value that cannot be told. */
final class Pressroom_Unknown {}
