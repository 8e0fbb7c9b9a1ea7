//! What answers with yesterday's code or options after something was exchanged.

use crate::Fleet;
use pressroom_carrier::Session;
use pressroom_jobs::JobContext;
use pressroom_store::{EnvironmentRow, domains};
use pressroom_wordpress::caches::{FlushOptions, Outcome};

impl Fleet {
    /// Flushes the caches of a site, of which `changed` (relative to its home) was
    /// exchanged. A cache that cannot be flushed is told in the job's output and stops
    /// nothing: the verdict looks past it.
    pub(crate) async fn flush_caches(
        &self,
        ctx: &JobContext,
        session: &Session,
        row: &EnvironmentRow,
        changed: Vec<String>,
    ) {
        let socket = self.fpm_socket(row).await;
        self.flush_caches_of(ctx, session, row, changed, socket)
            .await;
    }

    /// The same for a site whose pool is not the one of its recorded domain.
    pub(crate) async fn flush_caches_of(
        &self,
        ctx: &JobContext,
        session: &Session,
        row: &EnvironmentRow,
        changed: Vec<String>,
        fpm_socket: Option<String>,
    ) {
        let options = FlushOptions {
            fpm_socket,
            changed_paths: changed,
            ..FlushOptions::default()
        };
        let flushed = match session.flush_caches(ctx.epoch(), &row.path, options).await {
            Ok(flushed) => flushed,
            Err(error) => return ctx.line(format!("caches were not flushed: {error}")),
        };
        for cache in flushed.caches {
            match cache.outcome {
                Outcome::Flushed { entries, .. } if entries > 0 => {
                    ctx.line(format!("{}: {entries} entries flushed", cache.name));
                }
                Outcome::Flushed { .. } | Outcome::NotPresent => {}
                Outcome::Unknown { reason } => {
                    ctx.line(format!("{} may hold what is old: {reason}", cache.name));
                }
            }
        }
    }

    /// Where the pool of a site's domain listens; `None` where it is not ours.
    pub(super) async fn fpm_socket(&self, row: &EnvironmentRow) -> Option<String> {
        let domain = domains::get(&self.parts.store, row.domain_id?)
            .await
            .ok()??;
        self.parts.hosting.pool_socket(&domain.name).ok()?
    }
}
