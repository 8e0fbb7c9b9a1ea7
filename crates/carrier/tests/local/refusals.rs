//! What goes wrong, and how it is told.

use crate::site::{self, Site, epoch, process_of, signal, soon, target};
use pressroom_agent::protocol::{RefusalCode, VERSION};
use pressroom_base::Kind;
use pressroom_carrier::{CancellationToken, Error, Local, Place, Session, SiteUser, Way};
use rustix::process::Signal;
use std::{io, os::unix::fs::symlink, time::Duration};
use tokio::io::AsyncWriteExt;

/// The same place with something else about its agent.
fn changed(place: &Place, change: impl FnOnce(&mut Local)) -> Place {
    let mut local = site::local(place).clone();
    change(&mut local);
    Place {
        home: place.home.clone(),
        way: Way::Local(local),
    }
}

async fn open(place: &Place) -> Result<Session, Error> {
    soon(Session::open(place, CancellationToken::new())).await
}

#[tokio::test]
async fn nothing_runs_as_root() {
    let site = Site::new();
    for (uid, gid) in [(0, 0), (0, 500), (500, 0)] {
        let name = "root".into();
        let place = changed(&site.place, |local| {
            local.run_as = Some(SiteUser { name, uid, gid });
        });
        let refused = open(&place).await.unwrap_err();
        assert!(matches!(refused, Error::Start { .. }), "{refused:?}");
    }
    let place = changed(&site.place, |local| local.run_as = None);
    let opened = open(&place).await;
    assert_eq!(opened.is_err(), rustix::process::geteuid().is_root());
}

#[tokio::test]
async fn a_place_without_an_agent_says_what_was_there() {
    let site = Site::new();
    let place = changed(&site.place, |local| {
        local.agent = vec!["/nowhere/pressroom-agent".into(), "serve".into()];
    });
    let missing = open(&place).await.unwrap_err();
    assert!(matches!(missing, Error::Start { .. }), "{missing:?}");
    assert_eq!(missing.kind(), Kind::Unreachable);

    let talk = "echo welcome; echo 'account is disabled' >&2";
    let mut place = changed(&site.place, |local| {
        local.agent = vec!["/bin/sh".into(), "-c".into(), talk.into()];
    });
    let foreign = open(&place).await.unwrap_err();
    assert!(matches!(foreign, Error::NotAnAgent { .. }), "{foreign:?}");
    let message = foreign.to_string();
    assert!(message.contains("welcome"), "{message}");
    assert!(message.contains("account is disabled"), "{message}");

    place.home = "relative".into();
    assert!(matches!(open(&place).await, Err(Error::Start { .. })));
}

#[tokio::test]
async fn login_noise_is_survived() {
    let site = Site::new();
    let noise = "head -c 60000 /dev/urandom; exec \"$0\" \"$@\"";
    let shell = ["/bin/sh", "-c", noise].map(Into::into);
    let place = changed(&site.place, |local| {
        local.agent.splice(0..0, shell);
    });
    let session = open(&place).await.unwrap();
    assert_eq!(session.welcome().version, VERSION);
    session.recover(epoch(1)).await.unwrap();
}

#[tokio::test]
async fn a_home_must_be_there_and_be_one() {
    let site = Site::new();
    let mut place = site.place.clone();
    place.home = site.path("not-there");
    let refused = open(&place).await.unwrap_err();
    assert_eq!(refused.code(), Some(RefusalCode::Missing), "{refused:?}");
    assert_eq!(refused.kind(), Kind::NotFound);
    symlink("/etc", site.path("link")).unwrap();
    place.home = site.path("link");
    assert!(open(&place).await.is_err());
}

#[tokio::test]
async fn paths_that_leave_the_home_are_refused() {
    let site = Site::new();
    let session = site.session().await;
    symlink("/etc", site.path("public_html/etc")).unwrap();
    for path in [
        "../other",
        "/etc",
        "public_html/../../x",
        "public_html/etc",
        ".pressroom",
    ] {
        let refused = session.tree_hash(path).await.unwrap_err();
        assert_eq!(
            refused.code(),
            Some(RefusalCode::BadPath),
            "{path}: {refused:?}"
        );
        assert_eq!(refused.kind(), Kind::Invalid);
    }
}

#[tokio::test]
async fn a_cancelled_session_withdraws_what_is_under_way() {
    let site = Site::new();
    let cancel = CancellationToken::new();
    let session = Session::open(&site.place, cancel.clone()).await.unwrap();
    session.recover(epoch(1)).await.unwrap();
    let (mut begun, endless) = tokio::io::duplex(1024);
    let (staged, ()) = tokio::join!(
        soon(session.stage_component(epoch(1), target(), endless)),
        async {
            begun.write_all(&vec![0; 100_000]).await.unwrap();
            cancel.cancel();
        }
    );
    let cancelled = staged.unwrap_err();
    assert!(cancelled.is_cancelled(), "{cancelled:?}");
    let later = session.inspect("public_html").await.unwrap_err();
    assert!(matches!(later, Error::Cancelled));
    assert!(matches!(
        Session::open(&site.place, cancel).await,
        Err(Error::Cancelled)
    ));
    soon(session.close()).await;
    assert!(site.staging().is_empty());
}

#[tokio::test]
async fn a_deadline_is_the_agents_to_keep() {
    let site = Site::new();
    let session = site.session().await;
    session.recover(epoch(1)).await.unwrap();
    let (_begun, endless) = tokio::io::duplex(1024);
    let hasty = session.with_deadline(Duration::from_millis(50));
    let late = soon(hasty.stage_component(epoch(1), target(), endless))
        .await
        .unwrap_err();
    assert_eq!(late.code(), Some(RefusalCode::Deadline), "{late:?}");
    assert_eq!(late.kind(), Kind::Unreachable);
    assert!(site.staging().is_empty());
    session.ping().await.unwrap();
}

#[tokio::test]
async fn a_package_that_cannot_be_read_is_our_fault() {
    let site = Site::new();
    let session = site.session().await;
    session.recover(epoch(1)).await.unwrap();
    let broken = Broken;
    let failed = soon(session.stage_component(epoch(1), target(), broken))
        .await
        .unwrap_err();
    assert!(matches!(failed, Error::Package(_)), "{failed:?}");
    let damaged = session
        .stage_component(epoch(1), target(), &b"no zip"[..])
        .await
        .unwrap_err();
    assert_eq!(damaged.code(), Some(RefusalCode::BadInput), "{damaged:?}");
    assert_eq!(damaged.kind(), Kind::Invalid);
    assert!(site.staging().is_empty());
}

#[tokio::test]
async fn an_agent_that_hangs_in_a_write_is_killed() {
    let site = Site::new();
    let session = site.session().await;
    session.recover(epoch(1)).await.unwrap();
    signal(process_of(&session), Signal::STOP);
    // Waits pass at once from here on.
    tokio::time::pause();
    let hung = session.drop_staged(epoch(1), "1-0000000000000000").await;
    assert!(matches!(hung, Err(Error::Timeout { .. })), "{hung:?}");
    tokio::time::resume();
    let closed = session.inspect("public_html").await.unwrap_err();
    assert!(matches!(closed, Error::Closed { .. }), "{closed:?}");
    soon(session.close()).await;
}

/// A package whose file fails.
struct Broken;

impl tokio::io::AsyncRead for Broken {
    fn poll_read(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        _: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::task::Poll::Ready(Err(io::Error::other("bad sector")))
    }
}
