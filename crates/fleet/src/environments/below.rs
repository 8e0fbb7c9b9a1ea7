//! Sites in the directory of another.

use crate::{Fleet, Result, reach::Shared};
use pressroom_store::{EnvironmentRow, EnvironmentState, environments};

impl Fleet {
    /// Where other sites of the domain stand below a site's directory, relative to it.
    /// They are sites of their own: what is done to its files is not done to theirs.
    pub(crate) async fn sites_below(&self, row: &EnvironmentRow) -> Result<Vec<String>> {
        let others = match Shared::of(row) {
            None => Vec::new(),
            Some(Shared::Domain(domain)) => self.environments_of_domain(domain).await?,
            Some(Shared::Home { host, home }) => {
                environments::in_home(&self.parts.store, host, &home).await?
            }
        };
        Ok(others
            .iter()
            .filter(|other| other.id != row.id && other.state != EnvironmentState::Failed)
            .filter_map(|other| other.path.strip_prefix(row.path.as_str()))
            .filter_map(|below| below.strip_prefix('/'))
            .map(str::to_owned)
            .collect())
    }
}
