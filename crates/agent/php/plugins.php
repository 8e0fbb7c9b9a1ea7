<?php
/** Plugins, must-use plugins and drop-ins, as WordPress lists them; see `plugins.rs`. */
final class Pressroom_Plugins {
	const DROP_INS         = array( 'advanced-cache.php', 'db-error.php', 'db.php', 'fatal-error-handler.php', 'install.php', 'maintenance.php', 'object-cache.php', 'php-error.php' );
	const NETWORK_DROP_INS = array( 'blog-deleted.php', 'blog-inactive.php', 'blog-suspended.php', 'sunrise.php' );

	/** In the shape of `FoundComponent`. */
	public $found = array();

	/** Those in the directory of plugins: its files, and one for each directory in it. */
	public function normal( $container ) {
		foreach ( Pressroom_Look::names( $container ) as $name ) {
			if ( '.' === $name[0] ) {
				continue;
			}
			if ( Pressroom_Look::is_dir( "$container/$name" ) ) {
				$this->in_directory( $container, $name );
			} elseif ( Pressroom_Headers::is_php( $name ) && Pressroom_Look::is_file( "$container/$name" ) ) {
				$start = Pressroom_Home::read_start( "$container/$name", Pressroom_Headers::BYTES );
				$said  = null === $start ? null : Pressroom_Headers::plugin( $start );
				if ( $said && ! Pressroom_Headers::is_nothing( $said['Plugin Name'] ) ) {
					$this->found[] = self::single( 'normal', $name, $said );
				}
			}
		}
	}

	/** The plugin in a directory, with whatever others lie beside its main file. */
	private function in_directory( $container, $slug ) {
		$names = array();
		foreach ( Pressroom_Look::names( "$container/$slug" ) as $name ) {
			if ( '.' !== $name[0] && Pressroom_Headers::is_php( $name ) && Pressroom_Look::is_file( "$container/$slug/$name" ) ) {
				$names[] = $name;
			}
		}
		if ( in_array( "$slug.php", $names, true ) ) {
			$names = array_merge( array( "$slug.php" ), array_diff( $names, array( "$slug.php" ) ) );
		}
		$main = null;
		foreach ( $names as $name ) {
			$start = Pressroom_Home::read_start( "$container/$slug/$name", Pressroom_Headers::BYTES );
			$said  = null === $start ? null : Pressroom_Headers::plugin( $start );
			if ( ! $said || Pressroom_Headers::is_nothing( $said['Plugin Name'] ) ) {
				continue;
			}
			if ( null === $main ) {
				$main = self::component( 'normal', $slug, "$slug/$name", $said );
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
			$this->found[] = $main;
		}
	}

	/** Every file runs, header or not. */
	public function must_use( $container ) {
		foreach ( Pressroom_Look::names( $container ) as $name ) {
			if ( '.php' !== substr( $name, -4 ) || ! Pressroom_Look::is_file( "$container/$name" ) ) {
				continue;
			}
			$start = Pressroom_Home::read_start( "$container/$name", Pressroom_Headers::BYTES );
			// "Silence is golden", as WordPress skips it.
			if ( null !== $start && ! ( 'index.php' === $name && strlen( $start ) <= 30 ) ) {
				$this->found[] = self::single( 'must_use', $name, Pressroom_Headers::plugin( $start ) );
			}
		}
	}

	/** The files that WordPress knows by name. */
	public function drop_ins( $container, $multisite ) {
		if ( null === $container ) {
			return;
		}
		$names = false === $multisite ? self::DROP_INS : array_merge( self::DROP_INS, self::NETWORK_DROP_INS );
		foreach ( $names as $name ) {
			$start = Pressroom_Look::is_file( "$container/$name" ) ? Pressroom_Home::read_start( "$container/$name", Pressroom_Headers::BYTES ) : null;
			if ( null !== $start ) {
				$this->found[] = self::single( 'drop_in', $name, Pressroom_Headers::plugin( $start ) );
			}
		}
	}

	/** A plugin that is one file. */
	private static function single( $place, $file, $said ) {
		$slug  = Pressroom_Headers::is_php( $file ) ? substr( $file, 0, -4 ) : preg_replace( '/\.php$/', '', $file );
		$found = self::component( $place, $slug, $file, $said );
		if ( '' === $found['text_domain'] ) {
			$found['text_domain'] = null;
		}
		return $found;
	}

	private static function component( $place, $slug, $file, $said ) {
		$in       = strpos( $file, '/' );
		$domain   = $said['Text Domain'];
		$network  = Pressroom_Headers::is_nothing( $said['Network'] ) ? $said['Site Wide Only'] : $said['Network'];
		$requires = array_map( 'trim', explode( ',', $said['Requires Plugins'] ) );
		return array(
			'kind'               => 'plugin',
			'place'              => $place,
			'slug'               => $slug,
			'file'               => $file,
			'name'               => Pressroom_Headers::is_nothing( $said['Plugin Name'] ) ? $file : $said['Plugin Name'],
			'version'            => $said['Version'],
			'author'             => Pressroom_Headers::without_tags( $said['Author'] ),
			'description'        => Pressroom_Headers::without_tags( $said['Description'] ),
			'parent'             => null,
			'requires_php'       => Pressroom_Headers::some( $said['Requires PHP'] ),
			'requires_wordpress' => Pressroom_Headers::some( $said['Requires at least'] ),
			'update_uri'         => Pressroom_Headers::some( $said['Update URI'] ),
			'text_domain'        => Pressroom_Headers::is_nothing( $domain ) ? ( false === $in ? null : substr( $file, 0, $in ) ) : $domain,
			'requires_plugins'   => array_values( array_filter( $requires, 'strlen' ) ),
			'network_only'       => 0 === strcasecmp( $network, 'true' ),
			'others'             => array(),
			'update_source'      => 'normal' === $place ? Pressroom_Headers::source( 'plugin', $slug, $said['Update URI'] ) : array( 'from' => 'nobody' ),
			'active'             => null,
			'network_active'     => null,
			'active_on'          => array(),
		);
	}
}
