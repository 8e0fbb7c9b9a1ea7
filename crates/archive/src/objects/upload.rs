//! Writing an object as a stream.

use super::{Key, ObjectReader, Objects, backend::Backend, part_upload::PartUpload};
use crate::{Error, Result};
use bytes::Bytes;
use object_store::{MultipartUpload, ObjectStoreExt, RenameOptions, RenameTargetMode, path::Path};
use sha2::{Digest, Sha256};
use std::fmt;
use tokio::io::AsyncReadExt;

/// What is gathered before it is written to a file.
const FILE_BUFFER: usize = 1 << 20;

/// An object that is being written. It is seen by nobody until [`Upload::finish`]; one
/// that is dropped is taken back as far as that can be done in passing, and what a
/// killed process left is found by [`Objects::unfinished`].
pub struct Upload {
    objects: Objects,
    key: Key,
    hash: Sha256,
    size: u64,
    buffer: Vec<u8>,
    full: usize,
    state: State,
}

enum State {
    /// A file in the staging area.
    Staged {
        upload: Box<dyn MultipartUpload>,
        at: Path,
    },
    /// Parts at a service.
    Parts(PartUpload),
}

/// What was stored, as counted on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Bytes.
    pub size: u64,
    /// SHA-256 in lower-case hex.
    pub sha256: String,
}

impl Upload {
    pub(super) async fn begin(objects: Objects, key: Key, expected: Option<u64>) -> Result<Self> {
        let (state, full) = match &*objects.0 {
            Backend::Directory(directory) => {
                let at = Objects::staged(&key);
                let upload = directory
                    .store
                    .put_multipart(&at)
                    .await
                    .map_err(|error| Error::of_store(key.as_str(), error))?;
                (State::Staged { upload, at }, FILE_BUFFER)
            }
            Backend::S3(_) => {
                let parts = PartUpload::new(objects.clone(), key.clone());
                (State::Parts(parts), PartUpload::part_size(expected))
            }
        };
        Ok(Self {
            objects,
            key,
            hash: Sha256::new(),
            size: 0,
            buffer: Vec::new(),
            full,
            state,
        })
    }

    /// How many bytes were taken so far.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Takes more bytes. Returns when there is room again, which bounds the memory.
    /// After an error only [`Upload::abort`] is left.
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(self.full - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() == self.full {
                self.flush().await?;
            }
        }
        Ok(())
    }

    /// Makes the object be there: durable, whole, and in nobody else's place
    /// ([`Error::Exists`]). After any error nothing of ours is left, or at most what
    /// [`Objects::unfinished`] finds.
    pub async fn finish(mut self) -> Result<Stored> {
        let stored = Stored {
            size: self.size,
            sha256: hex::encode(std::mem::take(&mut self.hash).finalize()),
        };
        let last = std::mem::take(&mut self.buffer);
        let done = match &mut self.state {
            State::Staged { upload, at } => {
                publish(&self.objects, &self.key, upload.as_mut(), at, last).await
            }
            State::Parts(parts) => parts.complete(last.into()).await,
        };
        match done {
            // The answer was lost, which leaves open whether it was a good one.
            Err(error) if error.is_unsure() && holds(&self.objects, &self.key, &stored).await => {
                if let State::Parts(parts) = &mut self.state {
                    parts.forget();
                }
                Ok(stored)
            }
            Err(error) => {
                self.abort().await;
                Err(error)
            }
            Ok(()) => Ok(stored),
        }
    }

    /// Takes everything back.
    pub async fn abort(self) {
        match self.state {
            State::Staged { mut upload, .. } => {
                // The file is gone already where `finish` came that far.
                let _ = upload.abort().await;
            }
            State::Parts(parts) => parts.abort().await,
        }
    }

    async fn flush(&mut self) -> Result<()> {
        let part = Bytes::from(std::mem::take(&mut self.buffer));
        match &mut self.state {
            State::Staged { upload, .. } => upload
                .put_part(part.into())
                .await
                .map_err(|error| Error::of_store(self.key.as_str(), error)),
            State::Parts(parts) => parts.put(part).await,
        }
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("key", &self.key)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// Completes the staged file and links it to its key, which fails where there is one.
async fn publish(
    objects: &Objects,
    key: &Key,
    upload: &mut dyn MultipartUpload,
    at: &Path,
    last: Vec<u8>,
) -> Result<()> {
    let failed = |error| Error::of_store(key.as_str(), error);
    if !last.is_empty() {
        upload
            .put_part(Bytes::from(last).into())
            .await
            .map_err(failed)?;
    }
    upload.complete().await.map_err(failed)?;
    if let Backend::Directory(directory) = &*objects.0 {
        directory.make_private(at)?;
    }
    let create = RenameOptions::new().with_target_mode(RenameTargetMode::Create);
    let renamed = objects
        .raw()
        .rename_opts(at, &objects.path(key), create)
        .await;
    if renamed.is_err() {
        // What is left of it is found by a later sweep.
        let _ = objects.raw().delete(at).await;
    }
    renamed.map_err(failed)
}

/// Whether the store has exactly this under the key: read, not asked.
async fn holds(objects: &Objects, key: &Key, stored: &Stored) -> bool {
    let Ok(Some(info)) = objects.load(key).await else {
        return false;
    };
    if info.size != stored.size {
        return false;
    }
    let mut reader = ObjectReader::new(objects.clone(), info, None);
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match reader.read(&mut buffer).await {
            Ok(0) => return hex::encode(hash.finalize()) == stored.sha256,
            Ok(count) => hash.update(&buffer[..count]),
            Err(_) => return false,
        }
    }
}
