<?php
/** Core update: exchange item by item under leased maintenance, verify, take back; see `core/update.rs`. */
final class Pressroom_Core_Update {
	/** How long the site stays in maintenance at most if its worker dies in an update. */
	const LEASE = 120;

	/** Exchanges the live core with the staged one; what is exchanged already stays. */
	public static function swap( $epoch, $swap ) {
		$aside = self::begin( $epoch, $swap );
		$found = Pressroom_Core::look( $swap );
		$acts  = array();
		foreach ( $swap['items'] as $at => $item ) {
			list( $tree, $side ) = $found[ $at ];
			if ( 'same' === $side || 'after' === $side ) {
				continue;
			}
			if ( 'other' === $side ) {
				throw self::changed( Pressroom_Home::below( $swap['root'], $item['name'] ), $item['before'], $tree );
			}
			$live   = Pressroom_Core::live( $swap, $item );
			$beside = "$aside/{$item['name']}";
			self::expect( $beside, $item['after'] );
			if ( null === $item['before'] ) {
				$acts[] = array( 'move', $beside, $live );
			} else {
				$acts[] = array( null === $item['after'] ? 'move' : 'exchange', $live, $beside );
			}
		}
		$how = self::perform( $epoch, $swap, $acts );
		return self::end( $epoch, $swap, $how, $swap['after'] );
	}

	/** Exchanges back: what is live goes aside as it is, written to or not. */
	public static function take_back( $epoch, $swap ) {
		$aside = self::begin( $epoch, $swap );
		$found = Pressroom_Core::look( $swap );
		$acts  = array();
		foreach ( $swap['items'] as $at => $item ) {
			list( $tree, $side ) = $found[ $at ];
			if ( 'same' === $side || 'before' === $side ) {
				continue;
			}
			$live   = Pressroom_Core::live( $swap, $item );
			$beside = "$aside/{$item['name']}";
			if ( null !== $item['before'] ) {
				self::expect( $beside, $item['before'] );
				$acts[] = $tree ? array( 'exchange', $live, $beside ) : array( 'move', $beside, $live );
			} elseif ( Pressroom_Disk::exists( $beside ) ) {
				// Somebody put one there while ours still waited.
				$acts[] = array( 'move', $live, "$aside/.extra-" . strtr( $item['name'], '/', '-' ) );
			} else {
				$acts[] = array( 'move', $live, $beside );
			}
		}
		$how = self::perform( $epoch, $swap, $acts );
		return self::end( $epoch, $swap, $how, $swap['before'] );
	}

	/** Removes a staged or kept-aside core and its journal entry, unless the site's core is mixed. */
	public static function drop_staged( $epoch, $staged ) {
		if ( ! Pressroom_Package::is_handle( $staged ) ) {
			throw Pressroom_Refused::path( $staged );
		}
		$swap = Pressroom_Journal::unfinished_core_swap( $staged );
		if ( $swap ) {
			Pressroom_Core::close_gaps( $epoch, $swap );
			$sides = array_column( Pressroom_Core::look( $swap ), 1 );
			if ( in_array( 'before', $sides, true ) && in_array( 'after', $sides, true ) ) {
				throw Pressroom_Zip::bad( "the core in `{$swap['root']}` is half exchanged: finish it or take it back first" );
			}
		}
		Pressroom_Home::critical(
			$epoch,
			static function () use ( $staged ) {
				Pressroom_Journal::settle_core_swap( $staged );
			}
		);
		Pressroom_Disk::remove_tree( Pressroom_Home::path() . '/' . Pressroom_Home::STATE . "/staging/$staged" );
	}

	/** Checks a plan from outside; where its counterparts are. */
	private static function begin( $epoch, $swap ) {
		Pressroom_Core::check( $swap );
		$path = Pressroom_Home::resolve( $swap['root'] );
		if ( is_dir( $path ) ) {
			// Step by step, a directory may be missing just now.
			Pressroom_Core::close_gaps( $epoch, $swap );
		} else {
			throw Pressroom_Refused::missing( $swap['root'] );
		}
		return Pressroom_Core::aside( $swap );
	}

	/** All acts, in one hold of the fence: intent first, then maintenance. */
	private static function perform( $epoch, $swap, $acts ) {
		if ( ! $acts ) {
			return 'atomic';
		}
		// That of the translations may have been removed as a whole.
		foreach ( Pressroom_Core::directories( $swap ) as $dir ) {
			if ( ! is_dir( $dir ) && ! @mkdir( $dir, 0777, true ) ) {
				throw Pressroom_Refused::io( 'create', $dir );
			}
		}
		return Pressroom_Home::critical(
			$epoch,
			static function () use ( $epoch, $swap, $acts ) {
				$holder = self::maintenance_holder( $swap['root'] );
				Pressroom_Journal::write_core_swap( $epoch, $swap );
				if ( null !== $holder ) {
					Pressroom_Maintenance::place( $epoch, $swap['root'], self::LEASE, $holder );
				}
				$how = 'atomic';
				foreach ( $acts as list( $act, $one, $other ) ) {
					if ( 'exchange' === $act ) {
						Pressroom_Disk::exchange( $one, $other );
						$how = 'stepwise';
					} else {
						Pressroom_Disk::move_to( $one, $other );
					}
				}
				foreach ( Pressroom_Core::directories( $swap ) as $dir ) {
					Pressroom_Disk::sync_parent( "$dir/x" );
				}
				return $how;
			}
		);
	}

	/**
	 * As whom to put the site into maintenance; null to leave it as it is: somebody has
	 * done so for good, or the caller with time enough. Refused while it looks as if
	 * somebody else's update were under way.
	 */
	private static function maintenance_holder( $root ) {
		list( $found, $holder ) = Pressroom_Maintenance::look( $root );
		$left                   = isset( $found['seconds_left'] ) ? $found['seconds_left'] : null;
		if ( 'foreign' === $found['state'] ) {
			if ( null !== $left && $left <= Pressroom_Maintenance::HONOURED ) {
				throw Pressroom_Zip::bad( "somebody else holds `$root` in maintenance, an update may be under way; that lapses in $left s" );
			}
			return null;
		}
		if ( 'leased' === $found['state'] ) {
			return Pressroom_Maintenance::CALLER === $holder && $left >= self::LEASE ? null : $holder;
		}
		return Pressroom_Maintenance::CORE_UPDATE;
	}

	/** Looks at what is live now; the update's own maintenance ends when that is right. */
	private static function end( $epoch, $swap, $how, $expected ) {
		$trees = array();
		foreach ( Pressroom_Core::look( $swap ) as $at => list( $tree ) ) {
			if ( $tree ) {
				$trees[ $swap['items'][ $at ]['name'] ] = $tree;
			}
		}
		$tree = Pressroom_Core::combine( $trees );
		if ( $tree['hash'] !== $expected ) {
			throw self::changed( $swap['root'], $expected, $tree );
		}
		return array(
			'version'     => Pressroom_Inventory::core( $swap['root'] )['version'],
			'tree'        => $tree,
			'exchange'    => $how,
			'maintenance' => Pressroom_Home::critical(
				$epoch,
				static function () use ( $swap ) {
					return Pressroom_Maintenance::remove_of_update( $swap['root'] );
				}
			),
		);
	}

	/** Fails unless what lies aside is the side expected; null is nothing. */
	private static function expect( $path, $expected ) {
		$found = Pressroom_Core::hash( $path );
		if ( ( $found ? $found['hash'] : null ) !== $expected ) {
			throw self::changed( substr( $path, strlen( Pressroom_Home::path() ) + 1 ), $expected, $found );
		}
	}

	private static function changed( $shown, $expected, $found ) {
		$expected = null === $expected ? 'absent' : $expected;
		$found    = $found ? $found['hash'] : 'absent';
		return new Pressroom_Refused( 'changed', "`$shown` changed: expected tree $expected, found $found" );
	}
}
