<?php
/** WordPress started in a process of its own, and several starts that belong together; see `whole.rs`. */
final class Pressroom_Starts {
	const START_LIMIT = 120;
	const TAIL        = 2048;
	const MOST        = 16777216;

	private $epoch;
	private $root;
	private $php;
	private $options;

	public function __construct( $request ) {
		$this->epoch   = isset( $request->epoch ) ? $request->epoch : null;
		$this->root    = $request->root;
		$this->php     = $request->php;
		$this->options = isset( $request->options ) ? (array) $request->options : array();
	}

	/** Runs the actions in one start. */
	public function run( $actions, $changed = array() ) {
		$options = $changed + $this->options;
		$dir     = Pressroom_Home::resolve( $this->root );
		if ( ! file_exists( "$dir/wp-load.php" ) ) {
			throw Pressroom_Refused::missing( "$this->root/wp-load.php" );
		}
		if ( null !== $this->epoch ) {
			Pressroom_Home::critical( $this->epoch, static function () {} );
		}
		if ( $this->issues_login( $actions ) ) {
			$this->put_login_file();
		}
		$given = static function ( $name, $usual = null ) use ( $options ) {
			return isset( $options[ $name ] ) ? $options[ $name ] : $usual;
		};
		$nonce = bin2hex( random_bytes( 16 ) );
		$state = Pressroom_Home::path() . '/' . Pressroom_Home::STATE;
		$input = array(
			'nonce'      => $nonce,
			'root'       => $dir,
			'mu_plugins' => $this->must_use( $dir ),
			'lock'       => Pressroom_Home::lock_path(),
			'blog'       => $given( 'blog' ),
			'url'        => $given( 'url' ),
			'skip'       => array(
				'plugins'    => $given( 'skip_plugins' ),
				'themes'     => $given( 'skip_themes', false ),
				'mu_plugins' => $given( 'skip_mu_plugins', false ),
			),
			'nowhere'    => "$state/nowhere",
			'user'       => $given( 'user' ),
			'admin'      => $given( 'admin', false ),
			'network'    => $given( 'network', false ),
			'actions'    => $actions,
		);
		if ( null !== $this->epoch ) {
			$input['epoch'] = $this->epoch;
		}
		$script = Pressroom_Agent::$programs['bridge'];
		$child  = Pressroom_Child::php( $this->php, $given( 'memory_mb', 512 ), $script, Pressroom_Agent::json( $input ), $dir );
		$heard  = new Pressroom_Frames( $nonce );
		$limit  = $given( 'time_limit_s' );
		$child->follow( array( $heard, 'feed' ), array( 'Pressroom_Agent', 'check' ), $limit );
		return $this->report( $child, $heard, count( $actions ), $limit );
	}

	/** Runs every action, behind one in which PHP died in a new start. */
	public function run_each( $actions ) {
		$whole = $this->run( $actions );
		while ( null !== $whole->fatal && $whole->outcomes ) {
			$rest = array_slice( $actions, count( $whole->outcomes ) );
			if ( ! $rest ) {
				$whole->fatal = null;
				break;
			}
			$next               = $this->run( $rest );
			$whole->fatal       = $next->fatal;
			$whole->blame       = null === $whole->blame ? $next->blame : $whole->blame;
			$whole->blamed      = null === $whole->blamed ? $next->blamed : $whole->blamed;
			$whole->noise_bytes += $next->noise_bytes;
			$whole->noise_tail  = $next->noise_tail;
			$whole->outcomes    = array_merge( $whole->outcomes, $next->outcomes );
			if ( ! $next->outcomes ) {
				break;
			}
		}
		foreach ( $whole->outcomes as $index => $outcome ) {
			if ( ! isset( $outcome->code ) || 'needs_own_boot' !== $outcome->code ) {
				continue;
			}
			$action  = $actions[ $index ];
			$changed = array();
			if ( 'at' === $action->action ) {
				$changed = array( 'blog' => $action->blog );
				$action  = $action->inner;
			}
			$alone                     = $this->run( array( $action ), $changed );
			$whole->outcomes[ $index ] = $alone->outcomes ? $alone->outcomes[0] : self::died( $alone->fatal, $alone->blame );
		}
		return $whole;
	}

	public function activate( $plugins, $network_wide ) {
		$this->bound();
		$report = $this->run(
			array(
				array( 'action' => 'read_active_plugins' ),
				array(
					'action'       => 'activate_plugins',
					'plugins'      => $plugins,
					'network_wide' => $network_wide,
					'silent'       => false,
				),
			)
		);
		$before  = self::first( $report );
		$changed = isset( $report->outcomes[1] ) ? $report->outcomes[1] : null;
		$broken  = $report->fatal;
		$blame   = $changed && isset( $changed->blame ) ? $changed->blame : null;
		if ( null === $broken ) {
			$trouble = $this->trouble_starting();
			if ( $trouble ) {
				$broken = $trouble->fatal;
				$blame  = $trouble->blame;
			}
		}
		$activation = array(
			'before'  => $before,
			'plugins' => $changed && isset( $changed->data->plugins ) ? $changed->data->plugins : array(),
			'ok'      => null === $broken && self::is_ok( $report ),
			'error'   => null !== $broken ? $broken : ( $changed && isset( $changed->error ) ? $changed->error : null ),
			'blame'   => $blame,
			'undone'  => null,
		);
		if ( null !== $broken ) {
			$back                 = $this->run_bare(
				array(
					'action' => 'restore_active_plugins',
					'record' => $before,
				)
			);
			$activation['undone'] = $back && isset( $back->after ) && $back->after == $before; // By value.
		}
		return $activation;
	}

	public function switch_theme( $stylesheet ) {
		$this->bound();
		$report = $this->run(
			array(
				array(
					'action'     => 'read_theme',
					'stylesheet' => $stylesheet,
				),
				array(
					'action'     => 'switch_theme',
					'stylesheet' => $stylesheet,
				),
			)
		);
		$before  = self::first( $report );
		$changed = isset( $report->outcomes[1] ) ? $report->outcomes[1] : null;
		$switch  = array(
			'before' => $before,
			'ok'     => self::is_ok( $report ),
			'code'   => $changed && isset( $changed->code ) ? $changed->code : null,
			'error'  => $changed && isset( $changed->error ) ? $changed->error : null,
			'blame'  => $changed && isset( $changed->blame ) ? $changed->blame : null,
			'undone' => null,
		);
		$broken  = $report->fatal;
		if ( null === $broken && $switch['ok'] ) {
			$trouble = $this->trouble_starting();
			if ( $trouble ) {
				$broken          = $trouble->fatal;
				$switch['blame'] = $trouble->blame;
			}
		}
		if ( null !== $broken ) {
			$switch['ok']     = false;
			$switch['code']   = 'fatal';
			$switch['error']  = $broken;
			$back             = $this->run_bare(
				array(
					'action' => 'restore_theme',
					'record' => $before,
				)
			);
			$switch['undone'] = $back && isset( $back->after ) && $this->is_theme( $back->after, $before );
		}
		return $switch;
	}

	public function upgrade_databases( $network, $batch ) {
		$whole = null;
		for ( $after = 0; ; $after = $next ) {
			$report = $this->run(
				array(
					array(
						'action'  => 'upgrade_database',
						'network' => $network,
						'after'   => $after,
						'limit'   => $batch,
					),
				)
			);
			$part = isset( $report->outcomes[0]->data->blogs ) ? $report->outcomes[0]->data : null;
			if ( null === $part ) {
				throw self::not_started( $report );
			}
			if ( null === $whole ) {
				$whole = $part;
			} else {
				$whole->target = $part->target;
				$whole->blogs  = array_merge( $whole->blogs, $part->blogs );
			}
			$last = end( $part->blogs );
			$next = isset( $part->next ) ? $part->next : null;
			if ( null !== $report->fatal && $network ) {
				// It died in the last one told; the others come behind it.
				$next = $last ? $last->blog : null;
			}
			if ( null === $next || $next <= $after ) {
				$whole->next = null;
				return $whole;
			}
		}
	}

	public function run_cron( $within_s ) {
		$whole = array(
			'due' => 0,
			'ran' => array(),
		);
		while ( true ) {
			$report = $this->run(
				array(
					array(
						'action'   => 'run_cron',
						'hook'     => null,
						'limit'    => 4294967295,
						'within_s' => $within_s,
					),
				)
			);
			$part = isset( $report->outcomes[0]->data->ran ) ? $report->outcomes[0]->data : null;
			if ( null === $part ) {
				throw self::not_started( $report );
			}
			if ( ! $whole['ran'] ) {
				$whole['due'] = $part->due;
			}
			$whole['ran'] = array_merge( $whole['ran'], $part->ran );
			$died         = null !== $report->fatal;
			$last         = end( $whole['ran'] );
			if ( $died && $last && $report->blame && empty( $last->blame ) ) {
				$last->blame = $report->blame;
			}
			if ( ! $died || ! $part->ran || count( $whole['ran'] ) > $whole['due'] ) {
				return $whole;
			}
			$last->error = $report->fatal;
		}
	}

	/** One that hangs must leave time to undo what it did. */
	private function bound() {
		if ( ! isset( $this->options['time_limit_s'] ) ) {
			$this->options['time_limit_s'] = self::START_LIMIT;
		}
	}

	/** The report of the first start that the site does not survive, as visitor and as wp-admin. */
	private function trouble_starting() {
		foreach ( array( false, true ) as $admin ) {
			$report = $this->run( array(), array( 'admin' => $admin ) );
			if ( null !== $report->fatal ) {
				return $report;
			}
		}
		return null;
	}

	/** Without anything of the site's that could die; the outcome's data. */
	private function run_bare( $action ) {
		$report = $this->run(
			array( $action ),
			array(
				'skip_plugins'    => array(),
				'skip_themes'     => true,
				'skip_mu_plugins' => true,
				'user'            => null,
				'admin'           => false,
				'network'         => false,
			)
		);
		return $report->outcomes && $report->outcomes[0]->ok ? $report->outcomes[0]->data : null;
	}

	private function is_theme( $back, $before ) {
		if ( $back->stylesheet !== $before->stylesheet ) {
			return false;
		}
		foreach ( (array) $back->rows as $name => $row ) {
			if ( isset( $before->rows->$name ) && $before->rows->$name != $row ) { // By value.
				return false;
			}
		}
		return true;
	}

	private function report( $child, $heard, $actions, $limit ) {
		$trouble = null;
		if ( $child->overdue ) {
			$trouble = "PHP did not end within $limit s";
		} elseif ( null !== $child->signal ) {
			$trouble = "PHP was killed by signal $child->signal";
		} elseif ( 0 !== $child->code ) {
			$trouble = "PHP ended with status $child->code";
		}
		$answer = $heard->answer;
		$fatal  = null;
		if ( null === $answer ) {
			$fatal = null === $trouble ? 'PHP ended without an answer' : "$trouble and gave no answer";
		} elseif ( isset( $answer->fatal ) ) {
			$fatal = $answer->fatal;
		}
		$blame    = isset( $answer->blame ) ? $answer->blame : null;
		$outcomes = $heard->outcomes;
		if ( isset( $answer->outcomes ) ) {
			$outcomes = array_merge( $outcomes, $answer->outcomes );
		}
		$last = end( $outcomes );
		$told = $last && isset( $last->code ) && 'fatal' === $last->code;
		if ( $heard->booted && null !== $fatal && ! $told && count( $outcomes ) < $actions ) {
			$outcomes[] = self::died( $fatal, $blame );
		}
		$outcomes = array_slice( $outcomes, 0, $actions );
		foreach ( $outcomes as $outcome ) {
			if ( null === $blame && isset( $outcome->blame ) ) {
				$blame = $outcome->blame;
			}
		}
		return (object) array(
			'outcomes'    => $outcomes,
			'fatal'       => $fatal,
			'blamed'      => $blame ? $blame->slug : null,
			'blame'       => $blame,
			'undone'      => isset( $answer->undone ) ? $answer->undone : null,
			'noise_bytes' => $heard->noise_bytes,
			'noise_tail'  => $heard->noise_tail,
			'php_version' => isset( $answer->php_version ) ? $answer->php_version : null,
		);
	}

	private static function died( $fatal, $blame ) {
		return (object) array(
			'ok'    => false,
			'error' => $fatal,
			'code'  => 'fatal',
			'data'  => null,
			'blame' => $blame,
		);
	}

	private static function is_ok( $report ) {
		foreach ( $report->outcomes as $outcome ) {
			if ( ! $outcome->ok ) {
				return false;
			}
		}
		return null === $report->fatal;
	}

	private static function first( $report ) {
		if ( ! $report->outcomes || ! $report->outcomes[0]->ok ) {
			throw self::not_started( $report );
		}
		return $report->outcomes[0]->data;
	}

	private static function not_started( $report ) {
		$why = $report->fatal;
		if ( null === $why && isset( $report->outcomes[0]->error ) ) {
			$why = $report->outcomes[0]->error;
		}
		$because = $report->blamed ? ", because of `$report->blamed`" : '';
		return new Pressroom_Refused( 'php', "WordPress did not do it$because: $why" );
	}

	private function issues_login( $actions ) {
		foreach ( $actions as $action ) {
			$action = (object) $action;
			$inner  = 'at' === $action->action ? $action->inner : $action;
			if ( 'issue_login' === $inner->action ) {
				return true;
			}
		}
		return false;
	}

	/** The must-use file that redeems a one-time login. */
	private function put_login_file() {
		if ( null === $this->epoch ) {
			throw new Pressroom_Refused( 'bad_input', 'issuing a login writes to the site and needs an epoch' );
		}
		$dir  = $this->must_use( Pressroom_Home::resolve( $this->root ) );
		$path = "$dir/pressroom-login.php";
		$text = Pressroom_Agent::$programs['login'];
		if ( ! is_link( $path ) && is_file( $path ) && @file_get_contents( $path ) === $text ) {
			return;
		}
		if ( ! is_dir( $dir ) && ! @mkdir( $dir, 0755 ) && ! is_dir( $dir ) ) {
			throw Pressroom_Refused::io( 'create', $dir );
		}
		Pressroom_Home::place( $this->epoch, $path, $text, 0644 );
	}

	private function must_use( $dir ) {
		$settings = Pressroom_Config::told( $this->root, $this->php );
		$there    = isset( $settings['directories']['must_use']['path'] ) ? $settings['directories']['must_use'] : null;
		$path     = $there && 'inside' === $there['is'] ? Pressroom_Home::reach( $there['path'] ) : null;
		return null === $path ? "$dir/wp-content/mu-plugins" : $path;
	}
}

/** Finds the frames of a program of ours in whatever it prints; see `frame.rs` of the bridge. */
final class Pressroom_Frames {
	public $answer      = null;
	public $outcomes    = array();
	public $booted      = false;
	public $noise_bytes = 0;
	public $noise_tail  = '';

	private $nonce;
	private $pending = '';
	private $in_vain = 0;

	public function __construct( $nonce ) {
		$this->nonce = $nonce;
	}

	public function feed( $channel, $bytes ) {
		if ( 2 === $channel || null !== $this->answer || $this->in_vain > 2 * Pressroom_Starts::MOST ) {
			$this->noise( $bytes );
			return;
		}
		$this->pending .= $bytes;
		while ( preg_match( '/\n<<<PRESSROOM(-NOTE)? ' . $this->nonce . ' (\d{1,8}) ([0-9a-f]{64})>>>/', $this->pending, $head, PREG_OFFSET_CAPTURE ) ) {
			$at     = $head[0][1];
			$start  = $at + strlen( $head[0][0] );
			$length = min( Pressroom_Starts::MOST, (int) $head[2][0] );
			$this->noise( (string) substr( $this->pending, 0, $at ) );
			$this->pending = (string) substr( $this->pending, $at );
			$start        -= $at;
			if ( strlen( $this->pending ) < $start + $length ) {
				return;
			}
			$json = (string) substr( $this->pending, $start, $length );
			if ( hash( 'sha256', $json ) !== $head[3][0] ) {
				$this->in_vain += $length;
				$this->noise( $this->pending[0] );
				$this->pending = (string) substr( $this->pending, 1 );
				continue;
			}
			$this->pending = (string) substr( $this->pending, $start + $length );
			if ( '' === $head[1][0] ) {
				$this->answer = json_decode( $json );
				$this->noise( $this->pending );
				$this->pending = '';
				return;
			}
			$note = json_decode( $json );
			if ( isset( $note->outcome ) ) {
				$this->outcomes[] = $note->outcome;
			} elseif ( property_exists( (object) $note, 'booted' ) ) {
				$this->booted = true;
			}
		}
		// A head may be half here.
		$keep = 128;
		if ( strlen( $this->pending ) > $keep ) {
			$this->noise( (string) substr( $this->pending, 0, -$keep ) );
			$this->pending = (string) substr( $this->pending, -$keep );
		}
	}

	private function noise( $bytes ) {
		$this->noise_bytes += strlen( $bytes );
		$this->noise_tail   = (string) substr( $this->noise_tail . $bytes, -Pressroom_Starts::TAIL );
	}
}
