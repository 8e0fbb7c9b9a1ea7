//! Taking in a snapshot that somebody sends.
//!
//! Every attempt has a place of its own in the archive, where nothing counts before its
//! manifest is written, and that is written once all of it was read back, listed to its end
//! and found harmless. Of several attempts one is recorded; the others take theirs back.

use super::{Snapshot, create::recorded_format, found::Found, room::refuse_full_disk, tell};
use crate::{Caller, Error, Fleet, Problem, Result, authorize::Action, code, teller::Teller};
use pressroom_archive::{
    Error as ArchiveError, Format, Place, Received, Said, SnapshotName, Streaming,
};
use pressroom_base::{Kind, catalog::event, id::ShortId, token};
use pressroom_store::{
    self as store, SentSnapshot, SnapshotContents, SnapshotRow, SnapshotState, StoredSnapshot,
    snapshots,
};
use pressroom_wordpress::{
    archive::{Inspected, Limits, inspect},
    watch::Watch,
};
use serde_json::json;
use std::{io, sync::Arc};
use tokio::io::{AsyncRead, AsyncReadExt};

/// How much larger an archive may unpack than it is, beyond the first gigabyte.
const RATIO: u64 = 50;
const FREE: u64 = 1 << 30;

/// What is said of what is about to come.
#[derive(Debug, Clone, Default)]
pub struct Sending {
    /// Bytes that will come at most, where that is known.
    pub declared: Option<u64>,
    /// SHA-256 that they must have, in lower-case hex.
    pub sha256: Option<String>,
}

impl Fleet {
    /// Takes in the archive of a snapshot that is awaited: a tar in zstd or gzip, a tar, or
    /// a zip. An `input` that breaks off ends with an error of its own, and the snapshot is
    /// awaited as before.
    ///
    /// Errors: `NotFound`, `Forbidden`; `Conflict` with [`code::NOT_AWAITED`]; `Limited` with
    /// [`code::TOO_LARGE`] or [`code::NO_ROOM`]; `Busy` while as many are sent as may be;
    /// `Invalid` (another checksum, no archive that can be read, or it broke off).
    pub async fn upload_snapshot(
        &self,
        caller: &Caller,
        site: &ShortId,
        id: &ShortId,
        sending: Sending,
        mut input: impl AsyncRead + Unpin + Send,
    ) -> Result<Snapshot> {
        let row = self.awaited_snapshot(caller, site, id).await?;
        let limit = self.parts.settings.upload_limit;
        if sending.declared.is_some_and(|bytes| bytes > limit) {
            return Err(too_large(limit));
        }
        let free = self.parts.archive.objects().free_bytes()?;
        refuse_full_disk(free, sending.declared)?;
        let _permit = Arc::clone(&self.uploads)
            .try_acquire_owned()
            .map_err(|_| Error::new(Kind::Busy, "as many snapshots are sent as may be"))?;
        let start = beginning(&mut input).await?;
        let format = Format::of_start(&start)
            .ok_or_else(|| unreadable("it is neither a tar, packed or not, nor a zip"))?;
        let place = Place {
            account: row.account_id,
            environment: row.environment_id,
            name: SnapshotName::parse(&format!("{}-{}", row.public_id, token::name(8)))?,
        };
        let room = self.room_for(&row).await?;
        let streaming = Streaming {
            limit: Some(room.map_or(limit, |room| room.min(limit))),
            expected: sending.declared.or(Some(limit)),
            ..Streaming::default()
        };
        let whole = start.as_slice().chain(input);
        let received = self
            .parts
            .archive
            .receive(&place, format, whole, &streaming)
            .await
            .map_err(|error| refused(error, limit))?;
        let found = match judge(&received, &sending).await {
            Ok(found) => found,
            Err(error) => {
                received.discard().await?;
                return Err(error);
            }
        };
        let row = self.keep_sent(caller, &row, &place, format, received, &found);
        Ok(row.await?.into())
    }

    /// One that may be sent now; looking costs nobody anything.
    ///
    /// Errors: `NotFound`, `Forbidden`; `Conflict` with [`code::NOT_AWAITED`].
    pub async fn check_awaited(&self, caller: &Caller, site: &ShortId, id: &ShortId) -> Result<()> {
        self.awaited_snapshot(caller, site, id).await.map(drop)
    }

    async fn awaited_snapshot(
        &self,
        caller: &Caller,
        site: &ShortId,
        id: &ShortId,
    ) -> Result<SnapshotRow> {
        let row = self
            .site_snapshot(caller, Action::SnapshotUpload, site, id)
            .await?;
        let now = self.parts.store.now().await?;
        let in_time = row.upload_until.is_some_and(|until| now < until);
        if row.state == SnapshotState::Awaiting && in_time {
            return Ok(row);
        }
        Err(not_awaited())
    }

    /// Makes a snapshot of what is in the archive and was found to be one.
    async fn keep_sent(
        &self,
        caller: &Caller,
        row: &SnapshotRow,
        place: &Place,
        format: Format,
        received: Received,
        seen: &Inspected,
    ) -> Result<SnapshotRow> {
        let key = place.object_key(format)?.to_string();
        let tx = self.parts.store.begin().await?;
        match snapshots::intend_upload(&tx, row.id, &key).await {
            Ok(()) => tx.commit().await?,
            Err(error) => {
                tx.rollback().await?;
                received.discard().await?;
                return Err(late(error));
            }
        }
        let contents = contents(row, seen);
        let manifest = received.commit(said(seen, contents)).await?;
        let sent = SentSnapshot {
            stored: StoredSnapshot {
                size: i64::try_from(manifest.size).unwrap_or(i64::MAX),
                sha256: manifest.sha256.clone(),
                wordpress_version: seen.core_version.clone().unwrap_or_default(),
            },
            format: recorded_format(format),
            object_key: key,
            contents,
            found: serde_json::to_value(Found::from(seen)).map_err(Error::internal)?,
        };
        match self.record_sent(caller, row, manifest.size, sent).await {
            Ok(row) => Ok(row),
            Err(error) => {
                self.parts.archive.remove(place).await?;
                Err(error)
            }
        }
    }

    async fn record_sent(
        &self,
        caller: &Caller,
        row: &SnapshotRow,
        size: u64,
        sent: SentSnapshot,
    ) -> Result<SnapshotRow> {
        let tx = self.parts.store.begin().await?;
        self.refuse_without_room(&tx, row, size).await?;
        snapshots::finish_upload(&tx, row.id, sent)
            .await
            .map_err(late)?;
        let row = snapshots::lock(&tx, row.id).await?;
        let told = json!({
            "snapshot": row.public_id,
            "bytes": size,
            "kind": row.contents.as_str(),
            "origin": row.origin.as_str(),
        });
        tell::happened(&tx, event::SNAPSHOT_CREATED, &row, Teller::of(caller), told).await?;
        tx.commit().await?;
        Ok(row)
    }
}

/// As many bytes as tell what it is.
async fn beginning(input: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>> {
    let mut start = Vec::with_capacity(Format::START);
    input
        .take(Format::START as u64)
        .read_to_end(&mut start)
        .await
        .map_err(broken_off)?;
    Ok(start)
}

/// Whether what arrived is what was meant, and harmless.
async fn judge(received: &Received, sending: &Sending) -> Result<Inspected> {
    let stored = received.stored();
    if sending
        .sha256
        .as_ref()
        .is_some_and(|sha256| *sha256 != stored.sha256)
    {
        return Err(Error::invalid("checksum mismatch"));
    }
    let most = Limits::default();
    let limits = Limits {
        bytes: most
            .bytes
            .min(stored.size.saturating_mul(RATIO).saturating_add(FREE)),
        archive_bytes: stored.size,
        ..most
    };
    let reader = received.look().await?;
    let looked = move || inspect(reader, &limits, &Watch::unbounded());
    tokio::task::spawn_blocking(looked)
        .await
        .map_err(Error::internal)?
        .map_err(|error| unreadable(&error.to_string()))
}

/// What of the site is in it: of what is no snapshot of ours, what its sender said.
fn contents(row: &SnapshotRow, seen: &Inspected) -> SnapshotContents {
    match (seen.is_snapshot, seen.has_database, seen.has_files) {
        (true, true, false) => SnapshotContents::Database,
        (true, false, true) => SnapshotContents::Files,
        (true, true, true) => SnapshotContents::Full,
        _ => row.contents,
    }
}

/// What a restore must know; it was found in the archive, nobody said it.
fn said(seen: &Inspected, contents: SnapshotContents) -> Said {
    let tree = seen
        .checked
        .trees
        .iter()
        .find(|tree| tree.prefix == pressroom_wordpress::snapshot::FILES);
    let totals = &seen.checked.totals;
    Said {
        contents: Some(contents.as_str().to_owned()),
        entries: Some(totals.entries()),
        bytes: Some(totals.bytes),
        tree_hash: tree.map(|tree| tree.tree.hash.clone()),
        wordpress_version: seen.core_version.clone(),
        url: seen.url.clone(),
        table_prefix: seen.table_prefix.clone(),
        network: Some(seen.network),
        more: json!({ "totals": totals }),
        ..Said::default()
    }
}

fn refused(error: ArchiveError, limit: u64) -> Error {
    match error {
        ArchiveError::Input(source) => broken_off(source),
        ArchiveError::OverLimit { limit: at } if at == limit => too_large(limit),
        error => error.into(),
    }
}

fn broken_off(source: io::Error) -> Error {
    match source.downcast::<Error>() {
        // Whoever reads for us knew better what is wrong.
        Ok(ours) => ours,
        Err(source) => Error::invalid("the upload broke off").with_source(source),
    }
}

fn too_large(limit: u64) -> Error {
    let text = format!("an archive may have {limit} bytes at most");
    Error::new(Kind::Limited, text).with_code(code::TOO_LARGE)
}

fn unreadable(why: &str) -> Error {
    Error::invalid("archive is not readable")
        .with_code(code::UNPROCESSABLE)
        .with_problems(vec![Problem::new("file", why)])
}

fn not_awaited() -> Error {
    Error::conflict("snapshot is not awaiting upload").with_code(code::NOT_AWAITED)
}

/// Somebody else came first, or it was removed meanwhile.
fn late(error: store::Error) -> Error {
    match error {
        store::Error::NotFound { .. } => not_awaited(),
        error => error.into(),
    }
}
