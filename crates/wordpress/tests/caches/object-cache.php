<?php
/**
 * Plugin Name: Redis Object Cache Drop-In (lab)
 *
 * Keeps what WordPress asks for in Redis, with the keys that the known drop-ins use.
 * For tests: it knows a socket only, and no expiry.
 */
function lab_redis( ...$command ) {
	static $redis = null;
	if ( $redis === null ) {
		$redis = stream_socket_client( 'unix://' . WP_REDIS_PATH );
	}
	$text = '*' . count( $command ) . "\r\n";
	foreach ( $command as $part ) {
		$text .= '$' . strlen( $part ) . "\r\n$part\r\n";
	}
	fwrite( $redis, $text );
	$line = rtrim( fgets( $redis ), "\r\n" );
	if ( $line[0] !== '$' ) {
		return substr( $line, 1 );
	}
	$length = (int) substr( $line, 1 );
	return $length < 0 ? null : substr( stream_get_contents( $redis, $length + 2 ), 0, $length );
}
function lab_key( $key, $group ) {
	return WP_REDIS_PREFIX . rtrim( $GLOBALS['table_prefix'], '_' ) . ':' . ( $group ?: 'default' ) . ":$key";
}
function wp_cache_init() {}
function wp_cache_close() { return true; }
function wp_cache_add_global_groups( $groups ) {}
function wp_cache_add_non_persistent_groups( $groups ) {}
function wp_cache_switch_to_blog( $blog ) {}
function wp_cache_supports( $feature ) { return false; }
function wp_cache_flush() { return false; }
function wp_cache_set( $key, $data, $group = '', $expire = 0 ) {
	return lab_redis( 'SET', lab_key( $key, $group ), serialize( $data ) ) === 'OK';
}
function wp_cache_get( $key, $group = '', $force = false, &$found = null ) {
	$data  = lab_redis( 'GET', lab_key( $key, $group ) );
	$found = $data !== null;
	return $found ? unserialize( $data ) : false;
}
function wp_cache_delete( $key, $group = '' ) {
	return lab_redis( 'DEL', lab_key( $key, $group ) ) === '1';
}
function wp_cache_add( $key, $data, $group = '', $expire = 0 ) {
	wp_cache_get( $key, $group, false, $found );
	return ! $found && wp_cache_set( $key, $data, $group );
}
function wp_cache_replace( $key, $data, $group = '', $expire = 0 ) {
	wp_cache_get( $key, $group, false, $found );
	return $found && wp_cache_set( $key, $data, $group );
}
function wp_cache_incr( $key, $offset = 1, $group = '' ) {
	$next = (int) wp_cache_get( $key, $group ) + $offset;
	wp_cache_set( $key, $next, $group );
	return $next;
}
function wp_cache_decr( $key, $offset = 1, $group = '' ) {
	return wp_cache_incr( $key, -$offset, $group );
}
