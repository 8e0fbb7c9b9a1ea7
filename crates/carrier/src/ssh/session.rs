//! A session over a channel: with the agent, or where that cannot run with the one in PHP.

use super::{
    Remote, account, agent,
    channel::{Control, Exit, Running},
    error::Error,
    script::Script,
};
use crate::{
    Result, deadline,
    process::{Greeted, Process, SILENT, Started},
};
use pressroom_agent::php;
use std::{path::Path, time::Instant};
use tokio::{io::AsyncWriteExt, time};
use tokio_util::sync::CancellationToken;

const SERVE: Script = Script {
    text: include_str!("serve.sh"),
    deadline: deadline::OPEN,
    as_root: false,
};
const SERVE_PHP: Script = Script {
    text: include_str!("serve_php.sh"),
    ..SERVE
};

// How a script ends where it cannot start the agent.
const ROOT: u32 = 211;
const MACHINE: u32 = 212;
const ABSENT: u32 = 213;
const UNSAFE: u32 = 214;
const NO_HASH: u32 = 215;
const NO_PHP: u32 = 216;
const OLD_PHP: u32 = 217;
/// How `env` ends when the agent cannot be run.
const NO_EXEC: u32 = 126;

/// Starts an agent for a home at the other end, and brings it there first if need be.
/// Where it cannot run and there is a PHP, it is the one in PHP; then with what stood in
/// the way of the other.
pub(crate) async fn open(home: &Path, remote: &Remote) -> Result<(Greeted, Option<String>)> {
    let home = home
        .to_str()
        .filter(|home| home.starts_with('/'))
        .ok_or_else(|| Error::Home { home: home.into() })?;
    let Some(php) = &remote.php else {
        return Ok((native(home, remote).await?, None));
    };
    let whose = remote.whose_agent();
    let why = match remote.hosts.obstacle(remote.id, &whose) {
        Some(known) => known,
        None => match native(home, remote).await {
            Err(crate::Error::Ssh(error)) if error.bars_the_agent() => {
                let why = error.to_string();
                tracing::info!("the agent in PHP is used: {why}");
                if error.bars_it_for_long() {
                    remote.hosts.note_obstacle(remote.id, whose, &why);
                }
                why
            }
            settled => return Ok((settled?, None)),
        },
    };
    match in_php(home, remote, php).await {
        Ok(greeted) => Ok((greeted, Some(why))),
        Err(crate::Error::Ssh(error)) if error.is_of_php() => Err(Error::NoWay {
            address: remote.route.host.address.clone(),
            agent: why,
            php: error.to_string(),
        }
        .into()),
        Err(error) => Err(error),
    }
}

async fn native(home: &str, remote: &Remote) -> Result<Greeted> {
    let mut brought = false;
    loop {
        let asked = Instant::now();
        let machine = remote.agent.machine();
        let words = [remote.agent.hash(), &machine, home];
        let running = SERVE.start(remote, &words).await?;
        match greet(remote, running).await {
            Err(Failed::Ended(Some(ABSENT), _)) if !brought => {
                agent::bring(remote, asked).await?;
                brought = true;
            }
            settled => return settled.map_err(|failed| failed.explain(remote)),
        }
    }
}

async fn in_php(home: &str, remote: &Remote, php: &str) -> Result<Greeted> {
    let program = php::program();
    let settings = php::SETTINGS
        .map(|setting| format!("-d {setting}"))
        .join(" ");
    let length = program.len().to_string();
    let words = [php, &settings, php::START, &length, home];
    let mut running = SERVE_PHP.start(remote, &words).await?;
    // A failure shows as the end of what can be read.
    let _ = time::timeout(deadline::OPEN, running.input.write_all(program.as_bytes())).await;
    let greeted = greet(remote, running).await;
    greeted.map_err(|failed| failed.explain(remote))
}

/// Why what was started is no agent.
enum Failed {
    /// It ended or said something else: its status, and what was seen.
    Ended(Option<u32>, String),
    /// The line was cut.
    Cut(String),
    Other(crate::Error),
}

async fn greet(remote: &Remote, running: Running) -> std::result::Result<Greeted, Failed> {
    let (started, exit) = watch_over(remote, running);
    let why = match started.greet().await {
        Err(crate::Error::NotAnAgent { why, .. }) => why,
        settled => return settled.map_err(Failed::Other),
    };
    let status = exit.status().await;
    Err(match exit.cut() {
        Some(why) => Failed::Cut(why),
        None => Failed::Ended(status, why),
    })
}

impl Failed {
    fn explain(self, remote: &Remote) -> crate::Error {
        match self {
            Self::Ended(status, why) => explain(remote, &why, status).into(),
            Self::Cut(why) => Error::Lost {
                address: remote.route.host.address.clone(),
                why,
            }
            .into(),
            Self::Other(error) => error,
        }
    }
}

fn watch_over(remote: &Remote, running: Running) -> (Started, Exit) {
    let Running {
        input,
        output,
        errors,
        exit,
        control,
    } = running;
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
    (started, exit)
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
        Some(NO_PHP) => Error::NoPhp {
            address,
            php: remote.php.clone().unwrap_or_default(),
        },
        Some(OLD_PHP) => Error::NoPhp {
            address,
            php: "php of version 7.4 or later".to_owned(),
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
