//! The web console: pages rendered on the server, one stylesheet, one script.
//!
//! It has no logic of its own: a handler reads a request, calls one use case of
//! [`pressroom_fleet`] and renders what came back. It never touches the store, never
//! writes script or style into a page, and works without JavaScript.
//!
//! Start with [`routes::ROUTES`], the table from which the router is made; then
//! `session` and `csrf` (who may come in), `errors` (what a failure looks like) and
//! one page of `pages`. Markup is in `templates/`, what browsers load in `assets/`.

mod assets;
mod badge;
mod csrf;
mod errors;
mod frame;
mod headers;
mod moment;
mod pages;
mod prose;
pub mod routes;
mod session;
mod sse;
mod wording;

use axum::Router;
use pressroom_fleet::Fleet;

/// What may be configured about the console.
#[derive(Debug, Clone, Copy, Default)]
pub struct ConsoleConfig {
    /// Whether browsers reach it over TLS only: cookies are then `Secure` and bound
    /// to the host by the `__Host-` prefix.
    pub secure_cookies: bool,
}

/// What every handler is given.
#[derive(Clone)]
pub(crate) struct Console {
    pub(crate) fleet: Fleet,
    pub(crate) config: ConsoleConfig,
}

/// The console's routes, with a page for whatever is not found. Sign-in attempts are
/// counted by the peer's address, so serve it with connection information
/// ([`axum::extract::ConnectInfo`]).
pub fn router(fleet: Fleet, config: ConsoleConfig) -> Router {
    routes::router(Console { fleet, config })
}
