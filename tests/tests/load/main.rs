//! Many clients at once, and requests that nobody would write by hand.

mod clients;
mod schema;
