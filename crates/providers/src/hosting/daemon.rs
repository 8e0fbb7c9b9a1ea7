//! Daemons known by a pid file, and how to be sure that a pid is really ours.

use super::{Error, Result};
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use std::{
    fs,
    os::unix::ffi::OsStrExt,
    path::Path,
    time::{Duration, Instant},
};

/// Looked at this often while waiting.
const PAUSE: Duration = Duration::from_millis(10);

/// The state of one daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DaemonStatus {
    /// Process number, when it runs.
    pub pid: Option<i32>,
    /// Whether it answers on its socket.
    pub answers: bool,
}

/// A running daemon of ours.
#[derive(Debug, Clone, Copy)]
pub struct Daemon {
    pid: Pid,
}

impl DaemonStatus {
    /// Of a daemon that was looked for, and whether it answered.
    pub fn of(daemon: Option<Daemon>, answers: bool) -> Self {
        Self {
            pid: daemon.map(Daemon::pid),
            answers: daemon.is_some() && answers,
        }
    }
}

impl Daemon {
    /// The process of the pid file, if it runs and its command line names `conf`.
    /// A number alone proves nothing: the machine may have given it to another
    /// process since.
    pub fn find(pid_file: &Path, conf: &Path) -> Option<Self> {
        let text = fs::read_to_string(pid_file).ok()?;
        let pid = Pid::from_raw(text.trim().parse().ok().filter(|pid| *pid > 1)?)?;
        let daemon = Self { pid };
        daemon.is_of(conf).then_some(daemon)
    }

    /// The process number.
    pub fn pid(self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Whether the process still runs. Unlike its command line, which is empty for a
    /// moment while it becomes another program, this is true throughout a reload.
    pub fn lives(self) -> bool {
        fs::read_to_string(format!("/proc/{}/stat", self.pid())).is_ok_and(|stat| {
            stat.rsplit_once(") ")
                .is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
        })
    }

    /// A zombie has an empty command line and counts as gone.
    fn is_of(self, conf: &Path) -> bool {
        let wanted = conf.as_os_str().as_bytes();
        fs::read(format!("/proc/{}/cmdline", self.pid()))
            .is_ok_and(|line| line.windows(wanted.len()).any(|part| part == wanted))
    }

    /// Sends a signal.
    pub fn signal(self, signal: Signal) -> Result<()> {
        kill_process(self.pid, signal).map_err(|error| {
            Error::io("signal process", format!("/proc/{}", self.pid()))(error.into())
        })
    }

    /// Asks with `signal`, waits, and kills what does not go.
    pub async fn stop(self, conf: &Path, signal: Signal, patience: Duration) -> Result<()> {
        if self.signal(signal).is_err() && !self.is_of(conf) {
            return Ok(());
        }
        if until(patience, || !self.is_of(conf)).await {
            return Ok(());
        }
        tracing::warn!(
            pid = self.pid(),
            "a daemon did not stop when asked and is killed"
        );
        let _gone_meanwhile = self.signal(Signal::KILL);
        if until(Duration::from_secs(10), || !self.is_of(conf)).await {
            return Ok(());
        }
        Err(Error::Deadline {
            what: format!("the end of process {}", self.pid()),
            after: patience,
        })
    }
}

/// Kills what a killed daemon left behind. Workers of nginx and php-fpm outlive their
/// master and keep its sockets, so that no new one could start. They are in the
/// session that the master led; a session's number is not given away while one of
/// its processes lives.
pub async fn end_orphans(pid_file: &Path, name: &str) -> Result<()> {
    let Some(session) = fs::read_to_string(pid_file)
        .ok()
        .and_then(|text| text.trim().parse().ok())
    else {
        return Ok(());
    };
    let limit = Duration::from_secs(10);
    let gone = until(limit, || {
        let orphans = session_members(session, name);
        for pid in &orphans {
            let _gone_meanwhile = kill_process(*pid, Signal::KILL);
        }
        orphans.is_empty()
    })
    .await;
    if gone {
        return Ok(());
    }
    Err(Error::Deadline {
        what: format!("the end of the workers of process {session}"),
        after: limit,
    })
}

/// Living processes of a session whose program's name begins with `name`.
fn session_members(session: i32, name: &str) -> Vec<Pid> {
    let mut members = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        // `pid (name) state ppid pgrp session …`; the name may contain anything.
        let Some((named, rest)) = stat.rsplit_once(") ") else {
            continue;
        };
        let fields: Vec<&str> = rest.split(' ').take(4).collect();
        let [state, _, _, of] = fields[..] else {
            continue;
        };
        let ours = named
            .split_once('(')
            .is_some_and(|(_, found)| found.starts_with(name));
        if ours && state != "Z" && of.parse() == Ok(session) {
            members.extend(Pid::from_raw(pid));
        }
    }
    members
}

/// Waits until `condition` holds; false when the time is over.
pub async fn until(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether somebody listens on a Unix socket.
pub fn answers(socket: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(socket).is_ok()
}

/// Files, sockets and connections that php-fpm's first process (a socket of every
/// pool) and nginx' workers may have open. More than the limit that we live under is
/// refused, in a container also to root.
pub fn open_files() -> u64 {
    const WANTED: u64 = 65_536;
    let allowed = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    allowed.map_or(WANTED, |allowed| allowed.min(WANTED))
}
