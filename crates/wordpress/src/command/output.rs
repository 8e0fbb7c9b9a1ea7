//! What a command prints, labelled: on the wire a byte for the channel, four for the
//! length, and the bytes.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::io::{self, Write};

/// The longest record.
pub(super) const MAX_RECORD: usize = 32 * 1024;
const HEADER: usize = 5;

/// Where a command printed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Channel {
    const fn number(self) -> u8 {
        match self {
            Self::Stdout => 1,
            Self::Stderr => 2,
        }
    }

    const fn numbered(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Stdout),
            2 => Some(Self::Stderr),
            _ => None,
        }
    }
}

/// Writes records until so many bytes went out, then counts.
pub(super) struct Labelled<'a> {
    out: &'a mut dyn Write,
    room: u64,
    pub(super) stdout: u64,
    pub(super) stderr: u64,
    pub(super) dropped: u64,
}

impl<'a> Labelled<'a> {
    pub(super) fn new(out: &'a mut dyn Write, keep: u64) -> Self {
        Self {
            out,
            room: keep,
            stdout: 0,
            stderr: 0,
            dropped: 0,
        }
    }

    pub(super) fn count(&mut self, channel: Channel, bytes: &[u8]) {
        let of = match channel {
            Channel::Stdout => &mut self.stdout,
            Channel::Stderr => &mut self.stderr,
        };
        *of += bytes.len() as u64;
    }

    /// Passes on what there is room for; may wait for the reader.
    pub(super) fn pass(&mut self, channel: Channel, bytes: &[u8]) -> io::Result<()> {
        self.count(channel, bytes);
        let fits = usize::try_from(self.room)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        self.room -= fits as u64;
        self.dropped += (bytes.len() - fits) as u64;
        for part in bytes[..fits].chunks(MAX_RECORD) {
            let length = u32::try_from(part.len()).map_err(io::Error::other)?;
            // One write, so that a record travels in one frame.
            let mut record = Vec::with_capacity(HEADER + part.len());
            record.push(channel.number());
            record.extend_from_slice(&length.to_be_bytes());
            record.extend_from_slice(part);
            self.out.write_all(&record)?;
        }
        Ok(())
    }
}

/// Reads records, however the bytes come.
#[derive(Debug, Default)]
pub struct Records {
    header: Vec<u8>,
    /// The channel of the record that is being read, and how much of it is to come.
    current: Option<(Channel, usize)>,
}

impl Records {
    /// Hands on what the bytes hold of output, in pieces as they come. What is no record
    /// is `BadInput`.
    pub fn feed(&mut self, mut bytes: &[u8], mut take: impl FnMut(Channel, &[u8])) -> Result<()> {
        while !bytes.is_empty() {
            let Some((channel, left)) = self.current else {
                let wanted = (HEADER - self.header.len()).min(bytes.len());
                let (header, rest) = bytes.split_at(wanted);
                self.header.extend_from_slice(header);
                bytes = rest;
                self.begin()?;
                continue;
            };
            let (part, rest) = bytes.split_at(left.min(bytes.len()));
            take(channel, part);
            bytes = rest;
            self.current = Some((channel, left - part.len())).filter(|(_, left)| *left > 0);
        }
        Ok(())
    }

    /// Whether a record is half there.
    pub fn is_partial(&self) -> bool {
        self.current.is_some() || !self.header.is_empty()
    }

    fn begin(&mut self) -> Result<()> {
        let Ok([channel, length @ ..]) = <[u8; HEADER]>::try_from(self.header.as_slice()) else {
            return Ok(());
        };
        self.header.clear();
        let length = u32::from_be_bytes(length) as usize;
        let channel = Channel::numbered(channel).filter(|_| (1..=MAX_RECORD).contains(&length));
        let Some(channel) = channel else {
            return Err(Error::BadInput("output of a command is malformed".into()));
        };
        self.current = Some((channel, length));
        Ok(())
    }
}
