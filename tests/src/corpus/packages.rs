//! Updates whose package is wrong.

use super::{
    Class, Delivery, Draft,
    Kind::Bad,
    NEW, Needs,
    base::{self, CLASS, SCRIPT, STYLE},
};
use pressroom_testkit::{chance::Chance, wordpress_org::Trouble};

/// Packages that are refused before anything is tried, and in a clone.
const REFUSED: &[&str] = &["package", "package_bad", "version_wrong"];

pub(super) const CLASSES: &[Class] = &[
    Class {
        name: "php_requirement",
        about: "needs a PHP or a WordPress that the site has not",
        kind: Bad,
        needs: Needs::Nothing,
        named: &["requirement_unmet", "package"],
        make: requirement,
    },
    Class {
        name: "files_missing",
        about: "files without which it does not start are not in the package",
        kind: Bad,
        needs: Needs::Nothing,
        named: &[
            "fatal_error",
            "critical_error_page",
            "server_error",
            "php_died",
            "admin_broken",
            "package",
            "package_bad",
        ],
        make: files_missing,
    },
    Class {
        name: "wrong_folder",
        about: "the package's folder has another name, or is one too deep",
        kind: Bad,
        needs: Needs::Nothing,
        named: REFUSED,
        make: wrong_folder,
    },
    Class {
        name: "truncated_package",
        about: "the package ends in the middle",
        kind: Bad,
        needs: Needs::Nothing,
        named: REFUSED,
        make: truncated,
    },
    Class {
        name: "wrong_version",
        about: "the files say another version than was offered",
        kind: Bad,
        needs: Needs::Nothing,
        named: REFUSED,
        make: wrong_version,
    },
    Class {
        name: "one_file_missing",
        about: "says the right version, and one file that it uses is missing",
        kind: Bad,
        needs: Needs::Nothing,
        named: &[
            "file_missing",
            "file_broken",
            "style_lost",
            "critical_error_page",
            "php_died",
        ],
        make: one_file_missing,
    },
    Class {
        name: "never_arrives",
        about: "the package cannot be had",
        kind: Bad,
        needs: Needs::Nothing,
        named: &["package"],
        make: never_arrives,
    },
    Class {
        name: "deactivates_itself",
        about: "switches itself off",
        kind: Bad,
        needs: Needs::Nothing,
        named: &["deactivated"],
        make: deactivates_itself,
    },
];

fn requirement(draft: &mut Draft, chance: &mut Chance) {
    let main = draft.main();
    if chance.below(3) == 0 {
        let wordpress = chance.one(&["7.9", "9.0", "12.1.3"]);
        draft.change(
            &main,
            "Requires at least: 6.0",
            &format!("Requires at least: {wordpress}"),
        );
    } else {
        let php = chance.one(&["8.9", "9.0", "9.1.2", "10"]);
        draft.change(&main, "Requires PHP: 7.2", &format!("Requires PHP: {php}"));
    }
}

fn files_missing(draft: &mut Draft, chance: &mut Chance) {
    // All that a build left out.
    draft.remove(CLASS);
    if chance.below(2) == 0 {
        draft.remove(STYLE);
        draft.remove(SCRIPT);
    }
}

fn wrong_folder(draft: &mut Draft, chance: &mut Chance) {
    let slug = draft.slug.clone();
    draft.folder = match chance.below(5) {
        0 => format!("{slug}-{NEW}/"),
        1 => format!("{slug}-master/"),
        2 => format!("build/{slug}/"),
        3 => String::new(),
        _ => format!("{}/", base::word(chance)),
    };
}

fn truncated(draft: &mut Draft, chance: &mut Chance) {
    draft.delivery = Delivery::Cut(20 + chance.below(79));
}

fn wrong_version(draft: &mut Draft, chance: &mut Chance) {
    let main = draft.main();
    let other = chance.one(&["1.0.0", "1.0.9", "1.2.0", "2.0.0-beta", "0.9"]);
    draft.change(&main, "* Version: @version", &format!("* Version: {other}"));
}

fn one_file_missing(draft: &mut Draft, chance: &mut Chance) {
    match chance.below(4) {
        0 => draft.remove("templates/box.php"),
        1 => draft.remove(STYLE),
        2 => draft.remove(SCRIPT),
        _ => {
            let part = format!("templates/{}.php", base::word(chance));
            let text = base::text(chance, 2);
            draft.put_both(&part, &format!("<p>{text}</p>\n"));
            draft.show(&format!(
                "<?php include WP_PLUGIN_DIR . '/@slug/{part}'; ?>\n"
            ));
            draft.remove(&part);
        }
    }
}

fn never_arrives(draft: &mut Draft, chance: &mut Chance) {
    draft.delivery =
        Delivery::Never(chance.one(&[Trouble::Missing, Trouble::Fails, Trouble::Breaks]));
}

fn deactivates_itself(draft: &mut Draft, chance: &mut Chance) {
    let action = chance.one(&["init", "admin_init", "wp_loaded", "wp_footer"]);
    let how = match chance.below(2) {
        0 => {
            "require_once ABSPATH . 'wp-admin/includes/plugin.php';\n\tdeactivate_plugins( plugin_basename( __FILE__ ) );"
        }
        _ => {
            "update_option( 'active_plugins', array_values( array_diff( (array) get_option( 'active_plugins' ), array( '@slug/@slug.php' ) ) ) );"
        }
    };
    draft.after(&format!(
        "add_action( '{action}', function () {{\n\t{how}\n}} );\n"
    ));
}
