//! One-time logins.

use crate::{
    Caller, Error, Fleet, Result, authorize::Action, code, environments::Row, jobs::Enqueue,
};
use async_trait::async_trait;
use pressroom_base::{Kind, Secret, Timestamp, catalog::event, id::EnvironmentId, token};
use pressroom_jobs::{Interruption, JobContext, JobFailure, JobKind};
use pressroom_store::jobs;
use pressroom_wordpress::bridge;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// How long a link works (contract `wispanel.md` T13).
const LIFETIME: Duration = Duration::from_mins(1);
/// How long a caller waits for the job.
const PATIENCE: Duration = Duration::from_secs(55);

/// A login to issue.
#[derive(Debug, Default)]
pub struct IssueLogin {
    /// Login name; the administrator with the lowest id when `None`.
    pub user: Option<String>,
    /// Path or address on the same site; `/wp-admin/` when `None`.
    pub redirect: Option<String>,
}

/// A login that works once.
#[derive(Debug)]
pub struct LoginLink {
    /// Where to send the browser.
    pub url: Secret<String>,
    /// When it lapses.
    pub expires_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    user: Option<String>,
    redirect: String,
    token_hash: String,
}

impl Fleet {
    /// Issues a login link and verifies in the site's tables that it is there.
    ///
    /// Errors: `NotFound` (user), `Invalid`/`UNPROCESSABLE` (user may not log in;
    /// redirect to another site), `Busy` with `OPERATION_RUNNING`, `Remote`, `Unreachable`.
    pub async fn issue_login(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        login: IssueLogin,
    ) -> Result<LoginLink> {
        let row = self
            .environment_row(caller, Action::SiteLogin, environment)
            .await?;
        let id = match caller.earlier_job() {
            Some(id) => id,
            None => self.start_login(caller, &row, &login).await?,
        };
        let job = self.wait_for_job(caller, id, PATIENCE).await?;
        if !job.is_final() {
            return Err(
                Error::new(Kind::Unreachable, "the site took too long to issue a login")
                    .with_hint("look at the job's output for what it is waiting for"),
            );
        }
        if let Some(failure) = job.failure() {
            return Err(failure);
        }
        let expires_at = job
            .result
            .as_ref()
            .and_then(|result| result.get("expires_at_ms"))
            .and_then(Value::as_i64)
            .map(Timestamp::from_millis)
            .ok_or_else(|| Error::new(Kind::Internal, "the login job left no result"))?;
        let secret = jobs::result_secret(&self.parts.store, id)
            .await?
            .ok_or_else(|| Error::new(Kind::Internal, "the login job left no token"))?;
        Ok(LoginLink {
            url: Secret::new(format!("{}/?wisp_login={}", row.env.url, secret.expose())),
            expires_at,
        })
    }

    async fn start_login(
        &self,
        caller: &Caller,
        row: &Row,
        login: &IssueLogin,
    ) -> Result<pressroom_base::id::JobId> {
        let secret = token::hex(48);
        let payload = Payload {
            user: login.user.clone(),
            redirect: redirect(login.redirect.as_deref(), &row.env.url)?,
            token_hash: token::digest(&secret),
        };
        let tx = self.parts.store.begin().await?;
        let id = self
            .enqueue(
                &tx,
                caller,
                Enqueue::writing("site_login", &row.env, &payload)?
                    .with_plain_secret(Secret::new(secret))
                    .with_event(event::SITE_LOGIN_ISSUED),
            )
            .await?;
        tx.commit().await?;
        Ok(id)
    }
}

/// The path on the same site that a redirect leads to.
fn redirect(given: Option<&str>, site: &str) -> Result<String> {
    let Some(given) = given else {
        return Ok("/wp-admin/".into());
    };
    let elsewhere =
        || Error::invalid("redirect must lead to the same site").with_code(code::UNPROCESSABLE);
    if given.chars().any(|c| c.is_control() || c == '\\') {
        return Err(elsewhere());
    }
    let base = url::Url::parse(&format!("{site}/")).map_err(|_| elsewhere())?;
    let target = base.join(given).map_err(|_| elsewhere())?;
    if target.origin() != base.origin() || !target.username().is_empty() {
        return Err(elsewhere());
    }
    Ok(target[url::Position::BeforePath..].to_owned())
}

/// Issues one login inside WordPress.
pub(crate) struct LoginJob(pub(crate) Fleet);

#[async_trait]
impl JobKind for LoginJob {
    fn name(&self) -> &'static str {
        "site_login"
    }

    fn interruption(&self) -> Interruption {
        // Issuing the same hash again replaces the first: nothing doubles.
        Interruption::Resume
    }

    async fn run(&self, ctx: &JobContext) -> std::result::Result<Value, JobFailure> {
        Ok(Box::pin(issue(&self.0, ctx)).await?)
    }
}

async fn issue(fleet: &Fleet, ctx: &JobContext) -> Result<Value> {
    let payload: Payload = ctx.payload()?;
    let row = fleet.row_of_job(ctx).await?;
    let session = fleet.open_site(ctx, &row).await?;
    let expires_at = Timestamp::now().plus(LIFETIME);
    let report = session
        .bridge(
            Some(ctx.epoch()),
            &row.path,
            fleet.php_of(&row),
            vec![bridge::Action::IssueLogin {
                user: payload.user.clone(),
                token_hash: payload.token_hash.clone(),
                lifetime_s: u32::try_from(LIFETIME.as_secs()).unwrap_or(60),
                redirect: payload.redirect,
            }],
        )
        .await?;
    refused(&report, payload.user.as_deref())?;

    // What the site says of itself is hearsay: the row must be there.
    let option = format!("_transient_pressroom_login_{}", &payload.token_hash[..16]);
    let facts = session.read_site(&row.path, &[&option]).await?;
    if !facts
        .options
        .get(&option)
        .is_some_and(|stored| stored.contains(&payload.token_hash))
    {
        let blame = report
            .blamed
            .map(|slug| format!("; `{slug}` interfered"))
            .unwrap_or_default();
        let fatal = report
            .fatal
            .map(|text| format!(": {text}"))
            .unwrap_or_default();
        return Err(Error::new(
            Kind::Remote,
            format!("the login could not be verified in the site's tables{blame}{fatal}"),
        ));
    }
    let secret = ctx
        .secrets()?
        .ok_or_else(|| Error::new(Kind::Internal, "the job's token is missing"))?;
    ctx.keep_secret(&secret).await?;
    ctx.line("a one-time login was issued");
    Ok(json!({ "expires_at_ms": expires_at.millis() }))
}

fn refused(report: &bridge::Report, user: Option<&str>) -> Result<()> {
    let Some(failed) = report.outcomes.iter().find(|outcome| !outcome.ok) else {
        return Ok(());
    };
    let message = failed.error.as_deref().unwrap_or("the login was refused");
    Err(match failed.code.as_deref() {
        Some("user_missing") => Error::new(
            Kind::NotFound,
            user.map_or_else(
                || "No administrator found".to_owned(),
                |name| format!("User `{name}` not found"),
            ),
        ),
        Some("user_without_role") => {
            Error::invalid("this user may not log in").with_code(code::UNPROCESSABLE)
        }
        Some("bad_redirect") => Error::invalid(message).with_code(code::UNPROCESSABLE),
        _ => Error::new(Kind::Remote, message),
    })
}

#[cfg(test)]
mod tests {
    use super::redirect;

    #[test]
    fn redirects_stay_on_the_site() {
        let site = "http://blog.example:8081/shop";
        assert_eq!(redirect(None, site).expect("default"), "/wp-admin/");
        assert_eq!(redirect(Some("/x?y=1"), site).expect("path"), "/x?y=1");
        for bad in [
            "//evil.example/",
            "http://evil.example/",
            "javascript:alert(1)",
            "/\\evil",
            "http://blog.example/",
        ] {
            assert!(redirect(Some(bad), site).is_err(), "{bad}");
        }
    }
}
