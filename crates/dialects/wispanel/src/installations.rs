//! T01, T02, T03: what the caller has.

use crate::{
    lookup::installation,
    wire::{InstallationDetailsOut, InstallationOut, StatusOut},
};
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{authorize::Action, environments::EnvironmentFilter};

/// T01: a bare array.
pub async fn list(call: Call) -> Result<Answer, Fault> {
    Answer::ok(&own(&call).await?)
}

/// T02: the same objects, wrapped.
pub async fn status(call: Call) -> Result<Answer, Fault> {
    Answer::ok(&StatusOut {
        wp_cli_available: call.fleet.can_run_php().await,
        installations: own(&call).await?,
    })
}

/// T03: one of them, looked at more closely.
pub async fn show(call: Call) -> Result<Answer, Fault> {
    let environment = installation(&call, call.query("id")?, Action::SiteRead).await?;
    let details = call
        .fleet
        .environment_details(&call.caller, environment.id)
        .await?;
    Answer::ok(&InstallationDetailsOut::new(environment, details))
}

/// What is being installed or deleted is not an installation: the panel lists what
/// it would find on the disk.
async fn own(call: &Call) -> Result<Vec<InstallationOut>, Fault> {
    let environments = call
        .fleet
        .list_environments(&call.caller, &EnvironmentFilter::default())
        .await?;
    Ok(environments
        .into_iter()
        .filter(|found| !matches!(found.state.as_str(), "installing" | "deleting"))
        .map(InstallationOut::from)
        .collect())
}
