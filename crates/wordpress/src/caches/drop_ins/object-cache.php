<?php
/**
 * Plugin Name: Pressroom Object Cache
 * Description: Keeps objects in Redis; without the server, for the request alone.
 * Version: 1
 * Pressroom-Drop-In: object
 *
 * Put here by Pressroom and removed by it. What it needs is in wp-config.php; where that
 * is missing, or was made for another database, WordPress' own cache is used.
 *
 * The site's Redis user sees no names of keys, so nothing is ever listed: a hash, the
 * marks, holds a random word for the whole cache and one for each group that was flushed.
 * They are part of every key, and flushing is changing the word. Old keys lapse.
 */

defined( 'ABSPATH' ) || exit;

if (
	defined( 'PRESSROOM_REDIS_ADDRESS' ) && '' !== (string) PRESSROOM_REDIS_ADDRESS
	&& defined( 'PRESSROOM_REDIS_PREFIX' ) && defined( 'PRESSROOM_REDIS_SITE' )
	&& defined( 'DB_NAME' ) && isset( $GLOBALS['table_prefix'] )
	&& hash_equals( (string) PRESSROOM_REDIS_SITE, hash( 'sha256', DB_NAME . "\n" . $GLOBALS['table_prefix'] ) )
	&& ! function_exists( 'wp_cache_init' )
) :

/** A failed conversation: the cache goes on without the server. */
class Pressroom_Redis_Failure extends Exception {}

/** Redis over a stream of PHP's own, or with the phpredis extension where it is loaded. */
class Pressroom_Redis {

	/** The longest answer, of one value. */
	const MAX_ANSWER = 134217728;

	private $stream;
	private $redis;

	public function __construct( $address, $user, $password, $database ) {
		if ( class_exists( 'Redis', false ) && defined( 'Redis::PIPELINE' ) && ! ( defined( 'PRESSROOM_REDIS_PLAIN' ) && PRESSROOM_REDIS_PLAIN ) ) {
			$this->open_extension( $address );
		} else {
			$this->open_stream( $address );
		}
		$hello = array();
		if ( '' !== $password ) {
			$hello[] = '' === $user ? array( 'AUTH', $password ) : array( 'AUTH', $user, $password );
		}
		if ( $database > 0 ) {
			$hello[] = array( 'SELECT', (string) $database );
		}
		if ( $hello ) {
			$this->all( $hello );
		}
	}

	private function open_extension( $address ) {
		try {
			$this->redis = new Redis();
			if ( '/' === $address[0] ) {
				$open = $this->redis->connect( $address, 0, 1.0, null, 0, 1.0 );
			} else {
				$at   = strrpos( $address, ':' );
				$open = $this->redis->connect( trim( substr( $address, 0, $at ), '[]' ), (int) substr( $address, $at + 1 ), 1.0, null, 0, 1.0 );
			}
		} catch ( \Exception $why ) {
			throw new Pressroom_Redis_Failure( $why->getMessage() );
		}
		if ( ! $open ) {
			throw new Pressroom_Redis_Failure( 'no connection' );
		}
	}

	private function open_stream( $address ) {
		$target       = '/' === $address[0] ? 'unix://' . $address : 'tcp://' . $address;
		$this->stream = @stream_socket_client( $target, $number, $why, 1.0 );
		if ( ! $this->stream ) {
			throw new Pressroom_Redis_Failure( (string) $why );
		}
		stream_set_timeout( $this->stream, 2 );
	}

	/** One command's answer. */
	public function call( ...$command ) {
		$answers = $this->all( array( $command ) );
		return $answers[0];
	}

	/** Answers of several commands, sent at once. A refused one is a failure of all. */
	public function all( array $commands ) {
		return $this->redis ? $this->all_by_extension( $commands ) : $this->all_by_stream( $commands );
	}

	private function all_by_extension( array $commands ) {
		try {
			$answers = array();
			foreach ( $commands as $command ) {
				$this->redis->clearLastError();
				$answer = $this->redis->rawCommand( ...array_map( 'strval', $command ) );
				$error  = $this->redis->getLastError();
				if ( null !== $error ) {
					throw new Pressroom_Redis_Failure( (string) $error );
				}
				// The extension says false for nothing.
				$answers[] = false === $answer ? null : $answer;
			}
			return $answers;
		} catch ( Pressroom_Redis_Failure $why ) {
			throw $why;
		} catch ( \Exception $why ) {
			throw new Pressroom_Redis_Failure( $why->getMessage() );
		}
	}

	private function all_by_stream( array $commands ) {
		$answers = array();
		// Not more than the server takes before it wants its answers read.
		foreach ( array_chunk( $commands, 500 ) as $some ) {
			$said = '';
			foreach ( $some as $command ) {
				$said .= '*' . count( $command ) . "\r\n";
				foreach ( $command as $part ) {
					$part  = (string) $part;
					$said .= '$' . strlen( $part ) . "\r\n" . $part . "\r\n";
				}
			}
			$this->send( $said );
			foreach ( $some as $command ) {
				$answers[] = $this->receive( 0 );
			}
		}
		foreach ( $answers as $answer ) {
			if ( $answer instanceof Pressroom_Redis_Failure ) {
				throw $answer;
			}
		}
		return $answers;
	}

	private function send( $said ) {
		for ( $at = 0, $length = strlen( $said ); $at < $length; $at += $sent ) {
			$sent = @fwrite( $this->stream, 0 === $at ? $said : substr( $said, $at ) );
			if ( ! $sent ) {
				throw new Pressroom_Redis_Failure( 'the connection broke' );
			}
		}
	}

	private function line() {
		$line = @fgets( $this->stream, 65536 );
		if ( false === $line || "\r\n" !== substr( $line, -2 ) ) {
			throw new Pressroom_Redis_Failure( 'no whole answer' );
		}
		return substr( $line, 0, -2 );
	}

	private function receive( $depth ) {
		$line = $this->line();
		$rest = (string) substr( $line, 1 );
		switch ( substr( $line, 0, 1 ) ) {
			case '+':
				return $rest;
			case ':':
				return (int) $rest;
			case '-':
				return new Pressroom_Redis_Failure( $rest );
			case '$':
				return $this->text( (int) $rest );
			case '*':
				if ( (int) $rest < 0 ) {
					return null;
				}
				if ( $depth > 2 ) {
					break;
				}
				$all = array();
				for ( $left = (int) $rest; $left > 0; $left-- ) {
					$all[] = $this->receive( $depth + 1 );
				}
				return $all;
		}
		throw new Pressroom_Redis_Failure( 'this is not Redis' );
	}

	private function text( $length ) {
		if ( $length < 0 ) {
			return null;
		}
		if ( $length > self::MAX_ANSWER ) {
			throw new Pressroom_Redis_Failure( 'the answer is too long' );
		}
		$text = '';
		for ( $left = $length + 2; $left > 0; $left -= strlen( $part ) ) {
			$part = @fread( $this->stream, min( $left, 1048576 ) );
			if ( false === $part || '' === $part ) {
				throw new Pressroom_Redis_Failure( 'no whole answer' );
			}
			$text .= $part;
		}
		return (string) substr( $text, 0, -2 );
	}

	public function close() {
		if ( $this->stream ) {
			@fclose( $this->stream );
		}
		if ( $this->redis ) {
			try {
				$this->redis->close();
			} catch ( \Exception $why ) {
				return;
			}
		}
	}
}

/** WordPress' object cache: what the request has seen, before what the server has. */
class WP_Object_Cache {

	/** What is set for ever lapses after a week: keys of old words must go by themselves. */
	const LONGEST = 604800;

	public $cache_hits   = 0;
	public $cache_misses = 0;
	public $redis_calls  = 0;
	public $global_groups = array();
	public $no_redis_groups = array();
	public $blog_prefix = '';
	public $multisite = false;

	/** By group, then by name; of this request alone. */
	private $cache = array();
	private $redis;
	private $prefix;
	private $marks = array();
	private $why_down = '';

	public function __construct() {
		$this->multisite   = function_exists( 'is_multisite' ) && is_multisite();
		$this->blog_prefix = $this->multisite ? get_current_blog_id() . '' : '';
		$this->prefix      = (string) PRESSROOM_REDIS_PREFIX;
		$since             = microtime( true );
		try {
			if ( (int) @filemtime( $this->slow_file() ) > time() - 5 ) {
				throw new Pressroom_Redis_Failure( 'the server took too long a moment ago' );
			}
			$this->redis = new Pressroom_Redis(
				(string) PRESSROOM_REDIS_ADDRESS,
				defined( 'PRESSROOM_REDIS_USER' ) ? (string) PRESSROOM_REDIS_USER : '',
				defined( 'PRESSROOM_REDIS_PASSWORD' ) ? (string) PRESSROOM_REDIS_PASSWORD : '',
				defined( 'PRESSROOM_REDIS_DATABASE' ) ? (int) PRESSROOM_REDIS_DATABASE : 0
			);
			$this->read_marks();
			if ( @file_exists( $this->stale_file() ) ) {
				// Somebody wrote while the server could not be told. The file goes first: who
				// cannot tell the server from here on makes it anew.
				@unlink( $this->stale_file() );
				try {
					$this->mark( '*' );
				} catch ( \Throwable $why ) {
					$this->not_told();
					throw $why;
				}
			}
		} catch ( \Throwable $why ) {
			$this->down( $why );
			if ( microtime( true ) - $since > 0.5 ) {
				// Not every request waits for a server that does not answer.
				$this->touch( $this->slow_file() );
			}
		}
	}

	/** Whether the server answers. */
	public function is_up() {
		return null !== $this->redis;
	}

	/** Why it does not. */
	public function why_down() {
		return $this->why_down;
	}

	private function down( $why ) {
		$this->why_down = $why->getMessage();
		if ( $this->redis ) {
			$this->redis->close();
		}
		$this->redis = null;
	}

	/** The words that keys carry; one for all must be there. */
	private function read_marks() {
		$flat = $this->redis->call( 'HGETALL', $this->prefix . 'marks' );
		for ( $at = 0; $at + 1 < count( (array) $flat ); $at += 2 ) {
			$this->marks[ (string) $flat[ $at ] ] = (string) $flat[ $at + 1 ];
		}
		if ( ! isset( $this->marks['*'] ) ) {
			$this->redis->call( 'HSETNX', $this->prefix . 'marks', '*', bin2hex( random_bytes( 6 ) ) );
			$this->marks['*'] = (string) $this->redis->call( 'HGET', $this->prefix . 'marks', '*' );
		}
	}

	private function mark( $group ) {
		$word = bin2hex( random_bytes( 6 ) );
		$this->redis->call( 'HSET', $this->prefix . 'marks', $group, $word );
		$this->marks[ $group ] = $word;
	}

	private function stale_file() {
		return WP_CONTENT_DIR . '/cache/pressroom-objects-are-old';
	}

	private function slow_file() {
		return WP_CONTENT_DIR . '/cache/pressroom-objects-are-slow';
	}

	private function touch( $file ) {
		if ( ! @is_dir( dirname( $file ) ) ) {
			@mkdir( dirname( $file ), 0755 );
		}
		@touch( $file );
	}

	/** What the server was not told is remembered for whoever reaches it next. */
	private function not_told() {
		if ( ! @file_exists( $this->stale_file() ) ) {
			$this->touch( $this->stale_file() );
		}
	}

	/** Asks the server; null without it. */
	private function ask( array $commands, $is_write ) {
		if ( $this->redis ) {
			try {
				$this->redis_calls++;
				if ( $is_write ) {
					$commands[] = array( 'HGET', $this->prefix . 'marks', '*' );
				}
				$answers = $this->redis->all( $commands );
				if ( $is_write && (string) array_pop( $answers ) !== $this->marks['*'] ) {
					// Flushed since this request began: what it wrote nobody sees, and what others
					// cached since may be older than what it wrote elsewhere.
					$this->cache = array();
					$this->marks = array();
					$this->read_marks();
					$this->mark( '*' );
				}
				return $answers;
			} catch ( \Throwable $why ) {
				$this->down( $why );
			}
		}
		if ( $is_write ) {
			$this->not_told();
		}
		return null;
	}

	private function group( $group ) {
		return ( is_string( $group ) || is_int( $group ) ) && '' !== (string) $group ? (string) $group : 'default';
	}

	private function is_valid( $key ) {
		if ( is_int( $key ) || ( is_string( $key ) && '' !== trim( $key ) ) ) {
			return true;
		}
		if ( function_exists( '_doing_it_wrong' ) && function_exists( '__' ) && did_action( 'init' ) ) {
			_doing_it_wrong( 'wp_cache', __( 'Cache key must be an integer or a non-empty string.' ), '6.1.0' );
		}
		return false;
	}

	/** The name within the group, of this request. */
	private function name( $key, $group ) {
		return $this->multisite && ! isset( $this->global_groups[ $group ] ) ? $this->blog_prefix . ':' . $key : (string) $key;
	}

	/** The name at the server. */
	private function key( $name, $group ) {
		$word = $this->marks['*'] . ( isset( $this->marks[ 'g:' . $group ] ) ? '.' . $this->marks[ 'g:' . $group ] : '' );
		return $this->prefix . $word . ':' . str_replace( ':', '%3A', $group ) . ':' . $name;
	}

	private function is_shared( $group ) {
		return null !== $this->redis && ! isset( $this->no_redis_groups[ $group ] );
	}

	/** A number as it is, so that the server can count; null for what cannot be kept. */
	private function packed( $value ) {
		try {
			return is_int( $value ) ? (string) $value : serialize( $value );
		} catch ( \Throwable $why ) {
			return null;
		}
	}

	private function unpacked( $text ) {
		try {
			return preg_match( '/^-?\d+$/D', $text ) ? (int) $text : @unserialize( $text );
		} catch ( \Throwable $why ) {
			return false;
		}
	}

	private function setting( $name, $group, $value, $expire, $how = '' ) {
		$packed = $this->packed( $value );
		if ( null === $packed ) {
			return array( 'DEL', $this->key( $name, $group ) );
		}
		$command = array( 'SET', $this->key( $name, $group ), $packed, 'EX', (string) $this->seconds( $expire ) );
		if ( '' !== $how ) {
			$command[] = $how;
		}
		return $command;
	}

	/** Whether a text is what packed() made: it may have been cut, or be nobody's. */
	private function is_packed( $text, $value ) {
		return is_string( $text ) && ( false !== $value || 'b:0;' === $text );
	}

	private function seconds( $expire ) {
		$expire = (int) $expire;
		return $expire > 0 ? min( $expire, self::LONGEST ) : self::LONGEST;
	}

	private function own( $value ) {
		return is_object( $value ) ? clone $value : $value;
	}

	private function has( $name, $group ) {
		return isset( $this->cache[ $group ] ) && array_key_exists( $name, $this->cache[ $group ] );
	}

	private function write( $key, $value, $group, $expire, $how ) {
		if ( ! $this->is_valid( $key ) ) {
			return false;
		}
		$group = $this->group( $group );
		$name  = $this->name( $key, $group );
		$value = $this->own( $value );
		$known = $this->has( $name, $group );
		if ( isset( $this->no_redis_groups[ $group ] ) || ! $this->redis ) {
			if ( ( 'NX' === $how && $known ) || ( 'XX' === $how && ! $known ) ) {
				return false;
			}
			if ( ! isset( $this->no_redis_groups[ $group ] ) && 'NX' !== $how ) {
				$this->not_told();
			}
			$this->cache[ $group ][ $name ] = $value;
			return true;
		}
		if ( 'NX' === $how && $known ) {
			return false;
		}
		$answer = $this->ask( array( $this->setting( $name, $group, $value, $expire, $how ) ), 'NX' !== $how );
		if ( null !== $answer && null === $answer[0] ) {
			if ( 'XX' === $how ) {
				unset( $this->cache[ $group ][ $name ] );
			}
			return false;
		}
		$this->cache[ $group ][ $name ] = $value;
		return true;
	}

	public function add( $key, $data, $group = 'default', $expire = 0 ) {
		if ( function_exists( 'wp_suspend_cache_addition' ) && wp_suspend_cache_addition() ) {
			return false;
		}
		return $this->write( $key, $data, $group, $expire, 'NX' );
	}

	public function replace( $key, $data, $group = 'default', $expire = 0 ) {
		return $this->write( $key, $data, $group, $expire, 'XX' );
	}

	public function set( $key, $data, $group = 'default', $expire = 0 ) {
		return $this->write( $key, $data, $group, $expire, '' );
	}

	public function add_multiple( array $data, $group = '', $expire = 0 ) {
		$group    = $this->group( $group );
		$done     = array();
		$commands = array();
		$asked    = array();
		$may      = ! ( function_exists( 'wp_suspend_cache_addition' ) && wp_suspend_cache_addition() );
		foreach ( $data as $key => $value ) {
			$done[ $key ] = $may && $this->is_valid( $key ) && ! $this->has( $this->name( $key, $group ), $group );
			if ( ! $done[ $key ] ) {
				continue;
			}
			$name  = $this->name( $key, $group );
			$value = $this->own( $value );
			if ( $this->is_shared( $group ) ) {
				$commands[] = $this->setting( $name, $group, $value, $expire, 'NX' );
				$asked[]    = $key;
			}
			$this->cache[ $group ][ $name ] = $value;
		}
		$answers = $commands ? $this->ask( $commands, false ) : null;
		foreach ( null === $answers ? array() : $asked as $at => $key ) {
			if ( null === $answers[ $at ] ) {
				// Somebody was faster: what they put there is read when it is asked for.
				$done[ $key ] = false;
				unset( $this->cache[ $group ][ $this->name( $key, $group ) ] );
			}
		}
		return $done;
	}

	public function set_multiple( array $data, $group = '', $expire = 0 ) {
		$group    = $this->group( $group );
		$done     = array();
		$commands = array();
		foreach ( $data as $key => $value ) {
			$done[ $key ] = $this->is_valid( $key );
			if ( ! $done[ $key ] ) {
				continue;
			}
			$name  = $this->name( $key, $group );
			$value = $this->own( $value );

			$this->cache[ $group ][ $name ] = $value;
			if ( $this->is_shared( $group ) ) {
				$commands[] = $this->setting( $name, $group, $value, $expire );
			}
		}
		if ( $commands ) {
			$this->ask( $commands, true );
		} elseif ( $data && ! isset( $this->no_redis_groups[ $group ] ) ) {
			$this->not_told();
		}
		return $done;
	}

	public function get( $key, $group = 'default', $force = false, &$found = null ) {
		$found = false;
		if ( ! $this->is_valid( $key ) ) {
			return false;
		}
		$group = $this->group( $group );
		$name  = $this->name( $key, $group );
		if ( $this->has( $name, $group ) && ( ! $force || ! $this->is_shared( $group ) ) ) {
			$found = true;
			$this->cache_hits++;
			return $this->own( $this->cache[ $group ][ $name ] );
		}
		if ( $this->is_shared( $group ) ) {
			$answer = $this->ask( array( array( 'GET', $this->key( $name, $group ) ) ), false );
			$text   = null === $answer ? null : $answer[0];
			$value  = is_string( $text ) ? $this->unpacked( $text ) : false;
			if ( $this->is_packed( $text, $value ) ) {
				$found = true;
				$this->cache_hits++;
				$this->cache[ $group ][ $name ] = $value;
				return $this->own( $value );
			}
			unset( $this->cache[ $group ][ $name ] );
		}
		$this->cache_misses++;
		return false;
	}

	public function get_multiple( $keys, $group = 'default', $force = false ) {
		$group  = $this->group( $group );
		$values = array();
		$asked  = array();
		foreach ( $keys as $key ) {
			$values[ $key ] = false;
			if ( ! $this->is_valid( $key ) ) {
				continue;
			}
			$name = $this->name( $key, $group );
			if ( $this->has( $name, $group ) && ( ! $force || ! $this->is_shared( $group ) ) ) {
				$this->cache_hits++;
				$values[ $key ] = $this->own( $this->cache[ $group ][ $name ] );
			} elseif ( $this->is_shared( $group ) ) {
				$asked[ $key ] = $name;
			} else {
				$this->cache_misses++;
			}
		}
		if ( ! $asked ) {
			return $values;
		}
		$command = array( 'MGET' );
		foreach ( $asked as $name ) {
			$command[] = $this->key( $name, $group );
		}
		$answer = $this->ask( array( $command ), false );
		$texts  = null === $answer ? array() : (array) $answer[0];
		$at     = 0;
		foreach ( $asked as $key => $name ) {
			$text  = isset( $texts[ $at ] ) && is_string( $texts[ $at ] ) ? $texts[ $at ] : null;
			$value = null === $text ? false : $this->unpacked( $text );
			$at++;
			if ( $this->is_packed( $text, $value ) ) {
				$this->cache_hits++;
				$this->cache[ $group ][ $name ] = $value;
				$values[ $key ] = $this->own( $value );
			} else {
				unset( $this->cache[ $group ][ $name ] );
				$this->cache_misses++;
			}
		}
		return $values;
	}

	public function delete( $key, $group = 'default', $deprecated = false ) {
		$done = $this->delete_multiple( array( $key ), $group );
		return (bool) reset( $done );
	}

	public function delete_multiple( array $keys, $group = '' ) {
		$group    = $this->group( $group );
		$done     = array();
		$commands = array();
		$asked    = array();
		foreach ( $keys as $key ) {
			if ( ! $this->is_valid( $key ) ) {
				if ( is_scalar( $key ) ) {
					$done[ $key ] = false;
				}
				continue;
			}
			$name         = $this->name( $key, $group );
			$done[ $key ] = $this->has( $name, $group );
			unset( $this->cache[ $group ][ $name ] );
			if ( $this->is_shared( $group ) ) {
				$commands[] = array( 'DEL', $this->key( $name, $group ) );
				$asked[]    = $key;
			}
		}
		if ( $commands ) {
			$answers = $this->ask( $commands, true );
			foreach ( $asked as $at => $key ) {
				$done[ $key ] = null === $answers ? $done[ $key ] : $answers[ $at ] > 0;
			}
		} elseif ( $keys && ! isset( $this->no_redis_groups[ $group ] ) ) {
			$this->not_told();
		}
		return $done;
	}

	public function incr( $key, $offset = 1, $group = 'default' ) {
		return $this->count( $key, (int) $offset, $group );
	}

	public function decr( $key, $offset = 1, $group = 'default' ) {
		return $this->count( $key, -(int) $offset, $group );
	}

	private function count( $key, $by, $group ) {
		$group = $this->group( $group );
		$value = $this->get( $key, $group, true, $found );
		if ( ! $found ) {
			return false;
		}
		$name = $this->name( $key, $group );
		if ( is_int( $value ) && $this->is_shared( $group ) && $value + $by >= 0 ) {
			$answer = $this->ask( array( array( 'INCRBY', $this->key( $name, $group ), (string) $by ) ), true );
			if ( null !== $answer && $answer[0] >= 0 ) {
				$this->cache[ $group ][ $name ] = $answer[0];
				return $answer[0];
			}
		}
		$value = max( 0, ( is_numeric( $value ) ? $value : 0 ) + $by );
		$this->set( $key, is_float( $value ) ? $value : (int) $value, $group );
		return $value;
	}

	public function flush() {
		$this->cache = array();
		if ( $this->redis ) {
			try {
				$this->mark( '*' );
				return true;
			} catch ( \Throwable $why ) {
				$this->down( $why );
			}
		}
		$this->not_told();
		return true;
	}

	public function flush_runtime() {
		$this->cache = array();
		return true;
	}

	public function flush_group( $group ) {
		$group = $this->group( $group );
		unset( $this->cache[ $group ] );
		if ( isset( $this->no_redis_groups[ $group ] ) ) {
			return true;
		}
		if ( $this->redis ) {
			try {
				$this->mark( 'g:' . $group );
				return true;
			} catch ( \Throwable $why ) {
				$this->down( $why );
			}
		}
		$this->not_told();
		return true;
	}

	public function add_global_groups( $groups ) {
		$this->global_groups += array_fill_keys( array_map( 'strval', (array) $groups ), true );
	}

	public function add_non_persistent_groups( $groups ) {
		$this->no_redis_groups += array_fill_keys( array_map( 'strval', (array) $groups ), true );
	}

	public function switch_to_blog( $blog_id ) {
		$this->blog_prefix = $this->multisite ? (int) $blog_id . '' : '';
	}

	/** Deprecated since WordPress 3.5. */
	public function reset() {
		foreach ( array_keys( $this->cache ) as $group ) {
			if ( ! isset( $this->global_groups[ $group ] ) ) {
				unset( $this->cache[ $group ] );
			}
		}
	}

	public function close() {
		if ( $this->redis ) {
			$this->redis->close();
			$this->redis = null;
			$this->why_down = 'closed';
		}
		return true;
	}

	public function stats() {
		printf(
			'<p><strong>Cache Hits:</strong> %d<br /><strong>Cache Misses:</strong> %d<br /><strong>Redis:</strong> %s</p>',
			(int) $this->cache_hits,
			(int) $this->cache_misses,
			esc_html( $this->redis ? $this->redis_calls . ' calls' : 'not reached: ' . $this->why_down )
		);
	}
}

function wp_cache_init() {
	$GLOBALS['wp_object_cache'] = new WP_Object_Cache();
	// A network starts its cache twice, and would load WordPress' own over this one the
	// second time: see wp_cache_switch_to_blog().
	if ( ! $GLOBALS['wp_object_cache']->is_up() && ! is_multisite() && function_exists( 'wp_using_ext_object_cache' ) ) {
		// Transients then live in the database, as without a persistent cache.
		wp_using_ext_object_cache( false );
	}
}

function wp_cache_add( $key, $data, $group = '', $expire = 0 ) {
	return $GLOBALS['wp_object_cache']->add( $key, $data, $group, (int) $expire );
}

function wp_cache_add_multiple( array $data, $group = '', $expire = 0 ) {
	return $GLOBALS['wp_object_cache']->add_multiple( $data, $group, (int) $expire );
}

function wp_cache_replace( $key, $data, $group = '', $expire = 0 ) {
	return $GLOBALS['wp_object_cache']->replace( $key, $data, $group, (int) $expire );
}

function wp_cache_set( $key, $data, $group = '', $expire = 0 ) {
	return $GLOBALS['wp_object_cache']->set( $key, $data, $group, (int) $expire );
}

function wp_cache_set_multiple( array $data, $group = '', $expire = 0 ) {
	return $GLOBALS['wp_object_cache']->set_multiple( $data, $group, (int) $expire );
}

function wp_cache_get( $key, $group = '', $force = false, &$found = null ) {
	return $GLOBALS['wp_object_cache']->get( $key, $group, $force, $found );
}

function wp_cache_get_multiple( $keys, $group = '', $force = false ) {
	return $GLOBALS['wp_object_cache']->get_multiple( $keys, $group, $force );
}

function wp_cache_delete( $key, $group = '' ) {
	return $GLOBALS['wp_object_cache']->delete( $key, $group );
}

function wp_cache_delete_multiple( array $keys, $group = '' ) {
	return $GLOBALS['wp_object_cache']->delete_multiple( $keys, $group );
}

function wp_cache_incr( $key, $offset = 1, $group = '' ) {
	return $GLOBALS['wp_object_cache']->incr( $key, $offset, $group );
}

function wp_cache_decr( $key, $offset = 1, $group = '' ) {
	return $GLOBALS['wp_object_cache']->decr( $key, $offset, $group );
}

function wp_cache_flush() {
	return $GLOBALS['wp_object_cache']->flush();
}

function wp_cache_flush_runtime() {
	return $GLOBALS['wp_object_cache']->flush_runtime();
}

function wp_cache_flush_group( $group ) {
	return $GLOBALS['wp_object_cache']->flush_group( $group );
}

function wp_cache_supports( $feature ) {
	return in_array( $feature, array( 'add_multiple', 'set_multiple', 'get_multiple', 'delete_multiple', 'flush_runtime', 'flush_group' ), true );
}

/** Kept open: WordPress calls this before the last hooks have run. */
function wp_cache_close() {
	return true;
}

function wp_cache_add_global_groups( $groups ) {
	$GLOBALS['wp_object_cache']->add_global_groups( $groups );
}

function wp_cache_add_non_persistent_groups( $groups ) {
	$GLOBALS['wp_object_cache']->add_non_persistent_groups( $groups );
}

function wp_cache_switch_to_blog( $blog_id ) {
	$GLOBALS['wp_object_cache']->switch_to_blog( $blog_id );
	if ( ! $GLOBALS['wp_object_cache']->is_up() && function_exists( 'wp_using_ext_object_cache' ) ) {
		// After the second start of a network's cache.
		wp_using_ext_object_cache( false );
	}
}

function wp_cache_reset() {
	$GLOBALS['wp_object_cache']->reset();
}

endif;
