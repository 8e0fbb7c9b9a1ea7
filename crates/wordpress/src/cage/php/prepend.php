<?php
/** What every PHP of a rehearsal loads first: what would reach out is written down and fails. */
final class Pressroom_Rehearsal {
	/** Nothing is added to what was tried beyond this many bytes. */
	const LARGEST = 1048576;

	/** Writes down what was tried. */
	public static function note( $kind, $what ) {
		$file = dirname( __DIR__ ) . '/log/attempts';
		clearstatcache( true, $file );
		if ( file_exists( $file ) && filesize( $file ) > self::LARGEST ) {
			return;
		}
		$what = substr( (string) $what, 0, 300 );
		$line = json_encode( compact( 'kind', 'what' ), JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE );
		file_put_contents( $file, "$line\n", FILE_APPEND | LOCK_EX );
	}

	/** An address without what follows its path, and without a password. */
	public static function address( $url ) {
		$parts = parse_url( (string) $url );
		if ( ! is_array( $parts ) || ! isset( $parts['host'] ) ) {
			return strtok( (string) $url, '?#' );
		}
		$scheme = isset( $parts['scheme'] ) ? $parts['scheme'] . '://' : '';
		$port   = isset( $parts['port'] ) ? ':' . $parts['port'] : '';
		return $scheme . $parts['host'] . $port . ( isset( $parts['path'] ) ? $parts['path'] : '' );
	}

	/** A command without its arguments. */
	public static function command( $command ) {
		$command = is_array( $command ) ? reset( $command ) : $command;
		self::note( 'command', strtok( trim( (string) $command ), " \t\n" ) );
	}

	/** Recipients, as a list or as one text. */
	public static function mail( $to ) {
		self::note( 'mail', implode( ', ', (array) $to ) );
		return true;
	}

	/** In place of any request of WordPress' own. */
	public static function http( $answer, $arguments = array(), $url = '' ) {
		self::note( 'http', self::address( $url ) );
		return new WP_Error( 'http_request_failed', 'A rehearsal sends no requests.' );
	}

	/** In place of any mail of WordPress' own. */
	public static function wp_mail( $answer, $mail = array() ) {
		return self::mail( isset( $mail['to'] ) ? $mail['to'] : '' );
	}

	/** Sees what PHP itself refused; how it goes on is left to it. */
	public static function error( $level, $message ) {
		if ( preg_match( '/open_basedir restriction in effect\. File\((.*)\) is not within/', $message, $found ) ) {
			self::note( 'file', $found[1] );
		} elseif ( preg_match( '~\(((?:https?|ftps?)://[^)]*)\).*no suitable wrapper~is', $message, $found ) ) {
			self::note( 'http', self::address( $found[1] ) );
		}
		return false;
	}

	/** Before WordPress has its functions, its filters are an array. */
	public static function filter( $name, $method, $arguments ) {
		$GLOBALS['wp_filter'][ $name ][ PHP_INT_MAX ]['pressroom'] = array(
			'function'      => array( __CLASS__, $method ),
			'accepted_args' => $arguments,
		);
	}
}

Pressroom_Rehearsal::filter( 'pre_http_request', 'http', 3 );
Pressroom_Rehearsal::filter( 'pre_wp_mail', 'wp_mail', 2 );
set_error_handler( array( 'Pressroom_Rehearsal', 'error' ), E_WARNING );

// What was taken away may be defined anew since PHP 8; before, PHP warns.
if ( ! function_exists( 'mail' ) ) {
	function mail( $to, $subject = '', $message = '', $headers = array(), $params = '' ) {
		return Pressroom_Rehearsal::mail( $to );
	}
}
if ( ! function_exists( 'mb_send_mail' ) ) {
	function mb_send_mail( $to, $subject = '', $message = '', $headers = array(), $params = null ) {
		return Pressroom_Rehearsal::mail( $to );
	}
}
if ( PHP_VERSION_ID >= 80000 ) {
	if ( extension_loaded( 'curl' ) && ! function_exists( 'curl_exec' ) ) {
		function curl_exec( $handle ) {
			Pressroom_Rehearsal::note( 'http', Pressroom_Rehearsal::address( curl_getinfo( $handle, CURLINFO_EFFECTIVE_URL ) ) );
			return false;
		}
		function curl_errno( $handle ) {
			return 7;
		}
		function curl_error( $handle ) {
			return 'A rehearsal sends no requests.';
		}
	}
	if ( extension_loaded( 'curl' ) && ! function_exists( 'curl_multi_exec' ) ) {
		function curl_multi_exec( $multi, &$running ) {
			$running = 0;
			Pressroom_Rehearsal::note( 'http', 'several at once' );
			return CURLM_INTERNAL_ERROR;
		}
	}
	if ( ! function_exists( 'fsockopen' ) ) {
		function fsockopen( $host, $port = -1, &$code = null, &$message = null, $timeout = null ) {
			Pressroom_Rehearsal::note( 'socket', $port > 0 ? "$host:$port" : $host );
			$code    = 111;
			$message = 'Connection refused';
			return false;
		}
	}
	if ( ! function_exists( 'pfsockopen' ) ) {
		function pfsockopen( $host, $port = -1, &$code = null, &$message = null, $timeout = null ) {
			return fsockopen( $host, $port, $code, $message );
		}
	}
	if ( ! function_exists( 'stream_socket_client' ) ) {
		function stream_socket_client( $address, &$code = null, &$message = null, $timeout = null, $flags = 0, $context = null ) {
			Pressroom_Rehearsal::note( 'socket', $address );
			$code    = 111;
			$message = 'Connection refused';
			return false;
		}
	}
	if ( ! function_exists( 'socket_connect' ) ) {
		function socket_connect( $socket, $address, $port = null ) {
			Pressroom_Rehearsal::note( 'socket', null === $port ? $address : "$address:$port" );
			return false;
		}
	}
	if ( ! function_exists( 'socket_sendto' ) ) {
		function socket_sendto( $socket, $data, $length, $flags, $address, $port = null ) {
			Pressroom_Rehearsal::note( 'socket', null === $port ? $address : "$address:$port" );
			return false;
		}
	}
	if ( ! function_exists( 'socket_sendmsg' ) ) {
		function socket_sendmsg( $socket, $message, $flags = 0 ) {
			Pressroom_Rehearsal::note( 'socket', 'a message' );
			return false;
		}
	}
	if ( ! function_exists( 'ftp_connect' ) ) {
		function ftp_connect( $host, $port = 21, $timeout = 90 ) {
			Pressroom_Rehearsal::note( 'socket', "ftp://$host:$port" );
			return false;
		}
	}
	if ( ! function_exists( 'ftp_ssl_connect' ) ) {
		function ftp_ssl_connect( $host, $port = 21, $timeout = 90 ) {
			return ftp_connect( $host, $port );
		}
	}
	if ( ! function_exists( 'ssh2_connect' ) ) {
		function ssh2_connect( $host, $port = 22, $methods = null, $callbacks = null ) {
			Pressroom_Rehearsal::note( 'socket', "ssh://$host:$port" );
			return false;
		}
	}
	if ( ! function_exists( 'exec' ) ) {
		function exec( $command, &$output = null, &$code = null ) {
			Pressroom_Rehearsal::command( $command );
			$output = array();
			$code   = 127;
			return false;
		}
	}
	if ( ! function_exists( 'shell_exec' ) ) {
		function shell_exec( $command ) {
			Pressroom_Rehearsal::command( $command );
			return null;
		}
	}
	if ( ! function_exists( 'system' ) ) {
		function system( $command, &$code = null ) {
			Pressroom_Rehearsal::command( $command );
			$code = 127;
			return false;
		}
	}
	if ( ! function_exists( 'passthru' ) ) {
		function passthru( $command, &$code = null ) {
			Pressroom_Rehearsal::command( $command );
			$code = 127;
			return false;
		}
	}
	if ( ! function_exists( 'popen' ) ) {
		function popen( $command, $mode ) {
			Pressroom_Rehearsal::command( $command );
			return false;
		}
	}
	if ( ! function_exists( 'proc_open' ) ) {
		function proc_open( $command, $descriptors, &$pipes, $directory = null, $environment = null, $options = null ) {
			Pressroom_Rehearsal::command( $command );
			$pipes = array();
			return false;
		}
	}
	if ( ! function_exists( 'pcntl_exec' ) ) {
		function pcntl_exec( $path, $arguments = array(), $environment = array() ) {
			Pressroom_Rehearsal::command( $path );
			return false;
		}
	}
	if ( ! function_exists( 'pcntl_fork' ) ) {
		function pcntl_fork() {
			Pressroom_Rehearsal::note( 'command', 'a process of its own' );
			return -1;
		}
	}
	if ( ! function_exists( 'posix_kill' ) ) {
		function posix_kill( $process, $signal ) {
			Pressroom_Rehearsal::note( 'command', 'a signal' );
			return false;
		}
	}
}
