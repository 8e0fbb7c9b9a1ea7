//! What is in use, against what WordPress says is.

use pressroom_lab::{Multisite, Site, SiteOptions, Wordpress};
use pressroom_wordpress::{
    Home, Watch,
    config::Source,
    inventory::{self, FoundComponent, Survey},
};
use std::{fs, time::Instant};

fn survey(site: &Site) -> Survey {
    let home = Home::open(site.home()).unwrap();
    inventory::survey(&home, site.root(), Some("php"), &[], &Watch::unbounded()).unwrap()
}

fn named<'a>(survey: &'a Survey, slug: &str) -> &'a FoundComponent {
    let all = &survey.inspection.components;
    all.iter().find(|it| it.slug == slug).unwrap()
}

fn theme(site: &Site, slug: &str) {
    site.write(
        &format!("wp-content/themes/{slug}/style.css"),
        format!("/*\nTheme Name: {slug}\n*/"),
    )
    .unwrap();
    site.write(&format!("wp-content/themes/{slug}/index.php"), "<?php")
        .unwrap();
}

#[test]
fn a_single_site_tells_its_own() {
    let site = Site::new(Wordpress::V6_1).unwrap();
    site.plugin("on", "1.0", "").unwrap();
    site.plugin("off", "1.0", "").unwrap();
    site.write(
        "wp-content/plugins/on/more.php",
        "<?php /* Plugin Name: More */",
    )
    .unwrap();
    site.write("wp-content/mu-plugins/always.php", "<?php")
        .unwrap();
    theme(&site, "worn");
    site.php("activate_plugin('on/on.php'); activate_plugin('on/more.php'); switch_theme('worn');")
        .unwrap();
    let told = survey(&site);
    assert_eq!(told.trouble, None);
    assert_eq!(named(&told, "on").active, Some(true));
    assert_eq!(named(&told, "on").others[0].active, Some(true));
    assert_eq!(named(&told, "off").active, Some(false));
    assert_eq!(named(&told, "on").network_active, None);
    assert_eq!(named(&told, "worn").active, Some(true));
    assert_eq!(named(&told, "always").active, Some(true));
    let facts = told.facts.unwrap();
    assert_eq!(facts.network, None);
    let mut active = facts.active_plugins.unwrap();
    active.sort();
    assert_eq!(active, ["on/more.php", "on/on.php"]);

    // A list that is none is unknown, not empty; so is everything without a server.
    site.database
        .sql("UPDATE wp_options SET option_value = 'a:1:{' WHERE option_name = 'active_plugins'")
        .unwrap();
    assert_eq!(named(&survey(&site), "on").active, None);
    let config = site.path().join("wp-config.php");
    let text = fs::read_to_string(&config)
        .unwrap()
        .replace("'DB_HOST', '", "'DB_HOST', 'no:/no/");
    fs::write(&config, text).unwrap();
    let told = survey(&site);
    assert!(told.facts.is_none() && told.trouble.is_some());
    assert_eq!(named(&told, "on").active, None);
    assert_eq!(named(&told, "on").version, "1.0");
}

#[test]
fn networks_tell_each_site_and_the_whole() {
    for kind in [Multisite::Subdirectories, Multisite::Subdomains] {
        let site = Site::network(Wordpress::V6_5, kind).unwrap();
        for slug in ["everywhere", "first", "second", "nowhere"] {
            site.plugin(slug, "1.0", "").unwrap();
        }
        theme(&site, "main");
        theme(&site, "other");
        site.php(
            "activate_plugin('everywhere/everywhere.php', '', true); activate_plugin('first/first.php'); switch_theme('main');
             switch_to_blog(2); activate_plugin('second/second.php'); switch_theme('other'); restore_current_blog();
             update_blog_status(2, 'archived', 1);",
        )
        .unwrap();
        let told = survey(&site);
        assert_eq!(told.trouble, None);
        assert_eq!(told.inspection.settings.multisite, Some(true));
        for (slug, active, network, on) in [
            ("everywhere", true, true, vec![]),
            ("first", true, false, vec![1]),
            ("second", false, false, vec![2]),
            ("nowhere", false, false, vec![]),
        ] {
            let found = named(&told, slug);
            assert_eq!(found.active, Some(active), "{slug}");
            assert_eq!(found.network_active, Some(network), "{slug}");
            assert_eq!(found.active_on, on, "{slug}");
        }
        assert_eq!(named(&told, "main").active, Some(true));
        assert_eq!(named(&told, "other").active, Some(false));
        assert_eq!(named(&told, "other").active_on, [2]);
        let network = told.facts.unwrap().network.unwrap();
        assert_eq!(network.super_admins.unwrap(), ["admin"]);
        assert_eq!(network.blogs_total, 2);
        let second = &network.blogs[1];
        let theirs = site
            .php("$s = get_site(2); echo $s->domain, $s->path;")
            .unwrap();
        assert_eq!(format!("{}{}", second.domain, second.path), theirs);
        assert!(second.closed && !network.blogs[0].closed);
        assert_eq!(
            second.active_plugins.as_ref().unwrap(),
            &["second/second.php"]
        );
        assert_eq!(second.stylesheet.as_deref(), Some("other"));
    }
}

#[test]
fn users_are_read_from_the_tables_the_configuration_names() {
    let site = Site::with(&SiteOptions {
        config: "define('CUSTOM_USER_TABLE', 'people'); define('CUSTOM_USER_META_TABLE', 'people_meta');".into(),
        ..SiteOptions::default()
    })
    .unwrap();
    let told = survey(&site);
    let facts = told.facts.unwrap();
    assert_eq!(facts.administrators.len(), 1);
    assert_eq!(facts.administrators[0].login, "admin");
}

#[test]
fn a_configuration_that_php_must_tell_leads_to_the_database_too() {
    let site = Site::new(Wordpress::V6_5).unwrap();
    site.plugin("on", "1.0", "").unwrap();
    site.php("activate_plugin('on/on.php');").unwrap();
    let config = site.path().join("wp-config.php");
    fs::rename(&config, site.home().join("real-config.php")).unwrap();
    fs::write(
        &config,
        "<?php require dirname(__DIR__) . '/real-config.php';",
    )
    .unwrap();
    let told = survey(&site);
    assert_eq!(told.trouble, None, "{:?}", told.inspection.settings.trouble);
    assert_eq!(told.inspection.settings.source, Source::Evaluated);
    assert_eq!(named(&told, "on").active, Some(true));
}

#[test]
fn forty_plugins_are_surveyed_without_starting_php() {
    let site = Site::new(Wordpress::V6_5).unwrap();
    for number in 0..40 {
        let slug = format!("plugin-{number:02}");
        site.plugin(&slug, "1.0", "").unwrap();
        for extra in 0..4 {
            site.write(
                &format!("wp-content/plugins/{slug}/part-{extra}.php"),
                format!("<?php\n{}", "// code\n".repeat(2000)),
            )
            .unwrap();
        }
    }
    let home = Home::open(site.home()).unwrap();
    let mut best = u128::MAX;
    for _ in 0..5 {
        let since = Instant::now();
        let told = inventory::survey(
            &home,
            site.root(),
            Some("/no/php"),
            &[],
            &Watch::unbounded(),
        )
        .unwrap();
        best = best.min(since.elapsed().as_micros());
        assert_eq!(told.trouble, None);
        assert!(told.inspection.components.len() >= 40);
    }
    // What it costs is the benches' to judge; here it must only not need PHP.
    eprintln!("survey of 40 plugins: {best} µs");
}
