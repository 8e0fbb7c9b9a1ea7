<?php
/** A process of its own group that ends with what was asked of it. */
final class Pressroom_Child {
	const PATH   = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
	const LINGER = 0.5;
	/** What PHP is told whatever the machine's configuration says; see `process.rs`. */
	const SETTINGS = array(
		'display_errors=stderr',
		'log_errors=0',
		'html_errors=0',
		'max_execution_time=0',
		'implicit_flush=1',
		'auto_prepend_file=',
		'auto_append_file=',
		'zend.exception_ignore_args=1',
		'opcache.preload=',
		'opcache.enable_cli=0',
		'disable_functions=',
	);

	public $code   = null;
	public $signal = null;
	public $overdue = false;

	private $process;
	private $pid;
	private $pipes = array();
	private $grouped;
	private $input;

	/** Null when there is no such program. */
	public static function start( $argv, $dir, $environment, $input ) {
		$setsid  = self::find( 'setsid' );
		$command = $setsid ? array_merge( array( $setsid ), $argv ) : $argv;
		$files   = array( array( 'pipe', 'r' ), array( 'pipe', 'w' ), array( 'pipe', 'w' ) );
		$process = @proc_open( $command, $files, $pipes, $dir, $environment );
		if ( ! is_resource( $process ) ) {
			return null;
		}
		$child          = new self();
		$child->process = $process;
		$child->pipes   = $pipes;
		$child->grouped = (bool) $setsid;
		$child->input   = $input;
		$child->pid     = $child->look()['pid'];
		foreach ( $pipes as $pipe ) {
			stream_set_blocking( $pipe, false );
		}
		return $child;
	}

	/** A program on the search path. */
	public static function find( $name ) {
		if ( false !== strpos( $name, '/' ) ) {
			return $name;
		}
		foreach ( explode( ':', (string) ( getenv( 'PATH' ) ?: self::PATH ) ) as $dir ) {
			if ( '' !== $dir && is_file( "$dir/$name" ) && is_executable( "$dir/$name" ) ) {
				return "$dir/$name";
			}
		}
		return null;
	}

	/** A script of ours, which comes before its input, so that nothing is written to disk. */
	public static function php( $php, $memory_mb, $script, $input, $dir ) {
		if ( '' === $php || '-' === $php[0] || false !== strpos( $php, "\0" ) ) {
			throw new Pressroom_Refused( 'no_php', "`$php` is no command for PHP" );
		}
		$found = self::find( $php );
		if ( null === $found || ! is_executable( $found ) ) {
			throw new Pressroom_Refused( 'no_php', "`$php` did not start: there is no such program" );
		}
		$argv = array( $found );
		foreach ( self::SETTINGS as $setting ) {
			array_push( $argv, '-d', $setting );
		}
		array_push( $argv, '-d', 'memory_limit=' . max( 64, $memory_mb ) . 'M', '-r' );
		$argv[] = 'eval("?>" . stream_get_contents(STDIN, ' . strlen( $script ) . '));';
		$home   = Pressroom_Home::path();
		$child  = self::start(
			$argv,
			$dir,
			array(
				'HOME'   => $home,
				'TMPDIR' => "$home/tmp",
				'PATH'   => getenv( 'PATH' ) ?: self::PATH,
			),
			$script . $input
		);
		if ( null === $child ) {
			throw new Pressroom_Refused( 'no_php', "`$php` did not start" );
		}
		return $child;
	}

	/**
	 * Follows it to its end and hands on what it prints: channel (1 or 2) and bytes.
	 * `$look` is called now and then and may end it by throwing.
	 */
	public function follow( $take, $look, $limit = null ) {
		$since = microtime( true );
		$ended = null;
		try {
			while ( true ) {
				$look();
				if ( null !== $limit && ! $this->overdue && microtime( true ) - $since >= $limit ) {
					$this->overdue = true;
					$this->kill( 9 );
				}
				$this->feed();
				$open = array_filter( array( 1 => $this->pipes[1], 2 => $this->pipes[2] ) );
				$wait = $open && null === $this->pipes[0] ? 0.02 : 0.001;
				foreach ( Pressroom_Agent::hear( $wait, array_values( $open ) ) as $pipe ) {
					$channel = $pipe === $this->pipes[1] ? 1 : 2;
					$bytes   = fread( $pipe, 32768 );
					if ( false !== $bytes && '' !== $bytes ) {
						$take( $channel, $bytes );
					} elseif ( feof( $pipe ) ) {
						fclose( $pipe );
						$this->pipes[ $channel ] = null;
						$open                    = array_diff_key( $open, array( $channel => 1 ) );
					}
				}
				if ( null === $ended && $this->has_ended() ) {
					$ended = microtime( true );
					$this->kill_rest();
				}
				if ( null !== $ended && ( ! $open || microtime( true ) - $ended > self::LINGER ) ) {
					return;
				}
			}
		} finally {
			$this->end();
		}
	}

	/** Signals the process and its group; nobody once it has ended, when its number is free. */
	public function kill( $signal ) {
		if ( null !== $this->code || null !== $this->signal ) {
			return;
		}
		// It may have no group of its own yet.
		self::send( $signal, $this->pid );
		if ( $this->grouped ) {
			self::send( $signal, -$this->pid );
		}
	}

	/** Ends what it left behind in its group: at once, while the group still has its number. */
	private function kill_rest() {
		if ( $this->grouped ) {
			self::send( 9, -$this->pid );
		}
	}

	private static function send( $signal, $whom ) {
		if ( function_exists( 'posix_kill' ) ) {
			posix_kill( $whom, $signal );
			return;
		}
		$files   = array_fill( 0, 3, array( 'file', '/dev/null', 'r+' ) );
		$process = @proc_open( array( 'sh', '-c', 'kill -"$0" -- "$1"', (string) $signal, (string) $whom ), $files, $none );
		if ( is_resource( $process ) ) {
			proc_close( $process );
		}
	}

	private function feed() {
		if ( null === $this->pipes[0] ) {
			return;
		}
		$wrote = '' === $this->input ? 0 : @fwrite( $this->pipes[0], substr( $this->input, 0, 65536 ) );
		if ( $wrote ) {
			$this->input = (string) substr( $this->input, $wrote );
		}
		// One that reads no more has its reasons, and its end says them.
		if ( '' === $this->input || false === $wrote ) {
			fclose( $this->pipes[0] );
			$this->pipes[0] = null;
		}
	}

	private function has_ended() {
		return ! $this->look()['running'];
	}

	/** How it ended is told once, to whoever looks first. */
	private function look() {
		$status = proc_get_status( $this->process );
		if ( ! $status['running'] && null === $this->code && null === $this->signal ) {
			if ( $status['signaled'] ) {
				$this->signal = $status['termsig'];
			} else {
				$this->code = $status['exitcode'];
			}
		}
		return $status;
	}

	private function end() {
		$this->kill( 9 );
		foreach ( $this->pipes as $pipe ) {
			if ( is_resource( $pipe ) ) {
				fclose( $pipe );
			}
		}
		$this->pipes = array( null, null, null );
		proc_close( $this->process );
	}
}
