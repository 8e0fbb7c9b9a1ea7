<?php
/**
 * The agent in PHP, for hosts on which the other one cannot run: it speaks the same
 * frames over standard input and output and carries out what PHP can.
 *
 * Its parts stand in files of their own and are joined into one program, which comes
 * over standard input and is written nowhere. Runs on PHP 7.4 and later. It does one
 * thing at a time; while that waits, pings are answered and withdrawals are heard.
 */

/** A request that is not carried out; the codes are those of `RefusalCode`. */
final class Pressroom_Refused extends Exception {
	public $reason;

	public function __construct( $reason, $message ) {
		parent::__construct( $message );
		$this->reason = $reason;
	}

	public static function missing( $path ) {
		return new self( 'missing', "`$path` does not exist" );
	}

	public static function path( $path ) {
		return new self( 'bad_path', "path `$path` is not inside the site" );
	}

	public static function io( $act, $path ) {
		$last = error_get_last();
		$why  = $last ? preg_replace( '/^[^:]*\): /', '', $last['message'] ) : 'the system refused';
		error_clear_last();
		if ( false !== stripos( $why, 'no space left' ) || false !== stripos( $why, 'quota' ) ) {
			return new self( 'no_space', "no space left to $act `$path`" );
		}
		return new self( 'io', "$act `$path` failed: $why" );
	}
}

/** The other side closed the pipe. */
final class Pressroom_Closed extends Exception {}

/** `u32 length | u8 kind | u32 stream | payload`, big-endian; see `frame.rs`. */
final class Pressroom_Wire {
	const WELCOME   = 0;
	const REQUEST   = 1;
	const RESPONSE  = 2;
	const REFUSAL   = 3;
	const DATA      = 4;
	const END       = 5;
	const CREDIT    = 6;
	const CANCEL    = 7;
	const PING      = 8;
	const PONG      = 9;
	const HEADER    = 9;
	const MAX_FRAME = 262144;
	const MAX_LINE  = 96;

	private $pending = '';

	/** Reads the caller's line and answers it; false when no version is in common. */
	public function greet() {
		$line = '';
		while ( strlen( $line ) < self::MAX_LINE ) {
			$byte = fgetc( STDIN );
			if ( false === $byte ) {
				throw new Pressroom_Closed();
			}
			if ( "\n" === $byte ) {
				break;
			}
			$line .= $byte;
		}
		if ( ! preg_match( '/^PRESSROOM ([0-9a-f]{32}) (\d{1,5})-(\d{1,5})\r?$/D', $line, $said ) ) {
			throw new Pressroom_Closed();
		}
		list( , $nonce, $oldest, $newest ) = $said;
		$ours = Pressroom_Agent::VERSION;
		if ( $oldest > $ours || $newest < $ours ) {
			$this->write( "PRESSROOM-AGENT $nonce none $ours-$ours\n" );
			return false;
		}
		$this->write( "PRESSROOM-AGENT $nonce $ours\n" );
		stream_set_blocking( STDIN, false );
		return true;
	}

	public function send( $kind, $stream, $payload ) {
		$this->write( pack( 'NCN', strlen( $payload ), $kind, $stream ) . $payload );
	}

	/** Takes what has come; to be called when there is something to read. */
	public function take() {
		$bytes = fread( STDIN, 65536 );
		if ( false === $bytes || ( '' === $bytes && feof( STDIN ) ) ) {
			throw new Pressroom_Closed();
		}
		$this->pending .= $bytes;
	}

	/** The next whole frame as kind, stream and payload; null when there is none yet. */
	public function next() {
		if ( strlen( $this->pending ) < self::HEADER ) {
			return null;
		}
		$head = unpack( 'Nlength/Ckind/Nstream', $this->pending );
		if ( $head['length'] > self::MAX_FRAME || $head['kind'] > self::PONG ) {
			throw new Pressroom_Closed();
		}
		$end = self::HEADER + $head['length'];
		if ( strlen( $this->pending ) < $end ) {
			return null;
		}
		$payload       = (string) substr( $this->pending, self::HEADER, $head['length'] );
		$this->pending = (string) substr( $this->pending, $end );
		return array( $head['kind'], $head['stream'], $payload );
	}

	private function write( $bytes ) {
		for ( $sent = 0; $sent < strlen( $bytes ); $sent += $wrote ) {
			$wrote = @fwrite( STDOUT, substr( $bytes, $sent, 65536 ) );
			if ( ! $wrote ) {
				throw new Pressroom_Closed();
			}
		}
		fflush( STDOUT );
	}
}
