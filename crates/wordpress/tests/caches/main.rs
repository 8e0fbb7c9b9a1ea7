//! Caches of a site in a real php-fpm and a real Redis server.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod drop_ins;
mod servers;

use pressroom_base::Epoch;
use pressroom_lab::{Site, SiteOptions, Wordpress};
use pressroom_wordpress::{
    Home, Result, Watch,
    caches::{self, Cache, FlushOptions, FlushReport, Outcome, redis::RedisSettings},
    component::{self, ComponentKind, Swap, Target},
    core, fence, maintenance, package, tree,
};
use servers::{Fpm, Redis};
use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    process::Command,
    time::{Duration, SystemTime},
};

const EPOCH: Epoch = Epoch::new(5);
const ROOT: &str = "public_html";

fn opened(home: &Path) -> (Home, Watch) {
    let home = Home::open(home).unwrap();
    let watch = Watch::lasting(Duration::from_mins(1));
    fence::take(&home, EPOCH, &watch).unwrap();
    (home, watch)
}

/// A home with a root and nothing else.
fn bare() -> (tempfile::TempDir, Home, Watch) {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join(ROOT)).unwrap();
    let (home, watch) = opened(dir.path());
    (dir, home, watch)
}

fn outcome(report: &FlushReport, cache: Cache) -> &Outcome {
    let found = report.caches.iter().find(|told| told.cache == cache);
    &found.expect("told").outcome
}

fn entries(outcome: &Outcome) -> u64 {
    match outcome {
        Outcome::Flushed { entries, .. } => *entries,
        other => panic!("not flushed: {other:?}"),
    }
}

fn reason(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Unknown { reason } => reason,
        other => panic!("not unknown: {other:?}"),
    }
}

/// Dates a file an hour back: OPcache does not keep what is younger than two seconds.
fn settle(path: &Path) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_hours(1))
        .unwrap();
}

const FROZEN: &str = "php_admin_value[opcache.validate_timestamps] = 0\n";

/// Our own pools, and that OPcache never looks at a file again.
fn closed(home: &Path) -> String {
    let home = home.display();
    format!(
        "{FROZEN}php_admin_value[opcache.restrict_api] = {home}/.pressroom/\n\
         php_admin_value[open_basedir] = {home}/:/usr/share/php/\n\
         php_admin_value[cgi.fix_pathinfo] = 0\nsecurity.limit_extensions = .php\n"
    )
}

#[test]
fn opcache_forgets_what_was_changed_and_nothing_else() {
    let (dir, home, watch) = bare();
    let root = dir.path().join(ROOT);
    let fpm = Fpm::start(&[&closed(dir.path())]);
    let put = |name: &str, text: &str| {
        fs::create_dir_all(root.join(name)).unwrap();
        let path = root.join(name).join("x.php");
        fs::write(&path, format!("<?php echo '{text}';")).unwrap();
        settle(&path);
    };
    let page = |name: &str| fpm.page(0, &root, &format!("{name}/x.php"));
    for name in ["plugins/foo", "plugins/foobar"] {
        put(name, "old");
        assert_eq!(page(name), "old");
        put(name, "new");
        assert_eq!(page(name), "old", "the pool looks at files again");
    }
    let options = FlushOptions {
        fpm_socket: Some(fpm.socket(0)),
        changed_paths: vec![format!("{ROOT}/plugins/foo")],
        ..FlushOptions::default()
    };
    let flush = |options| caches::flush(&home, EPOCH, ROOT, options, &watch).unwrap();
    let report = flush(&options);
    assert_eq!(entries(outcome(&report, Cache::Opcache)), 1);
    assert!(report.is_certain());
    assert_eq!(page("plugins/foo"), "new");
    assert_eq!(page("plugins/foobar"), "old");
    // Nothing named is the whole root; again, there is nothing left to forget but
    // what was compiled since.
    let all = FlushOptions {
        changed_paths: vec![],
        ..options.clone()
    };
    assert_eq!(entries(outcome(&flush(&all), Cache::Opcache)), 2);
    assert_eq!(entries(outcome(&flush(&all), Cache::Opcache)), 0);
    assert_eq!(page("plugins/foobar"), "new");
    assert!(
        caches::flush(&home, Epoch::new(4), ROOT, &options, &watch).is_err(),
        "a stale worker flushed"
    );
}

#[test]
fn a_neighbour_in_the_same_php_fpm_keeps_its_scripts() {
    let (dir, home, watch) = bare();
    let neighbour = tempfile::tempdir().unwrap();
    let fpm = Fpm::start(&[&closed(dir.path()), &closed(neighbour.path())]);
    let their = neighbour.path().join("x.php");
    let our = dir.path().join(ROOT).join("x.php");
    for path in [&their, &our] {
        fs::write(path, "<?php echo 'old';").unwrap();
        settle(path);
    }
    let pages = || {
        (
            fpm.page(0, &dir.path().join(ROOT), "x.php"),
            fpm.page(1, neighbour.path(), "x.php"),
        )
    };
    assert_eq!(pages(), ("old".into(), "old".into()));
    for path in [&their, &our] {
        fs::write(path, "<?php echo 'new';").unwrap();
        settle(path);
    }
    let options = FlushOptions {
        fpm_socket: Some(fpm.socket(0)),
        ..FlushOptions::default()
    };
    caches::flush(&home, EPOCH, ROOT, &options, &watch).unwrap();
    assert_eq!(pages(), ("new".into(), "old".into()));
}

#[test]
fn code_that_a_site_prepends_neither_runs_nor_is_switched_off() {
    let (dir, home, watch) = bare();
    let root = dir.path().join(ROOT);
    let fpm = Fpm::start(&[&closed(dir.path())]);
    let mark = dir.path().join("ran");
    fs::write(root.join("x.php"), "<?php echo 'page';").unwrap();
    fs::write(
        root.join("guard.php"),
        format!(
            "<?php file_put_contents('{}', 'x', FILE_APPEND); echo 'guarded ';",
            mark.display()
        ),
    )
    .unwrap();
    let ini = format!("auto_prepend_file = {}\n", root.join("guard.php").display());
    fs::write(root.join(".user.ini"), &ini).unwrap();
    let page = || fpm.page(0, &root, "x.php");
    assert_eq!(page(), "guarded page");
    let options = FlushOptions {
        fpm_socket: Some(fpm.socket(0)),
        ..FlushOptions::default()
    };
    let ran = || fs::metadata(&mark).unwrap().len();
    let before = ran();
    // Even planted in our own directory it does not run.
    fs::create_dir_all(dir.path().join(".pressroom/caches")).unwrap();
    fs::write(dir.path().join(".pressroom/caches/.user.ini"), &ini).unwrap();
    let report = caches::flush(&home, EPOCH, ROOT, &options, &watch).unwrap();
    entries(outcome(&report, Cache::Opcache));
    assert_eq!(ran(), before, "the site's code ran");
    for _ in 0..5 {
        assert_eq!(page(), "guarded page");
    }
}

#[test]
fn pools_that_cannot_be_asked_are_unknown() {
    let (dir, home, watch) = bare();
    let flush = |socket: Option<String>| {
        let options = FlushOptions {
            fpm_socket: socket,
            ..FlushOptions::default()
        };
        caches::flush(&home, EPOCH, ROOT, &options, &watch).unwrap()
    };
    let told = |report: &FlushReport| {
        assert!(!report.is_certain());
        reason(outcome(report, Cache::Opcache)).to_owned()
    };
    let none = flush(None);
    assert!(told(&none).contains("not known"));
    assert_eq!(*outcome(&none, Cache::Object), Outcome::NotPresent);
    assert!(told(&flush(Some("/nonexistent.sock".into()))).contains("did not answer"));
    // Something that is no php-fpm.
    let redis = Redis::start("");
    assert!(told(&flush(Some(redis.socket()))).contains("did not answer"));

    let restricted = "php_admin_value[opcache.restrict_api] = /nonexistent/\n";
    let fpm = Fpm::start(&[
        &format!("{FROZEN}{restricted}"),
        &format!("php_admin_value[opcache.revalidate_freq] = 0\n{restricted}"),
        &format!("php_admin_value[opcache.revalidate_freq] = 9\n{restricted}"),
        "php_admin_value[opcache.enable] = 0\n",
        "php_admin_value[open_basedir] = /usr/share/php/\n",
    ]);
    assert!(told(&flush(Some(fpm.socket(0)))).contains("restrict_api"));
    let looks = flush(Some(fpm.socket(1)));
    assert_eq!(entries(outcome(&looks, Cache::Opcache)), 0);
    assert!(told(&flush(Some(fpm.socket(2)))).contains("9 s"));
    let off = flush(Some(fpm.socket(3)));
    assert_eq!(*outcome(&off, Cache::Opcache), Outcome::NotPresent);
    assert!(told(&flush(Some(fpm.socket(4)))).contains("did not run"));
    drop(dir);
}

#[test]
fn what_lies_behind_links_is_unknown() {
    let (dir, home, watch) = bare();
    let elsewhere = tempfile::tempdir().unwrap();
    let content = dir.path().join(ROOT).join("wp-content");
    let kept = elsewhere.path().join("cache/supercache/x");
    fs::create_dir_all(kept.parent().unwrap()).unwrap();
    fs::write(&kept, "x").unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), &content).unwrap();
    let flush = || caches::flush(&home, EPOCH, ROOT, &FlushOptions::default(), &watch).unwrap();
    let report = flush();
    assert!(reason(outcome(&report, Cache::Object)).contains("link"));
    assert!(reason(outcome(&report, Cache::Pages)).contains("link"));
    assert!(kept.exists());
    fs::remove_file(&content).unwrap();
    fs::create_dir(&content).unwrap();
    fs::write(content.join("object-cache.php"), DROP_IN).unwrap();
    let config = dir.path().join(ROOT).join("wp-config.php");
    std::os::unix::fs::symlink("/etc/passwd", config).unwrap();
    assert!(reason(outcome(&flush(), Cache::Object)).contains("wp-config.php"));
}

const DROP_IN: &str = include_str!("object-cache.php");

#[test]
fn one_sites_keys_go_and_the_others_stay() {
    let (dir, home, watch) = bare();
    let redis = Redis::start("requirepass sesame\n");
    let content = dir.path().join(ROOT).join("wp-content");
    fs::create_dir(&content).unwrap();
    fs::write(content.join("object-cache.php"), DROP_IN).unwrap();
    let config = |prefix: &str, password: &str| {
        let text = format!(
            "<?php define('WP_REDIS_SCHEME', 'unix'); define('WP_REDIS_PATH', '{}');\n\
             define('WP_REDIS_PASSWORD', '{password}'); define('WP_REDIS_DATABASE', 2);\n\
             {prefix}\n$table_prefix = 'wp_';",
            redis.socket()
        );
        fs::write(dir.path().join(ROOT).join("wp-config.php"), text).unwrap();
    };
    let fill = || {
        redis.cli("FLUSHALL");
        for number in 0..2500 {
            redis.set(2, &format!("shop:wp:options:{number}"), "x");
        }
        for key in ["shop2:wp:options:a", "shopwp:options:a", "sho?:x", "wp:x"] {
            redis.set(2, key, "theirs");
        }
        redis.set(0, "shop:wp:options:1", "another database");
    };
    let options = FlushOptions::default();
    let flush = |options: &FlushOptions| {
        let report = caches::flush(&home, EPOCH, ROOT, options, &watch).unwrap();
        outcome(&report, Cache::Object).clone()
    };
    fill();
    config("define('WP_REDIS_PREFIX', 'shop:');", "sesame");
    assert_eq!(entries(&flush(&options)), 2500);
    assert_eq!(
        redis.keys(2),
        ["sho?:x", "shop2:wp:options:a", "shopwp:options:a", "wp:x"]
    );
    assert_eq!(redis.keys(0), ["shop:wp:options:1"]);
    assert_eq!(entries(&flush(&options)), 0);

    // A prefix that another's begins with: its keys stay, and it is said.
    config("define('WP_REDIS_PREFIX', 'shop');", "sesame");
    assert!(reason(&flush(&options)).contains("1 more"));
    assert_eq!(redis.keys(2), ["sho?:x", "shop2:wp:options:a", "wp:x"]);
    // Signs of a pattern are only signs.
    config("define('WP_CACHE_KEY_SALT', 'sho?:');", "sesame");
    assert_eq!(entries(&flush(&options)), 1);
    // Without a prefix nothing is touched, unless the database is the site's own.
    config("", "sesame");
    assert!(reason(&flush(&options)).contains("no prefix"));
    let exclusive = FlushOptions {
        redis_database_is_exclusive: true,
        ..FlushOptions::default()
    };
    assert_eq!(redis.keys(2).len(), 2);
    assert_eq!(entries(&flush(&exclusive)), 2);
    assert_eq!(redis.keys(2), [""; 0]);
    assert_eq!(
        redis.keys(0),
        ["shop:wp:options:1"],
        "another database was emptied"
    );

    config("define('WP_REDIS_PREFIX', 'shop:');", "wrong");
    assert!(reason(&flush(&options)).contains("refused"));
    let settings = RedisSettings {
        address: redis.socket(),
        password: Some("sesame".into()),
        prefix: "shop:".into(),
        ..RedisSettings::default()
    };
    let told = FlushOptions {
        redis: Some(settings),
        ..FlushOptions::default()
    };
    assert_eq!(entries(&flush(&told)), 1);
    fs::write(
        content.join("object-cache.php"),
        "<?php // Plugin Name: Memcached",
    )
    .unwrap();
    assert!(reason(&flush(&options)).contains("Memcached"));
}

/// A plugin whose version the front page shows, with an option of its own.
fn plugin_zip(version: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("foo/foo.php", zip::write::SimpleFileOptions::default())
        .unwrap();
    write!(
        zip,
        "<?php\n/* Plugin Name: Foo\n * Version: {version}\n */\n\
         add_action('init', function () {{ die('code {version}, option ' . get_option('foo')); }});"
    )
    .unwrap();
    zip.finish().unwrap().into_inner()
}

/// What a roll-back must do: old code and old options are served, with a Redis object
/// cache, an OPcache that never looks again, and no `php` program anywhere.
#[test]
fn a_real_site_serves_what_was_exchanged_and_what_was_taken_back() {
    let redis = Redis::start("");
    let site = Site::with(&SiteOptions {
        wordpress: Wordpress::V6_5,
        config: format!(
            "define('WP_REDIS_SCHEME', 'unix'); define('WP_REDIS_PATH', '{}'); \
             define('WP_REDIS_PREFIX', 'lab:');",
            redis.socket()
        ),
        ..SiteOptions::default()
    })
    .unwrap();
    let (home, watch) = opened(site.home());
    let fpm = Fpm::start(&[FROZEN]);
    let target = Target {
        root: ROOT.into(),
        kind: ComponentKind::Plugin,
        slug: "foo".into(),
    };
    let install = |version: &str| {
        let spool = package::spool(&home, EPOCH, &plugin_zip(version)[..], &watch).unwrap();
        let staged = component::stage(&home, EPOCH, &target, &spool, &watch).unwrap();
        let before = tree::hash_at(&home, "public_html/wp-content/plugins/foo", &watch).unwrap();
        let swap = Swap {
            target: target.clone(),
            staged: staged.staged,
            before: before.map(|tree| tree.hash),
            after: staged.tree.hash,
        };
        component::swap(&home, EPOCH, &swap, &watch).unwrap();
        swap
    };
    install("1.0");
    site.php("update_option('foo', 'old', true); activate_plugin('foo/foo.php');")
        .unwrap();
    site.write("wp-content/object-cache.php", DROP_IN).unwrap();
    servers::settle_below(&site.path());
    let page = || fpm.page(0, &site.path(), "index.php");
    let option = |value: &str| {
        site.database
            .sql(&format!(
                "UPDATE wp_options SET option_value = '{value}' WHERE option_name = 'foo'"
            ))
            .unwrap()
    };
    assert_eq!(page(), "code 1.0, option old");
    assert!(!redis.keys(0).is_empty(), "the object cache is not in use");

    let options = FlushOptions {
        fpm_socket: Some(fpm.socket(0)),
        changed_paths: vec!["public_html/wp-content/plugins/foo".into()],
        ..FlushOptions::default()
    };
    let swap = install("2.0");
    servers::settle_below(&site.path().join("wp-content/plugins"));
    option("new");
    assert_eq!(page(), "code 1.0, option old", "nothing was cached");
    let flushed = |pages: &str| {
        let report = caches::flush(&home, EPOCH, ROOT, &options, &watch).unwrap();
        assert!(report.is_certain(), "{report:?}");
        assert!(entries(outcome(&report, Cache::Opcache)) > 0);
        assert!(entries(outcome(&report, Cache::Object)) > 0);
        assert_eq!(page(), pages);
    };
    flushed("code 2.0, option new");

    // The roll-back runs in a process where `php` is `/bin/false`.
    option("old");
    let programs = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/bin/false", programs.path().join("php")).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "roll_back_in_this_process"])
        .env("PATH", programs.path())
        .env("LAB_HOME", site.home())
        .env("LAB_SWAP", serde_json::to_string(&swap).unwrap())
        .env("LAB_OPTIONS", serde_json::to_string(&options).unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
    assert_eq!(page(), "code 1.0, option old");
}

/// Does something only in the process that the test above starts.
#[test]
fn roll_back_in_this_process() {
    if std::env::var_os("LAB_HOME").is_none() {
        return;
    }
    let told = |name| std::env::var(name).unwrap();
    let (home, watch) = opened(Path::new(&told("LAB_HOME")));
    let swap: Swap = serde_json::from_str(&told("LAB_SWAP")).unwrap();
    let options: FlushOptions = serde_json::from_str(&told("LAB_OPTIONS")).unwrap();
    assert!(!Command::new("php").status().unwrap().success());
    let back = component::take_back(&home, EPOCH, &swap, &watch).unwrap();
    assert_eq!(Some(back.hash), swap.before);
    let report = caches::flush(&home, EPOCH, ROOT, &options, &watch).unwrap();
    assert!(report.is_certain(), "{report:?}");
    assert!(entries(outcome(&report, Cache::Opcache)) > 0);
    assert!(entries(outcome(&report, Cache::Object)) > 0);
}

type Act = fn(&Home, Epoch, &core::CoreSwap, &Watch) -> Result<core::SwappedCore>;

/// Where OPcache never looks again, half of a new core would run with half of the
/// old: the caller's lease spans the exchange and the flush.
#[test]
fn a_core_is_updated_and_taken_back_under_a_pool_that_never_looks_again() {
    let site = Site::new(Wordpress::V6_4).unwrap();
    let (home, watch) = opened(site.home());
    let fpm = Fpm::start(&[FROZEN]);
    servers::settle_below(&site.path());
    let page = || fpm.page(0, &site.path(), "index.php");
    let serves = |version: &str| {
        let page = page();
        let shown = format!("content=\"WordPress {version}\"");
        assert!(page.contains(&shown), "{page}");
    };
    serves("6.4.5");
    let zip = File::open(Wordpress::V6_5.zip().unwrap()).unwrap();
    let spool = package::spool(&home, EPOCH, zip, &watch).unwrap();
    let staged = core::stage_core(&home, EPOCH, ROOT, &spool, &watch).unwrap();
    let options = FlushOptions {
        fpm_socket: Some(fpm.socket(0)),
        ..FlushOptions::default()
    };
    let acts: [(Act, &str); 4] = [
        (core::swap_core, "6.5.5"),
        (core::take_back_core, "6.4.5"),
        (core::swap_core, "6.5.5"),
        (core::take_back_core, "6.4.5"),
    ];
    for (act, version) in acts {
        maintenance::enter(&home, EPOCH, ROOT, maintenance::LONGEST, &watch).unwrap();
        assert!(page().contains("maintenance"));
        let swapped = act(&home, EPOCH, &staged.swap, &watch).unwrap();
        assert!(swapped.maintenance.is_in_force());
        servers::settle_below(&site.path());
        // The lease holds as well for code that was compiled long ago.
        let date = |back| {
            File::options()
                .write(true)
                .open(site.path().join(".maintenance"))
                .unwrap()
                .set_modified(SystemTime::now() - back)
                .unwrap();
        };
        date(Duration::ZERO);
        assert!(page().contains("maintenance"));
        let report = caches::flush(&home, EPOCH, ROOT, &options, &watch).unwrap();
        assert!(entries(outcome(&report, Cache::Opcache)) > 0);
        assert!(page().contains("maintenance"));
        // Lapsed, as when nobody comes back.
        date(Duration::from_secs(601));
        serves(version);
        date(Duration::ZERO);
        assert!(page().contains("maintenance"));
        maintenance::leave(&home, EPOCH, ROOT, &watch).unwrap();
        serves(version);
    }
}
