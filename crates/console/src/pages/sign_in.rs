//! Signing in and out.

use crate::{
    Console,
    errors::Failure,
    frame::Frame,
    session::{self, Current},
};
use askama::Template;
use axum::{
    Extension, Form,
    extract::{ConnectInfo, Query, State},
    http::{HeaderMap, StatusCode, header::USER_AGENT},
    response::{Html, IntoResponse, Redirect, Response},
};
use pressroom_base::{Kind, Secret};
use pressroom_fleet::{Error, code, sessions::Credentials};
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

#[derive(Template)]
#[template(path = "sign_in.html")]
pub(crate) struct SignInPage {
    pub(crate) frame: Frame,
    pub(crate) next: String,
    pub(crate) email: String,
    pub(crate) problem: Option<String>,
    /// Whether a code is asked for as well.
    pub(crate) asks_code: bool,
    /// Whether they have just given themselves another password.
    pub(crate) changed: bool,
}

#[derive(Deserialize)]
pub(crate) struct Destination {
    #[serde(default)]
    next: String,
    #[serde(default)]
    news: String,
}

/// Where somebody goes who has another password.
pub(super) const CHANGED: &str = "/sign-in?news=password";

#[derive(Deserialize)]
pub(crate) struct SignIn {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

/// `GET /sign-in`
pub(crate) async fn show(
    State(console): State<Console>,
    Query(to): Query<Destination>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    if session::resume(&console, &headers).await?.is_some() {
        return Ok(Redirect::to(own_path(&to.next)).into_response());
    }
    render(
        StatusCode::OK,
        &SignInPage {
            frame: Frame::outside("Sign in"),
            next: to.next,
            email: String::new(),
            problem: None,
            asks_code: false,
            changed: to.news == "password",
        },
    )
}

/// `POST /sign-in`
pub(crate) async fn submit(
    State(console): State<Console>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    Form(form): Form<SignIn>,
) -> Result<Response, Failure> {
    let credentials = Credentials {
        email: form.email.clone(),
        password: Secret::new(form.password),
        code: Some(Secret::new(form.code)),
        address: address(peer),
        agent: agent(&headers),
    };
    match console.fleet.sign_in(credentials).await {
        Ok(signed_in) => {
            let mut response = Redirect::to(own_path(&form.next)).into_response();
            session::set_cookie(&mut response, &signed_in.secret, console.config)?;
            Ok(response)
        }
        Err(error) => {
            let Some(refusal) = Refusal::of(&error) else {
                return Err(error.into());
            };
            render(
                refusal.status,
                &SignInPage {
                    frame: Frame::outside("Sign in"),
                    next: form.next,
                    email: form.email,
                    problem: Some(refusal.problem.to_owned()),
                    asks_code: refusal.asks_code,
                    changed: false,
                },
            )
        }
    }
}

/// Why somebody did not get in, as they are told.
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) problem: &'static str,
    /// Whether a code is asked for as well.
    pub(super) asks_code: bool,
}

impl Refusal {
    /// `None` where something else went wrong.
    pub(super) fn of(error: &Error) -> Option<Self> {
        let asks_code = matches!(
            error.code(),
            Some(code::SECOND_FACTOR_REQUIRED | code::SECOND_FACTOR_WRONG)
        );
        let (status, problem) = match error.kind() {
            Kind::Unauthenticated if error.code() == Some(code::SECOND_FACTOR_REQUIRED) => (
                StatusCode::UNAUTHORIZED,
                "Type your password again, and the code that your app shows",
            ),
            Kind::Unauthenticated if asks_code => (
                StatusCode::UNAUTHORIZED,
                "The code is not right, or was used before",
            ),
            Kind::Unauthenticated => (
                StatusCode::UNAUTHORIZED,
                "Email address or password is not right",
            ),
            Kind::Limited => (
                StatusCode::TOO_MANY_REQUESTS,
                "Too many attempts. Wait 15 minutes, then try again",
            ),
            _ => return None,
        };
        Some(Self {
            status,
            problem,
            asks_code,
        })
    }
}

/// `POST /sign-out`
pub(crate) async fn leave(
    State(console): State<Console>,
    _: Current,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    if let Some(secret) = session::secret(&headers, console.config) {
        console.fleet.sign_out(secret.expose()).await?;
    }
    let mut response = Redirect::to("/sign-in").into_response();
    session::clear_cookie(&mut response, console.config);
    Ok(response)
}

fn render(status: StatusCode, page: &SignInPage) -> Result<Response, Failure> {
    Ok((status, Html(page.render()?)).into_response())
}

/// Where a request comes from.
pub(super) fn address(peer: Option<Extension<ConnectInfo<SocketAddr>>>) -> IpAddr {
    peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| {
        peer.0.0.ip().to_canonical()
    })
}

/// What a browser says of itself.
pub(super) fn agent(headers: &HeaderMap) -> String {
    headers
        .get(USER_AGENT)
        .map(|agent| String::from_utf8_lossy(agent.as_bytes()))
        .map(|agent| agent.chars().take(200).collect())
        .unwrap_or_default()
}

/// A path of this console; browsers read `//host` and `/\host` as other hosts.
fn own_path(next: &str) -> &str {
    let is_path = next.starts_with('/') && !next.starts_with("//");
    let is_plain = next
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_path && is_plain { next } else { "/fleet" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_only_to_own_pages() {
        assert_eq!(own_path("/jobs/job_1?x=1"), "/jobs/job_1?x=1");
        for elsewhere in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/\r\nx",
        ] {
            assert_eq!(own_path(elsewhere), "/fleet", "{elsewhere:?}");
        }
    }
}
