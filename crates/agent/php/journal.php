<?php
/** What the site itself remembers of unfinished acts, as both agents write it; see `journal.rs`. */
final class Pressroom_Journal {
	const MAX_ENTRY = 1048576;

	/** Writes which component is about to be exchanged. Call it inside the fence. */
	public static function write_swap( $epoch, $swap ) {
		self::write( 'swap', $epoch, $swap, "swap-{$swap['staged']}" );
	}

	/** Removes the entry of a component. */
	public static function settle_swap( $staged ) {
		Pressroom_Disk::remove_file( self::path( "swap-$staged" ) );
	}

	/** Writes which core is about to be exchanged. Call it inside the fence. */
	public static function write_core_swap( $epoch, $swap ) {
		self::write( 'core_swap', $epoch, $swap, "update-{$swap['staged']}" );
	}

	/** The swap in the entry of a core; null when there is none. */
	public static function unfinished_core_swap( $staged ) {
		$path = self::path( "update-$staged" );
		return Pressroom_Disk::exists( $path ) ? self::read( $path )['swap'] : null;
	}

	/** Removes the entry of a core. */
	public static function settle_core_swap( $staged ) {
		Pressroom_Disk::remove_file( self::path( "update-$staged" ) );
	}

	/** All entries by name. A file that is no entry of ours stops recovery: guessing past it could lose a tree. */
	public static function entries() {
		$dir   = Pressroom_Home::state( 'journal' );
		$names = @scandir( $dir );
		if ( false === $names ) {
			throw Pressroom_Refused::io( 'list', $dir );
		}
		$found = array();
		foreach ( array_diff( $names, array( '.', '..' ) ) as $name ) {
			if ( '.json' !== substr( $name, -5 ) ) {
				// An entry that was not yet put in place: its act never began.
				Pressroom_Disk::remove_file( "$dir/$name" );
				continue;
			}
			$found[] = self::read( "$dir/$name" );
		}
		return $found;
	}

	private static function write( $act, $epoch, $swap, $name ) {
		$entry = array(
			'act'   => $act,
			'epoch' => $epoch,
			'swap'  => $swap,
		);
		Pressroom_Home::state( 'journal' );
		Pressroom_Disk::write_json( self::path( $name ), $entry );
	}

	private static function read( $path ) {
		$text  = @file_get_contents( $path, false, null, 0, self::MAX_ENTRY );
		$entry = false === $text ? null : json_decode( $text, true );
		$is_ok = isset( $entry['act'], $entry['epoch'] );
		if ( ! $is_ok || ( in_array( $entry['act'], array( 'swap', 'core_swap' ), true ) && ! isset( $entry['swap']['staged'] ) ) ) {
			throw new Pressroom_Refused( 'bad_input', "journal entry `$path` cannot be read" );
		}
		return $entry;
	}

	private static function path( $name ) {
		return Pressroom_Home::path() . '/' . Pressroom_Home::STATE . "/journal/$name.json";
	}
}
