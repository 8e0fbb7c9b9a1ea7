<?php
/** Plugins and themes on disk: stage beside the site, exchange, take back; see `component.rs`. */
final class Pressroom_Component {
	/** Unpacks a package beside the site. */
	public static function stage( $epoch, $target ) {
		$file = Pressroom_Package::spool( $epoch );
		self::live_path( $target );
		$zip    = new Pressroom_Zip( $file );
		$slug   = $target['slug'];
		$layout = self::is_file( $target ) ? Pressroom_Package::of_file( $zip, $slug ) : Pressroom_Package::of_directory( $zip, $slug );
		$staged = Pressroom_Package::handle( $epoch );
		$dir    = Pressroom_Home::state( 'staging' ) . "/$staged";
		try {
			if ( ! self::is_file( $target ) && ! @mkdir( $dir ) ) {
				throw Pressroom_Refused::io( 'create', $dir );
			}
			// A single file lies in the handle's directory as a directory's tree would.
			$tree = $layout->unpack( self::is_file( $target ) ? $dir : "$dir/$slug" );
			return array(
				'staged'  => $staged,
				'version' => Pressroom_Package::version( "$dir/$slug", $target['kind'] ),
				'tree'    => $tree,
			);
		} catch ( Throwable $why ) {
			Pressroom_Disk::give_up( $dir );
			throw $why;
		}
	}

	/** The tree that is live; null when there is none. */
	public static function live( $target ) {
		return self::hash( $target, self::live_path( $target ) );
	}

	/**
	 * Exchanges the live tree with the staged one; what was live is kept aside under
	 * the same handle until [`drop_staged`]. Done already is done: it only looks.
	 */
	public static function exchange( $epoch, $swap ) {
		self::close_gap( $epoch, $swap );
		$target = $swap['target'];
		$live   = self::live_path( $target );
		$staged = self::staged_path( $swap );
		$now    = self::hash( $target, $live );
		if ( $now && $now['hash'] === $swap['after'] ) {
			return $now + array( 'exchange' => 'atomic' );
		}
		$aside = self::hash( $target, $staged );
		self::expect( $live, $swap['before'], $now );
		if ( ! $aside ) {
			throw Pressroom_Refused::missing( self::shown( $staged ) );
		}
		self::expect( $staged, $swap['after'], $aside );
		$how = Pressroom_Home::critical(
			$epoch,
			static function () use ( $epoch, $swap, $live, $staged, $now ) {
				Pressroom_Journal::write_swap( $epoch, $swap );
				if ( ! $now ) {
					self::make( dirname( $live ) );
				}
				return self::move( (bool) $now, true, $live, $staged );
			}
		);
		$tree = self::hash( $target, $live );
		if ( ! $tree ) {
			throw Pressroom_Refused::missing( self::shown( $live ) );
		}
		return $tree + array( 'exchange' => $how );
	}

	/**
	 * Exchanges back: live becomes what it was before. What is live may have been
	 * written to since; it goes aside as it is, and is kept until [`drop_staged`].
	 */
	public static function exchange_back( $epoch, $swap ) {
		self::close_gap( $epoch, $swap );
		$target = $swap['target'];
		$live   = self::live_path( $target );
		$staged = self::staged_path( $swap );
		$now    = self::hash( $target, $live );
		if ( ( $now ? $now['hash'] : null ) === $swap['before'] ) {
			return ( $now ?: Pressroom_Tree::absent() ) + array( 'exchange' => 'atomic' );
		}
		$aside = self::hash( $target, $staged );
		if ( null !== $swap['before'] && ! $aside ) {
			throw Pressroom_Refused::missing( self::shown( $staged ) );
		}
		self::expect( $staged, $swap['before'], $aside );
		$how = Pressroom_Home::critical(
			$epoch,
			static function () use ( $epoch, $swap, $live, $staged, $now ) {
				// A tree that was never exchanged is taken out as well: without an entry the
				// next recovery would take it for one that nobody wants.
				Pressroom_Journal::write_swap( $epoch, $swap );
				if ( null === $swap['before'] ) {
					self::make( dirname( $staged ) );
				}
				return self::move( (bool) $now, null !== $swap['before'], $live, $staged );
			}
		);
		return ( self::hash( $target, $live ) ?: Pressroom_Tree::absent() ) + array( 'exchange' => $how );
	}

	/** Removes a staged or kept-aside tree and its journal entry; gone already is fine. */
	public static function drop_staged( $epoch, $staged ) {
		$dir = self::staging_dir( $staged );
		Pressroom_Home::critical(
			$epoch,
			static function () use ( $staged ) {
				Pressroom_Journal::settle_swap( $staged );
			}
		);
		Pressroom_Disk::remove_tree( $dir );
	}

	/** Which side of a swap is live, after an exchange that was stopped half-way is made whole. */
	public static function look( $epoch, $swap ) {
		try {
			$live = self::live_path( $swap['target'] );
		} catch ( Pressroom_Refused $why ) {
			// The way there is gone, or a link: neither tree. Were that a failure, nobody
			// could work in the home any more, not even to bring the way back.
			if ( in_array( $why->reason, array( 'missing', 'bad_path' ), true ) ) {
				return 'other';
			}
			throw $why;
		}
		self::close_gap( $epoch, $swap );
		try {
			$now = self::hash( $swap['target'], $live );
		} catch ( Pressroom_Refused $why ) {
			// Something else of that name is neither tree.
			if ( 'bad_input' === $why->reason ) {
				return 'other';
			}
			throw $why;
		}
		$hash = $now ? $now['hash'] : null;
		if ( $hash === $swap['after'] ) {
			return 'after';
		}
		return $hash === $swap['before'] ? 'before' : 'other';
	}

	/** Where a component lives. */
	public static function live_path( $target ) {
		$slug = $target['slug'];
		if ( '' === $slug || '.' === $slug[0] || strpbrk( $slug, "/\\" ) || false !== strpos( $slug, "\0" ) || strlen( $slug ) > 200 ) {
			throw Pressroom_Refused::path( $slug );
		}
		$container = self::container( $target );
		// A component goes into a site that is there, never makes one up.
		$around = false === strrpos( $container, '/' ) ? '' : substr( $container, 0, strrpos( $container, '/' ) );
		if ( ! is_dir( Pressroom_Home::resolve( $around ) ) ) {
			throw Pressroom_Refused::missing( $around );
		}
		return Pressroom_Home::resolve( Pressroom_Home::below( $container, $slug ) );
	}

	/** The directory of its kind, relative to the home: the usual one where the configuration does not tell. */
	private static function container( $target ) {
		$kind     = 'theme' === $target['kind'] ? 'themes' : 'plugins';
		$settings = Pressroom_Config::told( $target['root'], PHP_BINARY );
		$told     = isset( $settings['directories'] ) ? $settings['directories'][ $kind ] : array( 'is' => 'unknown' );
		if ( 'outside' === $told['is'] ) {
			throw Pressroom_Refused::path( $told['path'] );
		}
		return 'inside' === $told['is'] ? $told['path'] : Pressroom_Home::below( $target['root'], "wp-content/$kind" );
	}

	/** Whether it is one PHP file, not a directory. */
	private static function is_file( $target ) {
		return 'plugin' === $target['kind'] && Pressroom_Headers::is_php( $target['slug'] );
	}

	private static function hash( $target, $path ) {
		return self::is_file( $target ) ? Pressroom_Tree::of_file( $path ) : Pressroom_Tree::of_directory( $path );
	}

	/** Exchanges, or moves the one that there is to where the other is not; answers how. */
	private static function move( $has_live, $has_staged, $live, $staged ) {
		if ( $has_live && $has_staged ) {
			Pressroom_Disk::exchange( $live, $staged );
		} elseif ( $has_staged ) {
			Pressroom_Disk::move_to( $staged, $live );
		} else {
			Pressroom_Disk::move_to( $live, $staged );
		}
		Pressroom_Disk::sync_parent( $live );
		return $has_live && $has_staged ? 'stepwise' : 'atomic';
	}

	private static function close_gap( $epoch, $swap ) {
		$live   = self::live_path( $swap['target'] );
		$staged = self::staged_path( $swap );
		Pressroom_Home::critical(
			$epoch,
			static function () use ( $live, $staged ) {
				Pressroom_Disk::close_gap( $live, $staged );
			}
		);
	}

	private static function make( $dir ) {
		if ( ! is_dir( $dir ) && ! @mkdir( $dir, 0777, true ) ) {
			throw Pressroom_Refused::io( 'create', $dir );
		}
	}

	private static function staging_dir( $staged ) {
		if ( ! Pressroom_Package::is_handle( $staged ) ) {
			throw Pressroom_Refused::path( $staged );
		}
		return Pressroom_Home::path() . '/' . Pressroom_Home::STATE . "/staging/$staged";
	}

	private static function staged_path( $swap ) {
		return self::staging_dir( $swap['staged'] ) . '/' . $swap['target']['slug'];
	}

	/** Fails unless a tree is the one expected; null is none. */
	private static function expect( $path, $expected, $found ) {
		$found = $found ? $found['hash'] : null;
		if ( $expected !== $found ) {
			$expected = null === $expected ? 'absent' : $expected;
			$found    = null === $found ? 'absent' : $found;
			throw new Pressroom_Refused( 'changed', '`' . self::shown( $path ) . "` changed: expected tree $expected, found $found" );
		}
	}

	/** How an absolute path inside is shown to people. */
	private static function shown( $path ) {
		return substr( $path, strlen( Pressroom_Home::path() ) + 1 );
	}
}
