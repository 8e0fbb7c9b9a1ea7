<?php
/**
 * Plugin Name: Pressroom hidden login
 * Description: Serves the login page at an address of its own. Made and removed by Pressroom.
 * Version: 1.0.0
 * Login address: @SLUG@
 * Address form: @FORM@
 *
 * Visitors who are not logged in get a 404 at `wp-login.php` and in `wp-admin`. What
 * plugins and forms of the front page need there goes on: `admin-ajax.php`,
 * `admin-post.php`, and the passwords of single posts.
 */

if ( ! defined( 'ABSPATH' ) ) {
	exit;
}

final class Pressroom_Hidden_Login {
	const SLUG = '@SLUG@';

	/** `path`, or `query` where the web server leads no other addresses to WordPress. */
	const FORM = '@FORM@';

	/** Below wp-admin, and meant for visitors. */
	private static $open = array( 'admin-ajax.php', 'admin-post.php', 'load-styles.php', 'load-scripts.php' );

	/** Whether this request is one for the login page at its address. */
	private static $serves = false;

	/** Whether it was asked for as `/?slug`, and its forms are to lead there again. */
	private static $by_query = false;

	public static function start() {
		add_filter( 'site_url', array( __CLASS__, 'site_url' ), 10, 4 );
		add_filter( 'network_site_url', array( __CLASS__, 'network_site_url' ), 10, 3 );
		add_filter( 'wp_redirect', array( __CLASS__, 'redirect' ) );
		// `/login` and `/admin` must not lead to what is hidden.
		remove_action( 'template_redirect', 'wp_redirect_admin_locations', 1000 );
		if ( 'cli' === PHP_SAPI ) {
			return;
		}
		$script = self::script();
		$inside = 0 === strpos( $script, 'wp-admin/' );
		// They lead to the address of registration, which is the login page's.
		if ( ! is_multisite() && in_array( $script, array( 'wp-signup.php', 'wp-activate.php' ), true ) ) {
			add_action( 'init', array( __CLASS__, 'hide' ), -10000 );
		}
		$asked = isset( $_SERVER['REQUEST_URI'] ) ? (string) $_SERVER['REQUEST_URI'] : '';
		if ( 'wp-register.php' === basename( rawurldecode( (string) strtok( $asked . '?', '?' ) ) ) ) {
			add_action( 'template_redirect', array( __CLASS__, 'hide' ), -10000 );
		}
		if ( 'wp-login.php' === $script || ( $inside && ! in_array( substr( $script, 9 ), self::$open, true ) ) ) {
			self::no_cache();
			add_action( 'init', array( __CLASS__, 'hide' ), -10000 );
		} elseif ( ! $inside && 'index.php' === basename( $script ) && self::is_asked_for() ) {
			self::no_cache();
			self::$serves = true;
			// WordPress and plugins know the login page by these.
			$address                 = wp_parse_url( self::address( null, null, '' ) );
			$path                    = isset( $address['path'] ) ? $address['path'] : '/';
			$_SERVER['SCRIPT_NAME']  = $path . ( isset( $address['query'] ) ? '?' . $address['query'] : '' );
			$_SERVER['PHP_SELF']     = '/wp-login.php';
			add_action( 'wp_loaded', array( __CLASS__, 'serve' ), 10000 );
		}
	}

	/** The login page, as WordPress has it. */
	public static function serve() {
		// Its functions know these as global.
		global $error, $interim_login, $action, $user_login, $errors, $redirect_to, $pagenow;
		$pagenow = 'wp-login.php';
		require ABSPATH . 'wp-login.php';
		exit;
	}

	public static function hide() {
		if ( is_user_logged_in() || ( wp_installing() && ! is_blog_installed() ) ) {
			return;
		}
		// As wp-login.php itself decides what is asked of it: the body goes before the query.
		$action = isset( $_REQUEST['action'] ) ? $_REQUEST['action'] : '';
		if ( 'wp-login.php' === self::script() && 'postpass' === $action && isset( $_POST['post_password'] )
			&& ! isset( $_GET['key'] ) && ! isset( $_GET['checkemail'] ) ) {
			return;
		}
		status_header( 404 );
		nocache_headers();
		header( 'Content-Type: text/html; charset=utf-8' );
		header( 'X-Robots-Tag: noindex' );
		echo "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>\n";
		exit;
	}

	public static function site_url( $url, $path = '', $scheme = null, $blog_id = null ) {
		$query = self::login_query( $path );
		return null === $query ? $url : self::address( $blog_id, $scheme, $query );
	}

	public static function network_site_url( $url, $path = '', $scheme = null ) {
		$query = self::login_query( $path );
		if ( null === $query ) {
			return $url;
		}
		return self::address( is_multisite() ? get_main_site_id() : null, $scheme, $query );
	}

	/** Only for those who know the address: a visitor must not be led to it. */
	public static function redirect( $location ) {
		if ( ! is_string( $location ) || ( ! self::$serves && ! is_user_logged_in() ) ) {
			return $location;
		}
		$parts = wp_parse_url( $location );
		if ( ! is_array( $parts ) || ! isset( $parts['path'] ) || 'wp-login.php' !== basename( $parts['path'] ) ) {
			return $location;
		}
		if ( isset( $parts['host'] ) && wp_parse_url( self::base( null ), PHP_URL_HOST ) !== $parts['host'] ) {
			return $location;
		}
		$query = self::login_query( 'wp-login.php' . ( isset( $parts['query'] ) ? '?' . $parts['query'] : '' ) );
		return null === $query ? $location : self::address( null, null, $query );
	}

	/** What follows the `?` of a path to the login page; null for any other path. */
	private static function login_query( $path ) {
		if ( ! is_string( $path ) || ! preg_match( '~^/?wp-login\.php(?:\?(.*))?$~Ds', $path, $found ) ) {
			return null;
		}
		$query = isset( $found[1] ) ? $found[1] : '';
		// Passwords of single posts stay where they were.
		return preg_match( '~(?:^|&)action=postpass(?:&|$)~', $query ) ? null : $query;
	}

	/** The address of the login page. */
	private static function address( $blog_id, $scheme, $query ) {
		$other     = is_multisite() && $blog_id && get_current_blog_id() !== (int) $blog_id;
		$structure = (string) ( $other ? get_blog_option( $blog_id, 'permalink_structure' ) : get_option( 'permalink_structure' ) );
		$address   = self::base( $other ? $blog_id : null );
		$is_path   = 'path' === self::FORM && ! self::$by_query;
		if ( $is_path && '' !== $structure && false === strpos( $structure, 'index.php' ) ) {
			$address .= self::SLUG . '/' . ( '' === $query ? '' : '?' . $query );
		} else {
			$address .= '?' . self::SLUG . ( '' === $query ? '' : '&' . $query );
		}
		return set_url_scheme( $address, $scheme );
	}

	/** Where visitors find WordPress, with a slash at the end. */
	private static function base( $blog_id ) {
		$home = trailingslashit( get_home_url( $blog_id ) );
		$site = trailingslashit( get_site_url( $blog_id ) );
		return wp_parse_url( $home, PHP_URL_HOST ) === wp_parse_url( $site, PHP_URL_HOST ) ? $home : $site;
	}

	private static function is_asked_for() {
		$path = isset( $_SERVER['REQUEST_URI'] ) ? (string) $_SERVER['REQUEST_URI'] : '';
		$path = preg_replace( '~^https?://[^/?#]*~i', '', $path );
		$path = preg_replace( '~/+~', '/', '/' . rawurldecode( strtok( $path . '?', '?' ) ) );
		$base = wp_parse_url( self::base( null ), PHP_URL_PATH );
		$base = is_string( $base ) ? $base : '/';
		if ( rtrim( $path, '/' ) === $base . self::SLUG ) {
			return true;
		}
		self::$by_query = isset( $_GET[ self::SLUG ] ) && ( $path === $base || $path === $base . 'index.php' );
		return self::$by_query;
	}

	/** The script that was asked for, below WordPress. */
	private static function script() {
		$file = isset( $_SERVER['SCRIPT_FILENAME'] ) ? (string) $_SERVER['SCRIPT_FILENAME'] : '';
		$real = realpath( $file );
		$root = realpath( ABSPATH );
		if ( $real && $root && 0 === strpos( $real, $root . '/' ) ) {
			return substr( $real, strlen( $root ) + 1 );
		}
		return basename( $file );
	}

	private static function no_cache() {
		if ( ! defined( 'DONOTCACHEPAGE' ) ) {
			define( 'DONOTCACHEPAGE', true );
		}
	}
}

Pressroom_Hidden_Login::start();
