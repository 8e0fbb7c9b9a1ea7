//! Connections: each is answered by a task of its own, and ended when it is silent.

use crate::{
    forwarded::Peer,
    listener::{Connection, Listener, Protocol},
};
use axum::{Router, body::Body, extract::ConnectInfo, http::Request};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{pin::pin, time::Duration};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// What a client of HTTP/2 gets to answer a ping.
const PONG: Duration = Duration::from_secs(20);

/// Files that this process has open besides connections: those to databases, sites and
/// receivers, logs, packages, archives.
const OTHER_FILES: u64 = 1024;

/// Answers connections until told to stop, and then until the last one is done. `idle` is
/// what a connection gets to say what it wants, at first and after each answer.
pub async fn serve(mut listener: Listener, faces: Router, idle: Duration, stop: CancellationToken) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = open.join_next() => {}
            connection = listener.accept() => {
                open.spawn(answer(connection, faces.clone(), idle, stop.clone()));
            }
        }
    }
    // Who knocks from now on is told so at once.
    drop(listener);
    while open.join_next().await.is_some() {}
}

async fn answer(connection: Connection, faces: Router, idle: Duration, stop: CancellationToken) {
    let Connection {
        stream,
        peer,
        protocol,
        place: _place,
    } = connection;
    let faces = faces.map_request(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(Peer(peer)));
        request
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(idle);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(idle)
        .keep_alive_timeout(PONG);
    let builder = match protocol {
        Protocol::Http1 => builder.http1_only(),
        Protocol::Http2 => builder.http2_only(),
    };
    let answered = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(faces));
    let mut answered = pin!(answered);
    let ended = tokio::select! {
        ended = &mut answered => ended,
        () = stop.cancelled() => {
            answered.as_mut().graceful_shutdown();
            answered.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, error, "a connection ended early");
    }
}

/// Makes room for the files that so many connections are, as far as this process may. A
/// login's usual limit is a thousand.
pub fn allow_files(connections: usize) {
    let needed = connections as u64 + OTHER_FILES;
    let limit = getrlimit(Resource::Nofile);
    let is_enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= needed);
    if is_enough(limit.current) {
        return;
    }
    if !is_enough(limit.maximum) {
        tracing::warn!(
            "this process may open {} files, and `http.max_connections` asks for {needed}: raise \
             the limit (`LimitNOFILE` of the service), or have fewer connections",
            limit.maximum.unwrap_or(u64::MAX)
        );
    }
    let raised = Rlimit {
        current: Some(limit.maximum.map_or(needed, |most| most.min(needed))),
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}
