<?php
/** Files on disk held against what the package's source says they are; see `checksums`. */
final class Pressroom_Checksums {
	const MAX_JSON     = 67108864;
	const MAX_FILES    = 200000;
	const MAX_SUMS     = 64;
	const MAX_FINDINGS = 10000;
	const MAX_PATH     = 3000;
	const MAX_PART     = 255;
	const MAX_DEPTH    = 128;

	private $core;
	/** Hashes by path. */
	private $expected;
	private $seen = array();
	/** Links and unreadable directories: what is expected below was not looked at. */
	private $closed = array();
	/** In the shape of `ChecksumReport`. */
	private $report = array(
		'intact'        => 0,
		'bytes'         => 0,
		'behind_links'  => 0,
		'findings'      => array(),
		'findings_more' => 0,
	);

	/** Compares core, or a component, with the list that is uploaded. */
	public static function verify( $root, $subject ) {
		$checksums           = new self();
		$checksums->core     = 'core' === $subject;
		$checksums->expected = self::listed( self::receive() );
		if ( $checksums->core ) {
			$base  = Pressroom_Home::resolve( rtrim( $root, '/' ) );
			$shown = rtrim( $root, '/' );
		} else {
			$shown = $subject->component->slug;
			$base  = Pressroom_Component::live_path(
				array(
					'root' => $root,
					'kind' => $subject->component->kind,
					'slug' => $shown,
				)
			);
		}
		if ( ! Pressroom_Disk::exists( $base ) ) {
			throw Pressroom_Refused::missing( $shown );
		}
		if ( is_link( $base ) || ! is_dir( $base ) ) {
			throw Pressroom_Refused::path( $shown );
		}
		return $checksums->compare( $base );
	}

	private function compare( $base ) {
		foreach ( array_keys( $this->expected ) as $path ) {
			if ( $this->core && 0 === strpos( (string) $path, 'wp-content/' ) ) {
				unset( $this->expected[ $path ] );
			}
		}
		if ( ! $this->expected ) {
			throw new Pressroom_Refused( 'bad_input', 'checksums name no files' );
		}
		$names = @scandir( $base );
		if ( false === $names ) {
			throw Pressroom_Refused::io( 'list', $base );
		}
		$this->walk( $base, '', $names );
		foreach ( $this->expected as $path => $sums ) {
			$path = (string) $path;
			if ( isset( $this->seen[ $path ] ) ) {
				continue;
			}
			if ( $this->is_behind( $path ) ) {
				++$this->report['behind_links'];
			} else {
				$this->find( $path, 'missing' );
			}
		}
		usort(
			$this->report['findings'],
			static function ( $one, $other ) {
				return strcmp( $one['path'], $other['path'] );
			}
		);
		foreach ( $this->report['findings'] as &$finding ) {
			if ( ! preg_match( '//u', $finding['path'] ) ) {
				$finding['path'] = array( 'hex' => bin2hex( $finding['path'] ) );
			}
		}
		return $this->report;
	}

	private function walk( $base, $above, $names ) {
		$ours = '' === $above && $this->core ? $this->directories_of_core() : null;
		foreach ( $names as $name ) {
			if ( '.' === $name || '..' === $name ) {
				continue;
			}
			Pressroom_Agent::check();
			clearstatcache();
			$path  = '' === $above ? $name : "$above/$name";
			$found = @lstat( "$base/$path" );
			$kind  = $found ? $found['mode'] & 0170000 : 0;
			if ( 0040000 === $kind && null !== $ours && ! isset( $ours[ $name ] ) && ! isset( $this->expected[ $name ] ) ) {
				continue;
			}
			if ( $found ) {
				$this->take( $base, $path, $kind );
			}
		}
	}

	/** Those that are core's business: others in the root, in which the package has nothing, are not. */
	private function directories_of_core() {
		$ours = array(
			'wp-admin'    => true,
			'wp-includes' => true,
		);
		foreach ( $this->expected as $path => $sums ) {
			$end = strpos( (string) $path, '/' );
			if ( false !== $end ) {
				$ours[ substr( $path, 0, $end ) ] = true;
			}
		}
		return $ours;
	}

	private function take( $base, $path, $kind ) {
		$is_expected = isset( $this->expected[ $path ] );
		if ( strlen( $path ) > self::MAX_PATH || substr_count( $path, '/' ) >= self::MAX_DEPTH ) {
			$this->close( $path, 'unreadable' );
		} elseif ( 0040000 === $kind ) {
			$names = @scandir( "$base/$path" );
			if ( false === $names ) {
				if ( ! Pressroom_Disk::exists( "$base/$path" ) ) {
					return;
				}
				$this->close( $path, 'unreadable' );
			} else {
				if ( $is_expected ) {
					$this->find( $path, 'not_a_file' );
				}
				$this->walk( $base, $path, $names );
			}
		} elseif ( 0120000 === $kind ) {
			$told = $is_expected || $this->is_named( $path ) || $this->leads_to_expected( $path );
			$this->close( $path, $told ? 'link' : null );
		} elseif ( 0100000 !== $kind ) {
			if ( $is_expected || $this->is_named( $path ) ) {
				$this->find( $path, 'not_a_file' );
			}
		} elseif ( ! $is_expected ) {
			// It is not read.
			if ( $this->is_named( $path ) ) {
				$this->find( $path, 'unexpected' );
			}
		} elseif ( ! $this->read( "$base/$path", $path ) ) {
			return;
		}
		if ( $is_expected ) {
			$this->seen[ $path ] = true;
		}
	}

	/** False when it is gone. Where there are SHA-256 sums, MD5 is not asked: it can be forged. */
	private function read( $at, $path ) {
		$sums   = $this->expected[ $path ];
		$strong = in_array( 64, array_map( 'strlen', $sums ), true );
		try {
			list( $hash, $bytes ) = Pressroom_Tree::content( $at, $strong ? 'sha256' : 'md5' );
		} catch ( Pressroom_Refused $why ) {
			if ( 'io' !== $why->reason ) {
				throw $why;
			}
			if ( ! Pressroom_Disk::exists( $at ) ) {
				return false;
			}
			$this->close( $path, 'unreadable' );
			return true;
		}
		$this->report['bytes'] += $bytes;
		if ( in_array( hash_final( $hash ), $sums, true ) ) {
			++$this->report['intact'];
		} else {
			$this->find( $path, 'modified' );
		}
		return true;
	}

	private function close( $path, $difference ) {
		if ( null !== $difference ) {
			$this->find( $path, $difference );
		}
		$this->closed[ $path ] = true;
	}

	private function find( $path, $difference ) {
		if ( count( $this->report['findings'] ) >= self::MAX_FINDINGS ) {
			++$this->report['findings_more'];
			return;
		}
		$this->report['findings'][] = array(
			'path'       => $path,
			'difference' => $difference,
			'soft'       => self::is_soft( strtolower( $path ), $difference ),
		);
	}

	/** Whether it says little: texts for people, which sites change or remove, and PHP's own log. */
	private static function is_soft( $path, $difference ) {
		if ( 'unexpected' === $difference ) {
			return 'error_log' === $path || '/error_log' === substr( $path, -10 );
		}
		if ( 'wp-config-sample.php' === $path ) {
			return 'missing' === $difference;
		}
		$for_people = preg_match( '/^(?:readme|changelog|license|licence)(?:\.(?:txt|md|html)?)?$/D', $path );
		return $for_people && in_array( $difference, array( 'modified', 'missing' ), true );
	}

	/** Whether an unexpected file of that path is worth telling. */
	private function is_named( $path ) {
		if ( ! $this->core || false !== strpos( $path, '/' ) ) {
			return true;
		}
		// What web servers are commonly told to run.
		return 'wp-config.php' !== $path && preg_match( '/\.(?:php[^.]*|phtml|pht|phar)$/Dis', $path );
	}

	private function leads_to_expected( $path ) {
		foreach ( $this->expected as $expected => $sums ) {
			if ( 0 === strpos( (string) $expected, "$path/" ) ) {
				return true;
			}
		}
		return false;
	}

	private function is_behind( $path ) {
		while ( false !== ( $at = strrpos( $path, '/' ) ) ) {
			$path = substr( $path, 0, $at );
			if ( isset( $this->closed[ $path ] ) ) {
				return true;
			}
		}
		return false;
	}

	private static function receive() {
		for ( $json = ''; '' !== ( $part = Pressroom_Agent::receive() ); ) {
			$json .= $part;
			if ( strlen( $json ) > self::MAX_JSON ) {
				throw self::bad( 'are longer than any list' );
			}
		}
		return $json;
	}

	/** The hashes that each file may have; the shapes are those of `expected.rs`. */
	private static function listed( $json ) {
		$document = json_decode( $json, true );
		if ( JSON_ERROR_NONE !== json_last_error() ) {
			throw self::bad( 'are no JSON: ' . json_last_error_msg() );
		}
		$list = null;
		foreach ( array( 'files', 'checksums' ) as $name ) {
			$list = is_array( $document ) && array_key_exists( $name, $document ) ? array( $document[ $name ] ) : $list;
		}
		if ( null === $list ) {
			throw self::bad( 'have neither `checksums` nor `files`' );
		}
		$list = $list[0];
		if ( ! is_array( $list ) ) {
			// What is said about an unknown version is `false`.
			throw self::bad( 'are not known for this version' );
		}
		if ( ! $list || count( $list ) > self::MAX_FILES ) {
			throw self::bad( 'name no files, or too many' );
		}
		$expected = array();
		foreach ( $list as $path => $value ) {
			$path  = (string) $path;
			$shown = Pressroom_Layout::shown( $path );
			if ( ! self::is_plain( $path ) ) {
				throw self::bad( "have the path $shown" );
			}
			$sums = array();
			self::collect( $value, 0, $sums );
			if ( ! $sums ) {
				throw self::bad( "have no hash of $shown" );
			}
			$expected[ $path ] = $sums;
		}
		return $expected;
	}

	private static function is_plain( $path ) {
		$parts = explode( '/', $path );
		$long  = strlen( $path ) > self::MAX_PATH || count( $parts ) > self::MAX_DEPTH || max( array_map( 'strlen', $parts ) ) > self::MAX_PART;
		$odd   = false !== strpos( $path, "\0" ) || false !== strpos( $path, '\\' ) || ':' === substr( $path, 1, 1 );
		return ! $long && ! $odd && ! array_intersect( $parts, array( '', '.', '..' ) );
	}

	/** The hashes in a value: a text, a list of them, or those by the names of the algorithms. */
	private static function collect( $value, $depth, &$sums ) {
		if ( is_string( $value ) && count( $sums ) < self::MAX_SUMS ) {
			if ( ! preg_match( '/^(?:[0-9a-f]{32}|[0-9a-f]{64})$/Di', $value ) ) {
				throw self::bad( 'have ' . Pressroom_Layout::shown( $value ) . ' as a hash' );
			}
			$sums[] = strtolower( $value );
			return;
		}
		$by_name = is_array( $value ) ? array_intersect_key( $value, array_flip( array( 'md5', 'sha256' ) ) ) : array();
		$is_list = is_array( $value ) && array_keys( $value ) === array_keys( array_keys( $value ) );
		if ( ! is_array( $value ) || ( $is_list ? $depth > 1 : $depth > 0 ) ) {
			throw self::bad( 'have something else than a hash' );
		}
		foreach ( $is_list ? $value : $by_name as $one ) {
			self::collect( $one, $depth + 1, $sums );
		}
	}

	private static function bad( $why ) {
		return new Pressroom_Refused( 'bad_input', "checksums $why" );
	}
}
