//! A job's output: lines gathered into chunks, so that a chatty job does not write
//! a row per line, and capped, so that a mad one does not fill the store.

use pressroom_base::{Epoch, id::JobId};
use pressroom_store::{Error, Result, Store, jobs};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, task::JoinHandle, time::Instant};

/// A chunk is written once it has this many bytes …
pub const CHUNK_BYTES: usize = 64 * 1024;
/// … or its first line is this old.
const CHUNK_AGE: Duration = Duration::from_millis(250);
/// What is kept of one job's output, over all its attempts.
pub const OUTPUT_CAP_BYTES: u64 = 4 * 1024 * 1024;
const CAP_NOTE: &str = "[output cut: more than 4 MB]\n";

/// Takes lines at once and writes them in the background.
#[derive(Clone)]
pub(crate) struct Output(Arc<Shared>);

struct Shared {
    buffer: Mutex<Buffer>,
    changed: Notify,
}

#[derive(Default)]
struct Buffer {
    text: String,
    /// Bytes taken so far, earlier attempts included.
    taken: u64,
    closed: bool,
    /// Nothing more is written: the lease is lost.
    dead: bool,
}

impl Output {
    /// Starts writing for one claim, behind what earlier attempts left.
    pub(crate) async fn start(store: Store, job: JobId, epoch: Epoch) -> Result<(Self, Writer)> {
        let (last, written) = jobs::output_size(&store, job).await?;
        let end = jobs::output_after(&store, job, last - 1, 1).await?;
        // The line that did not fit may have left room for shorter ones.
        let cut = end.iter().any(|piece| piece.text.ends_with(CAP_NOTE));
        let written = if cut { OUTPUT_CAP_BYTES } else { written };
        let shared = Arc::new(Shared {
            buffer: Mutex::new(Buffer {
                taken: written,
                ..Buffer::default()
            }),
            changed: Notify::new(),
        });
        let task = tokio::spawn(write(Arc::clone(&shared), store, job, epoch));
        Ok((Self(Arc::clone(&shared)), Writer { shared, task }))
    }

    /// Takes a line; its end is added. What is over the cap is dropped, with one note.
    pub(crate) fn line(&self, line: &str) {
        let mut buffer = self.0.lock();
        if buffer.closed || buffer.dead || buffer.taken >= OUTPUT_CAP_BYTES {
            return;
        }
        // PostgreSQL takes no NUL in text.
        let line = line
            .trim_end_matches(['\r', '\n'])
            .replace('\0', "\u{fffd}");
        let bytes = line.len() as u64 + 1;
        let room = OUTPUT_CAP_BYTES - CAP_NOTE.len() as u64;
        if buffer.taken + bytes > room {
            buffer.text.push_str(CAP_NOTE);
            buffer.taken = OUTPUT_CAP_BYTES;
        } else {
            buffer.text.push_str(&line);
            buffer.text.push('\n');
            buffer.taken += bytes;
        }
        drop(buffer);
        self.0.changed.notify_one();
    }
}

/// The writing end, kept by whoever ends the job.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Writer {
    /// Writes what is left; lines that come later are dropped.
    pub(crate) async fn close(self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_one();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the writer of a job's output failed");
        }
    }

    /// Drops what is left.
    pub(crate) fn abandon(self) {
        self.shared.lock().dead = true;
        self.task.abort();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// At most a chunk, cut behind a line where there is one.
    fn take(&self) -> Option<String> {
        let mut buffer = self.lock();
        if buffer.text.len() <= CHUNK_BYTES {
            return (!buffer.text.is_empty()).then(|| std::mem::take(&mut buffer.text));
        }
        let limit = buffer.text.floor_char_boundary(CHUNK_BYTES);
        let cut = buffer.text[..limit].rfind('\n').map_or(limit, |at| at + 1);
        let rest = buffer.text.split_off(cut);
        Some(std::mem::replace(&mut buffer.text, rest))
    }
}

async fn write(shared: Arc<Shared>, store: Store, job: JobId, epoch: Epoch) {
    loop {
        gather(&shared).await;
        while let Some(text) = shared.take() {
            match append(&store, job, epoch, &text).await {
                Ok(()) => {}
                Err(Error::LostLease) => {
                    shared.lock().dead = true;
                    return;
                }
                Err(error) => {
                    tracing::error!(job.id = %job, %error, "cannot write output of job {job}");
                }
            }
            if shared.lock().text.len() < CHUNK_BYTES && !shared.lock().closed {
                break;
            }
        }
        let buffer = shared.lock();
        if buffer.closed && buffer.text.is_empty() {
            return;
        }
    }
}

/// Waits until there is a chunk's worth, the first line is old enough, or no more
/// will come.
async fn gather(shared: &Shared) {
    loop {
        {
            let buffer = shared.lock();
            if buffer.closed || !buffer.text.is_empty() {
                break;
            }
        }
        shared.changed.notified().await;
    }
    let due = Instant::now() + CHUNK_AGE;
    loop {
        {
            let buffer = shared.lock();
            if buffer.closed || buffer.text.len() >= CHUNK_BYTES {
                return;
            }
        }
        if tokio::time::timeout_at(due, shared.changed.notified())
            .await
            .is_err()
        {
            return;
        }
    }
}

async fn append(store: &Store, job: JobId, epoch: Epoch, text: &str) -> Result<()> {
    let tx = store.begin().await?;
    jobs::record::append_output(&tx, job, epoch, text).await?;
    tx.commit().await
}
