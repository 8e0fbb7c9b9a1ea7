//! Pressroom's own health.
mod doctor;
mod php;
mod ready;
pub use doctor::Check;
