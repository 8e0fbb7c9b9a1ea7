<?php
/** Calls of WordPress' object cache and what they must answer. Arguments: socket, user, password, prefix, what. */
define( 'ABSPATH', __DIR__ . '/' );
define( 'WP_CONTENT_DIR', $argv[6] );
define( 'DB_NAME', 'site' );
$table_prefix = 'wp_';
define( 'PRESSROOM_REDIS_ADDRESS', $argv[1] );
define( 'PRESSROOM_REDIS_USER', $argv[2] );
define( 'PRESSROOM_REDIS_PASSWORD', $argv[3] );
define( 'PRESSROOM_REDIS_PREFIX', $argv[4] );
define( 'PRESSROOM_REDIS_SITE', hash( 'sha256', "site\nwp_" ) );
$blog    = 1;
$network = 'network' === $argv[5];
function is_multisite() {
	return $GLOBALS['network'];
}
function get_current_blog_id() {
	return $GLOBALS['blog'];
}
function did_action() {
	return 0;
}
require dirname( __DIR__, 2 ) . '/src/caches/drop_ins/object-cache.php';
wp_cache_init();
function must( $is, $what ) {
	if ( ! $is ) {
		echo "not so: $what\n";
		exit( 1 );
	}
}
$up = $GLOBALS['wp_object_cache']->is_up();
switch ( $argv[5] ) {
	case 'down':
		must( ! $up, 'there is no server' );
		wp_cache_set( 'a', 1, 'g' );
		must( 1 === wp_cache_get( 'a', 'g' ), 'the request keeps what it set' );
		must( 2 === wp_cache_incr( 'a', 1, 'g' ), 'it counts' );
		must( wp_cache_flush() && false === wp_cache_get( 'a', 'g' ), 'it forgets' );
		break;
	case 'set':
		must( $up && wp_cache_set( 'kept', 'value', 'g' ), 'it is set' );
		break;
	case 'kept':
		must( $up && 'value' === wp_cache_get( 'kept', 'g' ), 'it is kept' );
		break;
	case 'gone':
		must( $up && false === wp_cache_get( 'kept', 'g' ), 'it is gone' );
		break;
	case 'flushed-meanwhile':
		must( $up && wp_cache_set( 'before', 1, 'g' ), 'the server answers' );
		$other = new WP_Object_Cache();
		must( $other->flush() && $other->set( 'between', 1, 'g' ), 'somebody else flushes, and goes on' );
		must( wp_cache_set( 'late', 1, 'g' ), 'a request that began before still writes' );
		$next = new WP_Object_Cache();
		foreach ( array( 'before', 'late', 'between' ) as $key ) {
			must( false === $next->get( $key, 'g' ), "nobody sees what was $key" );
		}
		must( wp_cache_set( 'after', 1, 'g' ), 'from then on it is kept' );
		$next = new WP_Object_Cache();
		must( 1 === $next->get( 'after', 'g' ), 'and seen by others' );
		break;
	case 'network':
		must( $up, 'the server answers' );
		wp_cache_add_global_groups( array( 'users' ) );
		wp_cache_set( 'name', 'one', 'options' );
		wp_cache_set( 'name', 'everybody', 'users' );
		wp_cache_switch_to_blog( 2 );
		must( false === wp_cache_get( 'name', 'options' ), 'a blog has keys of its own' );
		wp_cache_set( 'name', 'two', 'options' );
		wp_cache_flush_runtime();
		must( 'everybody' === wp_cache_get( 'name', 'users' ), 'but not of global groups' );
		wp_cache_switch_to_blog( 1 );
		must( 'one' === wp_cache_get( 'name', 'options' ), 'the first is as it was' );
		break;
	case 'all':
		must( $up, 'the server answers' );
		$array = array( 'x' => 1, 'y' => "\r\n\0z" );
		must( true === wp_cache_set( 'a', $array, 'g' ), 'set' );
		wp_cache_flush_runtime();
		must( wp_cache_get( 'a', 'g', false, $found ) === $array && true === $found, 'get' );
		must( false === wp_cache_add( 'a', 1, 'g' ), 'add what is there' );
		must( true === wp_cache_add( 'b', '5', 'g' ), 'add' );
		wp_cache_flush_runtime();
		must( false === wp_cache_add( 'b', '6', 'g' ), 'add what only the server has' );
		must( '5' === wp_cache_get( 'b', 'g' ), 'a text of digits stays a text' );
		must( 7 === wp_cache_incr( 'b', 2, 'g' ), 'incr' );
		wp_cache_flush_runtime();
		must( 7 === wp_cache_get( 'b', 'g' ), 'incr is kept' );
		must( 9 === wp_cache_incr( 'b', 2, 'g' ), 'incr of a number' );
		must( 0 === wp_cache_decr( 'b', 100, 'g' ), 'decr stops at zero' );
		must( false === wp_cache_incr( 'nothing', 1, 'g' ), 'incr of nothing' );
		foreach ( array( false, null, '', 0, 0.5, array() ) as $number => $value ) {
			wp_cache_set( "v$number", $value, 'g' );
			wp_cache_flush_runtime();
			must( wp_cache_get( "v$number", 'g', false, $found ) === $value && $found, "value $number" );
		}
		must( false === wp_cache_get( 'absent', 'g', false, $found ) && false === $found, 'absent' );
		must( array( 'm1' => true, 'm2' => true, 3 => true ) === wp_cache_set_multiple( array( 'm1' => 1, 'm2' => 'two', 3 => 3.5 ), 'm' ), 'set_multiple' );
		wp_cache_flush_runtime();
		must( array( 'm1' => 1, 'm2' => 'two', 3 => 3.5, 'm4' => false ) === wp_cache_get_multiple( array( 'm1', 'm2', 3, 'm4' ), 'm' ), 'get_multiple' );
		must( array( 'm1' => false, 'm5' => true ) === wp_cache_add_multiple( array( 'm1' => 9, 'm5' => 5 ), 'm' ), 'add_multiple' );
		wp_cache_flush_runtime();
		must( array( 'm1' => false, 'm6' => true ) === wp_cache_add_multiple( array( 'm1' => 9, 'm6' => 5 ), 'm' ) && 1 === wp_cache_get( 'm1', 'm' ), 'add_multiple of what only the server has' );
		must( array( 'm1' => true, 'm9' => false ) === wp_cache_delete_multiple( array( 'm1', 'm9' ), 'm' ), 'delete_multiple' );
		must( false === wp_cache_delete( 'm1', 'm' ), 'delete of nothing' );
		must( false === wp_cache_replace( 'm1', 1, 'm' ) && true === wp_cache_replace( 'm2', 1, 'm' ), 'replace' );
		$object    = new stdClass();
		$object->p = 1;
		wp_cache_set( 'o', $object, 'g' );
		$object->p = 2;
		must( 1 === wp_cache_get( 'o', 'g' )->p, 'objects are copied' );
		$big = str_repeat( 'x', 3000000 );
		wp_cache_set( 'big', $big, 'g' );
		wp_cache_flush_runtime();
		must( wp_cache_get( 'big', 'g' ) === $big, 'large values' );
		wp_cache_flush_group( 'g' );
		must( false === wp_cache_get( 'big', 'g' ) && 1 === wp_cache_get( 'm2', 'm' ), 'flush_group' );
		wp_cache_set( 'code', function () {}, 'g' );
		must( wp_cache_get( 'code', 'g' ) instanceof Closure, 'what cannot be stored is kept for the request' );
		wp_cache_flush_runtime();
		must( false === wp_cache_get( 'code', 'g' ), 'and not longer' );
		wp_cache_add_non_persistent_groups( 'np' );
		wp_cache_set( 'k', 1, 'np' );
		must( 1 === wp_cache_get( 'k', 'np' ), 'non-persistent groups' );
		wp_cache_flush_runtime();
		must( false === wp_cache_get( 'k', 'np' ), 'non-persistent groups are not stored' );
		must( false === wp_cache_set( '', 1 ) && false === wp_cache_get( ' ' ), 'keys that are none' );
		$many = array();
		for ( $i = 0; $i < 3000; $i++ ) {
			$many[ "k$i" ] = $i;
		}
		wp_cache_set_multiple( $many, 'many' );
		wp_cache_flush_runtime();
		must( wp_cache_get_multiple( array_keys( $many ), 'many' ) === $many, 'many at once' );
		wp_cache_set( 'soon', 1, 'g', 1 );
		wp_cache_flush_runtime();
		must( 1 === wp_cache_get( 'soon', 'g' ), 'before it lapses' );
		usleep( 1200000 );
		must( false === wp_cache_get( 'soon', 'g', true ), 'after it lapsed' );
		must( wp_cache_supports( 'flush_group' ) && ! wp_cache_supports( 'x' ), 'supports' );
		wp_cache_flush();
		must( false === wp_cache_get( 'm2', 'm' ), 'flush' );
		break;
}
echo 'so it is';
