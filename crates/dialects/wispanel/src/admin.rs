//! T12, T14: users of a site and their passwords.

use crate::{
    lookup::{installation, required_id},
    wire::{
        AdminCreatedOut, CreateAdminIn, CreateAdminOut, PasswordResetOut, ResetPasswordIn,
        ResetPasswordOut, UserOut,
    },
    work,
};
use pressroom_base::Secret;
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{
    authorize::Action,
    sites::{NewSiteUser, PasswordReset, ResetPassword, SiteUserAdded, UserName},
    views::Job,
};

/// T12: adds a user.
pub async fn create(call: Call) -> Result<Answer, Fault> {
    let input: CreateAdminIn = call.body()?;
    let id = required_id(input.id.as_deref())?;
    let (Some(login), Some(email)) = (given(input.username), given(input.email)) else {
        return Err(Fault::Malformed("Username and email are required".into()));
    };
    let environment = installation(&call, Some(id), Action::SiteUsers).await?;
    let new = NewSiteUser {
        login,
        email,
        password: input.password.map(Secret::new),
        role: input.role,
    };
    let job = call
        .fleet
        .add_site_user(&call.caller, environment.id, new)
        .await?;
    let job = work::wait(&call, &job).await?;
    if !job.is_final() {
        let running = work::running(job, "The user is still being added");
        return Answer::ok(&CreateAdminOut::Running(running));
    }
    let added: SiteUserAdded = work::report(&job)?;
    Answer::created(&CreateAdminOut::Created(AdminCreatedOut {
        success: true,
        user: UserOut {
            id: added.user.id,
            username: added.user.login,
            email: added.user.email,
            role: added.role,
        },
        password: password(&call, &job).await?,
    }))
}

/// T14: changes a password.
pub async fn reset(call: Call) -> Result<Answer, Fault> {
    let input: ResetPasswordIn = call.body()?;
    let id = required_id(input.id.as_deref())?;
    let user = match (given(input.username), input.user_id) {
        (Some(login), None) => UserName::Login(login),
        (None, Some(id)) => UserName::Id(id),
        (Some(_), Some(_)) => {
            let text = "Give `username` or `user_id`, not both";
            return Err(Fault::Malformed(text.into()));
        }
        (None, None) => return Err(Fault::Malformed("Username is required".into())),
    };
    let environment = installation(&call, Some(id), Action::SiteUsers).await?;
    let reset = ResetPassword {
        user,
        password: input.password.map(Secret::new),
    };
    let job = call
        .fleet
        .reset_site_password(&call.caller, environment.id, reset)
        .await?;
    let job = work::wait(&call, &job).await?;
    if !job.is_final() {
        let running = work::running(job, "The password is still being changed");
        return Answer::ok(&ResetPasswordOut::Running(running));
    }
    let done: PasswordReset = work::report(&job)?;
    Answer::ok(&ResetPasswordOut::Done(PasswordResetOut {
        success: true,
        message: "Password updated",
        username: done.login,
        password: password(&call, &job).await?,
    }))
}

fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// What the job made up, once.
async fn password(call: &Call, job: &Job) -> Result<Option<String>, Fault> {
    if !job.keeps_secret {
        return Ok(None);
    }
    let secret = call.fleet.take_job_secret(&call.caller, job.id).await?;
    Ok(secret.map(Secret::into_inner))
}
