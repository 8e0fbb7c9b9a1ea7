<?php
/**
 * A site's caches, flushed without starting WordPress; see `caches`. Pages that are kept as
 * files go; what needs a server to be talked to is told as unknown.
 */
final class Pressroom_Caches {
	/** Directories below the content that hold rendered pages and nothing else, and whose they are. */
	const DIRECTORIES = array(
		'cache/pressroom'         => 'Pressroom',
		'cache/supercache'        => 'WP Super Cache',
		'cache/page_enhanced'     => 'W3 Total Cache',
		'cache/object'            => 'W3 Total Cache, objects as files',
		'cache/db'                => 'W3 Total Cache, queries as files',
		'cache/wp-rocket'         => 'WP Rocket',
		'cache/all'               => 'WP Fastest Cache',
		'cache/wpfc-mobile-cache' => 'WP Fastest Cache, mobile',
		'cache/cache-enabler'     => 'Cache Enabler',
		'cache/comet-cache'       => 'Comet Cache',
		'cache/hyper-cache'       => 'Hyper Cache',
		'cache/breeze'            => 'Breeze',
		'cache/wpo-cache'         => 'WP-Optimize',
		'cache/swift-performance' => 'Swift Performance',
		'cache/powered-cache'     => 'Powered Cache',
		'cache/cachify'           => 'Cachify',
		'cache/sgo-cache'         => 'SiteGround Optimizer',
		'cache/flying-press'      => 'FlyingPress',
		'cache/surge'             => 'Surge',
		'wphb-cache/cache'        => 'Hummingbird',
	);
	/** Plugins whose pages are kept where the site's files do not show, by their directory. */
	const ELSEWHERE = array(
		'plugins/litespeed-cache' => 'LiteSpeed Cache',
		'plugins/nginx-helper'    => 'Nginx Helper',
	);
	const MAX_DROP_IN = 1048576;

	/** In the shape of `FlushReport`. */
	public static function flush( $epoch, $root, $options ) {
		$root = rtrim( $root, '/' );
		Pressroom_Home::resolve( $root );
		$settings = Pressroom_Config::told( $root, PHP_BINARY );
		$content  = Pressroom_Home::below( $root, 'wp-content' );
		if ( isset( $options->content ) ) {
			$content = rtrim( $options->content, '/' );
		} elseif ( isset( $settings['directories']['content']['path'] ) ) {
			$content = $settings['directories']['content']['path'];
		}
		$listens = isset( $options->fpm_socket ) ? $options->fpm_socket : null;
		$opcache = null === $listens ? "where the site's PHP listens is not known" : "PHP alone does not talk to the pool at `$listens`";
		$caches  = array(
			self::told( 'opcache', 'OPcache', self::unknown( $opcache ) ),
			self::objects( $content ),
		);
		Pressroom_Home::check( $epoch );
		if ( null === Pressroom_Home::reach( $content ) ) {
			$caches[] = self::told( 'pages', $content, self::unknown( "it is outside of the site's home, or behind a symbolic link" ) );
		} else {
			$caches = array_merge( $caches, self::pages( $epoch, $content ) );
		}
		return array( 'caches' => $caches );
	}

	/** The object cache, which is a server's or in the memory of the site's PHP. */
	private static function objects( $content ) {
		$file = Pressroom_Home::below( $content, 'object-cache.php' );
		if ( null === Pressroom_Home::reach( $file ) ) {
			return self::told( 'object', 'object cache', self::unknown( "`$file` is, or is behind, a symbolic link" ) );
		}
		$text = Pressroom_Home::read_start( $file, self::MAX_DROP_IN );
		if ( null === $text ) {
			return self::told( 'object', 'object cache', array( 'outcome' => 'not_present' ) );
		}
		$name = Pressroom_Headers::read( $text, array( 'Plugin Name' ) )['Plugin Name'];
		$name = '' === $name ? 'object cache' : $name;
		return self::told( 'object', $name, self::unknown( 'PHP alone does not talk to what the drop-in keeps its entries in' ) );
	}

	/** Empties what is there; one entry for each that is. */
	private static function pages( $epoch, $content ) {
		$told = array();
		foreach ( self::DIRECTORIES as $directory => $whose ) {
			Pressroom_Agent::check();
			$relative = Pressroom_Home::below( $content, $directory );
			$path     = Pressroom_Home::reach( $relative );
			$closed   = self::closed( $relative );
			if ( null !== $closed ) {
				// Whatever is there; told once.
				$told[ $closed ] = self::told( 'pages', $closed, self::unknown( "it is another user's, it was not looked into" ) );
				continue;
			}
			if ( null === $path ) {
				// What a link points to is not looked at; a file on the way holds none.
				if ( ! self::passes_link( $relative ) ) {
					continue;
				}
				$outcome = self::unknown( 'a symbolic link is on its way, it was not emptied' );
			} elseif ( ! Pressroom_Disk::exists( $path ) ) {
				continue;
			} else {
				$outcome = is_dir( $path ) ? self::emptied( $epoch, $path, 'Pressroom' === $whose ) : self::unknown( 'it is not a directory' );
			}
			$told[ $relative ] = self::told( 'pages', "$whose ($relative)", $outcome );
		}
		foreach ( self::ELSEWHERE as $directory => $whose ) {
			if ( Pressroom_Look::is_dir( Pressroom_Home::below( $content, $directory ) ) ) {
				$told[ $directory ] = self::told( 'pages', $whose, self::unknown( 'if it is active, the web server keeps the pages' ) );
			}
		}
		return array_values( $told );
	}

	/** Puts an empty directory of the same mode in the place of a full one. */
	public static function emptied( $epoch, $path, $is_ours ) {
		$aside = Pressroom_Home::state( 'staging' ) . '/' . Pressroom_Package::handle( $epoch ) . '-pages';
		if ( ! @mkdir( $aside, 0700 ) || ! @chmod( $aside, fileperms( $path ) & 07777 ) ) {
			throw Pressroom_Refused::io( 'create', $aside );
		}
		$exchange = static function () use ( $path, $aside ) {
			Pressroom_Disk::exchange( $path, $aside );
		};
		try {
			if ( $is_ours ) {
				// What is being made in another process must not count as new.
				$file = Pressroom_Disk::create( "$aside/purged-all", 0600 );
				Pressroom_Disk::write( $file, sprintf( '%.6F', microtime( true ) ), $aside );
				fclose( $file );
			}
			Pressroom_Home::critical( $epoch, $exchange );
		} catch ( Pressroom_Refused $why ) {
			Pressroom_Disk::give_up( $aside );
			if ( 'io' !== $why->reason ) {
				throw $why;
			}
			return self::unknown( 'it could not be moved aside: ' . $why->getMessage() );
		}
		$files = self::count( $aside );
		try {
			Pressroom_Disk::remove_tree( $aside );
		} catch ( Pressroom_Refused $why ) {
			// Directories in it are another user's. They are not to be left where nobody looks.
			Pressroom_Home::critical( $epoch, $exchange );
			Pressroom_Disk::remove_tree( $aside );
			return self::unknown( 'it could not be moved aside: ' . $why->getMessage() );
		}
		return array(
			'outcome'  => 'flushed',
			'entries'  => $files,
			'verified' => 'an empty directory is in its place',
		);
	}

	/** Files below a directory that is ours alone now. */
	private static function count( $path ) {
		$files = 0;
		foreach ( array_diff( (array) @scandir( $path, SCANDIR_SORT_NONE ), array( '.', '..' ) ) as $name ) {
			$files += is_dir( "$path/$name" ) && ! is_link( "$path/$name" ) ? self::count( "$path/$name" ) : 1;
		}
		return $files;
	}

	/** The directory on the way to a path that may not be looked into; null when there is none. */
	private static function closed( $relative ) {
		while ( false !== ( $at = strrpos( $relative, '/' ) ) ) {
			$relative = substr( $relative, 0, $at );
			$path     = Pressroom_Home::reach( $relative );
			if ( null !== $path && is_dir( $path ) ) {
				return is_executable( $path ) ? null : $relative;
			}
		}
		return null;
	}

	/** Whether a part of a path that was refused is a link. */
	private static function passes_link( $relative ) {
		$path = Pressroom_Home::path();
		foreach ( explode( '/', $relative ) as $part ) {
			$path .= "/$part";
			if ( is_link( $path ) ) {
				return true;
			}
		}
		return false;
	}

	private static function told( $cache, $name, $outcome ) {
		return array(
			'cache'   => $cache,
			'name'    => $name,
			'outcome' => $outcome,
		);
	}

	private static function unknown( $reason ) {
		return array(
			'outcome' => 'unknown',
			'reason'  => $reason,
		);
	}
}
