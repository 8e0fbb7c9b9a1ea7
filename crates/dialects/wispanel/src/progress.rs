//! T04: following a job.

use crate::{
    lookup::{is_installation_id, named},
    wire::{
        BackupResultOut, CloneResultOut, InstallResultOut, JobOut, JobResultOut, RestoreResultOut,
        UserResultOut, backup_id,
    },
    work,
};
use pressroom_base::{Kind, Timestamp};
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{
    Error,
    authorize::Action,
    jobs::JobRef,
    sites::{Cloned, PasswordReset, RemovedSite, SiteUserAdded},
    snapshots::Restored,
    views::{Environment, Job},
};
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

/// What a job produced, as far as this dialect shows it. The environment may be gone
/// again meanwhile, and a backup removed.
async fn result(call: &Call, job: &Job) -> Result<Option<JobResultOut>, Fault> {
    if job.state != "completed" {
        return Ok(None);
    }
    match job.kind.as_str() {
        "site_install" => installed(call, job).await,
        "site_clone" => cloned(call, job).await,
        "site_snapshot" => backed_up(call, job).await,
        "site_restore" => restored(call, job).await,
        "site_remove" => removed(call, job).await,
        "site_user_add" => user(call, job, work::report::<SiteUserAdded>(job)?.user.login).await,
        "site_password_reset" => user(call, job, work::report::<PasswordReset>(job)?.login).await,
        _ => Ok(None),
    }
}

async fn user(call: &Call, job: &Job, username: String) -> Result<Option<JobResultOut>, Fault> {
    let password = password(call, job).await?;
    Ok(Some(JobResultOut::User(UserResultOut {
        username,
        password,
    })))
}

async fn installed(call: &Call, job: &Job) -> Result<Option<JobResultOut>, Fault> {
    let (Some(made), Some(environment)) = (&job.result, environment(call, job).await?) else {
        return Ok(None);
    };
    let admin_user = made.get("admin_user").and_then(|name| name.as_str());
    Ok(Some(JobResultOut::Install(Box::new(InstallResultOut {
        installation: environment.into(),
        admin_user: admin_user.unwrap_or_default().to_owned(),
        admin_password: password(call, job).await?,
    }))))
}

async fn cloned(call: &Call, job: &Job) -> Result<Option<JobResultOut>, Fault> {
    let made: Cloned = work::report(job)?;
    Ok(environment(call, job).await?.map(|environment| {
        JobResultOut::Clone(Box::new(CloneResultOut {
            installation: environment.into(),
            outgoing_mail: made.outgoing_mail,
            noindex: made.noindex,
        }))
    }))
}

async fn backed_up(call: &Call, job: &Job) -> Result<Option<JobResultOut>, Fault> {
    let made = job.result.as_ref();
    let name = made.and_then(|made| made["snapshot"].as_str());
    backup(call, name).await
}

/// The backup that outlives it, as the answer at once would have it.
async fn removed(call: &Call, job: &Job) -> Result<Option<JobResultOut>, Fault> {
    let done: RemovedSite = work::report(job)?;
    backup(call, done.backup.as_deref()).await
}

async fn backup(call: &Call, name: Option<&str>) -> Result<Option<JobResultOut>, Fault> {
    let Some(name) = name else {
        return Ok(None);
    };
    let found = call
        .fleet
        .snapshot_of_name(&call.caller, Action::SiteRead, name)
        .await;
    Ok(found_or_gone(found)?.map(|snapshot| {
        JobResultOut::Backup(Box::new(BackupResultOut {
            backup: snapshot.into(),
        }))
    }))
}

async fn restored(call: &Call, job: &Job) -> Result<Option<JobResultOut>, Fault> {
    let done: Restored = work::report(job)?;
    Ok(environment(call, job).await?.map(|environment| {
        JobResultOut::Restore(Box::new(RestoreResultOut {
            installation: environment.into(),
            backup_id: backup_id(&done.snapshot),
            safety_backup_id: done.kept.as_deref().map(backup_id),
        }))
    }))
}

async fn environment(call: &Call, job: &Job) -> Result<Option<Environment>, Fault> {
    let Some(id) = job.environment_id else {
        return Ok(None);
    };
    let found = call
        .fleet
        .get_environment(&call.caller, Action::SiteRead, id)
        .await;
    found_or_gone(found)
}

fn found_or_gone<T>(found: Result<T, Error>) -> Result<Option<T>, Fault> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == Kind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
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
