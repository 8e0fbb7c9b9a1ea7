<?php
/** How WordPress is started: as which site, with what left out, and as whom. */
final class Pressroom_Boot {
	/** A theme that is never there stands in for one that is left out. */
	const NO_THEME = 'pressroom-no-theme';

	private static $request;
	private static $installing = false;
	private static $admin      = false;
	/** Where the site wanted to send its visitor. */
	private static $redirect;
	private static $skipping = array();

	public static function prepare( $request ) {
		self::$request = $request;
		$url           = $request['url'];
		foreach ( $request['actions'] as $action ) {
			if ( 'install' === $action['action'] ) {
				$url              = $action['url'];
				self::$installing = true;
			}
			$name        = 'at' === $action['action'] ? $action['inner']['action'] : $action['action'];
			self::$admin = self::$admin || 'admin' === Pressroom_Actions::needs( $name );
		}
		self::$admin = self::$admin || ! empty( $request['admin'] );
		self::visit( null === $url ? 'http://localhost' : $url );
		$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
		$_SERVER['SERVER_SOFTWARE'] = 'Pressroom';
		$_SERVER['REQUEST_METHOD']  = 'GET';
		$_SERVER['QUERY_STRING']    = '';
		$_SERVER['REMOTE_ADDR']     = '127.0.0.1';
		$_SERVER['HTTP_USER_AGENT'] = 'Pressroom';
		$_SERVER['DOCUMENT_ROOT']   = $request['root'];
		$_SERVER['SCRIPT_FILENAME'] = $request['root'] . ( self::$admin ? '/wp-admin/index.php' : '/index.php' );

		// A fatal error here must not put the site into recovery mode nor send mail.
		define( 'WP_DISABLE_FATAL_ERROR_HANDLER', true );
		define( 'DONOTCACHEPAGE', true );
		if ( self::$installing ) {
			define( 'WP_INSTALLING', true );
		}
		if ( self::$admin ) {
			define( 'WP_ADMIN', true );
		}
		if ( isset( $request['actions'][0] ) && 'run_cron' === $request['actions'][0]['action'] ) {
			// Some plugins load what their events need only when they see this.
			define( 'DOING_CRON', true );
		}
		// The page cache would answer a visitor instead of starting WordPress, and
		// maintenance mode is where most of our work is done.
		$no = array( __CLASS__, 'no' );
		Pressroom_Bridge::hook_early( 'enable_loading_advanced_cache_dropin', $no );
		Pressroom_Bridge::hook_early( 'enable_maintenance_mode', $no );
		Pressroom_Bridge::hook_early( 'pre_get_ready_cron_jobs', array( __CLASS__, 'no_cron' ) );
		Pressroom_Bridge::hook_early( 'wp_redirect', array( __CLASS__, 'redirected' ) );
		foreach ( array( 'mu_plugin_loaded', 'network_plugin_loaded', 'plugin_loaded' ) as $hook ) {
			Pressroom_Bridge::hook_early( $hook, array( 'Pressroom_Blame', 'loaded' ) );
		}
		if ( null === $url ) {
			// The first moment at which the configuration and the tables can be asked.
			Pressroom_Bridge::hook_early( 'enable_loading_object_cache_dropin', array( __CLASS__, 'find_site' ) );
		}
		self::leave_out( $request );
	}

	private static function visit( $url ) {
		$parts = parse_url( $url );
		$host  = isset( $parts['host'] ) ? $parts['host'] : 'localhost';
		$path  = isset( $parts['path'] ) ? rtrim( $parts['path'], '/' ) : '';
		$https = isset( $parts['scheme'] ) && 'https' === $parts['scheme'];
		$port  = isset( $parts['port'] ) ? $parts['port'] : ( $https ? 443 : 80 );
		$page  = self::$admin ? $path . '/wp-admin/index.php' : $path . '/index.php';

		$_SERVER['HTTP_HOST']   = $host . ( isset( $parts['port'] ) ? ':' . $port : '' );
		$_SERVER['SERVER_NAME'] = $host;
		$_SERVER['SERVER_PORT'] = (string) $port;
		$_SERVER['REQUEST_URI'] = $path . ( self::$admin ? '/wp-admin/' : '/' );
		$_SERVER['SCRIPT_NAME'] = $page;
		$_SERVER['PHP_SELF']    = $page;
		if ( $https ) {
			$_SERVER['HTTPS'] = 'on';
		} else {
			unset( $_SERVER['HTTPS'] );
		}
	}

	/** Visits the blog that was asked for, or the site under its own address. */
	public static function find_site( $given ) {
		global $wpdb;
		if ( self::$installing || ! isset( $wpdb ) ) {
			return $given;
		}
		$quiet   = $wpdb->suppress_errors( true );
		$network = defined( 'MULTISITE' ) ? MULTISITE : ( defined( 'SUBDOMAIN_INSTALL' ) || defined( 'VHOST' ) || defined( 'SUNRISE' ) );
		if ( $network ) {
			$row = null;
			if ( ! empty( self::$request['blog'] ) ) {
				$row = $wpdb->get_row( $wpdb->prepare( "SELECT domain, path FROM {$wpdb->base_prefix}blogs WHERE blog_id = %d", self::$request['blog'] ) );
			} elseif ( defined( 'DOMAIN_CURRENT_SITE' ) ) {
				$row = (object) array(
					'domain' => DOMAIN_CURRENT_SITE,
					'path'   => defined( 'PATH_CURRENT_SITE' ) ? PATH_CURRENT_SITE : '/',
				);
			} else {
				$row = $wpdb->get_row( "SELECT domain, path FROM {$wpdb->base_prefix}site ORDER BY id LIMIT 1" );
			}
			if ( $row ) {
				$scheme = 'http';
				// Networks have one scheme; the main blog's address has it.
				$home = $wpdb->get_var( "SELECT option_value FROM {$wpdb->base_prefix}options WHERE option_name = 'home'" );
				if ( is_string( $home ) && 0 === strpos( $home, 'https:' ) ) {
					$scheme = 'https';
				}
				self::visit( $scheme . '://' . $row->domain . $row->path );
			}
		} else {
			$home = defined( 'WP_HOME' ) ? WP_HOME : $wpdb->get_var( "SELECT option_value FROM {$wpdb->base_prefix}options WHERE option_name = 'home'" );
			if ( is_string( $home ) && preg_match( '~^https?://[^/]~i', $home ) ) {
				self::visit( $home );
			}
		}
		$wpdb->suppress_errors( $quiet );
		return $given;
	}

	private static function leave_out( $request ) {
		$out = $request['skip'];
		if ( $out['mu_plugins'] && ! defined( 'WPMU_PLUGIN_DIR' ) ) {
			define( 'WPMU_PLUGIN_DIR', $request['nowhere'] );
		}
		self::$skipping = $out['plugins'];
		if ( null !== $out['plugins'] ) {
			foreach ( array( 'option_active_plugins', 'site_option_active_sitewide_plugins' ) as $hook ) {
				Pressroom_Bridge::hook_early( $hook, array( __CLASS__, 'without_plugins' ) );
			}
			// Code that stores what it read must not store the shortened list.
			Pressroom_Bridge::hook_early( 'pre_update_option_active_plugins', array( __CLASS__, 'keep_option' ), 2 );
			Pressroom_Bridge::hook_early( 'pre_update_site_option_active_sitewide_plugins', array( __CLASS__, 'keep_option' ), 2 );
		}
		if ( $out['themes'] ) {
			foreach ( array( 'template', 'stylesheet' ) as $hook ) {
				Pressroom_Bridge::hook_early( $hook, array( __CLASS__, 'without_theme' ) );
			}
			// The stand-in must not be taken for a switch that was just made.
			Pressroom_Bridge::hook_early( 'pre_option_theme_switched', array( __CLASS__, 'not_switched' ) );
		}
	}

	/** An empty list leaves out all plugins, others those with these directories or files. */
	public static function without_plugins( $active ) {
		if ( ! Pressroom_Bridge::is_booting() || ! is_array( $active ) ) {
			return $active;
		}
		foreach ( $active as $key => $value ) {
			// Lists of a blog have the file as value, those of a network as key.
			$file = is_int( $key ) ? $value : $key;
			$slug = is_string( $file ) ? explode( '/', $file )[0] : '';
			if ( ! self::$skipping || in_array( $file, self::$skipping, true ) || in_array( $slug, self::$skipping, true ) || in_array( basename( $slug, '.php' ), self::$skipping, true ) ) {
				unset( $active[ $key ] );
			}
		}
		return $active;
	}

	public static function keep_option( $value, $old ) {
		return Pressroom_Bridge::is_booting() ? $old : $value;
	}

	public static function without_theme( $theme ) {
		return Pressroom_Bridge::is_booting() ? self::NO_THEME : $theme;
	}

	public static function not_switched( $given ) {
		return Pressroom_Bridge::is_booting() ? '' : $given;
	}

	public static function no() {
		return false;
	}

	/** Starting WordPress must not start its cron. */
	public static function no_cron( $given ) {
		return Pressroom_Bridge::is_booting() ? array() : $given;
	}

	public static function redirected( $location ) {
		if ( Pressroom_Bridge::is_booting() ) {
			self::$redirect = array( (string) $location, Pressroom_Blame::trace( debug_backtrace( DEBUG_BACKTRACE_IGNORE_ARGS ) ) );
		}
		return $location;
	}

	/** WordPress is up. */
	public static function finish() {
		if ( ! empty( self::$request['skip']['themes'] ) && function_exists( 'wp_set_template_globals' ) ) {
			wp_set_template_globals();
		}
		self::$redirect = null;
	}

	/** Words for a start that WordPress ended on purpose, if it did. */
	public static function early_end() {
		if ( null !== self::$redirect ) {
			if ( false !== strpos( self::$redirect[0], 'wp-admin/install.php' ) ) {
				return 'WordPress is not installed in this database';
			}
			return 'The site sent its visitor to `' . self::$redirect[0] . '` and ended';
		}
		if ( Pressroom_Bridge::is_booting() && function_exists( 'is_multisite' ) && is_multisite() && empty( $GLOBALS['current_blog'] ) ) {
			return 'The network has no blog at `' . $_SERVER['HTTP_HOST'] . $_SERVER['REQUEST_URI'] . '`';
		}
		return null;
	}

	/** Who called for the redirect that ended the start. */
	public static function redirecting() {
		return null === self::$redirect ? null : self::$redirect[1];
	}

	/**
	 * Plugins ask in their activation and upgrade routines whether the user may do
	 * this; as nobody they would quietly do nothing. Other actions run as nobody, so
	 * that what they read is what the site itself reads.
	 */
	public static function act_as( $action ) {
		$login = isset( self::$request['user'] ) ? self::$request['user'] : null;
		if ( null !== $login ) {
			$user = get_user_by( 'login', $login );
			if ( ! $user ) {
				throw new Pressroom_Died( 'The user to act as does not exist.', 'user_missing' );
			}
			wp_set_current_user( $user->ID );
			return;
		}
		wp_set_current_user( 'admin' === Pressroom_Actions::needs( $action['action'] ) ? self::administrator() : 0 );
	}

	public static function administrator() {
		if ( is_multisite() ) {
			foreach ( get_super_admins() as $login ) {
				$user = get_user_by( 'login', $login );
				if ( $user ) {
					return $user->ID;
				}
			}
		}
		$users = get_users( array( 'role' => 'administrator', 'orderby' => 'ID', 'order' => 'ASC', 'number' => 1, 'fields' => 'ID' ) );
		return $users ? (int) $users[0] : 0;
	}
}
