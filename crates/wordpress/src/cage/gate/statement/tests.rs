use super::*;
use proptest::prelude::*;

fn territory() -> Territory {
    Territory {
        prefix: "prrab12cd34_".to_owned(),
        database: "shop".to_owned(),
        live: ["wp_posts", "wp_options", "wp_users"]
            .map(str::to_owned)
            .into(),
        server: Server {
            mariadb: true,
            version: 101_106,
        },
    }
}

fn judge(text: &str) -> Result<Passed, Refused> {
    territory().judge(text.replace("$_", "prrab12cd34_").as_bytes())
}

#[test]
fn what_wordpress_says_passes() {
    for text in [
        "",
        "SELECT option_name, option_value FROM $_options WHERE autoload = 'yes'",
        "SELECT SQL_CALC_FOUND_ROWS $_posts.ID FROM $_posts LEFT JOIN $_term_relationships ON ($_posts.ID = $_term_relationships.object_id) \
         WHERE 1=1 AND ( $_term_relationships.term_taxonomy_id IN (1,2) ) AND post_title LIKE '%from wp_posts%' GROUP BY $_posts.ID ORDER BY $_posts.post_date DESC LIMIT 0, 10",
        "SELECT FOUND_ROWS()",
        "SELECT * FROM `$_users` u, `$_usermeta` AS m WHERE u.ID = m.user_id",
        "SELECT t.*, tt.* FROM $_terms AS t INNER JOIN $_term_taxonomy AS tt ON t.term_id = tt.term_id ORDER BY FIELD(t.term_id, 1, 2), t.name",
        "INSERT INTO `$_options` (`option_name`, `option_value`, `autoload`) VALUES ('a', 'INSERT INTO wp_options', 'yes') ON DUPLICATE KEY UPDATE `option_name` = VALUES(`option_name`), `autoload` = VALUES(`autoload`)",
        "INSERT IGNORE INTO `$_options` ( `option_name`, `option_value`) VALUES ('core_updater.lock', '1') /* LOCK */",
        "INSERT $_options SET a = 1",
        "UPDATE `$_posts` SET `post_content` = 'x' WHERE `ID` = 1",
        "UPDATE $_posts p, $_users u SET p.x = REPLACE(u.y, 'a', 'b'), p.z = 1",
        "DELETE FROM `$_options` WHERE `option_name` = '_transient'",
        "DELETE a, b FROM $_options a, $_options b WHERE a.option_name LIKE '\\_transient\\_%' AND b.option_name = CONCAT('x', SUBSTRING(a.option_name, 12))",
        "SHOW TABLES LIKE 'wp\\_posts'",
        "SHOW FULL COLUMNS FROM `$_posts`",
        "DESCRIBE $_posts;",
        "DESC wp_posts",
        "SET NAMES 'utf8mb4' COLLATE 'utf8mb4_unicode_520_ci'",
        "SET SESSION sql_mode='NO_ENGINE_SUBSTITUTION'",
        "SET SESSION sql_mode = (SELECT REPLACE(@@sql_mode, 'ONLY_FULL_GROUP_BY', ''))",
        "SELECT @@SESSION.sql_mode",
        "START TRANSACTION",
        "SELECT 1 FROM DUAL WHERE EXISTS (SELECT * FROM $_a)",
        "CREATE TABLE $_new (id bigint(20) NOT NULL auto_increment, `from` text, `update` int, PRIMARY KEY (id), KEY k (`from`(191))) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4",
        "CREATE TABLE IF NOT EXISTS `shop`.`$_new` LIKE $_posts",
        "CREATE TABLE $_a (LIKE $_b)",
        "CREATE TABLE $_a AS SELECT * FROM $_b",
        "CREATE TABLE $_a (b bigint, FOREIGN KEY (b) REFERENCES $_b (id) ON DELETE CASCADE ON UPDATE CASCADE)",
        "ALTER TABLE $_posts ADD COLUMN x int DEFAULT 0, ADD INDEX y (x), CONVERT TO CHARACTER SET utf8mb4",
        "ALTER TABLE $_posts RENAME TO $_old",
        "ALTER TABLE $_posts RENAME COLUMN a TO b",
        "CREATE INDEX i ON $_posts (post_title(20))",
        "DROP TABLE IF EXISTS $_a, $_b",
        "DROP INDEX i ON $_posts",
        "TRUNCATE $_a",
        "TRUNCATE TABLE $_a",
        "RENAME TABLE $_a TO $_b, $_c TO $_d",
        "LOCK TABLES $_a WRITE, $_b AS c READ",
        "UNLOCK TABLES",
        "CHECK TABLE $_a, $_b",
        "SELECT EXTRACT(YEAR FROM post_date), TRIM(LEADING '0' FROM x), SUBSTRING(a FROM 2) FROM $_posts",
        "SELECT TRIM((SELECT option_value FROM $_options LIMIT 1))",
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'shop'",
        "SELECT SUM(data_length) FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_NAME = 'wp_posts'",
        "WITH x AS (SELECT 1 a), y (b) AS (SELECT * FROM x) SELECT * FROM x JOIN y",
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT * FROM t",
        "(SELECT a FROM $_a) UNION (SELECT b FROM $_b) ORDER BY a",
        "SELECT * FROM ($_a a JOIN $_b b ON a.x = b.x) LEFT JOIN (SELECT * FROM $_c) c USING (id)",
        "SELECT * FROM $_a USE INDEX (i, j), $_b FORCE INDEX FOR JOIN (k)",
        "SELECT GET_LOCK('x', 1)",
        "SELECT a FROM $_a FOR UPDATE",
        "USE shop",
        "USE `shop`",
        "/*!40101 SET NAMES utf8 */",
        "SELECT /*!99999 wp_posts */ 1",
        "SELECT CONVERT(a USING utf8mb4) FROM $_a",
    ] {
        let judged = judge(text);
        assert!(judged.is_ok(), "{text}: {judged:?}");
    }
}

#[test]
fn what_leaves_the_clone_is_refused() {
    for (text, what) in [
        ("SELECT * FROM wp_posts", "wp_posts"),
        ("select*from`wp_posts`", "wp_posts"),
        ("SELECT * FROM WP_Posts", "WP_Posts"),
        ("SELECT * FROM $_a, wp_x", "wp_x"),
        ("SELECT * FROM $_a JOIN $_b ON 1=1, other", "other"),
        ("SELECT * FROM $_a FOR SYSTEM_TIME ALL, other", "other"),
        ("SELECT * FROM (other)", "other"),
        ("SELECT * FROM (($_a, other))", "other"),
        (
            "SELECT * FROM $_a WHERE x IN (SELECT y FROM other)",
            "other",
        ),
        ("SELECT TRIM((SELECT x FROM other))", "other"),
        ("SELECT * FROM shop.wp_x", "wp_x"),
        ("SELECT * FROM mysql.user", "mysql.user"),
        ("SELECT * FROM other_db.$_a", "other_db.prrab12cd34_a"),
        (
            "UPDATE information_schema.tables SET a = 1",
            "information_schema.tables",
        ),
        ("INSERT INTO wp_options VALUES (1)", "wp_options"),
        ("INSERT wp_x VALUES (1)", "wp_x"),
        ("REPLACE LOW_PRIORITY wp_x SET a = 1", "wp_x"),
        ("INSERT INTO $_a SELECT * FROM wp_x", "wp_x"),
        ("INSERT INTO $_a TABLE wp_x", "wp_x"),
        ("TABLE wp_x", "wp_x"),
        ("WITH other AS (SELECT 1) DELETE FROM other", "other"),
        ("WITH other AS (SELECT 1) UPDATE other SET a = 1", "other"),
        ("UPDATE LOW_PRIORITY IGNORE wp_x SET a = 1", "wp_x"),
        ("UPDATE $_a, wp_x SET wp_x.a = 1", "wp_x"),
        ("DELETE FROM wp_x", "wp_x"),
        ("DELETE wp_users FROM $_a, wp_users", "wp_users"),
        ("DELETE FROM $_a USING $_a, wp_x", "wp_x"),
        ("DROP TABLE $_a, wp_x", "wp_x"),
        ("DROP TABLES wp_x", "wp_x"),
        ("TRUNCATE wp_x", "wp_x"),
        ("ALTER TABLE wp_x ADD a int", "wp_x"),
        ("ALTER TABLE $_a RENAME wp_x", "wp_x"),
        ("RENAME TABLE $_a TO wp_x", "wp_x"),
        ("RENAME TABLE $_a TO $_b, wp_x TO $_c", "wp_x"),
        ("CREATE TABLE wp_x (a int)", "wp_x"),
        ("CREATE TABLE $_a LIKE wp_x", "wp_x"),
        ("CREATE TABLE $_a (LIKE wp_x)", "wp_x"),
        ("CREATE TABLE $_a (b int REFERENCES wp_x (a))", "wp_x"),
        ("CREATE INDEX i ON wp_x (a)", "wp_x"),
        ("CREATE VIEW $_v AS SELECT * FROM wp_x", "wp_x"),
        ("LOCK TABLES $_a READ, wp_x WRITE", "wp_x"),
        ("OPTIMIZE TABLE wp_x", "wp_x"),
        ("EXPLAIN UPDATE wp_x SET a = 1", "wp_x"),
        ("ANALYZE DELETE FROM wp_x", "wp_x"),
        ("SELECT /*! * FROM wp_x, */ 1", "wp_x"),
        ("SELECT * FROM /*!99999 information_schema. */ wp_x", "wp_x"),
        ("SELECT 1 INTO OUTFILE '/tmp/x'", "a file of the server"),
        (
            "SELECT LOAD_FILE('/etc/passwd')",
            "the function `LOAD_FILE`",
        ),
        ("SELECT 1; DELETE FROM $_a", "several statements at once"),
        (
            "PREPARE x FROM 'DELETE FROM wp_posts'",
            "a statement of this kind",
        ),
        (
            "EXECUTE IMMEDIATE 'DELETE FROM wp_posts'",
            "a statement of this kind",
        ),
        ("CALL clean()", "a statement of this kind"),
        ("HANDLER $_a OPEN", "a statement of this kind"),
        (
            "LOAD DATA INFILE 'x' INTO TABLE $_a",
            "a statement of this kind",
        ),
        ("KILL 5", "a statement of this kind"),
        ("GRANT ALL ON *.* TO x", "a statement of this kind"),
        (
            "CREATE TRIGGER t BEFORE INSERT ON $_a FOR EACH ROW SET @a = 1",
            "something that is no table",
        ),
        ("CREATE DATABASE x", "something that is no table"),
        ("DROP DATABASE shop", "something that is no table"),
        (
            "CREATE TABLE $_a (b int) ENGINE=FEDERATED CONNECTION='x'",
            "a table of another engine",
        ),
        (
            "CREATE TABLE $_a (b int) ENGINE=MRG_MyISAM UNION=(wp_x)",
            "a table of another engine",
        ),
        (
            "CREATE TABLE $_a (b int) DATA DIRECTORY='/x'",
            "a table that is kept elsewhere",
        ),
        ("USE mysql", "another database"),
        ("SET GLOBAL general_log = 1", "a setting of the server"),
        (
            "SET sql_mode = 'ANSI_QUOTES'",
            "a mode in which quotes mean something else",
        ),
        (
            "SET sql_mode = CONCAT('AN', 'SI')",
            "a mode in which quotes mean something else",
        ),
        (
            "SET @a = 1, sql_mode = @a",
            "a mode in which quotes mean something else",
        ),
        ("SET `sql_mode` = ''", "a setting that cannot be read"),
        (
            "SET NAMES gbk",
            "a character set that cannot be read safely",
        ),
        (
            "SET character_set_client = 'sjis'",
            "a character set that cannot be read safely",
        ),
        (
            "SET STATEMENT max_statement_time = 1 FOR DELETE FROM wp_x",
            "wp_x",
        ),
        ("SELECT 'open", "a statement that cannot be read"),
        ("SELECT * FROM .wp_x", "a table that cannot be read"),
        ("SELECT * FROM a.b.c", "a table that cannot be read"),
        ("SELECT * FROM {OJ $_a}", "a table that cannot be read"),
        ("SELECT * FROM x()", "x"),
    ] {
        let judged = judge(text);
        assert_eq!(
            judged.as_ref().map_err(|refused| refused.what.as_str()),
            Err(what),
            "{text}"
        );
    }
}

#[test]
fn what_is_made_is_told() {
    for (text, made) in [
        ("CREATE TABLE $_n (a int)", vec!["prrab12cd34_n"]),
        (
            "RENAME TABLE $_a TO $_b",
            vec!["prrab12cd34_a", "prrab12cd34_b"],
        ),
        (
            "ALTER TABLE $_a RENAME AS $_b",
            vec!["prrab12cd34_a", "prrab12cd34_b"],
        ),
        ("SELECT * FROM $_a", vec![]),
    ] {
        assert_eq!(judge(text).unwrap().made, made, "{text}");
    }
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(bytes: Vec<u8>, text in "[ -~\\n]{0,80}") {
        let _ = territory().judge(&bytes);
        let _ = territory().judge(text.as_bytes());
    }

    /// However words are put together, a live table's name does not get through
    /// outside quotes.
    #[test]
    fn no_live_name_passes(words in proptest::collection::vec(
        prop_oneof![
            Just("SELECT"), Just("*"), Just("FROM"), Just("("), Just(")"), Just(","),
            Just("wp_posts"), Just("`wp_posts`"), Just("prrab12cd34_a"), Just("JOIN"),
            Just("UPDATE"), Just("SET"), Just("a = 1"), Just("INSERT INTO"), Just("/* c */"),
            Just("/*! x */"), Just("AS"), Just("WITH"), Just("DELETE"), Just("WHERE"),
            Just("TRIM("), Just("FOR"), Just("."), Just("'t'"),
        ], 0..14)) {
        let text = words.join(" ");
        let names_it = words.iter().any(|word| word.contains("wp_posts"));
        if names_it {
            prop_assert!(territory().judge(text.as_bytes()).is_err(), "{}", text);
        }
    }
}
