//! What a failure looks like: a page in the console's frame, or a fragment for htmx.

use crate::{
    frame::{Frame, Section, SignedIn},
    prose::Prose,
};
use askama::Template;
use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use pressroom_base::{Kind, token};
use std::error::Error as _;
use std::fmt::Write as _;

/// A request that failed, as the person is told. It becomes a page on the way out,
/// where it is known who asked and how.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    status: StatusCode,
    title: String,
    message: Prose,
    hint: Option<Prose>,
    reference: Option<String>,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    frame: Frame,
    failure: Failure,
}

#[derive(Template)]
#[template(path = "error_fragment.html")]
struct ErrorFragment {
    failure: Failure,
}

impl Failure {
    pub(crate) fn new(
        status: StatusCode,
        title: impl Into<String>,
        message: impl Into<Prose>,
    ) -> Self {
        Self {
            status,
            title: title.into(),
            message: message.into(),
            hint: None,
            reference: None,
        }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<Prose>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// No such thing, or none that this person may know of: the same words for both.
    pub(crate) fn missing() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "There is nothing here",
            "The address may be mistyped, or what was here is gone",
        )
    }

    /// A link that opens nothing, whatever is wrong with it.
    pub(crate) fn link_gone(hint: &'static str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "This link is not good",
            "It was used or taken back, its time is over, or it is mistyped",
        )
        .with_hint(hint)
    }

    /// A fault of ours: the log gets the cause, the person a reference to it.
    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        let reference = token::hex(8);
        tracing::error!(reference, "console request failed: {cause}");
        let mut failure = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong on our side",
            "The request was not carried out",
        )
        .with_hint("Try again; if it happens once more, give the reference to your operator");
        failure.reference = Some(reference);
        failure
    }

    fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::missing(),
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(
                status,
                "That form is too large",
                "At most 64 kB are accepted",
            ),
            StatusCode::METHOD_NOT_ALLOWED => Self::new(
                status,
                "That cannot be done here",
                "This address does not take such requests",
            ),
            status if status.is_server_error() => {
                Self::internal(format_args!("answered with status {status}"))
            }
            _ => Self::new(
                status,
                "That request could not be understood",
                "Go back, reload the page and try again",
            ),
        }
    }

    fn page(self, signed_in: Option<SignedIn>, shape: Shape) -> Response {
        let status = self.status;
        let html = match shape {
            Shape::Fragment => ErrorFragment { failure: self }.render(),
            Shape::Page => ErrorPage {
                frame: Frame {
                    title: self.title.clone(),
                    section: Section::None,
                    signed_in,
                    banner: None,
                },
                failure: self,
            }
            .render(),
        };
        match html {
            Ok(html) => (status, Html(html)).into_response(),
            Err(error) => {
                tracing::error!("an error page could not be rendered: {error}");
                status.into_response()
            }
        }
    }
}

#[cfg(test)]
impl Failure {
    /// The page, as the middleware would make it.
    pub(crate) fn to_html(
        &self,
        current: Option<&crate::session::Current>,
    ) -> Result<String, askama::Error> {
        ErrorPage {
            frame: Frame {
                title: self.title.clone(),
                section: Section::None,
                signed_in: current.map(|current| SignedIn::from(&current.0)),
                banner: None,
            },
            failure: self.clone(),
        }
        .render()
    }
}

impl From<pressroom_fleet::Error> for Failure {
    fn from(error: pressroom_fleet::Error) -> Self {
        let (status, title) = match error.kind() {
            Kind::NotFound => return Self::missing(),
            Kind::Internal => return Self::internal(chain(&error)),
            Kind::Invalid => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "That cannot work as it is",
            ),
            Kind::Unauthenticated => (StatusCode::UNAUTHORIZED, "Please sign in again"),
            Kind::Forbidden => (StatusCode::FORBIDDEN, "You may not do that"),
            Kind::Conflict => (StatusCode::CONFLICT, "That is not possible right now"),
            Kind::Busy => (StatusCode::CONFLICT, "Another operation is running"),
            Kind::Limited => (StatusCode::TOO_MANY_REQUESTS, "Too many attempts"),
            Kind::Unsupported => (StatusCode::UNPROCESSABLE_ENTITY, "This site cannot do that"),
            Kind::Unreachable => (StatusCode::BAD_GATEWAY, "The site cannot be reached"),
            Kind::Remote => (StatusCode::BAD_GATEWAY, "The site answered with a failure"),
        };
        let failure = Self::new(status, title, sentence(error.message()));
        match error.hint() {
            Some(hint) => failure.with_hint(sentence(hint)),
            None => failure,
        }
    }
}

impl From<askama::Error> for Failure {
    fn from(error: askama::Error) -> Self {
        Self::internal(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Messages begin small because they are also parts of lines in a terminal.
pub(crate) fn sentence(message: &str) -> String {
    let mut rest = message.chars();
    rest.next()
        .map(|first| first.to_uppercase().chain(rest).collect())
        .unwrap_or_default()
}

fn chain(error: &pressroom_fleet::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

/// How much of a page a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// All of it.
    Page,
    /// What htmx puts into the page that is there.
    Fragment,
}

impl Shape {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let partial = headers.contains_key("hx-request")
            && !headers.contains_key("hx-history-restore-request");
        if partial { Self::Fragment } else { Self::Page }
    }
}

/// Renders failures, and the bare refusals of the framework.
pub(crate) async fn dress(request: Request, next: Next) -> Response {
    let shape = Shape::of(request.headers());
    let mut response = next.run(request).await;
    let signed_in = response.extensions_mut().remove::<SignedIn>();
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        return failure.page(signed_in, shape);
    }
    let status = response.status();
    let is_page = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || is_page || status == StatusCode::UNAUTHORIZED {
        return response;
    }
    Failure::of_status(status).page(signed_in, shape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_fleet::{Error, code};

    #[test]
    fn foreign_is_told_as_missing() {
        let foreign = Failure::from(Error::not_found("object").with_code(code::FOREIGN));
        let missing = Failure::from(Error::not_found("environment"));
        assert_eq!(format!("{foreign:?}"), format!("{missing:?}"));
    }

    #[test]
    fn internal_causes_stay_in_the_log() {
        let failure = Failure::from(Error::internal(std::io::Error::other("secret path")));
        assert_eq!(failure.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(failure.reference.is_some());
        assert!(!format!("{failure:?}").contains("secret path"));
    }
}
