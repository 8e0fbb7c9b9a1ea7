//! A site's tables: searched and replaced, exported, imported.

mod export;
mod import;
mod replace;

pub use export::{ExportReport, MissingRight};
pub(crate) use import::ImportJob;
pub use import::ImportDatabase;
pub(crate) use replace::ReplaceJob;
pub use replace::{ReplaceReport, SearchReplace};

use crate::Fleet;
use pressroom_agent::protocol::SiteRef;
use pressroom_store::EnvironmentRow;

impl Fleet {
    /// How database operations name a site.
    pub(crate) fn site_ref(&self, row: &EnvironmentRow) -> SiteRef {
        SiteRef {
            root: row.path.clone(),
            php: Some(self.parts.settings.php.clone()),
        }
    }
}
