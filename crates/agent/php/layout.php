<?php
/** What a zip would put on disk, decided before a byte is unpacked; see `layout.rs`. */
final class Pressroom_Layout {
	/** The most a package may unpack to. */
	const MAX_BYTES = 2147483648;
	/** How much larger than the zip the contents may be, once they are large at all. */
	const MAX_RATIO = 200;
	/** Below this, the ratio does not matter. */
	const RATIO_FREE_BYTES = 10485760;
	const MAX_PATH         = 1024;
	const MAX_NAME         = 255;

	/** Entries of the zip by path, in byte order; null for a directory, whose path ends in `/`. */
	public $items = array();

	private $zip;
	/** The directories in which there is something. */
	private $filled = array();

	public function __construct( $zip ) {
		$this->zip = $zip;
		$declared  = 0;
		foreach ( $zip->entries as $name => $entry ) {
			$name = (string) $name;
			$path = self::clean( $name );
			if ( null === $path ) {
				continue;
			}
			if ( $entry['encrypted'] ) {
				throw self::about( $name, 'is encrypted' );
			}
			$is_directory = '/' === substr( $name, -1 );
			$path        .= $is_directory ? '/' : '';
			$declared    += $entry['size'];
			if ( ! $is_directory && array_key_exists( $path, $this->items ) ) {
				throw Pressroom_Zip::bad( 'package has ' . self::shown( $name ) . ' twice' );
			}
			$this->items[ $path ] = $is_directory ? null : $entry;
		}
		if ( $declared > self::MAX_BYTES ) {
			throw Pressroom_Zip::bad( "package unpacks to $declared bytes, more than " . self::MAX_BYTES );
		}
		$this->order();
	}

	/** What is directly inside, without slashes at the end. */
	public function top_names() {
		$names = array();
		foreach ( $this->items as $path => $entry ) {
			$names[ strstr( "$path/", '/', true ) ] = true;
		}
		return array_map( 'strval', array_keys( $names ) );
	}

	public function is_empty_directory( $path ) {
		return ! isset( $this->filled[ $path ] );
	}

	/** Strips the one top folder, outside of which there may be nothing. */
	public function strip( $folder ) {
		if ( $this->is_all_below( "$folder/" ) ) {
			$this->go_below( $folder );
			return;
		}
		$found = array_map( array( __CLASS__, 'shown' ), $this->top_names() );
		$alone = 1 === count( $found );
		foreach ( $this->items as $path => $entry ) {
			$alone = $alone && false !== strpos( (string) $path, '/' );
		}
		if ( ! $found ) {
			throw Pressroom_Zip::bad( "package is empty, expected the folder `$folder`" );
		}
		if ( $alone ) {
			throw Pressroom_Zip::bad( "package has the folder {$found[0]}, expected `$folder`" );
		}
		throw Pressroom_Zip::bad( "package has no single top folder, expected `$folder`, found " . implode( ', ', array_slice( $found, 0, 5 ) ) );
	}

	/** Strips a top folder if everything is in it. */
	public function strip_if_all( $folder ) {
		if ( $this->is_all_below( "$folder/" ) ) {
			$this->go_below( $folder );
		}
	}

	/** Only what is below a directory, by its path there. */
	public function go_below( $folder ) {
		$items = array();
		foreach ( $this->items as $path => $entry ) {
			$path = (string) $path;
			if ( 0 === strpos( $path, "$folder/" ) && strlen( $path ) > strlen( $folder ) + 1 ) {
				$items[ substr( $path, strlen( $folder ) + 1 ) ] = $entry;
			}
		}
		$this->items = $items;
		$this->order();
	}

	/** Leaves out entries whose path matches. */
	public function leave_out( $pattern ) {
		foreach ( array_keys( $this->items ) as $path ) {
			if ( preg_match( $pattern, (string) $path ) ) {
				unset( $this->items[ $path ] );
			}
		}
		$this->order();
	}

	public function refuse_files_as_folders() {
		foreach ( $this->items as $path => $entry ) {
			if ( null !== $entry && isset( $this->filled[ "$path/" ] ) ) {
				throw Pressroom_Zip::bad( 'package has ' . self::shown( (string) $path ) . ' both as a file and as a folder' );
			}
		}
	}

	/** Puts it into a directory that must not exist; after a failure it does not either. Answers its tree. */
	public function unpack( $dest ) {
		try {
			return $this->put( $dest );
		} catch ( Throwable $why ) {
			Pressroom_Disk::give_up( $dest );
			throw $why;
		}
	}

	private function put( $dest ) {
		foreach ( $this->items as $path => $entry ) {
			if ( null !== $entry && $entry['link'] ) {
				throw self::about( (string) $path, 'is a symbolic link' );
			}
		}
		$tree   = new Pressroom_Tree();
		$most   = min( self::MAX_BYTES, max( self::RATIO_FREE_BYTES, $this->zip->bytes * self::MAX_RATIO ) );
		$budget = $most;
		$made   = array();
		self::make( $dest );
		foreach ( $this->items as $path => $entry ) {
			$path = (string) $path;
			for ( $at = 0; false !== ( $at = strpos( $path, '/', $at ) ); ++$at ) {
				$above = substr( $path, 0, $at );
				if ( ! isset( $made[ "/$above" ] ) ) {
					self::make( "$dest/$above" );
					$made[ "/$above" ] = true;
				}
			}
			if ( null === $entry ) {
				if ( $this->is_empty_directory( $path ) ) {
					$tree->empty_directory( $path );
				}
				continue;
			}
			$target  = "$dest/$path";
			$file    = Pressroom_Disk::create( $target, 0644 );
			$content = hash_init( 'sha256' );
			$take    = function ( $part ) use ( $file, $target, $content, $most, &$budget ) {
				Pressroom_Agent::check();
				$budget -= strlen( $part );
				if ( $budget < 0 ) {
					throw Pressroom_Zip::bad( "package of {$this->zip->bytes} bytes unpacks to more than $most bytes" );
				}
				hash_update( $content, $part );
				Pressroom_Disk::write( $file, $part, $target );
			};
			$bytes   = $this->zip->copy( $entry, self::shown( $path ), $take );
			fclose( $file );
			$tree->file( $path, $content, $bytes );
		}
		return $tree->finish();
	}

	private static function make( $path ) {
		// Whatever umask we were started with: the web server reads these.
		if ( ! @mkdir( $path, 0755 ) || ! @chmod( $path, 0755 ) ) {
			throw Pressroom_Refused::io( 'create', $path );
		}
	}

	private function is_all_below( $prefix ) {
		foreach ( $this->items as $path => $entry ) {
			if ( 0 !== strpos( (string) $path, $prefix ) ) {
				return false;
			}
		}
		return (bool) $this->items;
	}

	private function order() {
		ksort( $this->items, SORT_STRING );
		$this->filled = array();
		foreach ( $this->items as $path => $entry ) {
			// The directory that it is in, and those around, up to one that is known.
			for ( $above = rtrim( (string) $path, '/' ); false !== ( $at = strrpos( $above, '/' ) ); ) {
				$above = substr( $above, 0, $at );
				if ( isset( $this->filled[ "$above/" ] ) ) {
					break;
				}
				$this->filled[ "$above/" ] = true;
			}
		}
	}

	/**
	 * A path as it may be used below a directory, without a slash at the end; null for
	 * entries that mean nothing (`./`, and the extra files macOS adds).
	 */
	private static function clean( $raw ) {
		if ( false !== strpos( $raw, "\0" ) ) {
			throw self::about( $raw, 'has a NUL byte in its name' );
		}
		if ( false !== strpos( $raw, '\\' ) ) {
			throw self::about( $raw, 'has a backslash in its name' );
		}
		if ( '/' === substr( $raw, 0, 1 ) || ':' === substr( $raw, 1, 1 ) ) {
			throw self::about( $raw, 'has an absolute path' );
		}
		if ( strlen( $raw ) > self::MAX_PATH ) {
			throw self::about( $raw, 'has too long a name' );
		}
		$parts = array();
		foreach ( explode( '/', $raw ) as $part ) {
			if ( '..' === $part ) {
				throw self::about( $raw, 'climbs out of the package' );
			}
			if ( strlen( $part ) > self::MAX_NAME ) {
				throw self::about( $raw, 'has too long a name' );
			}
			if ( '' !== $part && '.' !== $part ) {
				$parts[] = $part;
			}
		}
		return ! $parts || '__MACOSX' === $parts[0] ? null : implode( '/', $parts );
	}

	private static function about( $name, $what ) {
		return Pressroom_Zip::bad( 'package entry ' . self::shown( $name ) . " $what" );
	}

	/** A foreign name for a message: bounded, printable. */
	public static function shown( $name ) {
		return '`' . preg_replace( '/[\x00-\x1f\x7f]/', '?', substr( $name, 0, 120 ) ) . '`';
	}
}
