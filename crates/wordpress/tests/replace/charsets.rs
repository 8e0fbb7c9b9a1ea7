//! Columns whose character set is not UTF-8: what counts is what WordPress reads.

use super::{column_of, options, rows, run};
use pressroom_base::Epoch;
use pressroom_lab::{Site, Wordpress};
use pressroom_wordpress::{
    Home, Watch,
    config::{self, Defined},
    database::replace::{ReplaceOptions, ReplaceReport, search_replace},
    fence,
};

const PAIRS: [(&str, &str); 2] = [
    ("http://old.test", "https://münchen.test"),
    ("Müller", "Meier"),
];

/// Tables of latin1 text; the second has letters that no UTF-8 has.
const LATIN: &str = r#"
SET NAMES utf8mb4;
CREATE TABLE wp_latin (id INT PRIMARY KEY, v LONGTEXT CHARACTER SET latin1, w LONGTEXT CHARACTER SET cp1250);
INSERT INTO wp_latin VALUES
  (1, 'http://old.test/é', 'http://old.test/ő'),
  (2, 'a:1:{i:0;s:7:"Müller";}', 'a:2:{s:7:"Müller";s:18:"http://old.test/ő";i:1;s:7:"Müller";}'),
  (3, 'Frau Müller', 'x'), (4, 'MÃ¼ller', 'x'), (5, 'http://old.test/€', 'http://old.test/€'),
  (6, 'a:1:{i:0;s:6:"Müller";}', 'x'), (7, 'http:\\/\\/old.test', 'http://old.test');
"#;

fn only(table: &str, pairs: &[(&str, &str)]) -> ReplaceOptions {
    ReplaceOptions {
        tables: vec![table.into()],
        ..options(pairs)
    }
}

fn dry(site: &Site, asked: &ReplaceOptions) -> ReplaceReport {
    let asked = ReplaceOptions {
        dry_run: true,
        ..asked.clone()
    };
    run(site, &asked).expect("a dry run")
}

#[test]
fn texts_are_those_that_wordpress_reads() {
    let site = Site::new(Wordpress::V6_5).expect("a site");
    site.database.sql(LATIN).expect("a table");
    let asked = only("wp_latin", &PAIRS);
    let counted = dry(&site, &asked);
    let report = run(&site, &asked).expect("a run");
    let said = site
        .php(
            "global $wpdb; foreach ($wpdb->get_results('SELECT v, w FROM wp_latin ORDER BY id', ARRAY_N) as $row) { echo implode(\"\\t\", $row), \"\\n\"; }",
        )
        .expect("what WordPress reads");
    assert_eq!(
        said,
        "https://münchen.test/é\thttps://münchen.test/ő\n\
         a:1:{i:0;s:5:\"Meier\";}\ta:2:{s:7:\"Müller\";s:24:\"https://münchen.test/ő\";i:1;s:5:\"Meier\";}\n\
         Frau Meier\tx\n\
         MÃ¼ller\tx\n\
         https://münchen.test/€\thttps://münchen.test/€\n\
         a:1:{i:0;s:6:\"Müller\";}\tx\n\
         https:\\/\\/m\\u00fcnchen.test\thttps://münchen.test\n"
    );
    // Stored in the column's own letters.
    let stored = "SELECT HEX(LEFT(v, 10)) FROM wp_latin WHERE id = 1";
    assert_eq!(
        site.database.sql(stored).expect("bytes"),
        "68747470733A2F2F6DFC\n"
    );
    let column = column_of(&report, "wp_latin", "v");
    assert_eq!(
        (column.rows, column.broken, column.failed, column.remaining),
        (5, 1, 0, Some(1))
    );
    assert_eq!(report.verified, Some(true));
    assert_eq!(
        (counted.rows, counted.replacements, counted.broken),
        (report.rows, report.replacements, report.broken)
    );
}

#[test]
fn a_text_that_does_not_fit_is_refused_and_named() {
    let site = Site::new(Wordpress::V6_5).expect("a site");
    site.database
        .sql(
            "SET NAMES utf8mb4;
             CREATE TABLE wp_narrow (id INT PRIMARY KEY, a TEXT CHARACTER SET ascii, g TEXT CHARACTER SET greek, c TEXT CHARACTER SET cp1250);
             INSERT INTO wp_narrow VALUES (1, 'http://old.test/a', '', ''), (2, 'http://old.test/b', '', ''),
               (3, '', 'http://old.test/λ', ''), (4, '', 'http://old.test', ''), (5, 'http://old.test', '', ''),
               (6, '', '', x'687474703A2F2F6F6C642E746573742F81'), (7, '', '', 'http://old.test/ő'), (8, '', '', 'http://old.test')",
        )
        .expect("a table");
    let held = "SELECT id, HEX(a), HEX(g), HEX(c) FROM wp_narrow WHERE id <= 6 ORDER BY id";
    let before = site.database.sql(held).expect("rows");
    let report = run(&site, &only("wp_narrow", &PAIRS)).expect("a run");
    assert_eq!(site.database.sql(held).expect("rows"), before);
    for (name, refused) in [("a", 3), ("g", 2), ("c", 1)] {
        let column = column_of(&report, "wp_narrow", name);
        assert_eq!(
            (column.failed, column.left, column.remaining),
            (refused, refused, Some(refused)),
            "{name}"
        );
        assert!(
            column.failures[0].why.contains("Incorrect string value")
                || column.failures[0].why.contains("Cannot convert"),
            "{:?}",
            column.failures
        );
    }
    assert_eq!(rows(&report, "wp_narrow", "c"), 2);
    assert_eq!(report.verified, Some(true));

    // Pairs that fit are written.
    let plain = only("wp_narrow", &[("http://old.test", "https://new.example")]);
    let report = run(&site, &plain).expect("a run");
    assert_eq!((report.rows, report.failed), (5, 1));
    let said = "SET NAMES utf8mb4; SELECT g FROM wp_narrow WHERE id = 3";
    assert_eq!(
        site.database.sql(said).expect("a row"),
        "https://new.example/λ\n"
    );
}

#[test]
fn every_set_of_the_server_is_written() {
    let site = Site::new(Wordpress::V6_5).expect("a site");
    let sets = site
        .database
        .sql(
            "SELECT CHARACTER_SET_NAME FROM information_schema.CHARACTER_SETS \
             WHERE CHARACTER_SET_NAME <> 'binary' ORDER BY 1",
        )
        .expect("character sets");
    let sets: Vec<&str> = sets.lines().collect();
    let columns: Vec<String> = sets
        .iter()
        .map(|set| format!("`{set}` TEXT CHARACTER SET {set}"))
        .collect();
    let texts = vec!["'s:20:\"http://old.test/<b>!\"; '"; sets.len()].join(",");
    let deep = vec!["'x http://old.test/{}[]~^'"; sets.len()].join(",");
    site.database
        .sql(&format!(
            "SET sql_mode = ''; CREATE TABLE wp_sets (id INT PRIMARY KEY, {}); \
             INSERT INTO wp_sets VALUES (1, {texts}), (2, {deep}), (3, {deep})",
            columns.join(",")
        ))
        .expect("a table");
    let asked = only("wp_sets", &[("http://old.test", "https://new.example")]);
    let report = run(&site, &asked).expect("a run");
    assert_eq!((report.failed, report.verified), (0, Some(true)));
    for set in sets {
        assert_eq!(rows(&report, "wp_sets", set), 3, "{set}");
        let read = format!("SELECT CONVERT(`{set}` USING utf8mb4) FROM wp_sets WHERE id = 1");
        assert_eq!(
            site.database.sql(&read).expect("a row"),
            "s:24:\"https://new.example/<b>!\"; \n",
            "{set}"
        );
    }
}

#[test]
fn a_site_that_speaks_the_columns_set_sees_its_bytes() {
    let site = Site::new(Wordpress::V6_5).expect("a site");
    // UTF-8 in latin1 columns, as many old sites have it: over their own connection it
    // is the text that it was.
    site.database
        .sql(
            "SET NAMES latin1; CREATE TABLE wp_old (id INT PRIMARY KEY, v TEXT CHARACTER SET latin1);
             INSERT INTO wp_old VALUES (1, 'a:1:{i:0;s:7:\"Müller\";}'), (2, 'http://old.test')",
        )
        .expect("a table");
    let home = Home::open(site.home()).expect("a home");
    let watch = Watch::unbounded();
    fence::take(&home, Epoch::new(1), &watch).expect("the fence");
    let mut settings = config::read(&home, site.root()).expect("settings");
    settings.db_charset = Defined::As("latin1".into());
    let asked = only("wp_old", &PAIRS);
    let report =
        search_replace(&home, Some(Epoch::new(1)), &settings, &asked, &watch).expect("a run");
    assert_eq!((report.rows, report.verified), (2, Some(true)));
    assert_eq!(
        site.database
            .sql("SET NAMES latin1; SELECT v FROM wp_old ORDER BY id")
            .expect("rows"),
        "a:1:{i:0;s:5:\"Meier\";}\nhttps://münchen.test\n"
    );
}
