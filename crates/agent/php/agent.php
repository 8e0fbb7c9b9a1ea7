<?php
/** The session: takes frames, carries out one request after the other. */
final class Pressroom_Agent {
	const VERSION        = 1;
	const MAX_REQUESTS   = 16;
	const MAX_CHUNK      = 65536;
	const INITIAL_CREDIT = 1048576;
	const MAX_ANSWER     = 16777216;
	const MAX_DEADLINE   = 3600;
	/** How it ends on a PHP that it does not run on; known to the carrier. */
	const TOO_OLD = 217;

	/** The programs for other PHP processes by name, and the hashes of our drop-ins. */
	public static $programs = array();

	private static $wire;
	/** Requests under way, the one that is being served first: stream => call. */
	private static $waiting = array();
	/** The data of those that take any: stream => upload. */
	private static $uploads = array();
	private static $last    = 0;
	/** The stream that is being served, its end, its credit, and whether it is withdrawn. */
	private static $stream   = 0;
	private static $deadline = 0;
	private static $credit   = 0;
	private static $withdrawn = false;

	public static function serve( $home, $release, $programs ) {
		if ( PHP_VERSION_ID < 70400 ) {
			exit( self::TOO_OLD );
		}
		self::$programs = $programs;
		self::$wire     = new Pressroom_Wire();
		umask( 0022 );
		try {
			if ( ! self::$wire->greet() ) {
				return;
			}
			self::welcome( $home, $release );
			while ( true ) {
				while ( ! self::$waiting ) {
					self::hear( 60 );
				}
				self::carry_out( key( self::$waiting ) );
			}
		} catch ( Pressroom_Closed $end ) {
			return;
		} catch ( Pressroom_Refused $why ) {
			self::$wire->send( Pressroom_Wire::REFUSAL, 0, self::refusal( $why ) );
		}
	}

	private static function welcome( $home, $release ) {
		if ( 0 === Pressroom_Home::user() ) {
			throw new Pressroom_Refused( 'bad_input', "the agent runs as a site's own user and refuses to run as root" );
		}
		Pressroom_Home::open( $home );
		$welcome = array(
			'version' => self::VERSION,
			'release' => $release,
			'uid'     => Pressroom_Home::user(),
			'fence'   => array( 'epoch' => Pressroom_Home::seen() ),
			'form'    => 'php',
		);
		self::$wire->send( Pressroom_Wire::WELCOME, 0, self::json( $welcome ) );
	}

	/** Waits for frames, or for one of these streams; answers which of them are ready. */
	public static function hear( $seconds, $others = array() ) {
		$ready = array( STDIN );
		foreach ( $others as $other ) {
			$ready[] = $other;
		}
		$none = null;
		$some = @stream_select( $ready, $none, $none, (int) $seconds, (int) ( ( $seconds - (int) $seconds ) * 1000000 ) );
		if ( ! $some ) {
			return array();
		}
		$of_others = array();
		foreach ( $ready as $stream ) {
			if ( STDIN !== $stream ) {
				$of_others[] = $stream;
				continue;
			}
			self::$wire->take();
			while ( null !== ( $frame = self::$wire->next() ) ) {
				self::route( ...$frame );
			}
		}
		return $of_others;
	}

	/** Refuses to go on when nobody waits any more; hears what came meanwhile. */
	public static function check() {
		self::hear( 0 );
		if ( self::$withdrawn ) {
			throw new Pressroom_Refused( 'cancelled', 'cancelled' );
		}
		if ( microtime( true ) > self::$deadline ) {
			throw new Pressroom_Refused( 'deadline', 'the deadline passed' );
		}
	}

	/** Gives bytes of a download, as fast as they are taken. */
	public static function give( $bytes ) {
		while ( '' !== $bytes ) {
			while ( self::$credit < 1 ) {
				self::hear( 0.1 );
				self::check();
			}
			$chunk         = (string) substr( $bytes, 0, min( self::MAX_CHUNK, self::$credit ) );
			$bytes         = (string) substr( $bytes, strlen( $chunk ) );
			self::$credit -= strlen( $chunk );
			self::$wire->send( Pressroom_Wire::DATA, self::$stream, $chunk );
		}
	}

	/** Bytes of the upload, as they come; none at its end. */
	public static function receive() {
		$upload = self::$uploads[ self::$stream ];
		self::check();
		while ( ! $upload->is_ready() ) {
			self::hear( 1 );
			self::check();
		}
		list( $bytes, $grant ) = $upload->take();
		if ( null !== $grant ) {
			self::$wire->send( Pressroom_Wire::CREDIT, self::$stream, pack( 'N', $grant ) );
		}
		return $bytes;
	}

	private static function route( $kind, $stream, $payload ) {
		switch ( $kind ) {
			case Pressroom_Wire::PING:
				self::$wire->send( Pressroom_Wire::PONG, $stream, $payload );
				return;
			case Pressroom_Wire::CREDIT:
				if ( $stream === self::$stream ) {
					self::$credit += unpack( 'N', $payload )[1];
				}
				return;
			case Pressroom_Wire::CANCEL:
				if ( $stream === self::$stream ) {
					self::$withdrawn = true;
				} elseif ( isset( self::$waiting[ $stream ] ) ) {
					unset( self::$waiting[ $stream ], self::$uploads[ $stream ] );
					self::refuse( $stream, new Pressroom_Refused( 'cancelled', 'cancelled' ) );
				}
				return;
			case Pressroom_Wire::REQUEST:
				if ( $stream <= self::$last ) {
					throw new Pressroom_Closed();
				}
				self::$last = $stream;
				if ( count( self::$waiting ) >= self::MAX_REQUESTS ) {
					self::refuse( $stream, new Pressroom_Refused( 'busy', 'as many requests as are taken at once are under way' ) );
					return;
				}
				$call = json_decode( $payload );
				if ( ! is_object( $call ) || ! isset( $call->op, $call->deadline_ms ) ) {
					self::refuse( $stream, new Pressroom_Refused( 'bad_input', 'the request is not understood' ) );
					return;
				}
				$call->until              = microtime( true ) + min( self::MAX_DEADLINE, $call->deadline_ms / 1000 );
				self::$waiting[ $stream ] = $call;
				if ( in_array( $call->op, Pressroom_Requests::TAKE_DATA, true ) ) {
					self::$uploads[ $stream ] = new Pressroom_Upload();
				}
				return;
			case Pressroom_Wire::DATA:
			case Pressroom_Wire::END:
				if ( isset( self::$uploads[ $stream ] ) ) {
					$upload = self::$uploads[ $stream ];
					Pressroom_Wire::DATA === $kind ? $upload->arrive( $payload ) : $upload->complete();
				}
				// Otherwise of a request that was answered already, or takes none.
				return;
			default:
				return;
		}
	}

	private static function carry_out( $stream ) {
		$call            = self::$waiting[ $stream ];
		self::$stream    = $stream;
		self::$deadline  = $call->until;
		self::$credit    = self::INITIAL_CREDIT;
		self::$withdrawn = false;
		try {
			self::check();
			$answer = Pressroom_Requests::carry_out( $call );
			self::answer( $answer, 'run_command' === $call->op );
		} catch ( Pressroom_Refused $why ) {
			self::refuse( $stream, $why );
		} catch ( Pressroom_Closed $end ) {
			throw $end;
		} catch ( Throwable $fault ) {
			self::refuse( $stream, new Pressroom_Refused( 'internal', 'the agent failed: ' . $fault->getMessage() . ' in line ' . $fault->getLine() ) );
		}
		unset( self::$waiting[ $stream ], self::$uploads[ $stream ] );
		self::$stream = 0;
	}

	/** The answer but for its last part, which ends the stream. */
	private static function answer( $answer, $whole ) {
		$body = self::json( $answer );
		if ( strlen( $body ) > ( $whole ? Pressroom_Wire::MAX_FRAME : self::MAX_ANSWER ) ) {
			throw new Pressroom_Refused( 'bad_input', 'the answer would have ' . strlen( $body ) . ' bytes' );
		}
		if ( ! $whole && strlen( $body ) > self::MAX_CHUNK ) {
			$sent = strlen( $body ) - self::MAX_CHUNK;
			self::give( substr( $body, 0, $sent ) );
			$body = substr( $body, $sent );
		}
		self::$wire->send( Pressroom_Wire::RESPONSE, self::$stream, $body );
	}

	private static function refuse( $stream, $why ) {
		self::$wire->send( Pressroom_Wire::REFUSAL, $stream, self::refusal( $why ) );
	}

	private static function refusal( $why ) {
		return self::json(
			array(
				'code'    => $why->reason,
				'message' => $why->getMessage(),
			)
		);
	}

	/** Text that is no UTF-8 loses what is not. */
	public static function json( $value ) {
		$flags = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE | JSON_PRESERVE_ZERO_FRACTION;
		return (string) json_encode( $value, $flags );
	}
}
