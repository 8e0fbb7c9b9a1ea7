//! Running a command to its end, its limit, or the caller's withdrawal.

use super::{
    Channel, Command, CommandEnd, MAX_WORDS,
    group::Group,
    output::{Labelled, MAX_RECORD},
};
use crate::{Error, Result, cage::record, fence, home::Home, watch::Watch};
use pressroom_base::Epoch;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::Signal,
};
use std::{
    env, fs,
    io::{self, ErrorKind, Read, Write},
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{self, ChildStderr, ChildStdout, Stdio},
    thread,
    time::{Duration, Instant},
};

/// What a command gets to end by itself once it was told to.
const GRACE: Duration = Duration::from_secs(2);
/// How often limits are looked at while nothing is printed.
const LOOK: Duration = Duration::from_millis(20);
/// How often it is looked whether another worker took over.
const FENCE: Duration = Duration::from_secs(1);
/// How often a process is looked at that has closed its output.
const CLOSING: Duration = Duration::from_millis(1);
/// How long something that left the group may keep the pipes open afterwards.
const LINGER: Duration = Duration::from_millis(500);
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Runs a command and passes on what it prints. With an epoch it is ended as soon as the
/// site has seen a later one.
///
/// Errors: `BadInput` (no program, too many words), `BadPath` and `Missing` (the
/// directory), `Fenced`, `Cancelled` and `Deadline` (of the request, not of the command).
pub fn run(
    home: &Home,
    epoch: Option<Epoch>,
    command: &Command,
    out: &mut dyn Write,
    watch: &Watch,
) -> Result<CommandEnd> {
    watch.check()?;
    let mut out = Labelled::new(out, command.keep_bytes);
    let started = Instant::now();
    let mut group = match start(home, command)? {
        Ok(child) => Group::of(child),
        Err(why) => return not_started(&command.argv[0], &why, out),
    };
    let mut pipes = Pipes {
        stdout: group.child().stdout.take(),
        stderr: group.child().stderr.take(),
    };
    let mut fate = Fate::Running;
    let mut looked = started;
    let ended = |why| Error::io("wait for", &command.argv[0], why);
    while !group.has_ended().map_err(ended)? {
        match &mut fate {
            Fate::Running => {
                if started.elapsed() >= command.limit() {
                    fate = Fate::told(&group, None);
                } else if let Err(why) = watch.check() {
                    fate = Fate::told(&group, Some(why));
                } else if let Some(epoch) = epoch
                    && looked.elapsed() >= FENCE
                {
                    looked = Instant::now();
                    if let Err(why) = fence::check(home, epoch, watch) {
                        fate = Fate::told(&group, Some(why));
                    }
                }
            }
            Fate::Told { since, killed, .. } => {
                if !*killed && since.elapsed() >= GRACE {
                    *killed = true;
                    group.signal(Signal::KILL);
                }
            }
        }
        let passed = pipes.pass(LOOK, &mut out, fate.is_withdrawn());
        if let Err(why) = passed
            && !fate.is_withdrawn()
        {
            // Nobody takes it any more.
            let why = watch
                .check()
                .err()
                .unwrap_or_else(|| Error::io("send", "the output", why));
            fate = Fate::told(&group, Some(why));
        }
    }
    let status = group.reap().map_err(ended)?;
    let duration = started.elapsed();
    let until = Instant::now() + LINGER;
    while pipes.are_open() && Instant::now() < until {
        let passed = pipes.pass(CLOSING, &mut out, fate.is_withdrawn());
        if !fate.is_withdrawn() {
            passed.map_err(|why| Error::io("send", "the output", why))?;
        }
    }
    let timed_out = match fate {
        Fate::Running => false,
        Fate::Told { withdrawn, .. } => match withdrawn {
            Some(why) => return Err(why),
            None => true,
        },
    };
    Ok(CommandEnd {
        exit_code: status.code(),
        signal: status.signal(),
        timed_out,
        stdout_bytes: out.stdout,
        stderr_bytes: out.stderr,
        dropped_bytes: out.dropped,
        duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
    })
}

/// What is to become of a command.
enum Fate {
    Running,
    Told {
        since: Instant,
        killed: bool,
        /// Why nobody waits for its end; `None` when it took too long.
        withdrawn: Option<Error>,
    },
}

impl Fate {
    /// Tells the group to end.
    fn told(group: &Group, withdrawn: Option<Error>) -> Self {
        group.signal(Signal::TERM);
        // What is stopped hears nothing.
        group.signal(Signal::CONT);
        Self::Told {
            since: Instant::now(),
            killed: false,
            withdrawn,
        }
    }

    const fn is_withdrawn(&self) -> bool {
        matches!(
            self,
            Self::Told {
                withdrawn: Some(_),
                ..
            }
        )
    }
}

/// Starts the program, or says why there is none.
fn start(home: &Home, command: &Command) -> Result<io::Result<process::Child>> {
    let Some((program, arguments)) = command.argv.split_first() else {
        return Err(Error::BadInput("there is no command to run".into()));
    };
    let words = command
        .argv
        .iter()
        .map(|word| word.len() + 1)
        .sum::<usize>();
    let variables = &command.variables;
    let named = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let nul = command.argv.iter().chain(variables.values());
    if program.is_empty()
        || words > MAX_WORDS
        || nul.into_iter().any(|word| word.contains('\0'))
        || !variables.keys().all(|name| named(name))
    {
        return Err(Error::BadInput("this is no command to run".into()));
    }
    let directory = home.resolve(&command.root)?;
    if record::holding(home, &command.root)?.is_some() {
        return Err(Error::BadInput(
            "commands are not run in a rehearsal, which could not keep them".into(),
        ));
    }
    if !directory.is_dir() {
        return Err(Error::Missing(command.root.clone()));
    }
    let mut child = process::Command::new(program);
    child
        .args(arguments)
        .current_dir(&directory)
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_else(|| PATH.into()))
        .env("HOME", home.path())
        .env("LANG", "C.UTF-8")
        .env("PWD", &directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let temporary = home.path().join("tmp");
    if fs::symlink_metadata(&temporary).is_ok_and(|found| found.is_dir()) {
        child.env("TMPDIR", temporary);
    }
    child.envs(variables);
    Ok(child.spawn())
}

/// As a shell tells it.
fn not_started(program: &str, why: &io::Error, mut out: Labelled<'_>) -> Result<CommandEnd> {
    let (code, what) = match why.kind() {
        ErrorKind::NotFound => (127, "command not found".to_owned()),
        _ => (126, why.to_string()),
    };
    let line = format!("{program}: {what}\n");
    out.pass(Channel::Stderr, line.as_bytes())
        .map_err(|why| Error::io("send", "the output", why))?;
    Ok(CommandEnd {
        exit_code: Some(code),
        stderr_bytes: out.stderr,
        dropped_bytes: out.dropped,
        ..CommandEnd::default()
    })
}

/// Both outputs, read by one thread so that what is printed stays in order as far as
/// anybody outside can tell.
struct Pipes {
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
}

impl Pipes {
    const fn are_open(&self) -> bool {
        self.stdout.is_some() || self.stderr.is_some()
    }

    /// Passes on what is there, or waits for something this long.
    fn pass(&mut self, wait: Duration, out: &mut Labelled<'_>, discard: bool) -> io::Result<()> {
        if !self.are_open() {
            thread::sleep(CLOSING);
            return Ok(());
        }
        let [from_stdout, from_stderr] = self.ready(wait)?;
        let mut buffer = vec![0; MAX_RECORD];
        if from_stdout {
            take(&mut self.stdout, Channel::Stdout, &mut buffer, out, discard)?;
        }
        if from_stderr {
            take(&mut self.stderr, Channel::Stderr, &mut buffer, out, discard)?;
        }
        Ok(())
    }

    fn ready(&self, wait: Duration) -> io::Result<[bool; 2]> {
        let mut polled = Vec::with_capacity(2);
        if let Some(pipe) = &self.stdout {
            polled.push(PollFd::new(pipe, PollFlags::IN));
        }
        if let Some(pipe) = &self.stderr {
            polled.push(PollFd::new(pipe, PollFlags::IN));
        }
        let wait = Timespec::try_from(wait).map_err(io::Error::other)?;
        match poll(&mut polled, Some(&wait)) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok([false; 2]),
            Err(why) => return Err(why.into()),
        }
        let mut ready = polled.iter().map(|pipe| !pipe.revents().is_empty());
        let mut next = |open: bool| open && ready.next().unwrap_or(false);
        Ok([next(self.stdout.is_some()), next(self.stderr.is_some())])
    }
}

/// Reads once what is there; the pipe is gone with its end.
fn take<P: Read>(
    pipe: &mut Option<P>,
    channel: Channel,
    buffer: &mut [u8],
    out: &mut Labelled<'_>,
    discard: bool,
) -> io::Result<()> {
    let Some(open) = pipe else { return Ok(()) };
    match open.read(buffer) {
        Ok(0) => *pipe = None,
        Ok(count) if discard => out.count(channel, &buffer[..count]),
        Ok(count) => out.pass(channel, &buffer[..count])?,
        Err(why) if why.kind() == ErrorKind::Interrupted => {}
        Err(_) => *pipe = None,
    }
    Ok(())
}
