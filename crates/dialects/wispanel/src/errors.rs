//! Every error of this dialect: five members, always (contract §1.1).

use crate::wire::ErrorOut;
use axum::http::{HeaderValue, StatusCode, header};
use pressroom_base::Kind;
use pressroom_dialect_http::{Answer, Fault};
use pressroom_fleet::{Error, code};

const VALIDATION: &str = "VALIDATION_ERROR";
const UNAUTHORIZED: &str = "UNAUTHORIZED";
const FORBIDDEN: &str = "FORBIDDEN";
const NOT_FOUND: &str = "NOT_FOUND";
const CONFLICT: &str = "CONFLICT";
const LIMITED: &str = "RATE_LIMITED";
const INTERNAL: &str = "INTERNAL_ERROR";
const METHOD: &str = "METHOD_NOT_ALLOWED";
const REMOTE: &str = "WP_CLI_ERROR";
const UNAVAILABLE: &str = "WP_CLI_UNAVAILABLE";

const BAD_KEY: &str = "Invalid API key";
const OUT_OF_SCOPE: &str = "API key is not scoped for 'wordpress'";
const TOO_MANY: &str = "Too many requests";

/// Every status that an error can have, as the OpenAPI document tells it.
pub const STATUSES: &[(u16, &str)] = &[
    (400, "Something is missing, malformed, or of the wrong type"),
    (401, "No key, or one that is unknown, disabled, or expired"),
    (403, "The key does not open this, or not from this address"),
    (404, "There is no such thing, or it is somebody else's"),
    (405, "The path has other methods"),
    (
        409,
        "Something is in the way, or another operation is running there",
    ),
    (413, "The body is too large"),
    (422, "Well-formed, but impossible"),
    (429, "Too many requests in this minute"),
    (
        500,
        "A fault of Pressroom's own; the text has a reference to its log",
    ),
    (502, "The site, or the machine it is on, failed"),
    (503, "PHP cannot run there"),
];

/// Characters of a site's own message that are passed on.
const REMOTE_TEXT: usize = 500;

/// The answer for a fault.
pub fn render(fault: &Fault, reference: &str) -> Answer {
    let (status, code, text) = case(fault, reference);
    let out = ErrorOut::new(status.as_u16(), code, text);
    // Five plain members always serialize.
    let answer = Answer::json(status, &out).unwrap_or_else(|_| Answer::empty(status));
    if status == StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static(r#"Bearer realm="wispanel""#);
        return answer.with_header(header::WWW_AUTHENTICATE, scheme);
    }
    answer
}

fn case(fault: &Fault, reference: &str) -> (StatusCode, &'static str, String) {
    let bad = StatusCode::BAD_REQUEST;
    match fault {
        Fault::UseCase(error) => use_case(error, reference),
        Fault::NoCredential => (
            StatusCode::UNAUTHORIZED,
            UNAUTHORIZED,
            "Missing authorization".into(),
        ),
        Fault::BadCredential => (StatusCode::UNAUTHORIZED, UNAUTHORIZED, BAD_KEY.into()),
        Fault::OutOfScope => (StatusCode::FORBIDDEN, FORBIDDEN, OUT_OF_SCOPE.into()),
        Fault::Malformed(text) => (bad, VALIDATION, sentence(text)),
        Fault::InvalidJson => (bad, VALIDATION, "Invalid JSON".into()),
        Fault::Member { path, problem } => (
            bad,
            VALIDATION,
            format!("Invalid value for `{path}`: {problem}"),
        ),
        Fault::BodyTooLarge { limit } => (
            StatusCode::PAYLOAD_TOO_LARGE,
            VALIDATION,
            format!("Request body is larger than {limit} bytes"),
        ),
        Fault::LengthRequired => (
            StatusCode::LENGTH_REQUIRED,
            VALIDATION,
            "Content-Length is required".into(),
        ),
        Fault::UnsupportedMedia => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            VALIDATION,
            "Unsupported media type".into(),
        ),
        Fault::NoRoute => (StatusCode::NOT_FOUND, NOT_FOUND, "Route not found".into()),
        Fault::MethodNotAllowed { .. } => (
            StatusCode::METHOD_NOT_ALLOWED,
            METHOD,
            "Method not allowed".into(),
        ),
        Fault::Limited { .. } => (StatusCode::TOO_MANY_REQUESTS, LIMITED, TOO_MANY.into()),
        Fault::KeyReused => (
            StatusCode::UNPROCESSABLE_ENTITY,
            VALIDATION,
            "Idempotency-Key was already used with a different request".into(),
        ),
        Fault::KeyInProgress => (
            StatusCode::CONFLICT,
            CONFLICT,
            "A request with this Idempotency-Key is still running".into(),
        ),
        Fault::Panicked => internal(reference),
    }
}

fn use_case(error: &Error, reference: &str) -> (StatusCode, &'static str, String) {
    let text = sentence(error.message());
    match (error.kind(), error.code()) {
        (Kind::Invalid, Some(code::UNPROCESSABLE))
        | (Kind::Limited, Some(code::NO_ROOM))
        | (Kind::Unsupported, _) => (StatusCode::UNPROCESSABLE_ENTITY, VALIDATION, text),
        (Kind::Invalid, _) => (StatusCode::BAD_REQUEST, VALIDATION, text),
        (Kind::Unauthenticated, _) => (StatusCode::UNAUTHORIZED, UNAUTHORIZED, BAD_KEY.into()),
        (Kind::Forbidden, Some(code::OUT_OF_SCOPE)) => {
            (StatusCode::FORBIDDEN, FORBIDDEN, OUT_OF_SCOPE.into())
        }
        (Kind::Forbidden, Some(code::ADDRESS_NOT_ALLOWED)) => (
            StatusCode::FORBIDDEN,
            FORBIDDEN,
            "IP address not allowed".into(),
        ),
        (Kind::Forbidden, _) => (StatusCode::FORBIDDEN, FORBIDDEN, text),
        (Kind::NotFound, _) => (StatusCode::NOT_FOUND, NOT_FOUND, text),
        (Kind::Conflict, Some(code::ALREADY_INSTALLED)) => (
            StatusCode::CONFLICT,
            CONFLICT,
            "WordPress is already installed in this path".into(),
        ),
        (Kind::Conflict | Kind::Busy, Some(code::OPERATION_RUNNING)) => (
            StatusCode::CONFLICT,
            CONFLICT,
            "Another operation is running on this installation".into(),
        ),
        (Kind::Conflict | Kind::Busy, _) => (StatusCode::CONFLICT, CONFLICT, text),
        (Kind::Limited, _) => (StatusCode::TOO_MANY_REQUESTS, LIMITED, TOO_MANY.into()),
        (Kind::Unreachable, Some(code::PHP_UNAVAILABLE)) => {
            (StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE, cut(&text))
        }
        (Kind::Unreachable | Kind::Remote, _) => (StatusCode::BAD_GATEWAY, REMOTE, cut(&text)),
        (Kind::Internal, _) => internal(reference),
    }
}

fn internal(reference: &str) -> (StatusCode, &'static str, String) {
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        INTERNAL,
        format!("Internal server error (reference {reference})"),
    )
}

/// This dialect's texts begin with a capital letter.
pub(crate) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

fn cut(text: &str) -> String {
    text.chars().take(REMOTE_TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(fault: &Fault) -> String {
        let answer = render(fault, "r1");
        String::from_utf8(answer.body.to_vec()).expect("JSON is UTF-8")
    }

    #[test]
    fn every_kind_has_its_status_and_code() {
        let cases = [
            (Kind::Invalid, None, 400, VALIDATION),
            (Kind::Invalid, Some(code::UNPROCESSABLE), 422, VALIDATION),
            (Kind::Invalid, Some(code::PATH_ESCAPES), 400, VALIDATION),
            (Kind::Unauthenticated, None, 401, UNAUTHORIZED),
            (Kind::Forbidden, None, 403, FORBIDDEN),
            (Kind::NotFound, Some(code::FOREIGN), 404, NOT_FOUND),
            (Kind::Conflict, Some(code::NOT_EMPTY), 409, CONFLICT),
            (Kind::Busy, Some(code::OPERATION_RUNNING), 409, CONFLICT),
            (Kind::Limited, None, 429, LIMITED),
            (Kind::Limited, Some(code::NO_ROOM), 422, VALIDATION),
            (Kind::Unsupported, None, 422, VALIDATION),
            (Kind::Unreachable, None, 502, REMOTE),
            (
                Kind::Unreachable,
                Some(code::PHP_UNAVAILABLE),
                503,
                UNAVAILABLE,
            ),
            (Kind::Remote, Some(code::TAKEN_BACK), 502, REMOTE),
            (Kind::Internal, None, 500, INTERNAL),
        ];
        for (kind, named, status, code) in cases {
            let mut error = Error::new(kind, "the text");
            if let Some(named) = named {
                error = error.with_code(named);
            }
            let (got, name, _) = case(&Fault::UseCase(error), "r1");
            assert_eq!((got.as_u16(), name), (status, code), "{kind:?} {named:?}");
            assert!(STATUSES.iter().any(|(told, _)| *told == status), "{status}");
        }
    }

    #[test]
    fn there_are_five_members_and_two_of_them_are_the_same() {
        assert_eq!(
            shown(&Fault::UseCase(Error::not_found("job"))),
            r#"{"success":false,"code":"NOT_FOUND","error":"Job not found","message":"Job not found","status":404}"#
        );
    }

    #[test]
    fn a_fault_of_ours_shows_its_reference_only() {
        let text = shown(&Fault::UseCase(Error::new(
            Kind::Internal,
            "secret table names",
        )));
        assert!(
            text.contains("reference r1") && !text.contains("secret"),
            "{text}"
        );
    }

    #[test]
    fn a_sites_text_is_cut() {
        let long = "ä".repeat(2000);
        let (_, _, text) = case(&Fault::UseCase(Error::new(Kind::Remote, long)), "r1");
        assert_eq!(text.chars().count(), REMOTE_TEXT);
    }
}
