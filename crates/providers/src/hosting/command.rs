//! Programs run by argument vector, with a clean environment and a deadline.

use super::{Error, Result, programs};
use std::{
    ffi::OsStr,
    fs::File,
    io::{Read, Seek},
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::process::{Child, Command};

const TAIL: usize = 2000;

/// A command without our environment. `PATH` has the administrator's directories,
/// and keeps the environment long enough for daemons that write their title there.
pub fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", "/")
        .current_dir("/")
        .stdin(Stdio::null());
    command
}

/// Starts a daemon in a session of its own, so that no terminal's hang-up or Ctrl-C
/// reaches it and it survives us. The handle only tells an early end.
pub fn spawn_daemon<S: AsRef<OsStr>>(
    program: &Path,
    args: impl IntoIterator<Item = S>,
    log: &Path,
) -> Result<Child> {
    spawn_daemon_with(program, args, log, &[])
}

/// The same with variables in its environment.
pub fn spawn_daemon_with<S: AsRef<OsStr>>(
    program: &Path,
    args: impl IntoIterator<Item = S>,
    log: &Path,
    env: &[(&str, &str)],
) -> Result<Child> {
    let start = |source| Error::Start {
        program: program.display().to_string(),
        source,
    };
    let output = File::options()
        .create(true)
        .append(true)
        .open(log)
        .map_err(Error::io("open", log))?;
    // `setsid` becomes the daemon: the process number stays.
    command(&programs::tool("setsid", "util-linux")?)
        .arg(program)
        .args(args)
        .envs(env.iter().copied())
        .stdout(output.try_clone().map_err(start)?)
        .stderr(output)
        .spawn()
        .map_err(start)
}

/// What a finished program did.
pub struct Finished {
    pub status: ExitStatus,
    /// Both outputs together, the last part.
    pub output: String,
}

/// Runs to the end. Output goes through a file and not a pipe: a program that
/// leaves a daemon behind would hold the pipe open for ever.
pub async fn run<S: AsRef<OsStr>>(
    program: &Path,
    args: impl IntoIterator<Item = S>,
    limit: Duration,
) -> Result<Finished> {
    let name = program.display().to_string();
    let start = |source| Error::Start {
        program: program.display().to_string(),
        source,
    };
    let mut output = unlinked_file().map_err(start)?;
    let mut child = command(program)
        .args(args)
        .stdout(output.try_clone().map_err(start)?)
        .stderr(output.try_clone().map_err(start)?)
        .kill_on_drop(true)
        .spawn()
        .map_err(start)?;
    let status = tokio::time::timeout(limit, child.wait())
        .await
        .map_err(|_| Error::Deadline {
            what: format!("the end of `{name}`"),
            after: limit,
        })?
        .map_err(start)?;
    let mut bytes = Vec::new();
    output
        .rewind()
        .and_then(|()| (&output).take(1 << 20).read_to_end(&mut bytes))
        .map_err(start)?;
    Ok(Finished {
        status,
        output: tail(&bytes),
    })
}

/// Runs to the end and fails unless the program succeeded.
pub async fn succeed<S: AsRef<OsStr>>(
    program: &Path,
    args: impl IntoIterator<Item = S>,
    limit: Duration,
) -> Result<()> {
    let finished = run(program, args, limit).await?;
    if finished.status.success() {
        return Ok(());
    }
    Err(finished.into_error(program))
}

impl Finished {
    pub fn into_error(self, program: &Path) -> Error {
        Error::Command {
            program: program.display().to_string(),
            status: self.status.to_string(),
            stderr: self.output,
        }
    }
}

/// The end of what a program printed, as one readable string.
pub fn tail(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim();
    let skip = text.chars().count().saturating_sub(TAIL);
    text.chars().skip(skip).collect()
}

fn unlinked_file() -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let path = std::env::temp_dir().join(format!("pressroom-{}", pressroom_base::token::hex(16)));
    let file = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
