//! Ways back that the server refuses in the middle, and that find things changed.

use crate::place::{EPOCH, Place, same};
use pressroom_lab::Mariadb;
use pressroom_wordpress::database::restore::{RestoreOptions, drop_aside, recover, take_back};

const OLD: &str = "
CREATE TABLE wp_posts (id INT PRIMARY KEY, t VARCHAR(9)); CREATE TABLE wp_options (id INT PRIMARY KEY);
CREATE TABLE wp_gone (a INT); INSERT INTO wp_gone VALUES (4);
INSERT INTO wp_posts VALUES (1, 'old'); INSERT INTO wp_options VALUES (1);
";
const TRIGGER: &str =
    "CREATE TRIGGER wp_t BEFORE INSERT ON wp_posts FOR EACH ROW SET NEW.t = 'trigger';";
const NEW: &str = "
CREATE TABLE wp_posts (id INT PRIMARY KEY, t VARCHAR(9)); CREATE TABLE wp_options (id INT PRIMARY KEY);
CREATE TABLE wp_added (a INT); CREATE VIEW wp_seen AS SELECT a FROM wp_added;
INSERT INTO wp_posts VALUES (2, 'new'), (3, 'new'); INSERT INTO wp_options VALUES (2);
";

fn removing() -> RestoreOptions {
    RestoreOptions {
        remove_unknown: true,
        ..RestoreOptions::default()
    }
}

fn trust(place: &Place, on: bool) {
    let on = u8::from(on);
    place.sql(&format!(
        "SET GLOBAL log_bin_trust_function_creators = {on}"
    ));
}

/// With a binary log a site's user may make no trigger, and remove none.
#[test]
fn a_server_that_refuses_triggers_costs_no_table() {
    let server = Mariadb::start_with("64M", "16M", &["--log-bin=bin", "--server-id=1"]).unwrap();
    let place = Place::of(server.database().unwrap());
    place.sql(&format!("{OLD}{TRIGGER}"));
    let (names, sums) = (place.names(), place.checksums());
    for dump in [NEW.to_owned(), format!("{NEW}{TRIGGER}")] {
        let why = place.restore_with(dump.as_bytes(), &removing());
        let why = why.unwrap_err().to_string();
        assert!(
            why.contains("SUPER") && !why.contains("taking it back"),
            "{why}"
        );
        for _ in 0..2 {
            assert_eq!(place.names(), names);
            assert_eq!(place.checksums(), sums);
            recover(&place.home, EPOCH, &place.settings, &place.watch).unwrap();
        }
    }

    // It trusted its users once, and then no longer.
    trust(&place, true);
    let before = place.dump();
    let report = place.restore_with(NEW.as_bytes(), &removing()).unwrap();
    let aside = report.aside.unwrap();
    trust(&place, false);
    for turn in 0..5 {
        let back = if turn % 2 == 0 {
            take_back(&place.home, EPOCH, &place.settings, &aside, &place.watch)
        } else {
            recover(&place.home, EPOCH, &place.settings, &place.watch).map(drop)
        };
        let why = back.unwrap_err().to_string();
        assert!(why.contains("`wp_t`") && why.contains("SUPER"), "{why}");
        assert_eq!(place.checksums(), sums, "turn {turn}");
        // What is half taken back is never taken for a finished restore.
        drop_aside(&place.home, EPOCH, &place.settings, &aside, &place.watch).unwrap_err();
    }
    // What the site makes meanwhile is its own.
    place.sql("CREATE TABLE wp_added (b INT)");
    trust(&place, true);
    take_back(&place.home, EPOCH, &place.settings, &aside, &place.watch).unwrap();
    assert_eq!(place.sql("SELECT COUNT(*) FROM wp_added"), "0\n");
    place.sql("DROP TABLE wp_added");
    assert_eq!(place.names(), names);
    same(&place.dump(), &before);
}

#[test]
fn what_the_site_made_since_gives_way() {
    let place = Place::new();
    place.stock_restore(format!("{OLD}{TRIGGER}").as_bytes());
    let (before, names) = (place.dump(), place.names());
    let report = place.restore_with(NEW.as_bytes(), &removing()).unwrap();
    let aside = report.aside.unwrap();
    // Of a removed table, of an added one and of a view.
    place.sql(
        "CREATE TABLE wp_gone (b INT); DROP VIEW wp_seen; DROP TABLE wp_added;
         DROP TABLE wp_options",
    );
    take_back(&place.home, EPOCH, &place.settings, &aside, &place.watch).unwrap();
    assert_eq!(place.names(), names);
    same(&place.dump(), &before);
}

#[test]
fn old_tables_that_are_gone_are_not_taken_back_by_half() {
    let place = Place::new();
    place.stock_restore(OLD.as_bytes());
    let report = place.restore_with(NEW.as_bytes(), &removing()).unwrap();
    let aside = report.aside.unwrap();
    let sums = place.checksums();
    let old = place.sql(
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE 'pr%wp_posts'",
    );
    place.sql(&format!("DROP TABLE {old}"));
    let why = take_back(&place.home, EPOCH, &place.settings, &aside, &place.watch);
    assert!(why.unwrap_err().to_string().contains(old.trim()));
    assert_eq!(place.checksums(), sums);
    drop_aside(&place.home, EPOCH, &place.settings, &aside, &place.watch).unwrap();
    assert!(!place.names().contains("pr_"));
}

/// A dump that brings views alone changes no names, and is taken back like any other.
#[test]
fn views_alone_go_again() {
    let place = Place::new();
    place.stock_restore(OLD.as_bytes());
    let names = place.names();
    let views = "CREATE VIEW wp_one AS SELECT id FROM wp_posts;";
    let broken = format!("{views} CREATE VIEW wp_two AS SELECT nothing FROM wp_posts;");
    let options = RestoreOptions::default();
    let why = place.restore_with(broken.as_bytes(), &options).unwrap_err();
    assert!(!why.to_string().contains("taking it back"), "{why}");
    assert_eq!(place.names(), names);
    let report = place.restore_with(views.as_bytes(), &options).unwrap();
    let aside = report.aside.unwrap();
    take_back(&place.home, EPOCH, &place.settings, &aside, &place.watch).unwrap();
    assert_eq!(place.names(), names);
}
