//! How sites are: looked at when it is time and when somebody asks, from where their
//! visitors are and from inside.
//!
//! *Served* and *alive* are two signals: what visitors get, from whatever cache, and what
//! WordPress makes when it is asked anew. A look says what it found of each, and of what
//! it could not look at that it did not. What one look means for the site is decided in
//! one place (`memory.rs`) and written in one transaction with its events (`record.rs`).

mod ask;
mod check;
mod closer;
mod finding;
mod inside;
mod limit;
mod list;
mod memory;
mod offers;
mod outside;
mod pages;
mod php;
mod record;
mod schedule;
mod settings;
mod standing;
mod sweep;
mod target;
mod view;

pub use ask::Asked;
pub use check::{Check, CheckName, Verdict};
pub use list::HealthQuery;
pub use pressroom_store::{CheckKind, CheckStatus};
pub use schedule::Pace;
pub use settings::HealthSettings;
pub use standing::Standing;
pub use view::HealthCheck;
