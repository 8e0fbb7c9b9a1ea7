<?php
/** What is installed, as WordPress lists it, without running any of it; see `inventory.rs`. */
final class Pressroom_Inventory {
	const HEADER_BYTES     = 8192;
	const MAX_DIRECTORIES  = 50000;
	const MAX_INSTALLS     = 1000;
	const DROP_INS         = array( 'advanced-cache.php', 'db-error.php', 'db.php', 'fatal-error-handler.php', 'install.php', 'maintenance.php', 'object-cache.php', 'php-error.php' );
	const NETWORK_DROP_INS = array( 'blog-deleted.php', 'blog-inactive.php', 'blog-suspended.php', 'sunrise.php' );

	private $components = array();
	private $broken     = array();
	private $unread     = array();

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
		$look->plugins( $look->reach( $all['plugins'], 'plugins' ) );
		$look->themes( $look->reach( $all['themes'], 'themes' ) );
		$look->must_use( $look->reach( $all['must_use'], 'must-use plugins' ) );
		$look->drop_ins( $look->reach( $all['content'], 'drop-ins' ), isset( $settings['multisite'] ) ? $settings['multisite'] : null );
		return self::core( $root ) + array(
			'settings'      => (object) $settings,
			'components'    => $look->components,
			'broken_themes' => $look->broken,
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
				return self::is_file( Pressroom_Home::below( $dir, $name ) );
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
			foreach ( self::names( $dir ) as $name ) {
				$of_wordpress = $is && in_array( $name, array( 'wp-admin', 'wp-includes', 'wp-content' ), true );
				if ( '.' !== $name[0] && ! $of_wordpress && ! in_array( $name, $passed, true ) && self::is_dir( Pressroom_Home::below( $dir, $name ) ) ) {
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
	private static function core( $root ) {
		$file   = Pressroom_Home::read_start( Pressroom_Home::below( $root, 'wp-includes/version.php' ), 65536 );
		$locale = self::assigned( $file, 'wp_local_package' );
		return array(
			'version' => self::assigned( $file, 'wp_version' ),
			'locale'  => null === $locale ? 'en_US' : $locale,
		);
	}

	/** The text a variable is set to in a file that is not run. */
	private static function assigned( $file, $name ) {
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

	/** Names in a directory in byte order; nothing where there is none. */
	private static function names( $relative ) {
		$path  = null === $relative ? null : Pressroom_Home::reach( $relative );
		$names = null !== $path && is_dir( $path ) ? @scandir( $path ) : false;
		$names = false === $names ? array() : array_diff( $names, array( '.', '..' ) );
		$names = array_filter(
			$names,
			static function ( $name ) {
				return (bool) preg_match( '//u', $name );
			}
		);
		sort( $names, SORT_STRING );
		Pressroom_Agent::check();
		return $names;
	}

	private static function is_dir( $relative ) {
		$path = Pressroom_Home::reach( $relative );
		return null !== $path && is_dir( $path );
	}

	private static function is_file( $relative ) {
		$path = Pressroom_Home::reach( $relative );
		return null !== $path && is_file( $path );
	}

	private static function is_php( $name ) {
		return strlen( $name ) > 4 && '.php' === substr( $name, -4 );
	}

	/** As `get_file_data()` reads them. */
	private static function headers( $start, $names ) {
		$start = str_replace( "\r", "\n", (string) substr( $start, 0, self::HEADER_BYTES ) );
		$found = array();
		foreach ( $names as $name ) {
			$found[ $name ] = '';
			if ( preg_match( '/^(?:[ \t]*<\?php)?[ \t\/*#@]*' . preg_quote( $name, '/' ) . ':(.*)$/mi', $start, $match ) && $match[1] ) {
				$found[ $name ] = trim( preg_replace( '/\s*(?:\*\/|\?>).*/', '', $match[1] ) );
			}
		}
		return $found;
	}

	private static function plugin_headers( $start ) {
		return self::headers( $start, array( 'Plugin Name', 'Version', 'Description', 'Author', 'Text Domain', 'Requires at least', 'Requires PHP', 'Requires Plugins', 'Update URI', 'Network', 'Site Wide Only' ) );
	}

	private static function is_nothing( $text ) {
		return '' === $text || '0' === $text;
	}

	private static function some( $text ) {
		return '' === $text ? null : $text;
	}

	private static function without_tags( $text ) {
		return trim( preg_replace( '~<(?=[a-zA-Z/!?])[^>]*(?:>|$)~s', '', $text ) );
	}

	private function plugins( $container ) {
		foreach ( self::names( $container ) as $name ) {
			if ( '.' === $name[0] ) {
				continue;
			}
			if ( self::is_dir( "$container/$name" ) ) {
				$this->plugin_directory( $container, $name );
			} elseif ( self::is_php( $name ) && self::is_file( "$container/$name" ) ) {
				$start = Pressroom_Home::read_start( "$container/$name", self::HEADER_BYTES );
				$said  = null === $start ? null : self::plugin_headers( $start );
				if ( $said && ! self::is_nothing( $said['Plugin Name'] ) ) {
					$this->components[] = self::single( 'normal', $name, $said );
				}
			}
		}
	}

	private function plugin_directory( $container, $slug ) {
		$names = array();
		foreach ( self::names( "$container/$slug" ) as $name ) {
			if ( '.' !== $name[0] && self::is_php( $name ) && self::is_file( "$container/$slug/$name" ) ) {
				$names[] = $name;
			}
		}
		if ( in_array( "$slug.php", $names, true ) ) {
			$names = array_merge( array( "$slug.php" ), array_diff( $names, array( "$slug.php" ) ) );
		}
		$main = null;
		foreach ( $names as $name ) {
			$start = Pressroom_Home::read_start( "$container/$slug/$name", self::HEADER_BYTES );
			$said  = null === $start ? null : self::plugin_headers( $start );
			if ( ! $said || self::is_nothing( $said['Plugin Name'] ) ) {
				continue;
			}
			if ( null === $main ) {
				$main = self::plugin( 'normal', $slug, "$slug/$name", $said );
			} else {
				$main['others'][] = array(
					'file'    => "$slug/$name",
					'name'    => $said['Plugin Name'],
					'version' => $said['Version'],
					'active'  => null,
				);
			}
		}
		if ( null !== $main ) {
			$this->components[] = $main;
		}
	}

	private function must_use( $container ) {
		foreach ( self::names( $container ) as $name ) {
			if ( '.php' !== substr( $name, -4 ) || ! self::is_file( "$container/$name" ) ) {
				continue;
			}
			$start = Pressroom_Home::read_start( "$container/$name", self::HEADER_BYTES );
			// "Silence is golden", as WordPress skips it.
			if ( null !== $start && ! ( 'index.php' === $name && strlen( $start ) <= 30 ) ) {
				$this->components[] = self::single( 'must_use', $name, self::plugin_headers( $start ) );
			}
		}
	}

	private function drop_ins( $container, $multisite ) {
		if ( null === $container ) {
			return;
		}
		$names = false === $multisite ? self::DROP_INS : array_merge( self::DROP_INS, self::NETWORK_DROP_INS );
		foreach ( $names as $name ) {
			$start = self::is_file( "$container/$name" ) ? Pressroom_Home::read_start( "$container/$name", self::HEADER_BYTES ) : null;
			if ( null !== $start ) {
				$this->components[] = self::single( 'drop_in', $name, self::plugin_headers( $start ) );
			}
		}
	}

	private static function single( $place, $file, $said ) {
		$slug  = self::is_php( $file ) ? substr( $file, 0, -4 ) : preg_replace( '/\.php$/', '', $file );
		$found = self::plugin( $place, $slug, $file, $said );
		if ( '' === $found['text_domain'] ) {
			$found['text_domain'] = null;
		}
		return $found;
	}

	private static function plugin( $place, $slug, $file, $said ) {
		$in       = strpos( $file, '/' );
		$domain   = $said['Text Domain'];
		$network  = self::is_nothing( $said['Network'] ) ? $said['Site Wide Only'] : $said['Network'];
		$requires = array_map( 'trim', explode( ',', $said['Requires Plugins'] ) );
		return array(
			'kind'               => 'plugin',
			'place'              => $place,
			'slug'               => $slug,
			'file'               => $file,
			'name'               => self::is_nothing( $said['Plugin Name'] ) ? $file : $said['Plugin Name'],
			'version'            => $said['Version'],
			'author'             => self::without_tags( $said['Author'] ),
			'description'        => self::without_tags( $said['Description'] ),
			'parent'             => null,
			'requires_php'       => self::some( $said['Requires PHP'] ),
			'requires_wordpress' => self::some( $said['Requires at least'] ),
			'update_uri'         => self::some( $said['Update URI'] ),
			'text_domain'        => self::is_nothing( $domain ) ? ( false === $in ? null : substr( $file, 0, $in ) ) : $domain,
			'requires_plugins'   => array_values( array_filter( $requires, 'strlen' ) ),
			'network_only'       => 0 === strcasecmp( $network, 'true' ),
			'others'             => array(),
			'update_source'      => 'normal' === $place ? self::source( 'plugin', $slug, $said['Update URI'] ) : array( 'from' => 'nobody' ),
			'active'             => null,
			'network_active'     => null,
			'active_on'          => array(),
		);
	}

	/** Who may know of a newer version, by the `Update URI`. */
	private static function source( $kind, $slug, $uri ) {
		$nobody = array( 'from' => 'nobody' );
		$uri    = trim( $uri );
		if ( false !== strpos( $slug, '/' ) ) {
			return array( 'from' => 'unknown' );
		}
		if ( self::is_nothing( $uri ) ) {
			return array( 'from' => 'repository' );
		}
		if ( 0 === strcasecmp( $uri, 'false' ) ) {
			return $nobody;
		}
		$at = strpos( $uri, '://' );
		if ( false !== $at ) {
			if ( ! preg_match( '/^https?$/i', substr( $uri, 0, $at ) ) ) {
				return $nobody;
			}
			$uri = (string) substr( $uri, $at + 3 );
		} elseif ( false !== strpos( $uri, ':' ) || false !== strpos( '/#?', $uri[0] ) ) {
			return $nobody;
		}
		$end  = strcspn( $uri, '/?#' );
		$path = (string) substr( $uri, $end );
		$host = (string) substr( $uri, 0, $end );
		$host = false === strrpos( $host, '@' ) ? $host : (string) substr( $host, strrpos( $host, '@' ) + 1 );
		$host = strtolower( explode( ':', $host )[0] );
		if ( '' === $host ) {
			return $nobody;
		}
		$pages = array(
			'wordpress.org' => $kind . 's',
			'w.org'         => $kind,
		);
		if ( ! isset( $pages[ $host ] ) ) {
			return array(
				'from' => 'vendor',
				'host' => $host,
			);
		}
		$page = explode( '/', trim( $path, '/' ), 2 );
		$own  = isset( $page[1] ) && $page[0] === $pages[ $host ] && 0 === strcasecmp( $page[1], $slug );
		return $own ? array( 'from' => 'repository' ) : $nobody;
	}

	private function themes( $container ) {
		$all = array();
		foreach ( self::directories( $container ) as $name ) {
			if ( self::is_file( "$container/$name/style.css" ) ) {
				$all[ $name ] = self::theme_headers( "$container/$name/style.css" );
				continue;
			}
			$inner = 0;
			foreach ( self::directories( "$container/$name" ) as $below ) {
				if ( self::is_file( "$container/$name/$below/style.css" ) ) {
					$all[ "$name/$below" ] = self::theme_headers( "$container/$name/$below/style.css" );
					++$inner;
				}
			}
			if ( 0 === $inner ) {
				$all[ $name ] = array( 'fault' => 'no_stylesheet' );
			}
		}
		ksort( $all, SORT_STRING );
		foreach ( $all as $slug => $said ) {
			$slug  = (string) $slug;
			$fault = isset( $said['fault'] ) ? $said : self::judge( $container, $slug, $said, $all );
			if ( null !== $fault ) {
				$this->broken[] = array(
					'slug'  => $slug,
					'fault' => $fault,
				);
				continue;
			}
			$this->components[] = array(
				'kind'               => 'theme',
				'place'              => 'normal',
				'slug'               => $slug,
				'file'               => "$slug/style.css",
				'name'               => self::is_nothing( $said['Theme Name'] ) ? $slug : $said['Theme Name'],
				'version'            => $said['Version'],
				'author'             => self::without_tags( $said['Author'] ),
				'description'        => self::without_tags( $said['Description'] ),
				'parent'             => self::is_nothing( $said['Template'] ) ? null : $said['Template'],
				'requires_php'       => self::some( $said['Requires PHP'] ),
				'requires_wordpress' => self::some( $said['Requires at least'] ),
				'update_uri'         => self::some( $said['Update URI'] ),
				'text_domain'        => self::some( $said['Text Domain'] ),
				'requires_plugins'   => array(),
				'network_only'       => false,
				'others'             => array(),
				'update_source'      => self::source( 'theme', $slug, $said['Update URI'] ),
				'active'             => null,
				'network_active'     => null,
				'active_on'          => array(),
			);
		}
	}

	private static function directories( $container ) {
		$found = array();
		foreach ( self::names( $container ) as $name ) {
			if ( '.' !== $name[0] && 'CVS' !== $name && self::is_dir( "$container/$name" ) ) {
				$found[] = $name;
			}
		}
		return $found;
	}

	private static function theme_headers( $file ) {
		$start = Pressroom_Home::read_start( $file, self::HEADER_BYTES );
		if ( null === $start ) {
			return array( 'fault' => 'stylesheet_unreadable' );
		}
		return self::headers( $start, array( 'Theme Name', 'Description', 'Author', 'Version', 'Template', 'Text Domain', 'Requires at least', 'Requires PHP', 'Update URI' ) );
	}

	private static function judge( $container, $slug, $said, $all ) {
		$template = $said['Template'];
		if ( $template === $slug ) {
			return array( 'fault' => 'own_parent' );
		}
		if ( self::is_nothing( $template ) ) {
			foreach ( array( 'templates/index.html', 'block-templates/index.html', 'index.php' ) as $index ) {
				if ( self::is_file( "$container/$slug/$index" ) || self::is_dir( "$container/$slug/$index" ) ) {
					return null;
				}
			}
			return array( 'fault' => 'no_index' );
		}
		$parent = self::parent_of( $container, $slug, $template, $all );
		if ( null === $parent ) {
			return array(
				'fault'  => 'no_parent',
				'parent' => $template,
			);
		}
		$above = isset( $all[ $parent ]['Template'] ) ? $all[ $parent ]['Template'] : '';
		if ( ! self::is_nothing( $above ) && $above !== $parent ) {
			$grandparent = self::parent_of( $container, $parent, $above, $all );
			if ( null !== $grandparent && $grandparent !== $parent ) {
				return array(
					'fault'  => 'parent_is_child',
					'parent' => $parent,
				);
			}
		}
		return null;
	}

	private static function parent_of( $container, $slug, $template, $all ) {
		$in     = strrpos( $slug, '/' );
		$places = false === $in ? array( $template ) : array( $template, substr( $slug, 0, $in ) . "/$template" );
		foreach ( $places as $place ) {
			if ( self::is_file( "$container/$place/index.php" ) || self::is_dir( "$container/$place/index.php" ) ) {
				return $place;
			}
		}
		return isset( $all[ $template ] ) ? $template : null;
	}
}
