//! T04: following a job.

use crate::{
    lookup::{is_installation_id, named},
    wire::{InstallResultOut, JobOut},
};
use pressroom_base::{Kind, Timestamp};
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{Error, authorize::Action, jobs::JobRef, views::Job};
use std::time::Duration;

/// How long a finished job is shown.
const SHOWN: Duration = Duration::from_hours(24);

/// Shows the job with this id, or the newest of the installation with this id.
pub async fn show(call: Call) -> Result<Answer, Fault> {
    let id = call.param("id").to_owned();
    let reference = if id.starts_with("job_") {
        JobRef::Public(id)
    } else if is_installation_id(&id) {
        JobRef::OfEnvironment(id)
    } else {
        return Err(Error::not_found("Job").into());
    };
    let job = call
        .fleet
        .find_job(&call.caller, &reference)
        .await
        .map_err(|error| named(error, "Job"))?;
    let earliest = Timestamp::now().minus(SHOWN);
    if job.finished_at.is_some_and(|at| at < earliest) {
        return Err(Error::not_found("Job").into());
    }
    let result = result(&call, &job).await?;
    Answer::ok(&JobOut::new(job, result))
}

/// What an installation produced. The environment may be gone again meanwhile.
async fn result(call: &Call, job: &Job) -> Result<Option<InstallResultOut>, Fault> {
    let (true, Some(made), Some(id)) = (
        job.kind == "site_install" && job.state == "completed",
        &job.result,
        job.environment_id,
    ) else {
        return Ok(None);
    };
    let environment = call
        .fleet
        .get_environment(&call.caller, Action::SiteRead, id)
        .await;
    let environment = match environment {
        Ok(environment) => environment,
        Err(error) if error.kind() == Kind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let admin_user = made.get("admin_user").and_then(|name| name.as_str());
    Ok(Some(InstallResultOut {
        installation: environment.into(),
        admin_user: admin_user.unwrap_or_default().to_owned(),
        admin_password: password(call, job).await?,
    }))
}

/// The generated password, once, and only to who may install: not to a key or a
/// person that may only look, and not to `HEAD`, whose answer nobody sees.
async fn password(call: &Call, job: &Job) -> Result<Option<String>, Fault> {
    if call.head || !job.keeps_secret {
        return Ok(None);
    }
    match call.fleet.take_job_secret(&call.caller, job.id).await {
        Ok(secret) => Ok(secret.map(pressroom_base::Secret::into_inner)),
        Err(error) if error.kind() == Kind::Forbidden => Ok(None),
        Err(error) => Err(error.into()),
    }
}
