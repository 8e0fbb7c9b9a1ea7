//! The agent as it is brought to machines of others, by `scripts/build-agent`: it needs
//! nothing of them, and does there what any agent does.

use crate::host::{Host, ROOT, open, soon};
use pressroom_agent::protocol::SiteRef;
use pressroom_carrier::ssh::{Program, Remote};
use pressroom_lab::{Database, Mariadb};
use pressroom_wordpress::command::Command;
use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{self, Output, Stdio},
};

/// What may be sent to a host.
const MOST: u64 = 10_000_000;
/// A name that nobody knows but the site's own `getent`.
const NAME: &str = "db.of.the.site";

/// The agent as people build it; cargo does nothing where it is built.
fn built() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/build-agent");
    let output = process::Command::new(script).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

/// Runs the only file of a file system as somebody who has no name there.
fn in_nothing(agent: &Path, arguments: &[&str]) -> Output {
    let root = tempfile::tempdir().unwrap();
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
    // By another process: one that another test starts meanwhile would have it open for
    // writing, and then nobody can run it.
    let copy = root.path().join("agent");
    let copied = process::Command::new("cp").arg(agent).arg(copy).status();
    assert!(copied.unwrap().success());
    process::Command::new("chroot")
        .arg("--userspec=65534:65534")
        .arg(root.path())
        .arg("/agent")
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn it_is_small_and_runs_where_there_is_nothing_else() {
    let agent = built();
    let bytes = agent.metadata().unwrap().len();
    assert!(bytes < MOST, "{bytes} bytes");
    let version = in_nothing(&agent, &["--version"]);
    assert!(version.status.success(), "{version:?}");
    assert!(version.stdout.starts_with(b"pressroom-agent "));
    // As far as anybody comes who says nothing.
    let served = in_nothing(&agent, &["serve", "--home", "/"]);
    let said = String::from_utf8_lossy(&served.stderr);
    assert!(said.contains("closed before the preamble"), "{said}");
}

#[tokio::test]
async fn it_starts_programs_and_finds_the_database_by_socket_and_by_name() {
    let port = TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let listens = [
        "--skip-networking=0",
        "--bind-address=127.0.0.1",
        &format!("--port={port}"),
    ];
    let server = Mariadb::start_with("64M", "16M", &listens).unwrap();
    let database = server.database().unwrap();
    let (name, user) = (&database.name, &database.user);
    let password = literal(&database.password);
    server
        .sql(&format!(
            "CREATE TABLE {name}.wp_posts (ID INT); \
             CREATE USER {user}@'127.0.0.1' IDENTIFIED BY {password}; \
             GRANT ALL ON {name}.* TO {user}@'127.0.0.1';"
        ))
        .unwrap();

    let host = Host::new();
    let resolver = format!("#!/bin/sh\n[ \"$*\" = 'ahosts {NAME}' ] && echo '127.0.0.1 STREAM'\n");
    host.login.write("bin/getent", resolver).unwrap();
    let own = host.login.home().join("bin");
    fs::set_permissions(own.join("getent"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("PATH={}:/usr/bin:/bin\n", own.display());
    host.login.write(".ssh/environment", path).unwrap();
    let remote = Remote {
        agent: Program::read(&built()).unwrap(),
        ..host.remote()
    };
    let session = open(&Host::place_of(&host.login, remote)).await.unwrap();

    let mut printed = Vec::new();
    let php = Command {
        root: ROOT.into(),
        argv: ["php", "-n", "-r", "echo get_current_user(), 6 * 7;"]
            .map(str::to_owned)
            .to_vec(),
        variables: BTreeMap::new(),
        limit_ms: 20_000,
        keep_bytes: 1024,
    };
    soon(session.run_command(None, php, |_, bytes| printed.extend_from_slice(bytes)))
        .await
        .unwrap();
    let said = String::from_utf8(printed).unwrap();
    assert!(said.ends_with("42"), "{said}");

    let site = || SiteRef {
        root: ROOT.into(),
        php: None,
    };
    for db_host in [
        database.host(),
        format!("127.0.0.1:{port}"),
        format!("{NAME}:{port}"),
    ] {
        configure(&host, &database, &db_host);
        let sizes = soon(session.database_size(site())).await;
        let sizes = sizes.unwrap_or_else(|why| panic!("{db_host}: {why}"));
        assert_eq!(sizes.len(), 1, "{db_host}: {sizes:?}");
    }
    configure(&host, &database, "nobody.knows.it");
    let refused = soon(session.database_size(site())).await.unwrap_err();
    let said = refused.to_string();
    assert!(said.contains("knows the name `nobody.knows.it`"), "{said}");
}

pub fn configure(host: &Host, database: &Database, db_host: &str) {
    let (name, user) = (&database.name, &database.user);
    let password = literal(&database.password);
    host.login
        .write(
            &format!("{ROOT}/wp-config.php"),
            format!(
                "<?php\ndefine( 'DB_NAME', '{name}' );\ndefine( 'DB_USER', '{user}' );\n\
                 define( 'DB_PASSWORD', {password} );\ndefine( 'DB_HOST', '{db_host}' );\n\
                 $table_prefix = 'wp_';\nrequire_once ABSPATH . 'wp-settings.php';\n"
            ),
        )
        .unwrap();
}

/// A text as PHP and SQL both read it.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
