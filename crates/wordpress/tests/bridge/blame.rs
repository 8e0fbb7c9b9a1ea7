//! Whoever ends a run is named, however it was done.

use crate::lab::{Lab, patient};
use pressroom_lab::{Multisite, Wordpress};
use pressroom_wordpress::bridge::{Action, BlamedKind, Evidence, Report};
use std::{fmt::Write, fs};

fn named(report: &Report) -> (BlamedKind, &str, Evidence) {
    let blame = report
        .blame
        .as_ref()
        .unwrap_or_else(|| panic!("nobody was named: {report:?}"));
    (blame.kind, blame.slug.as_str(), blame.evidence)
}

#[test]
fn every_way_to_end_a_start_names_its_component() {
    for wordpress in [Wordpress::V6_1, Wordpress::V6_5] {
        let lab = Lab::new(wordpress);
        for slug in ["aaa", "zzz"] {
            lab.site
                .plugin(slug, "1.0", "add_action('init', function () {}, 20);")
                .unwrap();
        }
        let plugin = (BlamedKind::Plugin, "bad");
        for (code, evidence) in [
            ("bad_missing();", Evidence::Error),
            ("this is no PHP", Evidence::Error),
            ("function wp_insert_post() {}", Evidence::Error),
            ("exit;", Evidence::Loading),
            ("die('bye');", Evidence::Loading),
            ("wp_redirect('/elsewhere'); exit;", Evidence::Error),
            ("wp_die('no');", Evidence::Error),
            // Inside WordPress, called from the plugin.
            (
                "add_action('init', function () { new WP_Query(new stdClass); WP_Theme::sort_by_name(1, 2); array_map('strlen', 5); });",
                Evidence::Error,
            ),
            (
                "add_action('wp_loaded', function () { exit; });",
                Evidence::Hook,
            ),
            (
                "add_action('init', array('Bad_Boot', 'go'), 33); class Bad_Boot { static function go() { die(); } }",
                Evidence::Hook,
            ),
        ] {
            // The older version differs in how it loads, not in how PHP ends.
            if wordpress == Wordpress::V6_1 && evidence == Evidence::Error {
                continue;
            }
            lab.site.plugin("bad", "1.0", code).unwrap();
            lab.site
                .php_list(&["aaa/aaa.php", "bad/bad.php", "zzz/zzz.php"], &lab);
            let report = lab.run(&[Action::SiteInfo]);
            assert!(report.fatal.is_some(), "{code}");
            assert_eq!(
                named(&report),
                (plugin.0, plugin.1, evidence),
                "{code}: {report:?}"
            );
            assert_eq!(report.outcomes, []);
            if evidence == Evidence::Error && code.starts_with("bad") {
                assert_eq!(report.blame.unwrap().line, Some(6));
            }
        }
        lab.site.php_list(&[], &lab);

        lab.site
            .write("wp-content/mu-plugins/must.php", "<?php exit(3);")
            .unwrap();
        assert_eq!(
            named(&lab.run(&[])),
            (BlamedKind::MuPlugin, "must", Evidence::Loading)
        );
        fs::remove_file(lab.site.path().join("wp-content/mu-plugins/must.php")).unwrap();

        for (code, evidence) in [
            ("<?php exit;", Evidence::Loading),
            ("<?php cache_missing();", Evidence::Error),
        ] {
            lab.site.write("wp-content/object-cache.php", code).unwrap();
            assert_eq!(
                named(&lab.run(&[])),
                (BlamedKind::DropIn, "object-cache.php", evidence)
            );
        }
        fs::remove_file(lab.site.path().join("wp-content/object-cache.php")).unwrap();
        let report = lab.run(&[]);
        assert!(report.is_ok(), "{report:?}");
    }
}

#[test]
fn what_was_done_before_a_kill_is_known() {
    let lab = Lab::new(Wordpress::V6_5);
    lab.site
        .plugin(
            "killer",
            "1.0",
            "register_activation_hook(__FILE__, function () { posix_kill(getmypid(), 9); });",
        )
        .unwrap();
    let actions = [
        Action::SiteInfo,
        Action::ActivatePlugins {
            plugins: vec!["killer".into()],
            network_wide: false,
            silent: false,
        },
        Action::ListCron,
    ];
    let report = lab.run(&actions);
    assert!(
        report.fatal.as_ref().unwrap().contains("signal 9"),
        "{report:?}"
    );
    assert_eq!(report.outcomes.len(), 2);
    assert!(report.outcomes[0].ok);
    assert_eq!(report.outcomes[1].code.as_deref(), Some("fatal"));
    assert_eq!(report.remaining(&actions).len(), 1);
    // Nobody was left to put it back: the whole act does that in a start of its own.
    let done =
        pressroom_wordpress::bridge::activate(lab.place(), &["killer".into()], false, &patient())
            .unwrap();
    assert_eq!((done.ok, done.undone), (false, Some(true)));
}

#[test]
fn maintenance_page_cache_and_missing_blogs_do_not_puzzle() {
    let lab = Lab::network(Wordpress::V6_5, Multisite::Subdirectories);
    lab.site
        .write(".maintenance", format!("<?php $upgrading = {};", u32::MAX))
        .unwrap();
    lab.site
        .write(
            "wp-content/advanced-cache.php",
            "<?php echo 'cached page'; exit;",
        )
        .unwrap();
    let config = lab.site.path().join("wp-config.php");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(
        &config,
        text.replacen("<?php", "<?php define('WP_CACHE', true);", 1),
    )
    .unwrap();
    let report = lab.run(&[Action::SiteInfo]);
    assert!(report.is_ok(), "{report:?}");
    let mut options = lab.options.clone();
    options.url = Some("http://other.test/nowhere".into());
    let report = lab.run_with(&[], &options);
    let said = report.fatal.expect("no such blog");
    assert!(said.contains("other.test"), "{said}");

    let empty = Lab::new(Wordpress::V6_5);
    empty.sql("DROP TABLE wp_options");
    let said = empty.run(&[]).fatal.expect("nothing there");
    assert!(
        said.contains("not installed") || said.contains("database"),
        "{said}"
    );
}

trait ActiveList {
    fn php_list(&self, plugins: &[&str], lab: &Lab);
}

impl ActiveList for pressroom_lab::Site {
    /// Sets the active plugins without starting WordPress.
    fn php_list(&self, plugins: &[&str], lab: &Lab) {
        let mut items = String::new();
        for (at, name) in plugins.iter().enumerate() {
            write!(items, "i:{at};s:{}:\"{name}\";", name.len()).unwrap();
        }
        lab.sql(&format!(
            "UPDATE wp_options SET option_value = 'a:{}:{{{items}}}' WHERE option_name = 'active_plugins'",
            plugins.len()
        ));
    }
}
