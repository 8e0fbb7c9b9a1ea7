<?php
/** What a site has of caches, from its files, and the pages that ours holds; see `drop_in.rs`, `stored.rs` and `purge.rs`. */
final class Pressroom_Drop_Ins {
	const MARK_WITHIN = 4096;
	const MAX_LINE    = 65536;
	/** Where our pages are, below the content. */
	const PAGES = 'cache/pressroom';
	/** Well-known drop-ins that have no header, by their words. */
	const KNOWN = array(
		'wp-super-cache' => 'WP Super Cache',
		'wpcachehome'    => 'WP Super Cache',
		'wp super cache' => 'WP Super Cache',
		'w3-total-cache' => 'W3 Total Cache',
		'w3tc'           => 'W3 Total Cache',
		'wp-rocket'      => 'WP Rocket',
		'wp_rocket'      => 'WP Rocket',
		'litespeed'      => 'LiteSpeed Cache',
		'cache-enabler'  => 'Cache Enabler',
		'cache_enabler'  => 'Cache Enabler',
		'wp-optimize'    => 'WP-Optimize',
		'hummingbird'    => 'Hummingbird',
		'breeze'         => 'Breeze',
		'batcache'       => 'Batcache',
		'surge'          => 'Surge',
	);

	/** In the shape of `CacheStatus`. */
	public static function status( $root, $php ) {
		$content   = self::content( $root );
		$listing   = Pressroom_Config::listing( $root, $php );
		$constants = array_column( $listing['constants'], 'value', 'name' );
		$text      = static function ( $name ) use ( $constants ) {
			return isset( $constants[ $name ] ) && is_string( $constants[ $name ] ) ? $constants[ $name ] : null;
		};
		$is_there  = array_key_exists( 'WP_CACHE', $constants );
		$tables    = $listing['table_prefix'];
		$site      = null === $tables || null === $text( 'DB_NAME' ) ? null : hash( 'sha256', $text( 'DB_NAME' ) . "\n$tables" );
		list( $page )             = self::found( $content, 'advanced-cache.php', 'page' );
		list( $object, $backend ) = self::found( $content, 'object-cache.php', 'object' );
		return array(
			'content'          => $content,
			'page'             => $page,
			'object'           => $object,
			'object_backend'   => 'foreign' === $object['is'] ? $backend : null,
			'wp_cache'         => $is_there && ! isset( $constants['WP_CACHE'] ) ? null : $is_there && $constants['WP_CACHE'],
			'wp_cache_defined' => $is_there,
			'wp_cache_before'  => $text( 'PRESSROOM_WP_CACHE_BEFORE' ),
			'redis_address'    => $text( 'PRESSROOM_REDIS_ADDRESS' ),
			'redis_is_bound'   => null !== $site && $text( 'PRESSROOM_REDIS_SITE' ) === $site,
			'pages'            => self::measure( self::directory( $content ) ),
			// The pool is not talked to.
			'opcache'          => null,
		);
	}

	/** Purges all pages, or that at one address; answers how many there were. */
	public static function purge( $epoch, $root, $url ) {
		$content   = self::content( $root );
		$directory = self::directory( $content );
		if ( null === $directory ) {
			return 0;
		}
		$stored = self::measure( $directory );
		if ( $stored['unseen'] ) {
			throw self::unseen( $directory );
		}
		if ( null === $url ) {
			$outcome = Pressroom_Caches::emptied( $epoch, $directory, true );
			if ( 'flushed' !== $outcome['outcome'] ) {
				throw new Pressroom_Refused( 'io', "exchange `$directory` failed: {$outcome['reason']}" );
			}
			return $stored['files'];
		}
		$wanted = self::address( $url );
		$purged = 0;
		foreach ( self::pages( $directory )[0] as $page ) {
			if ( is_link( $page ) || ! is_file( $page ) ) {
				continue;
			}
			$file = @fopen( $page, 'rb' );
			if ( ! $file ) {
				if ( Pressroom_Disk::exists( $page ) ) {
					throw self::unseen( $directory );
				}
				continue;
			}
			$head = json_decode( (string) fgets( $file, self::MAX_LINE ) );
			fclose( $file );
			if ( isset( $head->url ) && self::address( $head->url ) === $wanted ) {
				Pressroom_Home::critical(
					$epoch,
					static function () use ( $page ) {
						Pressroom_Disk::remove_file( $page );
					}
				);
				++$purged;
			}
		}
		return $purged;
	}

	/** Where the content is, which must be in the home. */
	private static function content( $root ) {
		$root = rtrim( $root, '/' );
		Pressroom_Home::resolve( $root );
		$settings = Pressroom_Config::told( $root, PHP_BINARY );
		$told     = isset( $settings['directories'] ) ? $settings['directories']['content'] : array( 'is' => 'unknown' );
		if ( 'outside' === $told['is'] ) {
			throw Pressroom_Refused::path( $told['path'] );
		}
		return 'inside' === $told['is'] ? $told['path'] : Pressroom_Home::below( $root, 'wp-content' );
	}

	/** What is there, in the shape of `FoundDropIn`, and in what it keeps its entries if it is an object cache. */
	private static function found( $content, $name, $which ) {
		$file    = Pressroom_Home::below( $content, $name );
		$path    = Pressroom_Home::reach( $file );
		$foreign = static function ( $name, $backend = 'other' ) {
			$told = array(
				'is'   => 'foreign',
				'name' => $name,
			);
			return array( $told, $backend );
		};
		if ( null === $path ) {
			return $foreign( $name );
		}
		$text = Pressroom_Home::read_start( $file, Pressroom_Caches::MAX_DROP_IN );
		if ( null === $text ) {
			return Pressroom_Disk::exists( $path ) ? $foreign( $name ) : array( array( 'is' => 'absent' ), 'other' );
		}
		if ( false !== strpos( substr( $text, 0, self::MARK_WITHIN ), "\n * Pressroom-Drop-In: $which\n" ) ) {
			$told = array(
				'is'      => 'ours',
				'current' => hash( 'sha256', $text ) === Pressroom_Agent::$programs[ $name ],
			);
			return array( $told, 'redis' );
		}
		$header = Pressroom_Headers::read( $text, array( 'Plugin Name' ) )['Plugin Name'];
		$words  = strtolower( $text );
		$whose  = '' === $header ? $name : $header;
		foreach ( '' === $header ? self::KNOWN : array() as $word => $known ) {
			if ( false !== strpos( $words, $word ) ) {
				$whose = $known;
				break;
			}
		}
		return $foreign( $whose, self::backend( strtolower( $header ), $words ) );
	}

	/** By the name in the header, else by what the code uses. */
	private static function backend( ...$texts ) {
		foreach ( $texts as $text ) {
			$found = array();
			foreach ( array( 'redis' => 'redis', 'memcache' => 'memcached', 'apcu' => 'apcu' ) as $word => $backend ) {
				if ( false !== strpos( $text, $word ) ) {
					$found[] = $backend;
				}
			}
			if ( 1 === count( $found ) ) {
				return $found[0];
			}
		}
		return 'other';
	}

	/** The directory of our pages, where it is one and no link is on the way. */
	private static function directory( $content ) {
		$path = Pressroom_Home::reach( Pressroom_Home::below( $content, self::PAGES ) );
		return null !== $path && is_dir( $path ) ? $path : null;
	}

	/** In the shape of `Stored`. */
	private static function measure( $directory ) {
		list( $pages, $whole ) = null === $directory ? array( array(), true ) : self::pages( $directory );
		$stored                = array(
			'files'  => 0,
			'bytes'  => 0,
			'unseen' => ! $whole,
		);
		foreach ( $pages as $page ) {
			$found = @lstat( $page );
			if ( $found ) {
				++$stored['files'];
				$stored['bytes'] += $found['size'];
			}
		}
		return $stored;
	}

	/** Every page that can be seen, and whether that was all. */
	private static function pages( $directory ) {
		$pages = array();
		$whole = true;
		foreach ( self::names( "$directory/pages", $whole ) as $shard ) {
			Pressroom_Agent::check();
			$path = "$directory/pages/$shard";
			if ( is_link( $path ) || ! is_dir( $path ) ) {
				continue;
			}
			foreach ( self::names( $path, $whole ) as $name ) {
				// A name that begins with its only dot has no extension.
				if ( '.page' === substr( $name, -5 ) && '.page' !== $name ) {
					$pages[] = "$path/$name";
				}
			}
		}
		return array( $pages, $whole );
	}

	private static function names( $path, &$whole ) {
		clearstatcache();
		if ( ! is_dir( $path ) && ! ( file_exists( dirname( $path ) ) && ! is_executable( dirname( $path ) ) ) ) {
			return array();
		}
		$names = @scandir( $path );
		if ( false === $names ) {
			$whole = false;
			return array();
		}
		return array_diff( $names, array( '.', '..' ) );
	}

	private static function unseen( $directory ) {
		return new Pressroom_Refused( 'io', "look into `$directory` failed: pages there are of another user, as whom the web server runs PHP, and stay until that user removes them" );
	}

	/** Host and path of an address, for comparing. */
	private static function address( $url ) {
		$at   = strpos( $url, '://' );
		$rest = false === $at ? $url : substr( $url, $at + 3 );
		$rest = (string) substr( $rest, 0, strcspn( $rest, '?#' ) );
		$host = strcspn( $rest, '/' );
		return strtolower( substr( $rest, 0, $host ) ) . rtrim( self::escaped( (string) substr( $rest, $host ) ), '/' );
	}

	/** A path, written in one way of those that mean the same. */
	private static function escaped( $path ) {
		return preg_replace_callback(
			'/%([0-9a-fA-F]{2})|[^A-Za-z0-9\-._~!$&\'()*+,;=:@\/%]/s',
			static function ( $found ) {
				$byte = isset( $found[1] ) ? hex2bin( $found[1] ) : $found[0];
				// Escaped, the others may mean something else.
				$is_plain = isset( $found[1] ) && preg_match( '/[A-Za-z0-9\-._~]/', $byte );
				return $is_plain ? $byte : sprintf( '%%%02X', ord( $byte ) );
			},
			$path
		);
	}
}
