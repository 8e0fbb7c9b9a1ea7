//! Updates that change tables themselves.

use crate::{place::Place, steps::of};
use pressroom_wordpress::database::restore_point::{ConflictKind, Made};

const TABLES: &str = "
CREATE TABLE wp_orders (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, total DECIMAL(8,2) NOT NULL, note VARCHAR(10) NOT NULL DEFAULT '', old INT NOT NULL DEFAULT 7) DEFAULT CHARSET=utf8mb4;
INSERT INTO wp_orders (id, total, note, old) VALUES (1, 1, 'one', 11), (2, 2, 'two', 12), (3, 3, 'three', 13), (4, 4, 'four', 14);
CREATE TABLE wp_nokey (a INT, b TEXT); INSERT INTO wp_nokey VALUES (1, 'x'), (1, 'x'), (2, NULL);
CREATE TABLE wp_gone (id INT PRIMARY KEY, v INT) ENGINE=InnoDB; INSERT INTO wp_gone VALUES (1, 5);
";
const UPDATE: &str = "
ALTER TABLE wp_orders DROP COLUMN old, ADD COLUMN tax DECIMAL(8,2) NOT NULL DEFAULT 0, MODIFY note VARCHAR(50) NOT NULL DEFAULT '', ADD KEY n (note);
UPDATE wp_orders SET note = 'migrated' WHERE id = 4;
";

#[test]
fn a_changed_table_returns_exactly() {
    let place = Place::with(TABLES);
    let before = place.checksums();
    let dump = place.dump();
    let report = place.course(
        &format!("{UPDATE} DROP TABLE wp_gone; CREATE TABLE wp_came (a INT PRIMARY KEY); INSERT INTO wp_came VALUES (1); INSERT INTO wp_nokey VALUES (3, 'u');"),
        "SELECT 1",
    );
    assert_eq!(of(&report, "wp_orders").how, Made::Exact);
    assert_eq!(of(&report, "wp_nokey").how, Made::Exact);
    assert_eq!(of(&report, "wp_gone").how, Made::Returned);
    let came = of(&report, "wp_came");
    assert_eq!(came.how, Made::Dropped);
    assert!(came.notes.is_empty(), "{came:?}");
    assert_eq!(place.checksums(), before);
    crate::place::same(&place.dump(), &dump);
}

#[test]
fn what_others_wrote_goes_over_where_it_fits() {
    let place = Place::with(TABLES);
    let point = place.take();
    place.sql(UPDATE);
    let sealed = place.seal(&point);
    assert!(sealed.changed[0].structure && sealed.changed[0].rows.is_none());
    place.sql(
        "INSERT INTO wp_orders (id, total, note, tax) VALUES (10, 10, 'ten', 1), (11, 11, 'far too long for before', 1);
         UPDATE wp_orders SET total = 99 WHERE id = 2; DELETE FROM wp_orders WHERE id = 3; UPDATE wp_orders SET total = 44 WHERE id = 4;
         INSERT INTO wp_orders (id, total) VALUES (500, 1); DELETE FROM wp_orders WHERE id = 500;",
    );
    let report = place.merge(&point);
    assert_eq!(
        place.sql("SELECT id, total, note, old FROM wp_orders ORDER BY id"),
        "1\t1.00\tone\t11\n2\t99.00\ttwo\t12\n4\t44.00\tmigrated\t14\n10\t10.00\tten\t7\n"
    );
    let orders = of(&report, "wp_orders");
    assert_eq!(orders.how, Made::Merged);
    let kinds: Vec<(String, ConflictKind)> = orders
        .conflicts
        .iter()
        .map(|one| (one.key[0].now.clone().unwrap(), one.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            ("4".to_owned(), ConflictKind::Changed),
            ("11".to_owned(), ConflictKind::DoesNotFit)
        ],
        "{orders:#?}"
    );
    assert_eq!(orders.conflicts_total, 2);
    let aside = orders.aside.as_ref().unwrap();
    assert_eq!(
        place.sql(&format!("SELECT note FROM {aside} WHERE id = 11")),
        "far too long for before\n"
    );
    // Numbers that were handed out are not handed out again.
    place.sql("INSERT INTO wp_orders (total) VALUES (1)");
    assert_eq!(place.sql("SELECT MAX(id) FROM wp_orders"), "501\n");
    place.merge(&point);
    assert_eq!(place.sql("SELECT MAX(id) FROM wp_orders"), "501\n");
    place.drop(&point);
    place.nothing_left();
}

#[test]
fn without_a_key_a_table_returns_whole_and_others_rows_are_aside() {
    let place = Place::with(TABLES);
    let before = place.checksums();
    let point = place.take();
    place
        .sql("INSERT INTO wp_nokey VALUES (3, 'update'); CREATE TABLE wp_came (a INT PRIMARY KEY)");
    place.seal(&point);
    place.sql("INSERT INTO wp_nokey VALUES (4, 'mine'); INSERT INTO wp_came VALUES (8)");
    let report = place.merge(&point);
    let nokey = of(&report, "wp_nokey");
    assert_eq!(nokey.how, Made::Whole);
    assert_eq!(nokey.notes.len(), 1);
    assert_eq!(place.checksums(), before);
    let aside = nokey.aside.as_ref().unwrap();
    assert_eq!(
        place.sql(&format!("SELECT b FROM {aside} WHERE a = 4")),
        "mine\n"
    );
    let came = of(&report, "wp_came");
    assert_eq!((came.how, came.notes.len()), (Made::Dropped, 1));
    let aside = came.aside.as_ref().unwrap();
    assert_eq!(place.sql(&format!("SELECT a FROM {aside}")), "8\n");
    // What is written there since is nobody's business.
    place.sql("INSERT INTO wp_nokey VALUES (5, 'later')");
    place.merge(&point);
    assert_eq!(
        place.sql("SELECT COUNT(*) FROM wp_nokey WHERE a = 5"),
        "1\n"
    );
    place.drop(&point);
    place.nothing_left();
}

#[test]
fn what_somebody_made_or_dropped_since_is_left() {
    let place = Place::with(TABLES);
    let point = place.take();
    place.sql("DROP TABLE wp_gone; UPDATE wp_orders SET note = 'u'; CREATE TABLE wp_came (a INT)");
    place.seal(&point);
    place.sql("CREATE TABLE wp_gone (other INT); ALTER TABLE wp_orders ADD COLUMN mine INT; CREATE TABLE wp_mine (a INT); DROP TABLE wp_came");
    let names = place.sql("SHOW TABLES LIKE 'wp%'");
    let report = place.merge(&point);
    assert_eq!(place.sql("SHOW TABLES LIKE 'wp%'"), names);
    for name in ["wp_gone", "wp_orders"] {
        let table = of(&report, name);
        assert_eq!((table.how, table.notes.len()), (Made::Kept, 1), "{name}");
    }
    assert_eq!(of(&report, "wp_came").how, Made::Already);
    place.drop(&point);
    place.nothing_left();
}

#[test]
fn triggers_do_not_fire_and_foreign_keys_stay() {
    let place = Place::with("");
    place.stock_restore(
        b"CREATE TABLE wp_log (n INT PRIMARY KEY AUTO_INCREMENT, t TEXT); CREATE TABLE wp_p (id INT PRIMARY KEY, v INT); CREATE TABLE wp_c (id INT PRIMARY KEY, p INT, KEY kp (p), CONSTRAINT fk FOREIGN KEY (p) REFERENCES wp_p (id) ON DELETE CASCADE);
          CREATE TABLE wp_t (id INT PRIMARY KEY, v INT); INSERT INTO wp_p VALUES (1,1),(2,2); INSERT INTO wp_c VALUES (1,1),(2,2); INSERT INTO wp_t VALUES (1,1),(2,2);
          CREATE TRIGGER wp_tr AFTER UPDATE ON wp_t FOR EACH ROW INSERT INTO wp_log (t) VALUES ('fired');",
    );
    let (before, names) = (place.checksums(), place.names());
    let triggers = place.sql("SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE, ACTION_STATEMENT, DEFINER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()");
    // The update changes rows of all, a foreign key's table itself, and the trigger.
    let report = place.course(
        "UPDATE wp_t SET v = v + 1; DELETE FROM wp_p WHERE id = 2; ALTER TABLE wp_c ADD COLUMN x INT;
         DROP TRIGGER wp_tr; CREATE TRIGGER wp_tr AFTER UPDATE ON wp_t FOR EACH ROW INSERT INTO wp_log (t) VALUES ('new');",
        "SELECT 1",
    );
    assert_eq!((place.checksums(), place.names()), (before, names));
    assert_eq!(place.sql("SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE, ACTION_STATEMENT, DEFINER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()"), triggers);
    assert_eq!(of(&report, "wp_t").how, Made::Exact);
    assert_eq!(of(&report, "wp_log").how, Made::Exact);
    let point = place.take();
    place.sql("UPDATE wp_t SET v = 50 WHERE id = 1");
    place.seal(&point);
    place.sql("UPDATE wp_t SET v = 60 WHERE id = 2");
    let fired = place.sql("SELECT COUNT(*) FROM wp_log");
    place.merge(&point);
    assert_eq!(place.sql("SELECT v FROM wp_t ORDER BY id"), "1\n60\n");
    assert_eq!(fired, "2\n");
    // One was the update's.
    assert_eq!(place.sql("SELECT COUNT(*) FROM wp_log"), "1\n");
    place.sql("UPDATE wp_t SET v = 0");
    assert_eq!(place.sql("SELECT COUNT(*) FROM wp_log"), "3\n");
    place.drop(&point);
    place.nothing_left();
}

/// A worker that was killed after the exchange leaves to the next what was written into the
/// table aside in the last instant; others have written since.
#[test]
fn the_last_rows_are_brought_over_later_and_no_newer_one_is_lost() {
    let place = Place::with(TABLES);
    let point = place.take();
    place.sql("ALTER TABLE wp_orders ADD COLUMN tax INT");
    place.seal(&point);
    place.sql("UPDATE wp_orders SET total = 40 WHERE id = 4");
    let report = place.merge(&point);
    let aside = of(&report, "wp_orders").aside.clone().unwrap();
    let base = format!("{}d9_wp_orders", point.handle);
    place.sql(&format!(
        "CREATE TABLE {base} LIKE {aside}; INSERT INTO {base} SELECT * FROM {aside};
         UPDATE {aside} SET total = 100 WHERE id IN (1, 2); DELETE FROM {aside} WHERE id = 3; UPDATE {aside} SET total = 400 WHERE id = 4;
         INSERT INTO {aside} (id, total) VALUES (50, 50), (51, 51);
         UPDATE wp_orders SET total = 7 WHERE id = 1; INSERT INTO wp_orders (id, total) VALUES (51, 7)"
    ));
    let path = place
        .home
        .path()
        .join(format!(".pressroom/points/{}.json", point.handle));
    let mut record: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    record["work"] = serde_json::json!([base]);
    record["replay"] = serde_json::json!([["wp_orders", base]]);
    std::fs::write(&path, record.to_string()).unwrap();
    for _ in 0..2 {
        place.merge(&point);
        assert_eq!(
            place.sql("SELECT id, total FROM wp_orders ORDER BY id"),
            "1\t7.00\n2\t100.00\n4\t400.00\n50\t50.00\n51\t7.00\n"
        );
    }
    place.drop(&point);
    place.nothing_left();
}
