<?php
/** The first half of a core update: unpack beside the site, and plan the exchange; see `core/stage.rs`. */
final class Pressroom_Core_Stage {
	/** Neither a server's configuration for a directory nor a source that is looked into is larger. */
	const MAX_FILE = 1048576;

	/** In the shape of `StagedCore`. */
	public static function stage( $epoch, $root ) {
		if ( ! function_exists( 'token_get_all' ) ) {
			throw new Pressroom_Refused( 'unable', 'the PHP of this host cannot read what WordPress says of itself; it needs the extension `tokenizer`' );
		}
		$file = Pressroom_Package::spool( $epoch );
		$root = rtrim( $root, '/' );
		$live = Pressroom_Core::directory( $root );
		list( $layout, $names ) = Pressroom_Core::package( new Pressroom_Zip( $file ) );
		$staged  = Pressroom_Package::handle( $epoch );
		$staging = Pressroom_Home::state( 'staging' );
		self::refuse_what_cannot_be_exchanged( $root, $live, $staging );
		$dir = "$staging/$staged";
		if ( ! @mkdir( $dir ) ) {
			throw Pressroom_Refused::io( 'create', $dir );
		}
		try {
			$layout->unpack( "$dir/core" );
			return self::plan( $root, $live, $staged, "$dir/core", $names );
		} catch ( Throwable $why ) {
			Pressroom_Disk::give_up( $dir );
			throw $why;
		}
	}

	private static function plan( $root, $live, $staged, $aside, $names ) {
		$source  = self::source( "$aside/wp-includes/version.php" );
		$version = Pressroom_Inventory::assigned( $source, 'wp_version' );
		if ( null === $version ) {
			throw Pressroom_Zip::bad( 'package is not WordPress, its version cannot be read' );
		}
		$after   = self::hashes( $names, $aside );
		$package = Pressroom_Core::combine( $after );
		$carried = self::carry( $live, $aside );
		foreach ( $carried as $path ) {
			$after = self::hashes( array( strstr( $path, '/', true ) ), $aside ) + $after;
		}
		$obsolete = self::obsolete( $root, $aside, $names );
		$before   = array();
		$items    = array();
		foreach ( array_merge( $names, $obsolete ) as $name ) {
			$path = Pressroom_Home::reach( Pressroom_Home::below( $root, $name ) );
			if ( null === $path ) {
				throw Pressroom_Zip::bad( '`' . Pressroom_Home::below( $root, $name ) . "` is a symbolic link: it is not the site's to update" );
			}
			$now     = Pressroom_Core::hash( $path );
			$items[] = array(
				'name'   => $name,
				'before' => $now ? $now['hash'] : null,
				'after'  => isset( $after[ $name ] ) ? $after[ $name ]['hash'] : null,
			);
			if ( $now ) {
				$before[ $name ] = $now;
			}
		}
		return array(
			'swap'           => array(
				'root'   => $root,
				'staged' => $staged,
				'items'  => $items,
				'before' => Pressroom_Core::combine( $before )['hash'],
				'after'  => Pressroom_Core::combine( $after )['hash'],
			),
			'version'        => $version,
			'version_before' => Pressroom_Inventory::core( $root )['version'],
			'requires_php'   => Pressroom_Inventory::assigned( $source, 'required_php_version' ),
			'requires_mysql' => Pressroom_Inventory::assigned( $source, 'required_mysql_version' ),
			'package'        => $package,
			'carried'        => $carried,
			'obsolete'       => $obsolete,
		);
	}

	/** The tree of each thing that is in a directory, by its name. */
	private static function hashes( $names, $dir ) {
		$found = array();
		foreach ( $names as $name ) {
			$tree = Pressroom_Core::hash( "$dir/$name" );
			if ( $tree ) {
				$found[ $name ] = $tree;
			}
		}
		return $found;
	}

	/** Copies a server's configuration files of the live directories to the staged ones, so that no guard is lost. */
	private static function carry( $live, $aside ) {
		$carried = array();
		foreach ( Pressroom_Core::DIRECTORIES as $directory ) {
			foreach ( Pressroom_Core::KEPT as $name ) {
				$from = "$live/$directory/$name";
				$to   = "$aside/$directory/$name";
				if ( is_link( $from ) || ! is_file( $from ) || filesize( $from ) > self::MAX_FILE || Pressroom_Disk::exists( $to ) ) {
					continue;
				}
				if ( ! @copy( $from, $to ) || ! @chmod( $to, fileperms( $from ) & 0777 ) ) {
					throw Pressroom_Refused::io( 'copy', $from );
				}
				$carried[] = "$directory/$name";
			}
		}
		return $carried;
	}

	/**
	 * PHP files directly in the root that WordPress itself lists as gone, and that are
	 * there. Its list also has texts; those may well be the site's.
	 */
	private static function obsolete( $root, $aside, $names ) {
		$obsolete = array();
		foreach ( self::old_files( self::source( "$aside/wp-admin/includes/update-core.php" ) ) as $name ) {
			$may_go = Pressroom_Core::is_item( $name ) && '.php' === substr( $name, -4 ) && preg_match( '//u', $name ) && ! in_array( $name, $names, true );
			if ( $may_go && Pressroom_Look::is_file( Pressroom_Home::below( $root, $name ) ) ) {
				$obsolete[] = $name;
			}
		}
		$obsolete = array_values( array_unique( $obsolete ) );
		sort( $obsolete, SORT_STRING );
		return $obsolete;
	}

	/** The texts of the array `$_old_files`. */
	private static function old_files( $source ) {
		$tokens = array();
		foreach ( token_get_all( $source ) as $token ) {
			if ( ! is_array( $token ) || ! in_array( $token[0], array( T_WHITESPACE, T_COMMENT, T_DOC_COMMENT ), true ) ) {
				$tokens[] = $token;
			}
		}
		$texts = array();
		$is_in = false;
		foreach ( $tokens as $at => $token ) {
			if ( ! $is_in ) {
				$is_in = is_array( $token ) && '$_old_files' === $token[1] && isset( $tokens[ $at + 1 ] ) && '=' === $tokens[ $at + 1 ];
			} elseif ( ';' === $token ) {
				break;
			} elseif ( is_array( $token ) && T_CONSTANT_ENCAPSED_STRING === $token[0] ) {
				$texts[] = stripslashes( substr( $token[1], 1, -1 ) );
			}
		}
		return $texts;
	}

	/** A file of the staged package, which we have just written; empty when it has none. */
	private static function source( $path ) {
		return is_file( $path ) && filesize( $path ) <= self::MAX_FILE ? (string) @file_get_contents( $path ) : '';
	}

	/** Says now what would stop the renames half-way. */
	private static function refuse_what_cannot_be_exchanged( $root, $live, $staging ) {
		$ours = stat( $staging )['dev'];
		foreach ( array_merge( Pressroom_Core::DIRECTORIES, array( '' ) ) as $name ) {
			$path  = '' === $name ? $live : "$live/$name";
			$shown = '' === $name ? $root : Pressroom_Home::below( $root, $name );
			if ( stat( $path )['dev'] !== $ours ) {
				$there = Pressroom_Home::STATE . '/staging';
				throw Pressroom_Zip::bad( "`$shown` is on another file system than `$there`, nothing can be exchanged there" );
			}
			if ( ! is_writable( $path ) ) {
				throw Pressroom_Zip::bad( "`$shown` may not be written by the site's user" );
			}
		}
	}
}
