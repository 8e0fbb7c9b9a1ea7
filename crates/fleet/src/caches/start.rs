//! Asking for a change.

use super::Cache;
use crate::{Caller, Error, Fleet, Result, authorize::Action, code, jobs::Enqueue, views::Job};
use pressroom_base::{Kind, catalog::event, id::EnvironmentId};
use pressroom_wordpress::caches::{DropIn, FoundDropIn};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use url::Url;

/// What is to become of a site's caches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum CacheChange {
    /// One is put in, or without a choice that of pages, and that of objects where a Redis
    /// server is configured and nobody else's is there.
    Enable {
        /// Which.
        cache: Option<Cache>,
    },
    /// One is taken out, or without a choice both; a plugin's stays.
    Disable {
        /// Which.
        cache: Option<Cache>,
    },
    /// Objects are forgotten, and transients whose time has passed.
    Flush,
    /// Pages are removed.
    Purge {
        /// Only the one at this address of the site.
        url: Option<String>,
    },
}

impl CacheChange {
    /// What it is called on the command line.
    pub(crate) const fn verb(&self) -> &'static str {
        match self {
            Self::Enable { .. } => "enable",
            Self::Disable { .. } => "disable",
            Self::Flush => "flush",
            Self::Purge { .. } => "purge",
        }
    }
}

/// The name of the job.
pub(super) const KIND: &str = "site_cache";

impl Fleet {
    /// Starts a change of a site's caches as a job whose result is a
    /// [`CacheChanged`](super::CacheChanged). What cannot be verified at the site is taken
    /// back.
    ///
    /// Errors: `NotFound`, `Forbidden`, `Invalid` with `UNPROCESSABLE` (an address that is
    /// not the site's), `Unsupported` (no Redis server that keeps sites apart), `Busy` with
    /// `OPERATION_RUNNING`, `Conflict` (a plugin's drop-in is there), `Unreachable`,
    /// `Remote`.
    pub async fn change_caches(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        change: CacheChange,
    ) -> Result<Job> {
        let row = self
            .environment_row(caller, Action::SiteConfigure, environment)
            .await?
            .env;
        if let Some(id) = caller.earlier_job() {
            return self.job_by_id(caller, Action::SiteConfigure, id).await;
        }
        if let CacheChange::Purge { url: Some(url) } = &change {
            page_address(url)?;
        }
        let tx = self.parts.store.begin().await?;
        self.refuse_while_written_to(&tx, &row).await?;
        tx.rollback().await?;
        // What cannot be is said at once; the job looks again.
        let ground = self.ground(&row).await?;
        let session = self.open_session(&ground, CancellationToken::new()).await?;
        let status = self.cache_status(&session, &row).await?;
        if let CacheChange::Enable { cache } = &change {
            if *cache == Some(Cache::Object) {
                if row.host_id.is_some() {
                    return Err(Error::new(
                        Kind::Unsupported,
                        "the Redis that is configured is this machine's, and the site is on another",
                    )
                    .with_hint("a page cache needs no server: `pressroom cache enable SITE`"));
                }
                self.redis_server()?;
                refuse_foreign(DropIn::Object, &status.object)?;
            } else {
                refuse_foreign(DropIn::Page, &status.page)?;
            }
        }
        let job =
            Enqueue::writing(KIND, &row, &change)?.with_event(event::SITE_CACHE_CHANGE_STARTED);
        self.start_job(caller, Action::SiteConfigure, job).await
    }
}

/// A drop-in of somebody else is not written over.
pub(super) fn refuse_foreign(which: DropIn, found: &FoundDropIn) -> Result<()> {
    let FoundDropIn::Foreign { name } = found else {
        return Ok(());
    };
    let file = which.file();
    let whose = if name == file {
        "somebody else's".to_owned()
    } else {
        format!("that of {name}")
    };
    Err(
        Error::conflict(format!("`{file}` is {whose}, and was left as it is"))
            .with_hint("deactivate the plugin that put it there, then enable the cache again"),
    )
}

/// A page's address.
pub(super) fn page_address(text: &str) -> Result<Url> {
    let url = Url::parse(text).ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some())
        .ok_or_else(|| unprocessable("url must be the address of a page of the site"))
}

pub(super) fn unprocessable(why: impl Into<String>) -> Error {
    Error::new(Kind::Invalid, why).with_code(code::UNPROCESSABLE)
}
