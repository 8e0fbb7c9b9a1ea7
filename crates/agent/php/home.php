<?php
/** The site's home, which no path may leave, and its fence; see `home.rs` and `fence.rs`. */
final class Pressroom_Home {
	const STATE    = '.pressroom';
	const PATIENCE = 20;

	private static $path;

	public static function open( $path ) {
		if ( '/' !== substr( $path, 0, 1 ) || is_link( $path ) ) {
			throw Pressroom_Refused::path( $path );
		}
		if ( ! is_dir( $path ) ) {
			throw Pressroom_Refused::missing( $path );
		}
		self::$path = $path;
	}

	public static function path() {
		return self::$path;
	}

	/** The path as `__DIR__` tells it. */
	public static function real() {
		$real = realpath( self::$path );
		return false === $real ? self::$path : $real;
	}

	public static function user() {
		if ( function_exists( 'posix_geteuid' ) ) {
			return posix_geteuid();
		}
		$status = (string) @file_get_contents( '/proc/self/status' );
		return preg_match( '/^Uid:\s+\d+\s+(\d+)/m', $status, $found ) ? (int) $found[1] : 0;
	}

	/** A directory without the forms that mean the home itself. */
	public static function plain( $root ) {
		$root = rtrim( $root, '/' );
		return '.' === $root ? '' : $root;
	}

	public static function below( $root, $path ) {
		$root = self::plain( $root );
		return '' === $root ? $path : "$root/$path";
	}

	/** The absolute path of something inside, which need not exist; passes no link. */
	public static function resolve( $relative ) {
		$trimmed = '/' === substr( $relative, -1 ) ? substr( $relative, 0, -1 ) : $relative;
		if ( '/' === substr( $relative, 0, 1 ) || false !== strpos( $relative, "\0" ) || strlen( $relative ) > 4096 ) {
			throw Pressroom_Refused::path( $relative );
		}
		$path = self::$path;
		if ( '' === $trimmed || '.' === $trimmed ) {
			return $path;
		}
		clearstatcache();
		foreach ( explode( '/', $trimmed ) as $depth => $part ) {
			if ( in_array( $part, array( '', '.', '..' ), true ) || ( 0 === $depth && self::STATE === $part ) ) {
				throw Pressroom_Refused::path( $relative );
			}
			$above = $path;
			$path .= "/$part";
			if ( is_link( $path ) || ( file_exists( $above ) && ! is_dir( $above ) ) ) {
				throw Pressroom_Refused::path( $relative );
			}
		}
		return $path;
	}

	/** As [`resolve`], null instead of a refusal. */
	public static function reach( $relative ) {
		try {
			return self::resolve( $relative );
		} catch ( Pressroom_Refused $why ) {
			return null;
		}
	}

	/** The first bytes of a regular file; null when there is no such file that can be read. */
	public static function read_start( $relative, $limit ) {
		$path = self::reach( $relative );
		if ( null === $path || ! is_file( $path ) ) {
			return null;
		}
		$bytes = @file_get_contents( $path, false, null, 0, $limit );
		return false === $bytes ? null : $bytes;
	}

	/** A path as a site names it, relative to the home; null when it lies elsewhere. */
	public static function inside( $absolute ) {
		if ( '/' !== substr( $absolute, 0, 1 ) ) {
			return null;
		}
		$parts = array();
		foreach ( explode( '/', $absolute ) as $part ) {
			if ( '..' === $part ) {
				array_pop( $parts );
			} elseif ( '' !== $part && '.' !== $part ) {
				$parts[] = $part;
			}
		}
		$path = '/' . implode( '/', $parts );
		foreach ( array( self::$path, self::real() ) as $base ) {
			if ( $path === $base ) {
				return '';
			}
			if ( 0 === strpos( $path, rtrim( $base, '/' ) . '/' ) ) {
				return substr( $path, strlen( rtrim( $base, '/' ) ) + 1 );
			}
		}
		return null;
	}

	/** A directory of ours in the home, made on demand. */
	public static function state( $name = '' ) {
		$path = self::$path . '/' . self::STATE;
		self::make_private( $path );
		if ( '' !== $name ) {
			$path .= "/$name";
			self::make_private( $path );
		}
		return $path;
	}

	public static function make_private( $path ) {
		clearstatcache();
		if ( is_link( $path ) || ( file_exists( $path ) && ! is_dir( $path ) ) ) {
			throw Pressroom_Refused::path( $path );
		}
		if ( ! is_dir( $path ) && ! @mkdir( $path, 0700 ) && ! is_dir( $path ) ) {
			throw Pressroom_Refused::io( 'create', $path );
		}
	}

	/** The highest epoch seen; 0 for a site without a lock. */
	public static function seen() {
		$path = self::lock_path();
		if ( is_link( $path ) ) {
			throw Pressroom_Refused::path( $path );
		}
		$text = is_file( $path ) ? @file_get_contents( $path, false, null, 0, 32 ) : '0';
		return (int) trim( (string) $text );
	}

	public static function lock_path() {
		return self::$path . '/' . self::STATE . '/lock';
	}

	/** Refuses a stale epoch early. */
	public static function check( $epoch ) {
		$seen = self::seen();
		if ( $seen > $epoch ) {
			throw self::fenced( $epoch, $seen );
		}
	}

	/** Runs a tiny act under the lock, the epoch checked inside. */
	public static function critical( $epoch, $act, $create = false ) {
		$path = self::lock_path();
		for ( $until = microtime( true ) + self::PATIENCE; ; ) {
			clearstatcache();
			if ( is_link( $path ) || ( ! $create && ! is_file( $path ) ) ) {
				throw Pressroom_Refused::missing( self::STATE . '/lock' );
			}
			$old  = umask( 0077 );
			$lock = @fopen( $path, $create ? 'c+' : 'r+' );
			umask( $old );
			if ( ! $lock ) {
				throw Pressroom_Refused::io( 'open', $path );
			}
			while ( ! flock( $lock, LOCK_EX | LOCK_NB ) ) {
				Pressroom_Agent::check();
				if ( microtime( true ) > $until ) {
					throw new Pressroom_Refused( 'locked', 'another session is writing to this site' );
				}
				usleep( 5000 );
			}
			clearstatcache();
			$named = @stat( $path );
			$ours  = fstat( $lock );
			if ( $named && $named['ino'] === $ours['ino'] && $named['dev'] === $ours['dev'] ) {
				break;
			}
			fclose( $lock );
		}
		try {
			$seen = (int) trim( (string) stream_get_contents( $lock, 32 ) );
			if ( $seen > $epoch ) {
				throw self::fenced( $epoch, $seen );
			}
			if ( $seen < $epoch ) {
				rewind( $lock );
				if ( 21 !== @fwrite( $lock, sprintf( "%020d\n", $epoch ) ) || ! fflush( $lock ) ) {
					throw Pressroom_Refused::io( 'write', $path );
				}
				// Older ones leave it to the system.
				if ( function_exists( 'fdatasync' ) && ! fdatasync( $lock ) ) {
					throw Pressroom_Refused::io( 'write', $path );
				}
			}
			return $act();
		} finally {
			fclose( $lock );
		}
	}

	/** Writes a file beside its place and puts it there in one step, under the lock. */
	public static function place( $epoch, $path, $text, $mode ) {
		$aside = self::write_aside( $epoch, $text, $mode );
		try {
			self::critical(
				$epoch,
				static function () use ( $aside, $path ) {
					self::put( $aside, $path );
				}
			);
		} finally {
			if ( is_file( $aside ) ) {
				@unlink( $aside );
			}
		}
	}

	/** Writes a file to be put in place later; recovery sweeps it. */
	public static function write_aside( $epoch, $text, $mode, $modified = null ) {
		$aside = self::state( 'staging' ) . '/' . $epoch . '-' . bin2hex( random_bytes( 8 ) ) . '.aside';
		$done  = strlen( $text ) === @file_put_contents( $aside, $text ) && @chmod( $aside, $mode );
		if ( $done && ( null === $modified || @touch( $aside, $modified ) ) ) {
			return $aside;
		}
		$why = Pressroom_Refused::io( 'write', $aside );
		@unlink( $aside );
		throw $why;
	}

	/** Puts a file in place in one step; gives it up on failure. Call it inside the fence. */
	public static function put( $aside, $path ) {
		if ( ! @rename( $aside, $path ) ) {
			$why = Pressroom_Refused::io( 'put in place', $path );
			@unlink( $aside );
			throw $why;
		}
	}

	private static function fenced( $ours, $seen ) {
		return new Pressroom_Refused( 'fenced', "refused: epoch $ours is older than $seen, another worker took over" );
	}
}
