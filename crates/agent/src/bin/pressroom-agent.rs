//! The agent as a program of its own, for hosts that have nothing else of ours.

use std::{
    env,
    ffi::OsString,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

const USAGE: &str = "Usage: pressroom-agent serve --home DIR\n       pressroom-agent --version\n";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let words: Vec<&OsString> = arguments.iter().collect();
    match words.as_slice() {
        [serve, option, home] if *serve == "serve" && *option == "--home" => {
            pressroom_agent::stdio(Path::new(home))
        }
        // Said by the agent itself, to put walls around what it starts.
        [cage, description] if *cage == "cage" => pressroom_agent::cage(description),
        [option] if *option == "--version" => {
            say(&format!("pressroom-agent {}\n", env!("CARGO_PKG_VERSION")))
        }
        [option] if *option == "--help" => say(USAGE),
        _ => {
            // Nobody may be there to read it.
            let _ = io::stderr().write_all(USAGE.as_bytes());
            ExitCode::from(2)
        }
    }
}

fn say(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
