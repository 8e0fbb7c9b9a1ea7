//! Handing a snapshot out: what arrives whole is what was recorded.

use crate::{Fleet, Result};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use pressroom_archive::{Error as ArchiveError, ObjectReader};
use pressroom_store::{SnapshotRow, snapshots};
use sha2::{Digest, Sha256};
use std::{
    fmt, io,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_util::io::ReaderStream;

/// Sent at a time.
const BLOCK: usize = 256 * 1024;
/// A receiver who takes no block in this time is taken for gone.
const STALLED: Duration = Duration::from_mins(2);

/// What a link gives.
#[derive(Debug, Clone)]
pub struct LinkedSnapshot {
    /// The name to save it under, of `A-Za-z0-9._-`.
    pub file_name: String,
    /// `application/zstd` or `application/zip`.
    pub media_type: &'static str,
    /// Bytes of it.
    pub size: u64,
    /// SHA-256 of them in hex.
    pub sha256: String,
}

/// The bytes of a snapshot. Their last block comes only once all of them were found to
/// be those that were recorded; otherwise the stream ends with an error, one block
/// short at least.
pub struct Delivery {
    blocks: mpsc::Receiver<io::Result<Bytes>>,
    left: u64,
}

impl Stream for Delivery {
    type Item = io::Result<Bytes>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Bytes>>> {
        let next = match ready!(self.blocks.poll_recv(context)) {
            Some(Ok(block)) => {
                self.left = self.left.saturating_sub(block.len() as u64);
                Some(Ok(block))
            }
            Some(Err(error)) => {
                self.left = 0;
                Some(Err(error))
            }
            // Whatever ended the sender: an end that is too early is told as one.
            None if self.left > 0 => {
                self.left = 0;
                Some(Err(io::ErrorKind::UnexpectedEof.into()))
            }
            None => None,
        };
        Poll::Ready(next)
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

/// Why a transfer ended early.
#[derive(Debug)]
enum Broken {
    /// The archive gave something else than was recorded.
    Damaged(String),
    /// The archive stopped giving.
    Unread(io::Error),
    /// Nobody takes it any more.
    Gone,
}

impl Fleet {
    /// Begins to hand a snapshot out, on a task of its own.
    pub(super) fn deliver(
        &self,
        row: SnapshotRow,
        expected: &LinkedSnapshot,
        reader: ObjectReader,
        permit: OwnedSemaphorePermit,
    ) -> Delivery {
        let (sender, blocks) = mpsc::channel(1);
        let (fleet, expected) = (self.clone(), expected.clone());
        let left = expected.size;
        tokio::spawn(async move {
            let _permit = permit;
            let Err(broken) = send(reader, &expected, &sender).await else {
                return;
            };
            let name = &row.public_id;
            match broken {
                Broken::Gone => {
                    tracing::debug!(snapshot = name, "whoever downloaded `{name}` has gone");
                    return;
                }
                Broken::Damaged(why) => fleet.note_damage(&row, &why).await,
                Broken::Unread(error) => {
                    tracing::warn!(snapshot = name, %error, "`{name}` cannot be read on");
                }
            }
            let told = io::Error::other("the snapshot cannot be delivered");
            let _ = sender.send_timeout(Err(told), STALLED).await;
        });
        Delivery { blocks, left }
    }

    /// Records that a snapshot is not what it was: it counts as verified no more.
    pub(super) async fn note_damage(&self, row: &SnapshotRow, why: &str) {
        let name = &row.public_id;
        tracing::warn!(
            snapshot = name,
            "a download of `{name}` was broken off: {why}"
        );
        let recorded: Result<()> = async {
            let tx = self.parts.store.begin().await?;
            snapshots::mark_damaged(&tx, row.id, why).await?;
            Ok(tx.commit().await?)
        }
        .await;
        if let Err(error) = recorded {
            // Removed meanwhile, mostly.
            tracing::debug!(snapshot = name, %error, "the damage of `{name}` was not recorded");
        }
    }
}

/// Sends all of it; the last block once the whole was seen to be the right one.
async fn send(
    reader: ObjectReader,
    expected: &LinkedSnapshot,
    sender: &mpsc::Sender<io::Result<Bytes>>,
) -> std::result::Result<(), Broken> {
    let mut blocks = pin!(ReaderStream::with_capacity(reader, BLOCK));
    let mut hash = Sha256::new();
    let mut size = 0;
    let mut held: Option<Bytes> = None;
    let pass = async |block: Bytes| {
        sender
            .send_timeout(Ok(block), STALLED)
            .await
            .map_err(|_| Broken::Gone)
    };
    while let Some(block) = blocks.next().await {
        let block = block.map_err(broken)?;
        hash.update(&block);
        size += block.len() as u64;
        if let Some(before) = held.replace(block) {
            pass(before).await?;
        }
    }
    if size != expected.size || hex::encode(hash.finalize()) != expected.sha256 {
        return Err(Broken::Damaged(
            "its bytes are not those that were stored".to_owned(),
        ));
    }
    match held {
        Some(last) => pass(last).await,
        None => Ok(()),
    }
}

/// What a failed read says of the archive.
fn broken(error: io::Error) -> Broken {
    let ours = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<ArchiveError>());
    match ours {
        Some(damage @ ArchiveError::Damaged { .. }) => Broken::Damaged(damage.to_string()),
        _ => Broken::Unread(error),
    }
}
