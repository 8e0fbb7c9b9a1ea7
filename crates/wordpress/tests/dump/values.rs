//! Values of any bytes and any size.

use crate::place::{Place, all, same};
use pressroom_lab::Mariadb;
use pressroom_wordpress::{Error, database::checksums};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use std::fmt::Write as _;

#[test]
fn rows_of_twenty_megabytes_come_back() {
    let place = Place::with(
        "CREATE TABLE wp_big (id INT PRIMARY KEY, b LONGBLOB, t LONGTEXT);
         INSERT INTO wp_big VALUES (1, REPEAT(UNHEX('00FF275C0A0D1A61'), 2621440), REPEAT('😀\\n''', 1000000)), (2, REPEAT('x', 30000000), NULL);",
    );
    let (dump, report) = place.dump_with(&all()).unwrap();
    assert!(report.largest_statement > 30_000_000);
    let sums = place.checksums();
    let other = Place::new();
    other.restore(&dump).unwrap();
    assert_eq!(other.checksums()[0].content, sums[0].content);
    same(&other.dump(), &dump);
    let stock = Place::new();
    stock.stock_restore(&dump);
    assert_eq!(stock.checksums()[0].content, sums[0].content);
}

#[test]
fn any_text_and_any_bytes_round_trip() {
    let place = Place::with(
        "CREATE TABLE wp_any (id INT PRIMARY KEY, t LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, b LONGBLOB, l VARCHAR(200) CHARACTER SET latin1)",
    );
    let other = Place::new();
    let mut runner = TestRunner::new(Config {
        cases: 12,
        failure_persistence: None,
        ..Config::default()
    });
    let row = (
        ".{0,80}|[\\\\'\"`;\\n\\r\\x00\\x1a%_/*-]{0,40}",
        any::<Vec<u8>>(),
        proptest::collection::vec(any::<u8>(), 0..60),
    );
    runner
        .run(&proptest::collection::vec(row, 0..30), |rows| {
            // Hexadecimal on the way in: the code under test does not choose it.
            let mut sql = "TRUNCATE wp_any;".to_owned();
            for (id, (text, bytes, latin)) in rows.iter().enumerate() {
                let _ = write!(
                    sql,
                    "INSERT INTO wp_any VALUES ({id}, x'{}', x'{}', x'{}');",
                    hex::encode(text),
                    hex::encode(bytes),
                    hex::encode(latin)
                );
            }
            place.sql(&sql);
            let dump = place.dump();
            other.replace(&dump);
            let read = "SELECT id, HEX(t), HEX(b), HEX(l) FROM wp_any ORDER BY id";
            prop_assert_eq!(other.sql(read), place.sql(read));
            prop_assert_eq!(&other.checksums()[0].content, &place.checksums()[0].content);
            other.stock_restore(&dump);
            prop_assert_eq!(other.sql(read), place.sql(read));
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_checksum_changes_with_any_byte_and_with_nothing_else() {
    let place = Place::with(
        "CREATE TABLE wp_c (id INT, t TEXT, b BLOB, d DOUBLE, f FLOAT); INSERT INTO wp_c VALUES (1,'a',0x00,0.1,0.1),(2,'b',NULL,1,1),(2,'b',NULL,1,1)",
    );
    let sum = || place.checksums().remove(0);
    let first = sum();
    assert_eq!(first.rows, 3);
    for change in [
        "UPDATE wp_c SET t = 'A' WHERE id = 1",
        "UPDATE wp_c SET t = 'a ' WHERE id = 1",
        "UPDATE wp_c SET b = 0x0000 WHERE id = 1",
        "UPDATE wp_c SET b = '' WHERE id = 2 LIMIT 1",
        "UPDATE wp_c SET d = 0.1 + 1e-17 + 2e-17 WHERE id = 1",
        "UPDATE wp_c SET f = 0.10000001 WHERE id = 1",
        "UPDATE wp_c SET t = NULL WHERE id = 1",
        "DELETE FROM wp_c WHERE id = 2 LIMIT 1",
        "DELETE FROM wp_c WHERE id = 2",
        "INSERT INTO wp_c VALUES (1,'a',0x00,0.1,0.1)",
        "UPDATE wp_c SET id = 3 - id",
        "ALTER TABLE wp_c CHANGE t u TEXT",
    ] {
        place.sql(&format!(
            "CREATE OR REPLACE TABLE kept AS SELECT * FROM wp_c; {change}"
        ));
        assert_ne!(sum().content, first.content, "{change}");
        place.sql("DROP TABLE wp_c; RENAME TABLE kept TO wp_c");
        assert_eq!(sum().content, first.content, "after {change}");
    }
    let same_rows = [
        "ALTER TABLE wp_c ENGINE=MyISAM",
        "ALTER TABLE wp_c ENGINE=Aria ROW_FORMAT=FIXED",
        "ALTER TABLE wp_c ENGINE=InnoDB ROW_FORMAT=COMPRESSED, ADD KEY (id)",
        "ALTER TABLE wp_c ORDER BY t DESC",
        "ALTER TABLE wp_c ADD g INT AS (id + 1) VIRTUAL",
    ];
    for change in same_rows {
        place.sql(change);
        assert_eq!(sum().content, first.content, "{change}");
    }
    assert_ne!(sum().structure, first.structure);
    assert!(matches!(
        checksums(&place.settings, &["wp_none".into()], &place.watch),
        Err(Error::Missing(_))
    ));
}

/// Takes the text; while it does so first, somebody writes to the tables.
struct Writer<'a>(&'a Place, Vec<u8>, bool);
impl std::io::Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if !std::mem::replace(&mut self.2, true) {
            self.0.sql(
                "UPDATE wp_b SET n = 9; UPDATE wp_a SET n = 9; INSERT INTO wp_b VALUES (2, 9)",
            );
        }
        self.1.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_dump_is_one_moment() {
    let place = Place::with(
        "CREATE TABLE wp_a (id INT PRIMARY KEY, n INT); CREATE TABLE wp_b (id INT PRIMARY KEY, n INT);
         INSERT INTO wp_a SELECT seq, 0 FROM seq_1_to_20000; INSERT INTO wp_b VALUES (1, 0);",
    );
    let mut out = Writer(&place, Vec::new(), false);
    pressroom_wordpress::database::dump::dump(&place.settings, &all(), &mut out, &place.watch)
        .unwrap();
    let other = Place::new();
    other.restore(&out.1).unwrap();
    assert_eq!(
        other.sql("SELECT MAX(n) FROM wp_a; SELECT * FROM wp_b"),
        "0\n1\t0\n"
    );
}

#[test]
fn a_server_that_takes_smaller_packets_says_so() {
    let place = Place::new();
    let other = Mariadb::start("16M", "8M").unwrap();
    other
        .sql("SET GLOBAL max_allowed_packet = 1048576")
        .unwrap();
    let small = Place::of(other.database().unwrap());
    place.sql("CREATE TABLE wp_a (t LONGTEXT); INSERT INTO wp_a VALUES (REPEAT('a', 3000000))");
    let why = small.restore(&place.dump()).unwrap_err().to_string();
    assert!(why.contains("wp_a") && why.contains("packet"), "{why}");
    assert_eq!(small.names(), "");
}
