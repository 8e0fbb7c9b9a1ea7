//! Core updates of real WordPress trees.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use pressroom_base::Epoch;
use pressroom_lab::{Site, SiteOptions, Wordpress};
use pressroom_wordpress::{
    Home, Watch,
    core::{self, CoreLive, StagedCore},
    fence, maintenance,
    maintenance::Maintenance,
    package, recovery, tree,
};
use std::{
    fs::{self, File},
    time::{Duration, Instant, SystemTime},
};

const EPOCH: Epoch = Epoch::new(5);

fn opened(site: &Site) -> (Home, Watch) {
    let home = Home::open(site.home()).unwrap();
    let watch = Watch::unbounded();
    fence::take(&home, EPOCH, &watch).unwrap();
    (home, watch)
}

fn stage(home: &Home, root: &str, watch: &Watch) -> StagedCore {
    let zip = File::open(Wordpress::V6_5.zip().unwrap()).unwrap();
    let spool = package::spool(home, EPOCH, zip, watch).unwrap();
    core::stage_core(home, EPOCH, root, &spool, watch).unwrap()
}

const UPGRADE: &str = "require_once ABSPATH . 'wp-admin/includes/upgrade.php'; wp_upgrade(); \
     global $wp_version, $wp_db_version; \
     echo $wp_version, ' ', (int) get_option('db_version') === $wp_db_version ? 'same' : 'other', ' ', \
     get_option('blogname'), ' ', wp_count_posts()->publish;";

#[test]
fn real_sites_are_updated_taken_back_and_updated_again() {
    for (old, version) in [(Wordpress::V6_4, "6.4.5"), (Wordpress::V6_1, "6.1")] {
        let site = Site::new(old).unwrap();
        let (home, watch) = opened(&site);
        site.write("wp-content/mine.txt", "mine").unwrap();
        site.write(".htaccess", "mine").unwrap();
        // As a site has it that was never cleaned since WordPress 2.
        site.write("wp-app.php", "<?php").unwrap();
        let whole = || tree::hash_at(&home, site.root(), &watch).unwrap().unwrap();
        let before = whole();

        let since = Instant::now();
        let staged = stage(&home, site.root(), &watch);
        let took_stage = since.elapsed();
        assert_eq!(staged.version, "6.5.5");
        assert_eq!(staged.requires_php.as_deref(), Some("7.0.0"));
        let was = staged.version_before.as_deref().unwrap();
        assert!(was.starts_with(version), "{was}");
        assert_eq!(staged.obsolete, ["wp-app.php"]);
        let zip = File::open(Wordpress::V6_5.zip().unwrap()).unwrap();
        assert_eq!(core::package_core(zip, &watch).unwrap(), staged.package);

        let since = Instant::now();
        let swapped = core::swap_core(&home, EPOCH, &staged.swap, &watch).unwrap();
        let took_swap = since.elapsed();
        assert_eq!(swapped.tree, staged.package);
        assert_eq!(swapped.version.as_deref(), Some("6.5.5"));
        assert_eq!(swapped.maintenance, Maintenance::Off);
        assert_eq!(
            fs::read_to_string(site.path().join("wp-content/mine.txt")).unwrap(),
            "mine"
        );
        assert_eq!(site.php(UPGRADE).unwrap(), "6.5.5 same Lab 1");

        let since = Instant::now();
        let back = core::take_back_core(&home, EPOCH, &staged.swap, &watch).unwrap();
        eprintln!(
            "{version} to 6.5.5: staged in {took_stage:?}, exchanged and verified in \
             {took_swap:?}, taken back in {:?}",
            since.elapsed()
        );
        assert_eq!(back.tree.hash, staged.swap.before);
        assert_eq!(whole(), before);
        // The old code runs on the newer tables, too.
        let said = site.php("echo get_bloginfo('version');").unwrap();
        assert!(said.starts_with(version), "{said}");

        core::swap_core(&home, EPOCH, &staged.swap, &watch).unwrap();
        let found = recovery::recover(&home, EPOCH, &watch).unwrap();
        assert_eq!(found.core_swaps[0].live, CoreLive::After);
        core::drop_staged(&home, EPOCH, &staged.swap.staged, &watch).unwrap();
        assert_eq!(site.php(UPGRADE).unwrap(), "6.5.5 same Lab 1");
    }
}

/// WordPress in a directory of its own, its content and configuration beside it.
#[test]
fn a_core_in_its_own_directory_is_updated_there() {
    let site = Site::with(&SiteOptions {
        wordpress: Wordpress::V6_4,
        config: "if ( is_dir( __DIR__ . '/content' ) ) { define( 'WP_CONTENT_DIR', __DIR__ . '/content' ); }".into(),
        ..SiteOptions::default()
    })
    .unwrap();
    let (home, watch) = opened(&site);
    let (root, wp) = (site.path(), site.path().join("wp"));
    fs::create_dir(&wp).unwrap();
    for entry in fs::read_dir(&root).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if name != "wp" && name != "wp-config.php" && name != "wp-content" {
            fs::rename(entry.path(), wp.join(name)).unwrap();
        }
    }
    fs::rename(root.join("wp-content"), root.join("content")).unwrap();
    let config = fs::read_to_string(root.join("wp-config.php"))
        .unwrap()
        .replace(
            "define( 'ABSPATH', __DIR__ . '/' )",
            "define( 'ABSPATH', __DIR__ . '/wp/' )",
        );
    fs::write(root.join("wp-config.php"), config).unwrap();
    fs::write(
        root.join("wp-load.php"),
        "<?php require __DIR__ . '/wp/wp-load.php';",
    )
    .unwrap();
    let said = site.php("echo ABSPATH, ' ', WP_CONTENT_DIR;").unwrap();
    assert_eq!(
        said,
        format!("{}/ {}", wp.display(), root.join("content").display())
    );
    let content = tree::hash_at(&home, "public_html/content", &watch).unwrap();

    let zip = File::open(Wordpress::V6_5.zip().unwrap()).unwrap();
    let spool = package::spool(&home, EPOCH, zip, &watch).unwrap();
    let why = core::stage_core(&home, EPOCH, "public_html", &spool, &watch).unwrap_err();
    assert!(
        why.to_string().contains("it is in `public_html/wp`"),
        "{why}"
    );

    let staged = stage(&home, "public_html/wp", &watch);
    let swapped = core::swap_core(&home, EPOCH, &staged.swap, &watch).unwrap();
    assert_eq!(swapped.tree, staged.package);
    assert_eq!(site.php(UPGRADE).unwrap(), "6.5.5 same Lab 1");
    assert_eq!(
        tree::hash_at(&home, "public_html/content", &watch).unwrap(),
        content
    );
    assert!(!wp.join("wp-content").exists());
}

#[test]
fn wordpress_honours_the_lease_and_leaves_it_by_itself() {
    for wordpress in [Wordpress::V6_1, Wordpress::V6_5] {
        let site = Site::new(wordpress).unwrap();
        let (home, watch) = opened(&site);
        let up = || site.php("echo 'up';").unwrap_or_else(|why| why.to_string());
        assert_eq!(up(), "up");
        let lease = Duration::from_mins(2);
        maintenance::enter(&home, EPOCH, site.root(), lease, &watch).unwrap();
        let said = up();
        assert!(said.contains("maintenance"), "{said}");
        assert!(!said.contains("up\n") && !said.ends_with("up"), "{said}");
        // Nobody comes back; the lease's time passes.
        let date = |back: Duration| {
            File::options()
                .write(true)
                .open(site.path().join(".maintenance"))
                .unwrap()
                .set_modified(SystemTime::now() - back)
                .unwrap();
        };
        date(Duration::from_secs(590));
        assert!(up().contains("maintenance"));
        date(Duration::from_secs(601));
        assert_eq!(up(), "up");
        maintenance::leave(&home, EPOCH, site.root(), &watch).unwrap();
        assert_eq!(up(), "up");
    }
}
