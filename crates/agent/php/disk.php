<?php
/** The few acts on directories that everything else is made of; see `disk.rs`. */
final class Pressroom_Disk {
	/** Whether anything of that name is there, be it a dangling link. */
	public static function exists( $path ) {
		clearstatcache();
		return false !== @lstat( $path );
	}

	/** Moves to a place where nothing is, which is looked at first: call it inside the fence. */
	public static function move_to( $from, $to ) {
		if ( self::exists( $to ) ) {
			throw new Pressroom_Refused( 'occupied', "`$to` is not empty" );
		}
		$moved = @lstat( $from );
		$above = @stat( dirname( $to ) );
		// PHP would copy from one disk to another.
		if ( $moved && $above && $moved['dev'] !== $above['dev'] ) {
			throw new Pressroom_Refused( 'io', "move `$from` failed: it is on another disk than `$to`" );
		}
		if ( ! @rename( $from, $to ) ) {
			throw Pressroom_Refused::io( 'move', $from );
		}
	}

	/**
	 * Exchanges two existing directories or files: `$live`, which is missed when it is
	 * gone, and `$aside`. PHP cannot do it in one act; stopped half-way, [`close_gap`]
	 * makes it whole, also that of the other agent.
	 */
	public static function exchange( $live, $aside ) {
		$gap = self::gap( $aside );
		// One rename each; only between the first two is nothing live.
		self::move_to( $live, $gap );
		try {
			self::move_to( $aside, $live );
		} catch ( Pressroom_Refused $why ) {
			self::move_to( $gap, $live );
			throw $why;
		}
		self::move_to( $gap, $aside );
	}

	/** Makes an exchange whole that was stopped half-way. Call it inside the fence. */
	public static function close_gap( $live, $aside ) {
		$gap = self::gap( $aside );
		if ( ! self::exists( $gap ) ) {
			return;
		}
		if ( ! self::exists( $live ) ) {
			self::move_to( $gap, $live );
		} elseif ( ! self::exists( $aside ) ) {
			self::move_to( $gap, $aside );
		}
		self::sync_parent( $live );
	}

	/** Where the live thing waits while an exchange goes step by step. */
	private static function gap( $aside ) {
		return dirname( $aside ) . '/.gap-' . basename( $aside );
	}

	/** A new file that is held open; the mode holds whatever umask there is. */
	public static function create( $path, $mode ) {
		$old  = umask( 0777 & ~$mode );
		$file = @fopen( $path, 'x+b' );
		umask( $old );
		if ( ! $file ) {
			throw Pressroom_Refused::io( 'create', $path );
		}
		return $file;
	}

	/** Writes all of it: a disk that fills up takes a part first. */
	public static function write( $file, $bytes, $path ) {
		while ( '' !== $bytes ) {
			$wrote = @fwrite( $file, $bytes );
			if ( ! $wrote ) {
				throw Pressroom_Refused::io( 'write', $path );
			}
			$bytes = (string) substr( $bytes, $wrote );
		}
	}

	/** Writes a record of ours, whole. Call it inside the fence: the file by the side has a fixed name. */
	public static function write_json( $path, $value ) {
		$aside = substr( $path, 0, -strlen( 'json' ) ) . 'new';
		// Left by somebody who was killed in mid-write; nothing refers to it.
		self::remove_file( $aside );
		$file = self::create( $aside, 0600 );
		try {
			self::write( $file, Pressroom_Agent::json( $value ), $aside );
			self::sync( $file, $aside );
			if ( ! @rename( $aside, $path ) ) {
				throw Pressroom_Refused::io( 'write', $path );
			}
		} catch ( Pressroom_Refused $why ) {
			@unlink( $aside );
			throw $why;
		} finally {
			fclose( $file );
		}
		self::sync_parent( $path );
	}

	/** Makes a file durable; PHPs before 8.1 leave it to the system. */
	private static function sync( $file, $path ) {
		if ( function_exists( 'fsync' ) && ! @fsync( $file ) ) {
			throw Pressroom_Refused::io( 'sync', $path );
		}
	}

	/** Makes a rename or removal in the directory of a path durable. */
	public static function sync_parent( $path ) {
		$dir = function_exists( 'fsync' ) ? @fopen( dirname( $path ), 'r' ) : false;
		if ( $dir ) {
			self::sync( $dir, dirname( $path ) );
			fclose( $dir );
		}
	}

	/** Removes a file that may be gone already. */
	public static function remove_file( $path ) {
		if ( ! self::exists( $path ) ) {
			return;
		}
		if ( ! @unlink( $path ) ) {
			throw Pressroom_Refused::io( 'remove', $path );
		}
		self::sync_parent( $path );
	}

	/** Removes a tree, link by link and never through one; it may be gone already. */
	public static function remove_tree( $path ) {
		if ( self::removed( $path ) ) {
			return;
		}
		// A site may have taken its own right to write from itself.
		self::open_up( $path );
		if ( ! self::removed( $path ) ) {
			throw Pressroom_Refused::io( 'remove', $path );
		}
	}

	/** Removes what is left of a failure, which matters more than this one's: recovery sweeps. */
	public static function give_up( $path ) {
		try {
			self::remove_tree( $path );
		} catch ( Pressroom_Refused $why ) {
			return;
		}
	}

	private static function removed( $path ) {
		if ( ! self::exists( $path ) ) {
			return true;
		}
		if ( is_link( $path ) || ! is_dir( $path ) ) {
			return @unlink( $path );
		}
		$names = @scandir( $path, SCANDIR_SORT_NONE );
		$done  = false !== $names;
		foreach ( $done ? array_diff( $names, array( '.', '..' ) ) : array() as $name ) {
			$done = self::removed( "$path/$name" ) && $done;
		}
		return $done && @rmdir( $path );
	}

	/** Gives the owner all rights to the directories of a tree, as far as possible. */
	private static function open_up( $path ) {
		if ( is_link( $path ) || ! is_dir( $path ) ) {
			return;
		}
		@chmod( $path, 0700 );
		foreach ( array_diff( (array) @scandir( $path, SCANDIR_SORT_NONE ), array( '.', '..' ) ) as $name ) {
			self::open_up( "$path/$name" );
		}
	}
}
