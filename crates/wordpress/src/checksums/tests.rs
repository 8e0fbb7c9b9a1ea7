use super::{
    Difference::{Link, Missing, Modified, Unexpected},
    *,
};
use crate::{Error, Home, Watch, archive::EntryPath, kind::ComponentKind};
use md5::Md5;
use pressroom_lab::Wordpress;
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs,
    io::Cursor,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

/// A real tree in a home, as it was laid out.
fn site(wordpress: Wordpress) -> (tempfile::TempDir, Home, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let www = dir.path().join("www");
    let done = Command::new("cp")
        .arg("-a")
        .arg(wordpress.tree().unwrap())
        .arg(&www)
        .status()
        .unwrap();
    assert!(done.success());
    let home = Home::open(dir.path()).unwrap();
    fs::write(www.join("wp-config.php"), "<?php").unwrap();
    (dir, home, www)
}

/// The list that wordpress.org would give of a tree.
fn list_of(www: &Path) -> Vec<u8> {
    fn walk(base: &Path, below: &Path, list: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(base.join(below)).unwrap() {
            let path = below.join(entry.unwrap().file_name());
            if base.join(&path).is_dir() {
                walk(base, &path, list);
            } else if path != Path::new("wp-config.php") {
                let content = fs::read(base.join(&path)).unwrap();
                let sum = hex::encode(Md5::digest(content));
                list.insert(path.to_str().unwrap().to_owned(), sum);
            }
        }
    }
    let mut list = BTreeMap::new();
    walk(www, Path::new(""), &mut list);
    serde_json::to_vec(&serde_json::json!({ "checksums": list })).unwrap()
}

fn core(expected: Expected) -> ChecksumRequest {
    ChecksumRequest {
        root: "www".into(),
        subject: Subject::Core,
        expected,
    }
}

fn check(home: &Home, request: &ChecksumRequest) -> ChecksumReport {
    verify(home, request, &Watch::unbounded()).unwrap()
}

fn named(report: &ChecksumReport) -> Vec<(String, Difference, bool)> {
    report
        .findings
        .iter()
        .map(|found| (found.path.to_string(), found.difference, found.soft))
        .collect()
}

#[test]
fn a_real_core_is_clean_and_every_kind_of_change_is_named() {
    for wordpress in [Wordpress::V6_1, Wordpress::V6_5] {
        let (_dir, home, www) = site(wordpress);
        let list = list_of(&www);
        let request = core(Expected::from_json(&mut list.as_slice()).unwrap());
        let clean = check(&home, &request);
        assert_eq!(clean.findings, []);
        assert!(clean.is_clean() && clean.intact > 1000 && clean.bytes > 5_000_000);

        fs::write(www.join("wp-includes/version.php"), "<?php // hacked").unwrap();
        // The same length, so that only the content tells.
        let mut load = fs::read(www.join("wp-load.php")).unwrap();
        load[20] ^= 1;
        fs::write(www.join("wp-load.php"), load).unwrap();
        fs::remove_file(www.join("wp-admin/index.php")).unwrap();
        fs::remove_file(www.join("wp-config-sample.php")).unwrap();
        fs::write(www.join("wp-admin/css/shell.php"), "x").unwrap();
        fs::write(www.join("wp-includes/error_log"), "x").unwrap();
        fs::write(www.join("wp-l0gin.PHP"), "x").unwrap();
        fs::write(www.join("robots.txt"), "x").unwrap();
        fs::create_dir(www.join("blog")).unwrap();
        fs::write(www.join("blog/own.php"), "x").unwrap();
        fs::write(www.join("wp-content/plugins/own.php"), "x").unwrap();
        fs::remove_file(www.join("wp-login.php")).unwrap();
        symlink("/etc/passwd", www.join("wp-login.php")).unwrap();
        symlink("/tmp", www.join("wp-includes/out")).unwrap();
        let report = check(&home, &request);
        assert_eq!(
            named(&report),
            [
                ("wp-admin/css/shell.php", Unexpected, false),
                ("wp-admin/index.php", Missing, false),
                ("wp-config-sample.php", Missing, true),
                ("wp-includes/error_log", Unexpected, true),
                ("wp-includes/out", Link, false),
                ("wp-includes/version.php", Modified, false),
                ("wp-l0gin.PHP", Unexpected, false),
                ("wp-load.php", Modified, false),
                ("wp-login.php", Link, false),
            ]
            .map(|(path, difference, soft)| (path.to_owned(), difference, soft))
        );
        assert!(!report.is_clean());
        assert_eq!(report.with(Missing).count(), 2);

        // A directory that is a link hides everything, and is not followed.
        fs::rename(www.join("wp-includes"), www.join("elsewhere")).unwrap();
        symlink("elsewhere", www.join("wp-includes")).unwrap();
        let hidden = check(&home, &request);
        assert!(hidden.behind_links > 500 && !hidden.is_clean());
        assert!(
            hidden
                .with(Link)
                .any(|path| *path == EntryPath::from("wp-includes"))
        );
    }
}

#[test]
fn a_package_at_hand_says_what_is_expected() {
    let (_dir, home, www) = site(Wordpress::V6_1);
    let zip = fs::read(Wordpress::V6_1.zip().unwrap()).unwrap();
    let watch = Watch::unbounded();
    let expected = expected_from_zip(Cursor::new(&zip), "wordpress", &watch).unwrap();
    assert!(expected.files.contains_key("wp-load.php"));
    let request = core(expected);
    assert_eq!(check(&home, &request).findings, []);
    fs::write(www.join("wp-load.php"), "<?php").unwrap();
    let report = check(&home, &request);
    assert_eq!(report.with(Modified).count(), 1);
    // It goes over the wire as it is.
    let wire = serde_json::to_vec(&request.expected).unwrap();
    assert_eq!(
        Expected::from_json(&mut wire.as_slice()).unwrap(),
        request.expected
    );
}

fn sum(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

#[test]
fn components_are_looked_at_whole() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(dir.path()).unwrap();
    let plugin = dir.path().join("www/wp-content/plugins/shop");
    fs::create_dir_all(plugin.join("lib")).unwrap();
    for (path, content) in [
        ("shop.php", "1"),
        ("lib/a.php", "2"),
        ("readme.txt", "3"),
        ("own.css", "4"),
    ] {
        fs::write(plugin.join(path), content).unwrap();
    }
    let list = serde_json::json!({ "plugin": "shop", "version": "1.0", "files": {
        // Two releases of one version; one known by both hashes.
        "shop.php": { "md5": ["00112233445566778899aabbccddeeff", hex::encode(Md5::digest("1"))] },
        "lib/a.php": { "md5": "00112233445566778899aabbccddeeff", "sha256": [sum(b"2")] },
        "readme.txt": { "md5": hex::encode(Md5::digest("another")), "sha256": sum(b"another") },
        "gone.php": sum(b"5"),
    }});
    let list = serde_json::to_vec(&list).unwrap();
    let mut request = ChecksumRequest {
        root: "www".into(),
        subject: Subject::Component {
            kind: ComponentKind::Plugin,
            slug: "shop".into(),
        },
        expected: Expected::from_json(&mut list.as_slice()).unwrap(),
    };
    let report = check(&home, &request);
    assert_eq!(
        named(&report),
        [
            ("gone.php", Missing, false),
            ("own.css", Unexpected, false),
            ("readme.txt", Modified, true)
        ]
        .map(|(path, difference, soft)| (path.to_owned(), difference, soft))
    );
    assert_eq!((report.intact, report.bytes), (2, 3));
    request.subject = Subject::Component {
        kind: ComponentKind::Theme,
        slug: "shop".into(),
    };
    let missing = verify(&home, &request, &Watch::unbounded());
    assert!(matches!(missing, Err(Error::Missing(_))));
    fs::rename(&plugin, dir.path().join("moved")).unwrap();
    symlink("../../../moved", &plugin).unwrap();
    request.subject = Subject::Component {
        kind: ComponentKind::Plugin,
        slug: "shop".into(),
    };
    let link = verify(&home, &request, &Watch::unbounded());
    assert!(matches!(link, Err(Error::BadPath(_))));
    let watch = Watch::unbounded();
    watch.cancel();
    assert!(matches!(
        verify(&home, &request, &watch),
        Err(Error::BadPath(_) | Error::Cancelled)
    ));
}

#[test]
fn lists_that_are_none_are_refused() {
    for (list, word) in [
        (r#"{"checksums":false}"#, "not known"),
        (r#"{"checksums":{}}"#, "no files"),
        (r#"{"other":{}}"#, "neither"),
        (
            r#"{"checksums":{"../x":"00112233445566778899aabbccddeeff"}}"#,
            "climbs",
        ),
        (
            r#"{"checksums":{"/x":"00112233445566778899aabbccddeeff"}}"#,
            "absolute",
        ),
        (
            r#"{"checksums":{"a//x":"00112233445566778899aabbccddeeff"}}"#,
            "path",
        ),
        (r#"{"checksums":{"x":"0011"}}"#, "as a hash"),
        (r#"{"checksums":{"x":[]}}"#, "no hash"),
        (r#"{"checksums":{"x":7}}"#, "something else"),
        (r#"{"checksums":{"x":{"sha1":"00"}}}"#, "no hash"),
        ("no json", "no JSON"),
    ] {
        let why = Expected::from_json(&mut list.as_bytes())
            .unwrap_err()
            .to_string();
        assert!(why.contains(word), "{list}: {why}");
    }
}

proptest! {
    #[test]
    fn any_text_is_a_list_or_refused(text in "[{}\\[\\]\":,a-f0-9. /chekusmfil]{0,80}", bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = Expected::from_json(&mut text.as_bytes());
        let _ = Expected::from_json(&mut format!("{{\"checksums\":{text}}}").as_bytes());
        let _ = Expected::from_json(&mut bytes.as_slice());
    }
}
