//! Where updates come from, and what may not be read.

use pressroom_lab::{Site, Wordpress};
use pressroom_wordpress::{
    Home, Watch,
    inventory::{self, ThemeFault, UpdateSource},
};
use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt};

#[test]
fn the_host_of_an_update_uri_is_wordpress_own() {
    let site = Site::new(Wordpress::V6_5).unwrap();
    let uris = [
        "https://example.com/x",
        "http://Example.com",
        "example.com",
        "example.com/a/b",
        "my-id",
        "false",
        "https://user:pass@example.com:8080/x?y#z",
        "ftp://example.com/",
        "mailto:a@example.com",
        "https://",
        "//example.com/x",
        "/path",
        "#x",
        "?x",
        "https://wordpress.org/plugins/shop/",
        "w.org/plugin/shop",
        "w.org/plugin/other",
        "https://sub.wordpress.org/x",
        "  https://example.com ",
    ];
    for (at, uri) in uris.iter().enumerate() {
        site.write(
            &format!("wp-content/plugins/shop{at}/shop{at}.php"),
            format!("<?php\n/*\nPlugin Name: x\nUpdate URI: {uri}\n*/")
                .replace("/shop", &format!("/shop{at}")),
        )
        .unwrap();
    }
    let said = site
        .php(
            "foreach (get_plugins() as $file => $data) echo $file, ' ', \
             wp_parse_url(sanitize_url($data['UpdateURI']), PHP_URL_HOST), PHP_EOL;",
        )
        .unwrap();
    let theirs: BTreeMap<&str, &str> = said
        .lines()
        .filter_map(|line| line.split_once(' '))
        .collect();
    let home = Home::open(site.home()).unwrap();
    let found = inventory::inspect(&home, site.root(), &Watch::unbounded()).unwrap();
    let mut vendors = 0;
    for plugin in found
        .components
        .iter()
        .filter(|it| it.slug.starts_with("shop"))
    {
        let host = theirs[plugin.file.as_str()];
        match &plugin.update_source {
            UpdateSource::Vendor(ours) => {
                vendors += 1;
                assert!(host.eq_ignore_ascii_case(ours), "{plugin:?} but {host}");
            }
            UpdateSource::Repository => {
                assert!(matches!(host, "wordpress.org" | "w.org"), "{plugin:?}");
            }
            UpdateSource::Nobody => assert!(
                matches!(
                    host,
                    "" | "false" | "wordpress.org" | "w.org" | "example.com"
                ),
                "{plugin:?} but {host}"
            ),
            UpdateSource::Unknown => panic!("{plugin:?}"),
        }
    }
    assert!(vendors >= 7);
}

#[test]
fn an_unreadable_stylesheet_is_named() {
    if rustix::process::geteuid().is_root() {
        // Nothing is unreadable to root.
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let style = dir.path().join("wp-content/themes/x/style.css");
    fs::create_dir_all(style.parent().unwrap()).unwrap();
    fs::write(&style, "/* Theme Name: X */").unwrap();
    fs::set_permissions(&style, fs::Permissions::from_mode(0o000)).unwrap();
    let home = Home::open(dir.path()).unwrap();
    let found = inventory::inspect(&home, "", &Watch::unbounded()).unwrap();
    assert_eq!(
        found.broken_themes[0].fault,
        ThemeFault::StylesheetUnreadable
    );
}
