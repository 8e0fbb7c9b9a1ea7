//! A site's tables: searched and replaced, exported, imported.

mod export;
mod import;
mod replace;

pub use export::{ExportReport, MissingRight};
pub use import::ImportDatabase;
pub(crate) use import::ImportJob;
pub(crate) use replace::ReplaceJob;
pub use replace::{ObjectRule, ReplaceReport, Replaced, SearchReplace};
