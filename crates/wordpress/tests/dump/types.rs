//! Every type of MariaDB 10.11 and every kind of thing in a database.

use crate::place::{Place, all, same};
use std::fmt::Write;

/// Each type as its documentation lists it, with values at its edges.
const TYPES: &[(&str, &[&str])] = &[
    ("TINYINT", &["-128", "127", "0", "NULL"]),
    ("TINYINT UNSIGNED ZEROFILL", &["0", "255"]),
    ("BOOLEAN", &["TRUE", "FALSE"]),
    ("SMALLINT", &["-32768", "32767"]),
    ("MEDIUMINT", &["-8388608", "8388607"]),
    ("INT", &["-2147483648", "2147483647"]),
    ("INT(5) UNSIGNED ZEROFILL", &["42", "4294967295"]),
    ("BIGINT", &["-9223372036854775808", "9223372036854775807"]),
    ("BIGINT UNSIGNED", &["18446744073709551615"]),
    (
        "DECIMAL(65,30)",
        &[
            "-1.000000000000000000000000000001",
            "99999999999999999999999999999999999",
        ],
    ),
    ("DECIMAL(10,0)", &["-5", "NULL"]),
    (
        "FLOAT",
        &[
            "0.1",
            "-3.402823466E+38",
            "1.17549e-38",
            "16777217",
            "123456.789",
            "NULL",
        ],
    ),
    ("FLOAT(7,2)", &["1.1", "-99999.99"]),
    (
        "DOUBLE",
        &[
            "0.1",
            "1.7976931348623157e308",
            "-0e0",
            "5e-324",
            "2.2250738585072014e-308",
            "1e15",
        ],
    ),
    ("DOUBLE(20,5)", &["123456789012.12345"]),
    ("BIT(1)", &["b'1'", "b'0'", "NULL"]),
    (
        "BIT(64)",
        &[
            "b'1111111111111111111111111111111111111111111111111111111111111111'",
            "b'101'",
        ],
    ),
    (
        "DATE",
        &[
            "'2024-02-29'",
            "'0000-00-00'",
            "'2024-00-00'",
            "'2023-02-31'",
            "'9999-12-31'",
        ],
    ),
    ("TIME", &["'-838:59:59'", "'00:00:00'", "'838:59:59'"]),
    ("TIME(6)", &["'12:34:56.789012'"]),
    (
        "DATETIME",
        &[
            "'0000-00-00 00:00:00'",
            "'1000-01-01 00:00:00'",
            "'2024-06-00 01:02:03'",
        ],
    ),
    ("DATETIME(6)", &["'9999-12-31 23:59:59.999999'"]),
    (
        "TIMESTAMP NULL",
        &[
            "'2024-03-31 01:30:00'",
            "'0000-00-00 00:00:00'",
            "NULL",
            "'1970-01-01 00:00:01'",
        ],
    ),
    ("TIMESTAMP(3) NULL", &["'2038-01-19 03:14:07.999'"]),
    ("YEAR", &["1901", "2155", "0000"]),
    ("CHAR(10)", &["''", "'é  '", "'😀😀'", "NULL"]),
    (
        "CHAR(10) CHARACTER SET latin1",
        &["'café'", "0x80FF27", "'plain'"],
    ),
    (
        "VARCHAR(40)",
        &[
            "'it''s \"q\" \\\\ \\n\\r\\t\\0\\Z;'",
            "'trailing  '",
            "'/*!50000 x */ -- '",
            "'delimiter ;;'",
        ],
    ),
    (
        "VARCHAR(40) CHARACTER SET latin1 COLLATE latin1_german2_ci",
        &["0xC3A9E9", "'ß'"],
    ),
    ("VARCHAR(40) CHARACTER SET utf8mb3", &["'€'"]),
    ("VARCHAR(40) CHARACTER SET ascii", &["'a'"]),
    ("VARCHAR(40) CHARACTER SET ucs2", &["'né'"]),
    ("VARCHAR(40) CHARACTER SET utf16", &["'😀'", "''"]),
    ("VARCHAR(40) CHARACTER SET utf16le", &["'😀'"]),
    ("VARCHAR(40) CHARACTER SET utf32", &["'😀'"]),
    ("VARCHAR(40) CHARACTER SET sjis", &["0x835C", "'a'"]),
    ("VARCHAR(40) CHARACTER SET gbk", &["0x815C", "'中'"]),
    ("VARCHAR(40) CHARACTER SET big5", &["0xA55C"]),
    (
        "VARCHAR(40) CHARACTER SET cp1251 COLLATE cp1251_ukrainian_ci",
        &["'Київ'"],
    ),
    ("VARCHAR(40) CHARACTER SET swe7", &["0x5B5C5D", "'a'"]),
    (
        "VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_nopad_as_cs",
        &["'ä'", "'ä '"],
    ),
    ("VARCHAR(200) COMPRESSED", &["REPEAT('abc', 60)", "''"]),
    ("TINYTEXT", &["'x'"]),
    ("TEXT", &["REPEAT('é', 20000)"]),
    ("TEXT COMPRESSED", &["REPEAT('é', 20000)"]),
    ("MEDIUMTEXT", &["REPEAT('lorem ', 50000)"]),
    ("LONGTEXT", &["'<p>\\n</p>'"]),
    (
        "LONGTEXT CHARACTER SET latin1",
        &["0xE9E8", "REPEAT('a', 70000)"],
    ),
    ("BINARY(4)", &["0x00FF2700", "''", "NULL"]),
    ("VARBINARY(40)", &["0x00275C0A0D1A22", "''"]),
    ("TINYBLOB", &["0xFF"]),
    ("BLOB", &["0x00", "''", "NULL"]),
    (
        "MEDIUMBLOB",
        &["REPEAT(UNHEX('000A0D1A275C22FF80'), 20000)"],
    ),
    ("LONGBLOB", &["0x7F"]),
    ("BLOB COMPRESSED", &["REPEAT(0x00FF, 1000)"]),
    (
        "ENUM('a','it''s','é','')",
        &["'a'", "'it''s'", "'é'", "''", "NULL"],
    ),
    ("ENUM('x','y')", &["'not there'", "2"]),
    (
        "SET('a','b','c d') CHARACTER SET latin1",
        &["''", "'a,c d'", "NULL"],
    ),
    ("JSON", &["'{\"a\": [1, \"é\\\\n\"]}'", "NULL"]),
    ("UUID", &["'01234567-89ab-cdef-0123-456789abcdef'", "NULL"]),
    ("INET4", &["'255.0.0.1'"]),
    ("INET6", &["'::1'", "'2001:db8::ff00:42:8329'"]),
    ("GEOMETRY", &["ST_GeomFromText('POINT(1 2)', 4326)", "NULL"]),
    ("POINT", &["ST_GeomFromText('POINT(-0.5 1e100)')"]),
    ("LINESTRING", &["ST_GeomFromText('LINESTRING(0 0,1 1)')"]),
    (
        "POLYGON",
        &["ST_GeomFromText('POLYGON((0 0,0 3,3 3,0 0))')"],
    ),
    ("MULTIPOINT", &["ST_GeomFromText('MULTIPOINT(0 0,1 1)')"]),
    (
        "MULTILINESTRING",
        &["ST_GeomFromText('MULTILINESTRING((0 0,1 1))')"],
    ),
    (
        "MULTIPOLYGON",
        &["ST_GeomFromText('MULTIPOLYGON(((0 0,0 3,3 3,0 0)))')"],
    ),
    (
        "GEOMETRYCOLLECTION",
        &["ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1))')"],
    ),
];

/// What is not a type but belongs to a schema.
const THINGS: &str = r#"
CREATE SEQUENCE wp_seq START WITH 100 INCREMENT BY 7 MAXVALUE 1000 CYCLE CACHE 3;
DO NEXTVAL(wp_seq);
CREATE TABLE wp_uses_seq (id INT NOT NULL DEFAULT NEXTVAL(wp_seq) PRIMARY KEY, a INT DEFAULT 3);
INSERT INTO wp_uses_seq (a) VALUES (1),(2);
CREATE TABLE wp_generated (id INT PRIMARY KEY AUTO_INCREMENT, a INT, v INT AS (a + 1) VIRTUAL,
  p VARCHAR(20) AS (CONCAT('x', a)) PERSISTENT, d DATETIME DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  u VARCHAR(40) DEFAULT (UPPER('a')), hidden INT INVISIBLE DEFAULT 9, KEY (p), CHECK (a < 100), CONSTRAINT named CHECK (a > -100))
  AUTO_INCREMENT=500 COMMENT='it''s ; `x` -- y';
INSERT INTO wp_generated (id, a, d, hidden) VALUES (0, 5, '2020-01-01', 1), (7, NULL, '2020-01-01', NULL);
CREATE TABLE wp_versioned (id INT PRIMARY KEY, a INT) WITH SYSTEM VERSIONING;
INSERT INTO wp_versioned VALUES (1, 1); UPDATE wp_versioned SET a = 2;
CREATE TABLE wp_period (id INT, s DATE, e DATE, PERIOD FOR app (s, e), UNIQUE (id, app WITHOUT OVERLAPS));
INSERT INTO wp_period VALUES (1, '2020-01-01', '2021-01-01');
CREATE TABLE wp_parts (id INT, a VARCHAR(10), PRIMARY KEY (id)) PARTITION BY RANGE (id)
  (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE);
INSERT INTO wp_parts VALUES (20, 'b'), (1, 'a');
CREATE TABLE wp_hash (id INT) PARTITION BY HASH (id) PARTITIONS 3;
INSERT INTO wp_hash VALUES (3), (1), (2), (1);
CREATE TABLE wp_isam (a INT, t TEXT, FULLTEXT KEY (t)) ENGINE=MyISAM; INSERT INTO wp_isam VALUES (2,'b'),(1,'a');
CREATE TABLE wp_aria (a INT PRIMARY KEY, t TEXT) ENGINE=Aria; INSERT INTO wp_aria VALUES (2,'b'),(1,'a');
CREATE TABLE wp_memory (a INT PRIMARY KEY, KEY b USING BTREE (a)) ENGINE=MEMORY; INSERT INTO wp_memory VALUES (2),(1);
CREATE TABLE wp_compressed (a INT PRIMARY KEY) ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8;
CREATE TABLE wp_paged (a INT PRIMARY KEY) PAGE_COMPRESSED=1;
CREATE TABLE wp_nokey (a INT, b TEXT, KEY (a)); INSERT INTO wp_nokey VALUES (3,'c'),(1,'a'),(3,'c'),(2,NULL);
CREATE TABLE wp_spatial (p POINT NOT NULL, t TEXT, SPATIAL KEY (p), FULLTEXT KEY t (t)); INSERT INTO wp_spatial VALUES (POINT(1,2), 'a');
CREATE TABLE wp_desc (a INT, b VARCHAR(300), PRIMARY KEY (a DESC), UNIQUE KEY u (b(100)), KEY i (b(20) DESC) IGNORED); INSERT INTO wp_desc VALUES (1,'x'),(2,'y');
CREATE TABLE wp_parent (id INT PRIMARY KEY, k VARCHAR(5) UNIQUE); CREATE TABLE wp_child (id INT PRIMARY KEY, p INT, k VARCHAR(5),
  FOREIGN KEY (p) REFERENCES wp_parent (id) ON DELETE CASCADE, CONSTRAINT `my fk` FOREIGN KEY (k) REFERENCES wp_parent (k) ON UPDATE SET NULL);
CREATE TABLE wp_self (id INT PRIMARY KEY, up INT, CONSTRAINT me FOREIGN KEY (up) REFERENCES wp_self (id));
INSERT INTO wp_self VALUES (1,1),(2,1); INSERT INTO wp_parent VALUES (1,'a'); INSERT INTO wp_child VALUES (1,1,'a');
CREATE TABLE `wp_odd ``name-é` (`a ``b` INT PRIMARY KEY, `select` INT, `é` INT); INSERT INTO `wp_odd ``name-é` VALUES (1,2,3);
CREATE TABLE wp_empty (a INT);
CREATE VIEW wp_z AS SELECT id, a FROM wp_generated WHERE u <> 'é''x';
CREATE VIEW wp_a AS SELECT z.id, y.a FROM wp_z z JOIN wp_parts y ON y.id <> z.id;
CREATE ALGORITHM=MERGE SQL SECURITY INVOKER VIEW wp_m AS SELECT * FROM wp_a WHERE id > 0;
CREATE VIEW wp_trims AS SELECT TRIM('x' FROM t.t) AS a, EXTRACT(YEAR FROM g.d) AS y FROM wp_isam t, wp_generated g;
CREATE VIEW wp_check AS SELECT a FROM wp_empty WHERE a > 1 WITH LOCAL CHECK OPTION;
CREATE TRIGGER wp_second BEFORE INSERT ON wp_empty FOR EACH ROW SET NEW.a = NEW.a + 1;
CREATE TRIGGER wp_first BEFORE INSERT ON wp_empty FOR EACH ROW PRECEDES wp_second SET NEW.a = NEW.a * 2;
CREATE FUNCTION wp_twice(x INT) RETURNS INT DETERMINISTIC RETURN x * 2;
CREATE VIEW wp_calls AS SELECT wp_twice(a) AS t FROM wp_empty;
CREATE EVENT wp_daily ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DISABLE COMMENT 'é' DO DELETE FROM wp_empty;
DELIMITER //
CREATE PROCEDURE wp_proc(IN a INT) BEGIN DECLARE x INT; -- a comment; with 'quote
 SET x = a; IF x > 1 THEN SELECT ';;'; END IF; /* another */ END//
SET sql_mode = 'ANSI_QUOTES'//
CREATE TRIGGER wp_ansi AFTER UPDATE ON wp_parts FOR EACH ROW BEGIN INSERT INTO "wp_empty" VALUES (NEW."id"); END//
SET sql_mode = ''//
DELIMITER ;
"#;

fn schema() -> String {
    let mut sql = "SET NAMES utf8mb4; SET sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO'; SET time_zone = 'SYSTEM';\n".to_owned();
    for (number, (kind, values)) in TYPES.iter().enumerate() {
        let _ = writeln!(
            sql,
            "CREATE TABLE wp_type_{number:02} (id INT PRIMARY KEY AUTO_INCREMENT, v {kind});"
        );
        for value in *values {
            let _ = writeln!(
                sql,
                "INSERT IGNORE INTO wp_type_{number:02} (v) VALUES ({value});"
            );
        }
    }
    sql + THINGS
}

/// A place with everything in it.
pub fn everything() -> Place {
    let place = Place::new();
    // By the site's own user: a routine of another hides its text.
    place.stock_restore(schema().as_bytes());
    let stored = place.sql("SELECT COUNT(*) FROM wp_type_00");
    assert_eq!(stored, "4\n");
    // Bytes that are no text in their column's set, as old servers left them.
    place.sql(
        "CREATE TABLE wp_broken (id INT PRIMARY KEY, t VARBINARY(20)); INSERT INTO wp_broken VALUES (1, 0xC3A9), (2, 0x61);
         ALTER TABLE wp_broken MODIFY t VARCHAR(20) CHARACTER SET latin1;",
    );
    place
}

#[test]
fn a_schema_with_every_type_comes_back_byte_for_byte() {
    let place = everything();
    let (first, report) = place.dump_with(&all()).unwrap();
    let before = place.checksums();
    assert_eq!(report.missing_rights, []);
    assert_eq!(report.left_out, []);
    assert_eq!(report.without_history, ["wp_versioned"]);
    let named = ["wp_aria", "wp_isam", "wp_memory"];
    assert_eq!(report.non_transactional, named);
    assert!(report.without_key.contains(&"wp_nokey".to_owned()));
    assert!(report.collations.contains(&"latin1_german2_ci".to_owned()));

    // Into another database, whose name is another.
    let other = Place::new();
    let restored = other.restore(&first).unwrap();
    same(&other.dump(), &first);
    assert!(restored.aside.unwrap().tables.is_empty());
    assert_eq!(content(&other), content_of(&before));
    // Over itself: everything that is there is put aside, and dropped.
    let things = place.names();
    place.replace(&first);
    same(&place.dump(), &first);
    assert_eq!(place.names(), things);
    assert_eq!(content(&place), content_of(&before));
    // What follows is checked as before.
    assert_eq!(
        place.sql("INSERT INTO wp_empty VALUES (3); SELECT * FROM wp_empty"),
        "7\n"
    );
    assert!(
        place
            .database
            .sql("INSERT INTO wp_child VALUES (9, 9, NULL)")
            .is_err()
    );
    assert_eq!(
        place.sql("DELETE FROM wp_parent; SELECT COUNT(*) FROM wp_child"),
        "0\n"
    );
    assert_eq!(place.sql("SELECT COUNT(*) FROM wp_m"), "2\n");
}

#[test]
fn the_stock_client_restores_the_same() {
    let place = everything();
    let first = place.dump();
    let other = Place::new();
    other.stock_restore(&first);
    same(&other.dump(), &first);
    assert_eq!(content(&other), content(&place));
    // Once more over what is there.
    other.stock_restore(&first);
    same(&other.dump(), &first);
}

#[test]
fn stock_dumps_come_back_through_ours() {
    let place = everything();
    // The stock program prints six digits of a `FLOAT`, a negative zero as the integer `-0`,
    // which has no sign, and no geometry in UTF-8.
    place.sql(
        "UPDATE wp_type_11 SET v = 0.5; UPDATE wp_type_12 SET v = 0.5; \
         UPDATE wp_type_13 SET v = 0 WHERE v = 0",
    );
    for arguments in [
        &["--hex-blob", "--routines", "--events", "--triggers"][..],
        &[
            "--hex-blob",
            "--routines",
            "--events",
            "--skip-opt",
            "--create-options",
            "--quick",
            "--complete-insert",
            "--set-charset",
        ],
        &[
            "--single-transaction",
            "--routines",
            "--events",
            "--hex-blob",
            "--no-autocommit",
            "--skip-comments",
        ],
    ] {
        let stock = place.stock_dump(arguments);
        let other = Place::new();
        if arguments.contains(&"--skip-comments") {
            // Without its comments nothing says which database its names mean.
            let why = other.restore(&stock).unwrap_err().to_string();
            assert!(why.contains("another database"), "{why}");
            continue;
        }
        let report = other
            .restore(&stock)
            .unwrap_or_else(|why| panic!("{arguments:?}: {why}"));
        assert!(report.definers_changed > 0);
        let differing: Vec<_> = content(&place)
            .into_iter()
            .zip(content(&other))
            .filter(|(ours, theirs)| ours != theirs)
            .collect();
        assert_eq!(differing, [], "{arguments:?}");
        assert_eq!(other.names(), place.names());
    }
}

/// Name and content of each table.
fn content(place: &Place) -> Vec<(String, u64, String)> {
    content_of(&place.checksums())
}

fn content_of(sums: &[pressroom_wordpress::database::TableChecksum]) -> Vec<(String, u64, String)> {
    sums.iter()
        .map(|sum| (sum.name.clone(), sum.rows, sum.content.clone()))
        .collect()
}
