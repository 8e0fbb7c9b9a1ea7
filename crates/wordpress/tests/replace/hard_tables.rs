//! Tables that a site's plugins made, and rows that will not be written.

use super::{checksums, column_of, options, rows, run};
use pressroom_base::Epoch;
use pressroom_lab::{Site, Wordpress};
use pressroom_wordpress::{
    Error, Home, Watch, config,
    database::replace::{ReplaceOptions, search_replace},
    fence,
};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

const TABLES: &str = r#"
SET sql_mode = '';
CREATE TABLE wp_composite (a VARCHAR(40), b INT, c DATE, v LONGTEXT, PRIMARY KEY (a, b, c)) DEFAULT CHARSET utf8mb4 COLLATE utf8mb4_german2_ci;
INSERT INTO wp_composite VALUES ('ä', 1, '0000-00-00', 'http://old.test/1'), ('AE', 2, '2024-01-01', 'http://old.test/2'), ('z\'\\ ', -3, '2024-01-02', 's:15:"http://old.test";'),
  ('http://old.test', 4, '2024-01-02', 'http://old.test/4');
CREATE TABLE wp_isam (id INT PRIMARY KEY, v TEXT, w VARCHAR(20)) ENGINE=MyISAM;
INSERT INTO wp_isam VALUES (-5, 'http://old.test/a', 'http://old.test'), (7, 'http://old.test/b', 'http://old.test'), (9, 'none', 'none');
CREATE TABLE wp_keyless (v TEXT, w TEXT);
INSERT INTO wp_keyless VALUES ('http://old.test', 'x'), ('http://old.test', 'x'), ('x', 'x');
CREATE TABLE wp_unique (id INT NOT NULL, v VARCHAR(100), UNIQUE KEY (id));
INSERT INTO wp_unique VALUES (1, 'http://old.test');
CREATE TABLE wp_narrow (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, v VARCHAR(24) NOT NULL, UNIQUE KEY (v));
INSERT INTO wp_narrow (v) VALUES ('http://old.test/12345678'), ('http://old.test/1'), ('http://old.test/2'), ('https://longer.test/2'), ('http://old.test/3');
CREATE TABLE wp_stamped (id INT PRIMARY KEY, v TEXT, at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, day DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00', half DATE);
INSERT INTO wp_stamped VALUES (1, 'http://old.test', '2001-02-03 04:05:06', '0000-00-00 00:00:00', '2020-00-00'), (2, 'http://old.test', '2001-02-03 04:05:06', '0000-00-00 00:00:00', NULL);
CREATE TABLE wp_latin (id INT PRIMARY KEY, v TEXT CHARACTER SET latin1, u TEXT CHARACTER SET utf8mb3, w TEXT CHARACTER SET utf16, b BLOB, j LONGTEXT CHECK (JSON_VALID(j)));
INSERT INTO wp_latin VALUES (1, x'C3A9E9FF20687474703A2F2F6F6C642E74657374', 'é http://old.test', 'http://old.test', x'00FF687474703A2F2F6F6C642E74657374', '{"u":"http:\\/\\/old.test"}');
CREATE TABLE wp_made (id INT PRIMARY KEY, v VARCHAR(90), g VARCHAR(99) AS (CONCAT(v, '!')) STORED, h VARCHAR(99) AS (CONCAT(v, '?')) VIRTUAL);
INSERT INTO wp_made (id, v) VALUES (1, 'http://old.test');
CREATE VIEW wp_view AS SELECT id, v FROM wp_made;
CREATE TABLE `wp_odd ``name` (`i``d` INT PRIMARY KEY, `v ä` TEXT);
INSERT INTO `wp_odd ``name` VALUES (1, 'http://old.test');
CREATE TABLE other (id INT PRIMARY KEY, v TEXT);
INSERT INTO other VALUES (1, 'http://old.test');
CREATE TABLE wp_x_options (option_id INT PRIMARY KEY, v TEXT); CREATE TABLE wp_x_posts (id INT PRIMARY KEY, guid TEXT);
INSERT INTO wp_x_options VALUES (1, 'http://old.test');
CREATE TABLE wp_wide (id INT PRIMARY KEY, v LONGTEXT);
INSERT INTO wp_wide SELECT seq, CONCAT(REPEAT('0123456789', 50000), 'http://old.test', seq) FROM seq_1_to_40;
INSERT INTO wp_wide VALUES (0, CONCAT('http://old.test', REPEAT('x', 9000000)));
"#;

#[test]
fn every_kind_of_table_is_written_or_named() {
    let site = Site::new(Wordpress::V6_5).expect("a site");
    site.database.sql(TABLES).expect("tables");
    let mut options = options(&[("http://old.test", "https://longer.test")]);
    options.tables = site
        .database
        .sql("SHOW TABLES")
        .expect("tables")
        .lines()
        .filter(|name| {
            *name == "other"
                || name.starts_with("wp_x_")
                || TABLES.contains(&format!("TABLE {name} "))
                || name.contains('`')
                || *name == "wp_view"
        })
        .map(str::to_owned)
        .collect();
    let report = run(&site, &options).expect("a run");
    let sql = |statement: &str| site.database.sql(statement).expect("rows");

    // Keys of every kind; a key that holds the text stays and is counted.
    assert_eq!(
        sql("SELECT v FROM wp_composite ORDER BY b"),
        "s:19:\"https://longer.test\";\nhttps://longer.test/1\nhttps://longer.test/2\nhttps://longer.test/4\n"
    );
    assert_eq!(column_of(&report, "wp_composite", "a").remaining, Some(1));
    assert_eq!(
        sql("SELECT id, v, w FROM wp_isam ORDER BY id"),
        "-5\thttps://longer.test/a\thttps://longer.test\n7\thttps://longer.test/b\thttps://longer.test\n9\tnone\tnone\n"
    );
    let isam = report
        .tables
        .iter()
        .find(|table| table.name == "wp_isam")
        .expect("a table");
    assert!(!isam.transactional && isam.rows == 2);
    assert_eq!(sql("SELECT v FROM wp_unique"), "https://longer.test\n");

    // No key: left, and its hits said.
    let keyless = report
        .tables
        .iter()
        .find(|table| table.name == "wp_keyless")
        .expect("a table");
    assert_eq!(keyless.skipped.as_deref(), Some("no key names its rows"));
    assert_eq!(column_of(&report, "wp_keyless", "v").remaining, Some(2));
    assert_eq!(
        sql("SELECT COUNT(*) FROM wp_keyless WHERE v = 'http://old.test'"),
        "2\n"
    );

    // Too long, or there already: the row stays, the others are written.
    assert_eq!(
        sql("SELECT v FROM wp_narrow ORDER BY id"),
        "http://old.test/12345678\nhttps://longer.test/1\nhttp://old.test/2\nhttps://longer.test/2\nhttps://longer.test/3\n"
    );
    let narrow = column_of(&report, "wp_narrow", "v");
    assert_eq!(
        (narrow.rows, narrow.failed, narrow.left, narrow.remaining),
        (2, 2, 2, Some(2))
    );
    assert_eq!(narrow.failures[0].key, "1");
    assert!(
        narrow.failures[0].why.contains("too long"),
        "{:?}",
        narrow.failures
    );
    assert!(
        narrow.failures[1].why.contains("Duplicate"),
        "{:?}",
        narrow.failures
    );

    // Stamps and dates that no calendar has.
    assert_eq!(
        sql("SELECT v, at, day, half FROM wp_stamped"),
        "https://longer.test\t2001-02-03 04:05:06\t0000-00-00 00:00:00\t2020-00-00\nhttps://longer.test\t2001-02-03 04:05:06\t0000-00-00 00:00:00\tNULL\n"
    );

    // Bytes are bytes, and text keeps what its character set makes of it.
    assert_eq!(
        sql("SELECT HEX(v), HEX(u), w, HEX(b), j FROM wp_latin"),
        "C3A9E9FF2068747470733A2F2F6C6F6E6765722E74657374\tC3A92068747470733A2F2F6C6F6E6765722E74657374\thttps://longer.test\t00FF687474703A2F2F6F6C642E74657374\t{\"u\":\"https:\\\\/\\\\/longer.test\"}\n"
    );
    assert_eq!(
        sql("SELECT v, g, h FROM wp_made"),
        "https://longer.test\thttps://longer.test!\thttps://longer.test?\n"
    );
    assert!(report.tables.iter().all(|table| table.name != "wp_view"));
    assert_eq!(
        sql("SELECT `v ä` FROM `wp_odd ``name`"),
        "https://longer.test\n"
    );

    // Rows of half a megabyte and of nine.
    assert_eq!(
        sql("SELECT COUNT(*), SUM(v LIKE '%https://longer.test%') FROM wp_wide"),
        "41\t41\n"
    );
    assert_eq!(rows(&report, "wp_wide", "v"), 41);

    // Not ours.
    assert_eq!(
        sql("SELECT v FROM other; SELECT v FROM wp_x_options"),
        "http://old.test\nhttp://old.test\n"
    );
    assert_eq!(report.verified, Some(true));

    // Bytes when asked for, all tables when asked for, nothing that is to be left.
    options.blobs = true;
    options.all_tables = true;
    options.skip_tables = vec!["wp_narrow".into()];
    options.skip_columns = vec!["wp_x_options.v".into()];
    let report = run(&site, &options).expect("a run");
    assert_eq!(
        sql("SELECT HEX(b) FROM wp_latin"),
        "00FF68747470733A2F2F6C6F6E6765722E74657374\n"
    );
    assert_eq!(
        sql("SELECT v FROM other; SELECT v FROM wp_x_options"),
        "https://longer.test\nhttp://old.test\n"
    );
    assert_eq!(report.rows, 2);
    options.columns = vec!["guid".into()];
    assert_eq!(run(&site, &options).expect("a run").rows, 0);
}

#[test]
fn a_row_that_others_write_loses_nothing() {
    let site = Site::new(Wordpress::V6_5).expect("a site");
    site.database
        .sql("CREATE TABLE wp_busy (id INT PRIMARY KEY, n INT NOT NULL, v LONGTEXT); \
              INSERT INTO wp_busy SELECT seq, 0, CONCAT('http://old.test ', REPEAT('x', 3000)) FROM seq_1_to_3000;")
        .expect("a table");
    let done = AtomicBool::new(false);
    let report = thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut rounds = 0;
            while !done.load(Ordering::Relaxed) {
                site.database
                    .sql("UPDATE wp_busy SET n = n + 1, v = CONCAT(v, '+') WHERE id % 10 = 0")
                    .expect("written");
                rounds += 1;
            }
            rounds
        });
        let report = run(&site, &options(&[("http://old.test", "https://new.example")]));
        done.store(true, Ordering::Relaxed);
        let rounds = writer.join().expect("a writer");
        assert_eq!(
            site.database
                .sql("SELECT COUNT(*), SUM(n), SUM(v LIKE 'https://new.example x%'), SUM(LENGTH(v) - LENGTH(REPLACE(v, '+', ''))) FROM wp_busy")
                .expect("rows"),
            format!("3000\t{0}\t3000\t{0}\n", rounds * 300)
        );
        report
    })
    .expect("a run");
    assert_eq!(report.verified, Some(true));
    assert_eq!(rows(&report, "wp_busy", "v"), 3000);
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_written() {
    let site = Site::new(Wordpress::V6_5).expect("a site");
    let home = Home::open(site.home()).expect("a home");
    let settings = config::read(&home, site.root()).expect("settings");
    let watch = Watch::unbounded();
    let before = checksums(&site);
    let good = options(&[("http://example.test", "http://x.test")]);
    fence::take(&home, Epoch::new(5), &watch).expect("the fence");
    let with = |epoch: Option<i64>, options: &ReplaceOptions| {
        search_replace(&home, epoch.map(Epoch::new), &settings, options, &watch)
    };
    assert!(matches!(with(Some(4), &good), Err(Error::Fenced { .. })));
    assert!(matches!(with(None, &good), Err(Error::BadInput(_))));
    assert!(matches!(
        with(Some(5), &options(&[])),
        Err(Error::BadInput(_))
    ));
    assert!(matches!(
        with(Some(5), &options(&[("", "x")])),
        Err(Error::BadInput(_))
    ));
    let named = ReplaceOptions {
        run: "../x".into(),
        ..good.clone()
    };
    assert!(matches!(with(Some(5), &named), Err(Error::BadInput(_))));
    let gone = Watch::unbounded();
    gone.cancel();
    assert!(matches!(
        search_replace(&home, Some(Epoch::new(5)), &settings, &good, &gone),
        Err(Error::Cancelled)
    ));
    assert_eq!(checksums(&site), before);
    let dry = ReplaceOptions {
        dry_run: true,
        ..good
    };
    assert!(with(None, &dry).expect("a dry run").rows > 0);
    assert_eq!(checksums(&site), before);
}
