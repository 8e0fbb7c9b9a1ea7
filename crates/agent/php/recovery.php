<?php
/** What a new worker does first: it takes the fence, and looks at what earlier ones left; see `recovery.rs`. */
final class Pressroom_Recovery {
	public static function recover( $epoch ) {
		Pressroom_Home::state();
		Pressroom_Home::critical( $epoch, static function () {}, true );
		foreach ( array( 'tmp', 'logs', 'sessions' ) as $name ) {
			Pressroom_Home::make_private( Pressroom_Home::path() . "/$name" );
		}
		// Inside the fence, where nobody is in the middle of writing one.
		$entries = Pressroom_Home::critical( $epoch, array( 'Pressroom_Journal', 'entries' ) );
		$kept    = array();
		$swaps   = array();
		$core    = array();
		$stuck   = array();
		foreach ( $entries as $at => $entry ) {
			if ( 'rehearsal' === $entry['act'] ) {
				// Nobody else is kept from working by it.
				$stuck[] = 'a rehearsal that the agent made is still there, and can be removed only where it runs';
				unset( $entries[ $at ] );
				continue;
			}
			if ( 'swap' !== $entry['act'] && 'core_swap' !== $entry['act'] ) {
				throw new Pressroom_Refused( 'occupied', 'an exchange of files that the agent began is not settled, and can be only where it runs' );
			}
		}
		foreach ( $entries as $entry ) {
			$swap   = $entry['swap'];
			$kept[] = $swap['staged'];
			if ( 'core_swap' === $entry['act'] ) {
				$core[] = Pressroom_Core::recovered( $epoch, $swap );
				continue;
			}
			$swaps[] = array(
				'swap' => $swap,
				'live' => Pressroom_Component::look( $epoch, $swap ),
			);
		}
		$swept          = self::sweep( $epoch, $kept );
		$swept['stuck'] = array_merge( $stuck, $swept['stuck'] );
		return array(
			'swaps'      => $swaps,
			'core_swaps' => $core,
		) + $swept + array(
			'exchanges'       => array(),
			'unfinished_core' => false,
		);
	}

	/** Removes what workers of lower epochs left in the staging directory and no entry names. */
	private static function sweep( $epoch, $kept ) {
		$staging = Pressroom_Home::state( 'staging' );
		$names   = @scandir( $staging );
		if ( false === $names ) {
			throw Pressroom_Refused::io( 'list', $staging );
		}
		$dropped = 0;
		$stuck   = array();
		foreach ( array_diff( $names, array( '.', '..' ), $kept ) as $name ) {
			Pressroom_Agent::check();
			$owner = explode( '-', $name )[0];
			if ( ! preg_match( '//u', $name ) || ( preg_match( '/^\d+$/D', $owner ) && (int) $owner >= $epoch ) ) {
				continue;
			}
			try {
				Pressroom_Disk::remove_tree( "$staging/$name" );
			} catch ( Pressroom_Refused $why ) {
				// Something in it is another user's. Were that a failure, nobody could work
				// in the home any more.
				$stuck[] = $why->getMessage();
				continue;
			}
			// What is half-received or put by is no staged tree.
			$dropped += Pressroom_Package::is_handle( $name ) ? 1 : 0;
		}
		return array(
			'dropped_stages' => $dropped,
			'stuck'          => $stuck,
		);
	}
}
