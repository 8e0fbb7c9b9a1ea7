//! The serve loop: from the preamble to the end of input.
//!
//! One thread reads the pipe and never waits for a request; each request has its
//! own thread; whoever has something to say takes the lock of [`output`]. When the
//! input ends, running requests are told to give up: the engine completes or
//! undoes its current act, and the process ends.

mod exchange;
mod output;
mod session;
#[cfg(test)]
mod tests;

use crate::{preamble::PreambleError, protocol};
use session::Session;
use std::{
    io::{self, Read, Write},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

pub(crate) use session::{Site, Traffic};

/// Times and counts of a session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// For the caller's first line.
    hello: Duration,
    /// From the end of input to exit.
    stop: Duration,
}

pub(crate) const LIMITS: Limits = Limits {
    hello: Duration::from_mins(1),
    stop: protocol::HARD_STOP,
};

/// How a session ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ending {
    #[error("the caller closed the pipe")]
    Closed,
    #[error("the caller is gone: {0}")]
    Broken(io::Error),
    #[error("the caller broke the protocol: {0}")]
    Violation(String),
    #[error("no session: {0}")]
    NoSession(#[from] PreambleError),
    #[error("no session: no protocol version in common")]
    NoVersion,
    #[error("no session: {0}")]
    Refused(#[from] protocol::Refusal),
}

/// What the main thread waits for.
enum Event {
    Greeted,
    Ended(Ending),
}

/// Serves one session until it is over.
pub(crate) fn serve(
    site: impl Site,
    input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
    limits: Limits,
) -> Ending {
    let (events, happened) = mpsc::channel();
    let session = Arc::new(Session::new(site, output, events.clone()));
    let reader = {
        let session = Arc::clone(&session);
        thread::Builder::new().name("reader".into()).spawn(move || {
            let ending = session.read(input);
            // The main thread may have stopped waiting.
            let _ = events.send(Event::Ended(ending));
        })
    };
    if let Err(error) = reader {
        return Ending::Broken(error);
    }
    let ending = match happened.recv_timeout(limits.hello) {
        Ok(Event::Greeted) => match happened.recv() {
            Ok(Event::Ended(ending)) => ending,
            Ok(Event::Greeted) | Err(_) => Ending::Closed,
        },
        Ok(Event::Ended(ending)) => ending,
        Err(_) => Ending::NoSession(PreambleError::Closed),
    };
    session.settle(limits.stop);
    ending
}
