//! Pressroom's own health.
mod doctor;
mod php;
mod ready;
mod tidy;
pub use doctor::Check;
