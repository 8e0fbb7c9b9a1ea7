//! Reaching a host, recognising it, and being let in.

use crate::host::{Host, ROOT, limits, new_id, on_the_way, open};
use pressroom_base::{Kind, id::HostId};
use pressroom_carrier::{
    Place, Way,
    ssh::{Address, Error, Hosts, Key, KeyKind, Limits, Pin, Remote, Route, Stop},
};
use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

#[tokio::test]
async fn a_host_is_known_by_its_first_key_and_no_other() {
    let mut host = Host::new();
    assert_eq!(host.pin.key(), None);
    host.session().await.close().await;
    let learned = host.pin.key().unwrap().to_string();
    let shown = host.sshd.host_key().unwrap();
    assert!(shown.starts_with(&learned), "{shown}");

    host.sshd.renew_host_key().unwrap();
    host.sshd.resume().unwrap();
    let refused = on_the_way(open(&host.place()).await);
    let Error::HostKeyChanged { pinned, shown, .. } = &refused else {
        panic!("{refused}");
    };
    assert_eq!(*pinned, host.pin.key().unwrap().fingerprint());
    assert_ne!(pinned, shown);
    let message = refused.to_string();
    assert!(
        message.contains(pinned) && message.contains(shown),
        "{message}"
    );
    assert_eq!(refused.kind(), Kind::Conflict);
    assert_eq!(host.sshd.logins(), 0, "{}", host.sshd.log());

    // An operator has accepted the new key.
    host.pin = Pin::known(host.sshd.host_key().unwrap().parse().unwrap());
    host.session().await.close().await;
    // Whoever knows the old one is not let onto the connection that is open.
    host.pin = Pin::known(learned.parse().unwrap());
    let refused = on_the_way(open(&host.place()).await);
    assert!(matches!(refused, Error::HostKeyChanged { .. }), "{refused}");
}

#[tokio::test]
async fn a_key_that_does_not_open_is_named() {
    let mut host = Host::new();
    host.session().await.close().await;
    let right = host.key.clone();
    host.key = Key::generate(KeyKind::Ed25519, "other").unwrap();
    let refused = on_the_way(open(&host.place()).await);
    let Error::KeyRefused { key, .. } = &refused else {
        panic!("{refused}");
    };
    assert_eq!(*key, host.key.fingerprint());
    host.key = right;
    host.session().await.close().await;
}

#[tokio::test]
async fn a_host_behind_another_is_reached_through_it() {
    let front = Host::new();
    let host = Host::new();
    let mut route = host.route();
    route.via = vec![front.stop()];
    let remote = Remote {
        route,
        ..host.remote()
    };
    let session = open(&Host::place_of(&host.login, remote)).await.unwrap();
    assert_eq!(session.welcome().uid, host.login.uid());
    assert!(session.tree_hash(ROOT).await.unwrap().is_some());
    assert_eq!((front.sshd.logins(), host.sshd.logins()), (1, 1));
    assert!(front.pin.key().is_some() && front.pin.key() != host.pin.key());
    drop(session);

    front.open_with("no-port-forwarding");
    let mut route = host.route();
    route.via = vec![front.stop()];
    let remote = Remote {
        route,
        id: new_id(),
        ..host.remote()
    };
    let refused = on_the_way(open(&Host::place_of(&host.login, remote)).await);
    assert!(matches!(refused, Error::Tunnel { .. }), "{refused}");
}

#[tokio::test]
async fn an_address_that_must_not_be_asked_is_not() {
    let host = Host::new();
    let mut route = host.route();
    route.may_ask = |number| !number.is_loopback();
    let remote = Remote {
        route,
        ..host.remote()
    };
    let refused = on_the_way(open(&Host::place_of(&host.login, remote)).await);
    assert!(matches!(refused, Error::AddressRefused { .. }), "{refused}");
    assert_eq!(refused.kind(), Kind::Invalid);
    assert_eq!(
        host.sshd.log().matches("Connection from").count(),
        1,
        "the start's own"
    );
}

#[tokio::test]
async fn a_host_that_hangs_delays_nobody_else() {
    let patience = Duration::from_secs(12);
    let host = Host::with(Limits {
        connect: patience,
        rest: Duration::from_mins(10),
        longest_rest: Duration::from_mins(10),
        ..limits()
    });
    // The first one is not to wait for the agent's way either.
    host.session().await.close().await;
    // It accepts connections, in the backlog, and says nothing.
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let hanging = elsewhere(&host, new_id(), silent.local_addr().unwrap().port());
    let asked = Instant::now();
    let waiting = {
        let hanging = hanging.clone();
        tokio::spawn(async move { open(&hanging).await })
    };
    for _ in 0..3 {
        let session = host.session().await;
        session.ping().await.unwrap();
        session.close().await;
    }
    let failed = on_the_way(waiting.await.unwrap());
    assert!(matches!(failed, Error::Silent { .. }), "{failed}");
    assert!(asked.elapsed() >= patience);
    // And then it is left alone, which is told at once.
    let asked = Instant::now();
    let failed = on_the_way(open(&hanging).await);
    let Error::Resting { why, again_in, .. } = &failed else {
        panic!("{failed}");
    };
    assert!(asked.elapsed() < patience);
    assert!(why.contains("did not answer"), "{why}");
    assert!(*again_in > Duration::from_mins(9), "{again_in:?}");
    assert_eq!(failed.kind(), Kind::Unreachable);
}

#[tokio::test]
async fn a_rest_grows_and_can_be_cut_short() {
    let limits = Limits {
        rest: Duration::from_hours(1),
        longest_rest: Duration::from_hours(3),
        ..limits()
    };
    let mut host = Host::with(limits);
    host.sshd.kill();
    let failed = on_the_way(open(&host.place()).await);
    assert!(matches!(failed, Error::Unreachable { .. }), "{failed}");
    let failed = on_the_way(open(&host.place()).await);
    assert!(matches!(failed, Error::Resting { .. }), "{failed}");
    host.sshd.resume().unwrap();
    let failed = on_the_way(open(&host.place()).await);
    assert!(matches!(failed, Error::Resting { .. }), "{failed}");
    host.hosts.forget(host.id);
    host.session().await.close().await;
}

#[tokio::test]
async fn no_more_channels_are_open_than_allowed() {
    let host = Host::with(Limits {
        channels_per_host: 2,
        wait: Duration::from_secs(3),
        ..limits()
    });
    let first = host.session().await;
    let second = host.session().await;
    let refused = on_the_way(open(&host.place()).await);
    assert!(
        matches!(refused, Error::Crowded { limit: 2, .. }),
        "{refused}"
    );
    assert_eq!(refused.kind(), Kind::Busy);
    first.close().await;
    let third = host.session().await;
    third.ping().await.unwrap();
    second.ping().await.unwrap();

    let few = Hosts::new(Limits {
        channels: 1,
        wait: Duration::from_secs(3),
        ..limits()
    });
    let there = |id| {
        let remote = Remote {
            hosts: few.clone(),
            id,
            ..host.remote()
        };
        Host::place_of(&host.login, remote)
    };
    let only = open(&there(new_id())).await.unwrap();
    let refused = on_the_way(open(&there(new_id())).await);
    assert!(
        matches!(refused, Error::Crowded { limit: 1, .. }),
        "{refused}"
    );
    only.ping().await.unwrap();
}

#[tokio::test]
async fn a_connection_that_nobody_uses_is_closed() {
    let host = Host::with(Limits {
        idle: Duration::from_millis(500),
        ..limits()
    });
    let session = host.session().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    // One that is in use stays.
    session.ping().await.unwrap();
    assert_eq!(host.sshd.logins(), 1);
    session.close().await;
    crate::host::wait_until("it is closed", || {
        host.sshd.log().contains("Disconnected from user")
            || host.sshd.log().contains("Received disconnect")
    })
    .await;
    host.session().await.ping().await.unwrap();
    assert_eq!(host.sshd.logins(), 2);
}

#[tokio::test]
async fn what_is_no_ssh_server_is_told() {
    let host = Host::new();
    let talker = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = talker.local_addr().unwrap().port();
    let talking = tokio::task::spawn_blocking(move || {
        use std::io::Write;
        let (mut stream, _) = talker.accept().unwrap();
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let failed = on_the_way(open(&elsewhere(&host, new_id(), port)).await);
    assert!(matches!(failed, Error::Handshake { .. }), "{failed}");
    talking.await.unwrap();
    let closed = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let failed = on_the_way(open(&elsewhere(&host, new_id(), port)).await);
    assert!(matches!(failed, Error::Unreachable { .. }), "{failed}");
}

/// The same user at another port of this machine.
fn elsewhere(host: &Host, id: HostId, port: u16) -> Place {
    let remote = Remote {
        id,
        route: Route {
            via: vec![],
            host: Stop {
                address: Address::new(host.login.name(), "127.0.0.1", port).unwrap(),
                key: host.key.clone(),
                pin: Pin::first_use(),
            },
            may_ask: |_| true,
        },
        ..host.remote()
    };
    Place {
        home: host.login.home().to_owned(),
        way: Way::Ssh(Box::new(remote)),
    }
}
