//! Real WordPress trees, and the programs that people have.

use super::*;
use crate::package::sample::staged_names;
use pressroom_lab::Wordpress;
use std::{
    io::Cursor,
    process::{Command, Stdio},
};

fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn site(wordpress: Wordpress) -> (tempfile::TempDir, Home) {
    let (dir, home) = home();
    fs::remove_dir(dir.path().join("www")).unwrap();
    run(Command::new("cp")
        .arg("-a")
        .arg(wordpress.tree().unwrap())
        .arg(dir.path().join("www")));
    (dir, home)
}

#[test]
fn wordpress_there_and_back_by_us_and_by_the_usual_programs() {
    for (wordpress, formats) in [
        (Wordpress::V6_1, &[Format::TarZst][..]),
        (Wordpress::V6_5, &[Format::TarZst, Format::Zip]),
    ] {
        let (dir, home) = site(wordpress);
        let www = dir.path().join("www");
        let whole = hash(&www);
        for format in formats.iter().copied() {
            let (bytes, manifest) = packed(&home, format);
            assert!(manifest.totals.files > 1500);
            assert_eq!((&manifest.changed, &manifest.left_out), (&vec![], &vec![]));
            let found = unpacked(&home, &bytes, &UnpackOptions::default()).unwrap();
            assert_eq!(hash(&staged(&home, &found).join("files")), whole);
            drop_unpacked(&home, EPOCH, &found.staged, &Watch::unbounded()).unwrap();

            let file = dir.path().join("archive");
            let out = dir.path().join("out");
            fs::write(&file, &bytes).unwrap();
            fs::create_dir(&out).unwrap();
            match format {
                Format::TarZst => run(Command::new("tar")
                    .arg("--zstd")
                    .arg("-xf")
                    .arg(&file)
                    .arg("-C")
                    .arg(&out)),
                Format::Zip => {
                    run(Command::new("unzip").arg("-qt").arg(&file));
                    run(Command::new("unzip")
                        .arg("-q")
                        .arg(&file)
                        .arg("-d")
                        .arg(&out))
                }
            };
            assert_eq!(hash(&out.join("files")), whole);
            let said: Manifest =
                serde_json::from_slice(&fs::read(out.join("manifest.json")).unwrap()).unwrap();
            assert_eq!(said, manifest);
            fs::remove_dir_all(&out).unwrap();
            fs::remove_file(&file).unwrap();
        }
    }
}

#[test]
fn archives_of_the_usual_programs_are_read_and_said_to_have_no_manifest() {
    let (dir, home) = home();
    let www = dir.path().join("www");
    fs::create_dir_all(www.join("a/empty")).unwrap();
    fs::write(www.join("a/page.php"), "<?php").unwrap();
    fs::hard_link(www.join("a/page.php"), www.join("a/same.php")).unwrap();
    fs::write(www.join("a/".to_owned() + &"n".repeat(200)), "long").unwrap();
    fs::write(www.join("ümläut"), "x").unwrap();
    std::os::unix::fs::symlink("a/page.php", www.join("link")).unwrap();
    let file = dir.path().join("archive");
    let loose = UnpackOptions {
        require_manifest: false,
        ..UnpackOptions::default()
    };
    let tar = |arguments: &[&str]| {
        let mut command = Command::new("tar");
        command
            .args(["--zstd", "-cf"])
            .arg(&file)
            .args(arguments)
            .arg("-C")
            .arg(&www)
            .arg(".");
        command
    };
    let zip = {
        let mut command = Command::new("zip");
        command
            .args(["-qry"])
            .arg(dir.path().join("archive.zip"))
            .arg(".")
            .current_dir(&www);
        command
    };
    for mut command in [
        tar(&["--format=gnu"]),
        tar(&["--format=pax"]),
        tar(&["--format=posix", "--hard-dereference"]),
        zip,
    ] {
        run(&mut command);
        if !file.exists() {
            fs::rename(dir.path().join("archive.zip"), &file).unwrap();
        }
        let bytes = fs::read(&file).unwrap();
        let found = unpacked(&home, &bytes, &loose).unwrap();
        assert!(!found.checked.has_manifest);
        assert_eq!(hash(&staged(&home, &found)), hash(&www), "{command:?}");
        assert_eq!(Some(&found.checked.trees[0].tree.hash), hash(&www).as_ref());
        let refused = unpacked(&home, &bytes, &UnpackOptions::default());
        assert!(refused.unwrap_err().to_string().contains("no manifest"));
        drop_unpacked(&home, EPOCH, &found.staged, &Watch::unbounded()).unwrap();
        fs::remove_file(&file).unwrap();
    }
    let whole = Wordpress::V6_5.zip().unwrap();
    let bytes = fs::read(whole).unwrap();
    let found = unpacked(&home, &bytes, &loose).unwrap();
    assert!(found.checked.totals.files > 1500);
    verify_zip(Cursor::new(&bytes), &Limits::default(), &Watch::unbounded()).unwrap();
}

/// Re-runs this test as a process of its own that is killed in the middle.
#[test]
fn killed_while_unpacking_leaves_the_site_as_it_was() {
    const SELF: &str = "archive::tests::real::killed_while_unpacking_leaves_the_site_as_it_was";
    if let Some(place) = std::env::var_os("PRESSROOM_TEST_UNPACK") {
        let home = Home::open(Path::new(&place)).unwrap();
        let input = fs::File::open(Path::new(&place).join("archive")).unwrap();
        let mut slow = Endless(input, Path::new(&place).join("half"));
        let _ = unpack(
            &home,
            EPOCH,
            &mut slow,
            &UnpackOptions::default(),
            &Watch::unbounded(),
        );
        return;
    }
    let (dir, home) = site(Wordpress::V6_5);
    let (bytes, _) = packed(&home, Format::TarZst);
    // Half an archive, and then silence.
    fs::write(dir.path().join("archive"), &bytes[..bytes.len() / 2]).unwrap();
    let before = hash(&dir.path().join("www"));
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", SELF])
        .env("PRESSROOM_TEST_UNPACK", dir.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while !dir.path().join("half").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(hash(&dir.path().join("www")), before);
    assert_eq!(staged_names(&home).len(), 1);
    let found = crate::recovery::recover(&home, Epoch::new(11), &Watch::unbounded()).unwrap();
    assert_eq!(found.dropped_stages, 1);
    assert_eq!(staged_names(&home), [""; 0]);
    assert_eq!(hash(&dir.path().join("www")), before);
}

/// Never ends; says when it would have.
struct Endless(fs::File, std::path::PathBuf);

impl std::io::Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(into)? {
            0 => {
                fs::write(&self.1, "")?;
                loop {
                    std::thread::park();
                }
            }
            count => Ok(count),
        }
    }
}
