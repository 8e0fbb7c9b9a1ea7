//! Dumps.

use crate::input::{cuts, target};
use pressroom_wordpress::fuzzing as engine;
use std::io::{self, Read};

const DUMPS: &[&[u8]] = &[
    b"-- a; comment\n/* b; */ SELECT 1 ; ;\nINSERT INTO `wp_t` VALUES ('a;''b\\';',\"c;\",0x41,_binary 'x',NULL,-1.5e3);\n\
      /*!40101 SET NAMES utf8mb4 */;# c;\ndelimiter ;;\nCREATE TRIGGER a BEFORE INSERT ON wp_t FOR EACH ROW BEGIN SET @a=1; SET @b=2; END ;;\nDELIMITER ;\n-- Dump completed",
    b"DROP TABLE IF EXISTS `wp_posts`;\nCREATE TABLE `wp_posts` (\n  `ID` bigint(20) unsigned NOT NULL AUTO_INCREMENT,\n\
      `t` longtext COLLATE utf8mb4_0900_ai_ci DEFAULT 'a;b' COMMENT 'x',\n  PRIMARY KEY (`ID`),\n  KEY `k` (`t`(191)),\n\
      CONSTRAINT `f` FOREIGN KEY (`ID`) REFERENCES `wp_x` (`ID`) ON DELETE CASCADE\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 /*!50100 PARTITION BY HASH (`ID`) */;\n\
      LOCK TABLES `wp_posts` WRITE;\n/*!40000 ALTER TABLE `wp_posts` DISABLE KEYS */;\nINSERT INTO `wp_posts` (`ID`,`t`) VALUES (1,'a'),(2,'b');\n\
      ALTER TABLE `wp_posts` ADD KEY `z` (`ID`), MODIFY `ID` bigint(20) NOT NULL AUTO_INCREMENT;\nUNLOCK TABLES;\nCOMMIT;\n",
    b"/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`r`@`%` SQL SECURITY DEFINER */\n/*!50001 VIEW `wp_v` AS select `wp_t`.`a` AS `a` from `wp_t` */;\n\
      SET @saved_cs_client = @@character_set_client, sql_mode='NO_AUTO_VALUE_ON_ZERO';\nCREATE SEQUENCE `wp_s` start with 1 minvalue 1;\nSELECT SETVAL(`wp_s`, 5, 0);\n\
      REPLACE INTO wp_t VALUES (ST_GeomFromText('POINT(1 1)'), CHAR(1,2));\n/*M!100616 SET x=1 */;\n",
    b"DELIMITER $$\nCREATE DEFINER=`a`@`b` PROCEDURE `wp_p`() BEGIN SELECT 1; END $$\nCREATE TABLE wp_a (x int); DROP TABLE wp_b $$\nDELIMITER ;\nUSE `other`;\nCREATE DATABASE x;",
];
const SQL: &[&str] = &[
    ";",
    "'",
    "\"",
    "`",
    "\\",
    "--",
    "-- ",
    "#",
    "/*",
    "*/",
    "/*!",
    "/*!50000 ",
    "/*M!100100 ",
    "/*!99999 ",
    "\n",
    " ",
    "(",
    ")",
    ",",
    "=",
    ".",
    "@",
    "delimiter ;;\n",
    "DELIMITER ;\n",
    "DELIMITER $$\n",
    "$$",
    "INSERT INTO wp_t VALUES ",
    "REPLACE",
    "(1,'a')",
    "CREATE TABLE `wp_t` (",
    "`a` int",
    "PRIMARY KEY (`a`)",
    ") ENGINE=InnoDB",
    "PARTITION BY",
    "SELECT",
    "DROP TABLE",
    "ALTER TABLE wp_t ADD ",
    "CONSTRAINT `c` FOREIGN KEY (`a`) REFERENCES `wp_x`(`a`)",
    "CHARSET=utf8mb4",
    "COLLATE=utf8mb4_x",
    "SET ",
    "NAMES utf8mb4",
    "@@sql_mode",
    "VIEW `wp_v` AS ",
    "TRIGGER",
    "BEGIN",
    "END",
    "DEFINER=`a`@`b`",
    "UNION",
    "_binary ",
    "0x",
    "x'",
    "NULL",
    "DATA DIRECTORY='x'",
    "`wp_x`.",
    "\u{e9}",
    "\0",
    "CHECK (",
    "DEFAULT nextval(`wp_s`)",
    "GENERATED ALWAYS AS (",
    "COMMENT 'x'",
    "ON DUPLICATE KEY UPDATE",
    "INTO OUTFILE 'x'",
];

struct Pieces<'a>(std::vec::IntoIter<&'a [u8]>);

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let piece = self.0.next().unwrap_or_default();
        into[..piece.len()].copy_from_slice(piece);
        Ok(piece.len())
    }
}

fn split(pieces: Vec<&[u8]>) -> Result<Vec<Vec<u8>>, String> {
    let pieces: Vec<_> = pieces
        .into_iter()
        .filter(|piece| !piece.is_empty())
        .collect();
    engine::split(&mut Pieces(pieces.into_iter()), 1 << 20).map_err(|why| why.to_string())
}

#[test]
fn sql_statements() {
    target("sql_statements", DUMPS, SQL, |input| {
        // No piece is larger than what the splitter reads at once.
        let [whole, single, ragged] = cuts(input).map(split);
        assert_eq!(whole, single);
        assert_eq!(whole, ragged);
        assert!(
            whole
                .iter()
                .flatten()
                .all(|statement| !statement.is_empty())
        );
    });
}

#[test]
fn sql_tokens() {
    target("sql_tokens", DUMPS, SQL, |input| {
        let mut last = 0;
        for token in engine::tokens(input) {
            assert!(token.start >= last && token.end > token.start && token.end <= input.len());
            last = token.end;
        }
        for (mariadb, version) in [(true, 101_106), (false, 80_036), (false, 50_644)] {
            if let Ok(plain) = engine::unwrapped(input, mariadb, version)
                && !engine::marks(&plain)
            {
                let again = engine::unwrapped(&plain, mariadb, version);
                assert_eq!(again.ok(), Some(plain), "one reading is left");
            }
        }
    });
}

#[test]
fn sql_understood() {
    target("sql_understood", DUMPS, SQL, |input| {
        let Ok(statements) = split(vec![input]) else {
            return;
        };
        for understood in engine::understand(&statements).into_iter().flatten() {
            if understood.program {
                continue;
            }
            for sql in understood.sql {
                let shown = String::from_utf8_lossy(&sql);
                assert!(!engine::marks(&sql), "something hidden in {shown}");
                let cut = engine::tokens(&sql).into_iter().any(|at| sql[at] == *b";");
                assert!(!cut, "more than one statement in {shown}");
            }
        }
    });
}
