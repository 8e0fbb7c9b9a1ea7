//! The exchange, its way back, and what a killed restore leaves.

use crate::place::{EPOCH, Place, same, text};
use pressroom_base::Epoch;
use pressroom_lab::{Database, Mariadb};
use pressroom_wordpress::{
    Error, Watch,
    database::restore::{RestoreOptions, drop_aside, recover, restore, take_back},
    fence,
};
use std::{
    io::{self, Read},
    process::{Command, Stdio},
};

/// Tables that hang together, and things with names of their own.
const OLD: &str = "
CREATE TABLE wp_p (id INT PRIMARY KEY, t VARCHAR(9)); CREATE TABLE wp_c (id INT PRIMARY KEY, p INT,
  CONSTRAINT fk_named FOREIGN KEY (p) REFERENCES wp_p (id), FOREIGN KEY (p) REFERENCES wp_p (id) ON DELETE CASCADE);
CREATE TABLE outside (id INT PRIMARY KEY, p INT, CONSTRAINT fk_out FOREIGN KEY (p) REFERENCES wp_p (id));
CREATE TABLE wp_gone (a INT); CREATE TABLE wp_was_table (a INT);
INSERT INTO wp_p VALUES (1,'old'); INSERT INTO wp_c VALUES (1,1); INSERT INTO outside VALUES (1,1); INSERT INTO wp_was_table VALUES (5);
CREATE VIEW wp_v AS SELECT t FROM wp_p; CREATE VIEW wp_was_view AS SELECT 5 AS a;
CREATE TRIGGER wp_t BEFORE INSERT ON wp_p FOR EACH ROW SET NEW.t = 'old-t';
CREATE FUNCTION wp_f() RETURNS INT RETURN 1;
CREATE EVENT wp_e ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01' DISABLE DO SELECT 1;
CREATE SEQUENCE wp_s;
";
const NEW: &str = "
CREATE TABLE wp_p (id INT PRIMARY KEY, t VARCHAR(9), n INT DEFAULT 1); CREATE TABLE wp_c (id INT PRIMARY KEY, p INT,
  CONSTRAINT fk_named FOREIGN KEY (p) REFERENCES wp_p (id), CONSTRAINT wp_c_ibfk_1 FOREIGN KEY (p) REFERENCES wp_p (id) ON DELETE SET NULL);
INSERT INTO wp_p VALUES (1,'new',2),(2,'new',2); INSERT INTO wp_c VALUES (1,2);
CREATE TABLE wp_was_view (a INT); INSERT INTO wp_was_view VALUES (6);
CREATE TABLE wp_added (a INT); CREATE VIEW wp_was_table AS SELECT 6 AS a;
CREATE VIEW wp_v AS SELECT t, n FROM wp_p;
CREATE TRIGGER wp_t BEFORE INSERT ON wp_p FOR EACH ROW SET NEW.t = 'new-t';
CREATE TRIGGER wp_t2 BEFORE INSERT ON wp_c FOR EACH ROW SET NEW.id = NEW.id;
CREATE FUNCTION wp_f() RETURNS INT RETURN 2; CREATE FUNCTION wp_f2() RETURNS INT RETURN 2;
CREATE EVENT wp_e ON SCHEDULE EVERY 2 DAY STARTS '2030-01-01' DISABLE DO SELECT 2;
CREATE SEQUENCE wp_s START WITH 50;
";

fn old() -> Place {
    let place = Place::new();
    // By the site's own user, who may then read its routines.
    place.stock_restore(OLD.as_bytes());
    place
}

#[test]
fn all_is_exchanged_at_once_and_all_comes_back() {
    let place = old();
    let (before, names, sums) = (place.dump(), place.names(), place.checksums());
    let options = RestoreOptions {
        remove_unknown: true,
        ..RestoreOptions::default()
    };
    let report = place.restore_with(NEW.as_bytes(), &options).unwrap();
    let aside = report.aside.clone().unwrap();
    assert_eq!(
        aside.tables,
        [
            "wp_c",
            "wp_gone",
            "wp_p",
            "wp_s",
            "wp_v",
            "wp_was_table",
            "wp_was_view"
        ]
    );
    assert_eq!(
        place.sql("SELECT t, n FROM wp_v; SELECT wp_f(), wp_f2(), NEXTVAL(wp_s); SELECT a FROM wp_was_view; SELECT a FROM wp_was_table"),
        "new\t2\nnew\t2\n2\t2\t50\n6\n6\n"
    );
    place.sql("INSERT INTO wp_p (id) VALUES (3)");
    assert_eq!(place.sql("SELECT t FROM wp_p WHERE id = 3"), "new-t\n");
    // Foreign keys, also of a table that the dump does not hold, mean the new tables.
    place.sql("INSERT INTO outside VALUES (3, 3)");
    assert!(
        place
            .database
            .sql("INSERT INTO outside VALUES (4, 4)")
            .is_err()
    );
    assert!(
        place
            .database
            .sql("INSERT INTO wp_c VALUES (4, 4)")
            .is_err()
    );
    place.sql("DELETE FROM outside WHERE id = 3");

    take_back(&place.home, EPOCH, &place.settings, &aside, &place.watch).unwrap();
    assert_eq!(place.names(), names);
    same(&place.dump(), &before);
    assert_eq!(place.checksums(), sums);
    assert_eq!(place.sql("SELECT wp_f()"), "1\n");
    assert!(matches!(
        take_back(&place.home, EPOCH, &place.settings, &aside, &place.watch),
        Err(Error::Missing(_))
    ));

    // And the other way: the old tables go for good.
    let report = place.restore_with(NEW.as_bytes(), &options).unwrap();
    let aside = report.aside.unwrap();
    drop_aside(&place.home, EPOCH, &place.settings, &aside, &place.watch).unwrap();
    drop_aside(&place.home, EPOCH, &place.settings, &aside, &place.watch).unwrap();
    assert!(!place.names().contains("pr_"));
    assert!(!place.names().contains("wp_gone"));
    place.sql("INSERT INTO outside VALUES (2, 2)");
}

#[test]
fn a_program_that_cannot_be_made_takes_all_back() {
    let place = old();
    let (before, names) = (place.dump(), place.names());
    for broken in [
        "CREATE VIEW wp_bad AS SELECT nothing FROM wp_p;",
        "CREATE TRIGGER wp_bad BEFORE INSERT ON wp_p FOR EACH ROW SET NEW.nothing = 1;",
        "ALTER TABLE wp_c ADD CONSTRAINT bad FOREIGN KEY (p) REFERENCES wp_p (nothing);",
        "CREATE EVENT wp_bad ON SCHEDULE NEVER DO SELECT 1;",
    ] {
        let dump = format!("{NEW}{broken}");
        let why = place
            .restore_with(dump.as_bytes(), &RestoreOptions::default())
            .expect_err(broken);
        assert!(matches!(why, Error::Database(_)), "{broken}: {why:?}");
        assert_eq!(place.names(), names, "{broken}");
        same(&place.dump(), &before);
    }
}

/// Gives bytes, then does something once, then gives the rest.
struct Interrupted<'a, F: FnMut()> {
    first: &'a [u8],
    act: Option<F>,
    rest: &'a [u8],
}

impl<F: FnMut()> Read for Interrupted<'_, F> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if !self.first.is_empty() {
            return self.first.read(into);
        }
        if let Some(mut act) = self.act.take() {
            act();
        }
        self.rest.read(into)
    }
}

#[test]
fn a_cancelled_restore_leaves_nothing() {
    let place = old();
    let (before, names) = (place.dump(), place.names());
    let dump = [OLD, &"INSERT INTO wp_gone VALUES (1);\n".repeat(2000)].concat();
    let watch = Watch::unbounded();
    let mut seen = String::new();
    let mut input = Interrupted {
        first: &dump.as_bytes()[..dump.len() - 20],
        act: Some(|| {
            seen = place.names();
            watch.cancel();
        }),
        rest: &dump.as_bytes()[dump.len() - 20..],
    };
    let options = RestoreOptions {
        others: pressroom_wordpress::database::restore::OtherTables::Restore,
        ..RestoreOptions::default()
    };
    let why = restore(
        &place.home,
        EPOCH,
        &place.settings,
        &options,
        &mut input,
        &watch,
    )
    .unwrap_err();
    assert!(matches!(why, Error::Cancelled), "{why}");
    assert!(seen.contains("pr_"), "{seen}");
    assert_eq!(place.names(), names);
    same(&place.dump(), &before);
}

#[test]
fn a_worker_that_was_overtaken_puts_nothing_in_place() {
    let place = old();
    let (before, names) = (place.dump(), place.names());
    let next = Epoch::new(EPOCH.get() + 1);
    let mut input = Interrupted {
        first: NEW.as_bytes(),
        act: Some(|| {
            fence::take(&place.home, next, &place.watch).unwrap();
        }),
        rest: b"",
    };
    let why = restore(
        &place.home,
        EPOCH,
        &place.settings,
        &RestoreOptions::default(),
        &mut input,
        &place.watch,
    )
    .unwrap_err();
    assert!(matches!(why, Error::Fenced { .. }), "{why}");
    // Its successor cleans up.
    assert!(place.names().contains("pr_"));
    let recovered = recover(&place.home, next, &place.settings, &place.watch).unwrap();
    assert!(!recovered.dropped.is_empty());
    assert_eq!(place.names(), names);
    same(&place.dump(), &before);
    assert!(matches!(
        recover(&place.home, EPOCH, &place.settings, &place.watch),
        Err(Error::Fenced { .. })
    ));
}

#[test]
fn recovery_keeps_to_its_own_site() {
    let place = old();
    let report = place
        .restore_with(NEW.as_bytes(), &RestoreOptions::default())
        .unwrap();
    // A living restore of another site, one of a later epoch, and a stray.
    place.sql(
        "CREATE TABLE pr_aaaaaa_1_0000_n0_wp_x (a INT); CREATE TABLE pr_ec2dc5_ff_0000_n0_wp_x (a INT);
         CREATE TABLE pr_ec2dc5_1_0000_n0_wp_x (a INT); CREATE TABLE pr_ec2dc5_1_0000_o0_wp_x (a INT);",
    );
    assert!(report.aside.clone().unwrap().stem.starts_with("pr_ec2dc5_"));
    let recovered = recover(&place.home, EPOCH, &place.settings, &place.watch).unwrap();
    assert_eq!(recovered.dropped, ["pr_ec2dc5_1_0000_n0_wp_x"]);
    assert_eq!(recovered.unknown, ["pr_ec2dc5_1_0000_o0_wp_x"]);
    assert_eq!(recovered.kept, [report.aside.unwrap()]);
    let names = place.names();
    for kept in [
        "pr_aaaaaa_1_0000_n0",
        "pr_ec2dc5_ff_0000_n0",
        "pr_ec2dc5_1_0000_o0",
    ] {
        assert!(names.contains(kept), "{names}");
    }
    // What a restore works on is in no dump.
    assert!(!text(&place.dump()).contains("pr_"));
}

/// Recovery ends the statements of its own database only, though all sites with the
/// same prefix give their tables the same beginning.
#[test]
fn recovery_leaves_restores_in_other_databases_running() {
    let place = Place::new();
    place.stock_restore(OLD.as_bytes());
    let other = Mariadb::of_process().unwrap().database().unwrap();
    place.sql(&format!(
        "GRANT ALL ON {}.* TO {}@localhost; GRANT PROCESS ON *.* TO {}@localhost",
        other.name, place.database.user, place.database.user
    ));
    let slow = |database: &Database| {
        Command::new("mariadb")
            .arg("--no-defaults")
            .arg(format!("--socket={}", place.database.socket.display()))
            .arg(format!("--user={}", place.database.user))
            .arg(format!("--password={}", place.database.password))
            .arg(&database.name)
            .args(["--comments", "-e", "SELECT /* pr_ec2dc5_ */ SLEEP(60)"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let (mut here, mut there) = (slow(&place.database), slow(&other));
    let running = || {
        place.sql("SELECT DB FROM information_schema.PROCESSLIST WHERE INFO LIKE '%SLEEP(60)' ORDER BY DB")
    };
    while running().lines().count() < 2 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    recover(&place.home, EPOCH, &place.settings, &place.watch).unwrap();
    assert_eq!(running().trim(), other.name);
    assert!(!here.wait().unwrap().success());
    there.kill().unwrap();
    there.wait().unwrap();
}
