//! Sites in the directory of another.

use crate::{Fleet, Result};
use pressroom_store::{EnvironmentRow, EnvironmentState, environments};

impl Fleet {
    /// Where other sites of the domain stand below a site's directory, relative to it.
    /// They are sites of their own: what is done to its files is not done to theirs.
    pub(crate) async fn sites_below(&self, row: &EnvironmentRow) -> Result<Vec<String>> {
        let Some(domain) = row.domain_id else {
            return Ok(Vec::new());
        };
        let store = &self.parts.store;
        let mut below = Vec::new();
        for id in environments::in_domain(store, domain).await? {
            let Some(other) = environments::get(store, id).await? else {
                continue;
            };
            let path = other.path.strip_prefix(row.path.as_str());
            if let Some(path) = path.and_then(|path| path.strip_prefix('/'))
                && other.id != row.id
                && other.state != EnvironmentState::Failed
            {
                below.push(path.to_owned());
            }
        }
        Ok(below)
    }
}
