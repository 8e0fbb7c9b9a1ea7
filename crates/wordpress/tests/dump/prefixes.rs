//! Tables of another site, which get this one's prefix.

use crate::place::{EPOCH, Place, settings};
use pressroom_wordpress::database::{
    dump::{DumpOptions, dump},
    restore::{RestoreOptions, take_back},
};

const TABLES: &str = "
CREATE TABLE old_options (option_name VARCHAR(191) PRIMARY KEY, option_value TEXT);
CREATE TABLE old_usermeta (umeta_id INT PRIMARY KEY, meta_key VARCHAR(255));
CREATE TABLE old_posts (ID INT PRIMARY KEY, post_content TEXT);
INSERT INTO old_options VALUES ('old_user_roles', 'r'), ('old_custom', 'c'), ('siteurl', 'old_');
INSERT INTO old_usermeta VALUES (1, 'old_capabilities'), (2, 'OLD_level'), (3, 'nickname_old_');
INSERT INTO old_posts VALUES (1, '`old_posts` stays text');
";

fn source(more: &str) -> Vec<u8> {
    let place = Place::with(&format!("{TABLES}{more}"));
    let mut out = Vec::new();
    let settings = settings(&place.database, "old_");
    dump(&settings, &DumpOptions::default(), &mut out, &place.watch).unwrap();
    out
}

fn renaming() -> RestoreOptions {
    RestoreOptions {
        remove_unknown: true,
        from_prefix: Some("old_".into()),
        ..RestoreOptions::default()
    }
}

#[test]
fn tables_roles_and_rights_get_the_sites_prefix() {
    let place = Place::with("CREATE TABLE wp_options (a INT); INSERT INTO wp_options VALUES (7)");
    let before = place.checksums();
    let report = place.restore_with(&source(""), &renaming()).unwrap();
    let names: Vec<&str> = report.tables.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["wp_options", "wp_posts", "wp_usermeta"]);
    assert_eq!(
        place.sql("SELECT option_name FROM wp_options ORDER BY 1"),
        "old_custom\nsiteurl\nwp_user_roles\n"
    );
    assert_eq!(
        place.sql("SELECT meta_key FROM wp_usermeta ORDER BY umeta_id"),
        "wp_capabilities\nOLD_level\nnickname_old_\n"
    );
    assert_eq!(
        place.sql("SELECT post_content FROM wp_posts"),
        "`old_posts` stays text\n"
    );
    let aside = report.aside.unwrap();
    take_back(&place.home, EPOCH, &place.settings, &aside, &place.watch).unwrap();
    assert_eq!(place.checksums(), before);
    assert!(!place.names().contains("wp_posts"), "{}", place.names());
}

#[test]
fn what_names_tables_in_its_text_is_refused_and_so_is_a_network() {
    for more in [
        "CREATE VIEW old_view AS SELECT ID FROM old_posts",
        "CREATE TRIGGER old_t BEFORE INSERT ON old_posts FOR EACH ROW SET NEW.ID = 8",
        "CREATE TABLE old_blogs (a INT); CREATE TABLE old_site (a INT)",
    ] {
        let place = Place::with("CREATE TABLE wp_options (a INT)");
        let before = place.names();
        let refused = place.restore_with(&source(more), &renaming());
        assert!(refused.is_err(), "{more}: {refused:?}");
        assert_eq!(place.names(), before);
    }
}

#[test]
fn a_network_is_refused_on_either_side_under_the_same_prefix_too() {
    const NETWORK: &str = "CREATE TABLE old_blogs (a INT); CREATE TABLE old_site (a INT);";
    const SINGLE: &str = "CREATE TABLE old_options (a INT);";
    for (there, comes) in [
        (SINGLE.to_owned(), NETWORK),
        (format!("{SINGLE}{NETWORK}"), ""),
    ] {
        let mut place = Place::with(&there);
        place.settings = settings(&place.database, "old_");
        let before = place.checksums();
        let refused = place.restore_with(&source(comes), &renaming());
        let said = refused.map(drop).unwrap_err().to_string();
        assert!(said.contains("network"), "{said}");
        assert_eq!(place.checksums(), before);
    }
}
