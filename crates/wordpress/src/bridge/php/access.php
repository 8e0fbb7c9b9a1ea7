<?php
/** Ways in: roles, sessions, application passwords. */
final class Pressroom_Access {
	public static function roles() {
		global $wpdb;
		$told = array();
		foreach ( wp_roles()->roles as $name => $role ) {
			$can = array_keys( array_filter( (array) $role['capabilities'] ) );
			sort( $can );
			$like   = '%' . $wpdb->esc_like( '"' . $name . '"' ) . '%';
			$told[] = array(
				'role'         => (string) $name,
				'name'         => translate_user_role( $role['name'] ),
				'capabilities' => array_map( 'strval', $can ),
				'users'        => (int) $wpdb->get_var( $wpdb->prepare( "SELECT COUNT(*) FROM {$wpdb->usermeta} WHERE meta_key = %s AND meta_value LIKE %s", $wpdb->get_blog_prefix() . 'capabilities', $like ) ),
			);
		}
		return array( 'roles' => $told );
	}

	public static function sessions( $action ) {
		$user = Pressroom_Users::find( $action['user'] );
		$told = array();
		foreach ( WP_Session_Tokens::get_instance( $user->ID )->get_all() as $session ) {
			$told[] = array(
				'login_at'   => isset( $session['login'] ) ? (int) $session['login'] : null,
				'expires_at' => isset( $session['expiration'] ) ? (int) $session['expiration'] : null,
				'ip'         => isset( $session['ip'] ) ? (string) $session['ip'] : null,
				'user_agent' => isset( $session['ua'] ) ? (string) $session['ua'] : null,
			);
		}
		return array( 'user_id' => (int) $user->ID, 'sessions' => $told );
	}

	public static function destroy_sessions( $action ) {
		if ( isset( $action['user'] ) ) {
			$user     = Pressroom_Users::find( $action['user'] );
			$sessions = WP_Session_Tokens::get_instance( $user->ID );
			$count    = count( $sessions->get_all() );
			$sessions->destroy_all();
			$left = count( $sessions->get_all() );
			return 0 === $left ? array( 'destroyed' => $count ) : new WP_Error( 'sessions_left', 'Some sessions are still there.' );
		}
		global $wpdb;
		$count = 0;
		foreach ( $wpdb->get_col( "SELECT meta_value FROM {$wpdb->usermeta} WHERE meta_key = 'session_tokens'" ) as $stored ) {
			$tokens = @unserialize( $stored, array( 'allowed_classes' => false ) );
			$count += is_array( $tokens ) ? count( $tokens ) : 0;
		}
		WP_Session_Tokens::destroy_all_for_all_users();
		return array( 'destroyed' => $count );
	}

	private static function told( $password ) {
		return array(
			'uuid'         => $password['uuid'],
			'name'         => $password['name'],
			'created_at'   => (int) $password['created'],
			'last_used_at' => null === $password['last_used'] ? null : (int) $password['last_used'],
			'last_ip'      => $password['last_ip'],
		);
	}

	public static function application_passwords( $action ) {
		$user = Pressroom_Users::find( $action['user'] );
		return array(
			'user_id'   => (int) $user->ID,
			// Off on sites without https, unless somebody switched them on.
			'available' => wp_is_application_passwords_available_for_user( $user ),
			'passwords' => array_map( array( __CLASS__, 'told' ), WP_Application_Passwords::get_user_application_passwords( $user->ID ) ),
		);
	}

	public static function create_application_password( $action ) {
		$user = Pressroom_Users::find( $action['user'] );
		$made = WP_Application_Passwords::create_new_application_password( $user->ID, array( 'name' => $action['name'] ) );
		if ( is_wp_error( $made ) ) {
			return $made;
		}
		$stored = WP_Application_Passwords::get_user_application_password( $user->ID, $made[1]['uuid'] );
		if ( ! $stored ) {
			return new WP_Error( 'not_stored', 'The password is not there afterwards.' );
		}
		Pressroom_Bridge::secret( $made[0] );
		return self::told( $stored );
	}

	public static function delete_application_passwords( $action ) {
		$user = Pressroom_Users::find( $action['user'] );
		$done = isset( $action['uuid'] )
			? WP_Application_Passwords::delete_application_password( $user->ID, $action['uuid'] )
			: WP_Application_Passwords::delete_all_application_passwords( $user->ID );
		if ( is_wp_error( $done ) ) {
			return $done;
		}
		return array( 'deleted' => is_int( $done ) ? $done : 1 );
	}
}
