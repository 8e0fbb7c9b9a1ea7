//! What a command prints, on its way into the store: gathered, so that a chatty one does
//! not write a row per line, and bounded whatever the site says.

use super::Channel;
use crate::Result;
use pressroom_base::id::RunItemId;
use pressroom_jobs::JobContext;
use pressroom_store::runs;
use std::sync::{Arc, Mutex, PoisonError};

pub(super) const STDOUT: &str = "stdout";
pub(super) const STDERR: &str = "stderr";
/// The longest piece.
const PIECE: usize = 64 * 1024;

/// Output that is not stored yet; clones share it.
#[derive(Clone)]
pub(super) struct Kept(Arc<Mutex<Buffer>>);

struct Buffer {
    pieces: Vec<(Channel, Vec<u8>)>,
    room: u64,
}

impl Kept {
    pub(super) fn new(most: u64) -> Self {
        Self(Arc::new(Mutex::new(Buffer {
            pieces: Vec::new(),
            room: most,
        })))
    }

    /// Takes what was printed, as far as there is room: the agent drops the rest, but it
    /// lives at the site.
    pub(super) fn take(&self, channel: Channel, bytes: &[u8]) {
        let mut buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = usize::try_from(buffer.room)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        let bytes = bytes.get(..fits).unwrap_or_default();
        buffer.room -= fits as u64;
        match buffer.pieces.last_mut() {
            Some((last, piece)) if *last == channel && piece.len() + bytes.len() <= PIECE => {
                piece.extend_from_slice(bytes);
            }
            _ if bytes.is_empty() => {}
            _ => buffer.pieces.push((channel, bytes.to_vec())),
        }
    }

    /// Writes what was taken so far, if the job is still this worker's.
    pub(super) async fn store(&self, ctx: &JobContext, item: RunItemId) -> Result<()> {
        let pieces = {
            let mut buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut buffer.pieces)
        };
        if pieces.is_empty() {
            return Ok(());
        }
        let tx = ctx.begin().await?;
        for (channel, bytes) in pieces {
            let name = match channel {
                Channel::Stdout => STDOUT,
                Channel::Stderr => STDERR,
            };
            runs::append_output(&tx, item, name, &bytes).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}
