//! Users who lack rights are told which.

use crate::place::{Place, all, text};
use pressroom_lab::Database;
use pressroom_wordpress::database::dump::{DumpOptions, MissingRight};

const SCHEMA: &str = "
CREATE TABLE wp_a (id INT PRIMARY KEY); INSERT INTO wp_a VALUES (1);
CREATE TABLE wp_b (id INT PRIMARY KEY); INSERT INTO wp_b VALUES (2);
CREATE VIEW wp_v AS SELECT id FROM wp_a;
CREATE TRIGGER wp_t BEFORE INSERT ON wp_a FOR EACH ROW SET NEW.id = NEW.id + 1;
CREATE EVENT wp_e ON SCHEDULE EVERY 1 DAY DO DELETE FROM wp_a;
CREATE FUNCTION wp_f() RETURNS INT RETURN 1;
";

/// The same database through a user with these rights only.
fn limited(place: &Place, grants: &[&str]) -> Place {
    let name = format!("few_{}", place.database.name);
    let database = &place.database.name;
    place.sql(&format!("CREATE USER {name}@localhost IDENTIFIED BY 'x'"));
    for grant in grants {
        let grant = grant.replace("DB", database);
        place.sql(&format!("GRANT {grant} TO {name}@localhost"));
    }
    Place::of(Database {
        user: name,
        password: "x".into(),
        ..place.database.clone()
    })
}

fn missing(right: &str, on: &str) -> MissingRight {
    MissingRight {
        right: right.into(),
        on: on.into(),
    }
}

#[test]
fn every_missing_right_is_named() {
    let place = Place::with(SCHEMA);
    let few = limited(&place, &["SELECT, EXECUTE ON DB.*"]);
    let (dump, report) = few.dump_with(&all()).unwrap();
    let database = &place.database.name;
    assert_eq!(
        report.missing_rights,
        [
            missing("EVENT", database),
            missing("SHOW CREATE ROUTINE or SELECT on mysql.proc", "wp_f"),
            missing("SHOW VIEW", "wp_v"),
            missing("TRIGGER", database),
        ]
    );
    let left_out: Vec<_> = report
        .left_out
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(left_out, ["wp_v", "wp_f"]);
    assert_eq!(report.tables.len(), 2);
    // What is there is whole.
    let other = Place::new();
    other.restore(&dump).unwrap();
    assert_eq!(other.sql("SELECT * FROM wp_a, wp_b"), "1\t2\n");
}

#[test]
fn rights_on_single_tables_count() {
    let place = Place::with(SCHEMA);
    let few = limited(
        &place,
        &["SELECT, SHOW VIEW, EVENT ON DB.*", "TRIGGER ON DB.wp_a"],
    );
    let (dump, report) = few.dump_with(&DumpOptions::default()).unwrap();
    assert_eq!(report.missing_rights[..1], [missing("TRIGGER", "wp_b")]);
    assert!(text(&dump).contains("wp_t"));
    assert!(text(&dump).contains("EVENT"));
}

#[test]
fn a_table_that_may_not_be_read_fails_the_dump() {
    let place = Place::with(SCHEMA);
    let few = limited(&place, &["SELECT ON DB.wp_a", "INSERT ON DB.wp_b"]);
    let mut out = Vec::new();
    let why =
        pressroom_wordpress::database::dump::dump(&few.settings, &all(), &mut out, &few.watch)
            .unwrap_err()
            .to_string();
    assert!(why.contains("`SELECT` on `wp_b`"), "{why}");
    assert!(out.is_empty());
    let options = DumpOptions {
        skip_unreadable: true,
        ..all()
    };
    let (dump, report) = few.dump_with(&options).unwrap();
    assert!(report.missing_rights.contains(&missing("SELECT", "wp_b")));
    assert_eq!(report.left_out[0].name, "wp_b");
    assert!(text(&dump).contains("wp_a") && !text(&dump).contains("wp_b"));
}

#[test]
fn definers_are_stripped_or_kept() {
    let place = Place::with(SCHEMA);
    let (dump, report) = place.dump_with(&all()).unwrap();
    assert_eq!(report.definers_stripped, 3);
    assert!(!text(&dump).contains("DEFINER="));
    let options = DumpOptions {
        definers: pressroom_wordpress::database::dump::Definers::Keep,
        ..all()
    };
    let (dump, report) = place.dump_with(&options).unwrap();
    assert_eq!(report.definers_stripped, 0);
    assert_eq!(text(&dump).matches("DEFINER=`root`@`localhost`").count(), 3);
    // Whoever restores it becomes the definer.
    let other = Place::new();
    let report = other.restore(&dump).unwrap();
    assert_eq!(report.definers_changed, 3);
    let definer =
        other.sql("SELECT DEFINER FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE()");
    assert_eq!(definer.trim(), format!("{}@localhost", other.database.user));
}

#[test]
fn only_what_is_asked_for_is_dumped() {
    let place = Place::with(&format!(
        "{SCHEMA} CREATE TABLE other (a INT); CREATE TABLE wp_log (a INT); INSERT INTO wp_log VALUES (1);
         CREATE EVENT stray ON SCHEDULE EVERY 1 DAY DO SELECT 1;"
    ));
    let options = DumpOptions {
        exclude: vec!["wp_b*".into()],
        structure_only: vec!["wp_log".into()],
        ..DumpOptions::default()
    };
    let (dump, report) = place.dump_with(&options).unwrap();
    let names: Vec<_> = report
        .tables
        .iter()
        .map(|table| table.name.as_str())
        .collect();
    assert_eq!(names, ["wp_a", "wp_log"]);
    let dump = text(&dump);
    assert!(dump.contains("CREATE TABLE `wp_log`") && !dump.contains("INSERT INTO `wp_log`"));
    assert!(dump.contains("wp_e") && !dump.contains("stray"));
    assert!(report.left_out.iter().any(|one| one.name == "stray"));
}
