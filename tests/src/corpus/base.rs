//! What every update begins as: a plugin or theme that does its work, the same in both versions.
//!
//! Of its files, `@slug`, `@prefix`, `@PREFIX`, `@Class` and `@version` are filled in last.

use super::{Delivery, Draft, Files, Post};
use pressroom_testkit::chance::Chance;
use std::fmt::Write as _;

/// What the shortcode shows.
pub(super) const TEMPLATE: &str = "templates/box.php";
/// The file of the class.
pub(super) const CLASS: &str = "includes/class-@slug.php";
/// The stylesheet.
pub(super) const STYLE: &str = "assets/@slug.css";
/// The script.
pub(super) const SCRIPT: &str = "assets/@slug.js";

const MAIN: &str = r"<?php
/**
 * Plugin Name: @slug
 * Description: A small plugin with a page of its own
 * Version: @version
 * Requires at least: 6.0
 * Requires PHP: 7.2
 * Author: Somebody
 */

if ( ! defined( 'ABSPATH' ) ) {
	exit;
}

define( '@PREFIX_VERSION', '@version' );
require_once __DIR__ . '/includes/class-@slug.php';
@Class::start( __FILE__ );
register_activation_hook( __FILE__, array( '@Class', 'activate' ) );
";

const CODE: &str = r#"<?php
/** What it does. */
class @Class {
	public static $file;

	public static function start( $file ) {
		self::$file = $file;
		add_shortcode( '@prefix', array( __CLASS__, 'show' ) );
		add_action( 'wp_enqueue_scripts', array( __CLASS__, 'assets' ) );
		add_action( 'rest_api_init', array( __CLASS__, 'routes' ) );
		add_action( 'admin_menu', array( __CLASS__, 'menu' ) );
		add_action( 'wp_footer', array( __CLASS__, 'mark' ) );
	}

	public static function activate() {
		add_option( '@prefix_settings', array( 'colour' => '#2b6cb0', 'columns' => 3, 'labels' => array( 'first', 'second' ) ) );
	}

	public static function settings() {
		$settings = get_option( '@prefix_settings' );
		return is_array( $settings ) ? $settings : array( 'colour' => '#2b6cb0', 'columns' => 3, 'labels' => array() );
	}

	public static function assets() {
		wp_enqueue_style( '@slug', plugins_url( 'assets/@slug.css', self::$file ), array(), '@version' );
		wp_enqueue_script( '@slug', plugins_url( 'assets/@slug.js', self::$file ), array(), '@version', true );
	}

	public static function show() {
		$settings = self::settings();
		ob_start();
		include dirname( __DIR__ ) . '/templates/box.php';
		return ob_get_clean();
	}

	public static function routes() {
		register_rest_route( '@prefix/v1', '/items', array( 'methods' => 'GET', 'permission_callback' => '__return_true', 'callback' => array( __CLASS__, 'items' ) ) );
		register_rest_route( '@prefix/v1', '/items/(?P<id>\d+)', array( 'methods' => 'GET', 'permission_callback' => '__return_true', 'callback' => array( __CLASS__, 'items' ) ) );
	}

	public static function items() {
		return array( 'items' => array() );
	}

	public static function menu() {
		add_options_page( '@slug', '@slug', 'manage_options', '@slug', array( __CLASS__, 'page' ) );
	}

	public static function page() {
		echo '<div class="wrap"><h1>@slug</h1></div>';
	}

	public static function mark() {
		echo '<!-- @slug @version -->';
	}
}
"#;

const STYLED: &str = r".@prefix-box { max-width: 46rem; margin: 2rem auto; padding: 1.5rem; border: 1px solid #cbd5e0; border-radius: 6px; background: #f7fafc; }
.@prefix-box h2 { margin: 0 0 0.75rem; font-size: 1.6rem; color: #2d3748; }
.@prefix-box p { margin: 0 0 1rem; line-height: 1.6; color: #1a202c; }
.@prefix-box ul { display: grid; grid-template-columns: repeat(3, 1fr); gap: 1rem; padding: 0; list-style: none; }
.@prefix-box li { padding: 0.75rem; background: #ebf4ff; border-radius: 4px; }
.@prefix-box form label { display: block; margin-bottom: 0.75rem; }
.@prefix-box .button { padding: 0.5rem 1rem; background: #2b6cb0; color: #fff; border: 0; }
";

const SCRIPTED: &str = r"(function () {
	'use strict';
	document.querySelectorAll('.@prefix-box').forEach(function (box) {
		box.setAttribute('data-ready', 'yes');
	});
}());
";

const FIRST: [&str; 8] = [
    "swift", "silver", "quiet", "clever", "golden", "plain", "modern", "honest",
];
const SECOND: [&str; 8] = [
    "gallery", "contact", "booking", "stats", "menus", "events", "reviews", "tables",
];
/// What pages are about.
pub(super) const SENTENCES: [&str; 10] = [
    "The river froze early that year, and the ferry was laid up until the middle of March.",
    "Nobody in the village remembered who had planted the two walnut trees by the mill.",
    "Bread was baked on Tuesdays and Fridays, and the smell reached as far as the school.",
    "A surveyor came with chains and flags and stayed for eleven days without giving a reason.",
    "The clock on the town hall was five minutes fast, and everybody set their watches by it.",
    "In the attic they found letters tied with string, a broken compass and a map of the coast.",
    "When the bridge was finished the mayor crossed it first, on foot and in the pouring rain.",
    "She kept bees behind the chapel and sold the honey in jars that had held pickled beets.",
    "The train stopped twice a day, and in between the platform belonged to the sparrows.",
    "Every autumn the lower fields were flooded, and every spring they were the greenest.",
];

/// So many sentences, in the order of chance.
pub(super) fn text(chance: &mut Chance, sentences: usize) -> String {
    let mut left = SENTENCES.to_vec();
    let mut chosen = Vec::new();
    for _ in 0..sentences {
        if left.is_empty() {
            left = SENTENCES.to_vec();
        }
        chosen.push(left.swap_remove(chance.below(left.len())));
    }
    chosen.join(" ")
}

/// A word that no other update has.
pub(super) fn word(chance: &mut Chance) -> String {
    let letters = b"bcdfghklmnprstvwz";
    let vowels = b"aeiou";
    (0..4)
        .flat_map(|_| {
            let consonant = letters[chance.below(letters.len())];
            [consonant, vowels[chance.below(vowels.len())]]
        })
        .map(char::from)
        .collect()
}

/// A plugin with a page of its own, a shortcode, a stylesheet, a script, routes and settings.
pub(super) fn plugin(chance: &mut Chance) -> Draft {
    let slug = format!(
        "{}-{}-{}",
        chance.one(&FIRST),
        chance.one(&SECOND),
        word(chance)
    );
    let mut shown = format!(
        "<div class=\"@prefix-box\"><h2>{}</h2>\n",
        slug.replace('-', " ")
    );
    for _ in 0..3 {
        let _ = writeln!(shown, "<p>{}</p>", text(chance, 3));
    }
    shown.push_str("<ul>");
    for _ in 0..3 {
        let _ = write!(shown, "<li>{}</li>", text(chance, 1));
    }
    shown.push_str("</ul></div>\n");
    let files = Files::from([
        (format!("{slug}.php"), MAIN.to_owned()),
        (CLASS.replace("@slug", &slug), CODE.to_owned()),
        (TEMPLATE.to_owned(), shown),
        (STYLE.replace("@slug", &slug), STYLED.to_owned()),
        (SCRIPT.replace("@slug", &slug), SCRIPTED.to_owned()),
    ]);
    let prefix = slug.replace('-', "_");
    Draft {
        is_theme: false,
        old: files.clone(),
        new: files,
        folder: format!("{slug}/"),
        delivery: Delivery::Whole,
        posts: vec![Post {
            name: slug.clone(),
            content: format!("<p>{}</p>[{prefix}]", text(chance, 3)),
        }],
        paths: vec![format!("/{slug}/")],
        slug,
        prefix,
    }
}

const THEME_STYLE: &str = r"/*
Theme Name: @slug
Description: A small theme
Version: @version
Requires at least: 6.0
Requires PHP: 7.2
*/
body { margin: 0; font-family: Georgia, serif; color: #222; background: #fff; }
header, main, footer { max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
header { border-bottom: 3px solid #2b6cb0; }
h1, h2 { font-weight: 600; line-height: 1.25; }
a { color: #2b6cb0; }
article { margin-bottom: 2rem; padding: 1rem; background: #f7fafc; border-radius: 4px; }
footer { border-top: 1px solid #ccc; font-size: 0.9rem; }
";

const THEME_FUNCTIONS: &str = r"<?php
add_action( 'after_setup_theme', function () {
	add_theme_support( 'title-tag' );
} );
add_action( 'wp_enqueue_scripts', function () {
	wp_enqueue_style( '@slug', get_stylesheet_uri(), array(), '@version' );
} );
add_action( 'wp_footer', function () {
	echo '<!-- @slug @version -->';
} );
";

const THEME_INDEX: &str = r"<?php get_header(); ?>
<main>
<?php while ( have_posts() ) : the_post(); ?>
<article><h2><a href='<?php the_permalink(); ?>'><?php the_title(); ?></a></h2><?php the_content(); ?></article>
<?php endwhile; ?>
</main>
<?php get_footer(); ?>
";

const THEME_HEADER: &str = r"<!DOCTYPE html>
<html <?php language_attributes(); ?>>
<head><meta charset='utf-8'><?php wp_head(); ?></head>
<body <?php body_class(); ?>>
<header><h1><?php bloginfo( 'name' ); ?></h1></header>
";

const THEME_FOOTER: &str = r"<footer><p><?php bloginfo( 'description' ); ?></p></footer>
<?php wp_footer(); ?>
</body></html>
";

/// Makes a theme of it: the same name, other files, and an ordinary page.
pub(super) fn become_theme(draft: &mut Draft, chance: &mut Chance) {
    let files = Files::from([
        ("style.css".to_owned(), THEME_STYLE.to_owned()),
        ("functions.php".to_owned(), THEME_FUNCTIONS.to_owned()),
        ("index.php".to_owned(), THEME_INDEX.to_owned()),
        ("header.php".to_owned(), THEME_HEADER.to_owned()),
        ("footer.php".to_owned(), THEME_FOOTER.to_owned()),
    ]);
    draft.is_theme = true;
    draft.old.clone_from(&files);
    draft.new = files;
    for post in &mut draft.posts {
        post.content = format!("<p>{}</p><p>{}</p>", text(chance, 4), text(chance, 4));
    }
}
