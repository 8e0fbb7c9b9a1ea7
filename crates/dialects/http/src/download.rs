//! Links to download: whoever has one needs no credential, and no face in particular.
//!
//! Every link that gives nothing is answered alike, so that nobody learns whether it
//! was forged, is over, or leads to something that is gone. Ranges are not served: what
//! is delivered is held against the hash of the whole, and a part has none.

use crate::{frame::chain, peer};
use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, head},
};
use data_encoding::BASE64;
use pressroom_base::{Kind, catalog::metric, token};
use pressroom_fleet::{
    Error, Fleet,
    snapshots::{LINK_PATH, LinkedSnapshot},
};
use std::time::Instant;

/// What metrics and logs call this, in the place of a dialect.
const NAME: &str = "download";

/// On every answer, also on refusals: the address is a secret, and what comes from it
/// was made by a site.
const ALWAYS: &[(HeaderName, &str)] = &[
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
];

const DIGEST: HeaderName = HeaderName::from_static("repr-digest");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// One route. None asks who is there: the link in its path is the right.
#[derive(Debug, Clone)]
pub struct Route {
    /// Its name in metrics, and its row in the tests' matrix.
    pub row: &'static str,
    /// Method.
    pub method: Method,
    /// What the path begins with; the link follows.
    pub path: &'static str,
    handler: fn() -> MethodRouter<Fleet>,
}

/// Every route, from which the router is made.
pub const ROUTES: &[Route] = &[
    Route {
        row: "snapshot",
        method: Method::GET,
        path: LINK_PATH,
        handler: || get(fetch),
    },
    // A route of its own, since looking must not use a link up.
    Route {
        row: "snapshot_head",
        method: Method::HEAD,
        path: LINK_PATH,
        handler: || head(look),
    },
];

/// The router, to be merged with the faces'.
pub fn router(fleet: Fleet) -> Router {
    ROUTES
        .iter()
        .fold(Router::new(), |router, route| {
            router.route(&format!("{}{{link}}", route.path), (route.handler)())
        })
        .with_state(fleet)
}

async fn fetch(State(fleet): State<Fleet>, Path(link): Path<String>, request: Request) -> Response {
    let started = Instant::now();
    let peer = peer::address(request.extensions());
    let answer = match fleet.fetch_by_link(&link, Some(peer)).await {
        Ok((linked, bytes)) => (described(&linked), Body::from_stream(bytes)).into_response(),
        Err(error) => refuse(&error),
    };
    finish(answer, "snapshot", started)
}

async fn look(State(fleet): State<Fleet>, Path(link): Path<String>) -> Response {
    let started = Instant::now();
    let answer = match fleet.peek_link(&link).await {
        Ok(linked) => described(&linked).into_response(),
        Err(error) => refuse(&error),
    };
    finish(answer, "snapshot_head", started)
}

/// What is said of a snapshot before its bytes.
fn described(linked: &LinkedSnapshot) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut say = |name, value: &str| {
        // Names, numbers and hashes of ours: there is nothing in them to refuse.
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    say(header::CONTENT_TYPE, linked.media_type);
    say(header::CONTENT_LENGTH, &linked.size.to_string());
    say(header::ACCEPT_RANGES, "none");
    say(
        header::CONTENT_DISPOSITION,
        &format!("attachment; filename=\"{}\"", linked.file_name),
    );
    if let Ok(hash) = hex::decode(&linked.sha256) {
        say(DIGEST, &format!("sha-256=:{}:", BASE64.encode(&hash)));
    }
    headers
}

/// A refusal in words for whoever opened the link in a browser. The error itself is for
/// the log: it may tell what the archive holds.
fn refuse(error: &Error) -> Response {
    let (status, text) = match error.kind() {
        Kind::Limited => (
            StatusCode::TOO_MANY_REQUESTS,
            "This link is used too often, try again in a minute\n",
        ),
        Kind::Busy => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many downloads are under way, try again in a minute\n",
        ),
        Kind::Remote | Kind::Unreachable => {
            tracing::warn!(error = chain(error), "a download was not begun");
            (
                StatusCode::BAD_GATEWAY,
                "The archive cannot give this file at the moment\n",
            )
        }
        Kind::Internal => {
            let reference = token::hex(8);
            tracing::error!(reference, error = chain(error), "a download failed");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong on our side\n",
            )
        }
        _ => (
            StatusCode::NOT_FOUND,
            "There is nothing to download here: the link may be over, used up or cut short\n",
        ),
    };
    let mut answer = (status, [(header::CONTENT_TYPE, TEXT)], text).into_response();
    if matches!(error.kind(), Kind::Limited | Kind::Busy) {
        let minute = HeaderValue::from_static("60");
        answer.headers_mut().insert(header::RETRY_AFTER, minute);
    }
    answer
}

fn finish(mut answer: Response, row: &'static str, started: Instant) -> Response {
    for (name, value) in ALWAYS {
        answer
            .headers_mut()
            .insert(name.clone(), HeaderValue::from_static(value));
    }
    let status = answer.status().as_u16().to_string();
    metrics::counter!(metric::HTTP_REQUESTS, "dialect" => NAME, "route" => row, "status" => status)
        .increment(1);
    metrics::histogram!(metric::HTTP_SECONDS, "dialect" => NAME, "route" => row)
        .record(started.elapsed().as_secs_f64());
    answer
}
