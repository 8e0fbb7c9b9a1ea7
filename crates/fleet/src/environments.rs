//! Running WordPress installations as Pressroom knows them.

mod below;
mod find;
mod inspect;
mod list;
mod view;

pub(crate) use find::Row;
pub(crate) use inspect::record_survey;
pub use list::EnvironmentFilter;
