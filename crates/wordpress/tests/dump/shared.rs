//! Several WordPress in one database, one's prefix the beginning of another's.

use crate::place::{EPOCH, Place, settings, text};
use pressroom_wordpress::database::{
    checksums,
    dump::{DumpOptions, LeftOut},
    restore::{OtherTables, RestoreOptions, drop_aside, take_back},
    size,
};

const SHOP: &str = "
CREATE TABLE wp_shop_options (a INT); CREATE TABLE wp_shop_posts (a INT); CREATE TABLE wp_shop_users (a INT);
INSERT INTO wp_shop_posts VALUES (7); CREATE VIEW wp_shop_view AS SELECT a FROM wp_shop_posts;
CREATE TRIGGER wp_shop_trigger BEFORE INSERT ON wp_shop_posts FOR EACH ROW SET NEW.a = 8;
CREATE FUNCTION wp_shop_f() RETURNS INT RETURN 7;
";
const SITE: &str = "
CREATE TABLE wp_options (a INT); CREATE TABLE wp_posts (a INT); CREATE TABLE wp_users (a INT);
CREATE TABLE wp_shopping (a INT); INSERT INTO wp_posts VALUES (1);
";

fn removing() -> RestoreOptions {
    RestoreOptions {
        remove_unknown: true,
        ..RestoreOptions::default()
    }
}

/// What the other WordPress has, by its own prefix.
fn shop(place: &Place) -> (String, Vec<u8>) {
    let own = settings(&place.database, "wp_shop_");
    let mut out = Vec::new();
    let options = DumpOptions::default();
    pressroom_wordpress::database::dump::dump(&own, &options, &mut out, &place.watch).unwrap();
    let sums = checksums(&own, &[], &place.watch).unwrap();
    (format!("{sums:?}"), out)
}

#[test]
fn another_wordpress_is_neither_dumped_nor_replaced_nor_removed() {
    let place = Place::new();
    place.stock_restore(format!("{SITE}{SHOP}").as_bytes());
    let before = shop(&place);
    assert!(text(&before.1).contains("wp_shop_trigger"));
    let (dump, report) = place.dump_with(&DumpOptions::default()).unwrap();
    assert!(!text(&dump).contains("wp_shop_"), "{}", text(&dump));
    let tables: Vec<&str> = report.tables.iter().map(|one| one.name.as_str()).collect();
    let own = ["wp_options", "wp_posts", "wp_shopping", "wp_users"];
    assert_eq!(tables, own);
    let left_out = |name: &str| {
        let one: Option<&LeftOut> = report.left_out.iter().find(|one| one.name == name);
        one.map(|one| (one.kind.as_str(), one.why.contains("`wp_shop_`")))
    };
    assert_eq!(left_out("wp_shop_posts"), Some(("table", true)));
    assert_eq!(left_out("wp_shop_view"), Some(("view", true)));
    assert_eq!(left_out("wp_shop_f"), Some(("function", false)));
    let sums = place.checksums();
    assert_eq!(
        sums.iter().map(|one| &*one.name).collect::<Vec<_>>(),
        tables
    );
    let sizes = size(&place.settings, &place.watch).unwrap();
    assert_eq!(
        sizes.iter().map(|one| &*one.name).collect::<Vec<_>>(),
        tables
    );

    // Its own dump, and one that holds all there was, come back beside it.
    place.sql("CREATE TABLE wp_new (a INT); INSERT INTO wp_posts VALUES (2)");
    let whole = place.stock_dump(&["--skip-triggers"]);
    for (dump, passed_over) in [(&dump, false), (&whole, true)] {
        place.sql("CREATE TABLE wp_newer (a INT)");
        let report = place.restore_with(dump, &removing()).unwrap();
        assert_eq!(
            report.of_others,
            [
                "wp_shop_options",
                "wp_shop_posts",
                "wp_shop_users",
                "wp_shop_view"
            ]
        );
        let named = |name: &str| report.passed_over.iter().any(|one| one == name);
        assert_eq!(named("table wp_shop_posts"), passed_over);
        assert!(!report.tables.iter().any(|one| one.name.contains("shop_")));
        let aside = report.aside.unwrap();
        assert!(aside.tables.iter().any(|name| name == "wp_newer"));
        assert!(!aside.tables.iter().any(|name| name.contains("shop_")));
        assert_eq!(shop(&place), before);
        if passed_over {
            drop_aside(&place.home, EPOCH, &place.settings, &aside, &place.watch).unwrap();
        } else {
            assert_eq!(place.checksums(), sums);
            take_back(&place.home, EPOCH, &place.settings, &aside, &place.watch).unwrap();
            place.sql("DROP TABLE wp_newer");
        }
        assert_eq!(shop(&place), before);
    }

    // Who asks for the whole database gets it.
    let all = RestoreOptions {
        others: OtherTables::Restore,
        ..removing()
    };
    place.sql("INSERT INTO wp_shop_posts VALUES (9)");
    assert_ne!(shop(&place), before);
    place.restore_with(&whole, &all).unwrap();
    assert_eq!(place.sql("SELECT a FROM wp_shop_posts"), "7\n");
}

#[test]
fn sites_of_a_network_come_and_go_with_it() {
    const NETWORK: &str = "CREATE TABLE wp_blogs (a INT); CREATE TABLE wp_2_options (a INT);
         CREATE TABLE wp_2_posts (a INT); INSERT INTO wp_2_posts VALUES (2);";
    let place = Place::new();
    place.stock_restore(format!("{SITE}{SHOP}{NETWORK}").as_bytes());
    let before = shop(&place);
    let (dump, report) = place.dump_with(&DumpOptions::default()).unwrap();
    assert_eq!(report.tables.len(), 7);
    let sums = place.checksums();
    assert_eq!(sums.len(), 7);
    // Its list of sites is lost: the dump brings it, and so they are its own.
    place.sql("DROP TABLE wp_blogs; DELETE FROM wp_2_posts; CREATE TABLE wp_2_new (a INT)");
    assert_eq!(place.checksums().len(), 4);
    let report = place.restore_with(&dump, &removing()).unwrap();
    assert_eq!(report.passed_over, [""; 0]);
    let aside = report.aside.unwrap();
    assert!(aside.tables.iter().any(|name| name == "wp_2_new"));
    assert_eq!(place.checksums(), sums);
    drop_aside(&place.home, EPOCH, &place.settings, &aside, &place.watch).unwrap();
    assert_eq!(shop(&place), before);
}

/// Without a network anywhere `wp_2_` is somebody else's.
#[test]
fn a_number_alone_makes_no_network() {
    let place = Place::new();
    place.stock_restore(
        format!(
            "{SITE} CREATE TABLE wp_2_options (a INT); CREATE TABLE wp_2_posts (a INT);
             INSERT INTO wp_2_posts VALUES (2);"
        )
        .as_bytes(),
    );
    let whole = place.stock_dump(&[]);
    place.sql("INSERT INTO wp_2_posts VALUES (3); INSERT INTO wp_posts VALUES (3)");
    let report = place.restore_with(&whole, &removing()).unwrap();
    assert_eq!(
        report.passed_over,
        ["table wp_2_options", "table wp_2_posts"]
    );
    assert_eq!(report.of_others, ["wp_2_options", "wp_2_posts"]);
    assert_eq!(place.sql("SELECT a FROM wp_2_posts"), "2\n3\n");
    assert_eq!(place.sql("SELECT a FROM wp_posts"), "1\n");
    let names = place.names();
    assert!(!names.contains("n1_wp_2"), "{names}");
}
