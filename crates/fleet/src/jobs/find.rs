//! Finding a job.

use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Action, Resource, authorize},
    code,
    views::Job,
};
use futures_util::StreamExt as _;
use pressroom_base::{Kind, Secret, id::JobId};
use pressroom_store::{JobFilter, JobRow, Lookup, Page, Scope, environments, jobs};
use std::{pin::pin, time::Duration};

/// How a job may be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobRef {
    /// By row.
    Id(JobId),
    /// By `job_…`.
    Public(String),
    /// The newest job of the environment with this panel id.
    OfEnvironment(String),
}

impl Fleet {
    /// One job; of another account it is `NotFound` with [`crate::code::FOREIGN`].
    pub async fn find_job(&self, caller: &Caller, job: &JobRef) -> Result<Job> {
        let row = self.job_row(caller, Action::SiteRead, job).await?;
        self.job_view(row).await
    }

    /// Waits until the job is final, at most this long, and answers it as it is then.
    pub async fn wait_for_job(&self, caller: &Caller, id: JobId, at_most: Duration) -> Result<Job> {
        let row = self
            .job_row(caller, Action::SiteRead, &JobRef::Id(id))
            .await?;
        if !row.state.is_final() {
            let mut updates = pin!(pressroom_jobs::watch(&self.parts.store, row.id));
            let is_final = async {
                while let Some(update) = updates.next().await {
                    if update.job.state.is_final() {
                        break;
                    }
                }
            };
            // Patience that ran out is told by the job's state.
            let _ = tokio::time::timeout(at_most, is_final).await;
        }
        let row = jobs::get(&self.parts.store, id)
            .await?
            .ok_or_else(missing)?;
        self.job_view(row).await
    }

    /// The secret a job produced (a generated password). It is handed out once, and
    /// not later than 15 minutes after the job ended.
    pub async fn take_job_secret(
        &self,
        caller: &Caller,
        id: JobId,
    ) -> Result<Option<Secret<String>>> {
        let job = JobRef::Id(id);
        let row = self.job_row(caller, Action::SiteRead, &job).await?;
        // A secret is for whoever may start such a job.
        let row = self
            .job_row(caller, Action::of_job(&row.kind), &job)
            .await?;
        let tx = self.parts.store.begin().await?;
        let secret = pressroom_jobs::take_job_secret(&tx, row.id).await?;
        tx.commit().await?;
        Ok(secret)
    }

    /// A job by row, for use cases that have just started it.
    pub(crate) async fn job_by_id(
        &self,
        caller: &Caller,
        action: Action,
        id: JobId,
    ) -> Result<Job> {
        let row = self.job_row(caller, action, &JobRef::Id(id)).await?;
        self.job_view(row).await
    }

    pub(super) async fn job_row(
        &self,
        caller: &Caller,
        action: Action,
        job: &JobRef,
    ) -> Result<JobRow> {
        let store = &self.parts.store;
        let row = match job {
            JobRef::Id(id) => jobs::get(store, *id).await?,
            JobRef::Public(id) => jobs::by_public_id(store, &Scope::All, id).await?.found(),
            JobRef::OfEnvironment(panel_id) => {
                match environments::by_panel_id(store, &Scope::All, panel_id).await? {
                    Lookup::Found(environment) => {
                        let of = JobFilter {
                            environment_id: Some(environment.id),
                            ..JobFilter::default()
                        };
                        let newest = Page {
                            limit: 1,
                            offset: 0,
                        };
                        jobs::list(store, &Scope::All, &of, newest)
                            .await?
                            .into_iter()
                            .next()
                    }
                    Lookup::Foreign | Lookup::Missing => None,
                }
            }
        };
        let Some(row) = row else {
            return match authorize(&caller.principal, action, Resource::Installation) {
                Err(error) if error.code() == Some(code::OUT_OF_SCOPE) => Err(error),
                _ => Err(missing()),
            };
        };
        let resource = row
            .account_id
            .map_or(Resource::Installation, Resource::OfAccount);
        authorize(&caller.principal, action, resource).map_err(|error| match error.kind() {
            Kind::NotFound => missing().with_code(code::FOREIGN),
            _ => error,
        })?;
        Ok(row)
    }
}

fn missing() -> Error {
    Error::not_found("Job")
}
