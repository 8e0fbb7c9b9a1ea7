//! Who is signed in: the cookie, the guard that resumes it, and what handlers get.

use crate::{
    Console, ConsoleConfig,
    errors::Failure,
    frame::{Frame, Section, SignedIn},
    wording,
};
use axum::{
    extract::{FromRequestParts, Request, State},
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{COOKIE, SET_COOKIE},
        request::Parts,
    },
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pressroom_base::{Secret, id::AccountId};
use pressroom_fleet::{
    Caller,
    authorize::{Action, Resource, authorize},
    mail::MailTrouble,
    sessions::Session,
};

/// The session a request came with. Handlers of routes that require one take it as
/// an argument.
#[derive(Debug, Clone)]
pub(crate) struct Current(pub(crate) Session, pub(crate) Option<MailTrouble>);

impl Current {
    /// Who calls the use case.
    pub(crate) fn caller(&self) -> Caller {
        Caller::new(self.0.principal.clone())
    }

    /// Whether a button for this is worth showing; the use case decides again.
    pub(crate) fn may(&self, action: Action, account: AccountId) -> bool {
        authorize(&self.0.principal, action, Resource::OfAccount(account)).is_ok()
    }

    /// What surrounds a page for this person.
    pub(crate) fn frame(&self, title: impl Into<String>, section: Section) -> Frame {
        Frame {
            title: title.into(),
            section,
            signed_in: Some(SignedIn::from(&self.0)),
            banner: self.1.map(wording::mail_trouble),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Current {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Failure::internal("the route requires no session, its handler does"))
    }
}

/// Lets a request with a live session through; others go to the sign-in page.
pub(crate) async fn require(
    State(console): State<Console>,
    mut request: Request,
    next: Next,
) -> Response {
    match resume(&console, request.headers()).await {
        Ok(Some(mut current)) => {
            current.1 = mail_trouble(&console, &current).await;
            let signed_in = SignedIn::from(&current.0);
            request.extensions_mut().insert(current);
            let mut response = next.run(request).await;
            // For the frame of a failure's page.
            response.extensions_mut().insert(signed_in);
            response
        }
        Ok(None) => ask_to_sign_in(&request),
        Err(failure) => failure.into_response(),
    }
}

/// The live session of a request, if it has one.
pub(crate) async fn resume(
    console: &Console,
    headers: &HeaderMap,
) -> Result<Option<Current>, Failure> {
    let Some(secret) = secret(headers, console.config) else {
        return Ok(None);
    };
    let session = console.fleet.resume_session(secret.expose()).await?;
    Ok(session.map(|session| Current(session, None)))
}

/// What an operator is told of above every page. Not knowing it is no reason for no page.
async fn mail_trouble(console: &Console, current: &Current) -> Option<MailTrouble> {
    if !current.0.principal.is_operator() {
        return None;
    }
    match console.fleet.mail_trouble(&current.caller()).await {
        Ok(trouble) => trouble,
        Err(error) => {
            tracing::warn!(%error, "nobody knows whether mail goes well");
            None
        }
    }
}

fn ask_to_sign_in(request: &Request) -> Response {
    let wants_page = request.method() == Method::GET && !request.uri().path().ends_with("/events");
    let target = match request.uri().path_and_query() {
        Some(path) if wants_page => format!(
            "/sign-in?next={}",
            utf8_percent_encode(path.as_str(), NON_ALPHANUMERIC)
        ),
        _ => "/sign-in".to_owned(),
    };
    if request.headers().contains_key("hx-request") {
        return (StatusCode::UNAUTHORIZED, [("hx-redirect", target)]).into_response();
    }
    if request.uri().path().ends_with("/events") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Redirect::to(&target).into_response()
}

const fn cookie_name(config: ConsoleConfig) -> &'static str {
    if config.secure_cookies {
        "__Host-pressroom_session"
    } else {
        "pressroom_session"
    }
}

/// The session cookie's value.
pub(crate) fn secret(headers: &HeaderMap, config: ConsoleConfig) -> Option<Secret<String>> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, value)| *name == cookie_name(config) && !value.is_empty())
        .map(|(_, value)| Secret::new(value.to_owned()))
}

/// Gives the browser its session.
pub(crate) fn set_cookie(
    response: &mut Response,
    secret: &Secret<String>,
    config: ConsoleConfig,
) -> Result<(), Failure> {
    let value = HeaderValue::from_str(&cookie(secret.expose(), "", config))
        .map_err(|_| Failure::internal("the session's secret does not fit into a cookie"))?;
    response.headers_mut().append(SET_COOKIE, value);
    Ok(())
}

/// Takes the session from the browser.
pub(crate) fn clear_cookie(response: &mut Response, config: ConsoleConfig) {
    if let Ok(value) = HeaderValue::from_str(&cookie("", "; Max-Age=0", config)) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}

fn cookie(value: &str, more: &str, config: ConsoleConfig) -> String {
    let name = cookie_name(config);
    let secure = if config.secure_cookies {
        "; Secure"
    } else {
        ""
    };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: ConsoleConfig = ConsoleConfig {
        secure_cookies: false,
    };
    const TLS: ConsoleConfig = ConsoleConfig {
        secure_cookies: true,
    };

    #[test]
    fn cookie_is_out_of_reach_of_scripts_and_other_sites() {
        assert_eq!(
            cookie("s3", "", PLAIN),
            "pressroom_session=s3; Path=/; HttpOnly; SameSite=Lax"
        );
        assert_eq!(
            cookie("s3", "", TLS),
            "__Host-pressroom_session=s3; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        assert!(cookie("", "; Max-Age=0", PLAIN).ends_with("Lax; Max-Age=0"));
    }

    #[test]
    fn secret_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; pressroom_session="));
        headers.append(
            COOKIE,
            HeaderValue::from_static("x_pressroom_session=no; pressroom_session=yes"),
        );
        assert_eq!(secret(&headers, PLAIN).unwrap().expose(), "yes");
        assert_eq!(secret(&headers, TLS), None);
    }
}
