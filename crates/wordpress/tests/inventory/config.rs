//! Configurations of real sites: read as they are, edited, and still running.

use pressroom_base::Epoch;
use pressroom_lab::{Site, SiteOptions, Wordpress};
use pressroom_wordpress::{
    Home, Watch,
    config::{self, ConfigValue, Edit, Source},
    fence, find,
};
use std::fs;

#[test]
fn an_edited_site_runs_as_edited() {
    let site = Site::new(Wordpress::V6_5).unwrap();
    let home = Home::open(site.home()).unwrap();
    let watch = Watch::unbounded();
    let epoch = Epoch::new(1);
    fence::take(&home, epoch, &watch).unwrap();
    let value = "it's \\ \"$x\" ?> é";
    let edits = [
        Edit::Set {
            name: "PRESSROOM_TEXT".into(),
            value: ConfigValue::Text(value.into()),
        },
        Edit::Set {
            name: "WP_DEBUG".into(),
            value: ConfigValue::Bool(false),
        },
        Edit::Block {
            name: "memory".into(),
            code: "define( 'WP_MEMORY_LIMIT', '99M' );".into(),
        },
    ];
    let done = config::edit(&home, epoch, site.root(), &edits, Some("php"), &watch).unwrap();
    assert!(done.changed && done.linted);
    let said = site
        .php("echo PRESSROOM_TEXT, '|', var_export(WP_DEBUG, true), '|', WP_MEMORY_LIMIT;")
        .unwrap();
    assert_eq!(said, format!("{value}|false|99M"));
    // Never doubled.
    let again = config::edit(&home, epoch, site.root(), &edits, Some("php"), &watch).unwrap();
    assert!(!again.changed);
    let undo = [
        Edit::RemoveBlock {
            name: "memory".into(),
        },
        Edit::Remove {
            name: "PRESSROOM_TEXT".into(),
        },
        Edit::Remove {
            name: "WP_DEBUG".into(),
        },
    ];
    let before = fs::read(site.home().join(done.backup.unwrap())).unwrap();
    config::edit(&home, epoch, site.root(), &undo, Some("php"), &watch).unwrap();
    assert_eq!(fs::read(site.path().join("wp-config.php")).unwrap(), before);
}

#[test]
fn what_is_read_is_what_wordpress_has() {
    let site = Site::with(&SiteOptions {
        config: "define('WP_CONTENT_DIR', __DIR__ . '/assets'); define('A', \"x\\ty\" . 5);\n\
                 if (!defined('WP_PLUGIN_DIR')) { define('WP_PLUGIN_DIR', dirname(__FILE__) . '/' . 'addons'); }\n\
                 defined('UPLOADS') || define('UPLOADS', 'media');"
            .into(),
        ..SiteOptions::default()
    })
    .unwrap();
    let home = Home::open(site.home()).unwrap();
    let settings = config::read(&home, site.root()).unwrap();
    let said = site
        .php("echo implode('|', array(DB_NAME, DB_PASSWORD, DB_HOST, $table_prefix, WP_CONTENT_DIR, WP_PLUGIN_DIR, WPMU_PLUGIN_DIR, ABSPATH . UPLOADS));")
        .unwrap();
    let directories = settings.directories.unwrap();
    let real = fs::canonicalize(site.home()).unwrap();
    let absolute =
        |directory: &config::Directory| real.join(directory.path().unwrap()).display().to_string();
    let ours = [
        settings.db_name.unwrap(),
        settings.db_password.unwrap(),
        settings.db_host.unwrap(),
        settings.table_prefix.unwrap(),
        absolute(&directories.content),
        absolute(&directories.plugins),
        absolute(&directories.must_use),
        absolute(&directories.uploads),
    ];
    assert_eq!(ours.join("|"), said);
    let listing = config::list(&home, site.root(), None, &Watch::unbounded()).unwrap();
    assert_eq!(listing.source, Source::Read);
    let a = listing.constants.iter().find(|it| it.name == "A").unwrap();
    assert_eq!(a.value, Some(ConfigValue::Text("x\ty5".into())));
}

#[test]
fn a_real_tree_is_found() {
    let site = Site::new(Wordpress::V6_1).unwrap();
    let home = Home::open(site.home()).unwrap();
    let found = find::find(&home, "", 3, &Watch::unbounded()).unwrap();
    assert!(found.complete);
    assert_eq!(found.installs.len(), 1);
    assert!(
        found.installs[0]
            .version
            .as_deref()
            .unwrap()
            .starts_with("6.1")
    );
    assert_eq!(
        found.installs[0].config.as_deref(),
        Some("public_html/wp-config.php")
    );
}
