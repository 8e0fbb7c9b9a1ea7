use super::*;
use crate::{
    core::{drop_staged, stage_core, swap_core, take_back_core},
    disk::failpoint,
    package::sample::{EPOCH, home, spooled, zip_of},
    recovery::recover,
};
use std::{io::Cursor, os::unix::fs::symlink, path::PathBuf};

const TABLE: &str = "<?php\nreturn ['po-revision-date'=>'2024-04-02 20:12:41+0000','messages'=>['a'=>'b' . \"\\0\" . 'c',],];\n";

fn wordpress(version: &str) -> Vec<u8> {
    let version_php = format!("<?php $wp_version='{version}';");
    zip_of(&[
        ("wordpress/wp-includes/version.php", version_php.as_bytes()),
        ("wordpress/wp-admin/install.php", version.as_bytes()),
        ("wordpress/wp-load.php", b"<?php"),
        ("wordpress/index.php", version.as_bytes()),
    ])
}

struct Bench {
    _dir: tempfile::TempDir,
    home: Home,
    watch: Watch,
    www: PathBuf,
}

impl Bench {
    /// WordPress 6.4 in two languages.
    fn new() -> Self {
        let (dir, home) = home();
        let watch = Watch::unbounded();
        let zip = spooled(&home, &wordpress("6.4"));
        super::super::install(&home, EPOCH, "www", &zip, &watch).unwrap();
        let www = dir.path().join("www");
        fs::create_dir_all(www.join(LANGUAGES).join("plugins")).unwrap();
        let bench = Self {
            _dir: dir,
            home,
            watch,
            www,
        };
        for (name, text) in [
            (
                "de_DE.po",
                "msgstr \"\"\n\"PO-Revision-Date: 2023-11-07 09:00:00+0000\\n\"",
            ),
            ("de_DE.mo", "old"),
            ("de_DE.l10n.php", "<?php return ['old'];"),
            ("admin-de_DE.mo", "the same"),
            ("de_DE-aaaa.json", "old"),
            (
                "de_DE_formal.mo",
                "PO-Revision-Date: 2023-01-02 03:04+0200\n",
            ),
            ("de_DE_formal-aaaa.json", "formal"),
            ("mine.txt", "mine"),
            ("plugins/shop-de_DE.mo", "plugin"),
        ] {
            fs::write(bench.www.join(LANGUAGES).join(name), text).unwrap();
        }
        bench
    }

    fn staged(&self) -> CoreSwap {
        let zip = spooled(&self.home, &wordpress("6.5"));
        stage_core(&self.home, EPOCH, "www", &zip, &self.watch)
            .unwrap()
            .swap
    }

    fn add(&self, swap: &CoreSwap, locale: &str, pack: &[u8]) -> Result<CoreSwap> {
        let pack = spooled(&self.home, pack);
        stage_translation(&self.home, EPOCH, swap, locale, &pack, &self.watch)
    }

    fn planned(&self) -> CoreSwap {
        self.add(&self.staged(), "de_DE", &german()).unwrap()
    }

    fn whole(&self) -> String {
        tree::hash_dir(&self.www, &self.watch)
            .unwrap()
            .unwrap()
            .hash
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.www.join(LANGUAGES).join(name)).unwrap_or_else(|_| "absent".into())
    }

    fn swap(&self, plan: &CoreSwap) -> Result<()> {
        swap_core(&self.home, EPOCH, plan, &self.watch).map(|swapped| {
            assert_eq!(swapped.tree.hash, plan.after);
        })
    }

    fn take_back(&self, plan: &CoreSwap) -> Result<()> {
        take_back_core(&self.home, EPOCH, plan, &self.watch).map(|swapped| {
            assert_eq!(swapped.tree.hash, plan.before);
        })
    }
}

fn german() -> Vec<u8> {
    zip_of(&[
        ("de_DE.mo", b"new"),
        ("de_DE.po", b"PO-Revision-Date: 2024-04-02 20:12:41+0000\n"),
        ("de_DE.l10n.php", TABLE.as_bytes()),
        ("admin-de_DE.mo", b"the same"),
        ("continents-cities-de_DE.mo", b"new"),
        ("de_DE-bbbb.json", b"{}"),
    ])
}

#[test]
fn languages_are_found_with_the_date_they_state() {
    let bench = Bench::new();
    let found = || {
        let found = installed(&bench.home, "www", &bench.watch).unwrap();
        let pair = |it: InstalledTranslation| (it.locale, it.revision.unwrap_or_default());
        found.into_iter().map(pair).collect::<Vec<_>>()
    };
    let pair = |locale: &str, revision: &str| (locale.to_owned(), revision.to_owned());
    let formal = pair("de_DE_formal", "2023-01-02 03:04+0200");
    assert_eq!(
        found(),
        [pair("de_DE", "2023-11-07 09:00:00+0000"), formal.clone()]
    );
    let dir = bench.www.join(LANGUAGES);
    fs::remove_file(dir.join("de_DE.po")).unwrap();
    symlink("/etc/passwd", dir.join("de_DE.po")).unwrap();
    assert_eq!(found(), [pair("de_DE", ""), formal.clone()]);
    fs::write(dir.join("de_DE.l10n.php"), TABLE).unwrap();
    assert_eq!(found(), [pair("de_DE", "2024-04-02 20:12:41+0000"), formal]);
    fs::rename(&dir, bench.www.join("elsewhere")).unwrap();
    assert_eq!(found(), []);
}

#[test]
fn they_come_and_go_with_the_core() {
    let bench = Bench::new();
    let old = bench.whole();
    let core = bench.staged();
    let plan = bench.add(&core, "de_DE", &german()).unwrap();
    assert_eq!(bench.whole(), old, "staging touched the site");
    let names: Vec<&str> = plan.translations().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "continents-cities-de_DE.mo",
            "de_DE-bbbb.json",
            "de_DE.l10n.php",
            "de_DE.mo",
            "de_DE.po",
            "de_DE-aaaa.json"
        ]
    );
    let pack = package_translation(Cursor::new(german()), "de_DE", &bench.watch).unwrap();
    for (name, item) in plan.translations() {
        assert_eq!(pack.get(name), item.after.as_ref(), "{name}");
    }
    assert_eq!(plan.without_translations(), core);
    // Staged once more, it is the same plan.
    assert_eq!(bench.add(&plan, "de_DE", &german()).unwrap(), plan);
    let both = zip_of(&[("de_DE_formal.mo", b"new")]);
    let plan = bench.add(&plan, "de_DE_formal", &both).unwrap();
    assert_eq!(plan.translations().count(), 8);

    for _ in 0..2 {
        bench.swap(&plan).unwrap();
        assert_eq!(bench.text("de_DE.mo"), "new");
        assert_eq!(bench.text("de_DE.l10n.php"), TABLE);
        assert_eq!(bench.text("de_DE-aaaa.json"), "absent");
        assert_eq!(bench.text("de_DE-bbbb.json"), "{}");
        assert_eq!(bench.text("de_DE_formal.mo"), "new");
        assert_eq!(bench.text("de_DE_formal-aaaa.json"), "absent");
        assert_eq!(bench.text("mine.txt"), "mine");
        assert_eq!(bench.text("plugins/shop-de_DE.mo"), "plugin");
    }
    let late = bench.add(&plan, "de_DE", &german());
    assert!(matches!(late, Err(Error::BadInput(_))), "{late:?}");

    // Written to, or removed as a whole: it comes back as it was.
    fs::write(bench.www.join(LANGUAGES).join("de_DE.mo"), "theirs").unwrap();
    bench.take_back(&plan).unwrap();
    bench.take_back(&plan).unwrap();
    assert_eq!(bench.whole(), old);
    let plan = bench.planned();
    bench.swap(&plan).unwrap();
    let dir = bench.www.join(LANGUAGES);
    for (name, _) in plan.translations() {
        let _gone = fs::remove_file(dir.join(name));
    }
    bench.take_back(&plan).unwrap();
    assert_eq!(bench.whole(), old);
    drop_staged(&bench.home, EPOCH, &plan.staged, &bench.watch).unwrap();
    assert_eq!(bench.whole(), old);
}

#[test]
fn stopped_at_every_step_all_is_old_or_all_is_new() {
    for stepwise in [false, true] {
        for forward in [false, true] {
            let mut steps = 0;
            loop {
                let bench = Bench::new();
                let old = bench.whole();
                let plan = bench.planned();
                failpoint::plain_renames_only(stepwise);
                failpoint::stop_after(steps);
                let ended = bench.swap(&plan);
                failpoint::stopped();
                if ended.is_ok() {
                    failpoint::plain_renames_only(false);
                    break;
                }
                recover(&bench.home, EPOCH, &bench.watch).unwrap();
                if forward {
                    bench.swap(&plan).unwrap();
                    assert_eq!(bench.text("de_DE.mo"), "new");
                    assert_eq!(bench.text("de_DE-aaaa.json"), "absent");
                } else {
                    bench.take_back(&plan).unwrap();
                    assert_eq!(bench.whole(), old);
                }
                failpoint::plain_renames_only(false);
                steps += 1;
            }
            assert!(steps > 10, "{steps}");
        }
    }
}

#[test]
fn a_hostile_pack_leaves_nothing() {
    let bench = Bench::new();
    let old = bench.whole();
    let core = bench.staged();
    let staging = bench.home.state_path("staging").join(&core.staged);
    let before = tree::hash_dir(&staging, &bench.watch).unwrap();
    let program = b"<?php return ['a'=>system('id')];".as_slice();
    for (name, content) in [
        ("../x.php", b"x".as_slice()),
        ("/x.mo", b"x"),
        ("evil.php", b"x"),
        ("de_DE.php", b"x"),
        ("de_DE.l10n.php", program),
        ("de_DE.l10n.php", b"<?php return ['a'=>'system'('id')];"),
        ("de_DE.l10n.php", b"<?php return [\"${system('id')}\"];"),
        ("de_DE.l10n.php", b"<?php return [`id`];"),
        ("de_DE.l10n.php", b"<?php include 'x'; return [];"),
        ("de_DE.l10n.php", b"<?php return []; ?><?= 'x'"),
        ("de_DE.l10n.php", b"#!<?php return [];"),
        ("sub/de_DE.mo", b"x"),
        ("de_DE/", b""),
        ("fr_FR.mo", b"x"),
        ("de_DE_formal.mo", b"x"),
        ("de_DE-../../x.json", b"x"),
        ("de_DE-.json", b"x"),
        (".htaccess", b"x"),
    ] {
        let pack = zip_of(&[("de_DE.mo", b"good"), (name, content)]);
        assert!(bench.add(&core, "de_DE", &pack).is_err(), "{name}");
        assert_eq!(tree::hash_dir(&staging, &bench.watch).unwrap(), before);
    }
    let mut bomb = german();
    bomb.truncate(bomb.len() / 2);
    assert!(bench.add(&core, "de_DE", &bomb).is_err());
    let large = vec![0; usize::try_from(MAX_FILE).unwrap() + 1];
    let large = zip_of(&[("de_DE.mo", &large)]);
    assert!(bench.add(&core, "de_DE", &large).is_err());
    assert!(bench.add(&core, "de_DE", &zip_of(&[])).is_err());
    for locale in ["", "..", "de/DE", "de_", "DE", "de_DE.mo", "admin-de_DE"] {
        assert!(bench.add(&core, locale, &german()).is_err(), "{locale}");
    }
    assert_eq!(tree::hash_dir(&staging, &bench.watch).unwrap(), before);
    assert_eq!(bench.whole(), old);
}

#[test]
fn a_directory_that_is_elsewhere_is_left_and_stops_nobody() {
    let bench = Bench::new();
    let plan = bench.planned();
    let (dir, elsewhere) = (bench.www.join(LANGUAGES), bench.home.path().join("shared"));
    bench.swap(&plan).unwrap();
    fs::rename(&dir, &elsewhere).unwrap();
    symlink(&elsewhere, &dir).unwrap();
    assert!(installed(&bench.home, "www", &bench.watch).is_err());
    let found = recover(&bench.home, EPOCH, &bench.watch).unwrap();
    assert_eq!(found.core_swaps[0].live, crate::core::CoreLive::Mixed);
    let core = bench.staged();
    assert!(bench.add(&core, "de_DE", &german()).is_err());
    // One file of it that is a link is not the site's to exchange either.
    fs::remove_file(&dir).unwrap();
    fs::rename(&elsewhere, &dir).unwrap();
    fs::remove_file(dir.join("de_DE.mo")).unwrap();
    symlink("/etc/passwd", dir.join("de_DE.mo")).unwrap();
    assert!(bench.add(&core, "de_DE", &german()).is_err());
}

#[test]
fn plans_name_translations_and_nothing_else_there() {
    let bench = Bench::new();
    let plan = bench.planned();
    for name in [
        "wp-content/languages",
        "wp-content/languages/",
        "wp-content/languages/../index.php",
        "wp-content/languages/evil.php",
        "wp-content/languages/.mo",
        "wp-content/languages/plugins/shop-de_DE.mo",
        "wp-content/languagesx/de_DE.mo",
    ] {
        let mut bad = plan.clone();
        bad.items.last_mut().unwrap().name = name.into();
        assert!(matches!(bench.swap(&bad), Err(Error::BadPath(_))), "{name}");
    }
}
