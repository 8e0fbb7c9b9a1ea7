<?php
/**
 * Plugin Name: Pressroom one-time login
 * Description: Redeems one-time login links made by Pressroom. It is put back when it is needed and missing.
 * Version: 1.1.0
 *
 * A link carries a random token; the site stores only its SHA-256. Redeeming deletes
 * the stored row first and goes on only if exactly one row went, so that a link works
 * once even when it is opened twice at the same moment.
 */

if ( ! defined( 'ABSPATH' ) ) {
	exit;
}

if ( isset( $_GET['wisp_login'] ) ) {
	// Page caches must neither keep nor answer this address.
	if ( ! defined( 'DONOTCACHEPAGE' ) ) {
		define( 'DONOTCACHEPAGE', true );
	}
	add_action( 'init', 'pressroom_redeem_login', -9999 );
}

function pressroom_redeem_login() {
	global $wpdb;

	header( 'Cache-Control: no-store, private, max-age=0' );
	header( 'Referrer-Policy: no-referrer' );
	header( 'X-Robots-Tag: noindex, nofollow' );

	$token = $_GET['wisp_login'];
	// Previews and scanners ask with HEAD; they must not use the link up.
	$method = isset( $_SERVER['REQUEST_METHOD'] ) ? $_SERVER['REQUEST_METHOD'] : '';
	if ( ! is_string( $token ) || '' === $token || strlen( $token ) > 256 || 'GET' !== $method ) {
		pressroom_refuse_login();
	}
	$hash = hash( 'sha256', $token );
	$name = 'pressroom_login_' . substr( $hash, 0, 16 );
	$row  = $wpdb->get_var( $wpdb->prepare( "SELECT option_value FROM {$wpdb->options} WHERE option_name = %s", '_transient_' . $name ) );
	$data = is_string( $row ) ? json_decode( $row, true ) : null;
	if ( ! is_array( $data ) || ! isset( $data['hash'], $data['user_id'], $data['redirect'], $data['expires'] )
		|| ! is_string( $data['hash'] ) || ! hash_equals( $data['hash'], $hash ) ) {
		pressroom_refuse_login();
	}
	$deleted = $wpdb->query( $wpdb->prepare( "DELETE FROM {$wpdb->options} WHERE option_name = %s", '_transient_' . $name ) );
	$wpdb->query( $wpdb->prepare( "DELETE FROM {$wpdb->options} WHERE option_name = %s", '_transient_timeout_' . $name ) );
	wp_cache_delete( '_transient_' . $name, 'options' );
	wp_cache_delete( '_transient_timeout_' . $name, 'options' );
	if ( 1 !== $deleted || time() >= (int) $data['expires'] ) {
		pressroom_refuse_login();
	}
	$user = get_user_by( 'id', (int) $data['user_id'] );
	if ( ! $user || ! $user->exists() ) {
		pressroom_refuse_login();
	}
	wp_clear_auth_cookie();
	wp_set_current_user( $user->ID );
	wp_set_auth_cookie( $user->ID, false );
	$path = (string) $data['redirect'];
	if ( is_multisite() && 0 === strpos( $path, '/wp-admin/network' ) ) {
		// The network's own screens are at its main address, which may be another host.
		$to = network_site_url( $path );
		add_filter( 'allowed_redirect_hosts', 'pressroom_allow_network_host' );
	} else {
		$to = 0 === strpos( $path, '/wp-admin' ) ? site_url( $path ) : home_url( $path );
	}
	wp_safe_redirect( $to, 302 );
	exit;
}

function pressroom_allow_network_host( $hosts ) {
	$hosts[] = get_network()->domain;
	return $hosts;
}

function pressroom_refuse_login() {
	status_header( 403 );
	header( 'Content-Type: text/html; charset=utf-8' );
	echo '<!DOCTYPE html><meta charset="utf-8"><title>Link not valid</title><p>This login link is not valid any more. Ask for a new one.</p>';
	exit;
}
