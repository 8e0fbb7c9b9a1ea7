//! Activation, its undo, uninstallation.

use crate::lab::{Lab, patient, read};
use pressroom_lab::Wordpress;
use pressroom_wordpress::bridge::{
    self, Action, BlamedKind, BridgeOptions, PluginState, outcomes::*,
};

fn names(plugins: &[&str]) -> Vec<String> {
    plugins.iter().map(|name| (*name).to_owned()).collect()
}

fn activate(plugins: &[&str], network_wide: bool) -> Action {
    Action::ActivatePlugins {
        plugins: names(plugins),
        network_wide,
        silent: false,
    }
}

pub fn activation(lab: &Lab) {
    let wide = lab.is_network();
    lab.site
        .plugin(
            "good",
            "1.0",
            "register_activation_hook(__FILE__, function ($network) {
                 if (!current_user_can('activate_plugins')) { return; }
                 update_option('good_made', is_admin() && $network === GOOD_WIDE ? 'rightly' : 'oddly');
             });
             register_deactivation_hook(__FILE__, function () { update_option('good_made', 'gone'); });",
        )
        .unwrap();
    lab.site
        .write(
            "wp-content/mu-plugins/wide.php",
            format!("<?php const GOOD_WIDE = {wide};"),
        )
        .unwrap();
    lab.site
        .plugin("throws", "1.0", "register_activation_hook(__FILE__, function () { throw new LogicException('needs a shop'); });")
        .unwrap();
    lab.site
        .plugin(
            "gives-up",
            "1.0",
            "register_activation_hook(__FILE__, function () { wp_die('needs another plugin'); });",
        )
        .unwrap();
    lab.site
        .plugin(
            "chatty",
            "1.0",
            "register_activation_hook(__FILE__, function () { echo 'hello'; });",
        )
        .unwrap();
    lab.site.plugin("future", "1.0", "").unwrap();
    lab.site
        .write(
            "wp-content/plugins/future/future.php",
            "<?php\n/* Plugin Name: Future\nRequires PHP: 99.0 */",
        )
        .unwrap();
    let before: PluginState = lab.ok(Action::ReadActivePlugins);
    let stored = (lab.option("active_plugins"), sitewide(lab));

    let outcome = lab.one(activate(
        &[
            "good",
            "throws/throws.php",
            "gives-up",
            "chatty",
            "future",
            "absent",
        ],
        wide,
    ));
    assert!(!outcome.ok);
    let data: PluginsChanged = outcome.read().expect("its shape");
    let told: Vec<_> = data.plugins.iter().map(|one| one.code.as_deref()).collect();
    assert_eq!(
        told,
        [
            None,
            Some("exception"),
            Some("died"),
            None,
            Some("plugin_php_incompatible"),
            Some("plugin_not_found")
        ],
        "{data:?}"
    );
    assert_eq!(
        data.plugins[3].warning.as_deref(),
        Some("unexpected_output")
    );
    assert_eq!(data.plugins[1].blame.as_ref().unwrap().slug, "throws");
    assert_eq!(outcome.code.as_deref(), Some("exception"));
    let active = lab
        .site
        .php("echo implode(' ', array_filter(array('good/good.php', 'throws/throws.php', 'gives-up/gives-up.php', 'chatty/chatty.php'), 'is_plugin_active'));")
        .unwrap();
    assert_eq!(active, "good/good.php chatty/chatty.php");
    assert_eq!(lab.option("good_made"), "rightly");

    let off: PluginsChanged = lab.ok(Action::DeactivatePlugins {
        plugins: names(&["good"]),
        network_wide: wide,
        silent: false,
    });
    assert!(off.plugins[0].changed);
    assert_eq!(lab.option("good_made"), "gone");

    // Exactly as before, whatever happened in between.
    lab.ok::<PluginsSet>(Action::RestoreActivePlugins { record: before });
    assert_eq!((lab.option("active_plugins"), sitewide(lab)), stored);

    // A list is stored as it is and runs nothing.
    lab.ok::<PluginsSet>(Action::SetActivePlugins {
        plugins: names(&["good/good.php"]),
        network_wide: wide,
    });
    let active = lab
        .site
        .php("echo is_plugin_active('good/good.php') ? 'on' : 'off';")
        .unwrap();
    assert_eq!(
        (active.as_str(), lab.option("good_made").as_str()),
        ("on", "gone")
    );
    lab.ok::<PluginsSet>(Action::SetActivePlugins {
        plugins: vec![],
        network_wide: wide,
    });
    std::fs::remove_file(lab.site.path().join("wp-content/mu-plugins/wide.php")).unwrap();
    if !wide {
        assert_eq!(lab.refused(activate(&["good"], true)), "not_a_network");
    }
}

fn sitewide(lab: &Lab) -> String {
    if lab.is_network() {
        lab.sql("SELECT meta_value FROM wp_sitemeta WHERE meta_key = 'active_sitewide_plugins'")
    } else {
        String::new()
    }
}

pub fn uninstallation(lab: &Lab) {
    for slug in ["by-file", "other-file"] {
        lab.site.plugin(slug, "1.0", "").unwrap();
        lab.site
            .write(
                &format!("wp-content/plugins/{slug}/uninstall.php"),
                "<?php if (!defined('WP_UNINSTALL_PLUGIN')) { exit; } delete_option('left_' . dirname(WP_UNINSTALL_PLUGIN));",
            )
            .unwrap();
    }
    lab.site
        .plugin("by-hook", "1.0", "function by_hook_gone() { delete_option('left_by-hook'); } register_uninstall_hook(__FILE__, 'by_hook_gone');")
        .unwrap();
    lab.site
        .php("foreach (array('by-file', 'other-file', 'by-hook') as $slug) { update_option('left_' . $slug, 'data'); } activate_plugin('by-hook/by-hook.php');")
        .unwrap();
    let uninstall = |plugin: &str| Action::UninstallPlugin {
        plugin: plugin.into(),
    };
    assert_eq!(lab.refused(uninstall("by-hook")), "plugin_active");
    assert_eq!(lab.option("left_by-hook"), "data");
    lab.site
        .php("deactivate_plugins('by-hook/by-hook.php');")
        .unwrap();
    let actions = [
        uninstall("by-file"),
        uninstall("by-hook"),
        uninstall("other-file"),
        uninstall("good"),
    ];
    let report = bridge::run_each(lab.place(), &actions, &patient()).unwrap();
    let ran: Vec<String> = report
        .outcomes
        .iter()
        .map(|outcome| read::<PluginUninstalled>(outcome).ran)
        .collect();
    assert_eq!(ran, ["file", "hook", "file", "nothing"]);
    assert_eq!(
        lab.sql("SELECT COUNT(*) FROM wp_options WHERE option_name LIKE 'left\\_%'"),
        "0"
    );
    assert!(
        lab.site
            .path()
            .join("wp-content/plugins/by-file/uninstall.php")
            .exists()
    );
}

#[test]
fn a_plugin_that_is_fatal_on_activation_is_named_and_not_active() {
    for (wordpress, code, evidence_in_text) in [
        (
            Wordpress::V6_1,
            "register_activation_hook(__FILE__, function () { update_option('active_plugins', array('odd.php')); exit(0); });",
            "ended before",
        ),
        (
            Wordpress::V6_5,
            "register_activation_hook(__FILE__, function () { ini_set('memory_limit', '64M'); $a = ''; while (true) { $a .= str_repeat('x', 8000000); } });",
            "memory",
        ),
    ] {
        let lab = Lab::new(wordpress);
        lab.site.plugin("fine", "1.0", "").unwrap();
        lab.site.plugin("later", "1.0", "").unwrap();
        lab.site.plugin("fatal", "1.0", code).unwrap();
        // A list that WordPress itself would write in another way.
        lab.sql("UPDATE wp_options SET option_value = 'a:1:{i:5;s:9:\"hello.php\";}' WHERE option_name = 'active_plugins'");
        let stored = lab.option("active_plugins");
        let actions = [
            activate(&["fatal"], false),
            activate(&["later"], false),
            Action::SiteInfo,
        ];
        let report = lab.run(&actions);
        assert!(
            report.fatal.as_ref().unwrap().contains(evidence_in_text),
            "{report:?}"
        );
        let blame = report.blame.clone().expect("a name");
        assert_eq!(
            (blame.kind, blame.slug.as_str()),
            (BlamedKind::Plugin, "fatal")
        );
        assert_eq!(report.undone, Some(true));
        assert_eq!(report.outcomes.len(), 1);
        assert_eq!(report.remaining(&actions).len(), 2);
        let data: PluginsChanged = report.outcomes[0].read().expect("what was done so far");
        assert_eq!(data.plugins[0].code.as_deref(), Some("fatal"));
        assert_eq!(lab.option("active_plugins"), stored);

        // One bad of three: the others are active.
        let report = bridge::run_each(
            lab.place(),
            &["fine", "fatal", "later"].map(|one| activate(&[one], false)),
            &patient(),
        )
        .unwrap();
        let ok: Vec<bool> = report.outcomes.iter().map(|outcome| outcome.ok).collect();
        assert_eq!((ok, report.fatal), (vec![true, false, true], None));
        let active = lab
            .site
            .php("echo implode(' ', get_option('active_plugins'));")
            .unwrap();
        assert_eq!(active, "fine/fine.php hello.php later/later.php");
    }
}

#[test]
fn a_plugin_that_breaks_the_next_start_is_taken_back() {
    let lab = Lab::new(Wordpress::V6_5);
    lab.site.plugin("fine", "1.0", "").unwrap();
    // Survives its activation, and being loaded by WordPress' sandbox.
    lab.site
        .plugin("later", "1.0", "if (!defined('WP_SANDBOX_SCRAPING') && get_option('later_on')) { add_action('init', function () { later_missing(); }); } register_activation_hook(__FILE__, function () { update_option('later_on', 1); });")
        .unwrap();
    lab.site
        .plugin("admin-only", "1.0", "if (get_option('admin_on')) { add_action('init', function () { if (is_admin()) { exit; } }, 3); } register_activation_hook(__FILE__, function () { update_option('admin_on', 1); });")
        .unwrap();
    lab.site.php("activate_plugin('fine/fine.php');").unwrap();
    let stored = lab.option("active_plugins");
    for bad in ["later", "admin-only"] {
        let done = bridge::activate(lab.place(), &names(&[bad]), false, &patient()).unwrap();
        assert!(!done.ok && done.plugins[0].ok, "{done:?}");
        assert_eq!(done.blame.as_ref().expect("a name").slug, bad);
        assert_eq!(done.undone, Some(true));
        assert_eq!(lab.option("active_plugins"), stored);
    }
    assert!(lab.run(&[]).fatal.is_none());
    let done = bridge::activate(lab.place(), &names(&["hello.php"]), false, &patient()).unwrap();
    assert!(done.ok && done.undone.is_none(), "{done:?}");
}

#[test]
fn a_site_whose_every_request_is_fatal_can_be_worked_with() {
    let lab = Lab::new(Wordpress::V6_1);
    for slug in ["one", "two", "bad"] {
        let code = if slug == "bad" {
            "nothing_like_it();"
        } else {
            "update_option('active_plugins', get_option('active_plugins'));"
        };
        lab.site.plugin(slug, "1.0", code).unwrap();
    }
    lab.sql("UPDATE wp_options SET option_value = 'a:3:{i:0;s:11:\"one/one.php\";i:1;s:11:\"bad/bad.php\";i:2;s:11:\"two/two.php\";}' WHERE option_name = 'active_plugins'");
    let stored = lab.option("active_plugins");
    assert_eq!(lab.run(&[Action::SiteInfo]).blamed.as_deref(), Some("bad"));
    for skip in [vec![], names(&["bad"]), names(&["bad/bad.php"])] {
        let options = BridgeOptions {
            skip_plugins: Some(skip),
            ..BridgeOptions::default()
        };
        let report = lab.run_with(&[Action::ReadActivePlugins], &options);
        let state: PluginState = read(&report.outcomes[0]);
        assert_eq!(state.active.len(), 3, "leaving out is not deactivating");
        assert_eq!(lab.option("active_plugins"), stored);
    }
    let report = lab.run_with(
        &[Action::DeactivatePlugins {
            plugins: names(&["bad"]),
            network_wide: false,
            silent: true,
        }],
        &BridgeOptions::bare(),
    );
    assert!(report.is_ok(), "{report:?}");
    assert_eq!(
        lab.site
            .php("echo implode(' ', get_option('active_plugins'));")
            .unwrap(),
        "one/one.php two/two.php"
    );
}
