//! Starting and stopping.

use crate::stack::{Stack, get};
use pressroom_base::Kind;
use pressroom_providers::hosting::LocalHosting;
use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt};

#[tokio::test]
async fn up_twice_is_harmless_and_down_leaves_nothing() {
    let stack = Stack::up().await;
    let first = stack.hosting.status().await;
    // Another process of ours, as far as the stack can tell.
    let other = LocalHosting::new(stack.hosting.config().clone());
    let (one, two) = tokio::join!(stack.hosting.up(), other.up());
    assert_eq!(one.unwrap(), first);
    assert_eq!(two.unwrap(), first);
    for check in stack.hosting.doctor().await {
        assert!(check.ok, "{check:?}");
    }
    let (status, _) = stack.get("unknown.example", "/").await;
    assert_eq!(status, 404);

    stack.hosting.down().await.unwrap();
    stack.hosting.down().await.unwrap();
    assert_eq!(stack.processes(), Vec::<String>::new());
    assert!(!stack.hosting.status().await.is_up());
    let error = stack.hosting.create_database("x").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable, "{error}");

    let again = stack.hosting.up().await.unwrap();
    assert!(again.is_up());
    assert_eq!(again.http_addr, first.http_addr, "the port is remembered");
}

#[tokio::test]
async fn files_of_an_earlier_version_are_written_anew() {
    let stack = Stack::up().await;
    let site = stack.site("a.example").await;
    crate::stack::write(
        &site,
        "public_html/index.php",
        "<?php echo ini_get('memory_limit');",
    );
    let dir = stack.hosting.config().dir.clone();
    let (pool, block) = (
        dir.join("fpm/pools/a.example.conf"),
        dir.join("nginx/sites/a.example.conf"),
    );
    let files = || {
        (
            fs::read_to_string(&pool).unwrap(),
            fs::read_to_string(&block).unwrap(),
        )
    };
    let now = files();
    fs::write(&pool, now.0.replace("256M", "64M")).unwrap();
    fs::write(&block, now.1.replace("location / {", "location /x {")).unwrap();
    stack.hosting.down().await.unwrap();
    stack.hosting.up().await.unwrap();
    assert_eq!(files(), now);
    assert_eq!(
        stack.get("a.example", "/pretty").await,
        (200, "256M".into())
    );
    // Killed in a change: the files are there, the description is, up completes it.
    fs::write(dir.join("nginx/nginx.conf"), "broken").unwrap();
    stack.hosting.up().await.unwrap();
    assert_eq!(stack.get("a.example", "/pretty").await.0, 200);
}

#[tokio::test]
async fn a_killed_daemon_is_started_again() {
    let stack = Stack::up().await;
    let before = stack.hosting.status().await;
    for pid in [before.mariadb.pid, before.php_fpm.pid, before.nginx.pid]
        .into_iter()
        .flatten()
    {
        kill(pid);
    }
    let after = stack.hosting.up().await.unwrap();
    assert!(after.is_up(), "{after:?}");
    assert_ne!(after.nginx.pid, before.nginx.pid);
    assert_eq!(after.http_addr, before.http_addr);
}

#[tokio::test]
async fn a_taken_port_is_avoided_and_the_choice_is_remembered() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = Stack::describe().hosting.config().clone();
    let temp = tempfile::tempdir().unwrap();
    fs::set_permissions(temp.path(), fs::Permissions::from_mode(0o711)).unwrap();
    config.dir = temp.path().join("hosting");
    config.sites_dir = temp.path().join("sites");
    config.http_addr = taken.local_addr().unwrap();
    let stack = Stack {
        hosting: LocalHosting::new(config),
        temp,
    };
    let status = stack.hosting.up().await.unwrap();
    let chosen = status.http_addr.unwrap();
    assert_ne!(chosen, taken.local_addr().unwrap());
    assert_eq!(get(chosen, "x.example", "/").await.0, 404);
    drop(taken);
    stack.hosting.down().await.unwrap();
    assert_eq!(stack.hosting.up().await.unwrap().http_addr, Some(chosen));
}

#[tokio::test]
async fn a_closed_parent_directory_is_named_before_anything_starts() {
    let stack = Stack::describe();
    fs::set_permissions(stack.temp.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let error = stack.hosting.up().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "other users cannot enter `{}`, allow it with `chmod o+x`",
            stack.temp.path().display()
        )
    );
    assert_eq!(stack.processes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_deep_directory_works() {
    let temp = tempfile::tempdir().unwrap();
    fs::set_permissions(temp.path(), fs::Permissions::from_mode(0o711)).unwrap();
    let mut config = Stack::describe().hosting.config().clone();
    config.dir = temp.path().join("d".repeat(100)).join("hosting");
    config.sites_dir = temp.path().join("sites");
    let stack = Stack {
        hosting: LocalHosting::new(config),
        temp,
    };
    stack.hosting.up().await.unwrap();
    let socket = stack.hosting.db_host().unwrap();
    let site = stack.site("deep.example").await;
    crate::stack::write(&site, "public_html/index.php", "<?php echo 'deep';");
    assert_eq!(stack.get("deep.example", "/").await, (200, "deep".into()));
    stack.hosting.remove_web("deep.example").await.unwrap();
    let run = socket
        .trim_start_matches("localhost:")
        .trim_end_matches("/mariadb/mysqld.sock")
        .to_owned();
    drop(stack);
    assert!(!std::path::Path::new(&run).exists(), "{run} is left");
}

pub fn kill(pid: i32) {
    let status = std::process::Command::new("kill")
        .args(["-KILL", &pid.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
    // Its end is seen by everybody at the same moment: the command line is empty.
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty()) {
        assert!(std::time::Instant::now() < end, "{pid} does not die");
        std::thread::yield_now();
    }
}
