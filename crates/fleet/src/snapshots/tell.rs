//! Telling of a snapshot.

use crate::{Caller, Result};
use pressroom_base::id::JobId;
use pressroom_jobs::JobContext;
use pressroom_store::{By, NewEvent, SnapshotRow, Tx, environments, events};
use serde_json::{Value, json};

/// Who did it.
#[derive(Debug, Default)]
pub(super) struct Teller {
    actor: String,
    by: By,
    address: Option<String>,
    job: Option<JobId>,
}

impl Teller {
    /// A job.
    pub(super) fn of_job(ctx: &JobContext) -> Self {
        Self {
            job: Some(ctx.id()),
            ..Self::ourselves()
        }
    }

    /// Nobody: it was time.
    pub(super) fn ourselves() -> Self {
        Self {
            actor: "pressroom".to_owned(),
            ..Self::default()
        }
    }

    /// Somebody.
    pub(super) fn of(caller: &Caller) -> Self {
        Self {
            actor: caller.principal.label().to_owned(),
            by: caller.principal.by(),
            address: caller.address.map(|address| address.to_string()),
            job: None,
        }
    }
}

/// Writes that something happened to a snapshot, with what programs call it.
pub(super) async fn happened(
    tx: &Tx,
    kind: &'static str,
    row: &SnapshotRow,
    teller: Teller,
    mut told: Value,
) -> Result<()> {
    told["snapshot_id"] = json!(row.short_id.as_str());
    let environment = environments::site_of(tx, row.environment_id).await?;
    let site = match (&environment, row.site_id) {
        (None, Some(id)) => environments::get_site(tx, id).await?,
        _ => None,
    };
    // Without an environment, the site is known by nothing but its being the subject.
    let subject = match site {
        Some(site) => ("site", site.short_id),
        None => ("snapshot", row.short_id.clone()),
    };
    events::emit(
        tx,
        NewEvent {
            kind,
            account_id: Some(row.account_id),
            environment_id: environment.map(|_| row.environment_id),
            job_id: teller.job,
            actor: teller.actor,
            by: teller.by,
            address: teller.address,
            subject: Some(subject),
            payload: told,
        },
    )
    .await?;
    Ok(())
}
