//! The agent as a child process on this machine, with nothing of ours: no
//! environment, no groups, no open files, no working directory.

use crate::{
    Error, Place, Result, deadline,
    pipe::{LastWords, Opening, Pipe},
};
use pressroom_agent::{
    preamble::{Reply, VERSIONS},
    protocol::{HARD_STOP, Welcome},
};
use rustix::process::{Pid, Signal};
use std::{
    io,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, ChildStdin, ChildStdout, Command},
    time,
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// The agent's process.
#[derive(Debug)]
pub(crate) struct Process {
    id: u32,
    kill: CancellationToken,
    gone: CancellationToken,
}

impl Process {
    pub(crate) const fn id(&self) -> u32 {
        self.id
    }

    /// Ends it and what it started, at once.
    pub(crate) fn kill(&self) {
        self.kill.cancel();
    }

    /// Waits until it is gone.
    pub(crate) async fn gone(&self) {
        self.gone.cancelled().await;
    }
}

/// An agent that was started and did not speak yet.
pub(crate) struct Started {
    program: String,
    input: ChildStdin,
    output: ChildStdout,
    process: Process,
    hang_up: CancellationToken,
    tail: Tail,
    /// Whatever happens until it is welcomed, a process of no use is not left behind.
    unused: DropGuard,
}

/// Starts the agent of a place.
pub(crate) fn start(place: &Place) -> Result<Started> {
    let (program, arguments) = place
        .agent
        .split_first()
        .ok_or_else(|| wrong("", "no command is configured"))?;
    let name = program.to_string_lossy().into_owned();
    if !place.home.is_absolute() {
        return Err(wrong(&name, "the home is not an absolute path"));
    }
    let root = match &place.run_as {
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
        .arg(&place.home)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", &place.home)
        .env("LANG", "C.UTF-8")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    if let Some(user) = &place.run_as {
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
    let process = Process {
        id,
        kill: CancellationToken::new(),
        gone: CancellationToken::new(),
    };
    let hang_up = CancellationToken::new();
    tokio::spawn(supervise(
        child,
        hang_up.clone(),
        process.kill.clone(),
        process.gone.clone(),
    ));
    let unused = process.kill.clone().drop_guard();
    Ok(Started {
        program: name,
        unused,
        input,
        output,
        process,
        hang_up,
        tail: Tail::follow(errors),
    })
}

/// Waits for a started agent to speak.
pub(crate) async fn greet(started: Started) -> Result<(Pipe, Process, Welcome)> {
    let Started {
        program,
        input,
        output,
        process,
        hang_up,
        tail,
        unused,
    } = started;
    let opening = Pipe::open(output, input, hang_up, tail.last_words());
    let opening = match time::timeout(deadline::OPEN, opening).await {
        Ok(opening) => opening,
        Err(_) => Opening::Foreign("it said nothing".into()),
    };
    let foreign = |why: String| Error::NotAnAgent {
        program: program.clone(),
        why,
    };
    match opening {
        Opening::Welcomed(pipe, welcome) => {
            let welcome =
                serde_json::from_slice(&welcome).map_err(|error| foreign(error.to_string()))?;
            unused.disarm();
            Ok((pipe, process, welcome))
        }
        Opening::Refused(refusal) => Err(Error::Refused {
            op: "session",
            refusal,
        }),
        Opening::Version(reply) => Err(Error::Version {
            theirs: match reply {
                Reply::Version(version) => version..=version,
                Reply::None(range) => range,
            },
            ours: VERSIONS,
        }),
        Opening::Foreign(why) => {
            drop(unused);
            let said = tail.last_words().await;
            Err(foreign(if said.is_empty() {
                why
            } else {
                format!("{why}: {said}")
            }))
        }
    }
}

/// Waits for the process, and makes sure that it ends once the pipe is closed.
async fn supervise(
    mut child: Child,
    hang_up: CancellationToken,
    kill: CancellationToken,
    gone: CancellationToken,
) {
    // It has this long by itself, and a little more for a busy machine.
    let patience = HARD_STOP + Duration::from_secs(5);
    let overdue = async {
        hang_up.cancelled().await;
        time::sleep(patience).await;
    };
    tokio::select! {
        _ = child.wait() => {}
        () = kill.cancelled() => end(&mut child).await,
        () = overdue => end(&mut child).await,
    }
    gone.cancel();
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

/// The last bytes of what the agent printed to its standard error.
#[derive(Clone)]
struct Tail {
    bytes: Arc<Mutex<Vec<u8>>>,
    ended: CancellationToken,
}

impl Tail {
    const LENGTH: usize = 2048;

    fn follow(mut errors: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let tail = Self {
            bytes: Arc::default(),
            ended: CancellationToken::new(),
        };
        let kept = tail.clone();
        tokio::spawn(async move {
            let mut buffer = [0; 1024];
            while let Ok(read @ 1..) = errors.read(&mut buffer).await {
                let mut bytes = kept.bytes.lock().unwrap_or_else(PoisonError::into_inner);
                bytes.extend_from_slice(buffer.get(..read).unwrap_or_default());
                let over = bytes.len().saturating_sub(Self::LENGTH);
                bytes.drain(..over);
            }
            kept.ended.cancel();
        });
        tail
    }

    /// What was said last, once nothing more comes or after a second: something the
    /// agent started may hold its standard error open.
    fn last_words(&self) -> LastWords {
        let tail = self.clone();
        Box::pin(async move {
            let _ = time::timeout(Duration::from_secs(1), tail.ended.cancelled()).await;
            let bytes = tail.bytes.lock().unwrap_or_else(PoisonError::into_inner);
            String::from_utf8_lossy(&bytes).trim().to_owned()
        })
    }
}

fn wrong(program: &str, why: &'static str) -> Error {
    Error::Start {
        program: program.to_owned(),
        source: io::Error::new(io::ErrorKind::InvalidInput, why),
    }
}
