<?php
/** Options and people as the tables have them; see `facts.rs` and `users.rs`. */
final class Pressroom_Tables {
	const USUAL     = array( 'siteurl', 'home', 'blogname', 'active_plugins', 'stylesheet', 'template', 'blog_public', 'permalink_structure' );
	const MAX_BLOGS = 5000;

	private $db;
	private $prefix;
	private $settings;

	public function __construct( $settings ) {
		foreach ( array( 'table_prefix' => '$table_prefix', 'db_name' => 'DB_NAME', 'db_user' => 'DB_USER', 'db_password' => 'DB_PASSWORD', 'db_host' => 'DB_HOST' ) as $key => $name ) {
			if ( ! isset( $settings[ $key ] ) ) {
				throw self::failed( "`wp-config.php` does not say `$name` plainly" );
			}
		}
		if ( ! function_exists( 'mysqli_init' ) ) {
			throw self::failed( 'this PHP has no `mysqli`' );
		}
		$this->settings = $settings;
		$this->prefix   = $settings['table_prefix'];
		if ( ! preg_match( '/^[A-Za-z0-9_]{1,48}$/D', $this->prefix ) ) {
			throw self::failed( "table prefix `$this->prefix` may hold only letters, digits and `_`" );
		}
		list( $host, $port, $socket ) = self::address( $settings['db_host'] );
		mysqli_report( MYSQLI_REPORT_OFF );
		$this->db = mysqli_init();
		$this->db->options( MYSQLI_OPT_CONNECT_TIMEOUT, 30 );
		if ( defined( 'MYSQLI_OPT_READ_TIMEOUT' ) ) {
			$this->db->options( MYSQLI_OPT_READ_TIMEOUT, 30 );
		}
		if ( ! @$this->db->real_connect( $host, $settings['db_user'], $settings['db_password'], $settings['db_name'], $port, $socket ) ) {
			throw self::failed( mysqli_connect_error() );
		}
		$this->db->set_charset( 'utf8mb4' );
	}

	/** As `wpdb::parse_db_host()` takes it apart. */
	private static function address( $host ) {
		$socket = null;
		$at     = strpos( $host, ':/' );
		if ( false !== $at ) {
			$socket = substr( $host, $at + 1 );
			$host   = substr( $host, 0, $at );
		}
		$pattern = substr_count( $host, ':' ) > 1
			? '#^(?:\[)?(?P<host>[0-9a-fA-F:]+)(?:\]:(?P<port>[\d]+))?#'
			: '#^(?P<host>[^:/]*)(?::(?P<port>[\d]+))?#';
		if ( 1 !== preg_match( $pattern, $host, $parts ) ) {
			throw self::failed( "`DB_HOST` `$host` is not understood" );
		}
		$port = empty( $parts['port'] ) ? 0 : (int) $parts['port'];
		if ( $port > 65535 ) {
			throw self::failed( "`DB_HOST` `$host` is not understood" );
		}
		return array( '' === $parts['host'] ? 'localhost' : $parts['host'], $port, $socket );
	}

	private static function failed( $why ) {
		return new Pressroom_Refused( 'database', "the site's database failed: $why" );
	}

	private function rows( $sql ) {
		$result = @$this->db->query( $sql );
		if ( ! $result instanceof mysqli_result ) {
			throw self::failed( $this->db->error );
		}
		return $result->fetch_all( MYSQLI_NUM );
	}

	private function text( $text ) {
		return "_utf8mb4 x'" . bin2hex( $text ) . "'";
	}

	/** In the shape of `SiteFacts`. */
	public function facts( $wanted ) {
		$prefix = $this->prefix;
		$length = strlen( $prefix );
		$tables = array();
		foreach ( $this->rows( "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND LEFT(TABLE_NAME, $length) = '$prefix'" ) as $row ) {
			$tables[ $row[0] ] = true;
		}
		$main  = $this->main_blog();
		$table = $prefix . ( null === $main ? '' : "{$main}_" ) . 'options';
		$facts = array(
			'options'        => array(),
			'administrators' => array(),
			'tables'         => count( $tables ),
			'active_plugins' => null,
			'network'        => null,
		);
		if ( isset( $tables[ $table ] ) ) {
			$names = array_map( array( $this, 'text' ), array_merge( self::USUAL, $wanted ) );
			foreach ( $this->rows( "SELECT option_name, option_value FROM `$table` WHERE option_name IN (" . implode( ',', $names ) . ')' ) as $row ) {
				$facts['options'][ $row[0] ] = $row[1];
			}
			$facts['active_plugins'] = self::list_values( isset( $facts['options']['active_plugins'] ) ? $facts['options']['active_plugins'] : '' );
		}
		if ( ! empty( $this->settings['multisite'] ) && isset( $tables[ "{$prefix}blogs" ], $tables[ "{$prefix}sitemeta" ] ) ) {
			$facts['network'] = $this->network( $tables );
		}
		$people = $this->user_tables();
		if ( $people && $this->are_there( $people ) ) {
			list( $users, $meta ) = $people;
			$rows                 = $this->rows(
				"SELECT u.ID, u.user_login, u.user_email, m.meta_value FROM `$users` u JOIN `$meta` m ON m.user_id = u.ID
				 WHERE m.meta_key = '{$prefix}capabilities' AND m.meta_value LIKE '%\"administrator\"%' ORDER BY u.ID LIMIT 1000"
			);
			foreach ( $rows as $row ) {
				if ( preg_match( '/s:13:"administrator";(?:b:1|i:1|s:1:"1");/', $row[3] ) && count( $facts['administrators'] ) < 100 ) {
					$facts['administrators'][] = array(
						'id'    => (int) $row[0],
						'login' => $row[1],
						'email' => $row[2],
					);
				}
			}
		}
		$facts['options'] = (object) $facts['options'];
		return $facts;
	}

	/** In the shape of a list of `SeenUser`. */
	public function users( $query ) {
		$people = $this->user_tables();
		if ( ! $people ) {
			throw self::failed( 'wp-config.php does not tell where the users are' );
		}
		list( $users, $meta ) = $people;
		$limit                = 500;
		if ( isset( $query->id ) ) {
			$which = 'u.ID = ' . (int) $query->id;
			$limit = 1;
		} elseif ( isset( $query->login ) ) {
			$which = 'u.user_login = ' . $this->text( $query->login );
		} elseif ( isset( $query->email ) ) {
			$which = 'u.user_email = ' . $this->text( $query->email );
		} else {
			$which = 'u.ID > ' . (int) $query->after->id;
			$limit = max( 1, min( 500, (int) $query->after->limit ) );
		}
		$main   = $this->main_blog();
		$prefix = $this->prefix . ( null === $main ? '' : "{$main}_" );
		$first  = static function ( $key ) use ( $meta ) {
			return "(SELECT m.meta_value FROM `$meta` m WHERE m.user_id = u.ID AND m.meta_key = '$key' ORDER BY m.umeta_id LIMIT 1)";
		};
		$found  = array();
		$rows   = $this->rows(
			'SELECT u.ID, u.user_login, u.user_email, u.display_name, u.user_pass, ' . $first( "{$prefix}capabilities" ) . ', ' . $first( 'session_tokens' ) .
			" FROM `$users` u WHERE $which ORDER BY u.ID LIMIT $limit"
		);
		foreach ( $rows as $row ) {
			$found[] = array(
				'id'            => (int) $row[0],
				'login'         => $row[1],
				'email'         => $row[2],
				'display_name'  => $row[3],
				'roles'         => self::list_keys( (string) $row[5] ),
				'password_mark' => hash( 'sha256', $row[4] ),
				'has_sessions'  => null !== $row[6] && '' !== $row[6] && 'a:0:{}' !== $row[6],
			);
		}
		return $found;
	}

	private function main_blog() {
		$id = isset( $this->settings['blog_id_current_site']['value'] ) ? $this->settings['blog_id_current_site']['value'] : '1';
		return ! empty( $this->settings['multisite'] ) && '1' !== $id && ctype_digit( $id ) ? $id : null;
	}

	private function user_tables() {
		$names = array();
		foreach ( array( 'custom_user_table' => 'users', 'custom_user_meta_table' => 'usermeta' ) as $key => $usual ) {
			$custom = isset( $this->settings[ $key ] ) ? $this->settings[ $key ] : array( 'is' => 'unknown' );
			if ( 'no' === $custom['is'] ) {
				$names[] = $this->prefix . $usual;
			} elseif ( 'as' === $custom['is'] && preg_match( '/^[A-Za-z0-9_]{1,48}$/D', $custom['value'] ) ) {
				$names[] = $custom['value'];
			} else {
				return null;
			}
		}
		return $names;
	}

	private function are_there( $names ) {
		$rows = $this->rows( "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN ('$names[0]', '$names[1]')" );
		return 2 === (int) $rows[0][0];
	}

	private function network( $tables ) {
		$prefix = $this->prefix;
		$id     = isset( $this->settings['site_id_current_site']['value'] ) ? $this->settings['site_id_current_site']['value'] : '';
		if ( ! ctype_digit( $id ) ) {
			$rows = $this->rows( "SELECT MIN(site_id) FROM `{$prefix}sitemeta`" );
			$id   = null === $rows[0][0] ? 1 : $rows[0][0];
		}
		$id   = (int) $id;
		$meta = array();
		foreach ( $this->rows( "SELECT meta_key, meta_value FROM `{$prefix}sitemeta` WHERE site_id = $id AND meta_key IN ('active_sitewide_plugins', 'site_admins', 'ms_files_rewriting')" ) as $row ) {
			$meta[ $row[0] ] = $row[1];
		}
		$meta  += array(
			'active_sitewide_plugins' => '',
			'site_admins'             => '',
			'ms_files_rewriting'      => '',
		);
		$blogs  = array();
		$parts  = array();
		foreach ( $this->rows( "SELECT blog_id, domain, path, archived = '1', spam = 1, deleted = 1 FROM `{$prefix}blogs` WHERE site_id = $id ORDER BY blog_id LIMIT " . self::MAX_BLOGS ) as $row ) {
			$blog           = (int) $row[0];
			$table          = 1 === $blog ? "{$prefix}options" : "{$prefix}{$blog}_options";
			$there          = isset( $tables[ $table ] );
			$blogs[ $blog ] = array(
				'id'             => $blog,
				'domain'         => $row[1],
				'path'           => $row[2],
				'closed'         => $row[3] + $row[4] + $row[5] > 0,
				'active_plugins' => $there ? array() : null,
				'stylesheet'     => null,
				'template'       => null,
			);
			if ( $there ) {
				$parts[] = "SELECT $blog, option_name, option_value FROM `$table` WHERE option_name IN ('active_plugins', 'stylesheet', 'template')";
			}
		}
		foreach ( array_chunk( $parts, 100 ) as $some ) {
			foreach ( $this->rows( implode( ' UNION ALL ', $some ) ) as $row ) {
				$blogs[ $row[0] ][ $row[1] ] = 'active_plugins' === $row[1] ? self::list_values( $row[2] ) : $row[2];
			}
		}
		$total = $this->rows( "SELECT COUNT(*) FROM `{$prefix}blogs` WHERE site_id = $id" );
		return array(
			'id'              => $id,
			'active_plugins'  => self::list_keys( $meta['active_sitewide_plugins'] ),
			'super_admins'    => self::list_values( $meta['site_admins'] ),
			'files_rewriting' => ! in_array( $meta['ms_files_rewriting'], array( '', '0' ), true ),
			'blogs'           => array_values( $blogs ),
			'blogs_total'     => (int) $total[0][0],
		);
	}

	/** A stored array that holds nothing but texts and numbers; null for anything else. */
	private static function entries( $stored ) {
		if ( '' === $stored ) {
			return array();
		}
		$value = preg_match( '/^a:\d+:\{/', $stored ) ? @unserialize( $stored, array( 'allowed_classes' => false ) ) : null;
		if ( ! is_array( $value ) ) {
			return null;
		}
		foreach ( $value as $entry ) {
			if ( ! is_scalar( $entry ) ) {
				return null;
			}
		}
		return $value;
	}

	private static function list_values( $stored ) {
		$entries = self::entries( $stored );
		return null === $entries || $entries !== array_filter( $entries, 'is_string' ) ? null : array_values( $entries );
	}

	private static function list_keys( $stored ) {
		$entries = self::entries( $stored );
		$keys    = null === $entries ? array( 0 ) : array_keys( $entries );
		return $keys !== array_filter( $keys, 'is_string' ) ? null : $keys;
	}
}
