//! Commands through a whole session: agent, pipe and all.

use crate::site::{self, ROOT, Site, epoch, process_of, signal, soon};
use pressroom_agent::protocol::RefusalCode;
use pressroom_base::Kind;
use pressroom_carrier::{CancellationToken, Error, Session};
use pressroom_wordpress::command::{Channel, Command};
use rustix::process::Signal;
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

fn shell(script: &str) -> Command {
    Command {
        root: ROOT.into(),
        argv: ["sh", "-c", script].map(str::to_owned).to_vec(),
        variables: BTreeMap::from([("PRESSROOM_SITE".to_owned(), "wp_2f686f6d6".to_owned())]),
        limit_ms: 20_000,
        keep_bytes: 1024 * 1024,
    }
}

type Printed = Arc<Mutex<Vec<(Channel, Vec<u8>)>>>;

fn kept(printed: &Printed) -> impl FnMut(Channel, &[u8]) + Unpin + Send + use<> {
    let printed = Arc::clone(printed);
    move |channel, bytes| printed.lock().unwrap().push((channel, bytes.to_vec()))
}

fn runs(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{}/stat", pid.trim())).is_ok_and(|it| !it.contains(") Z "))
}

async fn written(path: &Path) -> String {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        if let Ok(text) = fs::read_to_string(path)
            && text.ends_with('\n')
        {
            return text;
        }
        assert!(Instant::now() < until, "{} never came", path.display());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn gone(pid: &str) {
    let until = Instant::now() + Duration::from_secs(20);
    while runs(pid) {
        assert!(Instant::now() < until, "{pid} still runs");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_command_is_the_sites_users_and_its_end_is_true() {
    let site = Site::new();
    let session = site.session().await;
    session.recover(epoch(1)).await.unwrap();
    let printed = Printed::default();
    let script = "id -u; echo \"$PRESSROOM_SITE\"; echo no >&2; printf '\\377'; exit 3";
    let end = session.run_command(Some(epoch(1)), shell(script), kept(&printed));
    let end = soon(end).await.unwrap();
    assert_eq!((end.exit_code, end.signal), (Some(3), None));
    let of = |wanted| -> Vec<u8> {
        let all = printed.lock().unwrap();
        let parts = all.iter().filter(|(channel, _)| *channel == wanted);
        parts.flat_map(|(_, bytes)| bytes.clone()).collect()
    };
    let expected = [
        format!("{}\nwp_2f686f6d6\n", site.uid()).into_bytes(),
        vec![0xff],
    ]
    .concat();
    assert_eq!(of(Channel::Stdout), expected);
    assert_eq!(of(Channel::Stderr), b"no\n");
    let none = Command {
        argv: vec!["no-such-program-of-ours".into()],
        ..shell("")
    };
    let end = soon(session.run_command(None, none, |_, _| {})).await;
    assert_eq!(end.unwrap().exit_code, Some(127));
}

#[tokio::test]
async fn much_output_is_neither_kept_nor_waited_for() {
    let site = Site::new();
    let session = site.session().await;
    let much = Command {
        keep_bytes: u64::MAX,
        ..shell("head -c 300000000 /dev/zero")
    };
    // Through the whole pipe: credit keeps either side from holding more than a little.
    let mut seen = 0u64;
    let end = session.run_command(None, much, |_, bytes| seen += bytes.len() as u64);
    let end = end.await.unwrap();
    assert_eq!((end.stdout_bytes, seen), (300_000_000, 300_000_000));
    let agent = fs::read_to_string(format!("/proc/{}/status", session.process_id().unwrap()));
    let peak = |status: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.unwrap()
            .trim()
            .split(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap()
    };
    assert!(peak(&agent.unwrap()) < 100_000, "in kB");
    let ours = fs::read_to_string("/proc/self/status").unwrap();
    assert!(peak(&ours) < 200_000, "in kB");
    // A reader who does not care gets the end all the same, and quickly.
    let end = session.run_command(
        None,
        Command {
            keep_bytes: 10,
            ..shell("head -c 300000000 /dev/zero; exit 9")
        },
        |_, _| {},
    );
    let end = end.await.unwrap();
    assert_eq!((end.exit_code, end.dropped_bytes), (Some(9), 299_999_990));
}

#[tokio::test]
async fn cancelling_ends_the_whole_group() {
    let site = Site::new();
    let cancel = CancellationToken::new();
    let session = soon(Session::open(&site.place, cancel.clone()))
        .await
        .unwrap();
    let slow = shell("sh -c 'sleep 300' & echo $! > ../child; echo $$ > ../own; sleep 300");
    let running = {
        let session = session.clone();
        tokio::spawn(async move { session.run_command(None, slow, |_, _| {}).await })
    };
    let own = written(&site.path("own")).await;
    let child = written(&site.path("child")).await;
    // The session is not kept from anything else meanwhile.
    soon(session.ping()).await.unwrap();
    cancel.cancel();
    let ended = soon(running).await.unwrap();
    assert!(matches!(ended, Err(Error::Cancelled)), "{ended:?}");
    gone(&own).await;
    gone(&child).await;
}

#[tokio::test]
async fn a_server_that_is_gone_ends_it() {
    let site = Site::new();
    let session = site.session().await;
    let slow = shell("echo $$ > ../own; trap '' TERM; while :; do sleep 1; done");
    let running = {
        let session = session.clone();
        tokio::spawn(async move { session.run_command(None, slow, |_, _| {}).await })
    };
    let own = written(&site.path("own")).await;
    // As if our process had died: the agent sees its input end.
    soon(session.close()).await;
    assert!(running.await.unwrap().is_err());
    gone(&own).await;
}

#[tokio::test]
async fn a_limit_is_told_and_a_later_worker_ends_it() {
    let site = Site::new();
    let session = site.session().await;
    let slow = Command {
        limit_ms: 200,
        ..shell("sleep 300")
    };
    let end = soon(session.run_command(None, slow, |_, _| {})).await;
    assert!(end.unwrap().timed_out);

    session.recover(epoch(4)).await.unwrap();
    let first = {
        let session = session.clone();
        let slow = shell("echo $$ > ../own; sleep 300");
        tokio::spawn(async move { session.run_command(Some(epoch(4)), slow, |_, _| {}).await })
    };
    let own = written(&site.path("own")).await;
    let second = site.session().await;
    second.recover(epoch(5)).await.unwrap();
    let refused = soon(first).await.unwrap().unwrap_err();
    assert!(refused.is_fenced(), "{refused:?}");
    gone(&own).await;
    // It may not begin another either.
    let again = session.run_command(Some(epoch(4)), shell("touch ../late"), |_, _| {});
    assert!(soon(again).await.unwrap_err().is_fenced());
    assert!(!site.path("late").exists());
}

#[tokio::test]
async fn a_stopped_worker_leaves_no_command_behind() {
    let site = Site::new();
    let session = site.session().await;
    let slow = shell("echo $$ > ../own; sleep 300");
    let running = {
        let session = session.clone();
        tokio::spawn(async move { session.run_command(None, slow, |_, _| {}).await })
    };
    let own = written(&site.path("own")).await;
    let agent = process_of(&session);
    signal(agent, Signal::STOP);
    let closing = tokio::spawn(session.close());
    signal(agent, Signal::CONT);
    soon(closing).await.unwrap();
    assert!(running.await.unwrap().is_err());
    gone(&own).await;
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_told() {
    let site = Site::new();
    let session = site.session().await;
    for (root, code, kind) in [
        ("not/there", RefusalCode::Missing, Kind::NotFound),
        ("../", RefusalCode::BadPath, Kind::Invalid),
        (".pressroom", RefusalCode::BadPath, Kind::Invalid),
    ] {
        let command = Command {
            root: root.into(),
            ..shell("true")
        };
        let refused = session.run_command(None, command, |_, _| {}).await;
        let refused = refused.unwrap_err();
        assert_eq!(
            (refused.code(), refused.kind()),
            (Some(code), kind),
            "{root}"
        );
    }
    fs::remove_dir_all(site.path(site::ROOT)).unwrap();
    let refused = session.run_command(None, shell("true"), |_, _| {}).await;
    assert_eq!(refused.unwrap_err().code(), Some(RefusalCode::Missing));
}
