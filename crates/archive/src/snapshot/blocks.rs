//! An object for readers that go to and fro and may wait: a zip is read from its end.

use crate::{Error, Key, ObjectInfo, Objects, Result};
use bytes::Bytes;
use std::{
    collections::VecDeque,
    fmt,
    io::{self, Read, Seek, SeekFrom},
};
use tokio::{io::AsyncReadExt, runtime::Handle};

/// Read at a time.
const BLOCK: u64 = 4 << 20;
/// Kept of what was read.
const KEPT: usize = 4;

/// An object, read in blocks of which the last few are kept. Only for threads that may
/// wait, such as those of `spawn_blocking`.
pub struct BlockReader {
    objects: Objects,
    info: ObjectInfo,
    runtime: Handle,
    at: u64,
    /// The newest last, each with its number.
    blocks: VecDeque<(u64, Bytes)>,
}

impl BlockReader {
    pub(super) async fn open(objects: &Objects, key: &Key) -> Result<Self> {
        let found = objects.load(key).await?;
        Ok(Self {
            objects: objects.clone(),
            info: found.ok_or_else(|| Error::NotFound(key.to_string()))?,
            runtime: Handle::current(),
            at: 0,
            blocks: VecDeque::new(),
        })
    }

    /// How many bytes there are.
    pub const fn size(&self) -> u64 {
        self.info.size
    }

    fn block(&mut self, number: u64) -> io::Result<Bytes> {
        if let Some((_, block)) = self.blocks.iter().find(|(known, _)| *known == number) {
            return Ok(block.clone());
        }
        let from = number * BLOCK;
        let range = from..from.saturating_add(BLOCK).min(self.info.size);
        let length = usize::try_from(range.end - range.start).unwrap_or(0);
        let read = async {
            let mut bytes = Vec::with_capacity(length);
            let mut reader = self.objects.open(&self.info.key, Some(range)).await?;
            reader
                .read_to_end(&mut bytes)
                .await
                .map_err(Error::of_read)?;
            Ok::<_, Error>(bytes)
        };
        let bytes = self.runtime.block_on(read).map_err(Error::into_io)?;
        if bytes.len() != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if self.blocks.len() == KEPT {
            self.blocks.pop_front();
        }
        let block = Bytes::from(bytes);
        self.blocks.push_back((number, block.clone()));
        Ok(block)
    }
}

impl Read for BlockReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.info.size || buffer.is_empty() {
            return Ok(0);
        }
        let block = self.block(self.at / BLOCK)?;
        let within = usize::try_from(self.at % BLOCK).unwrap_or(0);
        let rest = block.get(within..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for BlockReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.info.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

impl fmt::Debug for BlockReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockReader")
            .field("info", &self.info)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}
