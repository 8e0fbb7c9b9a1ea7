//! Finding snapshots, handing them out, letting them go.

use super::{Snapshot, create::place_of, of_site::not_removed};
use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Action, Resource, authorize, authorize_list},
    code,
};
use pressroom_archive::ObjectReader;
use pressroom_base::{
    Kind,
    id::{EnvironmentId, ShortId},
};
use pressroom_store::{
    Lookup, Page, Scope, SnapshotFilter, SnapshotRow, SnapshotState, StoredSnapshot, snapshots,
};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Snapshots in one answer.
const LISTED: u64 = 10_000;
/// Abandoned snapshots ended at a time.
const AT_ONCE: u64 = 100;
/// An upload without a manifest is nobody's after this long; longer than any takes.
const ORPHAN: Duration = Duration::from_hours(48);

impl Fleet {
    /// Snapshots of the caller's accounts, newest first, or of one environment; without those
    /// that somebody removed.
    pub async fn list_snapshots(
        &self,
        caller: &Caller,
        environment: Option<EnvironmentId>,
    ) -> Result<Vec<Snapshot>> {
        authorize_list(&caller.principal, Action::SiteRead)?;
        let filter = SnapshotFilter {
            environment_id: environment,
            states: not_removed(),
            ..SnapshotFilter::default()
        };
        let scope = caller.principal.scope();
        let rows = snapshots::list(&self.parts.store, &scope, &filter, Page::first(1000)).await?;
        Ok(rows.into_iter().map(Snapshot::from).collect())
    }

    /// The same without those that expired or are yet to be sent.
    pub async fn list_kept_snapshots(
        &self,
        caller: &Caller,
        environment: Option<EnvironmentId>,
    ) -> Result<Vec<Snapshot>> {
        authorize_list(&caller.principal, Action::SiteRead)?;
        let filter = SnapshotFilter {
            environment_id: environment,
            states: vec![
                SnapshotState::Creating,
                SnapshotState::Ready,
                SnapshotState::Failed,
            ],
            ..SnapshotFilter::default()
        };
        let scope = caller.principal.scope();
        let page = Page::first(LISTED);
        let rows = snapshots::list(&self.parts.store, &scope, &filter, page).await?;
        Ok(rows.into_iter().map(Snapshot::from).collect())
    }

    /// The snapshot of this name, whatever it is of, for this action.
    ///
    /// Errors: `NotFound`, `Forbidden`.
    pub async fn snapshot_of_name(
        &self,
        caller: &Caller,
        action: Action,
        name: &str,
    ) -> Result<Snapshot> {
        Ok(self.find_snapshot(caller, action, name).await?.into())
    }

    /// One snapshot of an environment, for this action.
    ///
    /// Errors: `NotFound`, also when it is of another environment; `Forbidden`.
    pub async fn get_snapshot(
        &self,
        caller: &Caller,
        action: Action,
        environment: EnvironmentId,
        name: &str,
    ) -> Result<Snapshot> {
        let row = self.find_snapshot(caller, action, name).await?;
        if row.environment_id != environment {
            return Err(Error::not_found("Snapshot"));
        }
        Ok(row.into())
    }

    /// A snapshot's bytes as they are in the archive, with what it is.
    ///
    /// Errors: `NotFound`, `Conflict` when it is not ready.
    pub async fn open_snapshot(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<(Snapshot, ObjectReader)> {
        let row = self
            .find_snapshot(caller, Action::SnapshotCreate, name)
            .await?;
        refuse_unready(&row)?;
        let (_, reader) = self.parts.archive.open(&place_of(&row)?).await?;
        Ok((row.into(), reader))
    }

    /// Removes what is past its time, and what writers that died left behind.
    pub async fn expire_snapshots(&self) -> Result<()> {
        self.expire_due().await?;
        self.fail_stranded().await?;
        if let Err(error) = self.sweep_asides().await {
            tracing::warn!(error = %error, "what restores kept aside was not looked for");
        }
        let swept = self
            .parts
            .archive
            .sweep(ORPHAN, &CancellationToken::new())
            .await?;
        if !swept.orphans.is_empty() {
            tracing::info!(
                objects = swept.orphans.len(),
                bytes = swept.bytes,
                "removed what unfinished snapshots left in the archive"
            );
        }
        for place in &swept.broken {
            tracing::warn!(
                snapshot = %place.name,
                account = %place.account,
                "a snapshot has a manifest in the archive, but no archive"
            );
        }
        for failure in &swept.failures {
            tracing::warn!(error = failure, "leftovers in the archive were not removed");
        }
        Ok(())
    }

    /// Ends snapshots whose jobs ended without them, or are gone: they would hold
    /// their part of the account's quota for ever.
    async fn fail_stranded(&self) -> Result<()> {
        for row in snapshots::stranded(&self.parts.store, AT_ONCE).await? {
            if let Err(error) = self.settle_stranded(&row).await {
                tracing::warn!(snapshot = row.public_id, error = %error, "an abandoned snapshot was not removed");
            }
        }
        Ok(())
    }

    /// One that is whole in the archive is kept: after the store was restored from a copy, its
    /// job is remembered as one that was under way.
    async fn settle_stranded(&self, row: &SnapshotRow) -> Result<()> {
        let Ok(manifest) = self.parts.archive.manifest(&place_of(row)?).await else {
            return self.fail(row).await;
        };
        if self
            .read_back(row, &CancellationToken::new())
            .await
            .is_err()
        {
            return self.fail(row).await;
        }
        let stored = StoredSnapshot {
            size: i64::try_from(manifest.size).unwrap_or(i64::MAX),
            sha256: manifest.sha256,
            wordpress_version: row.wordpress_version.clone(),
        };
        let tx = self.parts.store.begin().await?;
        match snapshots::finish(&tx, row.id, stored).await {
            Ok(()) => snapshots::mark_verified(&tx, row.id).await?,
            // Somebody else came first.
            Err(pressroom_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(tx.commit().await?)
    }

    async fn fail(&self, row: &SnapshotRow) -> Result<()> {
        self.parts.archive.abandon(&place_of(row)?).await?;
        let tx = self.parts.store.begin().await?;
        match snapshots::fail(&tx, row.id, "Its job ended without it").await {
            // Somebody else came first.
            Ok(()) | Err(pressroom_store::Error::NotFound { .. }) => Ok(tx.commit().await?),
            Err(error) => Err(error.into()),
        }
    }

    /// The snapshot of this name, or that programs call so (`snap_…`), for this action. One of
    /// another account is `NotFound` with [`crate::code::FOREIGN`].
    pub(super) async fn find_snapshot(
        &self,
        caller: &Caller,
        action: Action,
        name: &str,
    ) -> Result<SnapshotRow> {
        let missing = || Error::not_found("Snapshot");
        let store = &self.parts.store;
        let short = name.strip_prefix("snap_").and_then(ShortId::parse);
        let found = match short {
            Some(short) => snapshots::by_short_id(store, &Scope::All, &short).await?,
            None => snapshots::by_public_id(store, &Scope::All, name).await?,
        };
        let Lookup::Found(row) = found else {
            return Err(missing());
        };
        match authorize(
            &caller.principal,
            action,
            Resource::OfAccount(row.account_id),
        ) {
            Ok(()) => Ok(row),
            Err(error) if error.kind() == Kind::NotFound => Err(missing().with_code(code::FOREIGN)),
            Err(error) => Err(error),
        }
    }
}

pub(super) fn refuse_unready(row: &SnapshotRow) -> Result<()> {
    if row.state == SnapshotState::Ready {
        return Ok(());
    }
    Err(Error::conflict(format!(
        "snapshot `{}` is {}",
        row.public_id,
        row.state.as_str()
    )))
}
