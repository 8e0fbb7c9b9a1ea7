<?php
/** What the site itself remembers of unfinished acts, as both agents write it; see `journal.rs`. */
final class Pressroom_Journal {
	const MAX_ENTRY = 1048576;

	/** Writes what is about to be exchanged. Call it inside the fence. */
	public static function write_swap( $epoch, $swap ) {
		$entry = array(
			'act'   => 'swap',
			'epoch' => $epoch,
			'swap'  => $swap,
		);
		Pressroom_Home::state( 'journal' );
		Pressroom_Disk::write_json( self::path( "swap-{$swap['staged']}" ), $entry );
	}

	/** Removes the entry of a swap. */
	public static function settle_swap( $staged ) {
		Pressroom_Disk::remove_file( self::path( "swap-$staged" ) );
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
			$text  = @file_get_contents( "$dir/$name", false, null, 0, self::MAX_ENTRY );
			$entry = false === $text ? null : json_decode( $text, true );
			if ( ! isset( $entry['act'], $entry['epoch'] ) ) {
				throw new Pressroom_Refused( 'bad_input', "journal entry `$dir/$name` cannot be read" );
			}
			$found[] = $entry;
		}
		return $found;
	}

	private static function path( $name ) {
		return Pressroom_Home::path() . '/' . Pressroom_Home::STATE . "/journal/$name.json";
	}
}
