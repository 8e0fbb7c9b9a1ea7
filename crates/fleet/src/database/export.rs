//! The tables as SQL, streamed to whoever asked.

use crate::{Caller, Fleet, Result, authorize::Action};
use pressroom_base::id::EnvironmentId;
pub use pressroom_wordpress::database::dump::{DumpReport as ExportReport, MissingRight};
use pressroom_wordpress::database::dump::DumpOptions;
use tokio::io::AsyncWrite;
use tokio_util::sync::CancellationToken;

impl Fleet {
    /// Writes the tables of a site as SQL to `out`, as of one moment where their engines
    /// know such a thing. What came before a failure is no dump.
    ///
    /// Errors: `NotFound`, `Forbidden`, `Unreachable`, `Remote` (the database refuses).
    pub async fn export_database(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        out: &mut (dyn AsyncWrite + Unpin + Send),
    ) -> Result<ExportReport> {
        let row = self
            .environment_row(caller, Action::SiteDatabase, environment)
            .await?
            .env;
        let ground = self.ground(&row).await?;
        let session = self.open_session(&ground, CancellationToken::new()).await?;
        Ok(session
            .dump_database(self.site_ref(&row), DumpOptions::default(), out)
            .await?)
    }
}
