//! What the parts of the job have in common.

use super::{CacheState, report};
use crate::{
    Error, Fleet, Result,
    look::{Look, origin_of},
};
use pressroom_base::Kind;
use pressroom_carrier::Session;
use pressroom_jobs::JobContext;
use pressroom_providers::probe::Probe;
use pressroom_store::EnvironmentRow;
use pressroom_wordpress::{
    caches::{CacheStatus, DropIn},
    config::{ConfigValue, Edit},
};
use serde::{Deserialize, Serialize};

/// A job at its site.
pub(super) struct Bench<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) ctx: &'a JobContext,
    pub(super) session: &'a Session,
    pub(super) row: &'a EnvironmentRow,
}

/// What was there before the job changed anything: what it is brought back to.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Before {
    /// Our page cache was in use.
    pub(super) page: bool,
    /// Our object cache was.
    pub(super) object: bool,
}

impl Bench<'_> {
    pub(super) async fn status(&self) -> Result<CacheStatus> {
        self.fleet.cache_status(self.session, self.row).await
    }

    pub(super) async fn before(&self) -> Result<Before> {
        let status = self.status().await?;
        Ok(Before {
            page: report::has_page(&status),
            object: report::has_object(&status),
        })
    }

    pub(super) async fn state(&self) -> Result<CacheState> {
        Ok(CacheState::from(&self.status().await?))
    }

    /// Changes the configuration, and has PHP look at it and at a drop-in again.
    pub(super) async fn edit(&self, edits: Vec<Edit>, content: &str, which: DropIn) -> Result<()> {
        let mut changed = vec![format!("{content}/{}", which.file())];
        if !edits.is_empty() {
            let site = self.fleet.site_ref(self.row);
            let edited = self
                .session
                .edit_config(self.ctx.epoch(), site, edits)
                .await
                .map_err(|why| {
                    let error = Error::from(why);
                    match error.kind() {
                        // What the configuration is like is not the caller's mistake.
                        Kind::Invalid => super::start::unprocessable(error.message()),
                        _ => error,
                    }
                })?;
            changed.push(edited.file);
        }
        self.forget_compiled(changed).await;
        Ok(())
    }

    /// Flushes what may answer with files from before.
    pub(super) async fn forget_compiled(&self, changed: Vec<String>) {
        self.fleet
            .flush_caches(self.ctx, self.session, self.row, changed)
            .await;
    }

    pub(super) async fn look(&self) -> Look {
        self.fleet.look_at(self.row).await
    }

    /// The site as it was, if it answers: what does not cannot be judged afterwards.
    pub(super) async fn baseline(&self) -> Result<Look> {
        let look = self.look().await;
        match look.trouble() {
            None => Ok(look),
            Some(trouble) => Err(failed(format!(
                "nothing was changed: the site does not answer, so a cache could not be judged ({trouble})"
            ))),
        }
    }

    /// The front page as visitors get it, from whatever cache.
    pub(super) async fn front_page(&self) -> Result<Probe> {
        let Some(origin) = origin_of(self.row) else {
            return Err(failed("no address is registered for the site"));
        };
        let prober = &self.fleet.parts.prober;
        prober.register(origin.addr);
        let path = url::Url::parse(&self.row.url)
            .map_or_else(|_| "/".to_owned(), |url| url.path().to_owned());
        let path = format!("{}/", path.trim_end_matches('/'));
        prober
            .probe_home(&origin, &path)
            .await
            .map_err(|why| failed(why.to_string()))
    }
}

pub(super) fn failed(why: impl Into<String>) -> Error {
    Error::new(Kind::Remote, why)
}

pub(super) fn set(name: &str, value: ConfigValue) -> Edit {
    Edit::Set {
        name: name.to_owned(),
        value,
    }
}

pub(super) fn unset(name: &str) -> Edit {
    Edit::Remove {
        name: name.to_owned(),
    }
}
