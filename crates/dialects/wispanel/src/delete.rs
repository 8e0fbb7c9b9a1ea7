//! T11: deleting.

use crate::{
    lookup::installation,
    wire::{DeleteIn, DeleteOut, DeletedOut},
    work,
};
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{
    authorize::Action,
    sites::{RemoveSite, RemovedSite},
    snapshots::LinkSnapshot,
};
use std::time::Duration;

/// How long the backup of what is gone may be downloaded by the link in the answer.
const LINK_LASTS: Duration = Duration::from_hours(24);

/// Deletes an installation. Its id stands in the body, or, for proxies that drop the
/// body of a `DELETE`, in the query.
pub async fn delete(call: Call) -> Result<Answer, Fault> {
    let input: DeleteIn = call.body()?;
    let given = |id: Option<String>| id.filter(|id| !id.is_empty());
    let asked = call.query("id")?.map(str::to_owned);
    let (body, query) = (given(input.id), given(asked));
    if let (Some(body), Some(query)) = (&body, &query)
        && body != query
    {
        return Err(Fault::Malformed(
            "`id` in the body and in the query differ".into(),
        ));
    }
    let id = body.or(query);
    let environment = installation(&call, id.as_deref(), Action::SiteRemove).await?;
    let remove = RemoveSite {
        files: input.delete_files.unwrap_or(true),
        database: input.delete_database.unwrap_or(true),
        backup: input.backup.unwrap_or(false),
    };
    let job = call
        .fleet
        .remove_site(&call.caller, environment.id, remove)
        .await?;
    let job = work::wait(&call, &job).await?;
    if !job.is_final() {
        let running = work::running(job, "The installation is still being deleted");
        return Answer::ok(&DeleteOut::Running(running));
    }
    let removed: RemovedSite = work::outcome(&job)?;
    let mut out = DeletedOut {
        success: true,
        message: "WordPress installation deleted",
        backup: None,
        download_url: None,
    };
    if let Some(name) = removed.backup {
        let fleet = &call.fleet;
        // The installation is gone, whatever comes of telling where its backup is.
        let backup = fleet
            .snapshot_of_name(&call.caller, Action::SnapshotCreate, &name)
            .await;
        let link = LinkSnapshot {
            lasts: LINK_LASTS,
            ..LinkSnapshot::default()
        };
        let link = fleet.link_snapshot(&call.caller, &name, link).await;
        out.backup = backup.ok().map(Into::into);
        out.download_url = link.ok().map(|link| link.url.into_inner());
    }
    Answer::ok(&DeleteOut::Done(Box::new(out)))
}
