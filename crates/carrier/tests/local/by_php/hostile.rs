//! Packages made to do harm: both agents refuse them for the same reason.

use super::{
    Both, ComponentKind,
    packages::{Zip, plugin_source, plugin_zip},
    plugin, target,
};
use crate::site::{Site, epoch, soon};
use pressroom_agent::{php, protocol::RefusalCode};
use pressroom_base::Kind;
use pressroom_wordpress::component::Target;
use std::fs;

/// The same zip with something else in place of every `from`, of the same length.
fn with(zip: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut zip = zip;
    let mut changed = 0;
    for at in 0..=zip.len() - from.len() {
        if zip[at..].starts_with(from) {
            zip[at..at + to.len()].copy_from_slice(to);
            changed += 1;
        }
    }
    assert!(changed > 0);
    zip
}

fn named(name: &str) -> Vec<u8> {
    let placeholder = "n".repeat(name.len());
    let zip = plugin_zip("foo", "1").file(&placeholder, b"x").end();
    with(zip, placeholder.as_bytes(), name.as_bytes())
}

/// Packages, and what is said of them.
fn all() -> Vec<(Target, Vec<u8>, String)> {
    let good = || plugin_zip("foo", "1");
    let mut all: Vec<(Target, Vec<u8>, &str)> = [
        ("../x", "climbs"),
        ("foo/../../x", "climbs"),
        ("foo/..", "climbs"),
        ("/etc/cron.d/x", "absolute"),
        ("C:/x", "absolute"),
        ("foo\\..\\x", "backslash"),
        ("foo/a\0b", "NUL"),
    ]
    .map(|(name, word)| (plugin("foo"), named(name), word))
    .into();
    let mut add = |zip: Vec<u8>, word| all.push((plugin("foo"), zip, word));
    let long = |length| format!("foo/{}", "n".repeat(length));
    add(good().file(&long(256), b"").end(), "too long a name");
    let path = "foo/".to_owned() + &"long/".repeat(210);
    add(good().file(&path, b"").end(), "too long a name");
    add(good().link("foo/l", "/etc/passwd").end(), "symbolic link");
    let twice = good().file("foo/a", b"1").file("foo/./a", b"2");
    add(twice.end(), "`foo/./a` twice");
    let mixed = good().file("foo/a", b"1").file("foo/a/b", b"2");
    add(mixed.end(), "both as a file and as a folder");
    add(good().file("bar/a", b"1").end(), "no single top folder");
    add(good().file("alone", b"1").end(), "no single top folder");
    add(Zip::default().end(), "package is empty");
    let other = plugin_zip("bar", "1");
    add(other.end(), "has the folder `bar`, expected `foo`");
    add(b"no zip at all".to_vec(), "not a zip");
    add(Vec::new(), "not a zip");
    let bomb = good().file("foo/zeros", &vec![0; 40 << 20]).end();
    add(bomb, "unpacks to more than 10485760 bytes");
    let whole = good().stored("foo/b", &vec![b'x'; 90_000]).end();
    add(whole[..whole.len() / 2].to_vec(), "not a zip");
    let mut damaged = whole;
    damaged[60_000] = b'y';
    add(damaged, "`b` is damaged");
    let none = Zip::default().file("foo/foo.php", b"<?php").end();
    add(none, "no file directly in it has a `Plugin Name`");
    add(
        good().file("foo/p", &[b'p'; 99]).encrypted(),
        "is encrypted",
    );
    let single = |zip: Zip, word| (plugin("foo.php"), zip.end(), word);
    let file = || Zip::default().file("h/foo.php", &plugin_source("1"));
    all.push(single(
        Zip::default().file("foo.php", b"<?php"),
        "`foo.php` has no `Plugin Name`",
    ));
    all.push(single(file().file("h/js/a.js", b""), "holds `js/a.js`"));
    all.push(single(file().file("b.php", b""), "holds `b.php`"));
    let text = Zip::default().file("readme.txt", b"");
    all.push(single(text, "no file `foo.php`"));
    all.push((
        target(ComponentKind::Theme, "foo"),
        good().end(),
        "`foo` is no theme",
    ));
    all.into_iter()
        .map(|(target, zip, word)| (target, zip, word.to_owned()))
        .collect()
}

#[tokio::test]
async fn a_php_that_cannot_unpack_says_what_it_needs() {
    let site = Site::new();
    let known = "function_exists( 'inflate_init' )";
    let program = php::program();
    assert!(program.contains(known));
    let session = site.php_session_of(&program.replace(known, "false")).await;
    session.recover(epoch(1)).await.unwrap();
    let deflated = plugin_zip("foo", "1").end();
    let staged = session.stage_component(epoch(1), plugin("foo"), deflated.as_slice());
    let refused = soon(staged).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Unsupported, "{refused:?}");
    assert!(refused.to_string().contains("`zlib`"), "{refused}");
    assert_eq!(site.staging().len(), 0);
    let stored = Zip::default().stored("foo/foo.php", &plugin_source("1"));
    super::stage(&session, &plugin("foo"), &stored.end()).await;
}

#[tokio::test]
async fn both_refuse_what_would_do_harm_and_keep_nothing_of_it() {
    let both = Both::new().await;
    fs::write(both.site.path("public_html/index.php"), "live").unwrap();
    for (target, zip, word) in all() {
        let mut said = Vec::new();
        for session in both.all() {
            let staged = session.stage_component(epoch(1), target.clone(), zip.as_slice());
            let refused = soon(staged).await.expect_err(&word);
            assert_eq!(refused.code(), Some(RefusalCode::BadInput), "{refused:?}");
            let message = refused.to_string();
            assert!(message.contains(&word), "{message} is not about {word}");
            assert_eq!(both.site.staging().len(), 0, "{word}");
            said.push(message);
        }
        // What exactly is wrong with the bytes of a zip is the reader's to say.
        if !word.contains("zip") && !word.contains("damaged") {
            assert_eq!(said[0], said[1]);
        }
    }
    let left: Vec<_> = fs::read_dir(both.site.path("public_html/wp-content/plugins"))
        .unwrap()
        .collect();
    assert!(left.is_empty(), "{left:?}");
    both.php.ping().await.unwrap();
}
