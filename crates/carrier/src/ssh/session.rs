//! A session over a channel.

use super::{
    Remote, account, agent,
    channel::{Control, Exit, Running},
    error::Error,
    script::Script,
};
use crate::{
    Result, deadline,
    pipe::Pipe,
    process::{Process, SILENT, Started},
};
use pressroom_agent::protocol::Welcome;
use std::{path::Path, time::Instant};
use tokio::time;
use tokio_util::sync::CancellationToken;

const SERVE: Script = Script {
    text: include_str!("serve.sh"),
    deadline: deadline::OPEN,
    as_root: false,
};

// How the script ends where it cannot start the agent.
const ROOT: u32 = 211;
const MACHINE: u32 = 212;
const ABSENT: u32 = 213;
const UNSAFE: u32 = 214;
const NO_HASH: u32 = 215;
/// How `env` ends when the agent cannot be run.
const NO_EXEC: u32 = 126;

/// Starts an agent for a home at the other end, and brings it there first if need be.
pub(crate) async fn open(home: &Path, remote: &Remote) -> Result<(Pipe, Process, Welcome)> {
    let home = home
        .to_str()
        .filter(|home| home.starts_with('/'))
        .ok_or_else(|| Error::Home { home: home.into() })?;
    let mut brought = false;
    loop {
        let asked = Instant::now();
        let (started, exit) = start(home, remote).await?;
        let why = match started.greet().await {
            Err(crate::Error::NotAnAgent { why, .. }) => why,
            settled => return settled,
        };
        let status = exit.status().await;
        if status == Some(ABSENT) && !brought {
            agent::bring(remote, asked).await?;
            brought = true;
            continue;
        }
        let failure = match exit.cut() {
            Some(why) => Error::Lost {
                address: remote.route.host.address.clone(),
                why,
            },
            None => explain(remote, &why, status),
        };
        return Err(failure.into());
    }
}

async fn start(home: &str, remote: &Remote) -> Result<(Started, Exit)> {
    let machine = remote.agent.machine();
    let words = [remote.agent.hash(), &machine, home];
    let Running {
        input,
        output,
        errors,
        exit,
        control,
    } = SERVE.start(remote, &words).await?;
    let process = Process::new(None);
    let hang_up = CancellationToken::new();
    tokio::spawn(supervise(
        control,
        exit.clone(),
        hang_up.clone(),
        process.clone(),
    ));
    let name = remote.route.host.address.to_string();
    let started = Started::new(name, input, output, process, hang_up, errors);
    Ok((started, exit))
}

/// Waits for the agent, and makes sure that it ends once the pipe is closed.
async fn supervise(control: Control, exit: Exit, hang_up: CancellationToken, process: Process) {
    let overdue = async {
        hang_up.cancelled().await;
        time::sleep(deadline::LEAVE).await;
    };
    tokio::select! {
        () = exit.over() => {}
        () = process.killed() => {}
        () = overdue => {}
    }
    control.end().await;
    process.leave();
}

/// What a host means that did not start the agent.
fn explain(remote: &Remote, why: &str, status: Option<u32>) -> Error {
    let address = remote.route.host.address.clone();
    match status {
        Some(ROOT) => Error::AsRoot { address },
        Some(MACHINE) => Error::Machine {
            address,
            theirs: "different".to_owned(),
            ours: remote.agent.machine(),
        },
        Some(ABSENT) => Error::Upload {
            address,
            said: "it is gone again".to_owned(),
        },
        Some(UNSAFE) => Error::UnsafeDirectory { address },
        Some(NO_HASH) => Error::Missing {
            address,
            program: "sha256sum".to_owned(),
        },
        Some(NO_EXEC) => Error::NoExec { address },
        // A host may be busy; one that ended says something by that.
        None if why.starts_with(SILENT) => Error::Silent {
            address,
            after: deadline::OPEN,
        },
        status => {
            // What the pipe saw, without what it printed: nothing was said then.
            let said = why.strip_prefix("it ended").unwrap_or(why);
            account::recognise(&address, &remote.run_as, said, status)
        }
    }
}
