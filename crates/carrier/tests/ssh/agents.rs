//! How the agent gets to a host, stays there, and goes.

use crate::host::{Host, ROOT, agent, on_the_way, open, soon, wait_until};
use pressroom_agent::protocol::Form;
use pressroom_base::{Epoch, Kind};
use pressroom_carrier::ssh::{Error, Remote};
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
};

#[tokio::test]
async fn is_brought_once_checked_at_each_start_and_removed() {
    let host = Host::new();
    assert!(Host::agents(&host.login).is_empty());
    host.session().await.close().await;
    let agents = Host::agents(&host.login);
    let [there] = agents.as_slice() else {
        panic!("{agents:?}");
    };
    let brought = fs::metadata(there).unwrap();
    assert_eq!(brought.permissions().mode() & 0o7777, 0o700);
    assert_eq!(brought.uid(), host.login.uid());
    assert_eq!(fs::read(there).unwrap(), fs::read(agent().path()).unwrap());

    host.session().await.close().await;
    assert_eq!(fs::metadata(there).unwrap().ino(), brought.ino());

    // Somebody has changed a byte of it: it is not run, but brought again.
    let mut bytes = fs::read(there).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(there, bytes).unwrap();
    let session = host.session().await;
    assert!(session.tree_hash(ROOT).await.unwrap().is_some());
    session.close().await;
    assert_eq!(fs::read(there).unwrap(), fs::read(agent().path()).unwrap());
    assert_eq!(Host::agents(&host.login).len(), 1);

    assert_eq!(soon(host.remote().remove_agent()).await.unwrap(), 1);
    assert!(Host::agents(&host.login).is_empty());
    assert_eq!(soon(host.remote().remove_agent()).await.unwrap(), 0);
    host.session().await.close().await;
}

#[tokio::test]
async fn is_brought_once_for_many_who_come_at_once() {
    let host = Host::new();
    let place = host.place();
    let mut opening = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let place = place.clone();
        opening.spawn(async move { open(&place).await.unwrap() });
    }
    let sessions = soon(opening.join_all()).await;
    let agents = Host::agents(&host.login);
    let first = fs::metadata(&agents[0]).unwrap().ino();
    for session in sessions {
        session.ping().await.unwrap();
        session.close().await;
    }
    assert_eq!(agents.len(), 1, "{agents:?}");
    assert_eq!(fs::metadata(&agents[0]).unwrap().ino(), first);
}

#[tokio::test]
async fn an_upload_that_is_cut_leaves_none_and_is_told_as_such() {
    let mut host = Host::new();
    let place = host.place();
    let opening = tokio::spawn(async move { open(&place).await });
    let dir = host.login.home().join(".pressroom");
    wait_until("it is on its way", || {
        fs::read_dir(&dir).is_ok_and(|mut entries| entries.next().is_some())
    })
    .await;
    host.sshd.kill();
    // On a fast machine it may have arrived and been greeted by then.
    if let Err(failed) = soon(opening).await.unwrap() {
        assert_eq!(failed.kind(), Kind::Unreachable, "{failed}");
    }
    host.sshd.resume().unwrap();
    let session = host.session().await;
    assert!(session.tree_hash(ROOT).await.unwrap().is_some());
    session.close().await;
    wait_until("nothing else lies there", || {
        Host::agents(&host.login).len() == 1
    })
    .await;
}

#[tokio::test]
async fn is_not_run_from_where_others_may_write() {
    let host = Host::new();
    host.session().await.close().await;
    let dir = host.login.home().join(".pressroom");
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o777)).unwrap();
    let refused = on_the_way(open(&host.place()).await);
    assert!(
        matches!(refused, Error::UnsafeDirectory { .. }),
        "{refused}"
    );
    // A directory of somebody else's, under that name.
    let elsewhere = tempfile::tempdir().unwrap();
    fs::remove_dir_all(&dir).unwrap();
    symlink(elsewhere.path(), &dir).unwrap();
    let refused = on_the_way(open(&host.place()).await);
    assert!(
        matches!(refused, Error::UnsafeDirectory { .. }),
        "{refused}"
    );
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_home_where_nothing_runs_is_recognised() {
    let mut host = Host::new();
    host.login.mount_home("noexec,size=200m").unwrap();
    let refused = on_the_way(open(&host.place()).await);
    assert!(matches!(refused, Error::NoExec { .. }), "{refused}");
    in_php(&host, "noexec").await;
    assert!(Host::agents(&host.login).is_empty());
}

#[tokio::test]
async fn a_home_without_room_is_recognised() {
    let mut host = Host::new();
    host.login.mount_home("size=1m").unwrap();
    let refused = on_the_way(open(&host.place()).await);
    assert!(matches!(refused, Error::NoSpace { .. }), "{refused}");
    in_php(&host, "bytes free").await;
    assert!(Host::agents(&host.login).is_empty());
}

#[tokio::test]
async fn another_machine_is_recognised() {
    let host = Host::new();
    host.login
        .write(
            "bin/uname",
            "#!/bin/sh\ncase $1 in -m) echo pdp11 ;; *) exec /bin/uname \"$@\" ;; esac\n",
        )
        .unwrap();
    let bin = host.login.home().join("bin");
    fs::set_permissions(bin.join("uname"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("environment=\"PATH={}:/usr/bin:/bin\"", bin.display());
    host.open_with(&path);
    let survey = soon(host.remote().survey()).await.unwrap();
    assert_eq!(survey.machine, "pdp11");
    let refused = on_the_way(open(&host.place()).await);
    assert!(matches!(refused, Error::Machine { .. }), "{refused}");
    in_php(&host, "made for Linux").await;
    assert!(Host::agents(&host.login).is_empty());
}

/// Where there is a PHP it stands in, as often as it is asked for, and says for what.
async fn in_php(host: &Host, why: &str) {
    let place = |php: &str| {
        let remote = Remote {
            php: Some(php.into()),
            ..host.remote()
        };
        Host::place_of(&host.login, remote)
    };
    let refused = on_the_way(open(&place("no-such-php")).await);
    let told = refused.to_string();
    assert!(matches!(refused, Error::NoWay { .. }), "{told}");
    assert!(told.contains(why) && told.contains("no-such-php"), "{told}");
    for epoch in [1, 2] {
        let session = open(&place("php")).await.unwrap();
        assert_eq!(session.welcome().form, Form::Php);
        assert_eq!(session.welcome().uid, host.login.uid());
        assert!(session.obstacle().unwrap().contains(why));
        soon(session.recover(Epoch::new(epoch))).await.unwrap();
        session.ping().await.unwrap();
        soon(session.find("", 3)).await.unwrap();
        assert!(session.tree_hash("").await.unwrap().is_some());
        let refused = session.protections(ROOT).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Unsupported);
        assert!(refused.to_string().contains(why), "{refused}");
        session.close().await;
    }
    let stale = open(&place("php")).await.unwrap();
    let refused = soon(stale.recover(Epoch::new(1))).await.unwrap_err();
    assert!(refused.is_fenced(), "{refused}");
}
