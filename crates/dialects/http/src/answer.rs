//! A response before it meets HTTP: small enough to be stored and given again.

use crate::Fault;
use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use pressroom_fleet::Error;
use serde::Serialize;

/// The content type of everything that is not a problem document.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What a handler, or a dialect's error function, answers. Not `Debug`: it may carry
/// a password shown once.
#[derive(Clone)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers, content type included.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Answer {
    /// `value` as JSON.
    pub fn json(status: StatusCode, value: &impl Serialize) -> Result<Self, Fault> {
        let body = serde_json::to_vec(value).map_err(Error::internal)?;
        Ok(Self::bytes(status, JSON, body.into()))
    }

    /// 200 with `value` as JSON.
    pub fn ok(value: &impl Serialize) -> Result<Self, Fault> {
        Self::json(StatusCode::OK, value)
    }

    /// 201 with `value` as JSON.
    pub fn created(value: &impl Serialize) -> Result<Self, Fault> {
        Self::json(StatusCode::CREATED, value)
    }

    /// A body already rendered.
    pub fn bytes(status: StatusCode, content_type: HeaderValue, body: Bytes) -> Self {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, content_type)]);
        Self {
            status,
            headers,
            body,
        }
    }

    /// No body at all.
    pub fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// With one more header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// As HTTP. For `HEAD` the body is left out, its length is told.
    pub(crate) fn into_response(self, head: bool) -> Response {
        let length = self.body.len();
        let body = if head { Bytes::new() } else { self.body };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        if head {
            response
                .headers_mut()
                .insert(header::CONTENT_LENGTH, length.into());
        }
        response
    }
}
