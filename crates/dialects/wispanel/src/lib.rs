//! The WisPanel WordPress Toolkit dialect: `/api/v1/wordpress/*`.
//!
//! Handlers parse, call one use case and render. What is sent and received is in
//! [`wire`], every error text in `errors`, who is asking in `auth`. Nothing is shared
//! with another dialect but the frame. Start reading at [`routes`], whose table names
//! the contract row of each file.

mod admin;
mod auth;
mod backups;
mod cache;
mod checksums;
mod clone;
mod components;
mod core;
mod delete;
mod errors;
mod install;
mod installations;
mod keys;
mod login;
mod lookup;
mod maintenance;
mod plugins;
mod progress;
mod replace;
pub mod routes;
mod security;
#[cfg(test)]
mod testing;
mod themes;
pub mod wire;
mod work;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use pressroom_dialect_http::{Answer, Dialect, Fault, Limits, Table};
use pressroom_fleet::{Fleet, Principal, requests::Rate};
use std::{net::IpAddr, time::Duration};

/// The dialect.
pub struct WisPanel {
    table: Table,
    limits: Limits,
}

impl WisPanel {
    /// What the contract says: 60 requests a minute for one token, and for one
    /// address without a valid one.
    pub const LIMITS: Limits = Limits {
        per_token: 60,
        per_address: 60,
        window: Duration::from_mins(1),
    };

    /// The dialect with the contract's limits.
    pub fn new() -> Self {
        Self::with_limits(Self::LIMITS)
    }

    /// The dialect with other limits.
    pub fn with_limits(limits: Limits) -> Self {
        Self {
            table: routes::table(),
            limits,
        }
    }
}

impl Default for WisPanel {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait::async_trait]
impl Dialect for WisPanel {
    fn name(&self) -> &'static str {
        "wispanel"
    }

    fn table(&self) -> &Table {
        &self.table
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    async fn authenticate(
        &self,
        fleet: &Fleet,
        headers: &HeaderMap,
        peer: IpAddr,
    ) -> Result<Principal, Fault> {
        auth::authenticate(fleet, headers, peer).await
    }

    fn render(&self, fault: &Fault, reference: &str) -> Answer {
        errors::render(fault, reference)
    }

    fn rate_headers(&self, rate: &Rate) -> HeaderMap {
        HeaderMap::from_iter([
            header("x-ratelimit-limit", rate.limit.into()),
            header("x-ratelimit-remaining", rate.remaining.into()),
            // A Unix time, not a delay (contract §7.2).
            header("x-ratelimit-reset", rate.reset_at.into()),
        ])
    }
}

const fn header(name: &'static str, value: HeaderValue) -> (HeaderName, HeaderValue) {
    (HeaderName::from_static(name), value)
}
