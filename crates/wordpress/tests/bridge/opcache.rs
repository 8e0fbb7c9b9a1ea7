//! Compiled PHP is kept, and never that of code which is not there any more.

use crate::lab::{EPOCH, Lab};
use pressroom_lab::Wordpress;
use pressroom_wordpress::bridge::{Action, Outcome, outcomes::OptionTold};
use std::{
    fs::{self, File, FileTimes},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// Old enough for OPcache to keep what it compiles.
fn package_time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000)
}

fn put(path: &Path, version: &str) {
    fs::create_dir_all(path).unwrap();
    let file = path.join("same.php");
    fs::write(
        &file,
        format!("<?php\n/* Plugin Name: Same */\nadd_filter('option_blogname', function () {{ return '{version}'; }});"),
    )
    .unwrap();
    let times = FileTimes::new().set_modified(package_time());
    File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_times(times)
        .unwrap();
}

fn seen(lab: &Lab) -> String {
    let action = Action::GetOption {
        name: "blogname".into(),
        network: false,
    };
    let report = lab.run(&[action]);
    let told: Option<OptionTold> = report.outcomes.first().and_then(Outcome::read);
    told.unwrap_or_else(|| panic!("{report:?}"))
        .value
        .as_str()
        .unwrap()
        .to_owned()
}

fn compiled(lab: &Lab) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut dirs = vec![lab.site.home().join(".pressroom/opcache")];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|ext| ext == "bin") {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn a_swap_of_equal_times_runs_the_new_code() {
    let lab = Lab::new(Wordpress::V6_5);
    let live = lab.site.path().join("wp-content/plugins/same");
    let aside = lab.site.home().join("aside");
    // Both are there before the first run: only their inodes tell them apart.
    put(&live, "one");
    put(&aside, "two");
    lab.site.php("activate_plugin('same/same.php');").unwrap();
    assert_eq!(seen(&lab), "one");
    assert_eq!(seen(&lab), "one");
    let kept = compiled(&lab);
    assert!(kept.len() > 100, "{} files", kept.len());
    assert!(kept.iter().any(|path| path.ends_with("same/same.php.bin")));
    let top = lab.site.home().join(".pressroom/opcache");
    assert_eq!(
        fs::metadata(&top).unwrap().permissions().mode() & 0o777,
        0o700
    );

    for (expected, other) in [("two", "one"), ("one", "two"), ("two", "one")] {
        let gone = lab.site.home().join("gone");
        fs::rename(&live, &gone).unwrap();
        fs::rename(&aside, &live).unwrap();
        fs::rename(&gone, &aside).unwrap();
        assert_eq!(seen(&lab), expected, "not the code of {other}");
    }
    // Edited in place, with size and time as before.
    let file = live.join("same.php");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("two", "six")).unwrap();
    let times = FileTimes::new().set_modified(package_time());
    File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_times(times)
        .unwrap();
    assert_eq!(seen(&lab), "six");
}

#[test]
fn a_swap_while_php_runs_leaves_nothing_stale() {
    let lab = Lab::new(Wordpress::V6_5);
    let live = lab.site.path().join("wp-content/plugins/same");
    let aside = lab.site.home().join("aside");
    put(&live, "one");
    put(&aside, "two");
    lab.site.php("activate_plugin('same/same.php');").unwrap();
    // The run itself swaps, after it loaded and compiled the first.
    let (from, to) = (live.display(), aside.display());
    lab.site
        .write(
            "wp-content/mu-plugins/swap.php",
            format!("<?php add_action('wp_loaded', function () {{ if (is_dir('{to}')) {{ rename('{from}', '{from}.old'); rename('{to}', '{from}'); }} }});"),
        )
        .unwrap();
    assert_eq!(seen(&lab), "one");
    assert_eq!(seen(&lab), "two");
}

#[test]
fn a_killed_run_and_a_missing_opcache_do_no_harm() {
    let lab = Lab::new(Wordpress::V6_5);
    lab.site
        .plugin(
            "killer",
            "1.0",
            "register_activation_hook(__FILE__, function () { posix_kill(getmypid(), 9); });",
        )
        .unwrap();
    assert_eq!(seen(&lab), "Lab");
    let before = compiled(&lab);
    let report = lab.run(&[Action::ActivatePlugins {
        plugins: vec!["killer".into()],
        network_wide: false,
        silent: false,
    }]);
    assert!(report.fatal.is_some());
    assert_eq!(seen(&lab), "Lab");
    assert!(
        compiled(&lab).iter().all(|path| !before.contains(path)),
        "a new directory after a kill"
    );

    // Without OPcache, and with a cache that cannot be had.
    let plain = lab.site.home().join("plain-php");
    fs::write(
        &plain,
        "#!/bin/sh\nexec php -n -d extension=mysqlnd -d extension=mysqli \"$@\"\n",
    )
    .unwrap();
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o755)).unwrap();
    let top = lab.site.home().join(".pressroom/opcache");
    fs::remove_dir_all(&top).unwrap();
    std::os::unix::fs::symlink("/tmp", &top).unwrap();
    assert_eq!(seen(&lab), "Lab");
    fs::remove_file(&top).unwrap();
    let report = pressroom_wordpress::bridge::run(
        &lab.home,
        Some(EPOCH),
        lab.site.root(),
        plain.to_str().unwrap(),
        &[Action::SiteInfo],
        &crate::lab::patient(),
    )
    .unwrap();
    assert!(report.is_ok(), "{report:?}");
    assert_eq!(compiled(&lab), [] as [PathBuf; 0]);
}
