<?php
/** Maintenance mode as a lease: whatever dies, the site leaves it by itself; see `maintenance.rs`. */
final class Pressroom_Maintenance {
	/** How long WordPress honours the file, and the longest lease. */
	const HONOURED = 600;
	const MARK     = "<?php\n// Pressroom lease";
	const MAX_FILE = 65536;
	/** Who asked for a lease, as its file says it. */
	const CALLER      = '';
	const CORE_UPDATE = ', core update';

	/** In the shape of `Maintenance`. */
	public static function status( $root ) {
		return self::look( $root )[0];
	}

	/** Enters, prolongs (`$renew`) or, with no lease, leaves. */
	public static function maintain( $epoch, $root, $lease, $renew ) {
		return Pressroom_Home::critical(
			$epoch,
			static function () use ( $epoch, $root, $lease, $renew ) {
				if ( null === $lease ) {
					return self::remove( $root );
				}
				list( $found, $holder ) = self::look( $root );
				if ( $renew && 'leased' !== $found['state'] ) {
					throw Pressroom_Refused::missing( Pressroom_Home::below( $root, '.maintenance' ) );
				}
				return self::place( $epoch, $root, $lease, $renew ? $holder : self::CALLER );
			}
		);
	}

	/** Writes our file unless somebody else's is in force. Call it inside the fence. */
	public static function place( $epoch, $root, $lease, $holder ) {
		$path  = self::path( $root );
		$found = self::status( $root );
		if ( 'foreign' === $found['state'] ) {
			return $found;
		}
		if ( 'lapsed' === $found['state'] && $found['foreign'] ) {
			Pressroom_Home::state( 'kept' );
			if ( ! @rename( $path, self::kept( $root ) ) ) {
				throw Pressroom_Refused::io( 'keep', $path );
			}
		}
		$upgrading = time() + min( self::HONOURED, $lease ) - self::HONOURED;
		$text      = self::MARK . "$holder: it lapses by itself.\n\$upgrading = $upgrading;\n\$upgrading = (int) @filemtime( __FILE__ );\n";
		Pressroom_Home::put( Pressroom_Home::write_aside( $epoch, $text, 0644, $upgrading ), $path );
		return self::status( $root );
	}

	/** Takes our file away, in force or lapsed, and brings a lapsed one of somebody else back. Call it inside the fence. */
	private static function remove( $root ) {
		$path  = self::path( $root );
		$found = self::status( $root );
		if ( 'leased' === $found['state'] || ( 'lapsed' === $found['state'] && ! $found['foreign'] ) ) {
			Pressroom_Disk::remove_file( $path );
		}
		$kept = self::kept( $root );
		if ( Pressroom_Disk::exists( $kept ) && ! Pressroom_Disk::exists( $path ) ) {
			Pressroom_Disk::move_to( $kept, $path );
		}
		return self::status( $root );
	}

	/** Takes our file away if a core update put it there. Call it inside the fence. */
	public static function remove_of_update( $root ) {
		list( $found, $holder ) = self::look( $root );
		return self::CORE_UPDATE === $holder ? self::remove( $root ) : $found;
	}

	/** What is there, and who asked for it if it is ours. */
	public static function look( $root ) {
		$path = self::path( $root );
		$text = Pressroom_Home::read_start( Pressroom_Home::below( $root, '.maintenance' ), self::MAX_FILE );
		if ( null === $text ) {
			return array( array( 'state' => 'off' ), self::CALLER );
		}
		clearstatcache();
		if ( 0 === strpos( $text, self::MARK ) ) {
			$of_update = 0 === strpos( $text, self::MARK . self::CORE_UPDATE );
			$left      = filemtime( $path ) + self::HONOURED - time();
			$ours      = $left > 0
				? array(
					'state'        => 'leased',
					'seconds_left' => $left,
				)
				: array(
					'state'   => 'lapsed',
					'foreign' => false,
				);
			return array( $ours, $of_update ? self::CORE_UPDATE : self::CALLER );
		}
		$is_plain = preg_match( '/^\s*<\?php\s+\$upgrading\s*=\s*(\d{1,12})\s*;\s*(?:\?>\s*)?$/D', $text, $said );
		$left     = $is_plain ? $said[1] + self::HONOURED - time() : null;
		$theirs   = null === $left || $left > 0
			? array(
				'state'        => 'foreign',
				'seconds_left' => $left,
			)
			: array(
				'state'   => 'lapsed',
				'foreign' => true,
			);
		return array( $theirs, self::CALLER );
	}

	private static function path( $root ) {
		return Pressroom_Home::resolve( Pressroom_Home::below( $root, '.maintenance' ) );
	}

	/** Where somebody else's lapsed file waits. */
	private static function kept( $root ) {
		$key = substr( hash( 'sha256', rtrim( $root, '/' ) ), 0, 16 );
		return Pressroom_Home::path() . '/' . Pressroom_Home::STATE . "/kept/$key.maintenance";
	}
}
