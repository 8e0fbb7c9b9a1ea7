//! The frame, over a real store and a dialect made of counters.

mod download;
mod fake;
mod fleet;
mod idempotency;
mod kept;
mod limits;
mod requests;
mod streams;
