//! What every HTTP face needs around a use case: rates and repetitions.
mod idempotency;
mod rate;
pub use idempotency::Begin;
pub use rate::Rate;
