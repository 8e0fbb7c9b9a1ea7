<?php
/** The hash of a directory tree; what it covers and how it is encoded says `tree.rs`. */
final class Pressroom_Tree {
	const MAX_DEPTH = 200;
	const PART      = 65536;
	/** The kinds that are told and never opened. */
	const SPECIAL = array(
		0010000 => 'p',
		0140000 => 's',
		0060000 => 'b',
	);

	private $all;
	private $files = 0;
	private $bytes = 0;

	public function __construct() {
		$this->all = hash_init( 'sha256' );
		hash_update( $this->all, "pressroom-tree-1\n" );
	}

	/** Hashes a directory; null when there is none. A link in its place is refused. */
	public static function of_directory( $path ) {
		if ( ! Pressroom_Disk::exists( $path ) ) {
			return null;
		}
		if ( is_link( $path ) || ! is_dir( $path ) ) {
			throw new Pressroom_Refused( 'bad_input', "`$path` is not a directory" );
		}
		$tree = new self();
		$tree->walk( $path, $path, '', 0 );
		return $tree->finish();
	}

	/** Hashes one regular file as the tree that holds nothing else; null when there is none. */
	public static function of_file( $path ) {
		if ( ! Pressroom_Disk::exists( $path ) ) {
			return null;
		}
		if ( is_link( $path ) || ! is_file( $path ) ) {
			throw new Pressroom_Refused( 'bad_input', "`$path` is not a regular file" );
		}
		$tree = new self();
		$tree->read( $path, basename( $path ) );
		return $tree->finish();
	}

	/** Stands for what is not there. */
	public static function absent() {
		return array(
			'hash'  => 'absent',
			'files' => 0,
			'bytes' => 0,
		);
	}

	/** Entries come in byte order of their paths. */
	public function file( $path, $content, $bytes ) {
		$this->entry( 'f', $path );
		hash_update( $this->all, hash_final( $content, true ) );
		++$this->files;
		$this->bytes += $bytes;
	}

	/** Its path ends in `/`. */
	public function empty_directory( $path ) {
		$this->entry( 'd', $path );
	}

	/** In the shape of `TreeHash`. */
	public function finish() {
		return array(
			'hash'  => hash_final( $this->all ),
			'files' => $this->files,
			'bytes' => $this->bytes,
		);
	}

	private function entry( $kind, $path ) {
		hash_update( $this->all, $kind . pack( 'N', strlen( $path ) ) . $path );
	}

	private function walk( $base, $dir, $path, $depth ) {
		if ( $depth > self::MAX_DEPTH ) {
			throw new Pressroom_Refused( 'bad_input', "`$base` is nested deeper than " . self::MAX_DEPTH . ' directories' );
		}
		$names = @scandir( $dir, SCANDIR_SORT_NONE );
		if ( false === $names ) {
			throw Pressroom_Refused::io( 'list', $dir );
		}
		$entries = array();
		foreach ( $names as $name ) {
			if ( '.' === $name || '..' === $name ) {
				continue;
			}
			clearstatcache();
			$found = @lstat( "$dir/$name" );
			if ( ! $found ) {
				throw Pressroom_Refused::io( 'look at', "$dir/$name" );
			}
			$kind      = $found['mode'] & 0170000;
			$entries[] = array( 0040000 === $kind ? "$name/" : $name, $kind );
		}
		usort(
			$entries,
			static function ( $one, $other ) {
				return strcmp( $one[0], $other[0] );
			}
		);
		if ( ! $entries && $depth > 0 ) {
			$this->empty_directory( $path );
		}
		foreach ( $entries as list( $name, $kind ) ) {
			Pressroom_Agent::check();
			if ( 0040000 === $kind ) {
				$this->walk( $base, $dir . '/' . substr( $name, 0, -1 ), $path . $name, $depth + 1 );
			} elseif ( 0100000 === $kind ) {
				$this->read( "$dir/$name", $path . $name );
			} elseif ( 0120000 === $kind ) {
				$this->link( "$dir/$name", $path . $name );
			} else {
				$this->entry( isset( self::SPECIAL[ $kind ] ) ? self::SPECIAL[ $kind ] : 'c', $path . $name );
			}
		}
	}

	/** What it leads to is text, and never looked at. */
	private function link( $at, $path ) {
		$target = @readlink( $at );
		if ( false === $target ) {
			throw Pressroom_Refused::io( 'read', $at );
		}
		$this->entry( 'l', $path );
		hash_update( $this->all, hash( 'sha256', $target, true ) );
	}

	private function read( $at, $path ) {
		list( $content, $bytes ) = self::content( $at, 'sha256' );
		$this->file( $path, $content, $bytes );
	}

	/** The running hash of a regular file and its size; a pipe that took its place is not waited for. */
	public static function content( $at, $algorithm ) {
		$file  = @fopen( $at, 'rbn' );
		$found = $file ? fstat( $file ) : false;
		if ( ! $found ) {
			throw Pressroom_Refused::io( 'open', $at );
		}
		$hash  = hash_init( $algorithm );
		$bytes = 0;
		try {
			if ( 0100000 !== ( $found['mode'] & 0170000 ) ) {
				throw new Pressroom_Refused( 'io', "read `$at` failed: it is no regular file any more" );
			}
			while ( ! feof( $file ) ) {
				$part = @fread( $file, self::PART );
				if ( false === $part ) {
					throw Pressroom_Refused::io( 'read', $at );
				}
				hash_update( $hash, $part );
				$bytes += strlen( $part );
				Pressroom_Agent::check();
			}
		} finally {
			fclose( $file );
		}
		return array( $hash, $bytes );
	}
}
