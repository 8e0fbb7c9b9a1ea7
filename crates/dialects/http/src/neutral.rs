//! Answers of no dialect in particular, and in the name of dialects that are not served.

use crate::{
    Answer,
    pick::{CAPTAINCORE, Known, MAPLEPRESS, Name, PATCHSTACK, Pick, WISPANEL},
};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
/// The schemes of all who share a path.
const SCHEMES: HeaderValue = HeaderValue::from_static(
    r#"Token realm="wporchestrix", Bearer realm="wporchestrix", JWT realm="maplepress""#,
);
const JWT: HeaderValue = HeaderValue::from_static(r#"JWT realm="maplepress""#);

/// The answer where no dialect that is served was picked. Nobody's credential opens
/// anything there, so that what is shared is 401, and all else 404.
pub fn answer(pick: Pick, headers: &HeaderMap) -> Answer {
    let status = match pick.path {
        Known::Shared(_) if headers.get_all(header::AUTHORIZATION).iter().count() > 1 => {
            StatusCode::BAD_REQUEST
        }
        Known::Shared(_) => StatusCode::UNAUTHORIZED,
        Known::Owned | Known::Unknown => StatusCode::NOT_FOUND,
    };
    let challenge = |answer: Answer, schemes: HeaderValue| {
        if status == StatusCode::UNAUTHORIZED {
            answer.with_header(header::WWW_AUTHENTICATE, schemes)
        } else {
            answer
        }
    };
    match pick.dialect {
        None => {
            let mut body = problem(status);
            body["error"] = body["title"].clone();
            challenge(rendered(status, PROBLEM, &body), SCHEMES)
        }
        Some(MAPLEPRESS) => challenge(rendered(status, PROBLEM, &problem(status)), JWT),
        Some(name) => rendered(status, crate::answer::JSON, &in_the_name_of(name, status)),
    }
}

/// A problem document: extension members are permitted in one, so that it can also be
/// what clients of the other family look for.
fn problem(status: StatusCode) -> Value {
    let detail = match status {
        StatusCode::UNAUTHORIZED => "Authentication required",
        StatusCode::BAD_REQUEST => "More than one Authorization header",
        _ => "No such route",
    };
    json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or_default(),
        "status": status.as_u16(),
        "detail": detail,
    })
}

fn in_the_name_of(name: Name, status: StatusCode) -> Value {
    match name {
        CAPTAINCORE => json!({
            "code": "rest_no_route",
            "message": "No route was found matching the URL and request method.",
            "data": { "status": status.as_u16() },
        }),
        WISPANEL => json!({
            "success": false, "code": "NOT_FOUND", "error": "Route not found",
            "message": "Route not found", "status": status.as_u16(),
        }),
        PATCHSTACK => json!({ "error": "Not found" }),
        // As everywhere under `/api/v1`: `error` is a text.
        _ => json!({ "error": status.canonical_reason().unwrap_or_default() }),
    }
}

fn rendered(status: StatusCode, content_type: HeaderValue, body: &Value) -> Answer {
    Answer::bytes(status, content_type, body.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pick::WPORCHESTRIX;

    fn shown(dialect: Option<Name>, path: Known) -> (u16, Value, Option<String>) {
        let answer = answer(Pick { dialect, path }, &HeaderMap::new());
        let challenge = answer.headers.get(header::WWW_AUTHENTICATE);
        (
            answer.status.as_u16(),
            serde_json::from_slice(&answer.body).expect("JSON"),
            challenge.map(|value| value.to_str().expect("text").to_owned()),
        )
    }

    #[test]
    fn each_is_answered_in_its_own_format() {
        let (status, body, schemes) = shown(None, Known::Shared(""));
        assert_eq!(status, 401);
        let both = json!({
            "type": "about:blank", "title": "Unauthorized", "status": 401,
            "detail": "Authentication required", "error": "Unauthorized",
        });
        assert_eq!(body, both);
        assert!(schemes.is_some_and(|schemes| schemes.matches("realm=").count() == 3));
        let (status, body, schemes) = shown(Some(MAPLEPRESS), Known::Shared(""));
        assert_eq!((status, body.get("error")), (401, None));
        assert_eq!(schemes.as_deref(), Some(r#"JWT realm="maplepress""#));
        for (dialect, member) in [
            (MAPLEPRESS, "title"),
            (PATCHSTACK, "error"),
            (WPORCHESTRIX, "error"),
            (CAPTAINCORE, "code"),
            (WISPANEL, "success"),
        ] {
            let (status, body, schemes) = shown(Some(dialect), Known::Owned);
            assert_eq!((status, schemes), (404, None), "{dialect}");
            assert!(body.get(member).is_some(), "{dialect}: {body}");
        }
    }
}
