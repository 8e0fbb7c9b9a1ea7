//! Finding runs, and what became of their items. A run is its asker's own, and operators'.
//! Of its items one sees those whose environments are one's own now.

use super::{Printed, Run, RunItem};
use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Action, authorize_list},
    code,
};
use pressroom_store::{Page, RunRow, runs};

/// Pieces of output per call.
const PIECES: i64 = 64;

impl Fleet {
    /// One run, by its `run_…`; somebody else's is `NotFound` with [`crate::code::FOREIGN`].
    pub async fn find_run(&self, caller: &Caller, id: &str) -> Result<Run> {
        let row = self.run_row(caller, id).await?;
        self.run_view(row, &caller.principal.scope()).await
    }

    /// Runs, newest first; at most `limit`.
    pub async fn list_runs(&self, caller: &Caller, limit: u64) -> Result<Vec<Run>> {
        authorize_list(&caller.principal, Action::SiteRead)?;
        let of = if caller.principal.is_operator() {
            None
        } else {
            caller.principal.user_id()
        };
        let rows = runs::list(&self.parts.store, of, Page::first(limit)).await?;
        let scope = caller.principal.scope();
        let mut views = Vec::with_capacity(rows.len());
        for row in rows {
            views.push(self.run_view(row, &scope).await?);
        }
        Ok(views)
    }

    /// At most `limit` items of a run after the first `offset`, in order.
    pub async fn run_items(
        &self,
        caller: &Caller,
        id: &str,
        offset: u64,
        limit: u64,
    ) -> Result<Vec<RunItem>> {
        let row = self.run_row(caller, id).await?;
        let page = Page { limit, offset };
        let scope = caller.principal.scope();
        let items = runs::items(&self.parts.store, row.id, &scope, page).await?;
        Ok(items.into_iter().map(RunItem::from).collect())
    }

    /// What an item printed after piece `after`, in order; nothing when that is all so far.
    pub async fn run_output(
        &self,
        caller: &Caller,
        id: &str,
        ordinal: i32,
        after: i32,
    ) -> Result<Vec<Printed>> {
        let row = self.run_row(caller, id).await?;
        let scope = caller.principal.scope();
        let item = runs::item_at(&self.parts.store, row.id, &scope, ordinal)
            .await?
            .ok_or_else(|| Error::not_found("item"))?;
        let pieces = runs::output_after(&self.parts.store, item.id, after, PIECES).await?;
        Ok(pieces.into_iter().map(Printed::from).collect())
    }

    pub(super) async fn run_row(&self, caller: &Caller, id: &str) -> Result<RunRow> {
        authorize_list(&caller.principal, Action::SiteRead)?;
        let missing = || Error::not_found("run");
        let row = runs::by_public_id(&self.parts.store, id)
            .await?
            .ok_or_else(missing)?;
        let own = row.requested_by.is_some() && row.requested_by == caller.principal.user_id();
        if own || caller.principal.is_operator() {
            return Ok(row);
        }
        Err(missing().with_code(code::FOREIGN))
    }
}
