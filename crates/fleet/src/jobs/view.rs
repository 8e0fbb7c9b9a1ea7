//! Job rows as faces see them.

use crate::{
    Fleet, Result, code,
    environments::host_name,
    views::{Job, JobError, Step},
};
use pressroom_base::{Kind, id::EnvironmentId};
use pressroom_store::{JobRow, JobState, StepRow, domains, environments, jobs};
use std::collections::HashMap;

impl Fleet {
    /// A job with its steps and the names of what it works on.
    pub(crate) async fn job_view(&self, row: JobRow) -> Result<Job> {
        let steps = jobs::steps(&self.parts.store, row.id).await?;
        let names = self.job_names(&row).await?;
        Ok(view(row, &names, steps))
    }

    /// Many jobs, without their steps; each environment is looked up once.
    pub(super) async fn job_views(&self, rows: Vec<JobRow>) -> Result<Vec<Job>> {
        let mut known: HashMap<Option<EnvironmentId>, JobNames> = HashMap::new();
        let mut views = Vec::with_capacity(rows.len());
        for row in rows {
            let names = match known.get(&row.environment_id) {
                Some(names) if row.environment_id.is_some() => names.clone(),
                _ => self.job_names(&row).await?,
            };
            known.insert(row.environment_id, names.clone());
            views.push(view(row, &names, Vec::new()));
        }
        Ok(views)
    }

    async fn job_names(&self, row: &JobRow) -> Result<JobNames> {
        let store = &self.parts.store;
        let mut names = JobNames {
            panel_id: text(row, "panel_id"),
            domain: text(row, "domain"),
        };
        if let Some(id) = row.environment_id
            && let Some(environment) = environments::get(store, id).await?
        {
            names.domain = match environment.domain_id {
                Some(id) => domains::get(store, id).await?.map(|row| row.name),
                None => Some(host_name(&environment).to_owned()),
            };
            names.panel_id = Some(environment.panel_id);
        }
        Ok(names)
    }
}

/// What people call the thing a job works on.
#[derive(Clone)]
struct JobNames {
    panel_id: Option<String>,
    domain: Option<String>,
}

/// A member of the job's payload: what is left of an environment that is gone.
fn text(row: &JobRow, member: &str) -> Option<String> {
    row.payload.get(member)?.as_str().map(str::to_owned)
}

fn view(row: JobRow, names: &JobNames, steps: Vec<StepRow>) -> Job {
    let failed = matches!(
        row.state,
        JobState::Failed | JobState::Dead | JobState::Cancelled
    );
    let error = (failed || row.error_message.is_some()).then(|| JobError {
        kind: row.error_kind.unwrap_or(Kind::Internal),
        code: row
            .error_code
            .as_deref()
            .and_then(code::known)
            .map(str::to_owned),
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
        panel_id: names.panel_id.clone(),
        domain: names.domain.clone(),
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
        keeps_secret: row.result_sealed.is_some(),
    }
}
