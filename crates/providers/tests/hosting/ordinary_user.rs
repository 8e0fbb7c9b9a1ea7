//! The same stack without root: this test runs itself again as `nobody`.

use crate::stack::{Stack, write};
use pressroom_base::Secret;
use pressroom_providers::hosting::Isolation;
use std::{fs, os::unix::fs::PermissionsExt, process::Command};

/// As root, runs one test of this binary as `nobody` and demands that it passes and
/// leaves nothing behind; false when we are somebody ordinary already.
pub fn again_as_nobody(test: &str) -> bool {
    if Isolation::detect() != Isolation::UnixUsers {
        return false;
    }
    let temp = tempfile::tempdir().unwrap();
    fs::set_permissions(temp.path(), fs::Permissions::from_mode(0o711)).unwrap();
    // The build directory may be closed to others.
    let program = temp.path().join("test");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let work = temp.path().join("work");
    fs::create_dir(&work).unwrap();
    fs::set_permissions(&work, fs::Permissions::from_mode(0o777)).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&program)
        .args(["--exact", test, "--nocapture"])
        .env("TMPDIR", &work)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && printed.contains("1 passed"),
        "{printed}\n{errors}"
    );
    assert_eq!(
        fs::read_dir(&work).unwrap().count(),
        0,
        "something was left behind"
    );
    true
}

#[tokio::test]
async fn the_stack_works_without_root() {
    if again_as_nobody("ordinary_user::the_stack_works_without_root") {
        return;
    }
    let stack = Stack::up().await;
    let site = stack.site("plain.example").await;
    assert_eq!(site.user, None);
    write(
        &site,
        "public_html/index.php",
        "<?php echo posix_geteuid();",
    );
    assert_eq!(stack.get("plain.example", "/").await, (200, "65534".into()));
    stack.hosting.create_database("plain").await.unwrap();
    stack
        .hosting
        .create_database_user("plain", &Secret::new("x".into()), "plain")
        .await
        .unwrap();
    for check in stack.hosting.doctor().await {
        assert!(check.ok, "{check:?}");
    }
    let inventory = stack.hosting.inventory().await.unwrap();
    assert_eq!(
        (
            inventory.pools.len(),
            inventory.users.len(),
            inventory.databases.len()
        ),
        (1, 0, 1)
    );
    stack.hosting.remove_web("plain.example").await.unwrap();
    stack.hosting.up().await.unwrap();
}
