//! What every request passes through, in this order: request id, declared length,
//! credential, limits, route, scope, body, JSON, idempotency, handler.
//!
//! Nothing is read from the body before the caller is known and within its limit.
//! The handler runs on its own task: a caller that hangs up does not stop it half-way. A
//! body that is handed on as it comes is the handler's; what is left of it is taken in
//! afterwards, so that whoever sends it sees the answer.

mod admit;
mod body;
mod perform;

use crate::{
    Answer, Call, Dialect, Fault, Incoming, form, incoming, json, peer,
    route::{Access, BODY_LIMIT, Handler, Lookup, Route},
};
use axum::{
    extract::{Query, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::Response,
};
use perform::Work;
use pressroom_base::{Kind, Secret, catalog::metric, token};
use pressroom_fleet::{Caller, Fleet, Principal, authorize::Action, principal::Grants};
use std::{error::Error as _, fmt::Write as _, sync::Arc, time::Instant};
use tracing::Instrument;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What a request is called in the log, and in its answer.
pub(crate) fn reference() -> String {
    token::hex(16)
}

/// One dialect over one fleet.
#[derive(Clone)]
pub struct Frame {
    fleet: Fleet,
    dialect: Arc<dyn Dialect>,
}

impl Frame {
    /// Puts a dialect before a fleet.
    pub fn new(fleet: Fleet, dialect: Arc<dyn Dialect>) -> Self {
        Self { fleet, dialect }
    }

    /// Answers one request.
    pub async fn run(&self, request: Request) -> Response {
        let started = Instant::now();
        let reference = reference();
        let dialect = self.dialect.name();
        let head = request.method() == Method::HEAD;
        let (parts, body) = request.into_parts();
        let lookup = self.dialect.table().find(&parts.method, parts.uri.path());
        let row = match &lookup {
            Lookup::Route { route, .. } => route.row,
            Lookup::OtherMethods(_) | Lookup::Nothing => "none",
        };
        let span = tracing::info_span!("request", id = %reference, dialect, route = row);
        let mut answer = async {
            let mut headers = HeaderMap::new();
            let answer = match self
                .steps(&reference, parts, body, lookup, &mut headers)
                .await
            {
                Ok(answer) => answer,
                Err(fault) => self.refuse(&fault, &reference),
            };
            tracing::debug!(status = answer.status.as_u16(), "answered");
            with_headers(answer, headers)
        }
        .instrument(span)
        .await;
        if let Ok(id) = HeaderValue::from_str(&reference) {
            answer.headers.insert(REQUEST_ID, id);
        }
        let status = answer.status.as_u16().to_string();
        metrics::counter!(metric::HTTP_REQUESTS, "dialect" => dialect, "route" => row, "status" => status)
            .increment(1);
        metrics::histogram!(metric::HTTP_SECONDS, "dialect" => dialect, "route" => row)
            .record(started.elapsed().as_secs_f64());
        answer.into_response(head)
    }

    async fn steps(
        &self,
        reference: &str,
        parts: Parts,
        body: axum::body::Body,
        lookup: Lookup<'_>,
        headers: &mut HeaderMap,
    ) -> Result<Answer, Fault> {
        if parts.method == Method::OPTIONS
            && let Lookup::OtherMethods(allow) = &lookup
        {
            return Ok(allowing(Answer::empty(StatusCode::NO_CONTENT), allow));
        }
        let limit = match &lookup {
            Lookup::Route { route, .. } => route.body_limit,
            Lookup::OtherMethods(_) | Lookup::Nothing => BODY_LIMIT,
        };
        if let Err(fault) = body::check_declared(&parts.headers, limit) {
            body::drain(body).await;
            return Err(fault);
        }
        let peer = peer::address(&parts.extensions);
        let principal = if let Lookup::Route { route, .. } = &lookup
            && route.access == Access::Public
        {
            admit::count_address(self, peer).await?;
            Principal::nobody()
        } else {
            let principal = admit::authenticate(self, &parts.headers, peer).await?;
            admit::count_token(self, &principal, headers).await?;
            principal
        };
        let (route, params) = match lookup {
            Lookup::Route { route, params } => (route, params),
            Lookup::OtherMethods(allow) => return Err(Fault::MethodNotAllowed { allow }),
            Lookup::Nothing => return Err(Fault::NoRoute),
        };
        check_scope(route, principal.grants)?;
        let key = perform::idempotency_key(route, &parts.headers)?;
        let (handler, body, rest): (perform::Run, _, _) = match &route.handler {
            Handler::Document => return Ok(self.document()),
            Handler::Run(handler) => {
                let handler = handler.clone();
                let body = whole_body(route, &parts, body, limit).await?;
                (Box::new(move |call| handler(call)), body, None)
            }
            Handler::Stream(handler) => {
                let handler = handler.clone();
                let (incoming, rest) = Incoming::new(&parts, body);
                let run: perform::Run = Box::new(move |call| handler(call, incoming));
                (run, bytes::Bytes::new(), Some(rest))
            }
        };
        let work = Work {
            frame: self.clone(),
            reference: reference.to_owned(),
            handler,
            key,
            method: parts.method.clone(),
            target: parts.uri.to_string(),
            call: Call {
                fleet: self.fleet.clone(),
                caller: Caller::new(principal).from_address(peer),
                head: parts.method == Method::HEAD,
                peer,
                target: parts
                    .uri
                    .path_and_query()
                    .map_or_else(String::new, ToString::to_string),
                params,
                query: query(&parts)?,
                headers: parts.headers,
                body,
            },
        };
        let task = tokio::spawn(work.run().in_current_span());
        // The task catches panics itself; what is left is the end of the runtime.
        let answer = task.await.map_err(|_| Fault::Panicked)?;
        if let Some(body) = rest.and_then(incoming::Rest::take) {
            body::drain(body).await;
        }
        answer
    }

    fn document(&self) -> Answer {
        Answer::bytes(
            StatusCode::OK,
            crate::answer::JSON,
            self.dialect.table().document(),
        )
    }

    /// The dialect's answer for a fault. A fault of ours is logged here, once.
    fn refuse(&self, fault: &Fault, reference: &str) -> Answer {
        match fault {
            Fault::UseCase(error) if error.kind() == Kind::Internal => {
                tracing::error!(error = chain(error), "request {reference} failed");
            }
            Fault::UseCase(error) if matches!(error.kind(), Kind::Remote | Kind::Unreachable) => {
                tracing::warn!(
                    error = chain(error),
                    "request {reference} was not carried out"
                );
            }
            _ => {}
        }
        let answer = self.dialect.render(fault, reference);
        match fault {
            Fault::MethodNotAllowed { allow } => allowing(answer, allow),
            Fault::Limited { retry_after } => {
                let seconds = retry_after.as_secs().max(1);
                answer.with_header(header::RETRY_AFTER, seconds.into())
            }
            Fault::UseCase(error) => match error.retry_after() {
                Some(after) => {
                    let seconds = after.as_secs().max(1);
                    answer.with_header(header::RETRY_AFTER, seconds.into())
                }
                None => answer,
            },
            _ => answer,
        }
    }
}

/// The body of a route that takes it as a whole.
async fn whole_body(
    route: &Route,
    parts: &Parts,
    body: axum::body::Body,
    limit: usize,
) -> Result<bytes::Bytes, Fault> {
    let body = if parts.method == Method::GET || parts.method == Method::HEAD {
        bytes::Bytes::new()
    } else {
        body::read(body, limit).await?
    };
    let body = if route.takes_forms {
        form::as_json(&parts.headers, body)?
    } else {
        body
    };
    json::check(&body)?;
    Ok(body)
}

fn allowing(answer: Answer, allow: &str) -> Answer {
    match HeaderValue::from_str(allow) {
        Ok(value) => answer.with_header(header::ALLOW, value),
        Err(_) => answer,
    }
}

fn with_headers(mut answer: Answer, headers: HeaderMap) -> Answer {
    answer.headers.extend(headers);
    answer
}

/// Refused before the body is read; the use case would refuse it as well.
fn check_scope(route: &Route, grants: Grants) -> Result<(), Fault> {
    match (route.access, grants) {
        // A site is no person: of itself it may ask nothing.
        (Access::Known, Grants::Upload) => Err(Fault::OutOfScope),
        (Access::Public | Access::Known, _)
        | (_, Grants::All)
        | (Access::Granted(Action::SnapshotUpload), Grants::Upload) => Ok(()),
        (Access::Granted(action), Grants::Read) if action.is_read() => Ok(()),
        (Access::Granted(_), Grants::Read | Grants::Upload | Grants::Nothing) => {
            Err(Fault::OutOfScope)
        }
    }
}

fn query(parts: &Parts) -> Result<Vec<(String, String)>, Fault> {
    Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
        .map(|Query(pairs)| pairs)
        .map_err(|_| Fault::Malformed("the query could not be read".into()))
}

/// An error with its causes, for the log.
pub(crate) fn chain(error: &pressroom_fleet::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}

/// A rendered body as it is stored for an idempotency key. Every body here is JSON.
fn stored(answer: &Answer) -> Secret<String> {
    Secret::new(String::from_utf8_lossy(&answer.body).into_owned())
}
