//! One listener for every face: the console, the dialects, links to download, and
//! three paths for whoever watches the process.

use crate::forwarded::{Proxies, tell_client};
use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;
use pressroom_cli::config::Config;
use pressroom_console::ConsoleConfig;
use pressroom_dialect_http::{Dialect, Hosts, download, router as dialects};
use pressroom_dialect_wispanel::WisPanel;
use pressroom_dialect_wporchestrix::WpOrchestrix;
use pressroom_fleet::Fleet;
use std::{sync::Arc, time::Instant};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

/// Requests that are being answered.
#[derive(Clone)]
pub struct Turnstile {
    free: Arc<Semaphore>,
    all: u32,
}

impl Turnstile {
    /// Lets so many in at once.
    pub fn new(all: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(all)),
            all: u32::try_from(all).unwrap_or(u32::MAX),
        }
    }

    /// Waits until every request has its answer. A stream that is still being read
    /// does not count: it has no end of its own.
    pub async fn empty(&self) {
        let _ = self.free.acquire_many(self.all).await;
    }
}

#[derive(Clone)]
struct Watch {
    fleet: Fleet,
    metrics: PrometheusHandle,
    /// Fires when what this process needs before its first request was tried.
    started: CancellationToken,
    stop: CancellationToken,
}

/// What people and programs see.
pub fn faces(fleet: &Fleet, config: &Config, turnstile: Turnstile) -> Router {
    let console = ConsoleConfig {
        secure_cookies: config.secure_cookies(),
    };
    let every_dialect: Vec<Arc<dyn Dialect>> =
        vec![Arc::new(WisPanel::new()), Arc::new(WpOrchestrix::new())];
    pressroom_console::router(fleet.clone(), console)
        .merge(dialects(fleet, every_dialect, Hosts::new()))
        .merge(download::router(fleet.clone()))
        .layer(middleware::from_fn(observe))
        .layer(middleware::from_fn_with_state(turnstile, pass))
}

/// What watches this process: outside the turnstile, so that it answers under load.
pub fn watch(
    fleet: Fleet,
    metrics: PrometheusHandle,
    started: CancellationToken,
    stop: CancellationToken,
) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(render))
        .with_state(Watch {
            fleet,
            metrics,
            started,
            stop,
        })
}

/// Both, told who asks, with the last net.
pub fn all(faces: Option<Router>, watch: Router, proxies: Proxies) -> Router {
    faces
        .unwrap_or_default()
        .merge(watch)
        .layer(middleware::from_fn_with_state(proxies, tell_client))
        .layer(CatchPanicLayer::new())
}

async fn ready(State(watch): State<Watch>) -> Response {
    if watch.stop.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
    }
    if !watch.started.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "starting\n").into_response();
    }
    match watch.fleet.ready().await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{}\n", error.message()),
        )
            .into_response(),
    }
}

async fn render(State(watch): State<Watch>) -> Response {
    let text = (
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    );
    ([text], watch.metrics.render()).into_response()
}

async fn pass(State(turnstile): State<Turnstile>, request: Request, next: Next) -> Response {
    let Ok(_permit) = turnstile.free.try_acquire() else {
        let later = (header::RETRY_AFTER, "1");
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            [later],
            "too many requests at once\n",
        )
            .into_response();
    };
    next.run(request).await
}

/// A line for each request, without its query: some carry secrets there. So do some
/// paths, see [`shown`].
async fn observe(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let path = shown(request.uri().path());
    let response = next.run(request).await;
    tracing::debug!(
        http.status = response.status().as_u16(),
        duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "{method} {path} answered"
    );
    response
}

/// The longest part of a path that is a name; what is longer may be a link.
const LONGEST_NAME: usize = 40;

/// A path as it may stand in a log: its long parts left out, wherever they are, since a
/// mistyped link is almost one.
fn shown(path: &str) -> String {
    let parts: Vec<_> = path
        .split('/')
        .map(|part| {
            if part.len() > LONGEST_NAME {
                "…"
            } else {
                part
            }
        })
        .collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_do_not_stand_in_the_log() {
        let link = "eyJhIjoxfQ".repeat(20);
        for (path, told) in [
            (
                format!("/download/snapshots/{link}"),
                "/download/snapshots/…",
            ),
            (format!("//Download/{link}.x/"), "//Download/…/"),
            (
                "/jobs/job_k3v9q2x7m1p0".to_owned(),
                "/jobs/job_k3v9q2x7m1p0",
            ),
            ("/".to_owned(), "/"),
        ] {
            assert_eq!(shown(&path), told);
        }
    }
}
