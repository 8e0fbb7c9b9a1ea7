<?php
/**
 * Plugin Name: Pressroom Page Cache
 * Description: Serves visitors who are not signed in from files.
 * Version: 1
 * Pressroom-Drop-In: page
 *
 * Put here by Pressroom and removed by it. Pages lie in wp-content/cache/pressroom, one
 * file each: a line of JSON, then the page. What is purged is marked with the time, and
 * a page that was begun before its mark is never served, whenever it was stored.
 */

defined( 'ABSPATH' ) || exit;

if ( ! class_exists( 'Pressroom_Page_Cache', false ) ) {

	class Pressroom_Page_Cache {

		const VERSION = 1;
		/** The longest page that is stored. */
		const MAX_PAGE = 5242880;
		/** Files in one of the 256 directories, so that nobody fills the disk with addresses. */
		const MAX_SHARD = 128;

		/** Parameters that are for statistics alone: they change no page. */
		const TRACKING = '/^(utm_[a-z_]+|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|mc_cid|mc_eid|yclid|ttclid|twclid|igshid|li_fat_id|_ga|_gl)$/i';

		/** Cookies of somebody for whom a page may be made. */
		const PERSONAL = '/^(wordpress_(?!test_cookie$)|wp-postpass_|wp-settings-|comment_author_|woocommerce_(items_in_cart|cart_hash)|wp_woocommerce_session_|edd_(items_in_cart|cart)|phpsessid$)/i';

		/** Cookies of statistics and of networks in between, for which no page is made. */
		const HARMLESS = '/^(wordpress_test_cookie|_ga.*|_gid|_gat.*|_gcl_.*|_fbp|_fbc|_pk_.*|_hj.*|__cf.*|_cf.*|cf_.*)$/';

		/** Options that are written without any page looking different. */
		const NOISE = '/^(_transient_|_site_transient_|cron$|(blog|user)_count$|doing_cron|rewrite_rules$|recently_edited$|auto_updater\.|core_updater\.|recovery_|action_scheduler_|.*[._]lock$)/';

		private static $root;
		private static $url;
		private static $variant;
		private static $file;
		private static $body    = '';
		private static $gave_up = false;
		private static $changed = array();

		/** Answers from a file and ends, or lets WordPress go on. Never fails. */
		public static function start() {
			try {
				self::$root = WP_CONTENT_DIR . '/cache/pressroom';
				self::watch();
				if ( in_array( PHP_SAPI, array( 'cli', 'phpdbg', 'embed' ), true ) || ! self::is( 'WP_USE_THEMES' ) ) {
					return;
				}
				$tracked = false;
				if ( ! self::is_for_everybody( $tracked ) ) {
					self::say( 'BYPASS' );
					return;
				}
				self::serve();
				self::say( 'MISS' );
				// A page may repeat the parameters it was asked with.
				if ( 'GET' === $_SERVER['REQUEST_METHOD'] && ! $tracked ) {
					ob_start( array( __CLASS__, 'collect' ) );
				}
			} catch ( \Throwable $trouble ) {
				return;
			}
		}

		private static function is( $constant ) {
			return defined( $constant ) && constant( $constant );
		}

		private static function say( $what ) {
			if ( ! headers_sent() ) {
				header( 'X-Pressroom-Cache: ' . $what );
			}
		}

		/** Whether everybody who asks so gets the same page; says under which name. */
		private static function is_for_everybody( &$tracked ) {
			$method = isset( $_SERVER['REQUEST_METHOD'] ) ? $_SERVER['REQUEST_METHOD'] : '';
			if ( 'GET' !== $method && 'HEAD' !== $method ) {
				return false;
			}
			foreach ( array( 'DONOTCACHEPAGE', 'WP_ADMIN', 'DOING_AJAX', 'DOING_CRON', 'XMLRPC_REQUEST', 'REST_REQUEST', 'WP_INSTALLING', 'WP_CLI' ) as $constant ) {
				if ( self::is( $constant ) ) {
					return false;
				}
			}
			// What may make a page without being part of its name.
			foreach ( array( 'HTTP_AUTHORIZATION', 'REDIRECT_HTTP_AUTHORIZATION', 'PHP_AUTH_USER', 'REMOTE_USER', 'REDIRECT_REMOTE_USER', 'HTTP_X_ORIGINAL_URL', 'HTTP_X_REWRITE_URL' ) as $name ) {
				if ( ! empty( $_SERVER[ $name ] ) ) {
					return false;
				}
			}
			$host = isset( $_SERVER['HTTP_HOST'] ) ? strtolower( (string) $_SERVER['HTTP_HOST'] ) : '';
			if ( ! preg_match( '/^[a-z0-9.:\[\]_-]{1,255}$/', $host ) ) {
				return false;
			}
			if ( ! empty( $_SERVER['HTTP_X_FORWARDED_HOST'] ) && strtolower( (string) $_SERVER['HTTP_X_FORWARDED_HOST'] ) !== $host ) {
				return false;
			}
			$parts = explode( '?', isset( $_SERVER['REQUEST_URI'] ) ? (string) $_SERVER['REQUEST_URI'] : '', 2 );
			if ( ! preg_match( '#^/[\x21-\x7e\x80-\xff]{0,2000}$#', $parts[0] ) ) {
				return false;
			}
			$query = isset( $parts[1] ) ? $parts[1] : '';
			foreach ( array_filter( explode( '&', $query ), 'strlen' ) as $pair ) {
				$name = explode( '=', $pair, 2 );
				if ( ! preg_match( self::TRACKING, urldecode( $name[0] ) ) ) {
					return false;
				}
				$tracked = true;
			}
			foreach ( array_keys( $_GET ) as $name ) {
				if ( ! preg_match( self::TRACKING, (string) $name ) ) {
					return false;
				}
				$tracked = true;
			}
			foreach ( array_keys( $_COOKIE ) as $name ) {
				if ( preg_match( self::PERSONAL, (string) $name ) ) {
					return false;
				}
				if ( ! preg_match( self::HARMLESS, (string) $name ) ) {
					// A page may be made for it: it is not kept for others.
					$tracked = true;
				}
			}
			foreach ( array( 'LOGGED_IN_COOKIE', 'AUTH_COOKIE', 'SECURE_AUTH_COOKIE' ) as $constant ) {
				if ( defined( $constant ) && isset( $_COOKIE[ constant( $constant ) ] ) ) {
					return false;
				}
			}
			self::$url     = ( is_ssl() ? 'https://' : 'http://' ) . $host . $parts[0];
			self::$variant = ( self::is_mobile() ? 'm' : '' ) . ( self::is_forwarded_https() ? 's' : '' );
			// Nobody who does not read the configuration can guess the name of a file.
			$secret = '';
			foreach ( array( 'AUTH_KEY', 'SECURE_AUTH_SALT', 'DB_NAME' ) as $constant ) {
				$secret .= defined( $constant ) ? (string) constant( $constant ) : '';
			}
			$name       = hash_hmac( 'sha256', self::$variant . ' ' . self::$url, $secret );
			self::$file = self::$root . '/pages/' . substr( $name, 0, 2 ) . '/' . substr( $name, 2 ) . '.page';
			return true;
		}

		/** As wp_is_mobile(), which is not there yet: themes may make another page. */
		private static function is_mobile() {
			if ( isset( $_SERVER['HTTP_SEC_CH_UA_MOBILE'] ) ) {
				return '?1' === $_SERVER['HTTP_SEC_CH_UA_MOBILE'];
			}
			$agent = isset( $_SERVER['HTTP_USER_AGENT'] ) ? (string) $_SERVER['HTTP_USER_AGENT'] : '';
			return (bool) preg_match( '#Mobile|Android|Silk/|Kindle|BlackBerry|Opera Mini|Opera Mobi#', $agent );
		}

		/** What is behind a proxy may take its word for the scheme later than here. */
		private static function is_forwarded_https() {
			return isset( $_SERVER['HTTP_X_FORWARDED_PROTO'] ) && 'https' === strtolower( (string) $_SERVER['HTTP_X_FORWARDED_PROTO'] );
		}

		/** Sends the stored page and ends; returns when there is none that may be sent. */
		private static function serve() {
			$handle = @fopen( self::$file, 'rb' );
			if ( ! $handle ) {
				return;
			}
			$line = fgets( $handle, 65536 );
			$head = json_decode( (string) $line, true );
			$stat = fstat( $handle );
			$now  = time();
			$good = is_array( $head ) && isset( $head['v'], $head['url'], $head['variant'], $head['blog'], $head['begun'], $head['at'], $head['until'], $head['length'], $head['headers'] )
				&& self::VERSION === $head['v'] && self::$url === $head['url'] && self::$variant === $head['variant']
				&& $now < $head['until'] && $now >= $head['at']
				&& $stat['size'] === strlen( $line ) + $head['length']
				&& (float) $head['begun'] > self::purged( (int) $head['blog'] );
			if ( ! $good || headers_sent() ) {
				fclose( $handle );
				return;
			}
			$seen = array();
			foreach ( (array) $head['headers'] as $header ) {
				$name = strtolower( strtok( (string) $header, ':' ) );
				header( (string) $header, ! isset( $seen[ $name ] ) );
				$seen[ $name ] = true;
			}
			header( 'Age: ' . ( $now - (int) $head['at'] ) );
			self::say( 'HIT' );
			if ( 'HEAD' !== $_SERVER['REQUEST_METHOD'] ) {
				fpassthru( $handle );
			}
			fclose( $handle );
			exit;
		}

		/** When pages of a blog were last purged; all that were begun by then are old. */
		private static function purged( $blog ) {
			$all = (float) @file_get_contents( self::$root . '/purged-all' );
			return max( $all, (float) @file_get_contents( self::$root . '/purged-' . (int) $blog ) );
		}

		/** Takes the page as it is put out, and stores it at its end. */
		public static function collect( $chunk, $phase ) {
			try {
				if ( $phase & PHP_OUTPUT_HANDLER_CLEAN ) {
					self::$body = '';
				} elseif ( ! self::$gave_up ) {
					self::$body .= $chunk;
					if ( strlen( self::$body ) > self::MAX_PAGE ) {
						self::$gave_up = true;
						self::$body    = '';
					}
				}
				if ( ( $phase & PHP_OUTPUT_HANDLER_FINAL ) && ! self::$gave_up ) {
					$headers = self::headers();
					if ( null !== $headers && self::is_whole_page() ) {
						self::store( $headers );
					}
					self::$body = '';
				}
			} catch ( \Throwable $trouble ) {
				self::$gave_up = true;
			}
			return $chunk;
		}

		private static function is_whole_page() {
			if ( 200 !== http_response_code() || false === stripos( substr( self::$body, -4096 ), '</html>' ) ) {
				return false;
			}
			foreach ( array( 'DONOTCACHEPAGE', 'REST_REQUEST', 'DOING_AJAX', 'DOING_CRON', 'XMLRPC_REQUEST', 'WP_ADMIN' ) as $constant ) {
				if ( self::is( $constant ) ) {
					return false;
				}
			}
			$error = error_get_last();
			if ( $error && ( $error['type'] & ( E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_USER_ERROR | E_RECOVERABLE_ERROR ) ) ) {
				return false;
			}
			if ( ! did_action( 'template_redirect' ) || is_user_logged_in() ) {
				return false;
			}
			$never = array( 'is_404', 'is_search', 'is_feed', 'is_preview', 'is_customize_preview', 'is_robots', 'is_trackback', 'is_cart', 'is_checkout', 'is_account_page', 'ms_is_switched' );
			foreach ( $never as $is ) {
				if ( function_exists( $is ) && $is() ) {
					return false;
				}
			}
			return true;
		}

		/** The headers to send again; null when the page is not for everybody. */
		private static function headers() {
			$kept    = array();
			$is_html = false;
			foreach ( headers_list() as $header ) {
				$parts = explode( ':', $header, 2 );
				$name  = strtolower( trim( $parts[0] ) );
				$value = isset( $parts[1] ) ? strtolower( trim( $parts[1] ) ) : '';
				switch ( $name ) {
					case 'set-cookie':
					case 'content-encoding':
					case 'content-range':
					case 'www-authenticate':
					case 'location':
					case 'refresh':
						return null;
					case 'cache-control':
					case 'pragma':
						if ( preg_match( '/no-cache|no-store|private|max-age=0/', $value ) ) {
							return null;
						}
						break;
					case 'vary':
						if ( array_diff( array_map( 'trim', explode( ',', $value ) ), array( 'accept-encoding', '' ) ) ) {
							return null;
						}
						break;
					case 'content-type':
						$is_html = 0 === strpos( $value, 'text/html' );
						break;
					case 'date':
					case 'server':
					case 'age':
					case 'x-powered-by':
					case 'content-length':
					case 'connection':
					case 'transfer-encoding':
					case 'x-pressroom-cache':
						continue 2;
				}
				$kept[] = $header;
			}
			return $is_html ? $kept : null;
		}

		private static function store( $headers ) {
			$begun = isset( $_SERVER['REQUEST_TIME_FLOAT'] ) ? (float) $_SERVER['REQUEST_TIME_FLOAT'] : 0.0;
			$blog  = get_current_blog_id();
			if ( $begun <= self::purged( $blog ) ) {
				return;
			}
			// Below half a nonce's life: what a page carries must still be good.
			$lasts = defined( 'PRESSROOM_PAGE_CACHE_TTL' ) ? (int) PRESSROOM_PAGE_CACHE_TTL : 3600;
			$now   = time();
			$line  = json_encode(
				array(
					'v'       => self::VERSION,
					'url'     => self::$url,
					'variant' => self::$variant,
					'blog'    => $blog,
					'begun'   => sprintf( '%.6F', $begun ),
					'at'      => $now,
					'until'   => $now + max( 1, min( 36000, $lasts ) ),
					'length'  => strlen( self::$body ),
					'headers' => $headers,
				),
				JSON_UNESCAPED_SLASHES
			);
			if ( ! is_string( $line ) || strlen( $line ) > 60000 || ! self::make_directories( dirname( self::$file ) ) ) {
				return;
			}
			$shard = dirname( self::$file );
			self::make_room( $shard );
			$aside = $shard . '/' . bin2hex( random_bytes( 12 ) ) . '.new';
			$whole = $line . "\n" . self::$body;
			if ( strlen( $whole ) === @file_put_contents( $aside, $whole ) && @chmod( $aside, 0600 ) && @rename( $aside, self::$file ) ) {
				return;
			}
			@unlink( $aside );
		}

		/** Ours alone; the one above is everybody's. */
		private static function make_directories( $last ) {
			if ( ! is_dir( WP_CONTENT_DIR . '/cache' ) ) {
				@mkdir( WP_CONTENT_DIR . '/cache', 0755 );
			}
			foreach ( array( self::$root, self::$root . '/pages', $last ) as $directory ) {
				if ( ! is_dir( $directory ) && ! @mkdir( $directory, 0700 ) && ! is_dir( $directory ) ) {
					return false;
				}
			}
			return true;
		}

		private static function make_room( $shard ) {
			$files = array_diff( (array) @scandir( $shard ), array( '.', '..', false ) );
			if ( count( $files ) < self::MAX_SHARD ) {
				return;
			}
			$ages = array();
			foreach ( $files as $name ) {
				$ages[ $name ] = (int) @filemtime( $shard . '/' . $name );
			}
			asort( $ages );
			foreach ( array_slice( array_keys( $ages ), 0, (int) ( self::MAX_SHARD / 4 ) ) as $name ) {
				@unlink( $shard . '/' . $name );
			}
		}

		/** Listens for what makes pages look different, also where none is served. */
		private static function watch() {
			$of_blog = array(
				'save_post', 'deleted_post', 'trashed_post', 'untrashed_post', 'transition_post_status',
				'add_attachment', 'edit_attachment', 'delete_attachment', 'set_object_terms',
				'created_term', 'edited_term', 'delete_term',
				'comment_post', 'edit_comment', 'deleted_comment', 'transition_comment_status', 'wp_update_comment_count',
				'switch_theme', 'customize_save_after', 'wp_update_nav_menu', 'wp_delete_nav_menu',
				'activated_plugin', 'deactivated_plugin', 'profile_update', 'user_register', 'deleted_user',
				'woocommerce_product_set_stock', 'woocommerce_variation_set_stock',
				'woocommerce_product_set_stock_status', 'woocommerce_updated_product_stock',
			);
			foreach ( $of_blog as $hook ) {
				add_action( $hook, array( __CLASS__, 'blog_changed' ), 99, 0 );
			}
			foreach ( array( 'updated_option', 'added_option', 'deleted_option' ) as $hook ) {
				add_action( $hook, array( __CLASS__, 'option_changed' ), 99, 1 );
			}
			foreach ( array( 'update_site_option', 'add_site_option', 'delete_site_option' ) as $hook ) {
				add_action( $hook, array( __CLASS__, 'network_option_changed' ), 99, 1 );
			}
			foreach ( array( 'upgrader_process_complete', 'wp_insert_site', 'wp_update_site', 'wp_delete_site', '_core_updated_successfully' ) as $hook ) {
				add_action( $hook, array( __CLASS__, 'network_changed' ), 99, 0 );
			}
		}

		public static function option_changed( $name ) {
			if ( ! preg_match( self::NOISE, (string) $name ) ) {
				self::blog_changed();
			}
		}

		public static function network_option_changed( $name ) {
			if ( ! preg_match( self::NOISE, (string) $name ) ) {
				self::network_changed();
			}
		}

		public static function blog_changed() {
			self::changed( (string) get_current_blog_id() );
		}

		public static function network_changed() {
			self::changed( 'all' );
		}

		/** Marks now and once more at the end: a page made in between has seen only a part. */
		private static function changed( $whose ) {
			try {
				if ( ! self::$changed ) {
					register_shutdown_function( array( __CLASS__, 'purge' ) );
				}
				self::$changed[ $whose ] = true;
				self::mark( $whose );
			} catch ( \Throwable $trouble ) {
				return;
			}
		}

		private static function mark( $whose ) {
			// Also where nothing was stored yet: a page may be in the making.
			if ( ! self::make_directories( self::$root . '/pages' ) ) {
				return;
			}
			$aside = self::$root . '/' . bin2hex( random_bytes( 12 ) ) . '.new';
			$mark  = self::$root . '/purged-' . $whose;
			if ( @file_put_contents( $aside, sprintf( '%.6F', microtime( true ) ) ) && @rename( $aside, $mark ) ) {
				return;
			}
			@unlink( $aside );
		}

		/** Removes what the marks made useless. */
		public static function purge() {
			try {
				foreach ( array_keys( self::$changed ) as $whose ) {
					self::mark( $whose );
				}
				$all = isset( self::$changed['all'] ) || ! ( function_exists( 'is_multisite' ) && is_multisite() );
				foreach ( (array) @glob( self::$root . '/pages/??/*.page', GLOB_NOSORT ) as $file ) {
					if ( ! $all ) {
						$handle = @fopen( $file, 'rb' );
						$head   = $handle ? json_decode( (string) fgets( $handle, 65536 ), true ) : null;
						if ( $handle ) {
							fclose( $handle );
						}
						if ( is_array( $head ) && isset( $head['blog'] ) && ! isset( self::$changed[ (string) $head['blog'] ] ) ) {
							continue;
						}
					}
					@unlink( $file );
				}
			} catch ( \Throwable $trouble ) {
				return;
			}
		}
	}
}

Pressroom_Page_Cache::start();
