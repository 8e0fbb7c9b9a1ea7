//! Job rows as faces see them.

use crate::{
    Fleet, Result, code,
    views::{Job, JobError, Step},
};
use pressroom_base::Kind;
use pressroom_store::{JobRow, JobState, StepRow, domains, environments, jobs};

impl Fleet {
    /// A job with its steps and the names of what it works on.
    pub(super) async fn job_view(&self, row: JobRow) -> Result<Job> {
        let store = &self.parts.store;
        let steps = jobs::steps(store, row.id).await?;
        let mut panel_id = text(&row, "panel_id");
        let mut domain = text(&row, "domain");
        if let Some(id) = row.environment_id
            && let Some(environment) = environments::get(store, id).await?
        {
            panel_id = Some(environment.panel_id);
            if let Some(id) = environment.domain_id {
                domain = domains::get(store, id).await?.map(|row| row.name);
            }
        }
        Ok(view(row, panel_id, domain, steps))
    }
}

/// A member of the job's payload: what is left of an environment that is gone.
fn text(row: &JobRow, member: &str) -> Option<String> {
    row.payload.get(member)?.as_str().map(str::to_owned)
}

fn view(
    row: JobRow,
    panel_id: Option<String>,
    domain: Option<String>,
    steps: Vec<StepRow>,
) -> Job {
    let failed = matches!(
        row.state,
        JobState::Failed | JobState::Dead | JobState::Cancelled
    );
    let error = (failed || row.error_message.is_some()).then(|| JobError {
        kind: row.error_kind.unwrap_or(Kind::Internal),
        code: row.error_code.as_deref().and_then(code::known).map(str::to_owned),
        message: row
            .error_message
            .unwrap_or_else(|| "the job did not complete".to_owned()),
        hint: row.error_hint,
    });
    Job {
        id: row.id,
        public_id: row.public_id,
        kind: row.kind,
        environment_id: row.environment_id,
        panel_id,
        domain,
        account_id: row.account_id,
        state: row.state.as_str().to_owned(),
        progress: row.progress,
        step: row.step,
        message: row.message,
        steps: steps
            .into_iter()
            .map(|step| Step {
                name: step.name,
                state: step.state.as_str().to_owned(),
            })
            .collect(),
        result: row.result,
        error,
        requested_by: row.requested_by,
        created_at: row.created_at,
        started_at: row.started_at,
        finished_at: row.finished_at,
    }
}
