//! Acts that take several starts of WordPress, and undo themselves.

use super::lab::{EPOCH, Real, names};
use pressroom_wordpress::bridge::{Action, BlamedKind, BridgeOptions};

/// Activated, refused, and taken back where the site does not survive it.
pub async fn activation(real: &Real) {
    let wide = real.is_network();
    real.site.plugin("good", "1.0", "").unwrap();
    real.site
        .plugin(
            "bad",
            "1.0",
            "if (!defined('WP_SANDBOX_SCRAPING') && get_option('bad_on')) { add_action('init', function () { bad_missing(); }); } register_activation_hook(__FILE__, function () { update_option('bad_on', 1); });",
        )
        .unwrap();
    let activate = |plugins: &[&str]| {
        real.session
            .activate_plugins(EPOCH, real.boot(), names(plugins), wide)
    };
    let stored = real.active();
    for (unknown, code) in [
        ("absent", "plugin_not_found"),
        ("../../../escape.php", "plugin_invalid"),
    ] {
        let told = activate(&[unknown]).await.unwrap();
        assert!(!told.ok && told.undone.is_none(), "{told:?}");
        assert_eq!(told.plugins[0].code.as_deref(), Some(code));
        assert!(told.error.is_some());
        assert_eq!(real.active(), stored);
    }
    let told = activate(&["bad"]).await.unwrap();
    assert!(!told.ok, "{told:?}");
    assert!(told.error.expect("an error").contains("bad_missing"));
    let blame = told.blame.expect("a name");
    assert_eq!(
        (blame.kind, blame.slug.as_str()),
        (BlamedKind::Plugin, "bad")
    );
    assert_eq!(told.undone, Some(true));
    assert_eq!(real.active(), stored);

    let told = activate(&["good"]).await.unwrap();
    assert!(told.ok && told.undone.is_none(), "{told:?}");
    let now = real.active();
    let list = if wide { &now.1 } else { &now.0 };
    assert!(list.contains("good/good.php"), "{list}");
    let restore = Action::RestoreActivePlugins {
        record: told.before,
    };
    let report = real
        .session
        .bridge_with(
            Some(EPOCH),
            real.boot_with(BridgeOptions::bare()),
            vec![restore],
        )
        .await
        .unwrap();
    assert!(report.is_ok(), "{report:?}");
    assert_eq!(real.active(), stored);
}

/// A plugin that never comes to an end leaves time for its own undo.
pub async fn a_plugin_that_hangs(real: &Real) {
    real.site
        .plugin(
            "hangs",
            "1.0",
            "if (get_option('hangs_on')) { while (true) { sleep(1); } } register_activation_hook(__FILE__, function () { update_option('hangs_on', 1); });",
        )
        .unwrap();
    let stored = real.active();
    let boot = real.boot_with(BridgeOptions {
        time_limit_s: Some(5),
        ..BridgeOptions::default()
    });
    let told = real
        .session
        .activate_plugins(EPOCH, boot, names(&["hangs"]), false)
        .await
        .unwrap();
    assert!(!told.ok, "{told:?}");
    assert!(told.error.expect("an error").contains("within 5 s"));
    assert_eq!(told.undone, Some(true));
    assert_eq!(real.active(), stored);
}

/// The same for themes.
pub async fn theme(real: &Real) {
    for (name, code) in [("calm", ""), ("wild", "wild_missing();")] {
        let dir = format!("wp-content/themes/{name}");
        let style = format!("/* Theme Name: {name} */");
        real.site.write(&format!("{dir}/style.css"), style).unwrap();
        real.site
            .write(&format!("{dir}/index.php"), "<?php echo 'page';")
            .unwrap();
        real.site
            .write(&format!("{dir}/functions.php"), format!("<?php {code}"))
            .unwrap();
    }
    if real.is_network() {
        let allow = Action::EnableThemes {
            themes: names(&["calm", "wild"]),
            enabled: true,
        };
        let report = real
            .session
            .bridge_with(Some(EPOCH), real.boot(), vec![allow])
            .await
            .unwrap();
        assert!(report.is_ok(), "{report:?}");
    }
    let switch = |name| real.session.switch_theme(EPOCH, real.boot(), name);
    let before = real.option("stylesheet");
    for absent in ["absent", "../plugins/good"] {
        let told = switch(absent).await.unwrap();
        assert!(!told.ok && told.code.is_some(), "{told:?}");
        assert_eq!(real.option("stylesheet"), before);
    }
    let told = switch("wild").await.unwrap();
    assert!(!told.ok, "{told:?}");
    let blame = told.blame.expect("a name");
    assert_eq!(
        (blame.kind, blame.slug.as_str()),
        (BlamedKind::Theme, "wild")
    );
    assert_eq!(told.undone, Some(true));
    assert_eq!(real.option("stylesheet"), before);
    let told = switch("calm").await.unwrap();
    assert!(told.ok, "{told:?}");
    assert_eq!(real.option("stylesheet"), "calm");
    assert_eq!(told.before.stylesheet, before);
}

/// The tables of every blog, as the code wants them.
pub async fn upgrade(real: &Real) {
    let wanted = real.option("db_version");
    let tables = if real.is_network() {
        vec!["wp_options", "wp_2_options"]
    } else {
        vec!["wp_options"]
    };
    for table in &tables {
        real.sql(&format!(
            "UPDATE {table} SET option_value = 51917 WHERE option_name = 'db_version'"
        ));
    }
    let told = real
        .session
        .upgrade_databases(EPOCH, real.boot(), real.is_network(), 1)
        .await
        .unwrap();
    assert_eq!(told.target.to_string(), wanted);
    assert_eq!(told.blogs.len(), tables.len(), "{told:?}");
    for table in &tables {
        let version = real.sql(&format!(
            "SELECT option_value FROM {table} WHERE option_name = 'db_version'"
        ));
        assert_eq!(version, wanted, "{table}");
    }
}

/// All that is due, those behind a fatal one too.
pub async fn cron(real: &Real) {
    real.site
        .write(
            "wp-content/mu-plugins/events.php",
            "<?php add_action('press_dies', function () { press_missing(); });
             add_action('press_good', function () { update_option('press_ran', 'yes'); });",
        )
        .unwrap();
    let at = |hook: &str, at: i64| Action::ScheduleCron {
        hook: hook.into(),
        at: Some(at),
        schedule: None,
        args: Vec::new(),
    };
    let report = real
        .session
        .bridge_with(
            Some(EPOCH),
            real.boot(),
            vec![at("press_dies", 100), at("press_good", 200)],
        )
        .await
        .unwrap();
    assert!(report.is_ok(), "{report:?}");
    let told = real.session.run_cron(EPOCH, real.boot(), 0).await.unwrap();
    let ok = |hook: &str| {
        let ran = told.ran.iter().find(|event| event.hook == hook);
        ran.map(|event| event.ok)
    };
    assert_eq!(ok("press_dies"), Some(false), "{told:?}");
    assert_eq!(ok("press_good"), Some(true), "{told:?}");
    assert_eq!(real.option("press_ran"), "yes");
}
