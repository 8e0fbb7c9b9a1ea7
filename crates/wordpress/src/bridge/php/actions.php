<?php
/** Which method does an action, and what it needs around it. */
final class Pressroom_Actions {
	/**
	 * `admin`: runs site code that wp-admin runs, as an administrator in wp-admin.
	 * `own`: runs code of the blog, which a switched blog has not loaded.
	 */
	private static $table = array(
		'install'                      => array( 'Install', 'install', 'own' ),
		'issue_login'                  => array( 'Install', 'issue_login', '' ),
		'clean_component_caches'       => array( 'Caches', 'clean_components', 'admin' ),
		'flush_object_cache'           => array( 'Caches', 'flush_objects', '' ),
		'set_cached'                   => array( 'Caches', 'set_cached', '' ),
		'delete_transients'            => array( 'Caches', 'delete_transients', '' ),
		'get_rewrite'                  => array( 'Rewrite', 'get', 'own' ),
		'set_rewrite'                  => array( 'Rewrite', 'set', 'own' ),
		'flush_rewrite'                => array( 'Rewrite', 'flush', 'own' ),
		'read_active_plugins'          => array( 'Plugins', 'read', '' ),
		'activate_plugins'             => array( 'Plugins', 'activate', 'admin' ),
		'deactivate_plugins'           => array( 'Plugins', 'deactivate', 'admin' ),
		'set_active_plugins'           => array( 'Plugins', 'set', '' ),
		'restore_active_plugins'       => array( 'Plugins', 'restore', '' ),
		'uninstall_plugin'             => array( 'Plugins', 'uninstall', 'admin' ),
		'read_theme'                   => array( 'Themes', 'read', '' ),
		'switch_theme'                 => array( 'Themes', 'activate', 'admin' ),
		'restore_theme'                => array( 'Themes', 'restore', '' ),
		'enable_themes'                => array( 'Themes', 'enable', '' ),
		'upgrade_database'             => array( 'Upgrade', 'database', 'admin' ),
		'complete_upgrade'             => array( 'Upgrade', 'complete', 'admin' ),
		'list_users'                   => array( 'Users', 'all', '' ),
		'get_user'                     => array( 'Users', 'get', '' ),
		'create_user'                  => array( 'Users', 'create', '' ),
		'update_user'                  => array( 'Users', 'update', '' ),
		'delete_user'                  => array( 'Users', 'delete', '' ),
		'add_role'                     => array( 'Users', 'add_role', '' ),
		'remove_role'                  => array( 'Users', 'remove_role', '' ),
		'add_user_to_blog'             => array( 'Users', 'add_to_blog', '' ),
		'remove_user_from_blog'        => array( 'Users', 'remove_from_blog', '' ),
		'set_super_admin'              => array( 'Users', 'set_super_admin', '' ),
		'list_roles'                   => array( 'Access', 'roles', '' ),
		'list_sessions'                => array( 'Access', 'sessions', '' ),
		'destroy_sessions'             => array( 'Access', 'destroy_sessions', '' ),
		'list_application_passwords'   => array( 'Access', 'application_passwords', '' ),
		'create_application_password'  => array( 'Access', 'create_application_password', '' ),
		'delete_application_passwords' => array( 'Access', 'delete_application_passwords', '' ),
		'list_cron'                    => array( 'Cron', 'all', '' ),
		'run_cron'                     => array( 'Cron', 'run', 'own' ),
		'schedule_cron'                => array( 'Cron', 'schedule', 'own' ),
		'unschedule_cron'              => array( 'Cron', 'unschedule', '' ),
		'get_option'                   => array( 'Options', 'get', '' ),
		'set_option'                   => array( 'Options', 'set', '' ),
		'add_option'                   => array( 'Options', 'add', '' ),
		'delete_option'                => array( 'Options', 'delete', '' ),
		'list_options'                 => array( 'Options', 'all', '' ),
		'find_broken_options'          => array( 'Options', 'broken', '' ),
		'list_blogs'                   => array( 'Network', 'all', '' ),
		'create_blog'                  => array( 'Network', 'create', '' ),
		'site_info'                    => array( 'Network', 'info', '' ),
		'read_constants'               => array( 'Security', 'constants', '' ),
		'find_path'                    => array( 'Security', 'find_path', '' ),
	);

	/** `''`, `admin` or `own`. */
	public static function needs( $name ) {
		return isset( self::$table[ $name ] ) ? self::$table[ $name ][2] : '';
	}

	public static function method( $name ) {
		if ( ! isset( self::$table[ $name ] ) ) {
			throw new Pressroom_Died( "There is no action `$name`.", 'unknown_action' );
		}
		return array( 'Pressroom_' . self::$table[ $name ][0], self::$table[ $name ][1] );
	}
}
