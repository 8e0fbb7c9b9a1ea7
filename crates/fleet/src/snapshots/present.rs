//! Whether what the records call ready is there.

use super::create::place_of;
use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Action, Resource, authorize},
};
use pressroom_store::{Page, Scope, SnapshotFilter, SnapshotState, snapshots};

/// Records read at a time.
const PAGE: u64 = 200;

impl Fleet {
    /// How many snapshots are recorded as ready, and those of them that the archive does
    /// not have in the size it stored: their names, each with what is wrong. Nothing is
    /// read back; that is [`Fleet::verify_snapshot`].
    pub async fn missing_snapshots(&self, caller: &Caller) -> Result<(u64, Vec<String>)> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let filter = SnapshotFilter {
            states: vec![SnapshotState::Ready],
            ..SnapshotFilter::default()
        };
        let (mut ready, mut missing) = (0, Vec::new());
        loop {
            let page = Page {
                limit: PAGE,
                offset: ready,
            };
            let rows = snapshots::list(&self.parts.store, &Scope::All, &filter, page).await?;
            if rows.is_empty() {
                return Ok((ready, missing));
            }
            ready += rows.len() as u64;
            for row in &rows {
                if let Err(error) = self.parts.archive.open(&place_of(row)?).await {
                    missing.push(format!(
                        "{}: {}",
                        row.public_id,
                        Error::from(error).message()
                    ));
                }
            }
        }
    }
}
