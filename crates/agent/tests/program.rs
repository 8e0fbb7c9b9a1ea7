//! The agent as a program.

use std::process::{Command, Output};

fn agent(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pressroom-agent"))
        .args(arguments)
        .output()
        .expect("the agent was built")
}

#[test]
fn it_says_which_release_it_is() {
    let output = agent(&["--version"]);
    assert!(output.status.success());
    let said = format!("pressroom-agent {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(String::from_utf8_lossy(&output.stdout), said);
}

#[test]
fn what_it_does_not_know_it_does_not_do() {
    for arguments in [
        &[][..],
        &["serve"],
        &["serve", "--home"],
        &["serve", "--home", "/", "more"],
        &["--home", "/"],
    ] {
        let output = agent(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("Usage: "));
    }
}

#[test]
fn it_never_serves_as_root_and_never_without_a_hello() {
    let output = agent(&["serve", "--home", "/"]);
    let said = String::from_utf8_lossy(&output.stderr);
    if rustix::process::geteuid().is_root() {
        assert_eq!(output.status.code(), Some(2));
        assert!(said.contains("refuses to run as root"), "{said}");
    } else {
        assert_eq!(output.status.code(), Some(1));
        assert!(said.contains("closed before the preamble"), "{said}");
    }
    assert!(output.stdout.is_empty());
}
