//! T09: maintenance.

use crate::{
    errors::sentence,
    lookup::installation,
    wire::{MaintenanceIn, MaintenanceOut, MaintenanceSetOut},
    work,
};
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{authorize::Action, maintenance::MaintenanceSet};

/// Puts an installation into maintenance, or takes it out.
pub async fn set(call: Call) -> Result<Answer, Fault> {
    let input: MaintenanceIn = call.body()?;
    let id = input.id.as_deref();
    let environment = installation(&call, id, Action::SiteConfigure).await?;
    let enabled = input
        .enabled
        .ok_or_else(|| Fault::Malformed("Enabled is required".into()))?;
    let job = call
        .fleet
        .set_maintenance(&call.caller, environment.id, enabled)
        .await?;
    let job = work::wait(&call, &job).await?;
    if !job.is_final() {
        let running = work::running(job, "The installation is still being worked on");
        return Answer::ok(&MaintenanceOut::Running(running));
    }
    let set: MaintenanceSet = work::report(&job)?;
    Answer::ok(&MaintenanceOut::Set(MaintenanceSetOut {
        success: true,
        maintenance: set.maintenance,
        message: sentence(&set.message),
    }))
}
