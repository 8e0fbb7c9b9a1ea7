//! Running WordPress installations as Pressroom knows them.

mod address;
mod below;
mod details;
mod find;
mod inspect;
mod keyed;
mod list;
mod select;
mod view;

pub(crate) use address::host_name;
pub use details::Details;
pub(crate) use find::Row;
pub(crate) use inspect::{kind_name, record_survey};
pub use list::EnvironmentFilter;
pub(crate) use select::Picture;
pub use select::{PictureSize, Selected, Selection};
