use super::*;
use crate::{
    core::{CoreLive, StagedCore, package_core, stage_core},
    disk::failpoint,
    package::sample::{EPOCH, home, spooled, staged_names, zip_of},
    recovery::recover,
    tree,
};
use std::{fs, io::Cursor, os::unix::fs::symlink};

const OLD_FILES: &str = "<?php global $_old_files; $_old_files = array(\n'wp-admin/b2.php', // gone\n'wp-feed.php', 'theirs.txt', 'wp-pass.php', 'index.php', 'wp-content/x.php', '.htaccess', 'wp-config.php', 'folder' );\n$x = array('theirs.php');";

fn wordpress(version: &str) -> Vec<u8> {
    let version_php = format!("<?php $wp_version='{version}';");
    let mut files: Vec<(String, String)> = vec![
        ("wp-includes/version.php".into(), version_php),
        ("wp-admin/install.php".into(), format!("<?php //{version}")),
        ("wp-admin/includes/update-core.php".into(), OLD_FILES.into()),
        ("wp-config-sample.php".into(), "<?php // the same".into()),
        ("wp-content/index.php".into(), version.into()),
        ("wp-content/themes/new/style.css".into(), version.into()),
        ("wp-config.php".into(), "<?php evil();".into()),
        (".htaccess".into(), "evil".into()),
    ];
    for name in [
        "wp-load.php",
        "wp-settings.php",
        "index.php",
        "wp-login.php",
    ] {
        files.push((name.into(), format!("<?php // {name} {version}")));
    }
    if version != "6.4" {
        files.push(("wp-new.php".into(), "<?php".into()));
    }
    let entries: Vec<(String, &[u8])> = files
        .iter()
        .map(|(name, text)| (format!("wordpress/{name}"), text.as_bytes()))
        .collect();
    let entries: Vec<(&str, &[u8])> = entries
        .iter()
        .map(|(name, text)| (name.as_str(), *text))
        .collect();
    zip_of(&entries)
}

struct Bench {
    _dir: tempfile::TempDir,
    home: Home,
    watch: Watch,
    www: PathBuf,
}

impl Bench {
    /// WordPress 6.4 with a site's own files around it.
    fn new() -> Self {
        let (dir, home) = home();
        let watch = Watch::unbounded();
        let zip = wordpress("6.4");
        super::super::install(&home, EPOCH, "www", &spooled(&home, &zip), &watch).unwrap();
        let www = dir.path().join("www");
        for (name, text) in [
            ("wp-config.php", "<?php // mine"),
            (".htaccess", "mine"),
            ("theirs.php", "mine"),
            ("wp-feed.php", "<?php // obsolete"),
            ("wp-content/plugins.php", "mine"),
        ] {
            fs::write(www.join(name), text).unwrap();
        }
        Self {
            _dir: dir,
            home,
            watch,
            www,
        }
    }

    fn stage(&self) -> StagedCore {
        let spool = spooled(&self.home, &wordpress("6.5"));
        stage_core(&self.home, EPOCH, "www", &spool, &self.watch).unwrap()
    }

    fn whole(&self) -> String {
        tree::hash_dir(&self.www, &self.watch)
            .unwrap()
            .unwrap()
            .hash
    }

    fn swap(&self, plan: &CoreSwap) -> Result<SwappedCore> {
        swap_core(&self.home, EPOCH, plan, &self.watch)
    }

    fn take_back(&self, plan: &CoreSwap) -> Result<SwappedCore> {
        take_back_core(&self.home, EPOCH, plan, &self.watch)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.www.join(name)).unwrap_or_else(|_| "absent".into())
    }

    fn recovered(&self) -> Vec<(CoreLive, Vec<String>)> {
        let found = recover(&self.home, EPOCH, &self.watch).unwrap();
        found
            .core_swaps
            .into_iter()
            .map(|found| (found.live, found.changed))
            .collect()
    }
}

#[test]
fn updates_takes_back_and_repeats() {
    for plain in [false, true] {
        let bench = Bench::new();
        let old = bench.whole();
        let staged = bench.stage();
        let plan = &staged.swap;
        assert_eq!(bench.whole(), old, "staging touched the site");
        assert_eq!(staged.version, "6.5");
        assert_eq!(staged.version_before.as_deref(), Some("6.4"));
        assert_eq!(staged.obsolete, ["wp-feed.php"]);
        assert_eq!(staged.carried, [""; 0]);
        let package = package_core(Cursor::new(wordpress("6.5")), &bench.watch).unwrap();
        assert_eq!(staged.package, package);
        assert_eq!(plan.after, package.hash);
        assert_eq!(plan.items[0].name, "wp-includes");

        failpoint::plain_renames_only(plain);
        for again in [false, true] {
            let swapped = bench.swap(plan).unwrap();
            assert_eq!(swapped.version.as_deref(), Some("6.5"));
            assert_eq!(swapped.tree, package);
            assert_eq!(swapped.exchange == Exchange::Stepwise, plain && !again);
            assert_eq!(swapped.maintenance, Maintenance::Off);
        }
        failpoint::plain_renames_only(false);
        assert_eq!(bench.text("wp-login.php"), "<?php // wp-login.php 6.5");
        assert_eq!(bench.text("wp-new.php"), "<?php");
        assert_eq!(bench.text("wp-feed.php"), "absent");
        assert_eq!(bench.text("wp-content/index.php"), "6.4");
        assert_eq!(bench.text("wp-content/themes/new/style.css"), "6.4");
        for mine in [".htaccess", "theirs.php", "wp-content/plugins.php"] {
            assert_eq!(bench.text(mine), "mine");
        }
        assert_eq!(bench.text("wp-config.php"), "<?php // mine");
        assert_eq!(bench.recovered(), [(CoreLive::After, vec![])]);

        failpoint::plain_renames_only(plain);
        for _ in 0..2 {
            let back = bench.take_back(plan).unwrap();
            assert_eq!(back.tree.hash, plan.before);
            assert_eq!(back.version.as_deref(), Some("6.4"));
            assert_eq!(bench.whole(), old, "not as it was before");
        }
        failpoint::plain_renames_only(false);
        assert_eq!(bench.recovered(), [(CoreLive::Before, vec![])]);
        bench.swap(plan).unwrap();
        for _ in 0..2 {
            drop_staged(&bench.home, EPOCH, &plan.staged, &bench.watch).unwrap();
        }
        assert_eq!(staged_names(&bench.home), [""; 0]);
        assert_eq!(bench.recovered(), []);
        assert_eq!(bench.swap(plan).unwrap().tree, package);
    }
}

/// Runs an act stopped after ever more steps until it is not stopped any more.
fn at_every_step(
    stepwise: bool,
    prepare: impl Fn(&Bench, &CoreSwap),
    act: impl Fn(&Bench, &CoreSwap) -> Result<SwappedCore>,
    then: impl Fn(&Bench, &CoreSwap, &str),
) -> usize {
    for steps in 0..200 {
        let bench = Bench::new();
        let old = bench.whole();
        let plan = bench.stage().swap;
        prepare(&bench, &plan);
        failpoint::plain_renames_only(stepwise);
        failpoint::stop_after(steps);
        let ended = act(&bench, &plan);
        failpoint::stopped();
        if ended.is_ok() {
            failpoint::plain_renames_only(false);
            return steps;
        }
        then(&bench, &plan, &old);
        failpoint::plain_renames_only(false);
    }
    panic!("it never ended");
}

#[test]
fn stopped_at_every_step_it_is_finished_or_taken_back_whole() {
    for stepwise in [false, true] {
        let mixed = std::cell::Cell::new(0);
        let recovered = |bench: &Bench| {
            if let [(live, changed)] = bench.recovered().as_slice() {
                assert_eq!(*changed, [""; 0]);
                if *live == CoreLive::Mixed {
                    mixed.set(mixed.get() + 1);
                    let status = maintenance::status(&bench.home, "www").unwrap();
                    assert!(status.is_in_force(), "half a core was served: {status:?}");
                    let staged = staged_names(&bench.home);
                    let kept = staged.iter().find(|name| name.len() > 16).unwrap();
                    let refused = drop_staged(&bench.home, EPOCH, kept, &bench.watch);
                    assert!(matches!(refused, Err(Error::BadInput(_))));
                }
            }
        };
        let finish = |bench: &Bench, plan: &CoreSwap, _: &str| {
            recovered(bench);
            let swapped = bench.swap(plan).unwrap();
            assert_eq!(swapped.tree.hash, plan.after);
            assert_eq!(swapped.maintenance, Maintenance::Off);
            assert_eq!(bench.text("wp-feed.php"), "absent");
            assert!(!bench.www.join(".maintenance").exists());
        };
        let back = |bench: &Bench, plan: &CoreSwap, old: &str| {
            recovered(bench);
            let taken = bench.take_back(plan).unwrap();
            assert_eq!(taken.tree.hash, plan.before);
            assert_eq!(bench.whole(), old);
        };
        let steps = at_every_step(stepwise, |_, _| {}, Bench::swap, finish);
        assert!(steps >= 11, "{steps}");
        at_every_step(stepwise, |_, _| {}, Bench::swap, back);
        let swapped = |bench: &Bench, plan: &CoreSwap| {
            bench.swap(plan).unwrap();
        };
        at_every_step(stepwise, swapped, Bench::take_back, finish);
        at_every_step(stepwise, swapped, Bench::take_back, back);
        assert!(mixed.get() > 20, "{}", mixed.get());
    }
}

#[test]
fn what_somebody_wrote_meanwhile_is_not_run_over() {
    let bench = Bench::new();
    let old = bench.whole();
    let plan = bench.stage().swap;
    fs::write(bench.www.join("wp-login.php"), "edited").unwrap();
    assert!(matches!(bench.swap(&plan), Err(Error::Changed { .. })));
    assert_eq!(bench.text("index.php"), "<?php // index.php 6.4");
    assert_eq!(bench.recovered(), [], "refused before anything was written");
    fs::write(bench.www.join("wp-login.php"), "<?php // wp-login.php 6.4").unwrap();
    assert_eq!(bench.whole(), old);

    // Written after the swap: goes aside, and everything comes back.
    bench.swap(&plan).unwrap();
    fs::write(bench.www.join("wp-admin/new.php"), "written").unwrap();
    fs::write(bench.www.join("wp-feed.php"), "written").unwrap();
    fs::remove_dir_all(bench.www.join("wp-includes")).unwrap();
    assert!(matches!(
        bench.recovered().as_slice(),
        [(CoreLive::Mixed, changed)] if changed.len() == 3
    ));
    assert_eq!(bench.take_back(&plan).unwrap().tree.hash, plan.before);
    assert_eq!(bench.whole(), old);

    // Links planted meanwhile are moved, never followed.
    let plan = bench.stage().swap;
    bench.swap(&plan).unwrap();
    fs::remove_dir_all(bench.www.join("wp-admin")).unwrap();
    symlink("/etc", bench.www.join("wp-admin")).unwrap();
    fs::remove_file(bench.www.join("wp-login.php")).unwrap();
    symlink("/etc/passwd", bench.www.join("wp-login.php")).unwrap();
    assert_eq!(bench.recovered().last().unwrap().1.len(), 2);
    assert_eq!(bench.take_back(&plan).unwrap().tree.hash, plan.before);
    assert_eq!(bench.whole(), old);

    // A new file's place taken by somebody else before the swap.
    let plan = bench.stage().swap;
    fs::write(bench.www.join("wp-new.php"), "foreign").unwrap();
    assert!(matches!(bench.swap(&plan), Err(Error::Changed { .. })));
    bench.take_back(&plan).unwrap();
    assert_eq!(bench.whole(), old);
    assert_eq!(bench.swap(&plan).unwrap().tree.hash, plan.after);
}

#[test]
fn staged_trees_that_changed_do_not_go_live() {
    let bench = Bench::new();
    let old = bench.whole();
    let plan = bench.stage().swap;
    let aside = plan.aside(&bench.home);
    fs::write(aside.join("wp-admin/planted.php"), "x").unwrap();
    assert!(matches!(bench.swap(&plan), Err(Error::Changed { .. })));
    assert_eq!(bench.whole(), old);
}

#[test]
fn guards_of_the_server_are_carried_over() {
    let bench = Bench::new();
    fs::write(bench.www.join("wp-admin/.htaccess"), "Require valid-user").unwrap();
    let old = bench.whole();
    let staged = bench.stage();
    assert_eq!(staged.carried, ["wp-admin/.htaccess"]);
    assert_ne!(staged.swap.after, staged.package.hash);
    bench.swap(&staged.swap).unwrap();
    assert_eq!(bench.text("wp-admin/.htaccess"), "Require valid-user");
    bench.take_back(&staged.swap).unwrap();
    assert_eq!(bench.whole(), old);
}

#[test]
fn maintenance_of_others_is_respected() {
    let bench = Bench::new();
    let plan = bench.stage().swap;
    let file = bench.www.join(".maintenance");
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    fs::write(&file, format!("<?php $upgrading = {now}; ?>")).unwrap();
    let why = bench.swap(&plan).unwrap_err().to_string();
    assert!(why.contains("may be under way"), "{why}");
    assert_eq!(bench.recovered(), []);

    // Somebody who closed the site for good: updated under his own page.
    fs::write(&file, "<?php $upgrading = time();").unwrap();
    let swapped = bench.swap(&plan).unwrap();
    let theirs = Maintenance::Foreign { seconds_left: None };
    assert_eq!(swapped.maintenance, theirs);
    assert_eq!(bench.text(".maintenance"), "<?php $upgrading = time();");
    fs::remove_file(&file).unwrap();

    // The caller's own lease outlives the update.
    let lease = maintenance::LONGEST;
    maintenance::enter(&bench.home, EPOCH, "www", lease, &bench.watch).unwrap();
    let back = bench.take_back(&plan).unwrap();
    assert!(matches!(back.maintenance, Maintenance::Leased { seconds_left } if seconds_left > 500));
    maintenance::leave(&bench.home, EPOCH, "www", &bench.watch).unwrap();
}

#[test]
fn layouts_that_cannot_be_updated_say_why() {
    let bench = Bench::new();
    let refused = |root: &str, zip: &[u8], word: &str| {
        let spool = spooled(&bench.home, zip);
        let why = stage_core(&bench.home, EPOCH, root, &spool, &bench.watch)
            .unwrap_err()
            .to_string();
        assert!(why.contains(word), "{why}");
        assert_eq!(staged_names(&bench.home), [""; 0]);
    };
    let zip = wordpress("6.5");
    refused("", &zip, "it is in `www`");
    refused("www/wp-content", &zip, "holds no WordPress core");
    refused("www", &zip_of(&[("readme.txt", b"x")]), "is not WordPress");
    let extra = zip_of(&[
        ("wp-load.php", b"x"),
        ("wp-includes/version.php", b"<?php $wp_version='6.5';"),
        ("wp-admin/install.php", b"x"),
        ("vendor/x.php", b"x"),
    ]);
    refused("www", &extra, "`vendor`");
    let aside = bench.www.join("includes");
    fs::rename(bench.www.join("wp-includes"), &aside).unwrap();
    symlink(&aside, bench.www.join("wp-includes")).unwrap();
    refused("www", &zip, "symbolic link");
    fs::remove_file(bench.www.join("wp-includes")).unwrap();
    fs::rename(&aside, bench.www.join("wp-includes")).unwrap();
    fs::remove_file(bench.www.join("wp-login.php")).unwrap();
    symlink("/etc/passwd", bench.www.join("wp-login.php")).unwrap();
    refused("www", &zip, "symbolic link");
}

#[test]
fn plans_from_outside_cannot_name_other_things() {
    let bench = Bench::new();
    let plan = bench.stage().swap;
    for name in [
        "",
        "..",
        "wp-config.php",
        "wp-content",
        ".pressroom",
        "a/b",
        ".maintenance",
    ] {
        let mut bad = plan.clone();
        bad.items[0].name = name.into();
        assert!(matches!(bench.swap(&bad), Err(Error::BadPath(_))), "{name}");
        assert!(matches!(bench.take_back(&bad), Err(Error::BadPath(_))));
    }
    let mut bad = plan.clone();
    bad.items.push(bad.items[0].clone());
    assert!(bench.swap(&bad).is_err());
    bad = plan.clone();
    bad.staged = "../x".into();
    assert!(bench.swap(&bad).is_err());
    crate::fence::take(&bench.home, Epoch::new(11), &bench.watch).unwrap();
    assert!(matches!(bench.swap(&plan), Err(Error::Fenced { .. })));
}

#[test]
fn a_root_that_cannot_be_reached_stops_nobody() {
    let bench = Bench::new();
    let plan = bench.stage().swap;
    bench.swap(&plan).unwrap();
    let elsewhere = bench.home.path().join("elsewhere");
    fs::rename(&bench.www, &elsewhere).unwrap();
    let mixed = |found: Vec<(CoreLive, Vec<String>)>| {
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, CoreLive::Mixed);
    };
    mixed(bench.recovered());
    std::os::unix::fs::symlink(&elsewhere, &bench.www).unwrap();
    mixed(bench.recovered());
    fs::remove_file(&bench.www).unwrap();
    fs::rename(&elsewhere, &bench.www).unwrap();
    assert_eq!(bench.recovered(), [(CoreLive::After, Vec::new())]);
    bench.take_back(&plan).unwrap();
}
