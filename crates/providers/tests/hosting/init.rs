//! systemd, played by a script that writes down what it is asked and does it.

use crate::stack::{Stack, write};
use pressroom_providers::hosting::InitChoice;
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

/// Reads the unit as systemd would: `ExecStart`, `Type`, `User` and `PIDFile`.
fn systemctl(dir: &Path) -> std::path::PathBuf {
    let text = format!(
        r#"#!/bin/bash
dir={dir}
echo "$@" >> $dir/calls
unit=$dir/$2
value() {{ sed -n "s/^$1=//p" $unit | head -1; }}
case $1 in
start)
    command=$(value ExecStart)
    if [ "$(value Type)" = forking ]; then
        eval "$command"
    else
        user=$(value User)
        [ -z "$user" ] || command="setpriv --reuid=$user --regid=$user --init-groups $command"
        eval "setsid $command" > $dir/output 2>&1 < /dev/null &
        echo $! > $unit.pid
    fi ;;
stop)
    pid=$(cat $unit.pid 2>/dev/null || cat "$(value PIDFile)")
    kill -TERM $pid && while kill -0 $pid 2>/dev/null; do :; done ;;
esac
exit 0
"#,
        dir = dir.display()
    );
    let path = dir.join("systemctl");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[tokio::test]
async fn systemd_is_asked_to_start_and_stop_the_daemons() {
    let units = tempfile::tempdir().unwrap();
    let program = systemctl(units.path());
    let stack = Stack::up_with(|config| {
        config.init = InitChoice::Systemd;
        config.unit_dir = units.path().to_owned();
        config.programs.systemctl = Some(program);
    })
    .await;
    let calls = || fs::read_to_string(units.path().join("calls")).unwrap();
    let names: Vec<String> = fs::read_dir(units.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".service"))
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
    for name in &names {
        for verb in ["enable", "start"] {
            assert!(
                calls().lines().any(|call| call == format!("{verb} {name}")),
                "{}",
                calls()
            );
        }
    }
    let site = stack.site("a.example").await;
    write(&site, "public_html/index.php", "<?php echo 'a';");
    assert_eq!(stack.get("a.example", "/").await, (200, "a".into()));
    let mariadb = stack.hosting.status().await.mariadb.pid.unwrap();
    let owner = fs::metadata(format!("/proc/{mariadb}")).unwrap();
    assert_ne!(std::os::unix::fs::MetadataExt::uid(&owner), 0);

    // Up again asks nothing; down stops all three, the web server first.
    let before = calls();
    stack.hosting.up().await.unwrap();
    assert_eq!(calls(), before);
    stack.hosting.down().await.unwrap();
    assert_eq!(stack.processes(), Vec::<String>::new());
    let stopped: Vec<String> = calls()
        .lines()
        .filter_map(|call| call.strip_prefix("stop "))
        .map(|name| name.split('-').nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(stopped[stopped.len() - 3..], ["nginx", "php", "mariadb"]);
    stack.hosting.up().await.unwrap();
    assert_eq!(stack.get("a.example", "/").await, (200, "a".into()));

    stack.hosting.remove_web("a.example").await.unwrap();
    stack
        .hosting
        .remove_user(&site.user.unwrap().name)
        .await
        .unwrap();
    stack.hosting.destroy().await.unwrap();
    for name in &names {
        assert!(!units.path().join(name).exists());
        assert!(calls().contains(&format!("disable {name}")));
    }
}
