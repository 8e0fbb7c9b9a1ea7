//! Rows that change by themselves.

use crate::{place::Place, steps::of};
use pressroom_wordpress::database::restore_point::{Made, VOLATILE};
use std::fmt::Write as _;

const OPTIONS: &str = "CREATE TABLE wp_options (option_id INT AUTO_INCREMENT PRIMARY KEY, option_name VARCHAR(191) NOT NULL UNIQUE, option_value LONGTEXT NOT NULL) DEFAULT CHARSET=utf8mb4;
CREATE TABLE wp_usermeta (umeta_id INT PRIMARY KEY, user_id INT, meta_key VARCHAR(255), meta_value LONGTEXT);
CREATE TABLE wp_actionscheduler_claims (claim_id INT PRIMARY KEY, d INT);";

fn set(name: &str, value: &str) -> String {
    let value = value.replace('\'', "''");
    format!(
        "INSERT INTO wp_options (option_name, option_value) VALUES ('{name}', '{value}') ON DUPLICATE KEY UPDATE option_value = VALUES(option_value);"
    )
}

fn cron(hooks: &[(i64, &str)]) -> String {
    let mut out = format!("a:{}:{{", hooks.len() + 1);
    for (time, hook) in hooks {
        write!(
            out,
            "i:{time};a:1:{{s:{}:\"{hook}\";a:1:{{s:2:\"m0\";a:2:{{s:8:\"schedule\";b:0;s:4:\"args\";a:0:{{}}}}}}}}",
            hook.len()
        )
        .unwrap();
    }
    out + "s:7:\"version\";i:2;}"
}

fn value(place: &Place, name: &str) -> String {
    place.sql(&format!(
        "SELECT option_value FROM wp_options WHERE option_name = '{name}'"
    ))
}

#[test]
fn each_by_its_own_rule_and_none_is_told_as_a_person() {
    let place = Place::with(OPTIONS);
    for name in [
        "_transient_a",
        "_transient_timeout_a",
        "_site_transient_b",
        "rewrite_rules",
        "core_updater.lock",
        "blogname",
        "_transient_c",
    ] {
        place.sql(&set(name, "before"));
    }
    place.sql(&set("cron", &cron(&[(10, "stays"), (20, "old")])));
    place.sql("INSERT INTO wp_usermeta VALUES (1, 1, 'session_tokens', 'before'); INSERT INTO wp_actionscheduler_claims VALUES (1, 1)");
    let point = place.take();
    for name in [
        "_transient_a",
        "_transient_timeout_a",
        "_site_transient_b",
        "rewrite_rules",
        "core_updater.lock",
        "blogname",
        "_transient_c",
    ] {
        place.sql(&set(name, "update"));
    }
    place.sql(&set("cron", &cron(&[(10, "stays"), (30, "new")])));
    place.sql(
        "UPDATE wp_usermeta SET meta_value = 'update'; UPDATE wp_actionscheduler_claims SET d = 2",
    );
    place.seal(&point);
    for name in [
        "_transient_a",
        "_transient_timeout_a",
        "_site_transient_b",
        "rewrite_rules",
        "core_updater.lock",
        "_transient_of_others",
    ] {
        place.sql(&set(name, "since"));
    }
    place.sql(&set(
        "cron",
        &cron(&[(30, "new"), (40, "theirs"), (110, "stays")]),
    ));
    place.sql("UPDATE wp_usermeta SET meta_value = 'since'; UPDATE wp_actionscheduler_claims SET d = 3; INSERT INTO wp_usermeta VALUES (2, 2, 'session_tokens', 'new')");
    let report = place.merge(&point);

    assert_eq!(report.conflicts(), 0, "{report:#?}");
    for gone in ["_transient_a", "_site_transient_b", "rewrite_rules"] {
        assert_eq!(value(&place, gone), "", "{gone}");
    }
    for kept in [
        "_transient_timeout_a",
        "core_updater.lock",
        "_transient_of_others",
    ] {
        assert_eq!(value(&place, kept), "since\n", "{kept}");
    }
    // Nobody wrote these since.
    for back in ["blogname", "_transient_c"] {
        assert_eq!(value(&place, back), "before\n", "{back}");
    }
    assert_eq!(
        value(&place, "cron").trim_end(),
        cron(&[(20, "old"), (40, "theirs"), (110, "stays")])
    );
    assert_eq!(
        place.sql("SELECT meta_value FROM wp_usermeta ORDER BY umeta_id"),
        "since\nnew\n"
    );
    assert_eq!(place.sql("SELECT d FROM wp_actionscheduler_claims"), "3\n");
    for (table, pattern) in [
        ("wp_options", "_transient_*"),
        ("wp_options", "cron"),
        ("wp_options", "*.lock"),
        ("wp_usermeta", "session_tokens"),
        ("wp_actionscheduler_claims", "*"),
    ] {
        let told = report
            .volatile
            .iter()
            .any(|one| one.table == table && one.pattern == pattern && one.rows == 1);
        assert!(told, "{table} {pattern}: {:#?}", report.volatile);
    }
    assert_eq!(of(&report, "wp_options").how, Made::Merged);
    place.merge(&point);
    assert_eq!(
        value(&place, "cron").trim_end(),
        cron(&[(20, "old"), (40, "theirs"), (110, "stays")])
    );
    place.drop(&point);
    place.nothing_left();
}

#[test]
fn a_schedule_that_is_none_stays() {
    let place = Place::with(OPTIONS);
    place.sql(&set("cron", "not serialized"));
    let report = place.course(&set("cron", &cron(&[])), &set("cron", &cron(&[(1, "x")])));
    assert_eq!(value(&place, "cron").trim_end(), cron(&[(1, "x")]));
    assert_eq!(report.conflicts(), 0);
}

/// The page that people read has the list as it is.
#[test]
fn the_documented_list_is_the_one_in_force() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/roll-back.md");
    let mut wanted = String::from(
        "| table | rows | what they are | changed by the update and again since |\n|---|---|---|---|\n",
    );
    for one in VOLATILE {
        let rows = match one.column {
            Some(column) => format!("`{column}` `{}`", one.pattern),
            None => "all".to_owned(),
        };
        let rule = serde_json::to_value(one.rule).unwrap();
        let rule = match rule.as_str().unwrap() {
            "keep" => "stays as it is",
            "drop" => "is removed; WordPress makes it anew",
            _ => "the update's events go, those it took away return",
        };
        writeln!(
            wanted,
            "| `{}` | {rows} | {} | {rule} |",
            one.table, one.what
        )
        .unwrap();
    }
    let text = std::fs::read_to_string(path).unwrap();
    if std::env::var_os("PRESSROOM_BLESS").is_some() {
        let (head, rest) = text.split_once("<!-- volatile -->\n").unwrap();
        let (_, tail) = rest.split_once("<!-- /volatile -->\n").unwrap();
        let text = format!("{head}<!-- volatile -->\n{wanted}<!-- /volatile -->\n{tail}");
        std::fs::write(path, text).unwrap();
        return;
    }
    assert!(text.contains(&wanted), "run with PRESSROOM_BLESS=1");
}
