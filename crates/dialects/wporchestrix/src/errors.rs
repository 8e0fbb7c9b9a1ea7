//! Every error of this dialect: an object with the text `error`, and sometimes `errors`
//! (contract §1.1).

use crate::wire::ErrorOut;
use axum::http::{HeaderValue, StatusCode, header};
use pressroom_base::Kind;
use pressroom_dialect_http::{Answer, Fault};
use pressroom_fleet::{Error, code};

const UNAUTHORIZED: &str = "Unauthorized";
const BAD_LOGIN: &str = "Invalid email or password";
const BAD_REFRESH: &str = "Invalid refresh token";
const CODE_REQUIRED: &str = "otp_attempt_required";
const CODE_WRONG: &str = "otp_attempt_invalid";
const NOT_AUTHORIZED: &str = "Not authorized";
const NO_RECORD: &str = "Record not found";
const TOO_MANY: &str = "Too many attempts";
const TOO_LARGE: &str = "Payload too large";
const INTERNAL: &str = "Internal server error";

/// Every status that an error can have, as the OpenAPI document tells it.
pub const STATUSES: &[(u16, &str)] = &[
    (400, "The body is not JSON, or the request is malformed"),
    (
        401,
        "No credential, or one that opens nothing; or a wrong login",
    ),
    (403, "The role in the account is too low"),
    (404, "There is no such record, or it is another account's"),
    (405, "The path has other methods"),
    (411, "A body to be stored, of which no length is told"),
    (413, "The body is too large"),
    (415, "The body is of another kind than the call takes"),
    (422, "A value cannot be, or a code is asked for"),
    (429, "Too many failed attempts"),
    (500, "A fault of Pressroom's own"),
];

/// The answer for a fault.
pub fn render(fault: &Fault, _: &str) -> Answer {
    let (status, out) = case(fault);
    // A text and lists of texts always serialize.
    let answer = Answer::json(status, &out).unwrap_or_else(|_| Answer::empty(status));
    if status == StatusCode::UNAUTHORIZED {
        let schemes =
            HeaderValue::from_static(r#"Token realm="wporchestrix", Bearer realm="wporchestrix""#);
        return answer.with_header(header::WWW_AUTHENTICATE, schemes);
    }
    answer
}

fn case(fault: &Fault) -> (StatusCode, ErrorOut) {
    let (status, text) = match fault {
        Fault::UseCase(error) if !error.problems().is_empty() => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            let text = sentence(error.message());
            return (status, ErrorOut::of_problems(text, error.problems()));
        }
        Fault::UseCase(error) => use_case(error),
        Fault::NoCredential | Fault::BadCredential => {
            (StatusCode::UNAUTHORIZED, UNAUTHORIZED.into())
        }
        Fault::OutOfScope => (StatusCode::FORBIDDEN, NOT_AUTHORIZED.into()),
        Fault::Malformed(text) => (StatusCode::BAD_REQUEST, sentence(text)),
        Fault::InvalidJson => (StatusCode::BAD_REQUEST, "Invalid JSON".into()),
        Fault::Member { path, problem } => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return (status, ErrorOut::of_member(path, problem));
        }
        Fault::BodyTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE.into()),
        Fault::LengthRequired => (StatusCode::LENGTH_REQUIRED, "Length required".into()),
        Fault::UnsupportedMedia => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Unsupported media type".into(),
        ),
        Fault::NoRoute => (StatusCode::NOT_FOUND, "Not found".into()),
        Fault::MethodNotAllowed { .. } => {
            (StatusCode::METHOD_NOT_ALLOWED, "Method not allowed".into())
        }
        Fault::Limited { .. } => (StatusCode::TOO_MANY_REQUESTS, TOO_MANY.into()),
        Fault::KeyReused => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "Idempotency-Key was already used with a different request".into(),
        ),
        Fault::KeyInProgress => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "A request with this Idempotency-Key is still running".into(),
        ),
        Fault::Panicked => (StatusCode::INTERNAL_SERVER_ERROR, INTERNAL.into()),
    };
    (status, ErrorOut::new(text))
}

/// States and conflicts are 422 as well: the published list of statuses has no 409.
fn use_case(error: &Error) -> (StatusCode, String) {
    let impossible = StatusCode::UNPROCESSABLE_ENTITY;
    match (error.kind(), error.code()) {
        (_, Some(code::SECOND_FACTOR_REQUIRED)) => (impossible, CODE_REQUIRED.into()),
        (_, Some(code::SECOND_FACTOR_WRONG)) => (impossible, CODE_WRONG.into()),
        (Kind::Unauthenticated, Some(code::WRONG_LOGIN)) => {
            (StatusCode::UNAUTHORIZED, BAD_LOGIN.into())
        }
        (Kind::Unauthenticated, Some(code::NOT_EXCHANGED)) => {
            (StatusCode::UNAUTHORIZED, BAD_REFRESH.into())
        }
        (Kind::Unauthenticated, _) => (StatusCode::UNAUTHORIZED, UNAUTHORIZED.into()),
        (Kind::Forbidden, _) => (StatusCode::FORBIDDEN, NOT_AUTHORIZED.into()),
        (Kind::NotFound, _) => (StatusCode::NOT_FOUND, NO_RECORD.into()),
        (Kind::Limited, Some(code::TOO_LARGE)) => (StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE.into()),
        (Kind::Limited, None) => (StatusCode::TOO_MANY_REQUESTS, TOO_MANY.into()),
        (
            Kind::Limited
            | Kind::Invalid
            | Kind::Conflict
            | Kind::Busy
            | Kind::Unsupported
            | Kind::Unreachable
            | Kind::Remote,
            _,
        ) => (impossible, sentence(error.message())),
        (Kind::Internal, _) => (StatusCode::INTERNAL_SERVER_ERROR, INTERNAL.into()),
    }
}

/// The connector's plugin is told of, and is not there yet.
pub fn no_connector() -> Result<Answer, Fault> {
    let text = "The connector is not part of this version; connect the site over SSH, or as a \
                local one";
    Answer::json(StatusCode::NOT_FOUND, &ErrorOut::new(text.into()))
}

/// This dialect's texts begin with a capital letter.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
