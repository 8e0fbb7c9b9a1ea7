<?php
/** What the configuration came to, and which addresses are in use. */
final class Pressroom_Security {
	public static function constants( $action ) {
		$told = array();
		foreach ( (array) $action['names'] as $name ) {
			if ( defined( $name ) ) {
				$value         = constant( $name );
				$told[ $name ] = is_scalar( $value ) ? $value : null;
			}
		}
		return array( 'constants' => (object) $told );
	}

	/** What answers at `/<path>/`, or would when it is published. */
	public static function find_path( $action ) {
		global $wpdb;
		$path  = $action['path'];
		$taken = null;
		$found = $wpdb->get_row( $wpdb->prepare( "SELECT ID, post_type FROM {$wpdb->posts} WHERE post_name = %s AND post_parent = 0 AND post_status NOT IN ( 'trash', 'auto-draft', 'inherit' ) AND post_type NOT IN ( 'nav_menu_item', 'revision', 'customize_changeset', 'wp_global_styles', 'wp_template', 'wp_template_part', 'wp_navigation', 'wp_block' ) LIMIT 1", $path ) );
		if ( $found ) {
			$taken = $found->post_type . ' ' . $found->ID;
		} elseif ( is_multisite() && get_sites( array( 'path' => get_network()->path . $path . '/', 'count' => true ) ) > 0 ) {
			$taken = 'site of the network';
		}
		return array( 'taken_by' => $taken );
	}
}
