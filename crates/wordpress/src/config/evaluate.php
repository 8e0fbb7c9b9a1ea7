<?php
/**
 * Runs a wp-config.php as WordPress would, up to the point where it loads
 * wp-settings.php, and prints what is defined then in one framed answer.
 *
 * Whatever file of that name is opened is empty but for one call: the plain file
 * wrapper is replaced by one that knows this name and passes everything else on.
 * So nothing of WordPress is run, wherever the configuration says that it lies.
 */

final class Pressroom_Evaluation {
	public static $config;
	private static $nonce;
	private static $before;
	private static $answered = false;

	public static function start() {
		$request = json_decode( (string) stream_get_contents( STDIN ), true );
		if ( ! is_array( $request ) ) {
			fwrite( STDERR, "the request cannot be read\n" );
			exit( 64 );
		}
		self::$nonce  = $request['nonce'];
		self::$config = hex2bin( $request['config'] );
		$host         = $request['host'];
		$root         = hex2bin( $request['abspath'] );
		$_SERVER['HTTP_HOST']       = $host;
		$_SERVER['SERVER_NAME']     = $host;
		$_SERVER['SERVER_PORT']     = '80';
		$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
		$_SERVER['SERVER_SOFTWARE'] = 'Pressroom';
		$_SERVER['REQUEST_METHOD']  = 'GET';
		$_SERVER['REQUEST_URI']     = '/';
		$_SERVER['QUERY_STRING']    = '';
		$_SERVER['REMOTE_ADDR']     = '127.0.0.1';
		$_SERVER['HTTP_USER_AGENT'] = 'Pressroom';
		$_SERVER['SCRIPT_NAME']     = '/index.php';
		$_SERVER['PHP_SELF']        = '/index.php';
		$_SERVER['DOCUMENT_ROOT']   = rtrim( $root, '/' );
		$_SERVER['SCRIPT_FILENAME'] = $root . 'index.php';
		define( 'ABSPATH', $root );
		chdir( $root );
		self::$before = get_defined_constants();
		Pressroom_Files::attach();
	}

	/** Called from what stands for wp-settings.php. */
	public static function answer( $variables ) {
		if ( self::$answered ) {
			return;
		}
		self::$answered = true;
		$constants = array();
		foreach ( array_diff_key( get_defined_constants(), self::$before ) as $name => $value ) {
			$constants[ bin2hex( $name ) ] = self::told( $value );
		}
		if ( ! array_key_exists( 'table_prefix', $variables ) ) {
			$variables = $GLOBALS;
		}
		$prefix = array_key_exists( 'table_prefix', $variables ) ? self::told( $variables['table_prefix'] ) : null;
		$json   = json_encode( array( 'constants' => (object) $constants, 'table_prefix' => $prefix ) );
		// What the site buffers must not swallow it.
		while ( ob_get_level() > 0 && @ob_end_clean() ) {
			continue;
		}
		fwrite( STDOUT, "\n<<<PRESSROOM " . self::$nonce . ' ' . strlen( $json ) . ' ' . hash( 'sha256', $json ) . '>>>' . $json );
	}

	private static function told( $value ) {
		if ( is_string( $value ) ) {
			return array( 'text' => bin2hex( $value ) );
		}
		if ( is_int( $value ) ) {
			return array( 'int' => $value );
		}
		if ( is_bool( $value ) ) {
			return array( 'bool' => $value );
		}
		return null === $value ? 'null' : 'unknown';
	}
}

final class Pressroom_Files {
	const SETTINGS = '<?php Pressroom_Evaluation::answer( get_defined_vars() ); return;';

	public $context;
	private $handle;

	public static function attach() {
		stream_wrapper_unregister( 'file' );
		stream_wrapper_register( 'file', __CLASS__ );
	}

	/** Something done with plain files. */
	private static function plainly( $act ) {
		stream_wrapper_restore( 'file' );
		try {
			return $act();
		} finally {
			self::attach();
		}
	}

	public function stream_open( $path, $mode, $options, &$opened ) {
		if ( 'wp-settings.php' === basename( $path ) ) {
			$this->handle = fopen( 'php://memory', 'w+' );
			fwrite( $this->handle, self::SETTINGS );
			rewind( $this->handle );
			return true;
		}
		$use   = (bool) ( $options & STREAM_USE_PATH );
		$loud  = (bool) ( $options & STREAM_REPORT_ERRORS );
		$given = $this->context;
		$this->handle = self::plainly(
			static function () use ( $path, $mode, $use, $loud, $given ) {
				$open = static function () use ( $path, $mode, $use, $given ) {
					return $given ? fopen( $path, $mode, $use, $given ) : fopen( $path, $mode, $use );
				};
				return $loud ? $open() : @$open();
			}
		);
		if ( is_resource( $this->handle ) && $use ) {
			$meta   = stream_get_meta_data( $this->handle );
			$opened = isset( $meta['uri'] ) ? $meta['uri'] : $path;
		}
		return is_resource( $this->handle );
	}

	public function stream_read( $count ) {
		return fread( $this->handle, $count );
	}

	public function stream_write( $data ) {
		return fwrite( $this->handle, $data );
	}

	public function stream_eof() {
		return feof( $this->handle );
	}

	public function stream_tell() {
		return ftell( $this->handle );
	}

	public function stream_seek( $offset, $whence = SEEK_SET ) {
		return 0 === fseek( $this->handle, $offset, $whence );
	}

	public function stream_stat() {
		return fstat( $this->handle );
	}

	public function stream_flush() {
		return fflush( $this->handle );
	}

	public function stream_close() {
		fclose( $this->handle );
	}

	public function stream_lock( $operation ) {
		return 0 === $operation || flock( $this->handle, $operation );
	}

	public function stream_truncate( $size ) {
		return ftruncate( $this->handle, $size );
	}

	public function stream_set_option( $option, $one, $two ) {
		return false;
	}

	public function stream_cast( $as ) {
		return $this->handle;
	}

	public function stream_metadata( $path, $option, $value ) {
		return self::plainly(
			static function () use ( $path, $option, $value ) {
				switch ( $option ) {
					case STREAM_META_TOUCH:
						return touch( $path, ...( is_array( $value ) ? $value : array() ) );
					case STREAM_META_ACCESS:
						return chmod( $path, $value );
					default:
						return false;
				}
			}
		);
	}

	public function url_stat( $path, $flags ) {
		return self::plainly(
			static function () use ( $path, $flags ) {
				$link = (bool) ( $flags & STREAM_URL_STAT_LINK );
				if ( $flags & STREAM_URL_STAT_QUIET ) {
					return $link ? @lstat( $path ) : @stat( $path );
				}
				return $link ? lstat( $path ) : stat( $path );
			}
		);
	}

	public function dir_opendir( $path, $options ) {
		$this->handle = self::plainly(
			static function () use ( $path ) {
				return opendir( $path );
			}
		);
		return is_resource( $this->handle );
	}

	public function dir_readdir() {
		return readdir( $this->handle );
	}

	public function dir_rewinddir() {
		rewinddir( $this->handle );
		return true;
	}

	public function dir_closedir() {
		closedir( $this->handle );
		return true;
	}

	public function unlink( $path ) {
		return self::plainly(
			static function () use ( $path ) {
				return unlink( $path );
			}
		);
	}

	public function rename( $from, $to ) {
		return self::plainly(
			static function () use ( $from, $to ) {
				return rename( $from, $to );
			}
		);
	}

	public function mkdir( $path, $mode, $options ) {
		return self::plainly(
			static function () use ( $path, $mode, $options ) {
				return mkdir( $path, $mode, (bool) ( $options & STREAM_MKDIR_RECURSIVE ) );
			}
		);
	}

	public function rmdir( $path, $options ) {
		return self::plainly(
			static function () use ( $path ) {
				return rmdir( $path );
			}
		);
	}
}

Pressroom_Evaluation::start();
// In the global scope, as WordPress includes it.
require Pressroom_Evaluation::$config;
