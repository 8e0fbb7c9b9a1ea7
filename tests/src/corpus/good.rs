//! Updates that look suspicious, and are what their owners want.

use super::{
    Class, Draft,
    Kind::Good,
    Needs, Post,
    base::{self, CLASS, STYLE},
    pages::with_form,
};
use pressroom_testkit::chance::Chance;

/// A good class.
const fn good(
    name: &'static str,
    about: &'static str,
    needs: Needs,
    make: fn(&mut Draft, &mut Chance),
) -> Class {
    Class {
        name,
        about,
        kind: Good,
        needs,
        named: &[],
        make,
    }
}

pub(super) const CLASSES: &[Class] = &[
    good(
        "carousel",
        "pictures in another order each time",
        Needs::Pictures,
        carousel,
    ),
    good("banner", "a new banner of consent", Needs::Pictures, banner),
    good("font", "another font", Needs::Pictures, font),
    good(
        "two_variants",
        "one of two variants of a page",
        Needs::Pictures,
        two_variants,
    ),
    good(
        "dates",
        "another date, year and number",
        Needs::Nothing,
        dates,
    ),
    good(
        "admin_notice",
        "a notice in wp-admin",
        Needs::Nothing,
        admin_notice,
    ),
    good(
        "file_added",
        "one more stylesheet and script",
        Needs::Nothing,
        file_added,
    ),
    good(
        "file_renamed",
        "files named by their content",
        Needs::Nothing,
        file_renamed,
    ),
    good(
        "table_added",
        "a migration that adds a table and an option",
        Needs::Nothing,
        table_added,
    ),
    good(
        "third_slower",
        "takes a third longer",
        Needs::Nothing,
        third_slower,
    ),
    good("text_changed", "another text", Needs::Nothing, text_changed),
    good(
        "route_added",
        "more routes of the REST API",
        Needs::Nothing,
        route_added,
    ),
    good(
        "deprecated",
        "deprecations in the log alone",
        Needs::Nothing,
        deprecated,
    ),
    good(
        "events_added",
        "a few more scheduled events",
        Needs::Nothing,
        events_added,
    ),
    good(
        "options_rewritten",
        "its options in another form",
        Needs::Nothing,
        options_rewritten,
    ),
    good(
        "form_rewritten",
        "a form with one more field and a trap for robots",
        Needs::Nothing,
        form_rewritten,
    ),
    good(
        "about_errors",
        "a page that writes about errors",
        Needs::Nothing,
        about_errors,
    ),
    good(
        "settles_late",
        "at the site alone, its first pages are made of what was kept from before",
        Needs::Nothing,
        settles_late,
    ),
];

fn carousel(draft: &mut Draft, chance: &mut Chance) {
    let colours = ["#c53030", "#2f855a", "#2b6cb0", "#b7791f"];
    let slides: String = (0..4)
        .map(|at| {
            format!(
                "<div style=\"height:180px;background:{}\">{}</div>",
                colours[at],
                base::text(chance, 1)
            )
        })
        .collect::<Vec<_>>()
        .join("','");
    draft.show(&format!(
        "<div class=\"@prefix-slides\"><?php $slides = array( '{slides}' ); echo $slides[ random_int( 0, 3 ) ]; ?></div>\n"
    ));
    draft.after("add_filter( 'body_class', function ( $all ) { $all[] = '@prefix-sliding'; return $all; } );\n");
}

fn banner(draft: &mut Draft, chance: &mut Chance) {
    let text = base::text(chance, 2);
    let place = chance.one(&["bottom:0", "top:0"]);
    draft.after(&format!(
        "add_action( 'wp_footer', function () {{\n\techo '<div role=\"dialog\" style=\"position:fixed;left:0;right:0;{place};z-index:999;padding:24px;background:#2d3748;color:#fff\">{text} <button type=\"button\">Accept</button></div>';\n}} );\n"
    ));
}

fn font(draft: &mut Draft, chance: &mut Chance) {
    let font = chance.one(&[
        "Georgia, serif",
        "Verdana, sans-serif",
        "'Courier New', monospace",
    ]);
    let style = draft.new[&draft.named(STYLE)].clone();
    draft.put(
        STYLE,
        &format!("{style}.@prefix-box {{ font-family: {font}; }}\n"),
    );
}

fn two_variants(draft: &mut Draft, chance: &mut Chance) {
    let (one, other) = (base::text(chance, 2), base::text(chance, 2));
    draft.show(&format!(
        "<p><?php echo 0 === random_int( 0, 1 ) ? '{one}' : '<strong>{other}</strong>'; ?></p>\n"
    ));
    draft.change(base::TEMPLATE, "<strong>", "<em>");
    draft.change(base::TEMPLATE, "</strong>", "</em>");
}

fn dates(draft: &mut Draft, chance: &mut Chance) {
    let year = 2020 + chance.below(6);
    draft.show(&format!(
        "<p>&copy; {year} – <?php echo esc_html( gmdate( 'r' ) . ' ' . wp_create_nonce( '@prefix' ) . ' ' . wp_rand() ); ?></p>\n"
    ));
    draft.change(
        base::TEMPLATE,
        &format!("&copy; {year}"),
        &format!("&copy; {}", year + 1),
    );
}

fn admin_notice(draft: &mut Draft, chance: &mut Chance) {
    let text = base::text(chance, 1);
    let kind = chance.one(&["notice-warning", "notice-error", "notice-info"]);
    draft.after(&format!(
        "add_action( 'admin_notices', function () {{\n\techo '<div class=\"notice {kind}\"><p>Error: {text}</p></div>';\n}} );\n"
    ));
}

fn file_added(draft: &mut Draft, chance: &mut Chance) {
    let word = base::word(chance);
    draft.put(
        &format!("assets/{word}.css"),
        ".@prefix-box { outline: 0; }\n",
    );
    draft.put(&format!("assets/{word}.js"), "window.@prefix = true;\n");
    draft.after(&format!(
        "add_action( 'wp_enqueue_scripts', function () {{\n\twp_enqueue_style( '@slug-{word}', plugins_url( 'assets/{word}.css', __FILE__ ), array(), '@version' );\n\twp_enqueue_script( '@slug-{word}', plugins_url( 'assets/{word}.js', __FILE__ ), array( 'jquery' ), '@version', true );\n}} );\n"
    ));
}

fn file_renamed(draft: &mut Draft, chance: &mut Chance) {
    // What a bundler makes of it.
    let hash: String = (0..8)
        .map(|_| char::from(b"0123456789abcdef"[chance.below(16)]))
        .collect();
    let style = draft.new[&draft.named(STYLE)].clone();
    draft.remove(STYLE);
    draft.put(&format!("assets/@slug-{hash}.css"), &style);
    draft.change(
        CLASS,
        "assets/@slug.css",
        &format!("assets/@slug-{hash}.css"),
    );
}

fn table_added(draft: &mut Draft, chance: &mut Chance) {
    let table = base::word(chance);
    let action = chance.one(&["init", "admin_init"]);
    draft.after(&format!(
        "add_action( '{action}', function () {{
	global $wpdb;
	if ( (int) get_option( '@prefix_schema' ) < 2 ) {{
		$wpdb->query( \"CREATE TABLE IF NOT EXISTS {{$wpdb->prefix}}@prefix_{table} (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, name varchar(60))\" );
		$wpdb->insert( $wpdb->prefix . '@prefix_{table}', array( 'name' => 'first' ) );
		update_option( '@prefix_schema', 2 );
	}}
}} );
"
    ));
}

fn third_slower(draft: &mut Draft, chance: &mut Chance) {
    let share = 20 + chance.below(15);
    draft.after(&format!(
        "add_action( 'wp_footer', function () {{\n\tusleep( (int) ( {share} * 10000 * ( microtime( true ) - $_SERVER['REQUEST_TIME_FLOAT'] ) ) );\n}}, 99 );\n"
    ));
}

fn text_changed(draft: &mut Draft, chance: &mut Chance) {
    let shown = draft.new[base::TEMPLATE].clone();
    let (before, after) = shown.split_once("<p>").expect("a paragraph");
    let (_, after) = after.split_once("</p>").expect("its end");
    let text = base::text(chance, 4);
    draft.put(base::TEMPLATE, &format!("{before}<p>{text}</p>{after}"));
}

fn route_added(draft: &mut Draft, chance: &mut Chance) {
    let word = base::word(chance);
    draft.after(&format!(
        "add_action( 'rest_api_init', function () {{\n\tregister_rest_route( '@prefix/v2', '/{word}', array( 'methods' => 'GET', 'permission_callback' => '__return_true', 'callback' => '__return_empty_array' ) );\n}} );\n"
    ));
}

fn deprecated(draft: &mut Draft, chance: &mut Chance) {
    let word = base::word(chance);
    let code = match chance.below(3) {
        0 => format!(
            "\t@trigger_error( '{word} is old', E_USER_DEPRECATED );\n\ttrigger_error( '{word} is old', E_USER_DEPRECATED );\n"
        ),
        1 => format!("\terror_log( '@slug: {word} was slow to answer' );\n"),
        _ => format!("\ttrigger_error( '{word} is not set', E_USER_NOTICE );\n"),
    };
    draft.after(&format!(
        "add_action( 'init', function () {{\n{code}}} );\n"
    ));
}

fn events_added(draft: &mut Draft, chance: &mut Chance) {
    let events = 1 + chance.below(4);
    for _ in 0..events {
        let hook = format!("@prefix_{}", base::word(chance));
        let every = chance.one(&["hourly", "daily", "weekly"]);
        draft.after(&format!(
            "add_action( '{hook}', function () {{ update_option( '@prefix_ran', time() ); }} );\nadd_action( 'init', function () {{\n\tif ( ! wp_next_scheduled( '{hook}' ) ) {{\n\t\twp_schedule_event( time(), '{every}', '{hook}' );\n\t}}\n}} );\n"
        ));
    }
}

fn options_rewritten(draft: &mut Draft, chance: &mut Chance) {
    let action = chance.one(&["init", "admin_init"]);
    let form = match chance.below(3) {
        0 => "wp_json_encode( $settings )",
        1 => "array_merge( $settings, array( 'size' => 12, 'text' => 'Grüße – a:2:{i:0' ) )",
        _ => "maybe_serialize( maybe_serialize( $settings ) )",
    };
    draft.after(&format!(
        "add_action( '{action}', function () {{\n\t$settings = get_option( '@prefix_settings' );\n\tif ( ! get_option( '@prefix_moved' ) && is_array( $settings ) ) {{\n\t\tadd_option( '@prefix_moved', 1 );\n\t\tupdate_option( '@prefix_settings', {form} );\n\t}}\n}}, 30 );\n"
    ));
}

fn form_rewritten(draft: &mut Draft, chance: &mut Chance) {
    with_form(draft, chance);
    draft.change(
        base::TEMPLATE,
        "<button type=\"submit\" class=\"button\">Send</button>",
        "<label>Phone <input type=\"tel\" name=\"phone\"></label>\
         <span style=\"display:none\"><input type=\"text\" name=\"hp<?php echo wp_rand(); ?>\"></span>\
         <button type=\"submit\" class=\"button large\">Send it</button>",
    );
}

fn about_errors(draft: &mut Draft, chance: &mut Chance) {
    let word = base::word(chance);
    draft.posts.push(Post {
        name: format!("{}-{word}", draft.slug),
        content: "<p>How to read <code>Fatal error: Uncaught Error</code> in a log</p>".to_owned(),
    });
    let text = base::text(chance, 1);
    draft.show("<p>@@</p>\n");
    draft.change(
        base::TEMPLATE,
        "<p>@@</p>",
        &format!("<p>What a warning means, and why a page may be blank. {text}</p>"),
    );
}

fn settles_late(draft: &mut Draft, chance: &mut Chance) {
    // As code does that was compiled while the files were exchanged.
    let word = base::word(chance);
    let at_the_site = "false === strpos( ABSPATH, 'rehearsal' )";
    draft.after(&format!(
        "add_action( 'wp_head', function () {{\n\t$since = (float) get_option( '@prefix_since' );\n\tif ( ! $since ) {{\n\t\t$since = microtime( true );\n\t\tupdate_option( '@prefix_since', $since );\n\t}}\n\tif ( {at_the_site} && microtime( true ) < $since + 1.5 ) {{\n\t\techo '<link rel=\"stylesheet\" href=\"' . esc_url( plugins_url( 'assets/{word}-old.css', __FILE__ ) ) . '\">';\n\t}}\n}} );\n"
    ));
}
