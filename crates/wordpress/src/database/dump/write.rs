//! Where the text of a dump goes: buffered, counted.

use crate::{Error, Result};
use std::io::Write;

const FLUSH: usize = 256 * 1024;

/// The output of a dump.
pub(super) struct Sink<'a> {
    out: &'a mut dyn Write,
    /// Text of the statement at work, and of whole ones before it.
    buffer: Vec<u8>,
    passed: u64,
    statement: u64,
    /// The largest statement so far, in bytes.
    pub largest: u64,
}

impl<'a> Sink<'a> {
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            buffer: Vec::with_capacity(FLUSH * 2),
            passed: 0,
            statement: 0,
            largest: 0,
        }
    }

    /// Bytes so far.
    pub fn written(&self) -> u64 {
        self.passed + self.buffer.len() as u64
    }

    /// Bytes since the statement began.
    pub fn in_statement(&self) -> u64 {
        self.written() - self.statement
    }

    /// Where values are appended; call [`Sink::relieve`] after each row.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Appends text.
    pub fn put(&mut self, text: impl AsRef<[u8]>) {
        self.buffer.extend_from_slice(text.as_ref());
    }

    /// A statement starts here.
    pub fn begin(&mut self) {
        self.statement = self.written();
    }

    /// A statement ends here: its delimiter, and a line end.
    pub fn end(&mut self) -> Result<()> {
        self.largest = self.largest.max(self.in_statement());
        self.put(";\n");
        self.relieve()
    }

    /// A whole statement.
    pub fn statement(&mut self, text: impl AsRef<[u8]>) -> Result<()> {
        self.begin();
        self.put(text);
        self.end()
    }

    /// Hands the buffer on once it is large.
    pub fn relieve(&mut self) -> Result<()> {
        if self.buffer.len() >= FLUSH {
            self.hand_on()?;
        }
        Ok(())
    }

    /// Hands everything on.
    pub fn finish(mut self) -> Result<(u64, u64)> {
        self.hand_on()?;
        self.out
            .flush()
            .map_err(|why| Error::io("write", "the dump", why))?;
        Ok((self.passed, self.largest))
    }

    fn hand_on(&mut self) -> Result<()> {
        self.out
            .write_all(&self.buffer)
            .map_err(|why| Error::io("write", "the dump", why))?;
        self.passed += self.buffer.len() as u64;
        self.buffer.clear();
        // One large row must not hold its memory to the end.
        self.buffer.shrink_to(FLUSH * 8);
        Ok(())
    }
}
