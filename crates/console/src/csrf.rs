//! Forms are only taken from our own pages: by the browser's word on where a request
//! comes from, and by a token that only the session's pages contain.

use crate::{errors::Failure, session::Current};
use axum::{
    body::{Body, to_bytes},
    extract::{Form, FromRequest, Request},
    http::{HeaderMap, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use pressroom_base::token;
use serde::Deserialize;

/// The largest form that is read.
pub(crate) const FORM_LIMIT: usize = 64 * 1024;

#[derive(Deserialize)]
struct TokenField {
    #[serde(default)]
    csrf: String,
}

/// Refuses what another site's page, or no page at all, has sent.
pub(crate) async fn require_own_origin(request: Request, next: Next) -> Response {
    if comes_from_own_page(request.headers(), request.uri()) {
        next.run(request).await
    } else {
        refusal().into_response()
    }
}

/// Refuses a form without the session's token.
pub(crate) async fn require_token(current: Current, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, FORM_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let again = Request::from_parts(parts.clone(), Body::from(bytes.clone()));
    match Form::<TokenField>::from_request(again, &()).await {
        Ok(Form(field)) if token::equal(&field.csrf, current.0.csrf.expose()) => {
            next.run(Request::from_parts(parts, Body::from(bytes)))
                .await
        }
        _ => refusal().into_response(),
    }
}

fn refusal() -> Failure {
    Failure::new(
        StatusCode::FORBIDDEN,
        "This form was not sent",
        "It did not come from a current page of this console",
    )
    .with_hint("Go back, reload the page and try again")
}

/// Browsers say where a request comes from in `Sec-Fetch-Site`; over plain HTTP and in
/// older ones there is only `Origin`. A request with neither is not a browser's.
fn comes_from_own_page(headers: &HeaderMap, uri: &Uri) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("-"));
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site")) {
        return matches!(site, "same-origin" | "none");
    }
    let own =
        text(header::HOST).or_else(|| uri.authority().map(axum::http::uri::Authority::as_str));
    let origin = text(header::ORIGIN)
        .and_then(|origin| origin.split_once("://"))
        .map(|(_, host)| host);
    matches!((origin, own), (Some(origin), Some(own)) if origin.eq_ignore_ascii_case(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comes_from(headers: &[(&'static str, &'static str)]) -> bool {
        let map = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        comes_from_own_page(&map, &Uri::from_static("/sign-in"))
    }

    #[test]
    fn own_pages_are_told_from_foreign_ones() {
        let host = ("host", "console.example:8080");
        assert!(comes_from(&[host, ("sec-fetch-site", "same-origin")]));
        assert!(comes_from(&[
            host,
            ("origin", "http://console.example:8080")
        ]));
        for foreign in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "http://console.example"),
            ("origin", "http://evil.example"),
            ("origin", "null"),
            ("accept", "*/*"),
        ] {
            assert!(!comes_from(&[host, foreign]), "{foreign:?}");
        }
        let both = [
            host,
            ("sec-fetch-site", "cross-site"),
            ("origin", "http://console.example:8080"),
        ];
        assert!(!comes_from(&both));
    }
}
