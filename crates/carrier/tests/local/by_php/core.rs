//! WordPress itself, exchanged by the agent in PHP as by the other one.

use super::{Both, packages::Zip};
use crate::site::{ROOT, Site, epoch, is_running, process_of, soon, wait_until};
use pressroom_carrier::Session;
use pressroom_wordpress::{
    core::{CoreLive, CoreSwap, StagedCore},
    maintenance::Maintenance,
};
use std::{
    fs,
    os::unix::fs::{MetadataExt, chown, symlink},
};

const OLD_FILES: &str = "<?php global $_old_files; $_old_files = array(\n'wp-admin/b2.php', // gone\n'wp-feed.php', 'theirs.txt', 'wp-pass.php', 'index.php', 'wp-content/x.php', '.htaccess', 'wp-config.php', 'folder' );\n$x = array('theirs.php');";

fn wordpress(version: &str) -> Vec<u8> {
    let version_php = format!(
        "<?php\n/** x */\n$wp_version='{version}'; $required_php_version = '7.4.0';\n$required_mysql_version = \"5.5.5\";"
    );
    let mut zip = Zip::default();
    let mut add = |name: &str, text: &str| {
        let all = std::mem::take(&mut zip);
        zip = all.file(&format!("wordpress/{name}"), text.as_bytes());
    };
    add("wp-includes/version.php", &version_php);
    add("wp-admin/install.php", &format!("<?php //{version}"));
    add("wp-admin/includes/update-core.php", OLD_FILES);
    add("wp-config-sample.php", "<?php // the same");
    add("wp-content/index.php", version);
    add("wp-config.php", "<?php evil();");
    add("wp-content/database/x", "evil");
    add(".htaccess", "evil");
    for name in ["wp-load.php", "wp-settings.php", "index.php"] {
        add(name, &format!("<?php // {name} {version}"));
    }
    if version != "6.4" {
        add("wp-new.php", "<?php");
    }
    zip.end()
}

/// 6.4 with a site's own files around it; as its user would have put them there.
async fn furnish(site: &Site, session: &Session) {
    let zip = wordpress("6.4");
    fs::remove_dir_all(site.path(ROOT)).unwrap();
    session
        .install_core(epoch(1), ROOT, zip.as_slice())
        .await
        .unwrap();
    for (name, text) in [
        ("theirs.php", "mine"),
        ("wp-feed.php", "<?php // obsolete"),
        ("wp-admin/.htaccess", "guard"),
        (".htaccess", "mine"),
    ] {
        fs::write(site.path(ROOT).join(name), text).unwrap();
    }
}

async fn stage(session: &Session, zip: &[u8]) -> StagedCore {
    soon(session.stage_core(epoch(1), ROOT, zip)).await.unwrap()
}

/// But for the handle, which is another each time.
fn without_handle(mut staged: StagedCore) -> StagedCore {
    staged.swap.staged = String::new();
    staged
}

#[tokio::test]
async fn both_plan_and_exchange_the_same() {
    let both = Both::new().await;
    furnish(&both.site, &both.native).await;
    let whole = async || both.native.tree_hash(ROOT).await.unwrap().unwrap();
    let old = whole().await;
    let mut new = None;
    for (one, other) in [(0, 1), (1, 0), (0, 0)] {
        let (one, other) = (both.all()[one], both.all()[other]);
        let zip = wordpress("6.5");
        let plan = stage(one, &zip).await;
        let theirs = stage(other, &zip).await;
        other
            .drop_staged_core(epoch(1), &theirs.swap.staged)
            .await
            .unwrap();
        assert_eq!(without_handle(plan.clone()), without_handle(theirs));
        assert_eq!(plan.carried, ["wp-admin/.htaccess"]);
        assert_eq!(plan.obsolete, ["wp-feed.php"]);
        assert_eq!(plan.requires_mysql.as_deref(), Some("5.5.5"));
        assert_eq!(whole().await, old);
        for session in [one, other] {
            let done = session.swap_core(epoch(1), plan.swap.clone()).await;
            let done = done.unwrap();
            assert_eq!(
                (done.version.as_deref(), done.maintenance),
                (Some("6.5"), Maintenance::Off)
            );
            assert_eq!(done.tree.hash, plan.swap.after);
        }
        let now = whole().await;
        assert_eq!(new.get_or_insert(now.clone()), &now);
        assert!(!both.site.path(ROOT).join("wp-feed.php").exists());
        for session in [other, one] {
            let found = session.recover(epoch(1)).await.unwrap();
            assert_eq!(found.core_swaps[0].live, CoreLive::After);
            assert_eq!(found.core_swaps[0].swap, plan.swap);
        }
        for session in [other, one] {
            let back = session.take_back_core(epoch(1), plan.swap.clone()).await;
            let back = back.unwrap();
            assert_eq!(
                (back.version.as_deref(), back.maintenance),
                (Some("6.4"), Maintenance::Off)
            );
            assert_eq!(back.tree.hash, plan.swap.before);
        }
        assert_eq!(whole().await, old);
        other
            .drop_staged_core(epoch(1), &plan.swap.staged)
            .await
            .unwrap();
        assert_eq!(both.site.staging().len(), 0);
        assert_eq!(one.recover(epoch(1)).await.unwrap().core_swaps, []);
    }
}

#[tokio::test]
async fn translations_that_one_has_staged_are_exchanged_by_both() {
    let both = Both::new().await;
    furnish(&both.site, &both.native).await;
    let languages = both.site.path(ROOT).join("wp-content/languages");
    fs::create_dir_all(&languages).unwrap();
    for name in ["de_DE.mo", "de_DE-old.json"] {
        fs::write(languages.join(name), "old").unwrap();
    }
    let owner = fs::metadata(both.site.path(ROOT)).unwrap();
    for dir in [languages.parent().unwrap(), &languages] {
        chown(dir, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    let pack = Zip::default()
        .file("de_DE.mo", b"new")
        .file("admin-de_DE.mo", b"new")
        .end();
    let whole = async || both.native.tree_hash(ROOT).await.unwrap().unwrap();
    let old = whole().await;
    let core = stage(&both.native, &wordpress("6.5")).await.swap;
    let adding = |session: &Session| {
        let (session, core, pack) = (session.clone(), core.clone(), pack.clone());
        async move {
            let staging = session.stage_translation(epoch(1), core, "de_DE", pack.as_slice());
            soon(staging).await
        }
    };
    assert_eq!(
        adding(&both.php).await.unwrap_err().kind(),
        pressroom_base::Kind::Unsupported
    );
    let plan = adding(&both.native).await.unwrap();
    assert_eq!(plan.translations().count(), 3);
    for (one, other) in [(0, 1), (1, 0), (0, 0)] {
        let (one, other) = (both.all()[one], both.all()[other]);
        let swapped = one.swap_core(epoch(1), plan.clone()).await.unwrap();
        assert_eq!(swapped.tree.hash, plan.after);
        assert_eq!(fs::read(languages.join("de_DE.mo")).unwrap(), b"new");
        assert!(!languages.join("de_DE-old.json").exists());
        let found = other.recover(epoch(1)).await.unwrap();
        assert_eq!(found.core_swaps[0].live, CoreLive::After);
        let back = other.take_back_core(epoch(1), plan.clone()).await.unwrap();
        assert_eq!(back.tree.hash, plan.before);
        assert_eq!(whole().await, old);
    }
    // Names that no plan of ours has are refused by both.
    for session in both.all() {
        let mut bad = plan.clone();
        bad.items.last_mut().unwrap().name = "wp-content/languages/evil.php".into();
        assert!(session.swap_core(epoch(1), bad).await.is_err());
    }
    // Out of reach, they stop nobody.
    both.native.swap_core(epoch(1), plan).await.unwrap();
    let elsewhere = both.site.path(ROOT).join("elsewhere");
    fs::rename(&languages, &elsewhere).unwrap();
    symlink(&elsewhere, &languages).unwrap();
    for session in both.all() {
        let found = session.recover(epoch(1)).await.unwrap();
        assert_eq!(found.core_swaps[0].live, CoreLive::Mixed);
    }
}

#[tokio::test]
async fn both_refuse_the_same() {
    let both = Both::new().await;
    furnish(&both.site, &both.native).await;
    let refused = async |root: &str, zip: Vec<u8>, word: &str| {
        let mut said = Vec::new();
        for session in both.all() {
            let staged = soon(session.stage_core(epoch(1), root, zip.as_slice())).await;
            let why = staged.expect_err(word);
            assert!(why.to_string().contains(word), "{why}");
            said.push((why.code(), why.to_string()));
            assert_eq!(both.site.staging().len(), 0, "{word}");
        }
        assert_eq!(said[0], said[1]);
    };
    let zip = || wordpress("6.5");
    refused("absent", zip(), "`absent` does not exist").await;
    refused("", zip(), "it is in `public_html`: name that directory").await;
    refused("../x", zip(), "is not inside the site").await;
    let none = Zip::default().file("wp-load.php", b"").end();
    refused(ROOT, none, "`wp-includes/version.php` is missing").await;
    let odd = Zip::default()
        .file("wp-load.php", b"")
        .file("wp-admin/install.php", b"")
        .file("wp-includes/version.php", b"<?php // none")
        .file("other/x.php", b"");
    refused(ROOT, odd.end(), "`other`, which is no part of WordPress").await;
    let versionless = Zip::default()
        .file("wp-load.php", b"")
        .file("wp-admin/install.php", b"")
        .file("wp-includes/version.php", b"<?php // none");
    refused(ROOT, versionless.end(), "its version cannot be read").await;
    // Somebody wrote to it: what is not known is not exchanged.
    let plan = stage(&both.php, &zip()).await;
    let at = |name: &str| both.site.path(ROOT).join(name);
    fs::write(at("wp-includes/new.php"), "<?php").unwrap();
    for session in both.all() {
        let swapped = session.swap_core(epoch(1), plan.swap.clone()).await;
        let why = swapped.unwrap_err().to_string();
        assert!(why.contains("`public_html/wp-includes` changed"), "{why}");
    }
    fs::remove_file(at("wp-includes/new.php")).unwrap();
    // Somebody else's update is under way.
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    fs::write(at(".maintenance"), format!("<?php $upgrading = {since};")).unwrap();
    for session in both.all() {
        let swapped = session.swap_core(epoch(1), plan.swap.clone()).await;
        let why = swapped.unwrap_err().to_string();
        assert!(why.contains("somebody else holds"), "{why}");
    }
    both.php
        .drop_staged_core(epoch(1), &plan.swap.staged)
        .await
        .unwrap();
    fs::rename(at("wp-admin"), at("elsewhere")).unwrap();
    symlink("elsewhere", at("wp-admin")).unwrap();
    refused(ROOT, zip(), "is a symbolic link: this core is shared").await;
}

/// Killed at each act, also between two renames: the next one says what is live, and can
/// finish or undo it.
#[tokio::test]
async fn killed_at_each_act_it_is_finished_or_undone_by_either() {
    let mut lives = Vec::new();
    for acts in 0.. {
        let site = Site::new();
        let native = site.session().await;
        native.recover(epoch(1)).await.unwrap();
        furnish(&site, &native).await;
        let old = native.tree_hash(ROOT).await.unwrap();
        let swap = stage(&native, &wordpress("6.5")).await.swap;
        let dying = site.php_session_of(&super::killed::after(acts)).await;
        let process = process_of(&dying);
        let done = soon(dying.swap_core(epoch(1), swap.clone())).await;
        if done.is_err() {
            wait_until("it is gone", || !is_running(process));
        }
        let by_php = acts % 2 == 0;
        let next = if by_php {
            site.php_session().await
        } else {
            site.session().await
        };
        let found = soon(next.recover(epoch(2))).await.unwrap();
        let live = found.core_swaps.first().map(|found| {
            assert_eq!((&found.swap, found.changed.len()), (&swap, 0));
            found.live
        });
        // Nothing is missing, whatever is live.
        for item in &swap.items {
            let there = site.path(ROOT).join(&item.name).exists();
            assert!(there || item.before.is_none() || item.after.is_none());
        }
        if live == Some(CoreLive::Mixed) {
            assert!(site.path(ROOT).join(".maintenance").exists());
        }
        if live.is_some() {
            settled(&next, &swap).await;
        }
        next.drop_staged_core(epoch(2), &swap.staged).await.unwrap();
        let other = if by_php {
            site.session().await
        } else {
            site.php_session().await
        };
        let left = other.recover(epoch(3)).await.unwrap();
        assert_eq!((left.core_swaps.len(), left.dropped_stages), (0, 0));
        assert_eq!(site.staging().len(), 0);
        assert_eq!(other.tree_hash(ROOT).await.unwrap(), old);
        lives.push(live);
        if done.is_ok() {
            break;
        }
    }
    lives.dedup();
    let expected = [
        None,
        Some(CoreLive::Before),
        Some(CoreLive::Mixed),
        Some(CoreLive::After),
    ];
    assert_eq!(lives, expected);
}

/// Forward, and back again.
async fn settled(session: &Session, swap: &CoreSwap) {
    let done = session.swap_core(epoch(2), swap.clone()).await.unwrap();
    assert_eq!(done.tree.hash, swap.after);
    assert_eq!(done.maintenance, Maintenance::Off);
    let back = session.take_back_core(epoch(2), swap.clone()).await;
    assert_eq!(back.unwrap().tree.hash, swap.before);
}
