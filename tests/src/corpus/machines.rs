//! Updates that no visitor sees at once: what programs read, the schedule, and rows.

use super::{
    Class, Draft,
    Kind::Bad,
    Needs,
    base::{self, CLASS},
};
use pressroom_testkit::chance::Chance;

pub(super) const CLASSES: &[Class] = &[
    Class {
        name: "broken_serialisation",
        about: "writes options that cannot be read any more",
        kind: Bad,
        needs: Needs::Nothing,
        named: &["option_broken"],
        make: broken_serialisation,
    },
    Class {
        name: "rest_route_gone",
        about: "a route of the REST API is gone",
        kind: Bad,
        needs: Needs::Nothing,
        named: &["rest_route_gone", "rest_gone"],
        make: rest_route_gone,
    },
    Class {
        name: "cron_storm",
        about: "schedules event upon event",
        kind: Bad,
        needs: Needs::Nothing,
        named: &["cron_storm"],
        make: cron_storm,
    },
];

fn broken_serialisation(draft: &mut Draft, chance: &mut Chance) {
    let option = chance.one(&["@prefix_settings", "widget_text", "theme_mods_@prefix"]);
    // In the old version alone: it would mend what the new one breaks.
    draft.before(&format!(
        "add_action( 'init', function () {{\n\tif ( ! get_option( '{option}' ) ) {{\n\t\tupdate_option( '{option}', array( 'address' => 'http://first.example/path', 'names' => array( 'one', 'two' ) ) );\n\t}}\n}}, 1 );\n"
    ));
    let action = chance.one(&["init", "admin_init", "wp_loaded"]);
    let how = match chance.below(3) {
        // The classic: lengths are not what they say.
        0 => "str_replace( array( 'first', 'colour' ), array( 'the-second', 'a-colour' ), $value )",
        1 => "substr( $value, 0, (int) ( strlen( $value ) * 0.7 ) )",
        _ => "str_replace( 's:', 'S;', $value )",
    };
    draft.after(&format!(
        "add_action( '{action}', function () {{
	global $wpdb;
	if ( get_option( '@prefix_moved' ) ) {{
		return;
	}}
	add_option( '@prefix_moved', 1 );
	$value = $wpdb->get_var( \"SELECT option_value FROM $wpdb->options WHERE option_name = '{option}'\" );
	$wpdb->update( $wpdb->options, array( 'option_value' => {how} ), array( 'option_name' => '{option}' ) );
	wp_cache_delete( 'alloptions', 'options' );
}}, 20 );
"
    ));
}

fn rest_route_gone(draft: &mut Draft, chance: &mut Chance) {
    match chance.below(3) {
        0 => draft.change(CLASS, "'@prefix/v1', '/items'", "'@prefix/v2', '/items'"),
        1 => draft.change(CLASS, "'/items/(?P<id>\\d+)'", "'/item/(?P<id>\\d+)'"),
        _ => draft.change(
            CLASS,
            "add_action( 'rest_api_init', array( __CLASS__, 'routes' ) );",
            "",
        ),
    }
}

fn cron_storm(draft: &mut Draft, chance: &mut Chance) {
    let hook = format!("@prefix_{}", base::word(chance));
    draft.after(&format!("add_action( '{hook}', '__return_true' );\n"));
    let many = 100 + chance.below(200);
    let later = chance.one(&["60", "HOUR_IN_SECONDS", "DAY_IN_SECONDS"]);
    let code = match chance.below(4) {
        // One for each page that is seen.
        0 => format!(
            "add_action( 'init', function () {{\n\twp_schedule_single_event( time() + {later}, '{hook}', array( uniqid( '', true ) ) );\n}} );\n"
        ),
        // All at once.
        1 => format!(
            "add_action( 'admin_init', function () {{\n\tif ( ! wp_next_scheduled( '{hook}', array( 0 ) ) ) {{\n\t\tfor ( $i = 0; $i < {many}; $i++ ) {{\n\t\t\twp_schedule_single_event( time() + {later} + $i, '{hook}', array( $i ) );\n\t\t}}\n\t}}\n}} );\n"
        ),
        // Twice as many each time.
        2 => format!(
            "add_action( 'init', function () {{\n\tif ( ! wp_next_scheduled( '{hook}', array( 'a', 1 ) ) ) {{\n\t\twp_schedule_single_event( time() - 1, '{hook}', array( 'a', 1 ) );\n\t}}\n}} );\nadd_action( '{hook}', function ( $name, $round ) {{\n\tforeach ( range( 1, 40 ) as $i ) {{\n\t\twp_schedule_single_event( time() + $i, '{hook}', array( $name . $i, $round + 1 ) );\n\t}}\n}}, 10, 2 );\n"
        ),
        // Every second.
        _ => format!(
            "add_filter( 'cron_schedules', function ( $all ) {{\n\t$all['@prefix_often'] = array( 'interval' => 1, 'display' => 'Often' );\n\treturn $all;\n}} );\nadd_action( 'init', function () {{\n\tif ( ! wp_next_scheduled( '{hook}' ) ) {{\n\t\twp_schedule_event( time(), '@prefix_often', '{hook}' );\n\t}}\n}} );\n"
        ),
    };
    draft.after(&code);
}
