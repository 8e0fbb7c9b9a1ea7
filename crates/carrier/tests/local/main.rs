//! The local carrier with real agents in real processes: this test program starts
//! itself again as the agent, as another user where it may.

#![expect(clippy::unwrap_used, reason = "a failure here is the test's")]

mod by_php;
mod command;
mod fence;
mod process;
mod real;
mod refusals;
mod rehearsal;
mod site;

use std::process::ExitCode;

/// Not a test of its own: what [`site::Site`] starts as the agent.
#[test]
fn agent_entry() {
    if let Some([_, home]) = arguments_after("--home") {
        let served = pressroom_agent::stdio(home.as_ref());
        std::process::exit(i32::from(served != ExitCode::SUCCESS));
    }
}

/// Not a test of its own: a server that is killed while a site receives a package.
#[test]
fn server_entry() {
    if let Some([_, home]) = arguments_after("--server") {
        process::serve_until_killed(home.as_ref());
    }
}

/// A word among the arguments of this process, and the one after it.
fn arguments_after(word: &str) -> Option<[String; 2]> {
    let words: Vec<String> = std::env::args().collect();
    words
        .windows(2)
        .find(|pair| pair[0] == word)
        .map(|pair| [pair[0].clone(), pair[1].clone()])
}
