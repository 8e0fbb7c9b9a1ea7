//! Stopping a run.

use super::Run;
use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Action, Resource, authorize},
};
use pressroom_base::catalog::event;
use pressroom_jobs::CancelOutcome;
use pressroom_store::{
    Page, RunItemEnd, RunItemState, RunRow, RunState, Scope, jobs::Cancellation, runs,
};
use serde_json::json;
use std::collections::BTreeSet;

impl Fleet {
    /// Asks a run to stop: what waits never begins, what runs is stopped. Stopping one that
    /// is over already changes nothing.
    ///
    /// Errors: `NotFound`; `Forbidden` for whom may not do there what the run does.
    pub async fn cancel_run(&self, caller: &Caller, id: &str, reason: &str) -> Result<Run> {
        let row = self.run_row(caller, id).await?;
        let scope = caller.principal.scope();
        if row.ended_at.is_some() {
            return self.run_view(row, &scope).await;
        }
        self.may_stop(caller, &row).await?;
        let tx = self.parts.store.begin().await?;
        if let Some(job) = row.job_id {
            // One that no worker ever had needs none to be over.
            let outcome = pressroom_store::jobs::queue::request_cancel(
                &tx,
                job,
                reason,
                Cancellation::default(),
            )
            .await?;
            if outcome == CancelOutcome::Cancelled {
                let never =
                    RunItemEnd::new(RunItemState::Cancelled, "stopped before its turn came");
                runs::end_all(&tx, row.id, RunItemState::Waiting, &never).await?;
                runs::end(&tx, row.id, RunState::Cancelled).await?;
            }
        }
        let told = json!({ "run": row.public_id, "reason": reason });
        self.note(&tx, caller, event::JOB_CANCEL_REQUESTED, None, told)
            .await?;
        tx.commit().await?;
        let row = runs::get(&self.parts.store, row.id)
            .await?
            .ok_or_else(|| Error::not_found("run"))?;
        self.run_view(row, &scope).await
    }

    /// Whoever stops a run must be allowed what it does, wherever it has not ended.
    async fn may_stop(&self, caller: &Caller, row: &RunRow) -> Result<()> {
        if caller.principal.is_operator() {
            return authorize(&caller.principal, Action::JobCancel, Resource::Installation);
        }
        let items = runs::items(&self.parts.store, row.id, &Scope::All, Page::ALL).await?;
        let accounts: BTreeSet<_> = items
            .into_iter()
            .filter(|item| !item.state.is_final())
            .map(|item| item.account_id)
            .collect();
        let operation: super::Operation =
            serde_json::from_value(row.operation.clone()).map_err(Error::internal)?;
        for account in accounts {
            let owner = Resource::OfAccount(account);
            authorize(&caller.principal, Action::JobCancel, owner)?;
            authorize(&caller.principal, operation.action(), owner)?;
        }
        Ok(())
    }
}
