//! The theme and its undo.

use crate::lab::{Lab, patient};
use pressroom_lab::Wordpress;
use pressroom_wordpress::bridge::{
    self, Action, BlamedKind, BridgeOptions, ThemeState, outcomes::*,
};

fn put_theme(lab: &Lab, name: &str, functions: &str) {
    let dir = format!("wp-content/themes/{name}");
    lab.site
        .write(
            &format!("{dir}/style.css"),
            format!("/* Theme Name: {name} */"),
        )
        .unwrap();
    lab.site
        .write(&format!("{dir}/index.php"), "<?php echo 'page';")
        .unwrap();
    lab.site
        .write(
            &format!("{dir}/functions.php"),
            format!("<?php add_action('widgets_init', function () {{ register_sidebar(array('id' => '{name}-side', 'name' => 'Side')); }}); {functions}"),
        )
        .unwrap();
}

fn rows(lab: &Lab) -> String {
    lab.sql("SELECT option_name, option_value FROM wp_options WHERE option_name IN ('template', 'stylesheet', 'current_theme', 'theme_switched', 'sidebars_widgets') OR option_name LIKE 'theme\\_mods%' ORDER BY 1")
}

pub fn switch(lab: &Lab) {
    put_theme(lab, "press-one", "");
    put_theme(lab, "press-two", "");
    put_theme(lab, "press-fatal", "press_nothing_like_it();");
    if lab.is_network() {
        let allow = |enabled| Action::EnableThemes {
            themes: vec!["press-one".into(), "press-two".into(), "press-fatal".into()],
            enabled,
        };
        let refused = bridge::switch_theme(lab.place(), "press-one", &patient()).unwrap();
        assert_eq!(refused.code.as_deref(), Some("theme_not_allowed"));
        let told: AllowedThemes = lab.ok(allow(true));
        assert!(told.allowed.contains(&"press-two".to_owned()));
        assert!(
            lab.sql("SELECT meta_value FROM wp_sitemeta WHERE meta_key = 'allowedthemes'")
                .contains("press-two")
        );
    }
    let done = bridge::switch_theme(lab.place(), "press-one", &patient()).unwrap();
    assert!(done.ok, "{done:?}");
    assert_eq!(lab.option("stylesheet"), "press-one");
    lab.site
        .php("update_option('sidebars_widgets', array('wp_inactive_widgets' => array(), 'press-one-side' => array('search-2'), 'array_version' => 3)); set_theme_mod('colour', 'red');")
        .unwrap();
    let before = rows(lab);

    // A theme that dies is taken back with everything the switch moved.
    let done = bridge::switch_theme(lab.place(), "press-fatal", &patient()).unwrap();
    assert!(!done.ok);
    let blame = done.blame.expect("a name");
    assert_eq!(
        (blame.kind, blame.slug.as_str()),
        (BlamedKind::Theme, "press-fatal")
    );
    assert_eq!(done.undone, Some(true));
    assert_eq!(rows(lab), before);

    // A good one stays, and an undo later brings widgets and settings back in place.
    let record: ThemeState = lab.ok(Action::ReadTheme {
        stylesheet: Some("press-two".into()),
    });
    let done = bridge::switch_theme(lab.place(), "press-two", &patient()).unwrap();
    assert!(done.ok, "{done:?}");
    assert_eq!(
        lab.site
            .php("echo wp_get_theme()->get_stylesheet();")
            .unwrap(),
        "press-two"
    );
    assert!(!lab.option("sidebars_widgets").contains("press-one-side"));
    lab.ok::<ThemeChanged>(Action::RestoreTheme { record });
    assert_eq!(rows(lab), before);
    assert_eq!(
        lab.site
            .php("echo get_theme_mod('colour'), wp_get_sidebars_widgets()['press-one-side'][0];")
            .unwrap(),
        "redsearch-2"
    );
    assert_eq!(
        lab.refused(Action::SwitchTheme {
            stylesheet: "absent".into()
        }),
        "theme_not_found"
    );
}

#[test]
fn a_fatal_theme_is_named_and_can_be_left_out() {
    let lab = Lab::new(Wordpress::V6_5);
    put_theme(&lab, "bad", "add_action('init', function () { exit; }, 7);");
    lab.sql("UPDATE wp_options SET option_value = 'bad' WHERE option_name IN ('template', 'stylesheet')");
    let report = lab.run(&[Action::SiteInfo]);
    let blame = report.blame.expect("a name");
    assert_eq!(
        (blame.kind, blame.slug.as_str()),
        (BlamedKind::Theme, "bad")
    );
    let options = BridgeOptions {
        skip_themes: true,
        ..BridgeOptions::default()
    };
    let report = lab.run_with(&[Action::ReadTheme { stylesheet: None }], &options);
    let state: ThemeState = crate::lab::read(&report.outcomes[0]);
    assert_eq!(state.stylesheet, "bad");
    assert_eq!(lab.option("theme_switched"), "");
}
