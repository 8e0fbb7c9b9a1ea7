//! One request under way: its watch, the data that arrives for it, and the credit
//! for its answer.

use super::output::Output;
use crate::{
    flow::{Overrun, ReceiveWindow, SendWindow},
    frame::FrameKind,
    protocol::{MAX_ANSWER, MAX_CHUNK, MAX_DEADLINE, MAX_FRAME, Refusal, RefusalCode, Response},
};
use pressroom_wordpress::watch::Watch;
use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// One request under way.
pub(super) struct Exchange {
    pub(super) stream: u32,
    pub(super) watch: Watch,
    deadline: Instant,
    incoming: Mutex<Incoming>,
    arrived: Condvar,
    pub(super) outgoing: SendWindow,
}

#[derive(Default)]
struct Incoming {
    bytes: VecDeque<u8>,
    window: ReceiveWindow,
    state: State,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    Complete,
    Withdrawn,
}

impl Exchange {
    pub(super) fn new(stream: u32, limit: Duration, takes_data: bool) -> Self {
        let limit = limit.min(MAX_DEADLINE);
        let state = if takes_data {
            State::Open
        } else {
            State::Complete
        };
        Self {
            stream,
            watch: Watch::lasting(limit),
            deadline: Instant::now() + limit,
            incoming: Mutex::new(Incoming {
                state,
                ..Incoming::default()
            }),
            arrived: Condvar::new(),
            outgoing: SendWindow::default(),
        }
    }

    /// Takes data from the pipe without ever waiting.
    pub(super) fn arrive(&self, bytes: &[u8]) -> Result<(), Unexpected> {
        let mut incoming = self.lock();
        match incoming.state {
            State::Complete => return Err(Unexpected::Data),
            State::Withdrawn => return Ok(()),
            State::Open => {}
        }
        incoming.window.receive(bytes.len())?;
        incoming.bytes.extend(bytes);
        self.arrived.notify_all();
        Ok(())
    }

    /// No more data follows.
    pub(super) fn complete(&self) -> Result<(), Unexpected> {
        let mut incoming = self.lock();
        match incoming.state {
            State::Complete => return Err(Unexpected::End),
            State::Withdrawn => {}
            State::Open => incoming.state = State::Complete,
        }
        self.arrived.notify_all();
        Ok(())
    }

    /// The answer is no longer wanted.
    pub(super) fn withdraw(&self) {
        self.watch.cancel();
        self.outgoing.close();
        let mut incoming = self.lock();
        incoming.state = State::Withdrawn;
        incoming.bytes = VecDeque::new();
        self.arrived.notify_all();
    }

    /// Sends all of a response but its last chunk, which is returned: it ends the
    /// stream. Where the data frames are a download, the response has none and fits
    /// into its own frame.
    pub(super) fn begin_answer(
        &self,
        output: &Output,
        response: &Response,
        gives_data: bool,
    ) -> Result<Vec<u8>, Refusal> {
        let mut body = serde_json::to_vec(response).map_err(|error| Refusal {
            code: RefusalCode::Internal,
            message: format!("the answer cannot be written: {error}"),
        })?;
        let most = if gives_data { MAX_FRAME } else { MAX_ANSWER };
        if body.len() > most {
            return Err(Refusal {
                code: RefusalCode::BadInput,
                message: format!("the answer would have {} bytes", body.len()),
            });
        }
        let mut sent = 0;
        if gives_data {
            return Ok(body);
        }
        while body.len() - sent > MAX_CHUNK {
            let Some(taken) = self.outgoing.take(MAX_CHUNK, self.deadline) else {
                return Err(self.given_up().into());
            };
            let chunk = body.get(sent..sent + taken).unwrap_or_default();
            output.send(FrameKind::Data, self.stream, chunk);
            sent += taken;
        }
        Ok(body.split_off(sent))
    }

    /// Why there is no more credit to wait for.
    fn given_up(&self) -> pressroom_wordpress::Error {
        match self.watch.check() {
            Err(error) => error,
            Ok(()) => pressroom_wordpress::Error::Deadline,
        }
    }

    /// Waits for data; with it the credit to grant for what was used. No bytes is
    /// the end.
    fn take(&self, buffer: &mut [u8]) -> io::Result<(usize, Option<u32>)> {
        let mut incoming = self.lock();
        loop {
            if incoming.state == State::Withdrawn {
                return Err(io::Error::new(io::ErrorKind::BrokenPipe, "cancelled"));
            }
            if !incoming.bytes.is_empty() {
                let taken = incoming.bytes.read(buffer)?;
                let grant = incoming.window.consume(taken);
                return Ok((taken, grant.filter(|_| incoming.state == State::Open)));
            }
            if incoming.state == State::Complete {
                return Ok((0, None));
            }
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the deadline passed",
                ));
            }
            incoming = self
                .arrived
                .wait_timeout(incoming, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Incoming> {
        self.incoming.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The data of one request, for the engine to read. Credit is granted as it is
/// read.
pub(crate) struct Upload<'a> {
    pub(super) exchange: &'a Exchange,
    pub(super) output: &'a Output,
}

impl Read for Upload<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let (taken, grant) = self.exchange.take(buffer)?;
        if let Some(grant) = grant {
            self.output.send(
                FrameKind::Credit,
                self.exchange.stream,
                &grant.to_be_bytes(),
            );
        }
        Ok(taken)
    }
}

/// Where the engine writes what a request gives: data frames, as fast as the caller
/// grants credit for them. Small writes become small frames; buffer them.
pub(crate) struct Download<'a> {
    pub(super) exchange: &'a Exchange,
    pub(super) output: &'a Output,
}

impl Write for Download<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let most = bytes.len().min(MAX_CHUNK);
        let exchange = self.exchange;
        let taken = exchange
            .outgoing
            .take(most, exchange.deadline)
            .ok_or_else(|| io::Error::other(exchange.given_up().to_string()))?;
        let chunk = bytes.get(..taken).unwrap_or_default();
        self.output.send(FrameKind::Data, exchange.stream, chunk);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Frames that the state of their stream does not admit.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unexpected {
    #[error("data on a stream that takes none")]
    Data,
    #[error("end of data on a stream that takes none")]
    End,
    #[error(transparent)]
    Overrun(#[from] Overrun),
}
