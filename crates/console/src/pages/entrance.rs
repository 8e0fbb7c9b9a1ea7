//! The way in, and what answers where nothing is.

use crate::{Console, errors::Failure, session};
use axum::{extract::State, http::HeaderMap, response::Redirect};

/// `GET /`
pub(crate) async fn home(
    State(console): State<Console>,
    headers: HeaderMap,
) -> Result<Redirect, Failure> {
    let target = match session::resume(&console, &headers).await? {
        Some(_) => "/fleet",
        None => "/sign-in",
    };
    Ok(Redirect::to(target))
}

/// Any other address.
pub(crate) async fn missing() -> Failure {
    Failure::missing()
}
