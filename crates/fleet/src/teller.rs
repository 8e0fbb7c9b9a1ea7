//! Who did something that is told.

use crate::Caller;
use pressroom_base::id::{AccountId, EnvironmentId, JobId, ShortId};
use pressroom_jobs::JobContext;
use pressroom_store::{By, NewEvent};
use serde_json::Value;

/// Who did it.
#[derive(Debug, Default)]
pub(crate) struct Teller {
    actor: String,
    by: By,
    address: Option<String>,
    job: Option<JobId>,
}

impl Teller {
    /// A job.
    pub(crate) fn of_job(ctx: &JobContext) -> Self {
        Self {
            job: Some(ctx.id()),
            ..Self::ourselves()
        }
    }

    /// Nobody: it was time.
    pub(crate) fn ourselves() -> Self {
        Self {
            actor: "pressroom".to_owned(),
            ..Self::default()
        }
    }

    /// Somebody.
    pub(crate) fn of(caller: &Caller) -> Self {
        Self {
            actor: caller.principal.label().to_owned(),
            by: caller.principal.by(),
            address: caller.address.map(|address| address.to_string()),
            job: None,
        }
    }

    /// What they did, to this subject of an account.
    pub(crate) fn event(
        self,
        kind: &'static str,
        account: AccountId,
        environment: Option<EnvironmentId>,
        subject: (&'static str, ShortId),
        payload: Value,
    ) -> NewEvent {
        NewEvent {
            kind,
            account_id: Some(account),
            environment_id: environment,
            job_id: self.job,
            actor: self.actor,
            by: self.by,
            address: self.address,
            subject: Some(subject),
            payload,
        }
    }
}
