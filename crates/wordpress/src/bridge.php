<?php
/**
 * Boots WordPress once, runs a list of actions, and prints one framed answer.
 *
 * The request comes over standard input, because arguments are visible to every
 * user of the machine. Runs on PHP 7.4 and later. WordPress must be loaded in the
 * global scope (wp-config.php sets global variables), so this file loads it at its
 * end and keeps its own state in one class.
 */

final class Pressroom_Died extends Exception {}

final class Pressroom_Bridge {
	private static $request;
	private static $nonce;
	private static $outcomes = array();
	private static $fatal    = null;
	private static $blamed   = null;
	private static $phase    = 'start';
	private static $printed  = false;
	private static $reserve;

	public static function start() {
		$request = json_decode( (string) stream_get_contents( STDIN ), true );
		if ( ! is_array( $request ) ) {
			fwrite( STDERR, "the request cannot be read\n" );
			exit( 64 );
		}
		self::$nonce   = $request['nonce'];
		self::$request = $request;
		// What is left to speak with when a site has used up all memory.
		self::$reserve = str_repeat( 'x', 262144 );
		register_shutdown_function( array( __CLASS__, 'shutdown' ) );

		$url    = 'http://localhost';
		$admin  = false;
		$needs_install = false;
		foreach ( $request['actions'] as $action ) {
			if ( 'install' === $action['action'] ) {
				$url           = $action['url'];
				$needs_install = true;
			}
			$admin = $admin || 'clean_component_caches' === $action['action'];
		}
		$parts = parse_url( $url );
		$host  = isset( $parts['host'] ) ? $parts['host'] : 'localhost';
		$path  = isset( $parts['path'] ) ? rtrim( $parts['path'], '/' ) : '';
		$https = isset( $parts['scheme'] ) && 'https' === $parts['scheme'];
		$port  = isset( $parts['port'] ) ? $parts['port'] : ( $https ? 443 : 80 );
		$_SERVER['HTTP_HOST']       = $host . ( isset( $parts['port'] ) ? ':' . $port : '' );
		$_SERVER['SERVER_NAME']     = $host;
		$_SERVER['SERVER_PORT']     = (string) $port;
		$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
		$_SERVER['SERVER_SOFTWARE'] = 'Pressroom';
		$_SERVER['REQUEST_METHOD']  = 'GET';
		$_SERVER['REQUEST_URI']     = $path . '/';
		$_SERVER['QUERY_STRING']    = '';
		$_SERVER['REMOTE_ADDR']     = '127.0.0.1';
		$_SERVER['HTTP_USER_AGENT'] = 'Pressroom';
		$_SERVER['SCRIPT_NAME']     = $path . '/index.php';
		$_SERVER['PHP_SELF']        = $path . '/index.php';
		$_SERVER['DOCUMENT_ROOT']   = $request['root'];
		$_SERVER['SCRIPT_FILENAME'] = $request['root'] . '/index.php';
		if ( $https ) {
			$_SERVER['HTTPS'] = 'on';
		} else {
			unset( $_SERVER['HTTPS'] );
		}

		// A fatal error here must not put the site into recovery mode nor send mail.
		define( 'WP_DISABLE_FATAL_ERROR_HANDLER', true );
		define( 'DISABLE_WP_CRON', true );
		if ( $needs_install ) {
			define( 'WP_INSTALLING', true );
		}
		if ( $admin ) {
			define( 'WP_ADMIN', true );
		}
		// WordPress takes over what stands here before it loads.
		$early = array(
			'wp_die_handler'      => 'die_handler',
			'wp_die_ajax_handler' => 'die_handler',
			'wp_die_json_handler' => 'die_handler',
			'pre_wp_mail'         => 'no_mail',
			'pre_http_request'    => 'no_http',
		);
		foreach ( $early as $hook => $method ) {
			$GLOBALS['wp_filter'][ $hook ][ PHP_INT_MAX ][] = array(
				'function'      => array( __CLASS__, $method ),
				'accepted_args' => 1,
			);
		}
		self::$phase = 'boot';
	}

	public static function load_file() {
		return self::$request['root'] . '/wp-load.php';
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
		self::$fatal = '' === $text ? 'WordPress gave up without a word' : $text;
		exit( 1 );
	}

	public static function no_mail() {
		return true;
	}

	public static function no_http() {
		return new WP_Error( 'pressroom_no_http', 'The network is not asked during maintenance work.' );
	}

	public static function run() {
		self::$phase = 'actions';
		foreach ( self::$request['actions'] as $action ) {
			$outcome = array( 'ok' => false, 'error' => null, 'code' => null, 'data' => null );
			$level   = ob_get_level();
			try {
				self::check_fence();
				$method          = 'act_' . $action['action'];
				$outcome['data'] = self::$method( $action );
				$outcome['ok']   = true;
			} catch ( Pressroom_Died $died ) {
				$outcome['error'] = $died->getMessage();
				$outcome['code']  = $died->getCode() ? 'fenced' : 'died';
			} catch ( Throwable $thrown ) {
				$outcome['error'] = get_class( $thrown ) . ': ' . $thrown->getMessage();
				$outcome['code']  = 'exception';
				self::blame( $thrown->getFile() );
			}
			if ( $outcome['data'] instanceof WP_Error ) {
				$outcome['ok']    = false;
				$outcome['code']  = (string) $outcome['data']->get_error_code();
				$outcome['error'] = wp_strip_all_tags( $outcome['data']->get_error_message() );
				$outcome['data']  = null;
			}
			while ( ob_get_level() > $level ) {
				ob_end_flush();
			}
			self::$outcomes[] = $outcome;
		}
		self::$phase = 'done';
		self::answer();
	}

	public static function shutdown() {
		self::$reserve = null;
		if ( 'done' !== self::$phase ) {
			ini_set( 'memory_limit', '-1' );
			$error = error_get_last();
			$kinds = E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_USER_ERROR | E_RECOVERABLE_ERROR;
			if ( null === self::$fatal && $error && ( $error['type'] & $kinds ) ) {
				self::$fatal = $error['message'] . ' in ' . $error['file'] . ':' . $error['line'];
				self::blame( $error['file'] );
			}
			if ( null === self::$fatal ) {
				self::$fatal = 'PHP ended before its work was done, during `' . self::$phase . '`';
			}
		}
		self::answer();
	}

	private static function blame( $file ) {
		if ( preg_match( '~/(?:plugins|mu-plugins|themes)/([^/]+?)(?:\.php)?(?:/|$)~', str_replace( '\\', '/', $file ), $found ) ) {
			self::$blamed = $found[1];
		}
	}

	private static function answer() {
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
		$flags = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE | JSON_PARTIAL_OUTPUT_ON_ERROR;
		$json  = json_encode(
			array(
				'outcomes'    => self::$outcomes,
				'fatal'       => self::$fatal,
				'blamed'      => self::$blamed,
				'php_version' => PHP_VERSION,
			),
			$flags
		);
		fwrite( STDOUT, "\n<<<PRESSROOM " . self::$nonce . ' ' . strlen( $json ) . ' ' . hash( 'sha256', $json ) . '>>>' . $json );
		fflush( STDOUT );
	}

	/** A worker that lost its lease must not go on with its list. */
	private static function check_fence() {
		if ( ! isset( self::$request['epoch'] ) ) {
			return;
		}
		$seen = @file_get_contents( self::$request['lock'] );
		if ( false === $seen || (int) trim( $seen ) > self::$request['epoch'] ) {
			throw new Pressroom_Died( 'another worker took over', 1 );
		}
	}

	private static function act_install( $action ) {
		if ( is_blog_installed() ) {
			return new WP_Error( 'already_installed', 'WordPress is installed already.' );
		}
		if ( ! defined( 'WP_SITEURL' ) ) {
			define( 'WP_SITEURL', $action['url'] );
		}
		require_once ABSPATH . 'wp-admin/includes/upgrade.php';
		require_once ABSPATH . 'wp-admin/includes/translation-install.php';
		$locale = 'en_US' === $action['locale'] || ! in_array( $action['locale'], get_available_languages(), true ) ? '' : $action['locale'];
		if ( '' !== $locale ) {
			load_default_textdomain( $locale );
			$GLOBALS['wp_locale'] = new WP_Locale();
		}
		// The installer hashes the password as a form would send it: with slashes.
		$result = wp_install( $action['title'], $action['admin_user'], $action['admin_email'], true, '', wp_slash( $action['admin_password'] ), $locale );
		if ( is_wp_error( $result ) ) {
			return $result;
		}
		if ( empty( $result['user_id'] ) || is_wp_error( $result['user_id'] ) ) {
			return is_wp_error( $result['user_id'] ) ? $result['user_id'] : new WP_Error( 'no_user', 'The administrator was not made.' );
		}
		update_option( 'siteurl', $action['url'] );
		update_option( 'home', $action['url'] );
		global $wp_rewrite;
		$wp_rewrite->init();
		$wp_rewrite->set_permalink_structure( $action['permalinks'] );
		flush_rewrite_rules( false );
		return array(
			'user_id' => (int) $result['user_id'],
			'locale'  => '' === $locale ? 'en_US' : $locale,
		);
	}

	private static function act_issue_login( $action ) {
		global $wpdb;
		if ( wp_normalize_path( WPMU_PLUGIN_DIR ) !== wp_normalize_path( self::$request['mu_plugins'] ) ) {
			return new WP_Error( 'mu_plugins_elsewhere', 'This site keeps its must-use plugins in another place.' );
		}
		if ( null === $action['user'] ) {
			$users = get_users( array( 'role' => 'administrator', 'orderby' => 'ID', 'order' => 'ASC', 'number' => 1 ) );
			$user  = $users ? $users[0] : null;
		} else {
			$user = get_user_by( 'login', $action['user'] );
		}
		if ( ! $user ) {
			return new WP_Error( 'user_missing', null === $action['user'] ? 'The site has no administrator.' : 'The site has no such user.' );
		}
		if ( ! $user->has_cap( 'read' ) ) {
			return new WP_Error( 'user_without_role', 'This user has no role on the site.' );
		}
		$redirect = $action['redirect'];
		if ( '' === $redirect ) {
			$redirect = '/wp-admin/';
		}
		if ( ! preg_match( '~^/(?![/\\\\])[^\x00-\x1f\x7f\\\\]*$~', $redirect ) ) {
			return new WP_Error( 'bad_redirect', 'The redirect must be a path on the same site.' );
		}
		$expires = time() + (int) $action['lifetime_s'];
		$name    = 'pressroom_login_' . substr( $action['token_hash'], 0, 16 );
		$rows    = array(
			'_transient_timeout_' . $name => (string) $expires,
			'_transient_' . $name         => wp_json_encode(
				array(
					'hash'     => $action['token_hash'],
					'user_id'  => $user->ID,
					'redirect' => $redirect,
					'expires'  => $expires,
				)
			),
		);
		// Straight into the table: with an object cache, transients would not be in
		// it, and a row that can be deleted exactly once is what makes a login single.
		foreach ( $rows as $key => $value ) {
			$stored = $wpdb->query( $wpdb->prepare( "INSERT INTO {$wpdb->options} (option_name, option_value, autoload) VALUES (%s, %s, 'no') ON DUPLICATE KEY UPDATE option_value = VALUES(option_value)", $key, $value ) );
			if ( false === $stored ) {
				return new WP_Error( 'not_stored', 'The login could not be stored: ' . $wpdb->last_error );
			}
			wp_cache_delete( $key, 'options' );
		}
		wp_cache_delete( 'notoptions', 'options' );
		return array(
			'user_id' => (int) $user->ID,
			'login'   => $user->user_login,
			'expires' => $expires,
			'home'    => home_url( '/' ),
		);
	}

	private static function act_clean_component_caches() {
		require_once ABSPATH . 'wp-admin/includes/plugin.php';
		wp_clean_plugins_cache( true );
		wp_clean_themes_cache( true );
		return null;
	}
}

Pressroom_Bridge::start();
if ( ! function_exists( 'wp_new_blog_notification' ) ) {
	function wp_new_blog_notification() {}
}
require Pressroom_Bridge::load_file();
Pressroom_Bridge::run();
