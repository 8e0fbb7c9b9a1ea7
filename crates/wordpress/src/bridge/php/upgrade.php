<?php
/** Upgrade routines of WordPress and of its plugins. */
final class Pressroom_Upgrade {
	/**
	 * wp_upgrade() here, or on a stretch of the network's blogs.
	 *
	 * WordPress' own routine is core code working on the blog's tables, so a switched
	 * blog is enough for it. Archived, spam and deleted blogs are upgraded as well:
	 * somebody may bring them back.
	 */
	public static function database( $action ) {
		global $wpdb, $wp_db_version;
		require_once ABSPATH . 'wp-admin/includes/upgrade.php';
		$data = array( 'target' => (int) $wp_db_version, 'blogs' => array(), 'next' => null );
		if ( ! is_multisite() || empty( $action['network'] ) ) {
			$data['blogs'][] = self::one( get_current_blog_id(), $data );
			return self::judge( $data );
		}
		$limit = max( 1, min( 1000, (int) $action['limit'] ) );
		$ids   = array_map( 'intval', $wpdb->get_col( $wpdb->prepare( "SELECT blog_id FROM {$wpdb->blogs} WHERE site_id = %d AND blog_id > %d ORDER BY blog_id LIMIT %d", get_current_network_id(), (int) $action['after'], $limit + 1 ) ) );
		$more  = count( $ids ) > $limit;
		foreach ( array_slice( $ids, 0, $limit ) as $id ) {
			Pressroom_Bridge::check_fence();
			switch_to_blog( $id );
			$data['blogs'][] = self::one( $id, $data );
			restore_current_blog();
			do_action( 'wpmu_upgrade_site', $id );
		}
		if ( $more ) {
			$data['next'] = $ids[ $limit - 1 ];
		} else {
			// What makes WordPress ask for a network upgrade.
			update_site_option( 'wpmu_upgrade_site', $wp_db_version );
		}
		return self::judge( $data );
	}

	private static function version() {
		global $wpdb;
		$found = $wpdb->get_var( "SELECT option_value FROM {$wpdb->options} WHERE option_name = 'db_version'" );
		return null === $found ? null : (int) $found;
	}

	private static function one( $id, $data ) {
		$result           = array( 'blog' => $id, 'before' => self::version(), 'after' => null, 'error' => 'PHP ended in this upgrade.' );
		$data['blogs'][]  = $result;
		Pressroom_Bridge::so_far( $data );
		try {
			ob_start();
			wp_upgrade();
			ob_end_clean();
			$result['error'] = null;
		} catch ( Throwable $thrown ) {
			$result['error'] = $thrown->getMessage();
		}
		$result['after'] = self::version();
		if ( null === $result['error'] && $result['after'] !== $data['target'] ) {
			$result['error'] = 'The database has another version afterwards.';
		}
		return $result;
	}

	private static function judge( $data ) {
		foreach ( $data['blogs'] as $result ) {
			if ( null !== $result['error'] ) {
				return new Pressroom_Partly( $data, 'not_upgraded', $result['error'] );
			}
		}
		return $data;
	}

	/** Tells the site that components were updated, as WordPress' own updater does. */
	public static function complete( $action ) {
		require_once ABSPATH . 'wp-admin/includes/admin.php';
		require_once ABSPATH . 'wp-admin/includes/class-wp-upgrader.php';
		// They ask the network for news, which is not this action's business.
		remove_action( 'upgrader_process_complete', array( 'Language_Pack_Upgrader', 'async_upgrade' ), 20 );
		foreach ( array( 'wp_version_check', 'wp_update_plugins', 'wp_update_themes' ) as $asks ) {
			remove_action( 'upgrader_process_complete', $asks );
		}
		wp_clean_plugins_cache( false );
		wp_clean_themes_cache( false );
		$skin  = new Automatic_Upgrader_Skin();
		$items = array_values( array_map( 'strval', $action['items'] ) );
		$extra = array( 'action' => 'update', 'type' => $action['component'] );
		switch ( $action['component'] ) {
			case 'plugin':
				$upgrader = new Plugin_Upgrader( $skin );
				$extra   += array( 'bulk' => true, 'plugins' => $items );
				break;
			case 'theme':
				$upgrader = new Theme_Upgrader( $skin );
				$extra   += array( 'bulk' => true, 'themes' => $items );
				break;
			default:
				$upgrader = new Core_Upgrader( $skin );
		}
		$upgrader->init();
		$upgrader->result = true;
		do_action( 'upgrader_process_complete', $upgrader, $extra );
		$admin = ! empty( $action['admin_init'] );
		if ( $admin ) {
			// Where many plugins compare the version they stored with their own.
			do_action( 'admin_init' );
		}
		return array( 'hook_extra' => $extra, 'admin_init' => $admin );
	}
}
