//! The environments that a selector names.

mod ask;
mod picture;
mod plain;
mod read;

pub use ask::{Selected, Selection};
pub(crate) use picture::Picture;
pub use picture::PictureSize;
