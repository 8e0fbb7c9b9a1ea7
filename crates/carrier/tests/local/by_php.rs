//! Files through the agent in PHP: what it stages, exchanges and takes back is what the
//! other agent would, and each goes on from where the other was.

mod caches;
mod core;
mod hostile;
mod killed;
mod packages;
mod upload;

use crate::site::{ROOT, Site, epoch, soon};
use packages::Zip;
use pressroom_agent::protocol::Form;
use pressroom_carrier::Session;
use pressroom_wordpress::{
    Watch,
    component::{ComponentKind, Exchange, Exchanged, Staged, Swap, Target},
    tree::{self, TreeHash},
};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::Path,
};

fn target(kind: ComponentKind, slug: &str) -> Target {
    Target {
        root: ROOT.into(),
        kind,
        slug: slug.into(),
    }
}

fn plugin(slug: &str) -> Target {
    target(ComponentKind::Plugin, slug)
}

/// A home, and a session with each agent.
struct Both {
    site: Site,
    php: Session,
    native: Session,
}

impl Both {
    async fn new() -> Self {
        let site = Site::new();
        let native = site.session().await;
        let php = site.php_session().await;
        assert_eq!(
            (php.welcome().form, native.welcome().form),
            (Form::Php, Form::Native)
        );
        native.recover(epoch(1)).await.unwrap();
        Self { site, php, native }
    }

    fn all(&self) -> [&Session; 2] {
        [&self.php, &self.native]
    }
}

async fn stage(session: &Session, target: &Target, zip: &[u8]) -> Staged {
    soon(session.stage_component(epoch(1), target.clone(), zip))
        .await
        .unwrap()
}

/// Paths, kinds and modes of a tree, and the owner of all of it.
fn laid_out(base: &Path) -> Vec<(String, u32, u32)> {
    let mut found = Vec::new();
    let mut open = vec![base.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let about = fs::symlink_metadata(&path).unwrap();
            let shown = path.strip_prefix(base).unwrap().display().to_string();
            found.push((shown, about.permissions().mode(), about.uid()));
            if about.is_dir() {
                open.push(path);
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn both_lay_out_the_same() {
    let both = Both::new().await;
    for (target, zip) in packages::good() {
        let [ours, theirs] = both.all().map(|session| stage(session, &target, &zip));
        let (ours, theirs) = (ours.await, theirs.await);
        assert_eq!(
            (&ours.version, &ours.tree),
            (&theirs.version, &theirs.tree),
            "{target:?}"
        );
        let dir = |staged: &Staged| both.site.path(".pressroom/staging").join(&staged.staged);
        assert_eq!(laid_out(&dir(&ours)), laid_out(&dir(&theirs)));
        let watch = Watch::unbounded();
        let path = dir(&ours).join(&target.slug);
        let seen = if target.is_file() {
            tree::hash_file(&path, &watch)
        } else {
            tree::hash_dir(&path, &watch)
        };
        assert_eq!(seen.unwrap(), Some(ours.tree.clone()));
        for session in both.all() {
            for staged in [&ours.staged, &theirs.staged] {
                session.drop_staged(epoch(1), staged).await.unwrap();
            }
        }
        assert_eq!(both.site.staging().len(), 0);
    }
}

#[tokio::test]
async fn both_hash_the_same() {
    let both = Both::new().await;
    let base = both.site.path("public_html/wp-content/plugins/odd");
    fs::create_dir_all(base.join("b/empty")).unwrap();
    for name in ["a", "a-b", "a.php", "10", "9", "b/\u{e9}", "b/x\ny", "b/0"] {
        fs::write(base.join(name), name.repeat(9000)).unwrap();
    }
    symlink("/etc/passwd", base.join("link")).unwrap();
    symlink("nowhere", base.join("b/dangling")).unwrap();
    let pipe = rustix::fs::CWD;
    rustix::fs::mkfifoat(pipe, base.join("pipe"), 0o600.into()).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(base.join("s")).unwrap();
    let path = "public_html/wp-content/plugins/odd";
    for path in [path, "public_html", "public_html/none", ""] {
        let ours = both.php.tree_hash(path).await;
        let theirs = both.native.tree_hash(path).await;
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs, "{path}"),
            (ours, theirs) => panic!("{path}: {ours:?} {theirs:?}"),
        }
    }
    let mut deep = base.clone();
    for _ in 0..202 {
        deep.push("d");
    }
    fs::create_dir_all(deep).unwrap();
    symlink(&base, base.with_file_name("led")).unwrap();
    fs::write(base.with_file_name("file"), "").unwrap();
    for slug in ["odd", "led", "file", "..", "a/b", ".x", ""] {
        let [ours, theirs] = both.all().map(|it| it.hash_component(plugin(slug)));
        let (ours, theirs) = (ours.await.unwrap_err(), theirs.await.unwrap_err());
        assert_eq!(ours.to_string(), theirs.to_string(), "{slug}");
        assert_eq!(ours.code(), theirs.code(), "{slug}");
    }
}

/// What is live after, but for how it got there.
fn tree_of(done: Exchanged) -> TreeHash {
    done.tree
}

#[tokio::test]
async fn each_takes_back_what_the_other_exchanged() {
    let both = Both::new().await;
    for slug in ["hello", "hello.php"] {
        let target = plugin(slug);
        let [first, second] = ["1.0", "2.0"].map(|version| packages::plugin(slug, version));
        for (one, other) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let (one, other) = (both.all()[one], both.all()[other]);
            let first = stage(one, &target, &first).await;
            let put_in = Swap {
                target: target.clone(),
                staged: first.staged.clone(),
                before: None,
                after: first.tree.hash.clone(),
            };
            let done = one.swap_component(epoch(1), put_in.clone()).await.unwrap();
            assert_eq!(done.exchange, Exchange::Atomic);
            let second = stage(other, &target, &second).await;
            let update = Swap {
                staged: second.staged.clone(),
                before: Some(first.tree.hash.clone()),
                after: second.tree.hash.clone(),
                ..put_in.clone()
            };
            for session in [one, other, one] {
                let done = session.swap_component(epoch(1), update.clone()).await;
                assert_eq!(tree_of(done.unwrap()), second.tree);
            }
            let plan = other.recover(epoch(1)).await.unwrap();
            assert_eq!(plan, one.recover(epoch(1)).await.unwrap());
            assert_eq!(plan.swaps.len(), 2, "{plan:?}");
            for session in [other, one] {
                let back = session.take_back(epoch(1), update.clone()).await.unwrap();
                assert_eq!(tree_of(back), first.tree);
            }
            for session in [other, one] {
                let out = session.take_back(epoch(1), put_in.clone()).await.unwrap();
                assert_eq!(tree_of(out), TreeHash::absent());
            }
            // In again, from where it was put aside.
            let again = other.swap_component(epoch(1), put_in.clone()).await;
            assert_eq!(tree_of(again.unwrap()), first.tree);
            one.take_back(epoch(1), put_in.clone()).await.unwrap();
            for staged in [&put_in.staged, &update.staged] {
                other.drop_staged(epoch(1), staged).await.unwrap();
                one.drop_staged(epoch(1), staged).await.unwrap();
            }
            assert_eq!(one.recover(epoch(1)).await.unwrap().swaps, []);
            assert_eq!(both.site.staging().len(), 0);
            assert!(!both.site.path(packages::PLUGINS).join(slug).exists());
        }
    }
}

#[tokio::test]
async fn what_changed_is_not_exchanged() {
    let both = Both::new().await;
    let target = plugin("hello");
    let path = both.site.path(packages::PLUGINS).join("hello");
    let zip = packages::plugin("hello", "2.0");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("hello.php"), "by hand").unwrap();
    let staged = stage(&both.php, &target, &zip).await;
    let swap = |before: Option<&str>, handle: &str| Swap {
        target: target.clone(),
        staged: handle.into(),
        before: before.map(str::to_owned),
        after: staged.tree.hash.clone(),
    };
    let live = both.native.hash_component(target.clone()).await.unwrap();
    let live = live.unwrap().hash;
    let planted = both.site.path(".pressroom/staging").join(&staged.staged);
    let mut plans = vec![
        swap(None, &staged.staged),
        swap(Some("0"), &staged.staged),
        swap(Some(&live), "1-0123456789abcdef"),
        swap(Some(&live), "../../x"),
        swap(Some(&live), "1-x"),
    ];
    for last in [false, true] {
        if last {
            fs::write(planted.join("hello/planted.php"), "<?php").unwrap();
            plans = vec![swap(Some(&live), &staged.staged)];
        }
        for plan in &plans {
            let [ours, theirs] = both
                .all()
                .map(|it| it.swap_component(epoch(1), plan.clone()));
            let (ours, theirs) = (ours.await.unwrap_err(), theirs.await.unwrap_err());
            assert_eq!(ours.to_string(), theirs.to_string());
            assert_eq!(ours.code(), theirs.code());
        }
    }
    let read = fs::read_to_string(path.join("hello.php")).unwrap();
    assert_eq!(read, "by hand");
    let found = both.php.recover(epoch(1)).await.unwrap();
    assert_eq!(found, both.native.recover(epoch(1)).await.unwrap());
    assert_eq!(found.swaps, []);
}

#[tokio::test]
async fn a_component_is_where_the_configuration_says() {
    let both = Both::new().await;
    let (root, target) = (both.site.path(ROOT), plugin("moved"));
    fs::create_dir_all(root.join("content/plugins/moved")).unwrap();
    fs::write(root.join("content/plugins/moved/a.php"), "<?php").unwrap();
    let config = |line: &str| {
        let text = format!("<?php {line} require ABSPATH . 'wp-settings.php';");
        fs::write(root.join("wp-config.php"), text).unwrap();
    };
    for (line, files) in [
        ("", None),
        ("define('WP_CONTENT_DIR', __DIR__ . '/content');", Some(1)),
        ("define('WP_CONTENT_DIR', getenv('NOWHERE'));", None),
    ] {
        config(line);
        for session in both.all() {
            let found = session.hash_component(target.clone()).await.unwrap();
            assert_eq!(found.map(|tree| tree.files), files, "{line}");
        }
    }
    config("define('WP_PLUGIN_DIR', '/elsewhere/plugins');");
    let zip = Zip::default().file("moved/moved.php", b"").end();
    for session in both.all() {
        let staged = session.stage_component(epoch(1), target.clone(), zip.as_slice());
        let refused = soon(staged).await.unwrap_err();
        assert!(refused.to_string().contains("/elsewhere/"), "{refused}");
    }
    assert_eq!(both.site.staging().len(), 0);
}
