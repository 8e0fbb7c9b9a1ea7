//! Looking at a site's caches.

use super::CacheState;
use crate::{Caller, Fleet, Result, authorize::Action};
use pressroom_base::id::EnvironmentId;
use pressroom_carrier::Session;
use pressroom_store::EnvironmentRow;
use pressroom_wordpress::caches::CacheStatus;
use tokio_util::sync::CancellationToken;

impl Fleet {
    /// A site's caches as they are now.
    ///
    /// Errors: `NotFound`, `Forbidden`, `Unreachable`, `Remote`.
    pub async fn caches(&self, caller: &Caller, environment: EnvironmentId) -> Result<CacheState> {
        let row = self
            .environment_row(caller, Action::SiteRead, environment)
            .await?
            .env;
        let ground = self.ground(&row).await?;
        let session = self.open_session(&ground, CancellationToken::new()).await?;
        let status = self.cache_status(&session, &row).await?;
        Ok(CacheState::from(&status))
    }

    pub(super) async fn cache_status(
        &self,
        session: &Session,
        row: &EnvironmentRow,
    ) -> Result<CacheStatus> {
        let socket = self.fpm_socket(row).await;
        Ok(session.cache_status(self.site_ref(row), socket).await?)
    }
}
