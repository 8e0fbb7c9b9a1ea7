//! Another password for a user of a site.

use super::words::refused;
use crate::{
    Caller, Error, Fleet, Result, authorize::Action, jobs::Enqueue, reach::told,
    sites::values::strong, views::Job,
};
use async_trait::async_trait;
use pressroom_base::{Kind, Secret, catalog::event, id::EnvironmentId, token};
use pressroom_jobs::{Interruption, JobContext, JobFailure, JobKind};
use pressroom_wordpress::{
    bridge::{self, UserRef},
    database::UserQuery,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A user of a site by one of two names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserName {
    /// By login name.
    Login(String),
    /// By id within the site.
    Id(u64),
}

/// A password to change.
#[derive(Debug)]
pub struct ResetPassword {
    /// Whose.
    pub user: UserName,
    /// The new one; generated when `None`.
    pub password: Option<Secret<String>>,
}

/// The result of the job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PasswordReset {
    /// Id within the site.
    pub user_id: u64,
    /// Login name.
    pub login: String,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    user: UserName,
    generated: bool,
}

impl Fleet {
    /// Starts changing a user's password as a job, whose result is a
    /// [`PasswordReset`]; no mail is sent, and the user is logged out everywhere. A
    /// generated password is had once from [`Fleet::take_job_secret`].
    ///
    /// Errors: `Invalid`/`UNPROCESSABLE` (password), `Busy` with `OPERATION_RUNNING`;
    /// of the job as well `NotFound` (user), `Remote`.
    pub async fn reset_site_password(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        reset: ResetPassword,
    ) -> Result<Job> {
        let row = self
            .environment_row(caller, Action::SiteUsers, environment)
            .await?
            .env;
        if let Some(id) = caller.earlier_job() {
            return self.job_by_id(caller, Action::SiteUsers, id).await;
        }
        let payload = Payload {
            user: reset.user,
            generated: reset.password.is_none(),
        };
        let password = match &reset.password {
            Some(given) => strong(given, "password")?,
            None => token::password(),
        };
        let job = Enqueue::writing("site_password_reset", &row, &payload)?
            .with_plain_secret(password)
            .with_event(event::SITE_PASSWORD_RESET_STARTED);
        self.start_job(caller, Action::SiteUsers, job).await
    }
}

/// Changes one password.
pub(crate) struct ResetPasswordJob(pub(crate) Fleet);

#[async_trait]
impl JobKind for ResetPasswordJob {
    fn name(&self) -> &'static str {
        "site_password_reset"
    }

    /// Setting the same password again is harmless; the old one is known to nobody.
    fn interruption(&self) -> Interruption {
        Interruption::Resume
    }

    async fn run(&self, ctx: &JobContext) -> std::result::Result<Value, JobFailure> {
        Ok(Box::pin(run(&self.0, ctx)).await?)
    }
}

async fn run(fleet: &Fleet, ctx: &JobContext) -> Result<Value> {
    let payload: Payload = ctx.payload()?;
    let row = fleet.row_of_job(ctx).await?;
    let session = fleet.open_site(ctx, &row).await?;
    let secret = ctx
        .secrets()?
        .ok_or_else(|| Error::new(Kind::Internal, "the job's password is missing"))?;
    let query = match payload.user {
        UserName::Login(login) => UserQuery::Login(login),
        UserName::Id(id) => UserQuery::Id(id),
    };
    let found = session.read_users(&row.path, query).await?;
    let before = found
        .into_iter()
        .next()
        .ok_or_else(|| Error::not_found("User"))?;
    let user = UserRef::Id(before.id);
    let actions = vec![
        bridge::Action::UpdateUser {
            user: user.clone(),
            email: None,
            password: Some(secret.expose().clone()),
            display_name: None,
            role: None,
        },
        bridge::Action::DestroySessions { user: Some(user) },
    ];
    let php = fleet.php_of(&row);
    ctx.step(
        "change password",
        told(async {
            let report = session
                .bridge(Some(ctx.epoch()), &row.path, php, actions)
                .await?;
            refused(&report)
        }),
    )
    .await?;
    let found = session
        .read_users(&row.path, UserQuery::Id(before.id))
        .await?;
    let wrong = match found.first() {
        None => Some("the user is gone"),
        // Hashes are salted: even the same password leaves another one.
        Some(now) if now.password_mark == before.password_mark => {
            Some("the password is still the old one")
        }
        Some(now) if now.has_sessions => Some("somebody is still logged in as this user"),
        Some(_) => None,
    };
    if let Some(why) = wrong {
        return Err(Error::new(
            Kind::Remote,
            format!("the new password could not be verified in the site's tables: {why}"),
        ));
    }
    if payload.generated {
        ctx.keep_secret(&secret).await?;
    }
    let tx = ctx.begin().await?;
    fleet
        .emit(
            &tx,
            ctx,
            event::SITE_PASSWORD_RESET,
            json!({ "login": before.login }),
        )
        .await?;
    tx.commit().await?;
    let outcome = format!("`{}` has another password", before.login);
    ctx.progress(100, &outcome).await?;
    serde_json::to_value(PasswordReset {
        user_id: before.id,
        login: before.login,
    })
    .map_err(Error::internal)
}
