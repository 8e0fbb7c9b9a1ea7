//! Reading a snapshot back.

use super::{Archive, Format, Manifest, Place, Streaming, streaming::ReadError, whole, zip};
use crate::{Error, ObjectReader, Result, Stored};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::io::{self, Read};
use tokio::sync::mpsc;

/// Blocks on their way to the thread that hashes and unpacks.
const WAITING: usize = 4;

/// What was seen when a snapshot was read back from the store.
#[derive(Debug, Clone, PartialEq)]
pub struct Verification {
    /// What was stored.
    pub manifest: Manifest,
    /// What was read.
    pub read: Stored,
    /// Bytes it unpacks to, for formats that are unpacked here.
    pub unpacked: Option<u64>,
    /// Everything that is wrong with it, as sentences.
    pub faults: Vec<String>,
}

impl Verification {
    /// Whether nothing is wrong with it.
    pub const fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

impl Archive {
    /// Reads a snapshot back: whether size and hash are those of what was stored, and
    /// whether the archive is whole by its form (zstd frames that decode to their end
    /// with their checksums, and a tar archive with its end mark in them; a zip with
    /// the central directory it announces; the same of gzip and of a tar alone). Damage is an answer, not an error; an
    /// error says that it could not be found out. What is in the archive is not looked
    /// at.
    ///
    /// [`Streaming::limit`] bounds what it may unpack to.
    pub async fn verify(&self, place: &Place, streaming: &Streaming) -> Result<Verification> {
        let manifest = self.manifest(place).await?;
        let mut seen = Verification {
            manifest: manifest.clone(),
            read: Stored {
                size: 0,
                sha256: String::new(),
            },
            unpacked: None,
            faults: Vec::new(),
        };
        match self.read_back(&mut seen, streaming).await {
            Ok(()) => {}
            Err(Error::Damaged { reason, .. }) => seen.faults.push(reason),
            Err(error) => return Err(error),
        }
        Ok(seen)
    }

    async fn read_back(&self, seen: &mut Verification, streaming: &Streaming) -> Result<()> {
        let manifest = seen.manifest.clone();
        let mut reader = self.reader(&manifest, None).await?;
        let (sender, receiver) = mpsc::channel(WAITING);
        let bounds = streaming.clone();
        let thread = tokio::task::spawn_blocking(move || judge(receiver, manifest.format, &bounds));
        let sent = send(&mut reader, sender, streaming).await;
        let judged = thread
            .await
            .map_err(|error| Error::Store(Box::new(error)))?;
        sent?;
        seen.read = judged.read;
        if seen.read.size != seen.manifest.size {
            seen.faults.push(format!(
                "{} bytes were read, stored were {}",
                seen.read.size, seen.manifest.size
            ));
        }
        if seen.read.sha256 != seen.manifest.sha256 {
            seen.faults
                .push("its bytes are not those that were stored".to_owned());
        }
        match judged.whole {
            Ok(unpacked) => seen.unpacked = unpacked,
            Err(reason) => seen.faults.push(reason),
        }
        if seen.manifest.format == Format::Zip {
            let check = zip::check(self.objects(), reader.info());
            if let Err(reason) = streaming.unless_cancelled(check).await? {
                seen.faults.push(reason);
            }
        }
        Ok(())
    }
}

async fn send(
    reader: &mut ObjectReader,
    sender: mpsc::Sender<Bytes>,
    streaming: &Streaming,
) -> Result<()> {
    let mut buffer = Streaming::buffer();
    let mut read = 0;
    loop {
        let count = match streaming.next(reader, &mut buffer).await {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(ReadError::Cancelled) => return Err(Error::Cancelled),
            Err(ReadError::Failed(error)) => return Err(Error::of_read(error)),
        };
        let block = Bytes::copy_from_slice(&buffer[..count]);
        let sent = async {
            sender
                .send(block)
                .await
                .map_err(|_| Error::Store("the thread that unpacks has ended".into()))
        };
        streaming.unless_cancelled(sent).await?;
        read += count as u64;
        streaming.tell(read);
    }
}

struct Judged {
    read: Stored,
    whole: Result<Option<u64>, String>,
}

/// Hashes everything that comes and unpacks it as far as it can be.
fn judge(receiver: mpsc::Receiver<Bytes>, format: Format, bounds: &Streaming) -> Judged {
    let mut input = Hashing {
        receiver,
        block: Bytes::new(),
        hash: Sha256::new(),
        size: 0,
    };
    let whole = match format {
        Format::TarZst => whole::tar_zst(&mut input, bounds.limit, &bounds.cancel).map(Some),
        Format::TarGz => whole::tar_gz(&mut input, bounds.limit, &bounds.cancel).map(Some),
        Format::Tar => whole::tar(&mut input, bounds.limit, &bounds.cancel).map(Some),
        Format::Zip => Ok(None),
    };
    // What the decoder did not want is hashed all the same.
    let mut rest = Streaming::buffer();
    while matches!(input.read(&mut rest), Ok(count) if count > 0) {}
    Judged {
        read: Stored {
            size: input.size,
            sha256: hex::encode(input.hash.finalize()),
        },
        whole,
    }
}

struct Hashing {
    receiver: mpsc::Receiver<Bytes>,
    block: Bytes,
    hash: Sha256,
    size: u64,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.block.is_empty() {
            match self.receiver.blocking_recv() {
                Some(block) => {
                    self.hash.update(&block);
                    self.size += block.len() as u64;
                    self.block = block;
                }
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.block.len());
        buffer[..count].copy_from_slice(&self.block.split_to(count));
        Ok(count)
    }
}
