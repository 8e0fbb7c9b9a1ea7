<?php
/** People: accounts, roles, and their places on the blogs of a network. */
final class Pressroom_Users {
	/** @return WP_User */
	public static function find( $reference ) {
		foreach ( array( 'id', 'login', 'email' ) as $field ) {
			if ( isset( $reference[ $field ] ) ) {
				$user = get_user_by( $field, $reference[ $field ] );
				if ( $user ) {
					return $user;
				}
			}
		}
		throw new Pressroom_Died( 'There is no such user.', 'user_missing' );
	}

	public static function told( $user ) {
		return array(
			'id'           => (int) $user->ID,
			'login'        => $user->user_login,
			'email'        => $user->user_email,
			'display_name' => $user->display_name,
			'registered'   => $user->user_registered,
			'roles'        => array_values( $user->roles ),
			'super_admin'  => is_multisite() && is_super_admin( $user->ID ),
		);
	}

	/** As the tables have it now. */
	private static function fresh( $id ) {
		clean_user_cache( $id );
		return self::told( new WP_User( $id, '', get_current_blog_id() ) );
	}

	public static function all( $action ) {
		$number = max( 1, min( 500, (int) $action['limit'] ) );
		$query  = array(
			'number'      => $number,
			'offset'      => (int) $action['offset'],
			'orderby'     => 'ID',
			'order'       => 'ASC',
			'count_total' => true,
			'blog_id'     => is_multisite() && ! empty( $action['network'] ) ? 0 : get_current_blog_id(),
		);
		if ( null !== $action['role'] ) {
			$query['role'] = $action['role'];
		}
		if ( null !== $action['search'] ) {
			$query['search']         = '*' . $action['search'] . '*';
			$query['search_columns'] = array( 'user_login', 'user_email', 'display_name' );
		}
		$found = new WP_User_Query( $query );
		return array(
			'total' => (int) $found->get_total(),
			'users' => array_map( array( __CLASS__, 'told' ), $found->get_results() ),
		);
	}

	public static function get( $action ) {
		return self::told( self::find( $action['user'] ) );
	}

	/** The log-in form hands passwords on with slashes, so they are hashed with them. */
	private static function form_password( $password ) {
		return wp_slash( $password );
	}

	private static function check( $action ) {
		if ( isset( $action['email'] ) && ! is_email( $action['email'] ) ) {
			return new WP_Error( 'invalid_email', 'This is no mail address.' );
		}
		if ( isset( $action['role'] ) && '' !== $action['role'] && ! wp_roles()->is_role( $action['role'] ) ) {
			return new WP_Error( 'invalid_role', 'This blog has no such role.' );
		}
		if ( isset( $action['password'] ) && '' === trim( $action['password'] ) ) {
			return new WP_Error( 'empty_password', 'A password cannot be empty.' );
		}
		return null;
	}

	public static function create( $action ) {
		$wrong = self::check( $action );
		if ( null !== $wrong ) {
			return $wrong;
		}
		$login = $action['login'];
		if ( '' === $login || sanitize_user( $login, true ) !== $login || ! validate_username( $login ) ) {
			return new WP_Error( 'invalid_username', 'This is no login name that WordPress keeps as it is.' );
		}
		if ( ! is_email( $action['email'] ) ) {
			return new WP_Error( 'invalid_email', 'This is no mail address.' );
		}
		$password = $action['password'];
		if ( null === $password ) {
			$password = wp_generate_password( 24, false );
			Pressroom_Bridge::secret( $password );
		}
		$user = array(
			'user_login' => wp_slash( $login ),
			'user_email' => wp_slash( $action['email'] ),
			'user_pass'  => self::form_password( $password ),
			'role'       => null === $action['role'] ? get_option( 'default_role' ) : $action['role'],
		);
		if ( null !== $action['display_name'] ) {
			$user['display_name'] = wp_slash( $action['display_name'] );
		}
		$id = wp_insert_user( $user );
		return is_wp_error( $id ) ? $id : self::fresh( $id );
	}

	public static function update( $action ) {
		$user  = self::find( $action['user'] );
		$wrong = self::check( $action );
		if ( null !== $wrong ) {
			return $wrong;
		}
		$change = array( 'ID' => $user->ID );
		if ( isset( $action['email'] ) ) {
			$change['user_email'] = wp_slash( $action['email'] );
		}
		if ( isset( $action['display_name'] ) ) {
			$change['display_name'] = wp_slash( $action['display_name'] );
		}
		if ( isset( $action['password'] ) ) {
			$change['user_pass'] = self::form_password( $action['password'] );
		}
		if ( count( $change ) > 1 ) {
			$id = wp_update_user( $change );
			if ( is_wp_error( $id ) ) {
				return $id;
			}
		}
		if ( isset( $action['role'] ) ) {
			$user = new WP_User( $user->ID, '', get_current_blog_id() );
			$user->set_role( $action['role'] );
		}
		return self::fresh( $user->ID );
	}

	/** Whether the user has anything on this blog that WordPress would delete. */
	private static function has_content( $id ) {
		global $wpdb;
		return (bool) $wpdb->get_var( $wpdb->prepare( "SELECT 1 FROM {$wpdb->posts} WHERE post_author = %d AND post_status <> 'auto-draft' LIMIT 1", $id ) );
	}

	public static function delete( $action ) {
		require_once ABSPATH . 'wp-admin/includes/user.php';
		require_once ABSPATH . 'wp-admin/includes/post.php';
		$user     = self::find( $action['user'] );
		$id       = (int) $user->ID;
		$reassign = isset( $action['reassign'] ) ? (int) self::find( $action['reassign'] )->ID : null;
		if ( $reassign === $id ) {
			return new WP_Error( 'reassign_to_self', 'Content cannot go to the user who is deleted.' );
		}
		$whole = is_multisite() && ! empty( $action['network'] );
		$blogs = $whole ? array_map( 'intval', wp_list_pluck( get_blogs_of_user( $id, true ), 'userblog_id' ) ) : array( get_current_blog_id() );
		// Who only leaves a blog of a network leaves the content there.
		if ( null === $reassign && empty( $action['delete_content'] ) && ( $whole || ! is_multisite() ) ) {
			foreach ( $blogs as $blog ) {
				$has = self::on_blog( $blog, static function () use ( $id ) {
					return self::has_content( $id );
				} );
				if ( $has ) {
					return new WP_Error( 'content_left', 'This user has content: say who gets it, or that it is to be deleted.' );
				}
			}
		}
		if ( ! $whole ) {
			$done = is_multisite() ? remove_user_from_blog( $id, get_current_blog_id(), (string) $reassign ) : wp_delete_user( $id, $reassign );
			if ( is_wp_error( $done ) ) {
				return $done;
			}
			return array( 'user_id' => $id, 'account_gone' => ! self::exists( $id ) );
		}
		require_once ABSPATH . 'wp-admin/includes/ms.php';
		if ( is_super_admin( $id ) ) {
			return new WP_Error( 'super_admin', 'A super administrator cannot be deleted.' );
		}
		if ( null !== $reassign ) {
			foreach ( $blogs as $blog ) {
				$done = remove_user_from_blog( $id, $blog, (string) $reassign );
				if ( is_wp_error( $done ) ) {
					return $done;
				}
			}
		}
		wpmu_delete_user( $id );
		$gone = ! self::exists( $id );
		return $gone ? array( 'user_id' => $id, 'account_gone' => true ) : new WP_Error( 'not_deleted', 'The user is still there.' );
	}

	private static function exists( $id ) {
		global $wpdb;
		return (bool) $wpdb->get_var( $wpdb->prepare( "SELECT 1 FROM {$wpdb->users} WHERE ID = %d", $id ) );
	}

	private static function on_blog( $blog, $call ) {
		if ( ! is_multisite() ) {
			return $call();
		}
		switch_to_blog( $blog );
		$result = $call();
		restore_current_blog();
		return $result;
	}

	public static function add_role( $action ) {
		$user = self::find( $action['user'] );
		if ( ! wp_roles()->is_role( $action['role'] ) ) {
			return new WP_Error( 'invalid_role', 'This blog has no such role.' );
		}
		$user->add_role( $action['role'] );
		return self::fresh( $user->ID );
	}

	public static function remove_role( $action ) {
		$user = self::find( $action['user'] );
		$user->remove_role( $action['role'] );
		return self::fresh( $user->ID );
	}

	public static function add_to_blog( $action ) {
		$user = self::find( $action['user'] );
		if ( ! is_multisite() ) {
			return new WP_Error( 'not_a_network', 'This is a single site.' );
		}
		if ( ! wp_roles()->is_role( $action['role'] ) ) {
			return new WP_Error( 'invalid_role', 'This blog has no such role.' );
		}
		$done = add_user_to_blog( get_current_blog_id(), $user->ID, $action['role'] );
		return is_wp_error( $done ) ? $done : self::fresh( $user->ID );
	}

	public static function remove_from_blog( $action ) {
		if ( ! is_multisite() ) {
			return new WP_Error( 'not_a_network', 'This is a single site.' );
		}
		$action['network'] = false;
		return self::delete( $action );
	}

	public static function set_super_admin( $action ) {
		require_once ABSPATH . 'wp-admin/includes/ms.php';
		$user = self::find( $action['user'] );
		if ( ! is_multisite() ) {
			return new WP_Error( 'not_a_network', 'This is a single site.' );
		}
		if ( isset( $GLOBALS['super_admins'] ) ) {
			return new WP_Error( 'super_admins_fixed', 'The configuration of this network names its super administrators.' );
		}
		if ( $action['granted'] ) {
			grant_super_admin( $user->ID );
		} else {
			// WordPress keeps the user whose address is the network's own.
			revoke_super_admin( $user->ID );
		}
		$told = self::fresh( $user->ID );
		return $told['super_admin'] === (bool) $action['granted'] ? $told : new WP_Error( 'not_changed', 'WordPress did not change the rights of this user.' );
	}
}
