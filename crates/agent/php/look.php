<?php
/** The site's directories, never through a link; see `files.rs`. */
final class Pressroom_Look {
	/** Names in a directory in byte order; nothing where there is none. */
	public static function names( $relative ) {
		$path  = null === $relative ? null : Pressroom_Home::reach( $relative );
		$names = null !== $path && is_dir( $path ) ? @scandir( $path ) : false;
		$names = false === $names ? array() : array_diff( $names, array( '.', '..' ) );
		$names = array_filter(
			$names,
			static function ( $name ) {
				return (bool) preg_match( '//u', $name );
			}
		);
		sort( $names, SORT_STRING );
		Pressroom_Agent::check();
		return $names;
	}

	public static function is_dir( $relative ) {
		$path = Pressroom_Home::reach( $relative );
		return null !== $path && is_dir( $path );
	}

	public static function is_file( $relative ) {
		$path = Pressroom_Home::reach( $relative );
		return null !== $path && is_file( $path );
	}

	public static function directories( $container ) {
		$found = array();
		foreach ( self::names( $container ) as $name ) {
			if ( '.' !== $name[0] && 'CVS' !== $name && self::is_dir( "$container/$name" ) ) {
				$found[] = $name;
			}
		}
		return $found;
	}
}
