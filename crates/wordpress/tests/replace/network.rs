//! A network that moves.

use super::{options, rows, run};
use pressroom_lab::{Multisite, Site, Wordpress};

fn places(site: &Site) -> String {
    site.database
        .sql(
            "SELECT domain, path FROM wp_blogs ORDER BY blog_id; SELECT domain, path FROM wp_site; \
              SELECT meta_value FROM wp_sitemeta WHERE meta_key = 'siteurl'",
        )
        .expect("rows")
}

/// Lets the configuration follow, which is not the database's.
fn configure(site: &mut Site, host: &str) {
    let path = site.path().join("wp-config.php");
    let config = std::fs::read_to_string(&path).expect("a configuration");
    let line = "define( 'DOMAIN_CURRENT_SITE', '";
    let (before, after) = config.split_once(line).expect("the domain");
    let (_, after) = after.split_once('\'').expect("its end");
    std::fs::write(&path, format!("{before}{line}{host}'{after}")).expect("written");
    site.url = format!("https://{host}");
}

#[test]
fn domains_of_both_kinds_move() {
    for (wordpress, kind, blogs, second) in [
        (
            Wordpress::V6_1,
            Multisite::Subdirectories,
            "new.example\t/\nnew.example\t/second/\n",
            "https://new.example/second",
        ),
        (
            Wordpress::V6_5,
            Multisite::Subdomains,
            "new.example\t/\nsecond.new.example\t/\n",
            "https://second.new.example",
        ),
    ] {
        let mut site = Site::network(wordpress, kind).expect("a network");
        site.database
            .sql("INSERT INTO wp_blogs (site_id, domain, path) VALUES (1, 'bexample.test', '/')")
            .expect("a neighbour");
        let mut pairs = vec![("http://example.test", "https://new.example")];
        if kind == Multisite::Subdomains {
            pairs.push(("http://second.example.test", "https://second.new.example"));
        }
        let report = run(&site, &options(&pairs)).expect("a run");
        assert_eq!(report.verified, Some(true));
        assert_eq!(rows(&report, "wp_blogs", "domain"), 2);
        assert_eq!(
            places(&site),
            format!("{blogs}bexample.test\t/\nnew.example\t/\nhttps://new.example/\n")
        );
        configure(&mut site, "new.example");
        let said = site
            .php("echo get_home_url(1), ' ', get_home_url(2), ' ', get_sites(['domain' => 'new.example'])[0]->blog_id;")
            .expect("an answer");
        assert_eq!(said, format!("https://new.example {second} 1"));
    }
}

#[test]
fn the_rule_can_be_switched_off() {
    let site = Site::network(Wordpress::V6_5, Multisite::Subdomains).expect("a network");
    let mut options = options(&[("example.test", "new.example")]);
    options.domains = false;
    options.tables = vec!["wp_blogs".into()];
    let report = run(&site, &options).expect("a run");
    assert_eq!(report.rows, 2);
    assert!(places(&site).starts_with("new.example\t/\nsecond.new.example\t/\nexample.test\t/\n"));
}
