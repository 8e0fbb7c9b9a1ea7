//! Walls around a process, built from within: this program starts, shuts itself in, and
//! becomes what it was told to, or hands on to it what comes to a socket.
//!
//! Whoever starts it has looked whether the host can build the walls; one that cannot be
//! built now ends it before anything else runs. It must have one thread when it begins:
//! the kernel gives a new set of users to nobody else.

mod relay;
mod walls;

use pressroom_wordpress::cage::program::{Spec, Task};
use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use std::{
    convert::Infallible,
    ffi::OsStr,
    io::{self, Write},
    os::unix::process::CommandExt,
    process::{Command, ExitCode},
};

/// Does what a cage was described for, in hexadecimal.
pub fn cage(description: &OsStr) -> ExitCode {
    match enter(description) {
        Ok(code) => code,
        Err(why) => {
            // Nobody may be there to read it.
            let _ = writeln!(io::stderr(), "{why}");
            ExitCode::from(125)
        }
    }
}

fn enter(description: &OsStr) -> Result<ExitCode, String> {
    let json = hex::decode(description.as_encoded_bytes())
        .map_err(|why| format!("a cage is not described: {why}"))?;
    let spec: Spec =
        serde_json::from_slice(&json).map_err(|why| format!("a cage is not described: {why}"))?;
    if let Some(parent) = spec.parent {
        set_parent_process_death_signal(Some(Signal::KILL))
            .map_err(|why| format!("it could not be tied to its parent: {why}"))?;
        let now = getppid().and_then(|now| u32::try_from(now.as_raw_nonzero().get()).ok());
        if now.is_some_and(|now| now != parent) {
            return Err("its parent is gone".to_owned());
        }
    }
    match &spec.task {
        Task::Nothing => {
            walls::build(&spec)?;
            Ok(ExitCode::SUCCESS)
        }
        Task::Become { argv } => {
            walls::build(&spec)?;
            become_program(argv).map(|never| match never {})
        }
        Task::Serve { argv, socket, port } => relay::serve(&spec, argv, socket, *port),
    }
}

fn become_program(argv: &[String]) -> Result<Infallible, String> {
    let (program, arguments) = argv.split_first().ok_or("there is no program to become")?;
    let why = Command::new(program).args(arguments).exec();
    Err(format!("`{program}` did not start: {why}"))
}
