//! Points among themselves, and what is refused.

use crate::{
    place::{EPOCH, Place},
    steps::of,
};
use pressroom_base::Epoch;
use pressroom_wordpress::{
    Error, Watch,
    database::restore_point::{Made, MergeOptions, PointOptions, merge, recover, seal, take},
    fence,
};

const TABLES: &str = "
CREATE TABLE wp_a (id INT PRIMARY KEY, v INT); CREATE TABLE wp_b (id INT PRIMARY KEY, v INT); CREATE TABLE wp_log (id INT PRIMARY KEY, v INT);
INSERT INTO wp_a VALUES (1, 1); INSERT INTO wp_b VALUES (1, 1); INSERT INTO wp_log VALUES (1, 1);
";

#[test]
fn one_point_uses_the_copies_of_another() {
    let place = Place::with(TABLES);
    let first = place.take();
    place.sql("UPDATE wp_a SET v = 2");
    place.seal(&first);
    place.sql("UPDATE wp_b SET v = 3");
    let options = PointOptions {
        reuse: Some(first.handle.clone()),
        leave_out: vec!["wp_l*".into()],
    };
    let second = place.take_with(&options).unwrap();
    let reused: Vec<(&str, bool)> = second
        .tables
        .iter()
        .map(|one| (one.name.as_str(), one.reused))
        .collect();
    // The one as the update left it, which is kept too.
    assert_eq!(reused, [("wp_a", true), ("wp_b", false)]);
    assert_eq!(second.left_out[0].name, "wp_log");
    place.drop(&first);
    place.sql("UPDATE wp_a SET v = 4; UPDATE wp_b SET v = 4; UPDATE wp_log SET v = 4; CREATE TABLE wp_log2 (a INT)");
    place.seal(&second);
    let report = place.merge(&second);
    assert_eq!(report.tables.len(), 2);
    let values = "SELECT (SELECT v FROM wp_a), (SELECT v FROM wp_b), (SELECT v FROM wp_log)";
    assert_eq!(place.sql(values), "2\t3\t4\n");
    place.drop(&second);
    place.nothing_left();
}

#[test]
fn what_was_never_sealed_is_the_updates_or_left() {
    let place = Place::with(TABLES);
    let before = place.checksums();
    let point = place.take();
    place.sql("UPDATE wp_a SET v = 2; INSERT INTO wp_a VALUES (9, 9); DELETE FROM wp_b; CREATE TABLE wp_new (a INT)");
    let report = place.merge(&point);
    assert!(report.late);
    assert_eq!(place.checksums(), before);
    place.drop(&point);
    place.nothing_left();

    let point = place.take();
    place.sql("UPDATE wp_a SET v = 2; INSERT INTO wp_a VALUES (9, 9); ALTER TABLE wp_b ADD COLUMN x INT; INSERT INTO wp_b VALUES (7, 7, 7)");
    let report = place.merge_with(&point, true);
    assert_eq!(place.sql("SELECT * FROM wp_a ORDER BY id"), "1\t1\n9\t9\n");
    assert_eq!(place.sql("SELECT * FROM wp_b ORDER BY id"), "1\t1\n7\t7\n");
    let a = of(&report, "wp_a");
    assert_eq!(a.how, Made::Merged);
    assert_eq!(a.notes.len(), 1);
    let aside = a.aside.as_ref().unwrap();
    assert_eq!(
        place.sql(&format!("SELECT v FROM {aside} WHERE id = 1")),
        "2\n"
    );
    place.drop(&point);
    place.nothing_left();
}

#[test]
fn what_makes_no_sense_is_refused() {
    let place = Place::with(TABLES);
    let (home, settings, watch) = (&place.home, &place.settings, &place.watch);
    for handle in ["pr_000000_1_0000_", "../../etc/passwd", ""] {
        let why = seal(home, EPOCH, settings, handle, watch).unwrap_err();
        assert!(
            matches!(why, Error::Missing(_) | Error::BadInput(_)),
            "{why}"
        );
        let options = MergeOptions::default();
        let why = merge(home, EPOCH, settings, handle, &options, watch).unwrap_err();
        assert!(
            matches!(why, Error::Missing(_) | Error::BadInput(_)),
            "{why}"
        );
        let options = PointOptions {
            reuse: Some(handle.to_owned()),
            ..PointOptions::default()
        };
        place.take_with(&options).unwrap_err();
    }
    let point = place.take();
    fence::take(home, Epoch::new(9), watch).unwrap();
    let why = seal(home, EPOCH, settings, &point.handle, watch).unwrap_err();
    assert!(matches!(why, Error::Fenced { .. }), "{why}");
    // Whoever took over is told of it, and drops it.
    let found = recover(home, Epoch::new(9), settings, watch).unwrap();
    assert_eq!(found.points, std::slice::from_ref(&point.handle));
    assert!(found.dropped.is_empty() && found.unknown.is_empty() && found.kept.is_empty());
    place.sql(&format!("CREATE TABLE {}p9_wp_x (a INT)", point.handle));
    let found = recover(home, Epoch::new(9), settings, watch).unwrap();
    assert_eq!(found.unknown, [format!("{}p9_wp_x", point.handle)]);
}

#[test]
fn a_taking_that_is_withdrawn_leaves_nothing() {
    let place = Place::with(TABLES);
    place.sql("CREATE TABLE wp_large (id INT PRIMARY KEY AUTO_INCREMENT, v CHAR(200)); INSERT INTO wp_large (v) SELECT REPEAT('x', 200) FROM seq_1_to_200000");
    let watch = Watch::unbounded();
    let stop = watch.clone();
    let names = place.names();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let until = std::time::Instant::now() + std::time::Duration::from_mins(1);
            while place.sql("SHOW TABLES LIKE 'pr\\_%'").is_empty()
                && std::time::Instant::now() < until
            {}
            stop.cancel();
        });
        let options = PointOptions::default();
        let why = take(&place.home, EPOCH, &place.settings, &options, &watch).unwrap_err();
        assert!(matches!(why, Error::Cancelled), "{why}");
    });
    assert_eq!(place.names(), names);
    place.nothing_left();
    let running = place.sql("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE '%pr\\_______\\_%' AND ID <> CONNECTION_ID() AND DB = DATABASE()");
    assert_eq!(running, "0\n");
}

#[test]
fn a_user_who_may_make_no_table_is_told() {
    let place = Place::with(TABLES);
    let user = format!("'{}'@'localhost'", place.database.user);
    let own = place.sql(&format!("SHOW GRANTS FOR {user}"));
    let grant = own.lines().find(|line| line.contains(" ON `")).unwrap();
    let (_, on) = grant.split_once(" ON ").unwrap();
    let (on, _) = on.split_once(" TO ").unwrap();
    place.sql(&format!(
        "REVOKE ALL PRIVILEGES ON {on} FROM {user}; GRANT SELECT, INSERT, UPDATE, DELETE ON {on} TO {user}"
    ));
    let why = place
        .take_with(&PointOptions::default())
        .unwrap_err()
        .to_string();
    assert!(why.contains("`CREATE`"), "{why}");
    place.nothing_left();
}
