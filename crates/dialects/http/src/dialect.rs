//! What a dialect brings along; everything else is the frame's.

use crate::{Answer, Fault, Table};
use axum::http::HeaderMap;
use pressroom_fleet::{Fleet, Principal, requests::Rate};
use std::{net::IpAddr, time::Duration};

/// One public API.
#[async_trait::async_trait]
pub trait Dialect: Send + Sync + 'static {
    /// Its name in configuration, metrics and logs.
    fn name(&self) -> &'static str;

    /// Its routes.
    fn table(&self) -> &Table;

    /// How much it lets through.
    fn limits(&self) -> Limits;

    /// Who is asking. [`Fault::NoCredential`], [`Fault::BadCredential`] and refused
    /// addresses count against the caller's address.
    async fn authenticate(
        &self,
        fleet: &Fleet,
        headers: &HeaderMap,
        peer: IpAddr,
    ) -> Result<Principal, Fault>;

    /// The answer for a fault. `reference` finds the log entry of an internal error;
    /// such an error's text must not be shown.
    fn render(&self, fault: &Fault, reference: &str) -> Answer;

    /// An answer that is given again for an idempotency key: kept are status and body, and
    /// headers that go with them are to be put together anew.
    fn replayed(&self, answer: Answer) -> Answer {
        answer
    }

    /// The headers that tell an authenticated caller about its window.
    fn rate_headers(&self, rate: &Rate) -> HeaderMap;
}

/// How many requests a dialect lets through in one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For one token.
    pub per_token: u32,
    /// For one address without a valid credential.
    pub per_address: u32,
    /// The window, opened by the first request.
    pub window: Duration,
}

impl Limits {
    /// A number of requests that means as many as one likes; they are not counted.
    pub const ANY: u32 = u32::MAX;
}
