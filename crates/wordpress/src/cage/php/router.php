<?php
/** What PHP's own web server asks for every request to a rehearsal. */
require_once __DIR__ . '/prepend.php';

final class Pressroom_Router {
	const TYPES = array(
		'css'   => 'text/css; charset=UTF-8',
		'js'    => 'text/javascript; charset=UTF-8',
		'mjs'   => 'text/javascript; charset=UTF-8',
		'json'  => 'application/json',
		'map'   => 'application/json',
		'html'  => 'text/html; charset=UTF-8',
		'htm'   => 'text/html; charset=UTF-8',
		'txt'   => 'text/plain; charset=UTF-8',
		'xml'   => 'text/xml; charset=UTF-8',
		'xsl'   => 'text/xml; charset=UTF-8',
		'svg'   => 'image/svg+xml',
		'png'   => 'image/png',
		'jpg'   => 'image/jpeg',
		'jpeg'  => 'image/jpeg',
		'gif'   => 'image/gif',
		'webp'  => 'image/webp',
		'avif'  => 'image/avif',
		'ico'   => 'image/x-icon',
		'woff'  => 'font/woff',
		'woff2' => 'font/woff2',
		'ttf'   => 'font/ttf',
		'otf'   => 'font/otf',
		'eot'   => 'application/vnd.ms-fontobject',
		'pdf'   => 'application/pdf',
		'mp4'   => 'video/mp4',
		'webm'  => 'video/webm',
		'mp3'   => 'audio/mpeg',
		'wasm'  => 'application/wasm',
	);

	/** The script that answers, absolute; null when it was answered. */
	public static function script() {
		$address = json_decode( file_get_contents( __DIR__ . '/address.json' ), true );
		$said    = isset( $_SERVER['HTTP_X_PRESSROOM_REHEARSAL'] ) ? $_SERVER['HTTP_X_PRESSROOM_REHEARSAL'] : '';
		unset( $_SERVER['HTTP_X_PRESSROOM_REHEARSAL'] );
		if ( ! hash_equals( $address['secret'], $said ) ) {
			http_response_code( 403 );
			return null;
		}
		self::visitor( $address );
		header( 'X-Robots-Tag: noindex, nofollow' );
		header_remove( 'X-Powered-By' );
		$uri  = isset( $_SERVER['REQUEST_URI'] ) ? $_SERVER['REQUEST_URI'] : '/';
		$path = '/' . ltrim( rawurldecode( strtok( $uri, '?' ) ), '/' );
		$base = $address['base'];
		if ( '' !== $base && ( $path === $base || 0 === strpos( $path, "$base/" ) ) ) {
			$path = '/' . ltrim( substr( $path, strlen( $base ) ), '/' );
		}
		$root   = $_SERVER['DOCUMENT_ROOT'];
		$script = self::find( $root, $path );
		if ( null === $script && $address['directories'] && preg_match( '~^/[_0-9a-zA-Z-]+(/(?:wp-(?:content|admin|includes)(?:/.*)?|.*\.php(?:/.*)?))$~', $path, $found ) ) {
			$path   = $found[1];
			$script = self::find( $root, $path );
		}
		if ( null === $script ) {
			$script = array( '/index.php', '' );
		}
		list( $name, $info ) = $script;
		if ( ! preg_match( '/\.php$/i', $name ) ) {
			self::file( $root . $name );
			return null;
		}
		$_SERVER['SCRIPT_NAME']     = $base . $name;
		$_SERVER['SCRIPT_FILENAME'] = $root . $name;
		$_SERVER['PHP_SELF']        = $base . $name . $info;
		unset( $_SERVER['PATH_INFO'] );
		if ( '' !== $info ) {
			$_SERVER['PATH_INFO'] = $info;
		}
		if ( ! is_file( $root . $name ) ) {
			http_response_code( 404 );
			return null;
		}
		chdir( dirname( $root . $name ) );
		return $root . $name;
	}

	/** The request as the live web server tells it. */
	private static function visitor( $address ) {
		$host  = isset( $_SERVER['HTTP_HOST'] ) ? $_SERVER['HTTP_HOST'] : $address['host'];
		$port  = preg_match( '/:(\d+)$/', $host, $found ) ? $found[1] : ( $address['https'] ? '443' : '80' );
		$_SERVER['HTTP_HOST']       = $host;
		$_SERVER['SERVER_NAME']     = preg_replace( '/:\d+$/', '', $host );
		$_SERVER['SERVER_PORT']     = $port;
		$_SERVER['SERVER_SOFTWARE'] = $address['software'];
		$_SERVER['REQUEST_SCHEME']  = $address['https'] ? 'https' : 'http';
		if ( $address['https'] ) {
			$_SERVER['HTTPS'] = 'on';
		}
	}

	/** A file below the root and what follows it in the path; null when there is none. */
	private static function find( $root, $path ) {
		if ( false !== strpos( $path, "\0" ) ) {
			return null;
		}
		$name  = '';
		$parts = explode( '/', trim( $path, '/' ) );
		foreach ( $parts as $at => $part ) {
			if ( '' === $part ) {
				continue;
			}
			if ( '.' === $part[0] && '.well-known' !== $part ) {
				return null;
			}
			$name .= "/$part";
			if ( is_link( $root . $name ) && 0 !== strpos( realpath( $root . $name ) . '/', realpath( $root ) . '/' ) ) {
				return null;
			}
			if ( is_file( $root . $name ) ) {
				$info = implode( '/', array_slice( $parts, $at + 1 ) );
				if ( preg_match( '/\.php$/i', $name ) ) {
					return array( $name, '' === $info ? '' : "/$info" );
				}
				$hidden = preg_match( '/\.(?:ph[a-z0-9]*|inc)$/i', $name );
				return '' === $info && ! $hidden ? array( $name, '' ) : null;
			}
			if ( ! is_dir( $root . $name ) ) {
				return null;
			}
		}
		foreach ( array( '/index.php', '/index.html' ) as $index ) {
			if ( is_file( $root . $name . $index ) ) {
				return array( $name . $index, '' );
			}
		}
		return null;
	}

	private static function file( $file ) {
		$end  = strtolower( pathinfo( $file, PATHINFO_EXTENSION ) );
		$type = isset( self::TYPES[ $end ] ) ? self::TYPES[ $end ] : 'application/octet-stream';
		header( "Content-Type: $type" );
		header( 'Content-Length: ' . filesize( $file ) );
		header( 'Last-Modified: ' . gmdate( 'D, d M Y H:i:s', filemtime( $file ) ) . ' GMT' );
		readfile( $file );
	}
}

$pressroom_script = Pressroom_Router::script();
if ( null === $pressroom_script ) {
	return true;
}
require $pressroom_script;
