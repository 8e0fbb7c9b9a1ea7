<?php
/** From a request to who carries it out; what is not here is told to be out of reach. */
final class Pressroom_Requests {
	/** Those that data frames follow. */
	const TAKE_DATA = array( 'stage_component', 'stage_core', 'verify_checksums' );

	public static function carry_out( $call ) {
		$epoch = isset( $call->epoch ) ? $call->epoch : null;
		$site  = isset( $call->site ) ? $call->site : $call;
		$root  = isset( $site->root ) ? $site->root : '';
		// Of PHPs, this one is there at any rate.
		$php = isset( $site->php ) ? $site->php : PHP_BINARY;
		if ( null !== $epoch && 'recover' !== $call->op ) {
			Pressroom_Home::check( $epoch );
		}
		Pressroom_Config::forget();
		switch ( $call->op ) {
			case 'recover':
				return self::is( 'recover', Pressroom_Recovery::recover( $epoch ) );
			case 'check_adoption':
				Pressroom_Site::check_adoption( $root );
				return array( 'op' => 'done' );
			case 'inspect':
				return self::is( 'inspect', Pressroom_Inventory::inspect( $root, Pressroom_Config::settings( $root, $php ) ) );
			case 'survey':
				return self::is( 'survey', self::survey( $root, $php, $call->options ) );
			case 'read_config':
				return self::is( 'read_config', (object) self::settings( $root, $php ) );
			case 'list_config':
				return self::is( 'list_config', Pressroom_Config::listing( $root, $php ) );
			case 'read_site':
				$tables = new Pressroom_Tables( self::settings( $root, $php ) );
				return self::is( 'read_site', $tables->facts( $call->options ) );
			case 'read_users':
				$tables = new Pressroom_Tables( self::settings( $root, $php ) );
				return self::is( 'read_users', $tables->users( $call->query ) );
			case 'find':
				return self::is( 'find', Pressroom_Inventory::find( $call->below, $call->depth ) );
			case 'disk_usage':
				return self::is( 'disk_usage', Pressroom_Site::disk_usage( $call->path ) );
			case 'tree_hash':
				return self::is( 'tree_hash', Pressroom_Tree::of_directory( Pressroom_Home::resolve( $call->path ) ) );
			case 'hash_component':
				return self::is( 'tree_hash', Pressroom_Component::live( self::target( $call->target ) ) );
			case 'stage_component':
				return self::is( 'stage_component', Pressroom_Component::stage( $epoch, self::target( $call->target ) ) );
			case 'swap_component':
				return self::is( 'swapped', Pressroom_Component::exchange( $epoch, self::swap( $call->swap ) ) );
			case 'take_back':
				return self::is( 'swapped', Pressroom_Component::exchange_back( $epoch, self::swap( $call->swap ) ) );
			case 'drop_staged':
				Pressroom_Component::drop_staged( $epoch, $call->staged );
				return array( 'op' => 'done' );
			case 'stage_core':
				return self::is( 'stage_core', Pressroom_Core_Stage::stage( $epoch, $root ) );
			case 'swap_core':
				return self::is( 'swapped_core', Pressroom_Core_Update::swap( $epoch, self::core_swap( $call->swap ) ) );
			case 'take_back_core':
				return self::is( 'swapped_core', Pressroom_Core_Update::take_back( $epoch, self::core_swap( $call->swap ) ) );
			case 'drop_staged_core':
				Pressroom_Core_Update::drop_staged( $epoch, $call->staged );
				return array( 'op' => 'done' );
			case 'cache_status':
				return self::is( 'cache_status', Pressroom_Drop_Ins::status( $root, $php ) );
			case 'purge_pages':
				return self::is( 'purge_pages', Pressroom_Drop_Ins::purge( $epoch, $root, $call->url ) );
			case 'flush_caches':
				return self::is( 'flush_caches', Pressroom_Caches::flush( $epoch, $root, $call->options ) );
			case 'verify_checksums':
				return self::is( 'verify_checksums', Pressroom_Checksums::verify( $root, $call->subject ) );
			case 'maintain':
				$lease = isset( $call->lease_s ) ? $call->lease_s : null;
				return self::is( 'maintain', Pressroom_Maintenance::maintain( $epoch, $root, $lease, false ) );
			case 'renew_maintenance':
				return self::is( 'maintain', Pressroom_Maintenance::maintain( $epoch, $root, $call->lease_s, true ) );
			case 'maintenance_status':
				return self::is( 'maintain', Pressroom_Maintenance::status( $root ) );
			case 'bridge':
				$starts = new Pressroom_Starts( $call );
				return self::is( 'bridge', $call->each ? $starts->run_each( $call->actions ) : $starts->run( $call->actions ) );
			case 'activate_plugins':
				$starts = new Pressroom_Starts( $call );
				return self::is( 'activate_plugins', $starts->activate( $call->plugins, $call->network_wide ) );
			case 'switch_theme':
				$starts = new Pressroom_Starts( $call );
				return self::is( 'switch_theme', $starts->switch_theme( $call->stylesheet ) );
			case 'upgrade_databases':
				$starts = new Pressroom_Starts( $call );
				return self::is( 'upgrade_databases', $starts->upgrade_databases( $call->network, $call->batch ) );
			case 'run_cron':
				$starts = new Pressroom_Starts( $call );
				return self::is( 'run_cron', $starts->run_cron( isset( $call->within_s ) ? $call->within_s : 0 ) );
			case 'run_command':
				return self::is( 'run_command', Pressroom_Site::run_command( $epoch, $call->command ) );
			default:
				throw new Pressroom_Refused( 'unable', "`$call->op` needs the agent itself, which does not run on this host" );
		}
	}

	private static function settings( $root, $php ) {
		$settings = Pressroom_Config::settings( $root, $php );
		if ( ! $settings ) {
			throw Pressroom_Refused::missing( Pressroom_Home::below( $root, 'wp-config.php' ) );
		}
		return $settings;
	}

	/** A component, in the shape of `Target`. */
	private static function target( $target ) {
		return array(
			'root' => $target->root,
			'kind' => $target->kind,
			'slug' => $target->slug,
		);
	}

	/** In the shape of `Swap`, as the journal has it. */
	private static function swap( $swap ) {
		return array(
			'target' => self::target( $swap->target ),
			'staged' => $swap->staged,
			'before' => $swap->before,
			'after'  => $swap->after,
		);
	}

	/** In the shape of `CoreSwap`. */
	private static function core_swap( $swap ) {
		$items = array();
		foreach ( $swap->items as $item ) {
			$items[] = array(
				'name'   => $item->name,
				'before' => $item->before,
				'after'  => $item->after,
			);
		}
		return array(
			'root'   => $swap->root,
			'staged' => $swap->staged,
			'items'  => $items,
			'before' => $swap->before,
			'after'  => $swap->after,
		);
	}

	/** Files and tables together; a database that does not answer is no failure. */
	private static function survey( $root, $php, $options ) {
		$settings   = Pressroom_Config::settings( $root, $php );
		$inspection = Pressroom_Inventory::inspect( $root, $settings );
		$facts      = null;
		$trouble    = null;
		try {
			$tables = new Pressroom_Tables( $settings );
			$facts  = $tables->facts( $options );
		} catch ( Pressroom_Refused $why ) {
			if ( 'database' !== $why->reason ) {
				throw $why;
			}
			$trouble = $why->getMessage();
		}
		return array(
			'inspection' => $inspection,
			'facts'      => $facts,
			'trouble'    => $trouble,
		);
	}

	private static function is( $op, $answer ) {
		return array(
			'op' => $op,
			'is' => $answer,
		);
	}
}
