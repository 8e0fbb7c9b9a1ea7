//! Options, caches, events, permalinks, upgrades.

use crate::lab::{Lab, read};
use pressroom_wordpress::bridge::{Action, UpgradedKind, outcomes::*, run_cron, upgrade_databases};
use serde_json::{Value, json};

fn get(name: &str) -> Action {
    Action::GetOption {
        name: name.into(),
        network: false,
    }
}

fn set(name: &str, value: Value) -> Action {
    Action::SetOption {
        name: name.into(),
        value,
        autoload: None,
        network: false,
        force: false,
    }
}

pub fn info(lab: &Lab) {
    lab.ok::<OptionChanged>(set("timezone_string", json!("Asia/Kolkata")));
    let info: SiteInfo = lab.ok(Action::SiteInfo);
    assert_eq!(info.home, "http://example.test");
    assert_eq!(info.timezone, "Asia/Kolkata");
    assert_eq!(info.utc_offset_s, 19_800);
    assert_eq!(info.users, 1);
    assert_eq!(info.multisite, lab.is_network());
    assert_eq!(info.blogs, if lab.is_network() { 2 } else { 1 });
    assert_eq!(info.locale, "en_US");
    assert_eq!(info.db_version_stored, Some(info.db_version_code));
    assert!(info.extensions.contains(&"mysqli".to_owned()));
    assert!(info.cron_disabled, "the lab's configuration says so");
    assert!(info.wordpress.starts_with("6."));
}

pub fn constants_and_addresses(lab: &Lab) {
    let names = ["DB_NAME", "ABSPATH", "NO_SUCH_CONSTANT"].map(str::to_owned);
    let seen: Constants = lab.ok(Action::ReadConstants {
        names: names.to_vec(),
    });
    assert!(seen.constants["DB_NAME"].is_string());
    assert!(!seen.constants.contains_key("NO_SUCH_CONSTANT"));
    let taken = |path: &str| {
        let found: PathUse = lab.ok(Action::FindPath { path: path.into() });
        found.taken_by
    };
    assert_eq!(taken("side-door"), None);
    let id = lab
        .site
        .php("echo wp_insert_post(['post_type' => 'page', 'post_title' => 'D', 'post_name' => 'side-door', 'post_status' => 'draft']);")
        .unwrap();
    assert_eq!(taken("side-door"), Some(format!("page {id}")));
    lab.site
        .php(&format!("wp_delete_post({id}, true);"))
        .unwrap();
    assert_eq!(taken("side-door"), None);
}

pub fn options(lab: &Lab) {
    // What the table has, whatever passed on the way there.
    let odd = json!({"a": [1, 2.5, null, true, "ü'\"\\"], "0": "x"});
    let changed: OptionChanged = lab.ok(set("press_odd", odd.clone()));
    assert!(!changed.before.exists);
    assert_eq!(
        lab.site.php("echo json_encode(get_option('press_odd'), JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION);").unwrap(),
        serde_json::to_string(&odd).unwrap()
    );
    let told: OptionTold = lab.ok(get("press_odd"));
    assert!(told.row.serialized && !told.differs);
    assert_eq!(told.row.stored, odd);

    // A plugin's filter shows in one of the two values only.
    lab.site
        .write(
            "wp-content/mu-plugins/filter.php",
            "<?php add_filter('option_press_seen', function () { return 'filtered'; });",
        )
        .unwrap();
    lab.site
        .php("update_option('press_seen', 'stored', false);")
        .unwrap();
    let told: OptionTold = lab.ok(get("press_seen"));
    assert_eq!(told.row.stored, "stored");
    assert_eq!(told.value, "filtered");
    assert!(told.differs);
    assert_eq!(told.row.autoload.as_deref(), Some("no"));
    std::fs::remove_file(lab.site.path().join("wp-content/mu-plugins/filter.php")).unwrap();

    // Autoload changes alone too.
    lab.ok::<OptionChanged>(Action::SetOption {
        name: "press_seen".into(),
        value: json!("stored"),
        autoload: Some(true),
        network: false,
        force: false,
    });
    assert_eq!(
        lab.sql("SELECT autoload FROM wp_options WHERE option_name = 'press_seen'"),
        "yes"
    );

    // Objects are neither lost nor run.
    lab.site
        .php("update_option('press_object', array('o' => new ArrayObject(array(1)), 'd' => new DateTime('2024-01-02')));")
        .unwrap();
    let before = lab.option("press_object");
    assert_eq!(lab.refused(set("press_object", json!(1))), "holds_objects");
    assert_eq!(lab.option("press_object"), before);
    let told: OptionTold = lab.ok(get("press_object"));
    assert_eq!(told.row.stored["d"]["__class"], "DateTime");

    // What begins as a PHP value and is none is told, whatever its end looks like; text, valid
    // values and `false` are not.
    for (name, value) in [
        ("press_cut", r#"a:2:{s:1:"a";s:3:"b"#),
        ("press_length", r#"a:1:{s:5:"a";i:1;}"#),
        ("press_text", "a: an ordinary text"),
        ("press_false", "b:0;"),
        ("press_whole", r#"a:1:{s:1:"a";i:1;}"#),
    ] {
        lab.sql(&format!(
            "INSERT INTO wp_options (option_name, option_value, autoload) VALUES ('{name}', '{value}', 'no')"
        ));
    }
    let broken: BrokenOptions = lab.ok(Action::FindBrokenOptions);
    assert_eq!(broken.names, ["press_cut", "press_length"]);
    lab.sql("DELETE FROM wp_options WHERE option_name IN ('press_cut', 'press_length', 'press_text', 'press_false', 'press_whole')");

    let add = |value| Action::AddOption {
        name: "press_new".into(),
        value,
        autoload: Some(false),
        network: false,
    };
    lab.ok::<OptionChanged>(add(json!("one")));
    assert_eq!(lab.refused(add(json!("two"))), "exists");
    assert_eq!(lab.option("press_new"), "one");
    let page: OptionPage = lab.ok(Action::ListOptions {
        prefix: Some("press_".into()),
        search: None,
        autoload: Some(false),
        after: None,
        limit: 10,
        values: true,
        network: false,
    });
    assert_eq!(page.total, 1);
    assert_eq!(page.options[0].stored, Some(json!("one")));
    assert!(page.autoload_bytes.unwrap() > 1000);
    let delete = || Action::DeleteOption {
        name: "press_new".into(),
        network: false,
    };
    lab.ok::<OptionChanged>(delete());
    assert_eq!(lab.option("press_new"), "");
    assert_eq!(lab.refused(delete()), "option_missing");

    // A sanitizer of WordPress that has its own mind is told, not hidden.
    let kept = lab.one(set("posts_per_page", json!("many")));
    assert_eq!(kept.code.as_deref(), Some("not_stored"));
    assert_ne!(lab.option("posts_per_page"), "many");
    lab.ok::<OptionChanged>(set("posts_per_page", json!(10)));
}

pub fn transients_and_caches(lab: &Lab) {
    lab.site
        .php(
            "set_transient('lasting', 1, 3600); set_transient('for_ever', 1); set_site_transient('of_site', 1, 3600);
             set_transient('old', 1, 3600); update_option('_transient_timeout_old', time() - 10);
             update_option('_transient_pressroom_login_x', '{}');",
        )
        .unwrap();
    let gone: DeletedTransients = lab.ok(Action::DeleteTransients {
        expired_only: true,
        network: false,
    });
    assert!(gone.deleted >= 1 && !gone.persistent);
    assert_eq!(lab.option("_transient_old"), "");
    assert_eq!(lab.option("_transient_lasting"), "1");
    let report = lab.run(&[
        Action::FlushObjectCache,
        Action::CleanComponentCaches,
        Action::DeleteTransients {
            expired_only: false,
            network: true,
        },
    ]);
    assert!(report.is_ok(), "{report:?}");
    assert_eq!(
        lab.sql("SELECT COUNT(*) FROM wp_options WHERE option_name LIKE '\\_transient\\_%' OR option_name LIKE '\\_site\\_transient\\_%'"),
        "1",
        "all but the one-time login"
    );
    if lab.is_network() {
        let left = lab
            .sql("SELECT COUNT(*) FROM wp_sitemeta WHERE meta_key LIKE '\\_site\\_transient\\_%'");
        assert_eq!(left, "0");
    }
}

pub fn cron(lab: &Lab) {
    lab.site
        .plugin(
            "events",
            "1.0",
            "add_action('press_good', function ($what) { update_option('ran_' . $what, wp_doing_cron() ? 'cron' : 'no'); });
             add_action('press_throws', function () { throw new RuntimeException('not today'); });
             add_action('press_dies', function () { undefined_thing(); });
             add_action('press_exits', function () { exit; });",
        )
        .unwrap();
    let schedule = |hook: &str, args: Vec<Value>, at: i64| Action::ScheduleCron {
        hook: hook.into(),
        at: Some(at),
        schedule: None,
        args,
    };
    lab.site
        .php("activate_plugin('events/events.php'); wp_unschedule_hook('wp_version_check'); _set_cron_array(array());")
        .unwrap();
    let report = lab.run(&[
        schedule("press_good", vec![json!("a")], 100),
        schedule("press_throws", vec![], 200),
        schedule("press_exits", vec![], 250),
        schedule("press_dies", vec![], 300),
        schedule("press_good", vec![json!("b")], 400),
        Action::ScheduleCron {
            hook: "press_good".into(),
            at: Some(4_000_000_000),
            schedule: Some("hourly".into()),
            args: vec![json!("c")],
        },
        Action::ScheduleCron {
            hook: "press_good".into(),
            at: None,
            schedule: Some("every full moon".into()),
            args: vec![],
        },
    ]);
    let ok: Vec<bool> = report.outcomes.iter().map(|outcome| outcome.ok).collect();
    assert_eq!(
        ok,
        [true, true, true, true, true, true, false],
        "{report:?}"
    );
    assert_eq!(report.outcomes[6].code.as_deref(), Some("invalid_schedule"));
    let cron: Cron = lab.ok(Action::ListCron);
    assert_eq!(
        cron.events
            .iter()
            .filter(|event| event.hook.starts_with("press_"))
            .count(),
        6
    );
    assert_eq!(cron.events[0].args, [json!("a")]);
    assert!(cron.events[0].has_action && cron.disabled);
    assert!(
        cron.schedules
            .iter()
            .any(|schedule| schedule.name == "hourly")
    );

    // All that are due run, whoever dies among them, and who dies is named.
    let ran = run_cron(lab.place(), 0, &crate::lab::patient()).unwrap();
    let ours: Vec<_> = ran
        .ran
        .iter()
        .filter(|event| event.hook.starts_with("press_"))
        .collect();
    let codes: Vec<_> = ours.iter().map(|event| event.code.as_deref()).collect();
    assert_eq!(
        codes,
        [
            None,
            Some("exception"),
            Some("fatal"),
            Some("exception"),
            None
        ],
        "{ran:?}"
    );
    for event in &ours[1..4] {
        assert_eq!(
            event.blame.as_ref().expect("a name").slug,
            "events",
            "{event:?}"
        );
    }
    assert_eq!(lab.option("ran_a"), "cron");
    assert_eq!(lab.option("ran_b"), "cron");
    assert_eq!(lab.option("ran_c"), "");
    assert_eq!(
        lab.option("_transient_doing_cron"),
        "",
        "the lock is let go"
    );

    // What will be due soon runs where that is asked for, and stays where it is not.
    let later = "wp_schedule_single_event(time() + 3000, 'press_later');";
    lab.site.php(later).unwrap();
    let later = |ran: &CronRan| ran.ran.iter().any(|event| event.hook == "press_later");
    let ran = run_cron(lab.place(), 0, &crate::lab::patient()).unwrap();
    assert!(!later(&ran), "{ran:?}");
    let ran = run_cron(lab.place(), 3600, &crate::lab::patient()).unwrap();
    assert!(later(&ran), "{ran:?}");

    // One hook, due or not; a recurring event stays in the list.
    let one: CronRan = lab.ok(Action::RunCron {
        hook: Some("press_good".into()),
        limit: 5,
        within_s: 0,
    });
    assert_eq!(one.ran.len(), 1);
    assert_eq!(lab.option("ran_c"), "cron");
    assert!(lab.option("cron").contains("press_good"));
    let gone: CronUnscheduled = lab.ok(Action::UnscheduleCron {
        hook: "press_good".into(),
        at: None,
        args: None,
    });
    assert_eq!(gone.removed, 1);
    assert!(!lab.option("cron").contains("press_good"));
    assert_eq!(
        lab.refused(Action::RunCron {
            hook: Some("press_good".into()),
            limit: 5,
            within_s: 0
        }),
        "event_missing"
    );
    lab.site
        .php("deactivate_plugins('events/events.php');")
        .unwrap();
}

pub fn rewrite(lab: &Lab) {
    let set = |structure: &str| Action::SetRewrite {
        structure: Some(structure.into()),
        category_base: Some("topics".into()),
        tag_base: None,
        hard: false,
    };
    let told: Rewrite = lab.ok(set("/%year%/%postname%/"));
    assert_eq!(told.structure, "/%year%/%postname%/");
    assert_eq!(lab.option("permalink_structure"), "/%year%/%postname%/");
    assert_eq!(lab.refused(set("no slash")), "bad_structure");
    // A rule that a plugin adds is there after a flush.
    lab.site
        .write(
            "wp-content/mu-plugins/rule.php",
            "<?php add_action('init', function () { add_rewrite_rule('^press/?$', 'index.php?p=1', 'top'); });",
        )
        .unwrap();
    let told: Rewrite = lab.ok(Action::FlushRewrite { hard: true });
    assert!(told.rules > 20 && told.rebuilt == Some(true));
    assert!(lab.option("rewrite_rules").contains("^press/?$"));
    assert!(lab.option("rewrite_rules").contains("topics/"));
    let htaccess = lab.site.path().join(".htaccess");
    if lab.is_network() {
        assert_eq!(told.htaccess, Some(false));
    } else {
        assert!(
            std::fs::read_to_string(htaccess)
                .unwrap()
                .contains("RewriteRule")
        );
    }
    // Without the plugins no poorer set of rules is stored.
    let mut options = lab.options.clone();
    options.skip_mu_plugins = true;
    let report = lab.run_with(&[Action::FlushRewrite { hard: false }], &options);
    assert_eq!(read::<Rewrite>(&report.outcomes[0]).rebuilt, Some(false));
    assert_eq!(lab.option("rewrite_rules"), "");
    std::fs::remove_file(lab.site.path().join("wp-content/mu-plugins/rule.php")).unwrap();
}

pub fn upgrade(lab: &Lab) {
    let wanted: u64 = lab.option("db_version").parse().unwrap();
    let tables = if lab.is_network() {
        vec!["wp_options", "wp_2_options"]
    } else {
        vec!["wp_options"]
    };
    for table in &tables {
        lab.sql(&format!(
            "UPDATE {table} SET option_value = 51917 WHERE option_name = 'db_version'"
        ));
    }
    lab.sql("ALTER TABLE wp_posts DROP INDEX type_status_date");
    let upgraded =
        upgrade_databases(lab.place(), lab.is_network(), 1, &crate::lab::patient()).unwrap();
    assert_eq!(upgraded.target, wanted);
    assert_eq!(upgraded.blogs.len(), tables.len());
    for (table, blog) in tables.iter().zip(&upgraded.blogs) {
        assert_eq!(
            (blog.before, blog.after),
            (Some(51_917), Some(wanted)),
            "{upgraded:?}"
        );
        assert_eq!(
            lab.sql(&format!(
                "SELECT option_value FROM {table} WHERE option_name = 'db_version'"
            )),
            wanted.to_string()
        );
    }
    let keys = lab.sql("SHOW INDEX FROM wp_posts WHERE Key_name = 'type_status_date'");
    assert!(
        !keys.is_empty(),
        "the tables are as this version wants them"
    );
    if lab.is_network() {
        assert_eq!(
            lab.sql("SELECT meta_value FROM wp_sitemeta WHERE meta_key = 'wpmu_upgrade_site'"),
            wanted.to_string()
        );
    }

    lab.site
        .plugin(
            "routine",
            "2.0",
            "add_action('upgrader_process_complete', function ($upgrader, $extra) {
                 update_option('routine_saw', json_encode(array(get_class($upgrader), $extra, get_current_user_id() > 0)));
             }, 10, 2);
             add_action('admin_init', function () { update_option('routine_version', '2.0'); });",
        )
        .unwrap();
    lab.site
        .php("activate_plugin('routine/routine.php');")
        .unwrap();
    lab.ok::<UpgradeCompleted>(Action::CompleteUpgrade {
        component: UpgradedKind::Plugin,
        items: vec!["routine/routine.php".into()],
        admin_init: true,
    });
    assert_eq!(
        lab.option("routine_saw").replace('\\', ""),
        r#"["Plugin_Upgrader",{"action":"update","type":"plugin","bulk":true,"plugins":["routine/routine.php"]},true]"#
    );
    assert_eq!(lab.option("routine_version"), "2.0");
    lab.site
        .php("deactivate_plugins('routine/routine.php');")
        .unwrap();
}
