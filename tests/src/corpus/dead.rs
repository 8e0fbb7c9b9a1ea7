//! Updates with which PHP dies, or does not come to an end.

use super::{
    Class, Draft,
    Kind::Bad,
    Needs,
    base::{self, CLASS, TEMPLATE},
};
use pressroom_testkit::chance::Chance;

/// What a page that is dead, or PHP's log, is called by.
const DEAD: &[&str] = &[
    "fatal_error",
    "critical_error_page",
    "server_error",
    "white_page",
    "php_died",
    "admin_broken",
];

pub(super) const CLASSES: &[Class] = &[
    Class {
        name: "parse_error",
        about: "PHP cannot read a file",
        kind: Bad,
        needs: Needs::Nothing,
        named: DEAD,
        make: parse_error,
    },
    Class {
        name: "fatal_everywhere",
        about: "dies on every page",
        kind: Bad,
        needs: Needs::Nothing,
        named: DEAD,
        make: fatal_everywhere,
    },
    Class {
        name: "fatal_in_admin",
        about: "dies in wp-admin alone",
        kind: Bad,
        needs: Needs::Nothing,
        named: DEAD,
        make: fatal_in_admin,
    },
    Class {
        name: "fatal_in_cron",
        about: "dies in a scheduled event alone",
        kind: Bad,
        needs: Needs::Nothing,
        named: &["cron_broken"],
        make: fatal_in_cron,
    },
    Class {
        name: "fatal_on_one_template",
        about: "dies on one kind of page alone",
        kind: Bad,
        needs: Needs::Nothing,
        named: DEAD,
        make: fatal_on_one_template,
    },
    Class {
        name: "white_page",
        about: "an empty page with status 200",
        kind: Bad,
        needs: Needs::Nothing,
        named: &["white_page", "body_shrunk", "text_lost"],
        make: white_page,
    },
    Class {
        name: "class_gone",
        about: "a class is not found after its files were moved",
        kind: Bad,
        needs: Needs::Nothing,
        named: DEAD,
        make: class_gone,
    },
    Class {
        name: "migration_fails",
        about: "its own migration dies half-way, each time anew",
        kind: Bad,
        needs: Needs::Nothing,
        named: DEAD,
        make: migration_fails,
    },
    Class {
        name: "memory",
        about: "uses up all memory",
        kind: Bad,
        needs: Needs::Nothing,
        named: DEAD,
        make: memory,
    },
    Class {
        name: "ten_times_slower",
        about: "takes ten times as long",
        kind: Bad,
        needs: Needs::Nothing,
        named: &["slower", "no_answer"],
        make: slow,
    },
    Class {
        name: "dead_at_the_site_alone",
        about: "dies where it can tell that it is no clone",
        kind: Bad,
        needs: Needs::Nothing,
        named: DEAD,
        make: dead_at_the_site,
    },
    Class {
        name: "cache_hides_the_dead",
        about: "dies behind a page cache, which goes on answering",
        kind: Bad,
        needs: Needs::PageCache,
        named: DEAD,
        make: behind_a_cache,
    },
];

/// A way to die.
fn death(chance: &mut Chance) -> String {
    let word = base::word(chance);
    match chance.below(6) {
        0 => format!("{word}_that_is_nowhere();"),
        1 => format!("throw new RuntimeException( 'the {word} is missing' );"),
        2 => format!("new {word}_Nowhere();"),
        3 => format!("strlen( array( '{word}' ), 1 );"),
        4 => format!("$none = null; $none->{word}();"),
        _ => format!("echo {}_NOWHERE;", word.to_ascii_uppercase()),
    }
}

/// Has it die in this action, late or early.
fn dies_in(action: &str, condition: &str, chance: &mut Chance) -> String {
    let priority = [1, 5, 10, 20, 99][chance.below(5)];
    let death = death(chance);
    format!(
        "add_action( '{action}', function () {{\n\tif ( {condition} ) {{\n\t\t{death}\n\t}}\n}}, {priority} );\n"
    )
}

fn parse_error(draft: &mut Draft, chance: &mut Chance) {
    if chance.below(3) == 0 {
        base::become_theme(draft, chance);
    }
    let word = base::word(chance);
    let broken = match chance.below(5) {
        0 => format!("$@prefix_{word} = array( 'a' => 1\n$@prefix_b = 2;\n"),
        1 => format!("function @prefix_{word}( $a ) {{\n\tif ( $a ) {{\n\t\treturn 1;\n"),
        2 => "<<<<<<< HEAD\n$a = 1;\n=======\n$a = 2;\n>>>>>>> feature\n".to_owned(),
        3 => format!("echo '{word};\n"),
        _ => format!("enum {word} string {{ case; }}\n"),
    };
    let path = if draft.is_theme || chance.below(2) == 0 {
        draft.main()
    } else {
        draft.named(CLASS)
    };
    draft
        .new
        .get_mut(&path)
        .expect("a file of the base")
        .push_str(&broken);
}

fn fatal_everywhere(draft: &mut Draft, chance: &mut Chance) {
    if chance.below(4) == 0 {
        base::become_theme(draft, chance);
    }
    let action = chance.one(&["", "after_setup_theme", "init", "wp_loaded"]);
    let code = if action.is_empty() {
        death(chance) + "\n"
    } else {
        dies_in(action, "true", chance)
    };
    draft.after(&code);
}

fn fatal_in_admin(draft: &mut Draft, chance: &mut Chance) {
    let (action, condition) = chance.one(&[
        ("init", "is_admin()"),
        ("admin_init", "! wp_doing_ajax()"),
        ("admin_menu", "true"),
        ("admin_notices", "current_user_can( 'manage_options' )"),
        ("wp_dashboard_setup", "true"),
        ("load-plugins.php", "true"),
        ("admin_footer", "true"),
        ("admin_enqueue_scripts", "true"),
    ]);
    let code = dies_in(action, condition, chance);
    draft.after(&code);
}

fn fatal_in_cron(draft: &mut Draft, chance: &mut Chance) {
    let hook = format!("@prefix_{}", base::word(chance));
    let every = chance.one(&["hourly", "twicedaily", "daily"]);
    // From long ago to tomorrow.
    let first = chance.one(&[
        "time() - 7200",
        "time() - 60",
        "time() + 1800",
        "time() + 20 * HOUR_IN_SECONDS",
    ]);
    draft.both(&format!(
        "add_action( 'init', function () {{\n\tif ( ! wp_next_scheduled( '{hook}' ) ) {{\n\t\twp_schedule_event( {first}, '{every}', '{hook}' );\n\t}}\n}} );\n"
    ));
    draft.before(&format!(
        "add_action( '{hook}', function () {{\n\tupdate_option( '@prefix_last', time() );\n}} );\n"
    ));
    let death = death(chance);
    draft.after(&format!(
        "add_action( '{hook}', function () {{\n\tupdate_option( '@prefix_last', time() );\n\t{death}\n}} );\n"
    ));
}

fn fatal_on_one_template(draft: &mut Draft, chance: &mut Chance) {
    let condition = chance.one(&[
        "is_category()",
        "is_author()",
        "is_search()",
        "is_404()",
        "is_single()",
        "is_feed()",
        "is_page( '@slug' )",
    ]);
    let action = if condition == "is_feed()" {
        "template_redirect"
    } else {
        chance.one(&["template_redirect", "wp_head", "wp_footer", "wp"])
    };
    let code = dies_in(action, condition, chance);
    draft.after(&code);
}

fn white_page(draft: &mut Draft, chance: &mut Chance) {
    let condition = chance.one(&[
        "true",
        "is_front_page()",
        "is_singular()",
        "is_page( '@slug' )",
    ]);
    let code = match chance.below(3) {
        0 => format!(
            "add_action( 'template_redirect', function () {{\n\tif ( {condition} ) {{\n\t\texit;\n\t}}\n}} );\n"
        ),
        1 => format!(
            "add_action( 'template_redirect', function () {{\n\tif ( {condition} ) {{\n\t\tob_start( function () {{\n\t\t\treturn '';\n\t\t}} );\n\t}}\n}} );\n"
        ),
        _ => format!(
            "add_filter( 'template_include', function ( $template ) {{\n\treturn {condition} ? '' : $template;\n}}, 99 );\n"
        ),
    };
    draft.after(&code);
}

fn class_gone(draft: &mut Draft, chance: &mut Chance) {
    let part = format!("@Class_{}", base::word(chance));
    let file = format!("part-{}.php", base::word(chance));
    let source = format!(
        "<?php\nclass {part} {{\n\tpublic static function count() {{\n\t\treturn 3;\n\t}}\n}}\n"
    );
    draft.put_both(&format!("includes/{file}"), &source);
    let loader = format!(
        "spl_autoload_register( function ( $class ) {{\n\tif ( '{part}' === $class && is_file( __DIR__ . '/includes/{file}' ) ) {{\n\t\trequire __DIR__ . '/includes/{file}';\n\t}}\n}} );\n"
    );
    draft.both(&loader);
    // Where it is needed.
    let code = match chance.below(4) {
        0 => format!("add_action( 'init', function () {{ {part}::count(); }} );\n"),
        1 => format!("add_action( 'wp_head', function () {{ {part}::count(); }} );\n"),
        2 => format!("add_action( 'admin_init', function () {{ {part}::count(); }} );\n"),
        _ => {
            draft.show(&format!("<p><?php echo (int) {part}::count(); ?></p>\n"));
            String::new()
        }
    };
    draft.both(&code);
    // How it went.
    match chance.below(3) {
        0 => {
            draft.remove(&format!("includes/{file}"));
            draft.put(&format!("src/{file}"), &source);
        }
        1 => {
            let moved = source.replace("<?php\n", "<?php\nnamespace @Class;\n");
            draft.put(&format!("includes/{file}"), &moved);
        }
        _ => {
            draft.remove(&format!("includes/{file}"));
            draft.put(&format!("Includes/{file}"), &source);
        }
    }
}

fn migration_fails(draft: &mut Draft, chance: &mut Chance) {
    draft.both("add_option( '@prefix_schema', 1 );\n");
    let action = chance.one(&["init", "admin_init", "wp_loaded"]);
    let table = base::word(chance);
    let rows = 20 + chance.below(60);
    let fails = match chance.below(4) {
        0 => "throw new UnexpectedValueException( 'row ' . $row . ' cannot be converted' );"
            .to_owned(),
        1 => "wp_die( 'The upgrade of the database failed.' );".to_owned(),
        2 => death(chance),
        _ => "$row = $wpdb->get_row( 'SELECT * FROM nowhere' ); $row->convert();".to_owned(),
    };
    let half = rows / 2;
    draft.after(&format!(
        "add_action( '{action}', function () {{
	global $wpdb;
	if ( (int) get_option( '@prefix_schema' ) >= 2 ) {{
		return;
	}}
	$wpdb->query( \"CREATE TABLE IF NOT EXISTS {{$wpdb->prefix}}@prefix_{table} (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, name varchar(60))\" );
	for ( $row = 0; $row < {rows}; $row++ ) {{
		$wpdb->insert( $wpdb->prefix . '@prefix_{table}', array( 'name' => 'row ' . $row ) );
		if ( {half} === $row ) {{
			{fails}
		}}
	}}
	update_option( '@prefix_schema', 2 );
}} );
"
    ));
}

fn memory(draft: &mut Draft, chance: &mut Chance) {
    let action = chance.one(&["init", "wp_head", "template_redirect", "the_post"]);
    let size = chance.one(&["1 << 20", "1 << 22", "500000"]);
    draft.after(&format!(
        "add_action( '{action}', function () {{\n\tif ( is_admin() ) {{\n\t\treturn;\n\t}}\n\t$rows = array();\n\twhile ( true ) {{\n\t\t$rows[] = str_repeat( 'x', {size} );\n\t}}\n}} );\n"
    ));
}

fn slow(draft: &mut Draft, chance: &mut Chance) {
    let times = 9 + chance.below(4);
    let condition = chance.one(&["true", "is_page( '@slug' )", "is_front_page()"]);
    draft.after(&format!(
        "add_action( 'wp_footer', function () {{\n\tif ( {condition} ) {{\n\t\tusleep( (int) ( {times} * 1000000 * ( microtime( true ) - $_SERVER['REQUEST_TIME_FLOAT'] ) ) );\n\t}}\n}}, 99 );\n"
    ));
}

fn dead_at_the_site(draft: &mut Draft, chance: &mut Chance) {
    let at_the_site = chance.one(&[
        "! defined( 'WP_HTTP_BLOCK_EXTERNAL' )",
        "function_exists( 'fsockopen' )",
        "false === strpos( ABSPATH, 'rehearsal' )",
    ]);
    let action = chance.one(&["init", "template_redirect", "wp_head"]);
    let death = death(chance);
    // Its upgrade spoils an option, and then its pages die.
    draft.after(&format!(
        "add_action( 'admin_init', function () {{\n\tif ( {at_the_site} ) {{\n\t\tupdate_option( '@prefix_settings', array( 'colour' => 'none' ) );\n\t}}\n}} );\n\
         add_action( '{action}', function () {{\n\tif ( {at_the_site} && 'cli' !== PHP_SAPI ) {{\n\t\t{death}\n\t}}\n}} );\n"
    ));
}

fn behind_a_cache(draft: &mut Draft, chance: &mut Chance) {
    let (action, condition) = chance.one(&[
        ("template_redirect", "defined( 'WP_CACHE' ) && WP_CACHE"),
        (
            "wp_head",
            "file_exists( WP_CONTENT_DIR . '/advanced-cache.php' )",
        ),
        ("wp_footer", "true"),
    ]);
    // What it shows is no other.
    assert!(draft.new.contains_key(TEMPLATE));
    let code = dies_in(action, condition, chance);
    draft.after(&code);
}
