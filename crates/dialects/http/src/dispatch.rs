//! Hands each request to the dialect that is picked for it.

use crate::{
    Answer, Dialect,
    frame::{self, Frame},
    neutral,
    pick::{Asked, Known, pick},
};
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header, uri::Authority},
    response::Response,
    routing::any,
};
use pressroom_fleet::Fleet;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Host name → name of the dialect that answers every shared path on it.
pub type Hosts = BTreeMap<String, String>;

/// Where dialects answer. What is not here is the other faces'.
const PATHS: &[&str] = &[
    "/api/v1",
    "/api/v1/{*rest}",
    "/api/{*rest}",
    "/health",
    "/hosting/{*rest}",
    "/sso/{*rest}",
    "/oauth/token",
    "/wp-json/captaincore/v1/{*rest}",
];

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
    PATHS
        .iter()
        .fold(Router::new(), |router, path| {
            router.route(path, any(dispatch))
        })
        .with_state(Arc::new(Dispatcher { frames, hosts }))
}

async fn dispatch(State(dispatcher): State<Arc<Dispatcher>>, request: Request) -> Response {
    let host = host(&request);
    let bound = host.and_then(|host| dispatcher.hosts.get(&host));
    let picked = pick(&Asked {
        method: request.method(),
        path: request.uri().path(),
        query: request.uri().query(),
        headers: request.headers(),
        bound: bound.map(String::as_str),
    });
    let frame = picked.dialect.and_then(|name| dispatcher.frames.get(name));
    let mut response = match (frame, picked.path) {
        (_, Known::Shared(allow)) if request.method() == Method::OPTIONS => {
            let allow = HeaderValue::from_static(allow);
            Answer::empty(StatusCode::NO_CONTENT)
                .with_header(header::ALLOW, allow)
                .into_response(false)
        }
        (Some(frame), _) => frame.run(request).await,
        (None, _) => {
            let reference = frame::reference();
            tracing::debug!(id = reference, "no dialect that is served answers the path");
            let head = request.method() == Method::HEAD;
            let answer = neutral::answer(picked, request.headers());
            match HeaderValue::from_str(&reference) {
                Ok(id) => answer.with_header(frame::REQUEST_ID, id),
                Err(_) => answer,
            }
            .into_response(head)
        }
    };
    if picked.path != Known::Owned {
        let vary = HeaderValue::from_static("Authorization, Accept");
        response.headers_mut().append(header::VARY, vary);
    }
    response
}

fn host(request: &Request) -> Option<String> {
    let authority = request.uri().authority().cloned().or_else(|| {
        let text = request.headers().get(header::HOST)?.to_str().ok()?;
        text.parse::<Authority>().ok()
    })?;
    Some(authority.host().to_ascii_lowercase())
}
