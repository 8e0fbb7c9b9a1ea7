//! Row for row what a walk in PHP makes of hard values.

use super::{checksums, column_of, options, reference, rows, run};
use pressroom_lab::{Multisite, Site, Wordpress};
use pressroom_wordpress::database::replace::ReplaceOptions;

const PAIRS: [(&str, &str); 2] = [
    ("http://old.test", "https://new.example/käse"),
    ("http://example.test", "https://www.example.org"),
];

fn judge(site: &Site, prefixes: &[&str]) {
    for prefix in prefixes {
        reference::fill(&site.database, prefix);
    }
    let options = options(&PAIRS);
    let before = checksums(site);
    let dry = run(
        site,
        &ReplaceOptions {
            dry_run: true,
            ..options.clone()
        },
    )
    .expect("a dry run");
    assert_eq!(checksums(site), before, "a dry run changed something");
    let (wanted, broken) = reference::cells(&site.database, &PAIRS, reference::RULED);

    let report = run(site, &options).expect("a run");
    let (found, _) = reference::cells(&site.database, &[], reference::RULED);
    reference::assert_same(&wanted, &found);
    assert_eq!(report.broken, broken);
    assert!(broken > 30);
    assert_eq!((report.failed, report.verified), (0, Some(true)));

    // The dry run told the truth.
    assert_eq!(
        (dry.rows, dry.replacements, dry.broken, dry.verified),
        (report.rows, report.replacements, report.broken, None)
    );
    for prefix in prefixes {
        let guid = column_of(&report, &format!("{prefix}posts"), "guid");
        assert!(guid.skipped.is_some() && guid.rows == 0 && guid.remaining > Some(100));
        assert!(rows(&report, &format!("{prefix}postmeta"), "meta_value") > 100);
    }

    // Once is enough.
    let after = checksums(site);
    let again = run(site, &options).expect("a second run");
    assert_eq!(again.rows, 0);
    assert_eq!(checksums(site), after);
}

#[test]
fn equals_a_walk_in_php_on_6_1() {
    let site = Site::new(Wordpress::V6_1).expect("a site");
    judge(&site, &["wp_"]);
    let said = site
        .php("echo get_option('home'), get_permalink(1);")
        .expect("pages");
    assert!(
        said.starts_with("https://www.example.orghttps://www.example.org/?p=1"),
        "{said}"
    );
}

#[test]
fn equals_a_walk_in_php_on_6_5() {
    let site = Site::new(Wordpress::V6_5).expect("a site");
    judge(&site, &["wp_"]);
    // Addresses in identities are replaced only when asked for.
    let guids = |text: &str| {
        let statement = format!("SELECT COUNT(*) FROM wp_posts WHERE guid LIKE '{text}%'");
        site.database
            .sql(&statement)
            .expect("a count")
            .trim()
            .parse::<u64>()
            .expect("a number")
    };
    let count = guids("http://old.test");
    assert!(count > 100);
    let mut options = options(&PAIRS);
    options.guid = true;
    let report = run(&site, &options).expect("a run");
    assert_eq!(guids("http://old.test"), 0);
    assert_eq!(guids("https://new.example/käse"), count);
    assert_eq!(report.rows, rows(&report, "wp_posts", "guid"));
}

#[test]
fn equals_a_walk_in_php_on_networks() {
    for kind in [Multisite::Subdirectories, Multisite::Subdomains] {
        let site = Site::network(Wordpress::V6_5, kind).expect("a network");
        judge(&site, &["wp_", "wp_2_"]);
    }
}
