//! The agent as a child process on this machine, with nothing of ours: no
//! environment, no groups, no open files, no working directory.

use crate::{
    Error, Local, Result, deadline,
    process::{Process, Started, Tail},
};
use rustix::process::{Pid, Signal};
use std::{io, path::Path, process::Stdio};
use tokio::{
    process::{Child, Command},
    time,
};
use tokio_util::sync::CancellationToken;

/// Starts the agent of a home.
pub(crate) fn start(home: &Path, local: &Local) -> Result<Started> {
    let (program, arguments) = local
        .agent
        .split_first()
        .ok_or_else(|| wrong("", "no command is configured"))?;
    let name = program.to_string_lossy().into_owned();
    if !home.is_absolute() {
        return Err(wrong(&name, "the home is not an absolute path"));
    }
    let root = match &local.run_as {
        Some(user) => user.uid == 0 || user.gid == 0,
        None => rustix::process::geteuid().is_root(),
    };
    if root {
        return Err(wrong(&name, "it would run as root"));
    }
    let mut command = Command::new(program);
    command
        .args(arguments)
        .arg("--home")
        .arg(home)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", home)
        .env("LANG", "C.UTF-8")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    if let Some(user) = &local.run_as {
        // When root sets a user id here, the standard library also empties the list
        // of supplementary groups; a test looks at the child.
        command.uid(user.uid).gid(user.gid);
    }
    let mut child = command.spawn().map_err(|source| Error::Start {
        program: name.clone(),
        source,
    })?;
    let (Some(id), Some(input), Some(output), Some(errors)) = (
        child.id(),
        child.stdin.take(),
        child.stdout.take(),
        child.stderr.take(),
    ) else {
        return Err(wrong(&name, "it ended at once"));
    };
    let process = Process::new(Some(id));
    let hang_up = CancellationToken::new();
    tokio::spawn(supervise(child, hang_up.clone(), process.clone()));
    let tail = Tail::follow(errors);
    Ok(Started::new(name, input, output, process, hang_up, tail))
}

/// Waits for the process, and makes sure that it ends once the pipe is closed.
async fn supervise(mut child: Child, hang_up: CancellationToken, process: Process) {
    let overdue = async {
        hang_up.cancelled().await;
        time::sleep(deadline::LEAVE).await;
    };
    tokio::select! {
        _ = child.wait() => {}
        () = process.killed() => end(&mut child).await,
        () = overdue => end(&mut child).await,
    }
    process.leave();
}

async fn end(child: &mut Child) {
    // The group is this process and what it started. It was not waited for yet, so
    // the id cannot be anybody else's.
    let group = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(Pid::from_raw);
    if let Some(group) = group {
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
    let _ = child.kill().await;
}

fn wrong(program: &str, why: &'static str) -> Error {
    Error::Start {
        program: program.to_owned(),
        source: io::Error::new(io::ErrorKind::InvalidInput, why),
    }
}
