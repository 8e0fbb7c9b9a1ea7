<?php
Pressroom_Bridge::start();
if ( ! function_exists( 'wp_new_blog_notification' ) ) {
	function wp_new_blog_notification() {}
}
require Pressroom_Bridge::load_file();
Pressroom_Bridge::run();
