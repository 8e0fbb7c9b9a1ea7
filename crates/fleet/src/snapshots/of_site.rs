//! The snapshots of a site, as programs ask for them.

use super::Snapshot;
use crate::{Caller, Error, Fleet, Result, authorize::Action};
use pressroom_base::id::{ShortId, SiteId};
use pressroom_store::{
    Page, Scope, SnapshotCause, SnapshotContents, SnapshotFilter, SnapshotRow, SnapshotState,
    pipelines, snapshots,
};
use pressroom_wordpress::snapshot::Contents;

/// Which snapshots are asked for; nothing is all that were not removed by somebody.
#[derive(Debug, Clone, Default)]
pub struct SnapshotQuery {
    /// In this state.
    pub state: Option<SnapshotState>,
    /// With such contents.
    pub contents: Option<Contents>,
}

impl Fleet {
    /// The snapshots of the site that programs call so, newest first, without those that
    /// somebody removed; and how many there are in all.
    ///
    /// Errors: `NotFound`, with [`crate::code::FOREIGN`] where the site is another account's.
    pub async fn list_site_snapshots(
        &self,
        caller: &Caller,
        site: &ShortId,
        query: SnapshotQuery,
        limit: u64,
        offset: u64,
    ) -> Result<(Vec<Snapshot>, u64)> {
        let site = self.site_for(caller, Action::SiteRead, site).await?;
        let states = match query.state {
            Some(SnapshotState::Deleted) => return Ok((Vec::new(), 0)),
            Some(state) => vec![state],
            None => not_removed(),
        };
        let filter = SnapshotFilter {
            site_id: Some(site.id),
            states,
            contents: query.contents.map(recorded),
            ..SnapshotFilter::default()
        };
        let store = &self.parts.store;
        let total = snapshots::count(store, &Scope::All, &filter).await?;
        let page = Page { limit, offset };
        let rows = snapshots::list(store, &Scope::All, &filter, page).await?;
        Ok((self.with_pipelines(site.id, rows).await?, total))
    }

    /// One of them; `NotFound` where it is another site's, or was removed.
    pub async fn find_site_snapshot(
        &self,
        caller: &Caller,
        site: &ShortId,
        id: &ShortId,
    ) -> Result<Snapshot> {
        let row = self
            .site_snapshot(caller, Action::SiteRead, site, id)
            .await?;
        let site = row.site_id.ok_or_else(|| Error::not_found("snapshot"))?;
        let mut found = self.with_pipelines(site, vec![row]).await?;
        found.pop().ok_or_else(|| Error::not_found("snapshot"))
    }

    /// Snapshots of a site as faces see them, with the pipelines that they were taken for.
    async fn with_pipelines(&self, site: SiteId, rows: Vec<SnapshotRow>) -> Result<Vec<Snapshot>> {
        let taken: Vec<_> = rows
            .iter()
            .filter(|row| row.cause == SnapshotCause::Upgrade)
            .map(|row| row.short_id.clone())
            .collect();
        let pipelines = pipelines::of_snapshots(&self.parts.store, site, &taken).await?;
        let view = |row: SnapshotRow| {
            let pipeline = pipelines
                .get(row.short_id.as_str())
                .map(ToString::to_string);
            Snapshot {
                pipeline,
                ..row.into()
            }
        };
        Ok(rows.into_iter().map(view).collect())
    }

    /// The row of one, for this action.
    pub(super) async fn site_snapshot(
        &self,
        caller: &Caller,
        action: Action,
        site: &ShortId,
        id: &ShortId,
    ) -> Result<SnapshotRow> {
        let site = self.site_for(caller, action, site).await?;
        let found = snapshots::by_short_id(&self.parts.store, &Scope::All, id).await?;
        found
            .found()
            .filter(|row| row.site_id == Some(site.id) && row.state != SnapshotState::Deleted)
            .ok_or_else(|| Error::not_found("snapshot"))
    }
}

/// Every state but that of what somebody removed.
pub(super) fn not_removed() -> Vec<SnapshotState> {
    SnapshotState::ALL
        .iter()
        .copied()
        .filter(|state| *state != SnapshotState::Deleted)
        .collect()
}

const fn recorded(contents: Contents) -> SnapshotContents {
    super::create::recorded(contents)
}
