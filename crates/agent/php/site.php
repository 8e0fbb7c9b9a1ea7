<?php
/** Whether a site can be worked on, room on the disk, a command of somebody's own; see the files of these names in Rust. */
final class Pressroom_Site {
	const GRACE = 2;

	public static function check_adoption( $root ) {
		$path  = Pressroom_Home::resolve( $root );
		$found = is_dir( $path ) ? @lstat( $path ) : false;
		if ( ! $found ) {
			throw Pressroom_Refused::missing( $path );
		}
		$we = Pressroom_Home::user();
		if ( $found['uid'] !== $we ) {
			throw new Pressroom_Refused( 'bad_input', "`$path` belongs to the user with the id {$found['uid']}, and not to the one with the id $we who works here" );
		}
		$home = Pressroom_Home::path();
		if ( ! is_writable( $home ) ) {
			throw new Pressroom_Refused( 'bad_input', "the site's user cannot write to `$home`, the directory above WordPress: a new version is laid out and exchanged there, where no visitor reaches it" );
		}
		Pressroom_Home::state();
		if ( stat( $home )['dev'] !== $found['dev'] ) {
			throw new Pressroom_Refused( 'bad_input', "`$path` is a disk of its own: what is laid out beside it could not be exchanged with it in one step" );
		}
	}

	/** As `du` counts regular files, links not followed. */
	public static function disk_usage( $relative ) {
		$path = Pressroom_Home::resolve( $relative );
		if ( ! is_dir( $path ) ) {
			throw Pressroom_Refused::missing( $relative );
		}
		$usage = array(
			'files' => 0,
			'bytes' => 0,
		);
		$seen  = array();
		for ( $open = array( $path ); $open; ) {
			$dir   = array_pop( $open );
			$names = @scandir( $dir, SCANDIR_SORT_NONE );
			Pressroom_Agent::check();
			foreach ( (array) $names as $name ) {
				$found = '.' === $name || '..' === $name ? false : @lstat( "$dir/$name" );
				$kind  = $found ? $found['mode'] & 0170000 : 0;
				if ( 0040000 === $kind ) {
					$open[] = "$dir/$name";
				} elseif ( 0100000 === $kind ) {
					$id = $found['dev'] . ':' . $found['ino'];
					if ( $found['nlink'] < 2 || ! isset( $seen[ $id ] ) ) {
						$usage['bytes'] += 512 * max( 0, $found['blocks'] );
					}
					if ( $found['nlink'] > 1 ) {
						$seen[ $id ] = true;
					}
					++$usage['files'];
				}
			}
		}
		$free  = @disk_free_space( $path );
		$total = @disk_total_space( $path );
		if ( false !== $free && false !== $total ) {
			$usage['room'] = array(
				'free'  => (int) $free,
				'total' => (int) $total,
			);
		}
		return $usage;
	}

	/** Runs a command and gives what it prints in records: channel, length, bytes. */
	public static function run_command( $epoch, $command ) {
		$argv      = $command->argv;
		$variables = isset( $command->variables ) ? (array) $command->variables : array();
		$words     = implode( '', $argv ) . implode( '', $variables );
		$names     = preg_grep( '/^[A-Z0-9_]+$/D', array_keys( $variables ), PREG_GREP_INVERT );
		if ( ! $argv || '' === $argv[0] || $names || strlen( $words ) + count( $argv ) > 131072 || false !== strpos( $words, "\0" ) ) {
			throw new Pressroom_Refused( 'bad_input', $argv ? 'this is no command to run' : 'there is no command to run' );
		}
		$dir = Pressroom_Home::resolve( $command->root );
		if ( ! is_dir( $dir ) ) {
			throw Pressroom_Refused::missing( $command->root );
		}
		$home        = Pressroom_Home::path();
		$environment = array(
			'PATH' => getenv( 'PATH' ) ?: Pressroom_Child::PATH,
			'HOME' => $home,
			'LANG' => 'C.UTF-8',
			'PWD'  => $dir,
		);
		if ( is_dir( "$home/tmp" ) && ! is_link( "$home/tmp" ) ) {
			$environment['TMPDIR'] = "$home/tmp";
		}
		$end    = array(
			'exit_code'     => null,
			'signal'        => null,
			'timed_out'     => false,
			'stdout_bytes'  => 0,
			'stderr_bytes'  => 0,
			'dropped_bytes' => 0,
			'duration_ms'   => 0,
		);
		$room   = $command->keep_bytes;
		$pass   = static function ( $channel, $bytes ) use ( &$end, &$room ) {
			$end[ 1 === $channel ? 'stdout_bytes' : 'stderr_bytes' ] += strlen( $bytes );
			$fits                  = min( $room, strlen( $bytes ) );
			$room                 -= $fits;
			$end['dropped_bytes'] += strlen( $bytes ) - $fits;
			if ( $fits > 0 ) {
				Pressroom_Agent::give( pack( 'CN', $channel, $fits ) . substr( $bytes, 0, $fits ) );
			}
		};
		$found  = Pressroom_Child::find( $argv[0] );
		$can    = null !== $found && is_file( self::from( $dir, $found ) ) && is_executable( self::from( $dir, $found ) );
		$child  = $can ? Pressroom_Child::start( $argv, $dir, $variables + $environment, '' ) : null;
		if ( null === $child ) {
			$there            = null !== $found && file_exists( self::from( $dir, $found ) );
			$end['exit_code'] = $there ? 126 : 127;
			$pass( 2, $argv[0] . ': ' . ( $there ? 'Permission denied' : 'command not found' ) . "\n" );
			return $end;
		}
		$since  = microtime( true );
		$fenced = $since;
		$told   = null;
		$why    = null;
		$limit  = min( 3300, $command->limit_ms / 1000 );
		$look   = static function () use ( $child, $epoch, $since, $limit, &$fenced, &$told, &$why, &$end ) {
			$now = microtime( true );
			if ( null !== $told ) {
				if ( $now - $told > self::GRACE ) {
					$child->kill( 9 );
				}
				return;
			}
			try {
				Pressroom_Agent::check();
				if ( null !== $epoch && $now - $fenced > 1 ) {
					$fenced = $now;
					Pressroom_Home::check( $epoch );
				}
				$end['timed_out'] = $now - $since >= $limit;
			} catch ( Pressroom_Refused $withdrawn ) {
				$why = $withdrawn;
			}
			if ( $end['timed_out'] || null !== $why ) {
				$told = $now;
				$child->kill( 15 );
				$child->kill( 18 );
			}
		};
		$take   = static function ( $channel, $bytes ) use ( $pass, &$why, &$told, $child ) {
			if ( null !== $why ) {
				return;
			}
			try {
				$pass( $channel, $bytes );
			} catch ( Pressroom_Refused $withdrawn ) {
				$why  = $withdrawn;
				$told = microtime( true );
				$child->kill( 15 );
				$child->kill( 18 );
			}
		};
		$child->follow( $take, $look );
		if ( null !== $why ) {
			throw $why;
		}
		$end['exit_code']   = $child->code;
		$end['signal']      = $child->signal;
		$end['duration_ms'] = (int) ( 1000 * ( microtime( true ) - $since ) );
		return $end;
	}

	private static function from( $dir, $program ) {
		return '/' === $program[0] ? $program : "$dir/$program";
	}
}
