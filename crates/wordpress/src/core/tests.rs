use super::*;
use crate::package::sample::{EPOCH, home, spooled, staged_names, zip_of};
use crate::recovery;
use std::io::Cursor;

const VERSION: &[u8] = b"<?php $wp_version='6.5.5';$wp_db_version=57155;";

fn wordpress(prefix: &str) -> Vec<u8> {
    let names: [(&str, &[u8]); 8] = [
        ("wp-load.php", b"<?php"),
        ("index.php", b"<?php"),
        ("wp-includes/version.php", VERSION),
        ("wp-admin/install.php", b"<?php"),
        ("wp-content/index.php", b"<?php"),
        ("wp-content/empty/", b""),
        ("wp-content/database/.ht.sqlite", b"x"),
        ("wp-config.php", b"<?php evil();"),
    ];
    let prefixed: Vec<(String, &[u8])> = names
        .iter()
        .map(|(name, content)| (format!("{prefix}{name}"), *content))
        .collect();
    let entries: Vec<(&str, &[u8])> = prefixed
        .iter()
        .map(|(name, content)| (name.as_str(), *content))
        .collect();
    zip_of(&entries)
}

fn try_install(home: &Home, root: &str, zip: &[u8]) -> Result<InstalledCore> {
    install(home, EPOCH, root, &spooled(home, zip), &Watch::unbounded())
}

fn names(path: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn installs_with_and_without_a_top_folder_and_removes_by_record() {
    for prefix in ["", "wordpress/"] {
        let (dir, home) = home();
        let watch = Watch::unbounded();
        let zip = wordpress(prefix);
        let installed = try_install(&home, "sub/www", &zip).unwrap();
        assert_eq!(installed.version, "6.5.5");
        assert_eq!(
            package_tree(Cursor::new(&zip), &watch).unwrap(),
            installed.tree
        );
        let www = dir.path().join("sub/www");
        assert_eq!(
            names(&www),
            [
                "index.php",
                "wp-admin",
                "wp-content",
                "wp-includes",
                "wp-load.php"
            ]
        );
        assert!(!www.join("wp-content/database").exists());
        assert_eq!(staged_names(&home), [""; 0]);
        assert!(matches!(
            try_install(&home, "sub/www", &zip),
            Err(Error::Occupied(_))
        ));
        assert_eq!(names(&www).len(), 5, "a refused install removed something");

        fs::write(www.join("wp-config.php"), "<?php").unwrap();
        fs::write(
            www.join(".htaccess"),
            "# BEGIN WordPress\nRewriteEngine On\n# END WordPress\n",
        )
        .unwrap();
        fs::create_dir(www.join("wp-content/uploads")).unwrap();
        for _ in 0..2 {
            remove(&home, EPOCH, "sub/www", &watch).unwrap();
            assert!(!dir.path().join("sub").exists());
        }
        assert_eq!(staged_names(&home), [""; 0]);
        assert_eq!(names(&home.state_path("installed")), [""; 0]);
    }
}

#[test]
fn placeholders_come_back_and_foreign_files_stay() {
    let (dir, home) = home();
    let www = dir.path().join("www");
    fs::create_dir(&www).unwrap();
    fs::write(www.join("index.html"), "welcome").unwrap();
    try_install(&home, "www", &wordpress("")).unwrap();
    assert!(!www.join("index.html").exists());
    fs::write(www.join("theirs.txt"), "x").unwrap();
    fs::write(
        www.join(".htaccess"),
        "Deny from all\n# BEGIN WordPress\n# END WordPress",
    )
    .unwrap();
    remove(&home, EPOCH, "www", &Watch::unbounded()).unwrap();
    assert_eq!(names(&www), [".htaccess", "index.html", "theirs.txt"]);
    assert_eq!(fs::read(www.join("index.html")).unwrap(), b"welcome");
    assert!(!kept_dir(&home, "www").exists());
}

#[test]
fn an_occupied_root_is_left_alone() {
    for name in ["index.php", "wp-config.php", ".htaccess", "index.html"] {
        let (dir, home) = home();
        let www = dir.path().join("www");
        fs::create_dir(&www).unwrap();
        // An index page as large as this is somebody's work.
        fs::write(www.join(name), vec![b'x'; 70_000]).unwrap();
        assert!(matches!(
            try_install(&home, "www", &wordpress("")),
            Err(Error::Occupied(_))
        ));
        remove(&home, EPOCH, "www", &Watch::unbounded()).unwrap();
        assert_eq!(names(&www), [name]);
        assert_eq!(staged_names(&home), [""; 0]);
    }
}

#[test]
fn a_half_placed_core_is_found_and_removed() {
    let (dir, home) = home();
    let watch = Watch::unbounded();
    let www = dir.path().join("www");
    let record = Record {
        root: "www".into(),
        names: vec!["index.php".into(), "wp-admin".into(), "wp-includes".into()],
        placeholders: vec!["index.html".into()],
        made: vec!["www".into()],
    };
    // Killed after two of three names, with the placeholder set aside.
    journal::write(
        &home,
        &Entry::Core {
            epoch: EPOCH,
            record,
        },
    )
    .unwrap();
    fs::create_dir_all(www.join("wp-admin")).unwrap();
    fs::write(www.join("index.php"), "<?php").unwrap();
    let kept = kept_dir(&home, "www");
    fs::create_dir_all(&kept).unwrap();
    fs::write(kept.join("index.html"), "welcome").unwrap();
    let next = Epoch::new(11);
    assert!(
        recovery::recover(&home, next, &watch)
            .unwrap()
            .unfinished_core
    );
    assert!(matches!(
        remove(&home, EPOCH, "www", &watch),
        Err(Error::Fenced { .. })
    ));
    remove(&home, next, "www", &watch).unwrap();
    assert_eq!(names(&www), ["index.html"]);
    assert!(
        !recovery::recover(&home, next, &watch)
            .unwrap()
            .unfinished_core
    );
}

#[test]
fn a_failure_after_the_first_move_is_undone_at_once() {
    let (dir, home) = home();
    let unreadable = wordpress_without_version();
    assert!(matches!(
        try_install(&home, "www", &unreadable),
        Err(Error::BadInput(_))
    ));
    assert!(!dir.path().join("www").exists());
    assert_eq!(staged_names(&home), [""; 0]);
    assert!(
        !recovery::recover(&home, EPOCH, &Watch::unbounded())
            .unwrap()
            .unfinished_core
    );
}

fn wordpress_without_version() -> Vec<u8> {
    zip_of(&[
        ("wp-load.php", b"<?php"),
        ("wp-includes/version.php", b"<?php"),
        ("wp-admin/install.php", b"<?php"),
    ])
}

#[test]
fn what_is_not_wordpress_is_refused() {
    let (dir, home) = home();
    let why = try_install(&home, "www", &zip_of(&[("readme.txt", b"x")])).unwrap_err();
    assert!(why.to_string().contains("is not WordPress"), "{why}");
    assert!(!dir.path().join("www").exists());
}
