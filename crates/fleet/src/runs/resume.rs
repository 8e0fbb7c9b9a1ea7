//! Doing what a run left undone. A run whose worker was lost needs none of that: the next
//! worker goes on with it. This is for one that is over.

use super::{Bounds, NewRun, Operation, Run};
use crate::{Caller, Error, Fleet, Result, views::Environment};
use pressroom_base::id::EnvironmentId;
use pressroom_store::{Page, RunItemState, Scope, environments, runs};
use std::{collections::HashMap, time::Duration};

/// What resuming a run led to.
#[derive(Debug, Clone)]
pub enum Resumed {
    /// It is not over, or another that does its rest is not: that goes on by itself.
    Open(Run),
    /// A new run does the rest.
    Started(Run),
    /// There is no rest.
    Nothing(Run),
}

impl Fleet {
    /// Starts a run over those sites of an earlier one where nothing was begun (`cancelled`
    /// before its turn, `skipped`), and with `again` over all where it was not done:
    /// failed, timed out, stopped midway, interrupted. Only whoever asks knows whether a
    /// second time does harm.
    ///
    /// Errors: as [`Fleet::start_run`]; `NotFound` for an unknown run.
    pub async fn resume_run(&self, caller: &Caller, id: &str, again: bool) -> Result<Resumed> {
        let row = self.run_row(caller, id).await?;
        let scope = caller.principal.scope();
        if row.ended_at.is_none() {
            return Ok(Resumed::Open(self.run_view(row, &scope).await?));
        }
        let store = &self.parts.store;
        let mut items = runs::items(store, row.id, &Scope::All, Page::ALL).await?;
        let ids = items.iter().map(|item| item.environment_id);
        let places: HashMap<EnvironmentId, usize> = ids.zip(0..).collect();
        // What was resumed before counts as it ended then.
        let mut later = runs::resumed_from(store, row.id).await?;
        while let Some(one) = later.pop() {
            if one.ended_at.is_none() {
                return Ok(Resumed::Open(self.run_view(one, &scope).await?));
            }
            later.extend(runs::resumed_from(store, one.id).await?);
            for ended in runs::items(store, one.id, &Scope::All, Page::ALL).await? {
                let place = places.get(&ended.environment_id);
                let item = place.and_then(|place| items.get_mut(*place));
                if let Some(item) = item.filter(|item| item.run_id < ended.run_id) {
                    *item = ended;
                }
            }
        }
        let mut left: Vec<Environment> = Vec::new();
        for item in items {
            let never_begun = item.started_at.is_none();
            if item.state == RunItemState::Done || !(again || never_begun) {
                continue;
            }
            // What is gone cannot be done any more.
            if let Some(environment) = environments::get(store, item.environment_id).await? {
                left.push(self.view(environment).await?);
            }
        }
        if left.is_empty() {
            return Ok(Resumed::Nothing(self.run_view(row, &scope).await?));
        }
        let operation: Operation =
            serde_json::from_value(row.operation.clone()).map_err(Error::internal)?;
        let targets = self.permitted_targets(caller, &operation, left).await?;
        let new = NewRun {
            selector: row.selector.clone(),
            operation,
            bounds: Bounds {
                at_once: u16::try_from(row.at_once).unwrap_or(1),
                per_host: u16::try_from(row.per_host).unwrap_or(1),
                wait: Duration::from_millis(u64::try_from(row.wait_ms).unwrap_or(0)),
            },
        };
        let new = self.queue_run(caller, new, targets, Some(row.id)).await?;
        Ok(Resumed::Started(self.run_view(new, &scope).await?))
    }
}
