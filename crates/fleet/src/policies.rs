//! What is updated by itself, when, and what is not.
//!
//! An account and each of its sites may say something; what a site does not say is its
//! account's, and what neither says is the usual ([`UpdatePolicy::default`]): nothing is
//! updated by itself. The pipelines that a policy begins are those of `pipelines`.

mod effective;
mod rules;
mod set;
mod show;
mod target;
mod windows;
mod zone;

pub(crate) use effective::Effective;
pub use effective::{Origin, PolicyField, UpdatePolicy};
pub use rules::read_pattern;
pub(crate) use rules::{Offered, admit, is_excluded};
pub use set::{Seen, SetPolicy};
pub use show::{Hindrance, PolicyView, Standing};
pub use target::PolicyTarget;
pub use windows::{Day, Window};
pub(crate) use windows::{Openness, openness, timestamp};
pub(crate) use zone::{site_zone, zone};
