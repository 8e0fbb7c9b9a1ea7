<?php
/**
 * Boots WordPress once, runs a list of actions, and tells what became of each.
 *
 * The parts of this program stand in files of their own and are joined into one.
 * The request comes over standard input, because arguments are visible to every
 * user of the machine. Runs on PHP 7.4 and later. WordPress must be loaded in the
 * global scope (wp-config.php sets global variables), so the last part loads it and
 * everything else keeps its state in classes.
 */

/** WordPress called wp_die(), or one of our own checks refused. */
final class Pressroom_Died extends Exception {
	public $name;

	public function __construct( $message, $name = 'died' ) {
		parent::__construct( $message );
		$this->name = $name;
	}
}

/** An action of several parts of which some failed: data and the first failure. */
final class Pressroom_Partly {
	public $data;
	public $code;
	public $error;
	public $blame;

	public function __construct( $data, $code, $error, $blame = null ) {
		$this->data  = $data;
		$this->code  = $code;
		$this->error = $error;
		$this->blame = $blame;
	}
}

/** The run itself: actions, outcomes, and what is told about an early end. */
final class Pressroom_Bridge {
	/** Above this, an outcome is refused instead of told; all of them count together. */
	const MOST_TOLD = 15728640;

	private static $request;
	private static $nonce;
	private static $printed = false;
	private static $told    = 0;
	private static $reserve;
	private static $phase   = 'start';
	/** Words for what ended the run early. */
	private static $fatal;
	/** The component that ended it, see Pressroom_Blame. */
	private static $blame;
	/** The action that is being run. */
	private static $action;
	/** What the action has done so far, told when it dies. */
	private static $partial;
	/** What takes back a half-done act when PHP dies in it. */
	private static $undo;
	private static $undone;
	/** What the action generated and only its caller may see. */
	private static $secret;
	/** Whether site code may reach the network and send mail. */
	private static $outside = false;

	public static function start() {
		$request = json_decode( (string) stream_get_contents( STDIN ), true );
		if ( ! is_array( $request ) ) {
			fwrite( STDERR, "the request cannot be read\n" );
			exit( 64 );
		}
		self::$nonce   = $request['nonce'];
		self::$request = $request;
		self::$outside = ! empty( $request['network'] );
		// What is left to speak with when a site has used up all memory.
		self::$reserve = str_repeat( 'x', 262144 );
		register_shutdown_function( array( __CLASS__, 'shutdown' ) );
		set_exception_handler( array( __CLASS__, 'uncaught' ) );
		$hooks = array(
			'wp_die_handler'      => 'die_handler',
			'wp_die_ajax_handler' => 'die_handler',
			'wp_die_json_handler' => 'die_handler',
			'pre_wp_mail'         => 'no_mail',
			'pre_http_request'    => 'no_http',
		);
		foreach ( $hooks as $hook => $method ) {
			self::hook_early( $hook, array( __CLASS__, $method ) );
		}
		Pressroom_Boot::prepare( $request );
		self::$phase = 'boot';
	}

	/** WordPress takes over what stands here before it loads. */
	public static function hook_early( $hook, $callable, $arguments = 1 ) {
		$GLOBALS['wp_filter'][ $hook ][ PHP_INT_MAX ][] = array(
			'function'      => $callable,
			'accepted_args' => $arguments,
		);
	}

	public static function request( $name ) {
		return isset( self::$request[ $name ] ) ? self::$request[ $name ] : null;
	}

	public static function load_file() {
		return self::$request['root'] . '/wp-load.php';
	}

	public static function is_booting() {
		return 'boot' === self::$phase;
	}

	public static function die_handler() {
		return array( __CLASS__, 'died' );
	}

	public static function died( $message ) {
		if ( is_object( $message ) && method_exists( $message, 'get_error_message' ) ) {
			$message = $message->get_error_message();
		}
		$text = trim( preg_replace( '/\s+/', ' ', strip_tags( (string) $message ) ) );
		if ( 'actions' === self::$phase ) {
			throw new Pressroom_Died( $text );
		}
		self::$blame = Pressroom_Blame::trace( debug_backtrace( DEBUG_BACKTRACE_IGNORE_ARGS ) );
		self::$fatal = '' === $text ? 'WordPress gave up without a word' : $text;
		exit( 1 );
	}

	public static function no_mail( $given ) {
		return self::$outside ? $given : true;
	}

	public static function no_http( $given ) {
		return self::$outside ? $given : new WP_Error( 'pressroom_no_http', 'The network is not asked during maintenance work.' );
	}

	/** Lets site code reach out for the length of one call. */
	public static function with_outside( $call ) {
		$before        = self::$outside;
		self::$outside = true;
		try {
			return $call();
		} finally {
			self::$outside = $before;
		}
	}

	/** What this action has done so far; `null` for nothing worth telling. */
	public static function so_far( $data ) {
		self::$partial = $data;
	}

	/** Hands over a generated password, apart from what may be shown. */
	public static function secret( $text ) {
		self::$secret = $text;
	}

	/**
	 * What to do should PHP die before the next call; it says whether what was there
	 * before is there again, or `null` when that is not its business.
	 */
	public static function undo_with( $call ) {
		self::$undo = $call;
	}

	public static function run() {
		Pressroom_Boot::finish();
		self::$phase = 'actions';
		self::note( array( 'booted' => true ) );
		foreach ( self::$request['actions'] as $action ) {
			self::$action  = $action;
			self::$partial = null;
			self::$undo    = null;
			self::$secret  = null;
			$outcome       = self::perform( $action );
			self::$action  = null;
			self::tell( $outcome );
		}
		self::$phase = 'done';
		self::answer();
	}

	private static function outcome() {
		return array( 'ok' => false, 'error' => null, 'code' => null, 'data' => null );
	}

	private static function perform( $action ) {
		$outcome = self::outcome();
		$level   = ob_get_level();
		$filters = isset( $GLOBALS['wp_current_filter'] ) ? $GLOBALS['wp_current_filter'] : array();
		$blogs   = isset( $GLOBALS['_wp_switched_stack'] ) ? count( $GLOBALS['_wp_switched_stack'] ) : 0;
		try {
			self::check_fence();
			$data = self::dispatch( $action );
			if ( $data instanceof WP_Error ) {
				$outcome = self::refused( $outcome, $data );
			} elseif ( $data instanceof Pressroom_Partly ) {
				$outcome = array_merge( $outcome, get_object_vars( $data ) );
			} else {
				$outcome['ok']     = true;
				$outcome['data']   = $data;
				$outcome['secret'] = self::$secret;
			}
		} catch ( Pressroom_Died $died ) {
			$outcome['error'] = $died->getMessage();
			$outcome['code']  = $died->name;
			$outcome['blame'] = Pressroom_Blame::throwable( $died );
		} catch ( Throwable $thrown ) {
			$outcome['error'] = get_class( $thrown ) . ': ' . $thrown->getMessage();
			$outcome['code']  = 'exception';
			$outcome['blame'] = Pressroom_Blame::throwable( $thrown );
		}
		if ( ! $outcome['ok'] && null === $outcome['data'] ) {
			$outcome['data'] = self::$partial;
		}
		// What an exception left half-done inside WordPress itself.
		while ( ob_get_level() > $level ) {
			ob_end_flush();
		}
		while ( isset( $GLOBALS['_wp_switched_stack'] ) && count( $GLOBALS['_wp_switched_stack'] ) > $blogs ) {
			restore_current_blog();
		}
		if ( isset( $GLOBALS['wp_current_filter'] ) ) {
			$GLOBALS['wp_current_filter'] = $filters;
		}
		return $outcome;
	}

	private static function refused( $outcome, $error ) {
		$outcome['code']  = (string) $error->get_error_code();
		$outcome['error'] = trim( wp_strip_all_tags( $error->get_error_message() ) );
		return $outcome;
	}

	/** @throws Pressroom_Died When the action is unknown or not possible here. */
	private static function dispatch( $action ) {
		if ( 'at' !== $action['action'] ) {
			Pressroom_Boot::act_as( $action );
			return self::call( $action );
		}
		$inner = $action['inner'];
		if ( ! is_multisite() || ! get_site( (int) $action['blog'] ) ) {
			throw new Pressroom_Died( 'This network has no such blog.', 'blog_missing' );
		}
		$needs = Pressroom_Actions::needs( $inner['action'] );
		if ( (int) $action['blog'] !== get_current_blog_id() && '' !== $needs ) {
			throw new Pressroom_Died( 'This runs code of the blog itself: WordPress must be started in it.', 'needs_own_boot' );
		}
		switch_to_blog( (int) $action['blog'] );
		Pressroom_Boot::act_as( $inner );
		$data = self::call( $inner );
		restore_current_blog();
		return $data;
	}

	private static function call( $action ) {
		return call_user_func( Pressroom_Actions::method( $action['action'] ), $action );
	}

	/** A worker that lost its lease must not go on with its list. */
	public static function check_fence() {
		if ( ! isset( self::$request['epoch'] ) ) {
			return;
		}
		$seen = @file_get_contents( self::$request['lock'] );
		if ( false === $seen || (int) trim( $seen ) > self::$request['epoch'] ) {
			throw new Pressroom_Died( 'another worker took over', 'fenced' );
		}
	}

	public static function uncaught( $thrown ) {
		if ( null === self::$fatal ) {
			self::$fatal = 'Uncaught ' . get_class( $thrown ) . ': ' . self::without_secrets( $thrown->getMessage(), $thrown->getFile() ) . ' in ' . $thrown->getFile() . ':' . $thrown->getLine();
			self::$blame = Pressroom_Blame::throwable( $thrown );
		}
	}

	public static function shutdown() {
		self::$reserve = null;
		if ( 'done' === self::$phase ) {
			self::answer();
			return;
		}
		// Should what follows die as well, this still speaks.
		register_shutdown_function( array( __CLASS__, 'answer' ) );
		ini_set( 'memory_limit', '-1' );
		self::find_fatal();
		if ( null !== self::$undo ) {
			self::$undone = false;
			try {
				self::$undone = call_user_func( self::$undo );
			} catch ( Throwable $thrown ) {
				self::$undone = false;
			}
		}
		if ( null !== self::$action ) {
			$outcome          = self::outcome();
			$outcome['error'] = self::$fatal;
			$outcome['code']  = 'fatal';
			$outcome['data']  = self::$partial;
			$outcome['blame'] = self::$blame;
			self::tell( $outcome );
		}
		self::answer();
	}

	/** PHP quotes what it stumbles over: in a configuration that may be a password. */
	private static function without_secrets( $message, $file ) {
		if ( 'wp-config.php' !== basename( $file ) ) {
			return $message;
		}
		return rtrim( preg_replace( '/(, unexpected\b|["\']).*$/s', '', $message ) );
	}

	private static function find_fatal() {
		$error = error_get_last();
		$kinds = E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_USER_ERROR | E_RECOVERABLE_ERROR;
		if ( null === self::$fatal && $error && ( $error['type'] & $kinds ) ) {
			self::$fatal = self::without_secrets( $error['message'], $error['file'] ) . ' in ' . $error['file'] . ':' . $error['line'];
			self::$blame = Pressroom_Blame::error( $error );
		}
		if ( null === self::$fatal ) {
			self::$fatal = Pressroom_Boot::early_end();
		}
		if ( null === self::$blame ) {
			self::$blame = Pressroom_Blame::guess( self::$phase );
		}
		if ( null === self::$fatal ) {
			self::$fatal = 'PHP ended before its work was done, during `' . self::$phase . '`'
				. ( self::$blame ? ', in ' . self::$blame['kind'] . ' `' . self::$blame['slug'] . '`' : '' );
		}
	}

	private static function tell( $outcome ) {
		$json = self::json( array( 'outcome' => $outcome ) );
		if ( self::$told + strlen( $json ) > self::MOST_TOLD ) {
			$outcome['ok']    = false;
			$outcome['code']  = 'too_large';
			$outcome['error'] = 'The answer is too large, ask for less at a time.';
			$outcome['data']  = null;
			$json             = self::json( array( 'outcome' => $outcome ) );
		}
		self::$told += strlen( $json );
		self::frame( 'PRESSROOM-NOTE', $json );
	}

	public static function note( $note ) {
		self::frame( 'PRESSROOM-NOTE', self::json( $note ) );
	}

	public static function answer() {
		if ( self::$printed ) {
			return;
		}
		self::$printed = true;
		// Output buffers of the site may swallow or change what passes them.
		for ( $i = 0; $i < 100 && ob_get_level() > 0; $i++ ) {
			if ( ! @ob_end_flush() ) {
				break;
			}
		}
		self::frame(
			'PRESSROOM',
			self::json(
				array(
					'fatal'       => self::$fatal,
					'blame'       => self::$blame,
					'undone'      => self::$undone,
					'php_version' => PHP_VERSION,
				)
			)
		);
	}

	private static function json( $value ) {
		$flags = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE | JSON_PARTIAL_OUTPUT_ON_ERROR | JSON_PRESERVE_ZERO_FRACTION;
		return (string) json_encode( $value, $flags );
	}

	private static function frame( $word, $json ) {
		$text = "\n<<<" . $word . ' ' . self::$nonce . ' ' . strlen( $json ) . ' ' . hash( 'sha256', $json ) . '>>>' . $json;
		for ( $at = 0; $at < strlen( $text ); $at += $written ) {
			$written = fwrite( STDOUT, 0 === $at ? $text : substr( $text, $at ) );
			if ( ! $written ) {
				break;
			}
		}
		fflush( STDOUT );
	}
}
