//! T07, T08: WordPress itself.

use crate::{
    errors::sentence,
    lookup::installation,
    wire::{
        CoreReinstalledOut, CoreUpdatedOut, ReinstallCoreIn, ReinstallCoreOut, UpdateCoreIn,
        UpdateCoreOut,
    },
    work,
};
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{
    authorize::Action,
    core::{CoreOutcome, CoreReport, UpdateCore},
};

/// T07: updates WordPress.
pub async fn update(call: Call) -> Result<Answer, Fault> {
    let input: UpdateCoreIn = call.body()?;
    let environment = installation(&call, input.id.as_deref(), Action::ComponentUpdate).await?;
    let update = UpdateCore {
        version: input.version.filter(|version| !version.is_empty()),
        minor_only: input.minor_only,
    };
    let job = call
        .fleet
        .update_core(&call.caller, environment.id, update)
        .await?;
    let job = work::wait(&call, &job).await?;
    if !job.is_final() {
        let running = work::running(job, "The update is still running");
        return Answer::ok(&UpdateCoreOut::Running(running));
    }
    let report: CoreReport = work::report(&job)?;
    let message = match report.outcome {
        CoreOutcome::Updated => "WordPress updated".to_owned(),
        _ => sentence(&report.message),
    };
    Answer::ok(&UpdateCoreOut::Updated(CoreUpdatedOut {
        success: true,
        message,
        old_version: report.old_version,
        new_version: report.new_version,
    }))
}

/// T08: lays the files of the same version down anew.
pub async fn reinstall(call: Call) -> Result<Answer, Fault> {
    let input: ReinstallCoreIn = call.body()?;
    let environment = installation(&call, input.id.as_deref(), Action::ComponentUpdate).await?;
    let job = call
        .fleet
        .reinstall_core(&call.caller, environment.id)
        .await?;
    let job = work::wait(&call, &job).await?;
    if !job.is_final() {
        let running = work::running(job, "The files are still being exchanged");
        return Answer::ok(&ReinstallCoreOut::Running(running));
    }
    let report: CoreReport = work::report(&job)?;
    Answer::ok(&ReinstallCoreOut::Done(CoreReinstalledOut {
        success: true,
        message: sentence(&report.message),
        version: report.new_version,
    }))
}
