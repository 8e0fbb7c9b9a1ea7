//! Opening a session with a site: who it runs as, where it lives.

use crate::{Error, Fleet, Result, code};
use futures_util::future::BoxFuture;
use pressroom_base::{
    Kind,
    id::{DomainId, HostId},
};
use pressroom_carrier::{Local, Place, Session, Way};
use pressroom_jobs::{JobContext, JobFailure};
use pressroom_store::{DomainRow, EnvironmentRow, domains};
use pressroom_wordpress::recovery::Recovery;
use serde::Serialize;
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;

/// A site's directory, as sessions name it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Ground {
    /// The domain's directory.
    pub(crate) home: PathBuf,
    /// The user that owns it; `None` where sites run as the server's own user, or as the
    /// one who logs in there.
    pub(crate) unix_user: Option<String>,
    /// The machine it is on; this one, without.
    pub(crate) host: Option<HostId>,
}

impl Ground {
    pub(crate) fn of(domain: &DomainRow) -> Self {
        Self {
            home: PathBuf::from(&domain.root),
            unix_user: domain.unix_user.clone(),
            host: None,
        }
    }
}

/// What sites share who live in one directory: its fence and its journal. One job at a
/// time writes there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shared {
    /// A domain of this machine.
    Domain(DomainId),
    /// A directory of a machine, of this one without a host, that was there before.
    Home { host: Option<HostId>, home: String },
}

impl Shared {
    /// What an environment shares with others.
    pub(crate) fn of(row: &EnvironmentRow) -> Option<Self> {
        let home = row.home.clone().map(|home| Self::Home {
            host: row.host_id,
            home,
        });
        row.domain_id.map(Self::Domain).or(home)
    }
}

impl Fleet {
    /// The directory an environment lives in.
    pub(crate) async fn ground(&self, environment: &EnvironmentRow) -> Result<Ground> {
        if let Some(home) = &environment.home {
            return Ok(Ground {
                home: PathBuf::from(home),
                unix_user: environment.unix_user.clone(),
                host: environment.host_id,
            });
        }
        let Some(id) = environment.domain_id else {
            return Err(Error::new(
                Kind::Unsupported,
                "there is no directory on record for this site",
            ));
        };
        let domain = domains::get(&self.parts.store, id)
            .await?
            .ok_or_else(|| Error::not_found("domain"))?;
        Ok(Ground::of(&domain))
    }

    /// Starts an agent there. Cancelling `cancel` withdraws what is running.
    pub(crate) async fn open_session(
        &self,
        ground: &Ground,
        cancel: CancellationToken,
    ) -> Result<Session> {
        let Some(host) = ground.host else {
            let place = Place {
                home: ground.home.clone(),
                way: Way::Local(self.local(ground)?),
            };
            return Ok(Session::open(&place, cancel).await?);
        };
        self.open_on_host(host, ground, cancel).await
    }

    /// Who works on a site of this machine.
    fn local(&self, ground: &Ground) -> Result<Local> {
        let run_as = match &ground.unix_user {
            None => None,
            Some(name) => Some(self.parts.hosting.account(name)?.ok_or_else(|| {
                Error::new(
                    Kind::Unreachable,
                    format!("the site's Unix user `{name}` is not on this machine"),
                )
                .with_hint("run `pressroom doctor` to compare records with the machine")
            })?),
        };
        Ok(Local {
            run_as: run_as.map(|user| pressroom_carrier::SiteUser {
                name: user.name,
                uid: user.uid,
                gid: user.gid,
            }),
            agent: self.parts.settings.agent.clone(),
        })
    }

    /// The `php` to work on a site with.
    pub(crate) fn php_of<'a>(&'a self, row: &'a EnvironmentRow) -> &'a str {
        row.php.as_deref().unwrap_or(&self.parts.settings.php)
    }

    /// Starts an agent at the site of a job, and finishes or takes back what an
    /// interrupted one left there.
    pub(crate) async fn open_site(
        &self,
        ctx: &JobContext,
        row: &EnvironmentRow,
    ) -> Result<Session> {
        Ok(self.open_site_recovering(ctx, row).await?.0)
    }

    /// [`Fleet::open_site`], with what was found and became of it.
    pub(crate) async fn open_site_recovering(
        &self,
        ctx: &JobContext,
        row: &EnvironmentRow,
    ) -> Result<(Session, Recovery)> {
        let ground = self.ground(row).await?;
        let session = self.open_session(&ground, ctx.cancelled().clone()).await?;
        let recovery = session.recover(ctx.epoch()).await?;
        Ok((session, recovery))
    }
}

impl From<pressroom_carrier::Error> for Error {
    fn from(error: pressroom_carrier::Error) -> Self {
        let kind = error.kind();
        let named = error.code().and_then(refusal_code);
        let mut converted = Self::new(kind, error.to_string());
        if let Some(named) = named {
            converted = converted.with_code(named);
        }
        converted.with_source(error)
    }
}

fn refusal_code(refused: pressroom_agent::protocol::RefusalCode) -> Option<&'static str> {
    use pressroom_agent::protocol::RefusalCode;
    match refused {
        RefusalCode::Occupied => Some(code::NOT_EMPTY),
        RefusalCode::Locked => Some(code::OPERATION_RUNNING),
        RefusalCode::BadPath => Some(code::PATH_ESCAPES),
        RefusalCode::NoPhp => Some(code::PHP_UNAVAILABLE),
        _ => None,
    }
}

impl From<pressroom_store::Error> for Error {
    fn from(error: pressroom_store::Error) -> Self {
        Self::internal(error)
    }
}

impl From<pressroom_providers::hosting::Error> for Error {
    fn from(error: pressroom_providers::hosting::Error) -> Self {
        Self::new(error.kind(), error.to_string()).with_source(error)
    }
}

impl From<pressroom_archive::Error> for Error {
    fn from(error: pressroom_archive::Error) -> Self {
        Self::new(error.kind(), error.to_string()).with_source(error)
    }
}

impl From<pressroom_providers::packages::Error> for Error {
    fn from(error: pressroom_providers::packages::Error) -> Self {
        Self::new(error.kind(), error.to_string()).with_source(error)
    }
}

/// Whether a job has done nothing at its site: whatever it does there is written down
/// first, as a step. There is nothing to take back then, and no need to reach a host that
/// may be away.
pub(crate) async fn nothing_begun(ctx: &JobContext) -> Result<bool> {
    Ok(ctx.steps().await?.is_empty())
}

/// A step's work in the words of the queue; on the heap, because steps nest.
pub(crate) fn told<'a, T>(
    work: impl Future<Output = Result<T>> + Send + 'a,
) -> BoxFuture<'a, std::result::Result<T, JobFailure>> {
    Box::pin(async move { work.await.map_err(JobFailure::from) })
}

impl From<Error> for JobFailure {
    fn from(error: Error) -> Self {
        if error.kind() == Kind::Internal {
            // The person sees a general sentence; the cause stops here.
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a job failed internally"
            );
        }
        let mut failure = Self::new(error.kind(), error.message());
        if let Some(hint) = error.hint() {
            failure = failure.with_hint(hint);
        }
        if let Some(named) = error.code() {
            failure = failure.with_code(named);
        }
        failure
    }
}
