<?php
/** What a core update exchanges, and which side of it is live; see `core/items.rs`. */
final class Pressroom_Core {
	/** The two directories that are exchanged whole. */
	const DIRECTORIES = array( 'wp-admin', 'wp-includes' );
	/** Root files that are the site's even when a package has them. */
	const KEPT = array( 'wp-config.php', '.htaccess', '.htpasswd', '.user.ini', 'php.ini', 'web.config', '.maintenance' );
	/** PHP loads these before it looks for `.maintenance`: they change places first and close together. */
	const FIRST = array( 'wp-includes', 'wp-settings.php', 'wp-load.php', 'wp-blog-header.php' );
	/** Where WordPress keeps translations, relative to the root. */
	const LANGUAGES = 'wp-content/languages';
	/** What there is in every WordPress. */
	const NEEDED = array( 'wp-load.php', 'wp-includes/version.php', 'wp-admin/install.php' );

	/** A WordPress package without what an update leaves to the site, and the names in the order of their exchange. */
	public static function package( $zip ) {
		$layout = new Pressroom_Layout( $zip );
		$layout->strip_if_all( 'wordpress' );
		$layout->refuse_files_as_folders();
		// Ready-made builds carry a configuration and a database of their own.
		$layout->leave_out( '~^(?:wp-config\.php$|wp-content/database/)~D' );
		foreach ( self::NEEDED as $needed ) {
			if ( ! array_key_exists( $needed, $layout->items ) ) {
				throw Pressroom_Zip::bad( "package is not WordPress, `$needed` is missing" );
			}
		}
		$layout->leave_out( '~^wp-content/~' );
		foreach ( self::KEPT as $kept ) {
			unset( $layout->items[ $kept ] );
		}
		$names = $layout->top_names();
		foreach ( $names as $name ) {
			if ( ! preg_match( '//u', $name ) ) {
				throw Pressroom_Zip::bad( 'package has a name that is not UTF-8' );
			}
			if ( ! self::is_item( $name ) || self::is_directory( $name ) === isset( $layout->items[ $name ] ) ) {
				throw Pressroom_Zip::bad( "package has `$name`, which is no part of WordPress" );
			}
		}
		return array( $layout, array_merge( array_intersect( self::FIRST, $names ), array_diff( $names, self::FIRST ) ) );
	}

	/** Whether a name can be one that an update exchanges. */
	public static function is_item( $name ) {
		return ! in_array( $name, array( '', '.', '..', 'wp-content', Pressroom_Home::STATE ), true )
			&& strlen( $name ) <= 255
			&& false === strpbrk( $name, "/\0" )
			&& ! in_array( $name, self::KEPT, true );
	}

	/** The file that an item's name says it is, when it is a translation; otherwise null. */
	private static function translation( $name ) {
		$found = preg_match( '~^' . self::LANGUAGES . '/([A-Za-z0-9_-]+(?:\.mo|\.po|\.l10n\.php|\.json))$~D', $name, $parts );
		return $found && strlen( $parts[1] ) <= 255 ? $parts[1] : null;
	}

	/** The tree of a directory or a file, whichever its name says; null when nothing is there. */
	public static function hash( $path ) {
		return self::is_directory( basename( $path ) ) ? Pressroom_Tree::of_directory( $path ) : Pressroom_Tree::of_file( $path );
	}

	/** The hash of several things in one root, by name. */
	public static function combine( $trees ) {
		ksort( $trees, SORT_STRING );
		$all  = hash_init( 'sha256' );
		$both = array(
			'files' => 0,
			'bytes' => 0,
		);
		hash_update( $all, "pressroom-core-1\n" );
		foreach ( $trees as $name => $tree ) {
			hash_update( $all, pack( 'N', strlen( $name ) ) . $name . $tree['hash'] );
			$both['files'] += $tree['files'];
			$both['bytes'] += $tree['bytes'];
		}
		return array( 'hash' => hash_final( $all ) ) + $both;
	}

	/** The directory of a core; refused with the reason when there is none to update. */
	public static function directory( $root ) {
		$path = Pressroom_Home::resolve( $root );
		if ( ! is_dir( $path ) ) {
			throw Pressroom_Refused::missing( $root );
		}
		foreach ( self::DIRECTORIES as $name ) {
			if ( is_link( "$path/$name" ) ) {
				throw Pressroom_Zip::bad( '`' . Pressroom_Home::below( $root, $name ) . "` is a symbolic link: this core is shared and not the site's to update" );
			}
			if ( ! is_dir( "$path/$name" ) ) {
				throw self::none( $root, $path );
			}
		}
		return $path;
	}

	/** Says where the core is instead, when it is in a directory of its own. */
	private static function none( $root, $path ) {
		$shown = '' === Pressroom_Home::plain( $root ) ? '.' : $root;
		foreach ( array_diff( (array) @scandir( $path ), array( '.', '..' ) ) as $name ) {
			$dir = Pressroom_Home::below( $root, $name );
			if ( Pressroom_Look::is_file( "$dir/wp-includes/version.php" ) ) {
				return Pressroom_Zip::bad( "`$shown` holds no WordPress core, it is in `$dir`: name that directory" );
			}
		}
		return Pressroom_Zip::bad( "`$shown` holds no WordPress core" );
	}

	/** Refuses names that no plan of ours has. */
	public static function check( $swap ) {
		$seen = array();
		foreach ( $swap['items'] as $item ) {
			$is_known = self::is_item( $item['name'] ) || null !== self::translation( $item['name'] );
			if ( ! $is_known || isset( $seen[ $item['name'] ] ) ) {
				throw Pressroom_Refused::path( $item['name'] );
			}
			$seen[ $item['name'] ] = true;
		}
		if ( ! Pressroom_Package::is_handle( $swap['staged'] ) ) {
			throw Pressroom_Refused::path( $swap['staged'] );
		}
	}

	/** Where the staged or kept-aside counterparts lie. */
	public static function aside( $swap ) {
		return Pressroom_Home::path() . '/' . Pressroom_Home::STATE . "/staging/{$swap['staged']}/core";
	}

	/** Where an item is live: what lies there may be a link, which is renamed and never followed. */
	public static function live( $swap, $item ) {
		$name = self::translation( $item['name'] );
		return null === $name
			? Pressroom_Home::resolve( $swap['root'] ) . '/' . $item['name']
			: Pressroom_Home::resolve( Pressroom_Home::below( $swap['root'], self::LANGUAGES ) ) . '/' . $name;
	}

	/** The directories that items are in, live and aside. */
	public static function directories( $swap ) {
		$all = array( Pressroom_Home::resolve( $swap['root'] ), self::aside( $swap ) );
		foreach ( $swap['items'] as $item ) {
			if ( null !== self::translation( $item['name'] ) ) {
				$all[] = Pressroom_Home::resolve( Pressroom_Home::below( $swap['root'], self::LANGUAGES ) );
				$all[] = self::aside( $swap ) . '/' . self::LANGUAGES;
				break;
			}
		}
		return $all;
	}

	/** Every item's tree and side: `same`, `before`, `after` or `other`. */
	public static function look( $swap ) {
		$found = array();
		foreach ( $swap['items'] as $item ) {
			try {
				$live = self::hash( self::live( $swap, $item ) );
			} catch ( Pressroom_Refused $why ) {
				if ( 'bad_input' !== $why->reason ) {
					throw $why;
				}
				// A link, or a file where a directory belongs, is on neither side.
				$found[] = array( Pressroom_Tree::absent(), 'other' );
				continue;
			}
			$now     = $live ? $live['hash'] : null;
			$before  = $now === $item['before'];
			$after   = $now === $item['after'];
			$found[] = array( $live, $before && $after ? 'same' : ( $before ? 'before' : ( $after ? 'after' : 'other' ) ) );
		}
		return $found;
	}

	/** Makes each stepwise exchange whole that was stopped between its renames. */
	public static function close_gaps( $epoch, $swap ) {
		Pressroom_Home::critical(
			$epoch,
			static function () use ( $swap ) {
				foreach ( $swap['items'] as $item ) {
					Pressroom_Disk::close_gap( self::live( $swap, $item ), self::aside( $swap ) . '/' . $item['name'] );
				}
			}
		);
	}

	/** A journalled swap as found, in the shape of `RecoveredCoreSwap`. */
	public static function recovered( $epoch, $swap ) {
		$names = array_column( $swap['items'], 'name' );
		$other = static function ( $side ) {
			return 'other' === $side;
		};
		try {
			self::check( $swap );
			self::directories( $swap );
		} catch ( Pressroom_Refused $why ) {
			// Something else is in the way by now: all of it is on neither side.
			return array(
				'swap'    => $swap,
				'live'    => 'mixed',
				'changed' => $names,
			);
		}
		self::close_gaps( $epoch, $swap );
		$sides = array_column( self::look( $swap ), 1 );
		$live  = 'mixed';
		foreach ( array( 'before', 'after' ) as $side ) {
			if ( ! array_diff( $sides, array( $side, 'same' ) ) ) {
				$live = $side;
			}
		}
		return array(
			'swap'    => $swap,
			'live'    => $live,
			'changed' => array_values( array_intersect_key( $names, array_filter( $sides, $other ) ) ),
		);
	}

	private static function is_directory( $name ) {
		return in_array( $name, self::DIRECTORIES, true );
	}
}
