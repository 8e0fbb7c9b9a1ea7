//! T06: copying.

use crate::{
    lookup::{installation, named},
    wire::{CloneIn, InstallStartedOut, progress_url},
};
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{authorize::Action, sites::CloneSite};

/// Starts a copy.
pub async fn start(call: Call) -> Result<Answer, Fault> {
    let input: CloneIn = call.body()?;
    let given = |value: Option<String>| value.filter(|text| !text.trim().is_empty());
    let source = installation(&call, input.source_id.as_deref(), Action::SiteInstall).await?;
    let Some(domain) = given(input.target_domain) else {
        return Err(Fault::Malformed("Target domain is required".into()));
    };
    let new = CloneSite {
        domain,
        path: given(input.target_path),
        db_name: given(input.db_name),
        noindex: input.noindex.unwrap_or(true),
    };
    let started = call
        .fleet
        .clone_site(&call.caller, source.id, new)
        .await
        .map_err(|error| named(error, "Domain"))?;
    let id = started.environment.map(|found| found.panel_id);
    Answer::created(&InstallStartedOut {
        success: true,
        message: "Clone started",
        id: id.or(started.job.panel_id).unwrap_or_default(),
        progress_url: progress_url(&started.job.public_id),
        job_id: started.job.public_id,
    })
}
