<?php
/** What a component says of itself at the start of its file; see `headers.rs` and `source.rs`. */
final class Pressroom_Headers {
	const BYTES = 8192;

	/** As `get_file_data()` reads them. */
	public static function read( $start, $names ) {
		$start = str_replace( "\r", "\n", (string) substr( $start, 0, self::BYTES ) );
		$found = array();
		foreach ( $names as $name ) {
			$found[ $name ] = '';
			if ( preg_match( '/^(?:[ \t]*<\?php)?[ \t\/*#@]*' . preg_quote( $name, '/' ) . ':(.*)$/mi', $start, $match ) && $match[1] ) {
				$found[ $name ] = trim( preg_replace( '/\s*(?:\*\/|\?>).*/', '', $match[1] ) );
			}
		}
		return $found;
	}

	public static function plugin( $start ) {
		return self::read( $start, array( 'Plugin Name', 'Version', 'Description', 'Author', 'Text Domain', 'Requires at least', 'Requires PHP', 'Requires Plugins', 'Update URI', 'Network', 'Site Wide Only' ) );
	}

	public static function theme( $file ) {
		$start = Pressroom_Home::read_start( $file, self::BYTES );
		if ( null === $start ) {
			return array( 'fault' => 'stylesheet_unreadable' );
		}
		return self::read( $start, array( 'Theme Name', 'Description', 'Author', 'Version', 'Template', 'Text Domain', 'Requires at least', 'Requires PHP', 'Update URI' ) );
	}

	public static function is_php( $name ) {
		return strlen( $name ) > 4 && '.php' === substr( $name, -4 );
	}

	public static function is_nothing( $text ) {
		return '' === $text || '0' === $text;
	}

	public static function some( $text ) {
		return '' === $text ? null : $text;
	}

	public static function without_tags( $text ) {
		return trim( preg_replace( '~<(?=[a-zA-Z/!?])[^>]*(?:>|$)~s', '', $text ) );
	}

	/** Who may know of a newer version, by the `Update URI`. */
	public static function source( $kind, $slug, $uri ) {
		$nobody = array( 'from' => 'nobody' );
		$uri    = trim( $uri );
		if ( false !== strpos( $slug, '/' ) ) {
			return array( 'from' => 'unknown' );
		}
		if ( self::is_nothing( $uri ) ) {
			return array( 'from' => 'repository' );
		}
		if ( 0 === strcasecmp( $uri, 'false' ) ) {
			return $nobody;
		}
		$at = strpos( $uri, '://' );
		if ( false !== $at ) {
			if ( ! preg_match( '/^https?$/i', substr( $uri, 0, $at ) ) ) {
				return $nobody;
			}
			$uri = (string) substr( $uri, $at + 3 );
		} elseif ( false !== strpos( $uri, ':' ) || false !== strpos( '/#?', $uri[0] ) ) {
			return $nobody;
		}
		$end  = strcspn( $uri, '/?#' );
		$path = (string) substr( $uri, $end );
		$host = (string) substr( $uri, 0, $end );
		$host = false === strrpos( $host, '@' ) ? $host : (string) substr( $host, strrpos( $host, '@' ) + 1 );
		$host = strtolower( explode( ':', $host )[0] );
		if ( '' === $host ) {
			return $nobody;
		}
		$pages = array(
			'wordpress.org' => $kind . 's',
			'w.org'         => $kind,
		);
		if ( ! isset( $pages[ $host ] ) ) {
			return array(
				'from' => 'vendor',
				'host' => $host,
			);
		}
		$page = explode( '/', trim( $path, '/' ), 2 );
		$own  = isset( $page[1] ) && $page[0] === $pages[ $host ] && 0 === strcasecmp( $page[1], $slug );
		return $own ? array( 'from' => 'repository' ) : $nobody;
	}
}
