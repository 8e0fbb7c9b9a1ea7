//! The frame, over a real store and a dialect made of counters.

mod fake;
mod fleet;
mod idempotency;
mod limits;
mod requests;
