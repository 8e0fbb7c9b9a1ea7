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

use crate::{dispatch::Engine, preamble::PreambleError, protocol};
use rustix::{fs::Mode, process};
use session::Session;
use std::{
    fs::File,
    io::{self, Read, Write},
    os::fd::AsFd,
    path::Path,
    process::ExitCode,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

pub(crate) use session::{Site, Traffic};

/// Serves one session for the home and returns when it is over.
pub fn run(
    home: &Path,
    input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
) -> ExitCode {
    let ending = serve(Engine::open(home), input, output, LIMITS);
    match ending {
        Ending::Closed => ExitCode::SUCCESS,
        ending => {
            report(&ending.to_string());
            ExitCode::FAILURE
        }
    }
}

/// What the program does: serves one session over standard input and output,
/// unless it was started as root.
pub fn stdio(home: &Path) -> ExitCode {
    if process::geteuid().is_root() {
        report("pressroom-agent runs as a site's own user and refuses to run as root");
        return ExitCode::from(2);
    }
    // A session of its own: a terminal's signals are for the server, which then closes
    // the pipe, and no site code may reach the terminal of whoever started the server.
    // Refused only to the leader of a group, which has its own already.
    let _ = process::setsid();
    // The engine sets modes where they matter; the rest a web server must read.
    process::umask(Mode::WGRP | Mode::WOTH);
    match frames_only() {
        Ok((input, output)) => run(home, input, output),
        Err(error) => {
            report(&format!("cannot use standard input and output: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Takes standard output for frames and lets everything else that is printed go to
/// standard error.
fn frames_only() -> io::Result<(File, File)> {
    let input = io::stdin().as_fd().try_clone_to_owned()?;
    let output = io::stdout().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdout(io::stderr().as_fd())?;
    Ok((input.into(), output.into()))
}

fn report(message: &str) {
    // Nobody may be there any more to read it.
    let _ = writeln!(io::stderr(), "{message}");
}

/// Times and counts of a session.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// For the caller's first line.
    hello: Duration,
    /// From the end of input to exit.
    stop: Duration,
}

const LIMITS: Limits = Limits {
    hello: Duration::from_mins(1),
    stop: protocol::HARD_STOP,
};

/// How a session ended.
#[derive(Debug, thiserror::Error)]
enum Ending {
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

fn serve(
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
