//! What a clone's code says to its database.

use crate::input::target;
use pressroom_wordpress::fuzzing as engine;

const STATEMENTS: &[&[u8]] = &[
    b"SELECT a.*, COUNT(*) FROM prr0_posts a LEFT JOIN `prr0_meta` m ON (a.ID = m.post_id), prr0_x WHERE a IN (SELECT b FROM prr0_y) ORDER BY FIELD(a, 1, 2) LIMIT 3",
    b"INSERT INTO `prr0_options` (`a`, `b`) VALUES ('x', 'it''s \\' wp_posts') ON DUPLICATE KEY UPDATE `a` = VALUES(`a`)",
    b"DELETE a, b FROM prr0_a a JOIN prr0_b b USING (id) WHERE EXTRACT(YEAR FROM x) > 1",
    b"CREATE TABLE IF NOT EXISTS `shop`.`prr0_n` (a int REFERENCES prr0_b (a) ON DELETE CASCADE) ENGINE=InnoDB",
    b"ALTER TABLE prr0_a ADD b text, RENAME TO prr0_c",
    b"WITH x (a) AS (SELECT 1) SELECT * FROM x, (SELECT 2) y",
    b"SET SESSION sql_mode = (SELECT REPLACE(@@sql_mode, 'A', '')), NAMES 'utf8mb4'",
    b"/*!40101 SELECT */ TRIM(LEADING 'x' FROM y) /*M!100100 , z */ FROM information_schema.tables",
    b"RENAME TABLE prr0_a TO prr0_b, prr0_c TO prr0_d",
];
const WORDS: &[&str] = &[
    "wp_posts",
    "`wp_posts`",
    "shop.",
    "mysql.",
    "prr0_a",
    "`prr0_a`",
    "information_schema.",
    "FROM ",
    "JOIN ",
    "INTO ",
    "UPDATE ",
    "TABLE ",
    "USING ",
    "REFERENCES ",
    "LIKE ",
    "RENAME ",
    "TO ",
    "ON ",
    "SELECT ",
    "WITH ",
    "AS ",
    "FOR ",
    "SET ",
    "(",
    ")",
    ",",
    ".",
    ";",
    "'",
    "\"",
    "`",
    "\\",
    "/*!",
    "/*!99999 ",
    "/*M!",
    "*/",
    "--\n",
    "#",
    "@",
    "@@",
    "=",
    "TRIM(",
    "EXTRACT(",
    "DUAL",
    "JSON_TABLE(",
    "LATERAL ",
    "{",
];

#[test]
fn gate_statements() {
    let live = ["wp_posts"];
    target("gate_statements", STATEMENTS, WORDS, |input| {
        for (mariadb, version) in [(true, 101_106), (false, 80_036)] {
            if !engine::passes(input, &live, mariadb, version) {
                continue;
            }
            // What passes names no live table outside a text, as the server reads it.
            let plain = engine::unwrapped(input, mariadb, version).unwrap();
            for token in engine::tokens(&plain) {
                let text = &plain[token];
                let name = text
                    .strip_prefix(b"`")
                    .and_then(|text| text.strip_suffix(b"`"));
                let name = name.unwrap_or(text);
                let says = plain.trim_ascii_start().to_ascii_uppercase();
                // Those only tell what there is.
                let tells = [&b"SHOW"[..], b"HELP", b"DESC", b"EXPLAIN"];
                assert!(
                    !name.eq_ignore_ascii_case(b"wp_posts")
                        || tells.iter().any(|word| says.starts_with(word)),
                    "{}",
                    String::from_utf8_lossy(input)
                );
            }
        }
    });
}

const MESSAGES: &[&[u8]] = &[
    b"\x05\0\0\0\x03SELE\x01\0\0\0\x0e\0\0\0\x01",
    b"\x58\0\0\0\x0a5.5.5-10.11.6-MariaDB\0\x01\0\0\0abcdefgh\0\xfe\xff\x2d\x02\0\xff\xff\x15\0\0\0\0\0\0\x1d\0\0\0ijklmnopqrst\0mysql_native_password\0",
    b"\x40\0\0\x01\x08\x82\x08\0\0\0\0\x01\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0user\0\x03abcshop\0mysql_native_password\0\0\0\0\0\0\0",
];

#[test]
fn gate_messages() {
    target(
        "gate_messages",
        MESSAGES,
        &["\0", "\u{a}", "\u{3}"],
        |input| {
            let _ = engine::messages(input);
        },
    );
}
