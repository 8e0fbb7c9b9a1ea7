//! Reading snapshots back.

use super::{Snapshot, create::place_of};
use crate::{Caller, Error, Fleet, Result, authorize::Action};
use pressroom_archive::{Format, Streaming};
use pressroom_base::Kind;
use pressroom_store::{SnapshotRow, SnapshotState, snapshots};
use pressroom_wordpress::{
    archive::{self, Limits},
    watch::Watch,
};
use tokio_util::{io::SyncIoBridge, sync::CancellationToken};

impl Fleet {
    /// Reads a snapshot back from the archive: size and hash, then every file in it
    /// against its manifest. Answers it as recorded after that.
    ///
    /// Errors: `NotFound`; `Conflict` when it is not ready; `Remote` when it is damaged,
    /// which is recorded.
    pub async fn verify_snapshot(&self, caller: &Caller, name: &str) -> Result<Snapshot> {
        let row = self
            .find_snapshot(caller, Action::SnapshotCreate, name)
            .await?;
        if row.state != SnapshotState::Ready {
            return Err(Error::conflict(format!(
                "snapshot `{name}` is {}",
                row.state.as_str()
            )));
        }
        let verified = self.read_back(&row, &CancellationToken::new()).await;
        let tx = self.parts.store.begin().await?;
        match &verified {
            Ok(()) => snapshots::mark_verified(&tx, row.id).await?,
            Err(error) if error.kind() == Kind::Remote => {
                snapshots::mark_damaged(&tx, row.id, error.message()).await?;
            }
            // It could not be told.
            Err(_) => {}
        }
        tx.commit().await?;
        verified?;
        Ok(self.snapshot_row(name).await?.into())
    }

    /// Reads all of it, and fails with `Remote` when it is not what was stored.
    pub(super) async fn read_back(
        &self,
        row: &SnapshotRow,
        cancel: &CancellationToken,
    ) -> Result<()> {
        let place = place_of(row)?;
        let streaming = Streaming {
            cancel: cancel.clone(),
            ..Streaming::default()
        };
        let found = self.parts.archive.verify(&place, &streaming).await?;
        if !found.is_sound() {
            return Err(damaged(&format!("{:?}", found.faults)));
        }
        if found.manifest.format == Format::Zip {
            // A zip is read from its end: what the archive found of it must do.
            return Ok(());
        }
        let (_, reader) = self.parts.archive.open(&place).await?;
        let mut reader = SyncIoBridge::new(reader);
        tokio::task::spawn_blocking(move || {
            archive::verify(&mut reader, &Limits::default(), &Watch::unbounded())
        })
        .await
        .map_err(Error::internal)?
        .map_err(|error| damaged(&error.to_string()))
        .map(drop)
    }
}

fn damaged(why: &str) -> Error {
    Error::new(Kind::Remote, format!("the snapshot is damaged: {why}"))
        .with_hint("take another one while the site is well")
}
