//! A new user of a site.

use super::{SiteUser, words::refused};
use crate::{
    Caller, Error, Fleet, Result,
    authorize::Action,
    code,
    jobs::Enqueue,
    reach::told,
    sites::values::{email, login, strong},
    views::Job,
};
use async_trait::async_trait;
use pressroom_base::{Kind, Secret, catalog::event, id::EnvironmentId, token};
use pressroom_carrier::Session;
use pressroom_jobs::{Interruption, JobContext, JobFailure, JobKind};
use pressroom_store::EnvironmentRow;
use pressroom_wordpress::{
    bridge::{self, UserRef},
    database::{SeenUser, UserQuery},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Written down before the user is made, and only when nobody of that name is there.
const CREATE: &str = "create user";
/// The user was seen, and stays.
const SEEN: &str = "verify user";

/// A user to add.
#[derive(Debug)]
pub struct NewSiteUser {
    /// Login name.
    pub login: String,
    /// Mail address.
    pub email: String,
    /// Password; generated when `None`.
    pub password: Option<Secret<String>>,
    /// Role on the main site; `administrator` when `None`.
    pub role: Option<String>,
}

/// The result of the job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SiteUserAdded {
    /// As seen in the tables.
    pub user: SiteUser,
    /// The role that was asked for, and is theirs.
    pub role: String,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    login: String,
    email: String,
    role: String,
    generated: bool,
}

impl Fleet {
    /// Starts adding a user as a job, whose result is a [`SiteUserAdded`]; no mail is
    /// sent. A generated password is had once from [`Fleet::take_job_secret`].
    ///
    /// Errors: `Invalid`/`UNPROCESSABLE` (name, address, password, role), `Busy` with
    /// `OPERATION_RUNNING`; of the job as well `Conflict` (name or address is taken),
    /// `Remote`.
    pub async fn add_site_user(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        new: NewSiteUser,
    ) -> Result<Job> {
        let row = self
            .environment_row(caller, Action::SiteUsers, environment)
            .await?
            .env;
        if let Some(id) = caller.earlier_job() {
            return self.job_by_id(caller, Action::SiteUsers, id).await;
        }
        let generated = new.password.is_none();
        let payload = Payload {
            login: login(&new.login)?,
            email: email(&new.email)?,
            role: role(new.role.as_deref().unwrap_or("administrator"))?,
            generated,
        };
        let password = match &new.password {
            Some(given) => strong(given, "password")?,
            None => token::password(),
        };
        let job = Enqueue::writing("site_user_add", &row, &payload)?
            .with_plain_secret(password)
            .with_event(event::SITE_USER_ADD_STARTED);
        self.start_job(caller, Action::SiteUsers, job).await
    }
}

/// Which roles there are, the site says; this one could be one.
fn role(given: &str) -> Result<String> {
    let fits = (1..=60).contains(&given.len())
        && given
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_- ".contains(&b));
    if fits {
        Ok(given.to_owned())
    } else {
        Err(
            Error::invalid(format!("`{}` is not a role", given.escape_debug()))
                .with_code(code::UNPROCESSABLE),
        )
    }
}

/// Adds one user to one site.
pub(crate) struct AddUserJob(pub(crate) Fleet);

#[async_trait]
impl JobKind for AddUserJob {
    fn name(&self) -> &'static str {
        "site_user_add"
    }

    /// What was written down before tells whose a user of that name is.
    fn interruption(&self) -> Interruption {
        Interruption::Resume
    }

    async fn run(&self, ctx: &JobContext) -> std::result::Result<Value, JobFailure> {
        Ok(Box::pin(run(&self.0, ctx)).await?)
    }

    /// A user that was not seen as asked for goes again.
    async fn undo(
        &self,
        ctx: &JobContext,
        _why: &JobFailure,
    ) -> std::result::Result<(), JobFailure> {
        Ok(Box::pin(undo(&self.0, ctx)).await?)
    }
}

async fn run(fleet: &Fleet, ctx: &JobContext) -> Result<Value> {
    let payload: Payload = ctx.payload()?;
    let row = fleet.row_of_job(ctx).await?;
    let session = fleet.open_site(ctx, &row).await?;
    let secret = ctx
        .secrets()?
        .ok_or_else(|| Error::new(Kind::Internal, "the job's password is missing"))?;
    let there = find(&session, &row, &payload).await?;
    let action = match there {
        None => {
            refuse_taken_address(&session, &row, &payload).await?;
            bridge::Action::CreateUser {
                login: payload.login.clone(),
                email: payload.email.clone(),
                password: Some(secret.expose().clone()),
                display_name: None,
                role: Some(payload.role.clone()),
            }
        }
        // An interrupted run of this job made it.
        Some(user) if is_ours(ctx, &user, &payload).await? => bridge::Action::UpdateUser {
            user: UserRef::Id(user.id),
            email: Some(payload.email.clone()),
            password: Some(secret.expose().clone()),
            display_name: None,
            role: Some(payload.role.clone()),
        },
        Some(_) => return Err(Error::conflict("a user of that name exists already")),
    };
    let php = fleet.php_of(&row);
    ctx.step(
        CREATE,
        told(async {
            let report = session
                .bridge(Some(ctx.epoch()), &row.path, php, vec![action])
                .await?;
            refused(&report)
        }),
    )
    .await?;
    let seen = verified(&session, &row, &payload).await?;
    let added = SiteUserAdded {
        user: seen.into(),
        role: payload.role.clone(),
    };
    let result = serde_json::to_value(&added).map_err(Error::internal)?;
    ctx.step(SEEN, told(async { Ok(result.clone()) })).await?;
    if payload.generated {
        ctx.keep_secret(&secret).await?;
    }
    let tx = ctx.begin().await?;
    fleet
        .emit(
            &tx,
            ctx,
            event::SITE_USER_ADDED,
            json!({ "login": payload.login, "role": payload.role }),
        )
        .await?;
    tx.commit().await?;
    let outcome = format!("`{}` is a user with the role {}", payload.login, added.role);
    ctx.progress(100, &outcome).await?;
    Ok(result)
}

/// What the site says of itself is hearsay: the rows must be there.
async fn verified(session: &Session, row: &EnvironmentRow, asked: &Payload) -> Result<SeenUser> {
    let wrong = |why: &str| {
        Error::new(
            Kind::Remote,
            format!("the new user could not be verified in the site's tables: {why}"),
        )
    };
    let seen = find(session, row, asked)
        .await?
        .ok_or_else(|| wrong("nobody of that name is there"))?;
    if !seen.email.eq_ignore_ascii_case(&asked.email) {
        return Err(wrong("the address is another one"));
    }
    let has = seen
        .roles
        .as_ref()
        .is_some_and(|roles| roles.contains(&asked.role));
    if !has {
        return Err(wrong("the role was not given"));
    }
    Ok(seen)
}

async fn find(
    session: &Session,
    row: &EnvironmentRow,
    asked: &Payload,
) -> Result<Option<SeenUser>> {
    let query = UserQuery::Login(asked.login.clone());
    let found = session.read_users(&row.path, query).await?;
    Ok(found.into_iter().next())
}

/// Said before WordPress is started, in the tables' own comparison.
async fn refuse_taken_address(
    session: &Session,
    row: &EnvironmentRow,
    asked: &Payload,
) -> Result<()> {
    let query = UserQuery::Email(asked.email.clone());
    if session.read_users(&row.path, query).await?.is_empty() {
        return Ok(());
    }
    Err(Error::conflict("a user has that address already"))
}

/// Whether this job has begun to make the user: nobody of that name was there then.
async fn began(ctx: &JobContext) -> Result<bool> {
    Ok(ctx.steps().await?.iter().any(|step| step.name == CREATE))
}

/// Whether this job made the user: nobody had its address before.
async fn is_ours(ctx: &JobContext, user: &SeenUser, payload: &Payload) -> Result<bool> {
    Ok(has_our_address(user, payload) && began(ctx).await?)
}

fn has_our_address(user: &SeenUser, payload: &Payload) -> bool {
    user.email.eq_ignore_ascii_case(&payload.email)
}

async fn undo(fleet: &Fleet, ctx: &JobContext) -> Result<()> {
    if !began(ctx).await? || ctx.done_step(SEEN).await?.is_some() {
        return Ok(());
    }
    let payload: Payload = ctx.payload()?;
    let row = fleet.row_of_job(ctx).await?;
    let session = fleet.open_site(ctx, &row).await?;
    let found = find(&session, &row, &payload).await?;
    let Some(user) = found.filter(|user| has_our_address(user, &payload)) else {
        return Ok(());
    };
    let settings = session.read_config(fleet.site_ref(&row)).await?;
    let delete = bridge::Action::DeleteUser {
        user: UserRef::Id(user.id),
        reassign: None,
        delete_content: false,
        network: settings.multisite == Some(true),
    };
    let php = fleet.php_of(&row);
    let report = session
        .bridge(Some(ctx.epoch()), &row.path, php, vec![delete])
        .await?;
    refused(&report)?;
    ctx.line(format!("`{}` was removed again", payload.login));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::role;

    #[test]
    fn roles_have_a_shape() {
        for good in ["administrator", "shop_manager", "wpseo-editor"] {
            assert!(role(good).is_ok(), "{good}");
        }
        for bad in ["", "a'b", "röle", &"x".repeat(61)] {
            assert!(role(bad).is_err(), "{bad}");
        }
    }
}
