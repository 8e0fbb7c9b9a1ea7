//! Who wrote a row decides what becomes of it.

use crate::{place::Place, steps::of};
use pressroom_wordpress::database::restore_point::{ChangedRows, ConflictKind, Made};

const POSTS: &str = "
CREATE TABLE wp_posts (ID BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, t VARCHAR(20)) DEFAULT CHARSET=utf8mb4;
CREATE TABLE wp_users (ID INT PRIMARY KEY, user_login VARCHAR(9), user_pass VARCHAR(99));
INSERT INTO wp_posts VALUES (1,'a'),(2,'b'),(3,'c'),(4,'d'),(5,'e'),(6,'f'),(7,'g');
INSERT INTO wp_users VALUES (1, 'anna', 'hash-one');
";

#[test]
fn what_others_wrote_stays_and_what_the_update_wrote_goes() {
    let place = Place::with(POSTS);
    let point = place.take();
    assert_eq!(point.tables.len(), 2);
    place.sql(
        "UPDATE wp_posts SET t = CONCAT(t, '!') WHERE ID IN (1, 2, 3);
         DELETE FROM wp_posts WHERE ID IN (4, 5); INSERT INTO wp_posts VALUES (20,'new'),(21,'new'),(22,'new');",
    );
    let sealed = place.seal(&point);
    assert_eq!(sealed.changed.len(), 1);
    assert_eq!(
        sealed.changed[0].rows,
        Some(ChangedRows {
            added: 3,
            changed: 3,
            removed: 2
        })
    );
    // Sealed once, it stays.
    place.sql(
        "UPDATE wp_posts SET t = 'mine' WHERE ID IN (2, 6); DELETE FROM wp_posts WHERE ID IN (3, 7, 22);
         INSERT INTO wp_posts VALUES (5,'again'), (30,'order'); UPDATE wp_posts SET t = 'edited' WHERE ID = 21;
         UPDATE wp_users SET user_pass = 'changed';",
    );
    assert_eq!(place.seal(&point).changed, sealed.changed);
    let users = place.sql("SELECT * FROM wp_users");
    let report = place.merge(&point);
    assert_eq!(
        place.sql("SELECT * FROM wp_posts ORDER BY ID"),
        "1\ta\n2\tmine\n4\td\n5\tagain\n6\tmine\n21\tedited\n30\torder\n"
    );
    assert_eq!(place.sql("SELECT * FROM wp_users"), users);
    assert_eq!(report.tables.len(), 1);
    let posts = of(&report, "wp_posts");
    assert_eq!(posts.how, Made::Merged);
    // Back: 1 and 4, and 20 gone.
    assert_eq!(posts.rows_returned, 3);
    // 2, 5, 6, 21, 30.
    assert_eq!(posts.rows_kept, 5);
    let told: Vec<(&str, ConflictKind)> = posts
        .conflicts
        .iter()
        .map(|one| (one.key[0].now.as_deref().unwrap(), one.kind))
        .collect();
    assert_eq!(posts.conflicts_total, 4);
    for wanted in [
        ("2", ConflictKind::Changed),
        ("3", ConflictKind::Removed),
        ("5", ConflictKind::WrittenAgain),
        ("21", ConflictKind::ChangedNew),
    ] {
        assert!(told.contains(&wanted), "{wanted:?} in {told:?}");
    }
    let two = posts
        .conflicts
        .iter()
        .find(|one| one.kind == ConflictKind::Changed)
        .unwrap();
    assert_eq!(two.columns[0].before.as_deref(), Some("b"));
    assert_eq!(two.columns[0].now.as_deref(), Some("mine"));
    let again = place.merge(&point);
    assert_eq!(of(&again, "wp_posts").rows_returned, 0);
    place.drop(&point);
    place.drop(&point);
    place.nothing_left();
}

#[test]
fn with_nobody_else_the_table_is_what_it_was() {
    let place = Place::with(POSTS);
    let before = place.checksums();
    let report = place.course(
        "UPDATE wp_posts SET t = 'x' WHERE ID > 2; DELETE FROM wp_posts WHERE ID = 1;
         INSERT INTO wp_posts (t) VALUES ('n'); UPDATE wp_users SET user_pass = 'theirs';",
        "SELECT 1",
    );
    assert_eq!(place.checksums(), before);
    for table in &report.tables {
        assert_eq!((table.how, table.rows_kept), (Made::Exact, 0));
    }
    // A number that was handed out is not handed out again.
    place.sql("INSERT INTO wp_posts (t) VALUES ('next')");
    assert_eq!(place.sql("SELECT MAX(ID) FROM wp_posts"), "9\n");
}

#[test]
fn secrets_are_not_told() {
    let place = Place::with(POSTS);
    let report = place.course(
        "UPDATE wp_users SET user_pass = 'hash-two'",
        "UPDATE wp_users SET user_pass = 'hash-three'",
    );
    let users = of(&report, "wp_users");
    assert_eq!(users.conflicts_total, 1);
    let told = serde_json::to_string(&report).unwrap();
    for secret in ["hash-one", "hash-two", "hash-three"] {
        assert!(!told.contains(secret), "{told}");
    }
    assert_eq!(place.sql("SELECT user_pass FROM wp_users"), "hash-three\n");
}

#[test]
fn values_that_may_be_there_once_only() {
    let place = Place::with(
        "CREATE TABLE wp_options (option_id INT AUTO_INCREMENT PRIMARY KEY, option_name VARCHAR(191) NOT NULL UNIQUE, option_value TEXT);
         INSERT INTO wp_options VALUES (1,'a','1'),(2,'b','2'),(3,'c','3'),(4,'d','4'),(5,'e','5');",
    );
    // The update swaps names, and makes an option anew; somebody makes another one anew.
    let report = place.course(
        "UPDATE wp_options SET option_name = 'x' WHERE option_id = 1; UPDATE wp_options SET option_name = 'a' WHERE option_id = 2;
         UPDATE wp_options SET option_name = 'b' WHERE option_id = 1; DELETE FROM wp_options WHERE option_id IN (3, 4);
         INSERT INTO wp_options VALUES (50,'c','new'); UPDATE wp_options SET option_name = 'E2' WHERE option_id = 5;",
        "INSERT INTO wp_options VALUES (60,'d','mine'), (61, 'e', 'mine too')",
    );
    assert_eq!(
        place.sql("SELECT * FROM wp_options ORDER BY option_id"),
        "1\ta\t1\n2\tb\t2\n3\tc\t3\n5\tE2\t5\n60\td\tmine\n61\te\tmine too\n"
    );
    let options = of(&report, "wp_options");
    assert_eq!(options.conflicts_total, 2, "{options:#?}");
    let kinds: Vec<ConflictKind> = options.conflicts.iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [ConflictKind::Taken; 2], "{options:#?}");
}

#[test]
fn keys_of_letters_and_of_several_columns() {
    let place = Place::with(
        "CREATE TABLE wp_k (a VARCHAR(20) NOT NULL, b DATETIME NOT NULL, v BLOB, PRIMARY KEY (a, b)) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
         CREATE TABLE wp_l (a VARCHAR(20) NOT NULL, v INT, UNIQUE KEY u (a)) DEFAULT CHARSET=latin1;
         CREATE TABLE wp_m (a INT NOT NULL, b INT NOT NULL, PRIMARY KEY (a, b)) ENGINE=MyISAM;
         SET sql_mode = ''; INSERT INTO wp_k VALUES ('Ä', '0000-00-00', 'x'), ('b', '2020-01-01', 'y'), ('c', '2020-01-01', NULL);
         INSERT INTO wp_l VALUES ('é', 1), ('x', 2), ('Y', 3); INSERT INTO wp_m VALUES (1, 1), (2, 2);",
    );
    let before = place.checksums();
    let update = "SET sql_mode = ''; UPDATE wp_k SET a = 'ä', v = 'new' WHERE a = 'Ä'; UPDATE wp_l SET a = UPPER(a);
        DELETE FROM wp_k WHERE a = 'c'; INSERT INTO wp_m VALUES (3, 3); DELETE FROM wp_m WHERE a = 1;";
    place.course(update, "SELECT 1");
    assert_eq!(place.checksums(), before);
    place.course(
        update,
        "INSERT INTO wp_m VALUES (9, 9); INSERT INTO wp_l VALUES ('mine', 9)",
    );
    assert_eq!(
        place.sql("SELECT * FROM wp_m ORDER BY a"),
        "1\t1\n2\t2\n9\t9\n"
    );
    assert_eq!(
        place.sql("SELECT a FROM wp_l ORDER BY v"),
        "é\nx\nY\nmine\n"
    );
}

#[test]
fn a_network_and_users_elsewhere_are_kept() {
    let mut place = Place::with(
        "CREATE TABLE wp_blogs (blog_id INT PRIMARY KEY); CREATE TABLE wp_2_options (option_id INT PRIMARY KEY, option_name VARCHAR(99), option_value TEXT);
         CREATE TABLE wp_2_posts (ID INT PRIMARY KEY); CREATE TABLE people (ID INT PRIMARY KEY, n INT); CREATE TABLE other_x (a INT PRIMARY KEY);
         INSERT INTO wp_2_options VALUES (1, '_transient_x', '1'); INSERT INTO people VALUES (1, 1);",
    );
    place.settings.custom_user_table = pressroom_wordpress::config::Defined::As("people".into());
    place.settings.custom_user_meta_table = pressroom_wordpress::config::Defined::No;
    let point = place.take();
    let names: Vec<&str> = point.tables.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["people", "wp_2_options", "wp_2_posts", "wp_blogs"]);
    place.sql("UPDATE people SET n = 2; UPDATE wp_2_options SET option_value = '2'; INSERT INTO other_x VALUES (1)");
    place.seal(&point);
    place.sql("UPDATE wp_2_options SET option_value = '3'");
    let report = place.merge(&point);
    assert_eq!(place.sql("SELECT n FROM people"), "1\n");
    assert_eq!(place.sql("SELECT COUNT(*) FROM wp_2_options"), "0\n");
    assert_eq!(report.conflicts(), 0);
    assert_eq!(place.sql("SELECT a FROM other_x"), "1\n");
    place.drop(&point);
    place.nothing_left();
}
