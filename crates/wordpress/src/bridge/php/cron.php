<?php
/** Scheduled events. */
final class Pressroom_Cron {
	/** Every event of the blog: timestamp, hook, key, event. */
	private static function events() {
		$events = array();
		foreach ( (array) _get_cron_array() as $timestamp => $hooks ) {
			if ( ! is_array( $hooks ) ) {
				continue;
			}
			foreach ( $hooks as $hook => $keys ) {
				foreach ( (array) $keys as $key => $event ) {
					$events[] = array( (int) $timestamp, (string) $hook, (string) $key, (array) $event );
				}
			}
		}
		return $events;
	}

	public static function all() {
		$told = array();
		foreach ( self::events() as list( $timestamp, $hook, $key, $event ) ) {
			$told[] = array(
				'hook'       => $hook,
				'key'        => $key,
				'next_run'   => $timestamp,
				'schedule'   => empty( $event['schedule'] ) ? null : (string) $event['schedule'],
				'interval_s' => isset( $event['interval'] ) ? (int) $event['interval'] : null,
				'args'       => array_values( Pressroom_Values::plain( isset( $event['args'] ) ? (array) $event['args'] : array() ) ),
				'has_action' => (bool) has_action( $hook ),
			);
		}
		$schedules = array();
		foreach ( wp_get_schedules() as $name => $schedule ) {
			$schedules[] = array( 'name' => (string) $name, 'interval_s' => (int) $schedule['interval'], 'display' => isset( $schedule['display'] ) ? (string) $schedule['display'] : '' );
		}
		return array(
			'now'       => time(),
			'disabled'  => defined( 'DISABLE_WP_CRON' ) && DISABLE_WP_CRON,
			'alternate' => defined( 'ALTERNATE_WP_CRON' ) && ALTERNATE_WP_CRON,
			'events'    => $told,
			'schedules' => $schedules,
		);
	}

	/**
	 * Runs what is due (or will be, within so many seconds), or every event of one hook.
	 *
	 * As WordPress does it: an event is rescheduled or removed before it runs, so that
	 * one that dies is not run for ever, and going on afterwards is running again.
	 */
	public static function run( $action ) {
		$now    = microtime( true );
		$until  = $now + ( isset( $action['within_s'] ) ? (int) $action['within_s'] : 0 );
		$chosen = array();
		foreach ( self::events() as $event ) {
			if ( isset( $action['hook'] ) ? $event[1] === $action['hook'] : $event[0] <= $until ) {
				$chosen[] = $event;
			}
		}
		if ( isset( $action['hook'] ) && ! $chosen ) {
			return new WP_Error( 'event_missing', 'No event with this hook is scheduled.' );
		}
		$total  = count( $chosen );
		$chosen = array_slice( $chosen, 0, max( 1, (int) $action['limit'] ) );
		$data   = array( 'due' => $total, 'ran' => array() );
		if ( ! $chosen ) {
			return $data;
		}
		$lock = get_transient( 'doing_cron' );
		if ( $lock && (float) $lock + WP_CRON_LOCK_TIMEOUT > $now ) {
			return new WP_Error( 'cron_running', 'WordPress is running its events just now.' );
		}
		$ours = sprintf( '%.22F', $now );
		set_transient( 'doing_cron', $ours );
		$release = static function () use ( $ours ) {
			if ( get_transient( 'doing_cron' ) === $ours ) {
				delete_transient( 'doing_cron' );
			}
			return null;
		};
		Pressroom_Bridge::undo_with( $release );
		if ( ! defined( 'DOING_CRON' ) ) {
			define( 'DOING_CRON', true );
		}
		try {
			foreach ( $chosen as $event ) {
				Pressroom_Bridge::check_fence();
				$data['ran'][] = self::one( $event, $data );
			}
		} finally {
			$release();
		}
		Pressroom_Bridge::undo_with( null );
		foreach ( $data['ran'] as $ran ) {
			if ( ! $ran['ok'] ) {
				return new Pressroom_Partly( $data, $ran['code'], $ran['hook'] . ': ' . $ran['error'], $ran['blame'] );
			}
		}
		return $data;
	}

	private static function one( $event, $data ) {
		list( $timestamp, $hook, , $details ) = $event;
		$args           = isset( $details['args'] ) ? (array) $details['args'] : array();
		$result         = array( 'hook' => $hook, 'due_at' => $timestamp, 'ok' => false, 'code' => 'fatal', 'error' => 'PHP ended while this ran.', 'took_ms' => null, 'blame' => null );
		$data['ran'][]  = $result;
		Pressroom_Bridge::so_far( $data );
		$begun = microtime( true );
		$level = ob_get_level();
		$stack = $GLOBALS['wp_current_filter'];
		try {
			if ( ! empty( $details['schedule'] ) ) {
				wp_reschedule_event( $timestamp, $details['schedule'], $hook, $args );
			}
			wp_unschedule_event( $timestamp, $hook, $args );
			Pressroom_Bridge::with_outside(
				static function () use ( $hook, $args ) {
					do_action_ref_array( $hook, $args );
				}
			);
			$result['ok']    = true;
			$result['code']  = null;
			$result['error'] = null;
		} catch ( Throwable $thrown ) {
			$died            = $thrown instanceof Pressroom_Died;
			$result['code']  = $died ? $thrown->name : 'exception';
			$result['error'] = ( $died ? '' : get_class( $thrown ) . ': ' ) . $thrown->getMessage();
			$result['blame'] = Pressroom_Blame::throwable( $thrown );

			$GLOBALS['wp_current_filter'] = $stack;
		}
		while ( ob_get_level() > $level ) {
			ob_end_flush();
		}
		$result['took_ms'] = (int) round( 1000 * ( microtime( true ) - $begun ) );
		return $result;
	}

	private static function count( $hook ) {
		$count = 0;
		foreach ( self::events() as $event ) {
			$count += $event[1] === $hook ? 1 : 0;
		}
		return $count;
	}

	public static function schedule( $action ) {
		$at   = isset( $action['at'] ) ? (int) $action['at'] : time();
		$args = array_values( (array) $action['args'] );
		$done = isset( $action['schedule'] )
			? wp_schedule_event( $at, $action['schedule'], $action['hook'], $args, true )
			: wp_schedule_single_event( $at, $action['hook'], $args, true );
		if ( is_wp_error( $done ) ) {
			return $done;
		}
		$next = wp_next_scheduled( $action['hook'], $args );
		return false === $next ? new WP_Error( 'not_scheduled', 'The event is not in the list afterwards.' ) : array( 'next_run' => (int) $next );
	}

	public static function unschedule( $action ) {
		$hook   = $action['hook'];
		$before = self::count( $hook );
		if ( isset( $action['at'] ) ) {
			$done = wp_unschedule_event( (int) $action['at'], $hook, isset( $action['args'] ) ? array_values( $action['args'] ) : array(), true );
		} elseif ( isset( $action['args'] ) ) {
			$done = wp_clear_scheduled_hook( $hook, array_values( $action['args'] ), true );
		} else {
			$done = wp_unschedule_hook( $hook, true );
		}
		if ( is_wp_error( $done ) ) {
			return $done;
		}
		return array( 'removed' => $before - self::count( $hook ) );
	}
}
