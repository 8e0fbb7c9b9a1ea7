//! The object store: keys, streams in and out, listings; a directory or S3.

mod backend;
mod calls;
mod directory;
mod door;
mod key;
mod part_upload;
mod reader;
mod s3;
mod upload;

pub use backend::{ObjectInfo, Objects};
pub use door::Unfinished;
pub use key::Key;
pub use reader::ObjectReader;
pub use s3::S3Config;
pub use upload::{Stored, Upload};
