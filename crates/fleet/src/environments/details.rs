//! What takes a look of its own to say of an environment.

use crate::{Caller, Fleet, Result, authorize::Action};
use pressroom_base::{Timestamp, id::EnvironmentId};
use pressroom_providers::packages::{PackageKind, Standing};
use pressroom_store::{EnvironmentRow, Page, Scope, SnapshotFilter, SnapshotState, snapshots};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

/// Facts that are not recorded. What could not be found out is `None`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Details {
    /// A newer WordPress that the package source offers.
    pub core_update: Option<String>,
    /// Why it is not known whether there is one; then the lack of one means nothing.
    pub core_update_unknown: Option<String>,
    /// Version of the PHP that works on the site.
    pub php_version: Option<String>,
    /// Bytes of the disk that the site's files take.
    pub disk_usage: Option<u64>,
    /// Bytes of its tables with their indexes.
    pub database_size: Option<u64>,
    /// Whether visitors get the maintenance page.
    pub maintenance: Option<bool>,
    /// When its newest snapshot that is ready was asked for.
    pub last_snapshot_at: Option<Timestamp>,
}

impl Fleet {
    /// Looks at an environment more closely than its view does. A site that does not
    /// answer leaves gaps, and is no error.
    ///
    /// Errors: `NotFound`, `Forbidden`.
    pub async fn environment_details(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
    ) -> Result<Details> {
        let row = self
            .environment_row(caller, Action::SiteRead, environment)
            .await?
            .env;
        let (at_site, core, php) = tokio::join!(
            self.at_the_site(&row),
            self.core_standing(&row),
            self.php_version()
        );
        let (core_update, core_update_unknown) = core;
        Ok(Details {
            core_update,
            core_update_unknown,
            php_version: php,
            last_snapshot_at: self.last_snapshot_at(&row).await?,
            ..at_site
        })
    }

    async fn at_the_site(&self, row: &EnvironmentRow) -> Details {
        let tell = |error: &dyn std::fmt::Display| {
            tracing::warn!(environment.id = %row.id, %error, "the site could not be looked at");
        };
        let session = async {
            let ground = self.ground(row).await?;
            self.open_session(&ground, CancellationToken::new()).await
        };
        let session = match session.await {
            Ok(session) => session,
            Err(error) => {
                tell(&error);
                return Details::default();
            }
        };
        let (disk, tables, maintenance) = tokio::join!(
            session.disk_usage(&row.path),
            session.database_size(self.site_ref(row)),
            session.maintenance(&row.path)
        );
        Details {
            disk_usage: disk
                .inspect_err(|error| tell(error))
                .ok()
                .map(|disk| disk.bytes),
            database_size: tables.inspect_err(|error| tell(error)).ok().map(|tables| {
                // A site may say any number.
                let sizes = tables
                    .iter()
                    .flat_map(|table| [table.data_bytes, table.index_bytes]);
                sizes.fold(0, u64::saturating_add)
            }),
            maintenance: maintenance
                .inspect_err(|error| tell(error))
                .ok()
                .map(pressroom_wordpress::maintenance::Maintenance::is_in_force),
            ..Details::default()
        }
    }

    /// The newer WordPress that is offered, or why none is known of.
    pub(crate) async fn core_standing(
        &self,
        row: &EnvironmentRow,
    ) -> (Option<String>, Option<String>) {
        if row.core_version.is_empty() {
            return (None, Some("its version is not known".to_owned()));
        }
        let version = Some(row.core_version.as_str());
        let packages = &self.parts.packages;
        let standing = packages.standing(PackageKind::Core, PackageKind::CORE_SLUG, version);
        match standing.await {
            Ok(Standing::Older(offer)) => (Some(offer.version), None),
            Ok(Standing::Newest) => (None, None),
            Ok(Standing::Unknown) => (None, Some("no package source has WordPress".to_owned())),
            Err(error) => (
                None,
                Some(format!("the package source did not answer: {error}")),
            ),
        }
    }

    async fn last_snapshot_at(&self, row: &EnvironmentRow) -> Result<Option<Timestamp>> {
        let ready = SnapshotFilter {
            environment_id: Some(row.id),
            states: vec![SnapshotState::Ready],
            ..SnapshotFilter::default()
        };
        let store = &self.parts.store;
        let newest = snapshots::list(store, &Scope::All, &ready, Page::first(1)).await?;
        Ok(newest.first().map(|snapshot| snapshot.created_at))
    }
}
