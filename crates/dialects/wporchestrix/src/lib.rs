//! The WPOrchestrix dialect: `/api/v1`, shared in part with another one.
//!
//! Handlers parse, call one use case and render. What is sent and received is in
//! [`wire`], every error text in `errors`, who is asking in `auth`, how its own tokens are
//! signed in `jwt`. Nothing is shared with another dialect but the frame. Start reading at
//! [`routes`], whose table names the contract row of each file.

mod accounts;
mod activity;
mod auth;
mod errors;
mod filters;
mod health;
mod jwt;
mod login;
mod me;
mod pages;
mod pair;
mod pipelines;
pub mod routes;
mod sites;
mod snapshots;
mod users;
pub mod webhooks;
pub mod wire;

use axum::http::HeaderMap;
use jwt::Keys;
use pressroom_dialect_http::{Answer, Dialect, Fault, Limits, Table};
use pressroom_fleet::{Fleet, Principal, requests::Rate};
use std::{net::IpAddr, sync::Arc, time::Duration};

/// The dialect.
pub struct WpOrchestrix {
    table: Table,
    limits: Limits,
    keys: Arc<Keys>,
}

impl WpOrchestrix {
    /// What the contract says: none. Signing in has its own, whoever asks.
    pub const LIMITS: Limits = Limits {
        per_token: Limits::ANY,
        per_address: Limits::ANY,
        window: Duration::from_mins(1),
    };

    /// The dialect with the contract's limits.
    pub fn new() -> Self {
        let keys = Arc::new(Keys::default());
        Self {
            table: routes::table(&keys),
            limits: Self::LIMITS,
            keys,
        }
    }
}

impl Default for WpOrchestrix {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait::async_trait]
impl Dialect for WpOrchestrix {
    fn name(&self) -> &'static str {
        pressroom_dialect_http::pick::WPORCHESTRIX
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
        auth::authenticate(&self.keys, fleet, headers, peer).await
    }

    fn render(&self, fault: &Fault, reference: &str) -> Answer {
        errors::render(fault, reference)
    }

    fn replayed(&self, answer: Answer) -> Answer {
        sites::with_location(answer)
    }

    fn rate_headers(&self, _: &Rate) -> HeaderMap {
        HeaderMap::new()
    }
}
