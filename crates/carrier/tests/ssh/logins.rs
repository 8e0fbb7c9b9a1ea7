//! Who logs in, and who works there.

use crate::host::{Host, ROOT, new_id, on_the_way, open, soon};
use pressroom_carrier::ssh::{Error, Remote, Restriction, RunAs, Stop};
use std::os::unix::fs::MetadataExt;

#[tokio::test]
async fn accounts_that_run_nothing_are_named() {
    let host = Host::new();
    for (options, expected) in [
        ("command=\"internal-sftp\"", Restriction::SftpOnly),
        (
            "command=\"echo Welcome to the menu\"",
            Restriction::ForcedCommand,
        ),
    ] {
        host.open_with(options);
        named(&host, expected).await;
    }
    host.open_with("");
    for shell in ["/usr/sbin/nologin", "/bin/false"] {
        host.login.set_shell(shell).unwrap();
        named(&host, Restriction::NoLogin).await;
    }
    // One that takes whatever is said to it, and says nothing.
    host.login.set_shell("/bin/bash").unwrap();
    host.open_with("command=\"cat >/dev/null\"");
    let failed = soon(host.remote().survey()).await.unwrap_err();
    assert!(matches!(failed, Error::Restricted { .. }), "{failed}");
}

async fn named(host: &Host, expected: Restriction) {
    host.hosts.forget(host.id);
    for failed in [
        soon(host.remote().survey()).await.unwrap_err(),
        on_the_way(open(&host.place()).await),
    ] {
        let Error::Restricted { restriction, .. } = &failed else {
            panic!("{expected:?}: {failed}");
        };
        assert_eq!(*restriction, expected, "{failed}");
    }
}

#[tokio::test]
async fn a_user_becomes_another_by_sudo() {
    let host = Host::new();
    let owner = host.sshd.login().unwrap();
    owner.write(&format!("{ROOT}/index.php"), "<?php").unwrap();
    let remote = Remote {
        run_as: RunAs::Sudo(owner.name().to_owned()),
        ..host.remote()
    };
    let refused = on_the_way(open(&Host::place_of(&owner, remote.clone())).await);
    assert!(matches!(refused, Error::Sudo { .. }), "{refused}");
    host.login.may_become(owner.name()).unwrap();
    let survey = soon(host.remote().survey()).await.unwrap();
    assert_eq!(survey.sudo, [owner.name()]);
    works_as(&owner, remote.clone()).await;
    // Nothing of it lies with the login user.
    assert!(Host::agents(&host.login).is_empty());
    let remote = Remote {
        run_as: RunAs::Sudo("root".to_owned()),
        ..remote
    };
    let refused = on_the_way(open(&Host::place_of(&owner, remote)).await);
    assert!(matches!(refused, Error::AsRoot { .. }), "{refused}");
}

#[tokio::test]
async fn root_becomes_the_sites_owner() {
    let host = Host::new();
    let owner = host.sshd.login().unwrap();
    owner.write(&format!("{ROOT}/index.php"), "<?php").unwrap();
    let line = host.key.public_line().unwrap();
    host.sshd.authorize("root", "", &line).unwrap();
    let mut remote = Remote {
        id: new_id(),
        run_as: RunAs::Root(owner.name().to_owned()),
        ..host.remote()
    };
    remote.route.host = Stop {
        address: host.address_of("root"),
        ..host.stop()
    };
    works_as(&owner, remote.clone()).await;
    for user in ["nobody-at-all", "a b"] {
        let remote = Remote {
            run_as: RunAs::Root(user.to_owned()),
            ..remote.clone()
        };
        let refused = on_the_way(open(&Host::place_of(&owner, remote)).await);
        assert!(matches!(refused, Error::NoSuchUser { .. }), "{refused}");
    }
    // Root itself is nobody to work as, whatever the way.
    for run_as in [RunAs::Login, RunAs::Root("root".to_owned())] {
        let remote = Remote {
            run_as,
            ..remote.clone()
        };
        let refused = on_the_way(open(&Host::place_of(&owner, remote)).await);
        assert!(matches!(refused, Error::AsRoot { .. }), "{refused}");
    }
}

async fn works_as(owner: &pressroom_lab::Login, remote: Remote) {
    let survey = soon(remote.survey()).await.unwrap();
    assert_eq!(survey.user, owner.name());
    assert_eq!(survey.uid, Some(owner.uid()));
    assert_eq!(survey.home, owner.home().to_str().unwrap());
    let session = open(&Host::place_of(owner, remote)).await.unwrap();
    assert_eq!(session.welcome().uid, owner.uid());
    assert!(session.tree_hash(ROOT).await.unwrap().is_some());
    let agents = Host::agents(owner);
    assert_eq!(agents.len(), 1);
    assert_eq!(agents[0].metadata().unwrap().uid(), owner.uid());
    session.close().await;
}

#[tokio::test]
async fn a_host_says_what_it_has() {
    let host = Host::new();
    let survey = soon(host.remote().survey()).await.unwrap();
    assert_eq!(survey.user, host.login.name());
    assert_eq!(survey.home, host.login.home().to_str().unwrap());
    assert!(survey.latency > std::time::Duration::ZERO);
    assert!(survey.free_bytes.is_some_and(|free| free > 0));
    assert_eq!(survey.sudo, Vec::<String>::new());
    let php = std::process::Command::new("php")
        .args(["-n", "-r", "echo PHP_VERSION;"])
        .output()
        .unwrap();
    let version = String::from_utf8(php.stdout).unwrap();
    assert_eq!(survey.php[0].version, version, "{survey:?}");
    let left = std::fs::read_dir(host.login.home()).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [ROOT], "nothing is left behind");
}
