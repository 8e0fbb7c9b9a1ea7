<?php
/** Themes, as WordPress finds and judges them; see `themes.rs`. */
final class Pressroom_Themes {
	/** In the shape of `FoundComponent`. */
	public $found = array();
	/** In the shape of `BrokenTheme`. */
	public $broken = array();

	/** Those in a directory, one level deep, or two where the first has no `style.css`. */
	public function read( $container ) {
		$all = array();
		foreach ( Pressroom_Look::directories( $container ) as $name ) {
			if ( Pressroom_Look::is_file( "$container/$name/style.css" ) ) {
				$all[ $name ] = Pressroom_Headers::theme( "$container/$name/style.css" );
				continue;
			}
			$inner = 0;
			foreach ( Pressroom_Look::directories( "$container/$name" ) as $below ) {
				if ( Pressroom_Look::is_file( "$container/$name/$below/style.css" ) ) {
					$all[ "$name/$below" ] = Pressroom_Headers::theme( "$container/$name/$below/style.css" );
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
			$this->found[] = array(
				'kind'               => 'theme',
				'place'              => 'normal',
				'slug'               => $slug,
				'file'               => "$slug/style.css",
				'name'               => Pressroom_Headers::is_nothing( $said['Theme Name'] ) ? $slug : $said['Theme Name'],
				'version'            => $said['Version'],
				'author'             => Pressroom_Headers::without_tags( $said['Author'] ),
				'description'        => Pressroom_Headers::without_tags( $said['Description'] ),
				'parent'             => Pressroom_Headers::is_nothing( $said['Template'] ) ? null : $said['Template'],
				'requires_php'       => Pressroom_Headers::some( $said['Requires PHP'] ),
				'requires_wordpress' => Pressroom_Headers::some( $said['Requires at least'] ),
				'update_uri'         => Pressroom_Headers::some( $said['Update URI'] ),
				'text_domain'        => Pressroom_Headers::some( $said['Text Domain'] ),
				'requires_plugins'   => array(),
				'network_only'       => false,
				'others'             => array(),
				'update_source'      => Pressroom_Headers::source( 'theme', $slug, $said['Update URI'] ),
				'active'             => null,
				'network_active'     => null,
				'active_on'          => array(),
			);
		}
	}

	/** What WordPress would object to, in the order in which it looks. */
	private static function judge( $container, $slug, $said, $all ) {
		$template = $said['Template'];
		if ( $template === $slug ) {
			return array( 'fault' => 'own_parent' );
		}
		if ( Pressroom_Headers::is_nothing( $template ) ) {
			foreach ( array( 'templates/index.html', 'block-templates/index.html', 'index.php' ) as $index ) {
				if ( Pressroom_Look::is_file( "$container/$slug/$index" ) || Pressroom_Look::is_dir( "$container/$slug/$index" ) ) {
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
		if ( ! Pressroom_Headers::is_nothing( $above ) && $above !== $parent ) {
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

	/** A parent's directory: by its name, or beside the child in a directory of themes. */
	private static function parent_of( $container, $slug, $template, $all ) {
		$in     = strrpos( $slug, '/' );
		$places = false === $in ? array( $template ) : array( $template, substr( $slug, 0, $in ) . "/$template" );
		foreach ( $places as $place ) {
			if ( Pressroom_Look::is_file( "$container/$place/index.php" ) || Pressroom_Look::is_dir( "$container/$place/index.php" ) ) {
				return $place;
			}
		}
		return isset( $all[ $template ] ) ? $template : null;
	}
}
