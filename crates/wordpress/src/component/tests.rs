use super::*;
use crate::{
    package::sample::{EPOCH, home, spooled, staged_names, zip_of},
    recovery::{Live, recover},
    tree,
};

const HEAD: &str = "<?php\n/* Plugin Name: Foo\n * Version: ";

fn plugin_zip(version: &str) -> Vec<u8> {
    zip_of(&[
        ("foo/foo.php", format!("{HEAD}{version}\n*/").as_bytes()),
        ("foo/lib/a.php", b"<?php"),
    ])
}

fn target() -> Target {
    Target {
        root: "www".into(),
        kind: ComponentKind::Plugin,
        slug: "foo".into(),
    }
}

struct Bench {
    _dir: tempfile::TempDir,
    home: Home,
    watch: Watch,
    live: PathBuf,
}

impl Bench {
    fn new(installed: bool) -> Self {
        let (dir, home) = home();
        let live = dir.path().join("www/wp-content/plugins/foo");
        fs::create_dir_all(live.parent().unwrap()).unwrap();
        if installed {
            fs::create_dir(&live).unwrap();
            fs::write(live.join("foo.php"), format!("{HEAD}1.0\n*/")).unwrap();
        }
        Self {
            _dir: dir,
            home,
            watch: Watch::unbounded(),
            live,
        }
    }

    fn live_hash(&self) -> Option<String> {
        tree::hash_dir(&self.live, &self.watch)
            .unwrap()
            .map(|tree| tree.hash)
    }

    fn stage(&self, version: &str) -> Swap {
        let spool = spooled(&self.home, &plugin_zip(version));
        let staged = stage(&self.home, EPOCH, &target(), &spool, &self.watch).unwrap();
        assert_eq!(staged.version, version);
        Swap {
            target: target(),
            staged: staged.staged,
            before: self.live_hash(),
            after: staged.tree.hash,
        }
    }

    fn swap(&self, plan: &Swap) -> Result<TreeHash> {
        swap(&self.home, EPOCH, plan, &self.watch)
    }

    fn take_back(&self, plan: &Swap) -> Result<TreeHash> {
        take_back(&self.home, EPOCH, plan, &self.watch)
    }
}

#[test]
fn swaps_takes_back_and_repeats() {
    for installed in [true, false] {
        let bench = Bench::new(installed);
        let before = bench.live_hash();
        let plan = bench.stage("2.0");
        assert_eq!(bench.live_hash(), before, "staging touched the site");
        for _ in 0..2 {
            assert_eq!(bench.swap(&plan).unwrap().hash, plan.after);
            assert_eq!(bench.live_hash().as_ref(), Some(&plan.after));
        }
        for _ in 0..2 {
            let back = bench.take_back(&plan).unwrap().hash;
            assert_eq!(back, before.clone().unwrap_or_else(|| "absent".into()));
            assert_eq!(bench.live_hash(), before);
        }
        bench.swap(&plan).unwrap();
        drop_staged(&bench.home, EPOCH, &plan.staged, &bench.watch).unwrap();
        drop_staged(&bench.home, EPOCH, &plan.staged, &bench.watch).unwrap();
        assert_eq!(staged_names(&bench.home), [""; 0]);
        assert_eq!(bench.live_hash().as_ref(), Some(&plan.after));
        assert_eq!(bench.swap(&plan).unwrap().hash, plan.after);
        let settled = recover(&bench.home, EPOCH, &bench.watch).unwrap();
        assert_eq!(settled.swaps, []);
    }
}

#[test]
fn a_tree_that_changed_is_not_swapped_away() {
    let bench = Bench::new(true);
    let plan = bench.stage("2.0");
    fs::write(bench.live.join("edited.php"), "by hand").unwrap();
    let edited = bench.live_hash();
    assert!(matches!(bench.swap(&plan), Err(Error::Changed { .. })));
    assert_eq!(bench.live_hash(), edited);
    fs::remove_file(bench.live.join("edited.php")).unwrap();

    let staged = bench.home.state_path("staging").join(&plan.staged);
    fs::write(staged.join("foo/extra.php"), "planted").unwrap();
    assert!(matches!(bench.swap(&plan), Err(Error::Changed { .. })));
    assert_eq!(bench.live_hash(), plan.before);
}

#[test]
fn a_component_that_writes_into_itself_is_still_taken_back() {
    let bench = Bench::new(true);
    let plan = bench.stage("2.0");
    bench.swap(&plan).unwrap();
    fs::write(bench.live.join("cache.php"), "written by the plugin").unwrap();
    assert_eq!(Some(bench.take_back(&plan).unwrap().hash), plan.before);
    // Even when somebody deleted it meanwhile.
    let plan = bench.stage("3.0");
    bench.swap(&plan).unwrap();
    fs::remove_dir_all(&bench.live).unwrap();
    assert_eq!(Some(bench.take_back(&plan).unwrap().hash), plan.before);
}

#[test]
fn recovery_tells_which_side_is_live() {
    let bench = Bench::new(true);
    let plan = bench.stage("2.0");
    let entry = Entry::Swap {
        epoch: EPOCH,
        swap: plan.clone(),
    };
    // Killed between intent and act.
    journal::write(&bench.home, &entry).unwrap();
    let live = |epoch: i64| {
        let found = recover(&bench.home, Epoch::new(epoch), &bench.watch).unwrap();
        assert_eq!(found.swaps.len(), 1);
        assert_eq!(found.swaps[0].swap, plan);
        found.swaps[0].live
    };
    assert_eq!(live(11), Live::Before);
    assert!(matches!(bench.swap(&plan), Err(Error::Fenced { .. })));
    assert_eq!(bench.live_hash(), plan.before);
    swap(&bench.home, Epoch::new(11), &plan, &bench.watch).unwrap();
    assert_eq!(live(12), Live::After);
    fs::write(bench.live.join("x"), "y").unwrap();
    assert_eq!(live(13), Live::Other);
    take_back(&bench.home, Epoch::new(13), &plan, &bench.watch).unwrap();
    assert_eq!(live(14), Live::Before);
}

#[test]
fn what_was_taken_out_without_an_exchange_is_kept_until_it_is_dropped() {
    let bench = Bench::new(true);
    let before = bench.live_hash();
    let out = Swap {
        target: target(),
        staged: package::handle(EPOCH).unwrap(),
        before: None,
        after: before.clone().unwrap(),
    };
    bench.take_back(&out).unwrap();
    assert_eq!(bench.live_hash(), None);
    let next = Epoch::new(11);
    let found = recover(&bench.home, next, &bench.watch).unwrap();
    assert_eq!(found.swaps.len(), 1);
    assert_eq!(
        (&found.swaps[0].swap, found.swaps[0].live),
        (&out, Live::Before)
    );
    assert_eq!(found.dropped_stages, 0);
    swap(&bench.home, next, &out, &bench.watch).unwrap();
    assert_eq!(bench.live_hash(), before);
    drop_staged(&bench.home, next, &out.staged, &bench.watch).unwrap();
    let settled = recover(&bench.home, next, &bench.watch).unwrap();
    assert!(settled.swaps.is_empty());
    assert!(staged_names(&bench.home).is_empty());
}

#[test]
fn an_entry_that_cannot_be_reached_stops_nobody() {
    let bench = Bench::new(true);
    let plan = bench.stage("2.0");
    bench.swap(&plan).unwrap();
    let content = bench.home.path().join("www/wp-content");
    let elsewhere = bench.home.path().join("elsewhere");
    let live = || {
        let found = recover(&bench.home, Epoch::new(11), &bench.watch).unwrap();
        assert_eq!(found.swaps.len(), 1);
        assert_eq!(found.dropped_stages, 0);
        found.swaps[0].live
    };
    fs::rename(&content, &elsewhere).unwrap();
    assert_eq!(live(), Live::Other);
    std::os::unix::fs::symlink(&elsewhere, &content).unwrap();
    assert_eq!(live(), Live::Other);
    fs::remove_file(&content).unwrap();
    fs::write(&content, "a file").unwrap();
    assert_eq!(live(), Live::Other);
    fs::remove_file(&content).unwrap();
    // What was kept aside is still there when the way is.
    fs::rename(&elsewhere, &content).unwrap();
    assert_eq!(live(), Live::After);
    take_back(&bench.home, Epoch::new(11), &plan, &bench.watch).unwrap();
    assert_eq!(bench.live_hash(), plan.before);
}

#[test]
fn recovery_sweeps_what_no_journal_names_and_older_workers_left() {
    let bench = Bench::new(true);
    let kept = bench.stage("2.0");
    bench.swap(&kept).unwrap();
    let lost = bench.stage("3.0");
    let same = recover(&bench.home, EPOCH, &bench.watch).unwrap();
    assert_eq!(same.dropped_stages, 0, "our own stages are not swept");
    let next = recover(&bench.home, Epoch::new(11), &bench.watch).unwrap();
    assert_eq!(next.dropped_stages, 1);
    assert_eq!(staged_names(&bench.home), [kept.staged.as_str()]);
    assert!(!bench.home.state_path("staging").join(&lost.staged).exists());
}

#[test]
fn packages_that_are_no_such_component_are_refused() {
    let bench = Bench::new(false);
    let refused = |zip: &[u8], target: &Target, word: &str| {
        let spool = spooled(&bench.home, zip);
        let why = stage(&bench.home, EPOCH, target, &spool, &bench.watch).unwrap_err();
        assert!(matches!(why, Error::BadInput(_)), "{why:?}");
        assert!(why.to_string().contains(word), "{why}");
        assert_eq!(staged_names(&bench.home), [""; 0]);
    };
    refused(&zip_of(&[("bar/bar.php", b"x")]), &target(), "folder `bar`");
    refused(
        &zip_of(&[("foo/foo.php", b"<?php")]),
        &target(),
        "no plugin",
    );
    let theme = Target {
        kind: ComponentKind::Theme,
        ..target()
    };
    refused(&plugin_zip("1"), &theme, "no theme");
    let style = b"/*\nTheme Name: Foo\nVersion: 3\n*/";
    let spool = spooled(&bench.home, &zip_of(&[("foo/style.css", style)]));
    let staged = stage(&bench.home, EPOCH, &theme, &spool, &bench.watch).unwrap();
    assert_eq!(staged.version, "3");
}

#[test]
fn names_that_leave_are_refused() {
    let bench = Bench::new(true);
    for slug in ["", "..", ".", "a/b", "../foo", "a\0"] {
        let target = Target {
            slug: slug.into(),
            ..target()
        };
        assert!(live_path(&bench.home, &target).is_err(), "{slug:?}");
    }
    for staged in ["", "..", "../../x", "1-xyz", "-0123456789abcdef"] {
        assert!(matches!(
            drop_staged(&bench.home, EPOCH, staged, &bench.watch),
            Err(Error::BadPath(_))
        ));
    }
    let plan = bench.stage("2.0");
    fs::remove_dir_all(&bench.live).unwrap();
    std::os::unix::fs::symlink("/etc", &bench.live).unwrap();
    assert!(matches!(bench.swap(&plan), Err(Error::BadPath(_))));
}

/// A plugin of one file, live when `installed`, and its target.
fn single(installed: bool) -> (Bench, Target, PathBuf) {
    let bench = Bench::new(false);
    let live = bench.live.with_file_name("hello.php");
    if installed {
        fs::write(&live, format!("{HEAD}1.0\n*/")).unwrap();
    }
    let target = Target {
        slug: "hello.php".into(),
        ..target()
    };
    (bench, target, live)
}

#[test]
fn a_plugin_of_one_file_is_exchanged_too() {
    let file = format!("{HEAD}2.0\n*/");
    for (installed, folder) in [(true, ""), (true, "hello-dolly/"), (false, "")] {
        let (bench, target, live) = single(installed);
        let zip = zip_of(&[
            (&format!("{folder}hello.php"), file.as_bytes()),
            (&format!("{folder}readme.txt"), b"text"),
        ]);
        let spool = spooled(&bench.home, &zip);
        let staged = stage(&bench.home, EPOCH, &target, &spool, &bench.watch).unwrap();
        assert_eq!((&*staged.version, staged.tree.files), ("2.0", 1));
        let before = tree::hash_file(&live, &bench.watch).unwrap();
        let old = fs::read(&live).ok();
        let plan = Swap {
            target,
            staged: staged.staged,
            before: before.map(|tree| tree.hash),
            after: staged.tree.hash,
        };
        for plain in [false, true] {
            disk::failpoint::plain_renames_only(plain);
            for _ in 0..2 {
                assert_eq!(bench.swap(&plan).unwrap().hash, plan.after);
                assert_eq!(fs::read_to_string(&live).unwrap(), file);
            }
            let found = recover(&bench.home, EPOCH, &bench.watch).unwrap();
            assert_eq!(found.swaps[0].live, Live::After);
            for _ in 0..2 {
                bench.take_back(&plan).unwrap();
                assert_eq!(fs::read(&live).ok(), old);
            }
        }
        disk::failpoint::plain_renames_only(false);
        drop_staged(&bench.home, EPOCH, &plan.staged, &bench.watch).unwrap();
        assert_eq!(staged_names(&bench.home), [""; 0]);
    }
}

#[test]
fn what_is_no_single_file_is_refused() {
    let (bench, target, live) = single(true);
    let file = format!("{HEAD}2.0\n*/");
    let refused = |entries: &[(&str, &[u8])], word: &str| {
        let spool = spooled(&bench.home, &zip_of(entries));
        let why = stage(&bench.home, EPOCH, &target, &spool, &bench.watch).unwrap_err();
        assert!(why.to_string().contains(word), "{why}");
        assert_eq!(staged_names(&bench.home), [""; 0]);
    };
    refused(&[("hello.php", b"<?php")], "no `Plugin Name`");
    refused(&[("other.php", file.as_bytes())], "`other.php`");
    refused(&[("readme.txt", b"x")], "no file `hello.php`");
    let with_more: [(&str, &[u8]); 2] = [("h/hello.php", file.as_bytes()), ("h/js/a.js", b"x")];
    refused(&with_more, "`js/a.js`");
    // A directory of that name is not that plugin.
    fs::remove_file(&live).unwrap();
    fs::create_dir(&live).unwrap();
    let spool = spooled(&bench.home, &zip_of(&[("hello.php", file.as_bytes())]));
    let staged = stage(&bench.home, EPOCH, &target, &spool, &bench.watch).unwrap();
    let plan = Swap {
        target,
        staged: staged.staged,
        before: None,
        after: staged.tree.hash,
    };
    assert!(matches!(bench.swap(&plan), Err(Error::BadInput(_))));
}

#[test]
fn an_exchange_stopped_between_its_renames_is_made_whole_by_recovery() {
    for steps in 0..8 {
        let bench = Bench::new(true);
        let plan = bench.stage("2.0");
        disk::failpoint::plain_renames_only(true);
        disk::failpoint::stop_after(steps);
        let ended = exchange(&bench.home, EPOCH, &plan, &bench.watch);
        disk::failpoint::stopped();
        let found = recover(&bench.home, Epoch::new(11), &bench.watch).unwrap();
        disk::failpoint::plain_renames_only(false);
        if let Ok(done) = ended {
            assert_eq!(done.exchange, Exchange::Stepwise);
            assert!(steps >= 4, "{steps}");
            continue;
        }
        let live = bench.live_hash();
        assert!(live == plan.before || live.as_ref() == Some(&plan.after));
        for found in found.swaps {
            assert_ne!(found.live, Live::Other);
            let next = Epoch::new(11);
            swap(&bench.home, next, &plan, &bench.watch).unwrap();
            take_back(&bench.home, next, &plan, &bench.watch).unwrap();
            assert_eq!(bench.live_hash(), plan.before);
        }
    }
}

#[test]
fn a_component_is_where_the_configuration_says() {
    let bench = Bench::new(true);
    let root = bench.home.path().join("www");
    fs::create_dir_all(root.join("content/plugins/moved")).unwrap();
    fs::write(root.join("content/plugins/moved/a.php"), "<?php").unwrap();
    let moved = Target {
        slug: "moved".into(),
        ..target()
    };
    assert_eq!(moved.root, "www");
    let config = |lines: &str| fs::write(root.join("wp-config.php"), lines).unwrap();
    assert_eq!(live(&bench.home, &moved, &bench.watch).unwrap(), None);
    config("<?php define('WP_CONTENT_DIR', __DIR__ . '/content');");
    let found = live(&bench.home, &moved, &bench.watch).unwrap();
    assert_eq!(found.expect("a tree").files, 1);
    config("<?php define('WP_PLUGIN_DIR', '/elsewhere/plugins');");
    let refused = live(&bench.home, &moved, &bench.watch);
    assert!(matches!(refused, Err(Error::BadPath(_))), "{refused:?}");
    // Only PHP could tell: the usual place it is.
    config("<?php define('WP_CONTENT_DIR', getenv('CONTENT'));");
    assert_eq!(live(&bench.home, &moved, &bench.watch).unwrap(), None);
}
