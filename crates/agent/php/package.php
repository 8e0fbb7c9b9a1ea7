<?php
/** Packages: a zip that arrives as a stream, is checked, and is unpacked aside; see `package.rs`. */
final class Pressroom_Package {
	/** The largest package taken. */
	const MAX = 536870912;
	/** What may lie beside a plugin's one file in its package and is of no use to the site. */
	const TEXTS = '~^[^/]*\.(?:txt|md|html)$~Di';

	/** Receives a package, in a file that has no name any more: nothing of it stays behind. */
	public static function spool( $epoch ) {
		$path = Pressroom_Home::state( 'staging' ) . '/' . self::handle( $epoch ) . '.zip';
		$file = Pressroom_Disk::create( $path, 0600 );
		if ( ! @unlink( $path ) ) {
			throw Pressroom_Refused::io( 'remove', $path );
		}
		for ( $bytes = 0; '' !== ( $part = Pressroom_Agent::receive() ); ) {
			$bytes += strlen( $part );
			if ( $bytes > self::MAX ) {
				throw Pressroom_Zip::bad( 'package is larger than ' . self::MAX . ' bytes' );
			}
			Pressroom_Disk::write( $file, $part, $path );
		}
		return $file;
	}

	/** A fresh name in the staging directory: whose it is, and what cannot be guessed. */
	public static function handle( $epoch ) {
		return $epoch . '-' . bin2hex( random_bytes( 8 ) );
	}

	/** Whether a name is one that staging hands out. */
	public static function is_handle( $name ) {
		return (bool) preg_match( '/^\d+-[0-9a-fA-F]{16}$/D', $name );
	}

	/** The layout of a package whose one top folder is the slug. */
	public static function of_directory( $zip, $slug ) {
		$layout = new Pressroom_Layout( $zip );
		$layout->strip( $slug );
		$layout->refuse_files_as_folders();
		return $layout;
	}

	/** The layout of a package that holds one file directly or in one folder, and nothing else but texts. */
	public static function of_file( $zip, $name ) {
		$layout = new Pressroom_Layout( $zip );
		$layout->refuse_files_as_folders();
		$tops = $layout->top_names();
		if ( 1 === count( $tops ) && ! isset( $layout->items[ $tops[0] ] ) ) {
			$layout->go_below( $tops[0] );
		}
		$layout->leave_out( self::TEXTS );
		foreach ( array_keys( $layout->items ) as $other ) {
			if ( $name !== (string) $other ) {
				throw Pressroom_Zip::bad( 'package holds `' . substr( $other, 0, 120 ) . "`, a plugin of one file has nothing beside `$name`" );
			}
		}
		if ( ! isset( $layout->items[ $name ] ) ) {
			throw Pressroom_Zip::bad( "package has no file `$name`" );
		}
		return $layout;
	}

	/** The version in an unpacked component's main file; refused when WordPress would not see a component in it. */
	public static function version( $path, $kind ) {
		$slug = basename( $path );
		if ( is_file( $path ) ) {
			$head = self::head( $path, 'Plugin Name' );
			$none = "package is no plugin, `$slug` has no `Plugin Name`";
		} elseif ( 'theme' === $kind ) {
			$head = self::head( "$path/style.css", 'Theme Name' );
			$none = "package `$slug` is no theme, its `style.css` names none";
		} else {
			$head = self::main_file( $path, $slug );
			$none = "package `$slug` is no plugin, no file directly in it has a `Plugin Name`";
		}
		if ( null === $head ) {
			throw Pressroom_Zip::bad( $none );
		}
		return Pressroom_Headers::read( $head, array( 'Version' ) )['Version'];
	}

	private static function main_file( $path, $slug ) {
		$names = array_filter(
			array_diff( (array) @scandir( $path ), array( "$slug.php" ) ),
			static function ( $name ) {
				return Pressroom_Headers::is_php( $name ) && '.' !== $name[0] && preg_match( '//u', $name );
			}
		);
		sort( $names, SORT_STRING );
		foreach ( array_merge( array( "$slug.php" ), $names ) as $name ) {
			$head = self::head( "$path/$name", 'Plugin Name' );
			if ( null !== $head ) {
				return $head;
			}
		}
		return null;
	}

	/** The start of a file that names something; null when it does not, or is none. */
	private static function head( $path, $header ) {
		$start = is_file( $path ) ? @file_get_contents( $path, false, null, 0, Pressroom_Headers::BYTES ) : false;
		return false === $start || '' === Pressroom_Headers::read( $start, array( $header ) )[ $header ] ? null : $start;
	}
}
