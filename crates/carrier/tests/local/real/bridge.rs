//! Actions inside WordPress: batches, and the ways to start it.

use super::lab::{EPOCH, PHP, Real, names, read};
use pressroom_agent::protocol::RefusalCode;
use pressroom_wordpress::bridge::{
    Action, BridgeOptions, UserRef,
    outcomes::{OptionTold, SiteInfo, User},
};
use std::time::{Duration, Instant};

fn option(name: &str) -> Action {
    Action::GetOption {
        name: name.into(),
        network: false,
    }
}

fn activate(plugin: &str) -> Action {
    Action::ActivatePlugins {
        plugins: names(&[plugin]),
        network_wide: false,
        silent: false,
    }
}

/// Many actions in one start; behind one in which PHP dies, all in as many as it takes.
pub async fn batches(real: &Real) {
    let get_user = Action::GetUser {
        user: UserRef::Login("admin".into()),
    };
    let reading = vec![option("blogname"), Action::SiteInfo, get_user];
    let report = real
        .session
        .bridge(None, real.root(), PHP, reading)
        .await
        .unwrap();
    assert!(report.is_ok(), "{report:?}");
    let blogname: OptionTold = read(&report.outcomes[0]);
    assert_eq!(blogname.value, real.option("blogname"));
    let info: SiteInfo = read(&report.outcomes[1]);
    assert_eq!(info.multisite, real.is_network());
    let admin: User = read(&report.outcomes[2]);
    assert_eq!(admin.email, "admin@example.test");

    real.site
        .plugin(
            "dies",
            "1.0",
            "register_activation_hook(__FILE__, function () { exit; });",
        )
        .unwrap();
    real.site.plugin("lives", "1.0", "").unwrap();
    let stored = real.active();
    let actions = vec![activate("dies"), activate("lives"), option("blogname")];
    let report = real
        .session
        .bridge(Some(EPOCH), real.root(), PHP, actions.clone())
        .await
        .unwrap();
    assert!(report.fatal.is_some() && report.undone == Some(true));
    assert_eq!(report.blamed.as_deref(), Some("dies"));
    assert_eq!(report.outcomes.len(), 1, "one start goes no further");
    assert_eq!(real.active(), stored);
    let report = real
        .session
        .bridge_each(Some(EPOCH), real.boot(), actions)
        .await
        .unwrap();
    let ok: Vec<bool> = report.outcomes.iter().map(|outcome| outcome.ok).collect();
    assert_eq!((ok, report.fatal), (vec![false, true, true], None));
    assert!(real.active().0.contains("lives/lives.php"));
    let off = Action::DeactivatePlugins {
        plugins: names(&["lives", "absent"]),
        network_wide: false,
        silent: false,
    };
    let report = real
        .session
        .bridge(Some(EPOCH), real.root(), PHP, vec![off])
        .await
        .unwrap();
    assert_eq!(
        report.outcomes[0].code.as_deref(),
        Some("plugin_not_found"),
        "an unknown plugin is told as one"
    );
    assert_eq!(real.active(), stored);

    let unfenced = real
        .session
        .bridge(None, real.root(), PHP, vec![activate("lives")])
        .await
        .unwrap_err();
    assert_eq!(unfenced.code(), Some(RefusalCode::BadInput));
    assert!(unfenced.to_string().contains("activate_plugins"));
    assert_eq!(real.active(), stored);
}

/// With plugins left out, as a user, for a limited time.
pub async fn options(real: &Real) {
    let wide = real.is_network();
    real.site
        .write(
            "wp-content/mu-plugins/who.php",
            "<?php add_filter('option_blogname', function () { return wp_get_current_user()->user_login . '!'; });",
        )
        .unwrap();
    real.site
        .plugin("sleeps", "1.0", "while (true) { sleep(1); }")
        .unwrap();
    let stored = real.active();
    let sleeping = if wide {
        "UPDATE wp_sitemeta SET meta_value = 'a:1:{s:17:\"sleeps/sleeps.php\";i:1;}' WHERE meta_key = 'active_sitewide_plugins'"
    } else {
        "UPDATE wp_options SET option_value = 'a:1:{i:0;s:17:\"sleeps/sleeps.php\";}' WHERE option_name = 'active_plugins'"
    };
    real.sql(sleeping);
    let limited = BridgeOptions {
        time_limit_s: Some(2),
        ..BridgeOptions::default()
    };
    let begun = Instant::now();
    let report = real
        .session
        .bridge_with(None, real.boot_with(limited), vec![option("blogname")])
        .await
        .unwrap();
    assert!(begun.elapsed() < Duration::from_secs(30));
    let fatal = report.fatal.expect("it was ended");
    assert!(fatal.contains("within 2 s"), "{fatal}");
    assert_eq!(report.outcomes.len(), 0);

    let as_admin = BridgeOptions {
        skip_plugins: Some(names(&["sleeps"])),
        user: Some("admin".into()),
        ..BridgeOptions::default()
    };
    let report = real
        .session
        .bridge_with(None, real.boot_with(as_admin), vec![option("blogname")])
        .await
        .unwrap();
    let told: OptionTold = read(&report.outcomes[0]);
    assert_eq!(told.value, "admin!");
    let bare = real.boot_with(BridgeOptions::bare());
    let report = real
        .session
        .bridge_with(None, bare, vec![option("blogname")])
        .await
        .unwrap();
    let told: OptionTold = read(&report.outcomes[0]);
    assert_eq!(told.value, real.option("blogname"));
    let (blog, network) = stored;
    real.sql(&format!(
        "UPDATE wp_options SET option_value = '{blog}' WHERE option_name = 'active_plugins'"
    ));
    if wide {
        real.sql(&format!(
            "UPDATE wp_sitemeta SET meta_value = '{network}' WHERE meta_key = 'active_sitewide_plugins'"
        ));
    }
    real.site
        .write("wp-content/mu-plugins/who.php", "<?php")
        .unwrap();
}

/// Started as another blog of the network, or taken there.
pub async fn another_blog(real: &Real) {
    let second = BridgeOptions {
        blog: Some(2),
        ..BridgeOptions::default()
    };
    let started = real
        .session
        .bridge_with(None, real.boot_with(second), vec![option("blogname")])
        .await
        .unwrap();
    let taken = Action::At {
        blog: 2,
        inner: Box::new(option("blogname")),
    };
    let taken = real
        .session
        .bridge(None, real.root(), PHP, vec![taken])
        .await
        .unwrap();
    for report in [started, taken] {
        let told: OptionTold = read(&report.outcomes[0]);
        assert_eq!(told.value, "Second");
    }
    let nobody = BridgeOptions {
        blog: Some(99),
        ..BridgeOptions::default()
    };
    let report = real
        .session
        .bridge_with(None, real.boot_with(nobody), vec![Action::SiteInfo])
        .await
        .unwrap();
    assert!(!report.is_ok(), "{report:?}");
}
