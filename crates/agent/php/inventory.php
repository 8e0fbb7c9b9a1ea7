<?php
/** What is installed, without running any of it; see `inventory.rs` and `find.rs`. */
final class Pressroom_Inventory {
	const MAX_DIRECTORIES = 50000;
	const MAX_INSTALLS    = 1000;

	private $unread = array();

	/** In the shape of `Inspection`. */
	public static function inspect( $root, $settings ) {
		$root = Pressroom_Home::plain( $root );
		if ( ! is_dir( Pressroom_Home::resolve( $root ) ) ) {
			throw Pressroom_Refused::missing( $root );
		}
		$look    = new self();
		$content = array(
			'is'   => 'inside',
			'path' => Pressroom_Home::below( $root, 'wp-content' ),
		);
		$all     = isset( $settings['directories'] ) ? $settings['directories'] : array(
			'content'  => $content,
			'plugins'  => array( 'path' => $content['path'] . '/plugins' ) + $content,
			'must_use' => array( 'path' => $content['path'] . '/mu-plugins' ) + $content,
			'themes'   => array( 'path' => $content['path'] . '/themes' ) + $content,
		);
		$plugins = new Pressroom_Plugins();
		$plugins->normal( $look->reach( $all['plugins'], 'plugins' ) );
		$themes = new Pressroom_Themes();
		$themes->read( $look->reach( $all['themes'], 'themes' ) );
		$must_use = new Pressroom_Plugins();
		$must_use->must_use( $look->reach( $all['must_use'], 'must-use plugins' ) );
		$must_use->drop_ins( $look->reach( $all['content'], 'drop-ins' ), isset( $settings['multisite'] ) ? $settings['multisite'] : null );
		return self::core( $root ) + array(
			'settings'      => (object) $settings,
			'components'    => array_merge( $plugins->found, $themes->found, $must_use->found ),
			'broken_themes' => $themes->broken,
			'unread'        => $look->unread,
		);
	}

	/** Installs below a directory, in the shape of `Found`; see `find.rs`. */
	public static function find( $below, $depth ) {
		$start = Pressroom_Home::plain( $below );
		if ( ! is_dir( Pressroom_Home::resolve( $start ) ) ) {
			throw Pressroom_Refused::missing( $start );
		}
		$passed   = array( 'node_modules', 'vendor', 'bower_components', 'cgi-bin', Pressroom_Home::STATE );
		$installs = array();
		$complete = true;
		$looked   = 0;
		for ( $open = array( array( $start, 0, null ) ); $open; ) {
			list( $dir, $level, $inside ) = array_shift( $open );
			if ( ++$looked > self::MAX_DIRECTORIES || count( $installs ) >= self::MAX_INSTALLS ) {
				$complete = false;
				break;
			}
			$has = static function ( $name ) use ( $dir ) {
				return Pressroom_Look::is_file( Pressroom_Home::below( $dir, $name ) );
			};
			$is  = ( $has( 'wp-load.php' ) || $has( 'wp-settings.php' ) ) && $has( 'wp-includes/version.php' );
			if ( $is ) {
				$core       = self::core( $dir );
				$config     = Pressroom_Config::locate( $dir );
				$installs[] = array(
					'root'         => $dir,
					'version'      => $core['version'],
					'locale'       => $core['locale'],
					'config'       => $config ? $config[0] : null,
					'config_above' => $config ? $config[1] : false,
					'inside'       => $inside,
				);
				$inside     = $dir;
			}
			if ( $level >= $depth ) {
				continue;
			}
			$path = Pressroom_Home::reach( $dir );
			if ( null === $path || ! is_readable( $path ) ) {
				$complete = $complete && null === $path;
				continue;
			}
			foreach ( Pressroom_Look::names( $dir ) as $name ) {
				$of_wordpress = $is && in_array( $name, array( 'wp-admin', 'wp-includes', 'wp-content' ), true );
				if ( '.' !== $name[0] && ! $of_wordpress && ! in_array( $name, $passed, true ) && Pressroom_Look::is_dir( Pressroom_Home::below( $dir, $name ) ) ) {
					$open[] = array( Pressroom_Home::below( $dir, $name ), $level + 1, $inside );
				}
			}
		}
		usort(
			$installs,
			static function ( $one, $other ) {
				return strcmp( $one['root'], $other['root'] );
			}
		);
		return array(
			'installs' => $installs,
			'complete' => $complete,
		);
	}

	/** Version and locale of the core in a directory. */
	public static function core( $root ) {
		$file   = Pressroom_Home::read_start( Pressroom_Home::below( $root, 'wp-includes/version.php' ), 65536 );
		$locale = self::assigned( $file, 'wp_local_package' );
		return array(
			'version' => self::assigned( $file, 'wp_version' ),
			'locale'  => null === $locale ? 'en_US' : $locale,
		);
	}

	/** The text a variable is set to in a file that is not run. */
	public static function assigned( $file, $name ) {
		if ( null === $file || ! function_exists( 'token_get_all' ) ) {
			$plain = '/^\s*\$' . $name . '\s*=\s*[\'"]([^\'"\\\\]*)[\'"]\s*;/m';
			return null !== $file && preg_match( $plain, $file, $found ) ? $found[1] : null;
		}
		$tokens = array();
		foreach ( token_get_all( $file ) as $token ) {
			if ( ! is_array( $token ) || ! in_array( $token[0], array( T_WHITESPACE, T_COMMENT, T_DOC_COMMENT ), true ) ) {
				$tokens[] = $token;
			}
		}
		foreach ( $tokens as $at => $token ) {
			if ( is_array( $token ) && '$' . $name === $token[1] && isset( $tokens[ $at + 2 ] ) && '=' === $tokens[ $at + 1 ] ) {
				$value = $tokens[ $at + 2 ];
				if ( is_array( $value ) && T_CONSTANT_ENCAPSED_STRING === $value[0] ) {
					return stripslashes( substr( $value[1], 1, -1 ) );
				}
			}
		}
		return null;
	}

	/** The directory relative to the home; null, and said, when it is not to be looked at. */
	private function reach( $directory, $what ) {
		$is = $directory['is'];
		if ( 'inside' === $is && null !== Pressroom_Home::reach( $directory['path'] ) ) {
			return $directory['path'];
		}
		if ( 'unknown' === $is ) {
			$this->unread[] = "where $what are is computed by the configuration and is not known";
		} else {
			$why            = 'inside' === $is ? "behind a link or where no site's files are" : "outside of the site's home";
			$this->unread[] = "$what are in `{$directory['path']}`, $why";
		}
		return null;
	}
}
