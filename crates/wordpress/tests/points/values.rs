//! Every kind of value comes back as the same bytes.

use crate::{place::Place, steps::of};
use pressroom_wordpress::database::restore_point::Made;

const TYPES: &str = "
SET NAMES utf8mb4; SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone = '+00:00';
CREATE TABLE wp_v (
  id BIGINT UNSIGNED NOT NULL PRIMARY KEY, big BIGINT, dec_ DECIMAL(60,20), fl FLOAT, dbl DOUBLE, bits BIT(9),
  yr YEAR, d DATE NOT NULL DEFAULT '0000-00-00', dt DATETIME(6) NOT NULL DEFAULT '0000-00-00 00:00:00', ts TIMESTAMP NULL, tm TIME(3),
  c CHAR(5), vc VARCHAR(50), u TEXT CHARACTER SET utf8mb4, l1 VARCHAR(50) CHARACTER SET latin1, u2 VARCHAR(50) CHARACTER SET ucs2,
  b BINARY(4), bl LONGBLOB, j JSON, e ENUM('x','y',''), s SET('p','q'), g POINT, sum_ INT AS (id % 100 + 1) STORED, virt INT AS (id % 100 * 2) VIRTUAL
) DEFAULT CHARSET=utf8mb4;
INSERT INTO wp_v (id,big,dec_,fl,dbl,bits,yr,d,dt,ts,tm,c,vc,u,l1,u2,b,bl,j,e,s,g) VALUES
 (18446744073709551615,-9223372036854775808,'-12345678901234567890.12345678901234567890',0.1,-0.0,b'101010101',1999,'0000-00-00','0000-00-00','2001-02-03 04:05:06','-12:34:56.789','a','t ','😀','é','ж',x'00FF',x'00ff0a27','{\"a\": 1}','y','p,q',POINT(1,2)),
 (0,NULL,NULL,NULL,NULL,NULL,NULL,'2024-02-31','9999-12-31 23:59:59.999999',NULL,NULL,NULL,'','',NULL,NULL,NULL,'',NULL,NULL,'',NULL),
 (7,0,0,1e-30,1.7976931348623157e308,0,0,'1000-01-01','2020-01-01','1970-01-01 00:00:01','0','','\\'\\\\\\n','x','x','x','','x','[]','','p',POINT(0,0));
INSERT INTO wp_v (id, bl) VALUES (8, REPEAT(x'00FF27', 400000));
";

#[test]
fn all_types_return() {
    let place = Place::with(TYPES);
    let before = place.checksums();
    for update in [
        "SET sql_mode=''; UPDATE wp_v SET big=1, dec_=2, fl=3, dbl=0.0, bits=4, yr=2000, d='2020-01-01', dt=NOW(6), ts=NOW(), tm='1:1', c='z', vc='z', u='z', l1='z', u2='z', b='z', bl='z', j='{}', e='x', s='q', g=POINT(9,9)",
        "DELETE FROM wp_v",
        // What only bytes tell apart.
        "UPDATE wp_v SET vc = 't', dbl = 0e0, l1 = UPPER(l1) WHERE big < 0",
    ] {
        let report = place.course(update, "SELECT 1");
        let table = of(&report, "wp_v");
        assert_eq!(table.how, Made::Exact, "{update}: {table:#?}");
        assert_eq!(place.checksums(), before, "{update}");
        assert_eq!(
            place.sql("SELECT sum_, virt FROM wp_v WHERE id = 7"),
            "8\t14\n"
        );
    }
}

#[test]
fn other_engines_are_told_and_return() {
    let place = Place::with(
        "CREATE TABLE wp_my (a INT PRIMARY KEY, b TEXT) ENGINE=MyISAM; CREATE TABLE wp_aria (a INT PRIMARY KEY, b TEXT) ENGINE=Aria;
         CREATE TABLE wp_mem (a INT PRIMARY KEY) ENGINE=MEMORY; CREATE SEQUENCE wp_seq; CREATE VIEW wp_view AS SELECT a FROM wp_my;
         INSERT INTO wp_my VALUES (1, 'x'), (2, 'y'); INSERT INTO wp_aria VALUES (1, 'x');",
    );
    let point = place.take();
    assert_eq!(point.non_transactional, ["wp_aria", "wp_my"]);
    let left: Vec<&str> = point.left_out.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(left, ["wp_mem", "wp_seq"]);
    place.sql("UPDATE wp_my SET b = 'u'; DELETE FROM wp_aria; INSERT INTO wp_mem VALUES (1); CREATE OR REPLACE VIEW wp_view AS SELECT b FROM wp_my");
    place.seal(&point);
    place.sql("UPDATE wp_my SET b = 'mine' WHERE a = 2; INSERT INTO wp_aria VALUES (5, 'mine')");
    let report = place.merge(&point);
    assert_eq!(place.sql("SELECT * FROM wp_my"), "1\tx\n2\tmine\n");
    assert_eq!(
        place.sql("SELECT * FROM wp_aria ORDER BY a"),
        "1\tx\n5\tmine\n"
    );
    assert_eq!(place.sql("SELECT * FROM wp_mem"), "1\n");
    assert_eq!(report.left.len(), 1);
    assert_eq!(report.left[0].name, "wp_view");
    place.drop(&point);
    place.nothing_left();
}
