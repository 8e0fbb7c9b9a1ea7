//! Restoring by exchange: forth, back, half-way, and by name.

use super::*;
use crate::{Error, package::sample::staged_names, recovery};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

struct Bench {
    _dir: tempfile::TempDir,
    home: Home,
    watch: Watch,
    plan: Exchange,
    before: Option<String>,
}

impl Bench {
    /// A site as it was, packed, then changed; the archive unpacked.
    fn new(root: &str) -> Self {
        let (dir, home) = home();
        let live = home.resolve(root).unwrap();
        fs::create_dir_all(live.join("wp-content/cache")).unwrap();
        fs::create_dir_all(live.join("wp-includes")).unwrap();
        fs::write(live.join("index.php"), "old").unwrap();
        fs::write(live.join("wp-content/a"), "old").unwrap();
        fs::write(live.join("wp-content/cache/page"), "cached").unwrap();
        fs::write(live.join("gone.php"), "comes back").unwrap();
        let mut options = options(Format::TarZst);
        options.tree.source = root.to_owned();
        options.tree.exclude = vec![
            "tmp".into(),
            "logs".into(),
            "sessions".into(),
            "/www".into(),
        ];
        let mut bytes = Vec::new();
        let watch = Watch::unbounded();
        let manifest = pack(&home, &options, &mut bytes, &watch).unwrap();
        let found = unpacked(&home, &bytes, &UnpackOptions::default()).unwrap();
        fs::write(live.join("index.php"), "new").unwrap();
        fs::remove_file(live.join("gone.php")).unwrap();
        fs::write(live.join("added.php"), "added").unwrap();
        let before = hash(&live);
        let plan = Exchange {
            root: root.to_owned(),
            staged: found.staged,
            prefix: "files".to_owned(),
            before: None,
            after: manifest.trees[0].tree.hash.clone(),
            carry: manifest.trees[0].excluded.clone(),
            keep: Vec::new(),
            vacant: false,
        };
        Self {
            _dir: dir,
            home,
            watch,
            plan,
            before,
        }
    }

    fn exchange(&self) -> Result<Exchanged> {
        exchange(&self.home, EPOCH, &self.plan, &self.watch)
    }

    fn take_back(&self) -> Result<Exchanged> {
        take_back_exchange(&self.home, EPOCH, &self.plan.staged, &self.watch)
    }

    fn let_go(&self) -> Result<()> {
        drop_unpacked(&self.home, EPOCH, &self.plan.staged, &self.watch)
    }

    /// Where the tree is live, whatever is there.
    fn live_path(&self) -> std::path::PathBuf {
        self.home.path().join(&self.plan.root)
    }

    fn live(&self) -> std::path::PathBuf {
        self.home.resolve(&self.plan.root).unwrap()
    }

    fn text(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.live().join(path)).ok()
    }

    fn recovered(&self) -> Vec<LiveTree> {
        let found = recovery::recover(&self.home, EPOCH, &self.watch).unwrap();
        found.exchanges.iter().map(|found| found.live).collect()
    }

    fn is_restored(&self) {
        assert_eq!(self.text("index.php").as_deref(), Some("old"));
        assert_eq!(self.text("gone.php").as_deref(), Some("comes back"));
        assert_eq!(self.text("added.php"), None);
        // What the archive does not hold is not lost by restoring it.
        assert_eq!(
            self.text("wp-content/cache/page").as_deref(),
            Some("cached")
        );
    }
}

#[test]
fn a_place_that_was_occupied_meanwhile_stays_as_it_is() {
    let mut bench = Bench::new("www");
    bench.plan.vacant = true;
    let refused = bench.exchange().unwrap_err();
    assert!(matches!(refused, Error::Occupied(_)), "{refused}");
    assert_eq!(hash(&bench.live()), bench.before);
    assert_eq!(bench.text("index.php").as_deref(), Some("new"));
    // Once it is vacant it takes what was unpacked.
    fs::remove_dir_all(bench.live()).unwrap();
    fs::create_dir(bench.live()).unwrap();
    let done = bench.exchange().unwrap();
    assert_eq!(done.tree.hash, bench.plan.after);
    assert_eq!(bench.text("index.php").as_deref(), Some("old"));
}

#[test]
fn forth_and_back_and_again() {
    for (root, method) in [
        ("www", Method::Whole),
        ("www/blog", Method::Whole),
        ("", Method::ByName),
    ] {
        let bench = Bench::new(root);
        if root.is_empty() {
            recovery::recover(&bench.home, EPOCH, &bench.watch).unwrap();
        }
        for _ in 0..2 {
            let done = bench.exchange().unwrap();
            assert_eq!(done.method, method);
            assert_eq!(done.tree.hash, bench.plan.after, "{root}");
            assert_eq!(done.not_carried, []);
            assert!(done.carried.contains(&EntryPath::from("wp-content/cache")));
            bench.is_restored();
            assert_eq!(bench.recovered(), [LiveTree::After]);
        }
        for _ in 0..2 {
            bench.take_back().unwrap();
            if !root.is_empty() {
                assert_eq!(hash(&bench.live()), bench.before);
            }
            assert_eq!(bench.text("index.php").as_deref(), Some("new"));
            assert_eq!(bench.text("added.php").as_deref(), Some("added"));
            assert_eq!(bench.text("gone.php"), None);
            assert_eq!(
                bench.text("wp-content/cache/page").as_deref(),
                Some("cached")
            );
            assert_eq!(bench.recovered(), [LiveTree::Before]);
        }
        bench.exchange().unwrap();
        bench.is_restored();
        // A later session does not sweep what is kept aside.
        let later = Epoch::new(11);
        recovery::recover(&bench.home, later, &bench.watch).unwrap();
        assert_eq!(staged_names(&bench.home), [bench.plan.staged.as_str()]);
        drop_unpacked(&bench.home, later, &bench.plan.staged, &bench.watch).unwrap();
        drop_unpacked(&bench.home, later, &bench.plan.staged, &bench.watch).unwrap();
        bench.is_restored();
        assert_eq!(staged_names(&bench.home), [""; 0]);
        assert!(bench.home.path().join(".pressroom/lock").exists());
    }
}

#[test]
fn what_the_site_keeps_stays_whatever_the_archive_has() {
    for root in ["www", ""] {
        let mut bench = Bench::new(root);
        bench.plan.keep = vec![EntryPath::from("index.php"), EntryPath::from("gone.php")];
        let before = hash(&bench.live());
        bench.exchange().unwrap();
        assert_eq!(bench.text("index.php").as_deref(), Some("new"));
        assert_eq!(bench.text("gone.php"), None);
        assert_eq!(bench.text("added.php"), None, "the rest is the archive's");
        bench.take_back().unwrap();
        assert_eq!(bench.text("index.php").as_deref(), Some("new"));
        assert_eq!(bench.text("added.php").as_deref(), Some("added"));
        if !root.is_empty() {
            assert_eq!(hash(&bench.live()), before);
        }
    }
    let mut bench = Bench::new("www");
    bench.plan.keep = vec![EntryPath::from("wp-content/cache")];
    assert!(matches!(bench.exchange(), Err(Error::BadPath(_))));
}

#[test]
fn what_was_written_since_goes_aside_with_the_rest() {
    for root in ["www", ""] {
        let bench = Bench::new(root);
        bench.exchange().unwrap();
        fs::write(bench.live().join("index.php"), "edited in place").unwrap();
        fs::write(bench.live().join("posted.php"), "by a visitor").unwrap();
        fs::remove_file(bench.live().join("gone.php")).unwrap();
        bench.take_back().unwrap();
        assert_eq!(bench.text("posted.php"), None);
        assert_eq!(bench.text("index.php").as_deref(), Some("new"));
        let kept = bench
            .home
            .path()
            .join(".pressroom/staging")
            .join(&bench.plan.staged);
        assert_eq!(
            fs::read_to_string(kept.join("files/posted.php")).unwrap(),
            "by a visitor"
        );
    }
}

#[test]
fn a_worker_killed_between_two_names_is_gone_on_with_either_way() {
    for forward in [true, false] {
        let bench = Bench::new("");
        bench.exchange().unwrap();
        bench.take_back().unwrap();
        // As if it had died after the first two names.
        let aside = bench
            .home
            .path()
            .join(".pressroom/staging")
            .join(&bench.plan.staged)
            .join("files");
        fs::rename(bench.live().join("added.php"), aside.join("added.php")).unwrap();
        crate::disk::exchange(&bench.live().join("index.php"), &aside.join("index.php")).unwrap();
        assert_eq!(bench.recovered(), [LiveTree::Mixed]);
        // Half of either tree lies aside: that is nothing to remove.
        let before = hash_all(&aside);
        assert!(matches!(bench.let_go(), Err(Error::BadInput(_))));
        assert_eq!(hash_all(&aside), before);
        assert_eq!(bench.recovered(), [LiveTree::Mixed]);
        if forward {
            bench.exchange().unwrap();
            bench.is_restored();
            assert_eq!(bench.recovered(), [LiveTree::After]);
            // What the site writes anew since is no half exchange.
            fs::write(bench.live().join("index.new"), "written").unwrap();
            let index = bench.live().join("index.php");
            fs::rename(bench.live().join("index.new"), &index).unwrap();
            fs::remove_file(bench.live().join("gone.php")).unwrap();
            bench.let_go().unwrap();
            assert_eq!(bench.recovered(), []);
        } else {
            bench.take_back().unwrap();
            assert_eq!(bench.text("index.php").as_deref(), Some("new"));
            assert_eq!(bench.text("added.php").as_deref(), Some("added"));
            assert_eq!(
                bench.text("wp-content/cache/page").as_deref(),
                Some("cached")
            );
            assert_eq!(bench.recovered(), [LiveTree::Before]);
            bench.let_go().unwrap();
            assert_eq!(bench.recovered(), []);
        }
    }
}

#[test]
fn what_lies_aside_stays_while_nothing_is_live() {
    let bench = Bench::new("www");
    bench.exchange().unwrap();
    let elsewhere = bench.home.path().join("elsewhere");
    fs::rename(bench.live(), &elsewhere).unwrap();
    assert_eq!(bench.recovered(), [LiveTree::Mixed]);
    assert!(matches!(bench.let_go(), Err(Error::BadInput(_))));
    std::os::unix::fs::symlink(&elsewhere, bench.live_path()).unwrap();
    assert_eq!(bench.recovered(), [LiveTree::Mixed]);
    assert!(matches!(bench.let_go(), Err(Error::BadPath(_))));
    fs::remove_file(bench.live_path()).unwrap();
    fs::rename(&elsewhere, bench.live_path()).unwrap();
    bench.let_go().unwrap();
    assert_eq!(staged_names(&bench.home), [""; 0]);
}

#[test]
fn a_failure_half_way_is_undone_at_once() {
    if again_without_root("exchanges::a_failure_half_way_is_undone_at_once") {
        return;
    }
    // A directory that may not be written to cannot change its parent: two names go,
    // the third does not.
    let bench = Bench::new("");
    let closed = bench.live().join("wp-includes");
    let whole = hash_all(&bench.live());
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o500)).unwrap();
    let why = bench.exchange().unwrap_err();
    assert!(matches!(why, Error::Io { .. }), "{why}");
    assert_eq!(hash_all(&bench.live()), whole);
    assert_eq!(bench.recovered(), []);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    bench.exchange().unwrap();
    bench.is_restored();
}

#[test]
fn where_the_parent_is_closed_the_names_are_exchanged() {
    if again_without_root("exchanges::where_the_parent_is_closed_the_names_are_exchanged") {
        return;
    }
    let bench = Bench::new("www/blog");
    let parent = bench.home.path().join("www");
    fs::set_permissions(&parent, fs::Permissions::from_mode(0o500)).unwrap();
    assert_eq!(bench.exchange().unwrap().method, Method::ByName);
    bench.is_restored();
    assert_eq!(bench.recovered(), [LiveTree::After]);
    bench.take_back().unwrap();
    assert_eq!(hash(&bench.live()), bench.before);
    fs::set_permissions(&parent, fs::Permissions::from_mode(0o700)).unwrap();
}

/// Names and contents of what a site has at its top.
fn hash_all(path: &Path) -> Vec<(String, Option<Vec<u8>>)> {
    names(path)
        .into_iter()
        .filter(|name| name != ".pressroom")
        .map(|name| {
            let content = fs::read(path.join(&name)).ok();
            (name, content)
        })
        .collect()
}

fn names(path: &Path) -> Vec<String> {
    let mut found: Vec<String> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    found
}

#[test]
fn trees_that_are_not_as_planned_are_not_exchanged() {
    let mut bench = Bench::new("www");
    let live = hash(&bench.live());
    bench.plan.before = Some("0".repeat(64));
    assert!(matches!(bench.exchange(), Err(Error::Changed { .. })));
    bench.plan.before.clone_from(&bench.before);
    let after = std::mem::replace(&mut bench.plan.after, "0".repeat(64));
    assert!(matches!(bench.exchange(), Err(Error::Changed { .. })));
    bench.plan.after = after;
    bench.plan.prefix = "../x".into();
    assert!(bench.exchange().is_err());
    bench.plan.prefix = "absent".into();
    assert!(matches!(bench.exchange(), Err(Error::Missing(_))));
    bench.plan.prefix = "files".into();
    let stale = exchange(&bench.home, Epoch::new(9), &bench.plan, &bench.watch);
    assert!(matches!(stale, Err(Error::Fenced { .. })));
    assert_eq!(hash(&bench.live()), live);
    assert_eq!(bench.recovered(), []);
    bench.exchange().unwrap();
    bench.is_restored();
}

#[test]
fn the_root_keeps_its_rights_and_may_be_missing() {
    let bench = Bench::new("www");
    fs::set_permissions(bench.live(), fs::Permissions::from_mode(0o2751)).unwrap();
    let was = fs::metadata(bench.live()).unwrap();
    bench.exchange().unwrap();
    let is = fs::metadata(bench.live()).unwrap();
    assert_eq!(
        (is.mode(), is.uid(), is.gid()),
        (was.mode(), was.uid(), was.gid())
    );
    assert_ne!(is.ino(), was.ino());

    let mut bench = Bench::new("www/blog");
    fs::remove_dir_all(bench.live()).unwrap();
    bench.plan.before = Some("absent".into());
    assert_eq!(bench.exchange().unwrap().tree.hash, bench.plan.after);
    assert_eq!(bench.recovered(), [LiveTree::After]);
    let back = bench.take_back().unwrap();
    assert_eq!(back.tree, tree::TreeHash::absent());
    assert!(!bench.live().exists());
}

#[test]
fn a_directory_with_attributes_of_its_own_stays_the_same_directory() {
    let bench = Bench::new("www");
    let was = fs::metadata(bench.live()).unwrap().ino();
    let set = rustix::fs::setxattr(
        bench.live(),
        "user.note",
        b"kept",
        rustix::fs::XattrFlags::empty(),
    );
    set.unwrap();
    let done = bench.exchange().unwrap();
    assert_eq!(done.method, Method::ByName);
    assert_eq!(fs::metadata(bench.live()).unwrap().ino(), was);
    bench.is_restored();
    bench.take_back().unwrap();
    assert_eq!(hash(&bench.live()), bench.before);
}
