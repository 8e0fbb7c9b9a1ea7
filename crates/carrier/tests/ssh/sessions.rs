//! A session at the other end answers what one here does.

use crate::host::{Host, ROOT, agent, new_id, open, soon, wait_until};
use pressroom_base::Epoch;
use pressroom_carrier::{
    CancellationToken, Error,
    ssh::{Key, KeyKind},
};
use pressroom_wordpress::{
    archive::{Format, PackOptions, PackerOptions, TreeOptions},
    component::{ComponentKind, Swap, Target},
};
use rustix::process::Pid;
use std::{
    fs,
    io::{Cursor, Write},
    os::unix::fs::MetadataExt,
    time::Duration,
};
use zip::{ZipWriter, write::SimpleFileOptions};

#[tokio::test]
async fn answers_what_a_local_one_does() {
    let host = Host::new();
    let there = host.session().await;
    let here = host.local_session().await;
    assert_eq!(there.welcome().uid, host.login.uid());
    assert_eq!(there.process_id(), None);
    there.ping().await.unwrap();
    let found = there.inspect(ROOT).await.unwrap();
    assert_eq!(found.version.as_deref(), Some("6.5.5"));
    assert_eq!(
        format!("{found:?}"),
        format!("{:?}", here.inspect(ROOT).await.unwrap())
    );
    let tree = there.tree_hash(ROOT).await.unwrap();
    assert!(tree.is_some());
    assert_eq!(tree, here.tree_hash(ROOT).await.unwrap());
    let missing = there.tree_hash("nothing").await;
    assert_eq!(missing.unwrap(), here.tree_hash("nothing").await.unwrap());
    let refused = there.tree_hash("../x").await.unwrap_err();
    let local = here.tree_hash("../x").await.unwrap_err();
    assert_eq!(refused.to_string(), local.to_string());
    let log = host.sshd.log();
    assert!(log.contains("compression: zlib@openssh.com"), "{log}");
}

#[tokio::test]
async fn writes_what_it_is_sent_and_owns_it() {
    let host = Host::new();
    let session = host.session().await;
    let epoch = Epoch::new(1);
    session.recover(epoch).await.unwrap();
    let target = Target {
        root: ROOT.into(),
        kind: ComponentKind::Plugin,
        slug: "big".into(),
    };
    // More than is sent without being granted, and nothing that compresses.
    let staged = soon(session.stage_component(epoch, target.clone(), package().as_slice()))
        .await
        .unwrap();
    let swap = Swap {
        target,
        staged: staged.staged.clone(),
        before: None,
        after: staged.tree.hash.clone(),
    };
    soon(session.swap_component(epoch, swap)).await.unwrap();
    let file = host
        .login
        .home()
        .join(ROOT)
        .join("wp-content/plugins/big/big.php");
    assert_eq!(file.metadata().unwrap().uid(), host.login.uid());
    let mut archive = Vec::new();
    let options = PackOptions {
        packer: PackerOptions::new(Format::TarZst),
        prefix: "files".into(),
        tree: TreeOptions::new(ROOT),
    };
    soon(session.pack(options, &mut archive)).await.unwrap();
    assert!(archive.len() > 3 * 1024 * 1024);
    soon(session.close()).await;
}

#[tokio::test]
async fn many_sessions_share_one_connection() {
    let host = Host::new();
    let mut sessions = Vec::new();
    for _ in 0..6 {
        sessions.push(host.session().await);
    }
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..60 {
        let session = sessions[number % 6].clone();
        calls.spawn(async move { session.tree_hash(ROOT).await.unwrap() });
    }
    let hashes = soon(calls.join_all()).await;
    assert!(hashes.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(host.sshd.logins(), 1, "{}", host.sshd.log());
}

#[tokio::test]
async fn what_an_account_prints_by_itself_disturbs_nothing() {
    let host = Host::new();
    host.login
        .write(
            ".bashrc",
            "head -c 10240 /dev/urandom; echo PRESSROOM-ANSWER; head -c 10240 /dev/zero | tr '\\0' x >&2\n",
        )
        .unwrap();
    let survey = soon(host.remote().survey()).await.unwrap();
    assert_eq!(survey.user, host.login.name());
    let session = host.session().await;
    assert!(session.tree_hash(ROOT).await.unwrap().is_some());
}

#[tokio::test]
async fn a_line_that_is_cut_is_told_and_the_next_session_goes_on() {
    let mut host = Host::new();
    let session = host.session().await;
    host.sshd.kill();
    let cut = soon(session.tree_hash(ROOT)).await.unwrap_err();
    assert!(matches!(cut, Error::Closed { .. }), "{cut:?}");
    soon(session.close()).await;
    let away = open(&host.place()).await.unwrap_err();
    assert_eq!(away.kind(), pressroom_base::Kind::Unreachable, "{away}");
    host.sshd.resume().unwrap();
    let session = host.session().await;
    assert!(session.tree_hash(ROOT).await.unwrap().is_some());
    // Cut again, but the server goes on: nobody is told that a connection was lost.
    host.sshd.cut();
    soon(session.close()).await;
    let session = host.session().await;
    assert!(session.tree_hash(ROOT).await.unwrap().is_some());
}

#[tokio::test]
async fn a_session_that_ends_ends_its_agent() {
    let host = Host::new();
    let session = host.session().await;
    assert_eq!(running(&host).len(), 1);
    soon(session.close()).await;
    assert_eq!(running(&host), []);
    let cancel = CancellationToken::new();
    cancel.cancel();
    let refused = pressroom_carrier::Session::open(&host.place(), cancel).await;
    assert!(matches!(refused, Err(Error::Cancelled)));
}

#[tokio::test]
async fn an_rsa_key_opens_it_as_well() {
    let mut host = Host::new();
    host.key = Key::generate(KeyKind::Rsa, "old").unwrap();
    host.open_with("");
    host.id = new_id();
    assert!(
        host.session()
            .await
            .tree_hash(ROOT)
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn an_agent_that_hangs_in_a_write_is_killed() {
    let host = Host::new();
    let session = host.session().await;
    session.recover(Epoch::new(1)).await.unwrap();
    for agent in running(&host) {
        rustix::process::kill_process(agent, rustix::process::Signal::STOP).unwrap();
    }
    let hasty = session.with_deadline(Duration::from_millis(50));
    let hung = soon(hasty.drop_staged(Epoch::new(1), "1-0000000000000000")).await;
    assert!(matches!(hung, Err(Error::Timeout { .. })), "{hung:?}");
    soon(session.close()).await;
    wait_until("it is gone", || running(&host).is_empty()).await;
}

/// Agents of the host's user.
fn running(host: &Host) -> Vec<Pid> {
    let name = format!("agent-{}", &agent().hash()[..16]);
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let uid = format!("Uid:\t{}\t", host.login.uid());
    let agents = processes.filter(|process| {
        let read = |file| fs::read(process.path().join(file)).unwrap_or_default();
        let status = String::from_utf8_lossy(&read("status")).into_owned();
        let line = String::from_utf8_lossy(&read("cmdline")).into_owned();
        status.contains(&uid) && line.starts_with("./") && line.contains(&name)
    });
    agents
        .filter_map(|process| Pid::from_raw(process.file_name().to_str()?.parse().ok()?))
        .collect()
}

/// A plugin of three megabytes, as random as a counter can make it.
fn package() -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    zip.start_file("big/big.php", stored).unwrap();
    zip.write_all(b"<?php\n/*\nPlugin Name: Big\nVersion: 1.0\n*/\n")
        .unwrap();
    zip.start_file("big/big.bin", stored).unwrap();
    let mut state = 1_u64;
    for _ in 0..=(3 * 1024 * 1024 / 8) {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        zip.write_all(&(state ^ (state >> 29)).to_le_bytes())
            .unwrap();
    }
    zip.finish().unwrap().into_inner()
}
