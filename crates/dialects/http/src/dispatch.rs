//! Which dialect answers a path: the host it is bound to, then the path's owner.
//! A path that two dialects own will be decided by credential and shape, between
//! these two and the neutral answer.

use crate::{Answer, Dialect, frame::Frame, peer};
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, uri::Authority},
    response::Response,
    routing::any,
};
use pressroom_fleet::Fleet;
use serde_json::json;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Host name → name of the dialect that answers every shared path on it.
pub type Hosts = BTreeMap<String, String>;

/// Paths with a single owner; `*` is one segment, a trailing `/` means everything
/// below as well.
const OWNERS: &[(&str, &str)] = &[
    ("/api/v1/wordpress/", "wispanel"),
    ("/api/v1/users/*/api-keys", "wispanel"),
];

const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

struct Dispatcher {
    frames: HashMap<&'static str, Frame>,
    hosts: Hosts,
}

/// A router for everything the dialects own, to be merged with the other faces'.
pub fn router(fleet: &Fleet, dialects: Vec<Arc<dyn Dialect>>, hosts: Hosts) -> Router {
    let frames = dialects
        .into_iter()
        .map(|dialect| (dialect.name(), Frame::new(fleet.clone(), dialect)))
        .collect();
    Router::new()
        .route("/api/v1", any(dispatch))
        .route("/api/v1/{*rest}", any(dispatch))
        .with_state(Arc::new(Dispatcher { frames, hosts }))
}

async fn dispatch(State(dispatcher): State<Arc<Dispatcher>>, request: Request) -> Response {
    match dispatcher.pick(&request) {
        Some(frame) => frame.run(request).await,
        None => neutral(&request),
    }
}

impl Dispatcher {
    fn pick(&self, request: &Request) -> Option<&Frame> {
        let bound = || self.hosts.get(&host(request)?).map(String::as_str);
        owner(request.uri().path())
            .or_else(bound)
            .and_then(|name| self.frames.get(name))
    }
}

fn owner(path: &str) -> Option<&'static str> {
    let path = path.strip_suffix('/').unwrap_or(path);
    OWNERS
        .iter()
        .find(|(pattern, _)| owns(pattern, path))
        .map(|(_, name)| *name)
}

fn owns(pattern: &str, path: &str) -> bool {
    let below = pattern.ends_with('/');
    let mut path = path.split('/');
    for segment in pattern.trim_end_matches('/').split('/') {
        match path.next() {
            Some(given) if segment == given || (segment == "*" && !given.is_empty()) => {}
            _ => return false,
        }
    }
    below || path.next().is_none()
}

fn host(request: &Request) -> Option<String> {
    let authority = request.uri().authority().cloned().or_else(|| {
        let text = request.headers().get(header::HOST)?.to_str().ok()?;
        text.parse::<Authority>().ok()
    })?;
    Some(authority.host().to_ascii_lowercase())
}

/// 404 for a path that nobody owns: a problem document which also has the `error`
/// member that clients of the other family look for.
fn neutral(request: &Request) -> Response {
    let peer = peer::address(request.extensions());
    tracing::debug!(%peer, "no dialect owns the path");
    let body = json!({
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "No such route",
        "error": "Not Found",
    });
    let vary = HeaderMap::from_iter([(
        header::VARY,
        HeaderValue::from_static("Authorization, Accept"),
    )]);
    let mut answer = Answer::bytes(StatusCode::NOT_FOUND, PROBLEM, body.to_string().into());
    answer.headers.extend(vary);
    answer.into_response(request.method() == Method::HEAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_their_owners() {
        for path in [
            "/api/v1/wordpress",
            "/api/v1/wordpress/",
            "/api/v1/wordpress/plugins/update",
            "/api/v1/users/ana/api-keys/",
        ] {
            assert_eq!(owner(path), Some("wispanel"), "{path}");
        }
        for path in [
            "/api/v1/wordpressy",
            "/api/v1/users/ana",
            "/api/v1/users//api-keys",
            "/api/v1/users/ana/api-keys/7",
            "/api/v1/sites",
            "/api/v1",
        ] {
            assert_eq!(owner(path), None, "{path}");
        }
    }
}
