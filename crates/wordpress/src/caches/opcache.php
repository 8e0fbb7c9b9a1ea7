<?php
// Makes OPcache forget scripts below some directories, and says what it saw. It is
// run through the pool's socket, never served, and loads nothing of the site.
$ask = json_decode( (string) file_get_contents( 'php://input' ), true );
if ( ! is_array( $ask ) || ! isset( $ask['nonce'], $ask['below'] ) ) {
	http_response_code( 404 );
	return;
}
$answer = array(
	'state'      => 'flushed',
	'forgotten'  => 0,
	'left'       => 0,
	'timestamps' => (bool) ini_get( 'opcache.validate_timestamps' ),
	'every'      => (int) ini_get( 'opcache.revalidate_freq' ),
	'prepended'  => (string) ini_get( 'auto_prepend_file' ),
);
$below = static function ( $path ) use ( $ask ) {
	foreach ( $ask['below'] as $one ) {
		if ( $path === $one || strncmp( $path, $one . '/', strlen( $one ) + 1 ) === 0 ) {
			return true;
		}
	}
	return false;
};
if ( ! function_exists( 'opcache_get_status' ) ) {
	$answer['state'] = 'absent';
} else {
	error_clear_last();
	$status = @opcache_get_status( true );
	$why    = error_get_last();
	if ( is_array( $status ) && ! empty( $status['file_cache_only'] ) ) {
		$answer['state'] = 'files';
	} elseif ( is_array( $status ) && empty( $status['opcache_enabled'] ) ) {
		$answer['state'] = 'absent';
	} elseif ( is_array( $status ) ) {
		foreach ( array_keys( $status['scripts'] ?? array() ) as $path ) {
			// One that is forgotten already stays listed until memory is tidied.
			if ( $below( $path ) && opcache_is_script_cached( $path ) ) {
				opcache_invalidate( $path, true );
				$answer[ opcache_is_script_cached( $path ) ? 'left' : 'forgotten' ]++;
			}
		}
		foreach ( $status['preload_statistics']['scripts'] ?? array() as $path ) {
			$answer['left'] += $below( $path ) ? 1 : 0;
		}
	} elseif ( $why !== null && strpos( $why['message'], 'restrict' ) !== false ) {
		$answer['state'] = 'restricted';
	} else {
		$answer['state'] = 'absent';
	}
}
echo "\n", $ask['nonce'], json_encode( $answer ), "\n";
