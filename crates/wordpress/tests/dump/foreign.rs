//! A dump is foreign input.

use crate::place::{Place, same};
use pressroom_lab::Mariadb;
use pressroom_wordpress::{
    Error,
    database::restore::{OtherTables, RestoreOptions},
};

const LIVE: &str =
    "CREATE TABLE wp_a (id INT PRIMARY KEY, t TEXT); INSERT INTO wp_a VALUES (1, 'live');
    CREATE TRIGGER wp_t BEFORE INSERT ON wp_a FOR EACH ROW SET NEW.t = 'trigger';
    CREATE VIEW wp_v AS SELECT t FROM wp_a;";

#[test]
fn hostile_statements_are_refused_by_name() {
    let place = Place::with(LIVE);
    let (before, names) = (place.dump(), place.names());
    for (hostile, named) in [
        ("USE mysql", "USE"),
        ("CREATE DATABASE x", "CREATE DATABASE"),
        ("DROP DATABASE mysql", "DROP DATABASE"),
        ("GRANT ALL ON *.* TO x", "GRANT"),
        ("CREATE USER x", "CREATE USER"),
        (
            "SET GLOBAL general_log_file = '/tmp/x.php'",
            "general_log_file",
        ),
        ("SET @@global.general_log = 1", "general_log"),
        (
            "LOAD DATA INFILE '/etc/passwd' INTO TABLE wp_a",
            "LOAD DATA",
        ),
        ("SELECT 1 INTO OUTFILE '/tmp/x'", "SELECT"),
        (
            "INSERT INTO wp_new SELECT * FROM mysql.user",
            "takes its rows from elsewhere",
        ),
        (
            "INSERT INTO mysql.user VALUES (1)",
            "another database, `mysql`",
        ),
        (
            "INSERT INTO wp_new VALUES (LOAD_FILE('/etc/passwd'))",
            "LOAD_FILE",
        ),
        (
            "INSERT INTO wp_new VALUES ((SELECT Password FROM mysql.user LIMIT 1))",
            "`SELECT`",
        ),
        (
            "CREATE TABLE wp_x SELECT * FROM mysql.user",
            "without a list of columns",
        ),
        (
            "CREATE TABLE wp_x (a INT) SELECT * FROM mysql.user",
            "SELECT",
        ),
        (
            "CREATE TABLE wp_x LIKE mysql.user",
            "without a list of columns",
        ),
        ("CREATE TABLE mysql.x (a INT)", "another database"),
        (
            "CREATE TABLE wp_x (a INT) DATA DIRECTORY='/tmp'",
            "DIRECTORY",
        ),
        (
            "CREATE TABLE wp_x (a INT) ENGINE=MERGE UNION=(mysql.user)",
            "UNION",
        ),
        (
            "CREATE TABLE wp_x (a INT, FOREIGN KEY (a) REFERENCES mysql.user (x))",
            "another database",
        ),
        ("CREATE TABLE other_x (a INT)", "site's prefix"),
        (
            "CREATE VIEW wp_x AS SELECT * FROM mysql.user",
            "another database, `mysql`",
        ),
        (
            "CREATE VIEW wp_x AS SELECT `mysql`.`user`.`Password` FROM user",
            "another database",
        ),
        (
            "CREATE VIEW wp_x AS SELECT 1 FROM wp_new, mysql.user",
            "another database, `mysql`",
        ),
        (
            "CREATE PROCEDURE p() CALL other.q",
            "another database, `other`",
        ),
        (
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DROP DATABASE mysql",
            "databases or users",
        ),
        ("CREATE FUNCTION x RETURNS STRING SONAME 'x.so'", "SONAME"),
        (
            "CREATE TRIGGER wp_x BEFORE INSERT ON wp_new FOR EACH ROW INSERT INTO mysql.user VALUES (1)",
            "another database",
        ),
        (
            "CREATE PROCEDURE p() SELECT 1 INTO OUTFILE '/tmp/x'",
            "OUTFILE",
        ),
        (
            "CREATE PROCEDURE p() SET GLOBAL max_connections = 1",
            "GLOBAL",
        ),
        (
            "/*!50000 DROP */ /*!50000 DATABASE mysql */",
            "DROP DATABASE",
        ),
        ("/*!99999 x */ SHUTDOWN", "SHUTDOWN"),
        // The server runs what stands behind a `;` that is no delimiter.
        (
            "DELIMITER $$\nCREATE TABLE wp_x (a INT); DROP TABLE wp_a $$\nDELIMITER ;\n",
            "several statements in one",
        ),
        (
            "/*!50000 ALTER TABLE wp_new ADD b INT; DROP TABLE wp_a */",
            "several statements in one",
        ),
        (
            "DELIMITER $$\nCREATE VIEW wp_x AS SELECT 1 a; DROP TABLE wp_a $$\nDELIMITER ;\n",
            "several statements in one",
        ),
        (
            "DELIMITER $$\nCREATE PROCEDURE p() SELECT 1 begin; DROP TABLE wp_a; SELECT 1 end $$\nDELIMITER ;\n",
            "several statements in `p`",
        ),
        ("DELETE FROM wp_a", "DELETE"),
        ("TRUNCATE wp_a", "TRUNCATE"),
        ("RENAME TABLE wp_a TO wp_b", "RENAME"),
        ("ALTER TABLE wp_a ADD b INT", "does not create"),
        ("ALTER TABLE wp_new RENAME TO wp_b", "RENAME"),
        ("ALTER TABLE wp_new DISCARD TABLESPACE", "DISCARD"),
        ("INSERT INTO wp_a VALUES (9, 'x')", "does not create"),
        (
            "INSERT INTO wp_new VALUES (1) ON DUPLICATE KEY UPDATE a = 2",
            "ON",
        ),
        ("CALL p()", "CALL"),
        ("XA START 'x'", "XA START"),
        ("HANDLER wp_a OPEN", "HANDLER"),
        ("SELECT SETVAL(mysql.x, 1)", "another database"),
        ("PREPARE x FROM 'DROP TABLE wp_a'", "PREPARE"),
        ("INSTALL PLUGIN x SONAME 'x'", "INSTALL"),
        ("FLUSH PRIVILEGES", "FLUSH"),
        ("wp_a", "wp_a"),
    ] {
        let dump = format!("CREATE TABLE wp_new (a INT);\n{hostile};\n");
        let why = place
            .restore_with(dump.as_bytes(), &RestoreOptions::default())
            .expect_err(hostile);
        assert!(matches!(why, Error::BadInput(_)), "{hostile}: {why:?}");
        let why = why.to_string().to_lowercase();
        assert!(why.contains(&named.to_lowercase()), "{hostile}: {why}");
        assert_eq!(place.names(), names, "{hostile}");
    }
    same(&place.dump(), &before);
}

#[test]
fn a_dump_that_was_cut_off_changes_nothing() {
    let place = Place::with(LIVE);
    let dump = place.dump();
    let names = place.names();
    place.sql("INSERT INTO wp_a VALUES (2, 'later')");
    let now = place.dump();
    for end in (0..dump.len()).step_by(97).chain([dump.len() - 2]) {
        let why = place.restore(&dump[..end]).unwrap_err();
        assert!(matches!(why, Error::BadInput(_)), "{end}: {why}");
    }
    assert_eq!(place.names(), names);
    same(&place.dump(), &now);
    let stock = place.stock_dump(&[]);
    let cut = stock.len() - 40;
    assert!(
        place
            .restore(&stock[..cut])
            .unwrap_err()
            .to_string()
            .contains("cut off")
    );
    same(&place.dump(), &now);
}

#[test]
fn what_other_servers_wrote_is_mapped_and_named() {
    let place = Place::new();
    let dump = "-- phpMyAdmin SQL Dump
SET SQL_MODE = \"NO_AUTO_VALUE_ON_ZERO\";
START TRANSACTION;
SET time_zone = \"+00:00\";
/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40101 SET NAMES utf8mb4 */;
SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '';
CREATE TABLE `wp_posts` (
  `ID` bigint UNSIGNED NOT NULL,
  `d` datetime NOT NULL DEFAULT '0000-00-00 00:00:00',
  `t` varchar(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci NOT NULL,
  `parent` bigint UNSIGNED DEFAULT NULL
) ENGINE=TokuDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci /*!80016 DEFAULT ENCRYPTION='N' */;
INSERT INTO `wp_posts` (`ID`, `d`, `t`, `parent`) VALUES
(0, '0000-00-00 00:00:00', 'zero', NULL),
(7, '2024-02-31 00:00:00', 'é''\\n', 0);
ALTER TABLE `wp_posts`
  ADD PRIMARY KEY (`ID`),
  ADD KEY `parent` (`parent`);
ALTER TABLE `wp_posts`
  MODIFY `ID` bigint UNSIGNED NOT NULL AUTO_INCREMENT, AUTO_INCREMENT=9;
ALTER TABLE `wp_posts`
  ADD CONSTRAINT `fk` FOREIGN KEY (`parent`) REFERENCES `wp_posts` (`ID`);
COMMIT;
";
    for _ in 0..2 {
        let report = place
            .restore_with(dump.as_bytes(), &RestoreOptions::default())
            .unwrap();
        assert_eq!(report.collations.len(), 1);
        assert_eq!(report.collations[0].from, "utf8mb4_0900_ai_ci");
        assert_eq!(report.collations[0].to, "utf8mb4_uca1400_nopad_ai_ci");
        assert_eq!(report.engines[0].from, "wp_posts (TokuDB)");
        assert_eq!(report.passed_over, ["SET GTID_PURGED"]);
        assert_eq!(report.tables[0].rows, 2);
        assert_eq!(
            place.sql("SELECT ID, d, HEX(t), parent FROM wp_posts"),
            "0\t0000-00-00 00:00:00\t7A65726F\tNULL\n7\t0000-00-00 00:00:00\tC3A9270A\t0\n"
                .replace("7\t0000-00-00", "7\t2024-02-31")
        );
        assert_eq!(
            place.sql("INSERT INTO wp_posts (t, d) VALUES ('x', 0); SELECT MAX(ID) FROM wp_posts"),
            "9\n"
        );
        assert!(
            place
                .database
                .sql("INSERT INTO wp_posts (t, d, parent) VALUES ('x', 0, 55)")
                .is_err()
        );
        pressroom_wordpress::database::restore::drop_aside(
            &place.home,
            crate::place::EPOCH,
            &place.settings,
            report.aside.as_ref().unwrap(),
            &place.watch,
        )
        .unwrap();
    }
}

#[test]
fn values_that_the_server_would_change_stop_the_restore() {
    let place = Place::with(LIVE);
    let before = place.dump();
    let dump = b"CREATE TABLE wp_a (a VARCHAR(3)); INSERT INTO wp_a VALUES ('abcdef');";
    let why = place
        .restore_with(dump, &RestoreOptions::default())
        .unwrap_err()
        .to_string();
    assert!(why.contains("wp_a") && why.contains("truncated"), "{why}");
    same(&place.dump(), &before);
    let options = RestoreOptions {
        accept_changed_values: true,
        ..RestoreOptions::default()
    };
    let report = place.restore_with(dump, &options).unwrap();
    assert_eq!(report.warnings[0].count, 1);
    assert_eq!(place.sql("SELECT * FROM wp_a"), "abc\n");
    // An `ENUM` may hold what is none of its values; it comes back as it was.
    let dump = b"CREATE TABLE wp_e (a ENUM('x')); INSERT INTO wp_e VALUES (''),('x');";
    let report = place
        .restore_with(dump, &RestoreOptions::default())
        .unwrap();
    assert_eq!(report.warnings[0].code, 1265);
    assert_eq!(place.sql("SELECT a + 0 FROM wp_e"), "0\n1\n");
}

#[test]
fn other_prefixes_are_passed_over_when_asked() {
    let place = Place::new();
    let dump = b"CREATE TABLE x_a (a INT); INSERT INTO x_a VALUES (1); ALTER TABLE x_a ADD KEY (a);
        CREATE VIEW x_v AS SELECT 1; CREATE TABLE wp_a (a INT); INSERT INTO wp_a VALUES (1),(1);";
    let options = RestoreOptions {
        others: OtherTables::Skip,
        ..RestoreOptions::default()
    };
    let report = place.restore_with(dump, &options).unwrap();
    assert_eq!(report.passed_over, ["table x_a", "view x_v"]);
    assert_eq!(place.names(), "wp_a\tBASE TABLE\n");
}

/// The modes of dumps of MySQL 5.7 and 8, one of which MariaDB and MySQL 8 no longer
/// know, and a server that is strict about dates itself.
#[test]
fn dumps_of_other_servers_are_restored_whole_on_a_strict_one() {
    let server = Mariadb::start_with(
        "8M",
        "8M",
        &["--sql-mode=STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,ONLY_FULL_GROUP_BY,ANSI_QUOTES"],
    )
    .unwrap();
    for (mode, collation, charset) in [
        (
            "NO_AUTO_VALUE_ON_ZERO,NO_AUTO_CREATE_USER",
            "utf8mb4_0900_ai_ci",
            "utf8mb4",
        ),
        (
            "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION",
            "utf8mb4_uca1400_ai_ci",
            "utf8mb4",
        ),
        ("", "utf8mb3_general_ci", "utf8mb3"),
        (
            "TIME_TRUNCATE_FRACTIONAL",
            "utf8mb4_de_pb_0900_as_cs",
            "utf8mb4",
        ),
        ("MYSQL40,NO_FIELD_OPTIONS", "utf8_unicode_ci", "utf8"),
    ] {
        let place = Place::of(server.database().unwrap());
        let dump = format!(
            "/*!40101 SET NAMES utf8mb4 */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='{mode}' */;
CREATE TABLE `wp_d` (`ID` bigint NOT NULL AUTO_INCREMENT, `d` datetime NOT NULL DEFAULT '0000-00-00 00:00:00',
  `t` varchar(50) COLLATE {collation} NOT NULL, PRIMARY KEY (`ID`)) ENGINE=InnoDB DEFAULT CHARSET={charset} COLLATE={collation};
INSERT INTO `wp_d` VALUES (1,'0000-00-00 00:00:00','zero'),(2,'2024-00-00 00:00:00','é'),(3,'2024-02-28 01:02:03',\"double\");
/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
"
        );
        let report = place
            .restore_with(dump.as_bytes(), &RestoreOptions::default())
            .unwrap_or_else(|why| panic!("{mode} {collation}: {why}"));
        assert_eq!(
            place.sql("SELECT ID, d, HEX(t) FROM wp_d"),
            "1\t0000-00-00 00:00:00\t7A65726F\n2\t2024-00-00 00:00:00\tC3A9\n3\t2024-02-28 01:02:03\t646F75626C65\n",
            "{mode} {collation}"
        );
        let now = place.sql(
            "SELECT COLLATION_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND COLUMN_NAME = 't'",
        );
        let now = now.trim();
        // What the server has under another name, or not at all, is said by name.
        let same = now == collation || now.replace("utf8mb3", "utf8") == collation;
        let said = report
            .collations
            .iter()
            .any(|one| one.from == collation && one.to == now);
        assert!(same || said, "{collation} became {now}: {report:?}");
        // And our own dump of it goes there and back on the same server.
        let ours = place.dump();
        place.restore(&ours).unwrap();
        super::place::same(&place.dump(), &ours);
    }
}

#[test]
fn a_collation_that_has_no_near_one_is_named() {
    let place = Place::with(LIVE);
    let before = place.dump();
    let dump = b"CREATE TABLE wp_k (a VARCHAR(9) COLLATE klingon_ci);";
    let why = place.restore(dump).unwrap_err().to_string();
    assert!(why.contains("klingon_ci"), "{why}");
    same(&place.dump(), &before);
}
