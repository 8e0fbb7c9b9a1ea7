//! The agent in PHP beside the other one.

use super::lab::{EPOCH, PHP, Real};
use crate::site::soon;
use pressroom_agent::protocol::{Form, RefusalCode, SiteRef};
use pressroom_base::Kind;
use pressroom_carrier::{Error, Session};
use pressroom_wordpress::{
    checksums::{Expected, Subject, Sum},
    command::{Channel, Command},
    component::ComponentKind,
    config::Source,
    database::{UserQuery, restore_point::PointOptions},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::Path,
    time::Instant,
};

/// Both are asked of a site on which there is something of everything.
pub async fn tells_the_same(real: &Real) {
    assert_eq!(real.session.welcome().form, Form::Php);
    furnish(real);
    let native = real.native().await;
    assert_eq!(native.welcome().form, Form::Native);
    let (root, php) = (real.root(), &real.session);
    let wanted = ["admin_email", "no such option", "blogname"];

    let site = || real.site_ref();
    let ours = php.survey(site(), &wanted).await.unwrap();
    let mut theirs = native.survey(site(), &wanted).await.unwrap();
    theirs.inspection.settings.source = Source::Evaluated;
    same(&ours, &theirs);
    assert!(ours.inspection.components.len() > 8, "{ours:?}");
    assert!(ours.inspection.broken_themes.len() > 2);

    let ours = php.read_config(site()).await.unwrap();
    same(&ours, &theirs.inspection.settings);
    assert_eq!(ours.db_password, theirs.inspection.settings.db_password);
    let ours = php.list_config(site()).await.unwrap();
    let mut theirs = native.list_config(site()).await.unwrap();
    theirs.source = Source::Evaluated;
    same(&ours, &theirs);
    let wide = native.find("", 5).await.unwrap();
    same(&php.find("", 5).await.unwrap(), &wide);
    assert_eq!(wide.installs.len(), 2, "{wide:?}");
    let usage = native.disk_usage(root).await.unwrap();
    let theirs = php.disk_usage(root).await.unwrap();
    assert_eq!((theirs.files, theirs.bytes), (usage.files, usage.bytes));
    let (ours, theirs) = (usage.room.unwrap(), theirs.room.unwrap());
    // What is free changes while one looks; the disk is the same.
    assert_eq!(ours.total, theirs.total);
    assert!(theirs.free > 0 && theirs.free < theirs.total, "{theirs:?}");
    for query in [
        UserQuery::Id(1),
        UserQuery::Login("admin".into()),
        UserQuery::Email("nobody@example.test".into()),
        UserQuery::After { id: 0, limit: 7 },
    ] {
        let theirs = native.read_users(root, query.clone()).await.unwrap();
        same(&php.read_users(root, query).await.unwrap(), &theirs);
    }
    native.close().await;
}

/// As they go over the wire.
fn same<T: Serialize>(ours: &T, theirs: &T) {
    let shown = |told: &T| serde_json::to_string_pretty(told).unwrap();
    let (ours, theirs) = (shown(ours), shown(theirs));
    for (ours, theirs) in ours.lines().zip(theirs.lines()) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours.len(), theirs.len());
}

/// Forms of components that are found in the wild, and some that are none.
fn furnish(real: &Real) {
    let write = |path: &str, text: &str| {
        let path = format!("wp-content/{path}");
        real.site.write(&path, text).unwrap();
    };
    write(
        "plugins/odd/main.php",
        "<?php /* Plugin Name: Odd <b>one</b> & \u{e9}\r * Version:1.2 ?> x\r\n@Author: <a href='x'>A < B</a>\n\
         Requires Plugins: a, ,b\nNetwork: TRUE\nUpdate URI: https://Vendor.example:8/odd\n*/",
    );
    write(
        "plugins/odd/second.php",
        "<?php\n# Plugin Name: Second\n# Version: 3\n",
    );
    write(
        "plugins/alone.php",
        "<?php\n// Plugin Name: Alone\n// Text Domain: own\n",
    );
    write("plugins/none/readme.txt", "Plugin Name: no");
    write("plugins/zero.php", "<?php // Plugin Name:0");
    write("mu-plugins/loader.php", "<?php // nothing said");
    write("db-error.php", "<?php /* Plugin Name: Errors */");
    for (slug, style) in [
        ("child", "Theme Name: Child\nTemplate: parent"),
        ("parent", "Theme Name: Parent\nVersion: 2.0-b1"),
        ("orphan", "Theme Name: Orphan\nTemplate: gone"),
        ("own", "Theme Name: Own\nTemplate: own"),
        ("grandchild", "Theme Name: Grandchild\nTemplate: child"),
        (
            "shelf/inner",
            "Description: <i>no</i> name\nUpdate URI: false",
        ),
    ] {
        write(
            &format!("themes/{slug}/style.css"),
            &format!("/*\n{style}\n*/"),
        );
    }
    write("themes/parent/index.php", "<?php");
    write("themes/child/index.php", "<?php");
    write("themes/shelf/inner/templates/index.html", "");
    write("themes/empty/readme.txt", "");
    real.site.write("below/wp-load.php", "<?php").unwrap();
    let version = "<?php $wp_version = '5.0';\n$wp_local_package = 'de_DE';";
    real.site
        .write("below/wp-includes/version.php", version)
        .unwrap();
}

/// As with the other one: exit codes, signals, both channels, limits, and nobody waits for
/// what nobody wants any more.
pub async fn commands(real: &Real) {
    let shell = |script: &str| Command {
        root: real.root().into(),
        argv: ["sh", "-c", script].map(str::to_owned).to_vec(),
        variables: BTreeMap::from([("PRESSROOM_SITE".to_owned(), "it's \"1\"".to_owned())]),
        limit_ms: 20_000,
        keep_bytes: 1_000_000,
    };
    let mut printed = [Vec::new(), Vec::new()];
    let script = "pwd; echo \"$PRESSROOM_SITE\"; echo no >&2; printf '\\377'; exit 3";
    let end = real
        .session
        .run_command(Some(EPOCH), shell(script), |channel, bytes| {
            printed[usize::from(channel == Channel::Stderr)].extend_from_slice(bytes);
        });
    let end = soon(end).await.unwrap();
    assert_eq!((end.exit_code, end.signal), (Some(3), None));
    let said = format!("{}\nit's \"1\"\n", real.site.path().display());
    assert_eq!(printed[0], [said.as_bytes(), &[0xff]].concat());
    assert_eq!(printed[1], b"no\n");

    let silent = |_: Channel, _: &[u8]| {};
    let end = |command| soon(real.session.run_command(None, command, silent));
    let killed = end(shell("kill -9 $$")).await.unwrap();
    assert_eq!((killed.exit_code, killed.signal), (None, Some(9)));
    let mut absent = shell("");
    absent.argv = vec!["no-such-program".into()];
    assert_eq!(end(absent.clone()).await.unwrap().exit_code, Some(127));
    absent.argv = vec!["./index.php".into()];
    assert_eq!(end(absent).await.unwrap().exit_code, Some(126));
    let much = end(shell("head -c 5000000 /dev/zero")).await.unwrap();
    assert_eq!(
        (much.stdout_bytes, much.dropped_bytes),
        (5_000_000, 4_000_000)
    );

    let began = Instant::now();
    let sleep = if real.is_network() {
        "sleep 77.5"
    } else {
        "sleep 77.6"
    };
    let mut long = shell(&format!("trap '' TERM; {sleep} & wait; wait"));
    long.limit_ms = 300;
    let ended = end(long).await.unwrap();
    assert!(
        ended.timed_out && began.elapsed().as_secs() < 15,
        "{ended:?}"
    );
    let mut look = std::process::Command::new("pgrep");
    let left = look.args(["-f", sleep]).output().unwrap();
    assert!(left.stdout.is_empty(), "it runs on");
}

/// Before anything is sent, and with the reason.
pub async fn refuses_the_rest(real: &Real) {
    let refused = real.session.protections(real.root()).await.unwrap_err();
    assert!(
        matches!(
            refused,
            Error::Unable {
                op: "protections",
                ..
            }
        ),
        "{refused}"
    );
    assert_eq!(refused.kind(), Kind::Unsupported);
    let site = SiteRef {
        root: real.root().into(),
        php: Some(PHP.into()),
    };
    let refused = real.session.database_size(site.clone()).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Unsupported);
    let point = PointOptions::default();
    let refused = real.session.take_point(EPOCH, site, point).await;
    assert_eq!(refused.unwrap_err().kind(), Kind::Unsupported);
}

/// Whatever differs from what is expected of a site's files is told by both.
pub async fn verifies_the_same(real: &Real) {
    let expected = |base: &str, left_out: &[&str]| {
        let mut files = BTreeMap::new();
        sums(&real.site.path().join(base), "", left_out, &mut files);
        Expected { files }
    };
    let verified = async |subject: &Subject, expected: &Expected| {
        let native = real.native().await;
        let verify = |session: &Session| {
            let (session, subject, expected) = (session.clone(), subject.clone(), expected.clone());
            let root = real.root();
            async move { session.verify_checksums(root, subject, &expected).await }
        };
        let ours = verify(&real.session).await.unwrap();
        same(&ours, &verify(&native).await.unwrap());
        native.close().await;
        ours
    };
    let core = expected("", &["wp-content", "wp-config.php"]);
    let clean = verified(&Subject::Core, &core).await;
    assert!(clean.is_clean() && clean.intact > 500, "{clean:?}");
    let write = |path: &str, text: &str| real.site.write(path, text).unwrap();
    let at = |path: &str| real.site.path().join(path);
    let added = [
        "wp-includes/evil.php",
        "evil.PHP",
        "harmless.txt",
        "wp-admin/error_log",
    ];
    for path in added {
        write(path, "<?php");
    }
    let gone = [
        "wp-includes/version.php",
        "wp-admin/about.php",
        "wp-config-sample.php",
        "wp-includes/functions.php",
    ];
    let kept = gone.map(|path| fs::read(at(path)).unwrap());
    for path in gone {
        fs::remove_file(at(path)).unwrap();
    }
    fs::create_dir(at(gone[1])).unwrap();
    write(gone[3], "<?php // not what it was");
    fs::rename(at("wp-includes/css"), at("other")).unwrap();
    symlink(at("other"), at("wp-includes/css")).unwrap();
    let odd = OsStr::from_bytes(b"wp-admin/\xff.php");
    let odd = real.site.path().join(odd);
    fs::write(&odd, "").unwrap();
    let found = verified(&Subject::Core, &core).await;
    assert!(
        found.findings.len() > 7 && found.behind_links > 10,
        "{found:?}"
    );

    fs::remove_dir(at(gone[1])).unwrap();
    for path in added.map(at).iter().chain([&odd]) {
        fs::remove_file(path).unwrap();
    }
    for (path, text) in gone.iter().zip(kept) {
        fs::write(at(path), text).unwrap();
    }
    fs::remove_file(at("wp-includes/css")).unwrap();
    fs::rename(at("other"), at("wp-includes/css")).unwrap();
    let subject = Subject::Component {
        kind: ComponentKind::Plugin,
        slug: "odd".into(),
    };
    let plugin = expected("wp-content/plugins/odd", &[]);
    assert!(verified(&subject, &plugin).await.is_clean());
    write("wp-content/plugins/odd/more/x.js", "");
    let found = verified(&subject, &plugin).await;
    assert_eq!(found.findings.len(), 1, "{found:?}");
    for (slug, code) in [
        ("absent", RefusalCode::Missing),
        ("../odd", RefusalCode::BadPath),
    ] {
        let subject = Subject::Component {
            kind: ComponentKind::Plugin,
            slug: slug.into(),
        };
        let refused = real
            .session
            .verify_checksums(real.root(), subject, &plugin)
            .await;
        assert_eq!(refused.unwrap_err().code(), Some(code), "{slug}");
    }
    let none = Expected::default();
    let refused = real
        .session
        .verify_checksums(real.root(), Subject::Core, &none)
        .await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Some(RefusalCode::BadInput), "{refused:?}");
}

/// What a tree's files are, some by another algorithm.
fn sums(base: &Path, above: &str, left_out: &[&str], files: &mut BTreeMap<String, Vec<Sum>>) {
    for entry in fs::read_dir(base.join(above)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = format!("{above}{name}");
        if left_out.contains(&path.as_str()) {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            sums(base, &format!("{path}/"), left_out, files);
            continue;
        }
        let text = fs::read(entry.path()).unwrap();
        let other = Sum::Md5([7; 16]);
        let sum = Sum::Sha256(Sha256::digest(text).into());
        files.insert(path, vec![other, sum]);
    }
}
