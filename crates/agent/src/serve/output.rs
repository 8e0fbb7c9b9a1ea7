//! The one writer: whole frames, one after another, from any thread.

use super::{Ending, Event};
use crate::{
    frame::{self, FrameKind},
    protocol::Refusal,
};
use std::{
    io::{self, Write},
    sync::{Mutex, PoisonError, mpsc},
};

/// The pipe to the caller.
pub(super) struct Output {
    pipe: Mutex<Box<dyn Write + Send>>,
    events: mpsc::Sender<Event>,
}

impl Output {
    pub(super) fn new(pipe: impl Write + Send + 'static, events: mpsc::Sender<Event>) -> Self {
        Self {
            pipe: Mutex::new(Box::new(pipe)),
            events,
        }
    }

    /// Writes bytes that are no frame: the preamble.
    pub(super) fn line(&self, line: &str) {
        self.write(line.as_bytes());
    }

    /// Writes one frame. A failure ends the session and needs no handling here:
    /// there is nobody left to tell.
    pub(super) fn send(&self, kind: FrameKind, stream: u32, payload: &[u8]) {
        match frame::encode(kind, stream, payload) {
            Ok(bytes) => self.write(&bytes),
            Err(error) => self.broken(io::Error::other(error)),
        }
    }

    /// Ends a stream, or with stream 0 the session, with a refusal.
    pub(super) fn refuse(&self, stream: u32, refusal: &Refusal) {
        let mut refusal = refusal.clone();
        let longest = refusal.message.floor_char_boundary(4096);
        refusal.message.truncate(longest);
        // A refusal has no part that cannot be written as JSON.
        let payload = serde_json::to_vec(&refusal).unwrap_or_default();
        self.send(FrameKind::Refusal, stream, &payload);
    }

    fn write(&self, bytes: &[u8]) {
        let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = pipe.write_all(bytes).and_then(|()| pipe.flush()) {
            self.broken(error);
        }
    }

    fn broken(&self, error: io::Error) {
        // The main thread may have stopped waiting.
        let _ = self.events.send(Event::Ended(Ending::Broken(error)));
    }
}
