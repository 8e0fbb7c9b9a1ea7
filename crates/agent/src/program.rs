//! The agent as a process: its pipe, its user, its exit code.

use crate::{
    dispatch::Engine,
    serve::{Ending, LIMITS, serve},
};
use rustix::{fs::Mode, process};
use std::{
    fs::File,
    io::{self, Read, Write},
    os::fd::AsFd,
    path::Path,
    process::ExitCode,
};

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
