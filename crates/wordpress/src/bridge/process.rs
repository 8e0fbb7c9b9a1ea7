//! One PHP process: started clean, fed, read to its end, and never outlived.

use super::frame::{FrameScanner, Noise};
use crate::{Error, Result, cage, home::Home, watch::Watch};
use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    ffi::OsString,
    io::{self, Read, Write},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    thread,
    time::{Duration, Instant},
};

/// What came of a process.
pub(crate) struct Ended {
    pub(crate) answer: Option<Vec<u8>>,
    /// What was told before the answer.
    pub(crate) notes: Vec<Vec<u8>>,
    pub(crate) noise: Noise,
    /// How it ended, when that was not well.
    pub(crate) trouble: Option<String>,
    /// Whether a signal ended it, ours for having taken too long not among them.
    pub(crate) signalled: bool,
    /// Whether it was ended for having taken too long.
    pub(crate) overdue: bool,
}

/// What to run.
pub(crate) struct Call<'a> {
    pub(crate) php: &'a str,
    pub(crate) script: &'a Path,
    pub(crate) dir: &'a Path,
    /// Further files that it reads.
    pub(crate) readable: &'a [&'a Path],
    /// What the script reads.
    pub(crate) input: &'a [u8],
    pub(crate) nonce: &'a str,
    pub(crate) memory_mb: u32,
    /// After this long it is killed, and that is no error.
    pub(crate) limit: Option<Duration>,
    /// Where OPcache keeps what it compiles; `None` switches it off.
    pub(crate) cache: Option<&'a Path>,
}

/// What PHP is told whatever the machine's configuration says. Traces without
/// arguments, because those may be passwords.
const SETTINGS: [&str; 9] = [
    "display_errors=stderr",
    "log_errors=0",
    "html_errors=0",
    "max_execution_time=0",
    "implicit_flush=1",
    "auto_prepend_file=",
    "auto_append_file=",
    "zend.exception_ignore_args=1",
    "opcache.preload=",
];
/// See `opcache.rs`; a PHP without OPcache takes no notice.
const CACHE_SETTINGS: [&str; 8] = [
    "opcache.enable=1",
    "opcache.enable_cli=1",
    "opcache.file_cache_only=1",
    "opcache.file_cache_consistency_checks=1",
    "opcache.validate_timestamps=1",
    "opcache.revalidate_freq=0",
    "opcache.save_comments=1",
    "opcache.jit=off",
];
const POLL: Duration = Duration::from_millis(20);
/// How often a process is looked at that has closed its output.
const CLOSING: Duration = Duration::from_millis(1);
/// How long a grandchild may keep the pipes open once PHP has ended.
const LINGER: Duration = Duration::from_millis(500);

enum Part {
    Output(Vec<u8>),
    Errors(Vec<u8>),
}

/// Runs a script, gives it its input, and waits for its end or the watch's.
pub(crate) fn run(home: &Home, call: &Call<'_>, watch: &Watch) -> Result<Ended> {
    let php = call.php;
    if php.is_empty() || php.starts_with('-') || php.contains('\0') {
        return Err(Error::NoPhp(format!("`{php}` is no command for PHP")));
    }
    let entered = cage::enter(home, call.dir)?;
    let mut command = match &entered {
        // Whoever calls, a clone's PHP is started as the clone's.
        Some(entered) => entered.script(call.script, call.readable)?,
        None => open(php, call),
    };
    let tmp = entered
        .as_ref()
        .map_or_else(|| home.path().join("tmp"), cage::Entered::tmp);
    command
        .current_dir(call.dir)
        .env_clear()
        .env("HOME", home.path())
        .env("TMPDIR", tmp)
        .env(
            "PATH",
            std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into()),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let child = command
        .spawn()
        .map_err(|why| Error::NoPhp(format!("`{php}` did not start: {why}")))?;
    // From here on, whatever happens, the whole group ends with this function.
    let mut group = Group { child };
    let (send, parts) = mpsc::sync_channel(16);
    if let Some(mut stdin) = group.child.stdin.take() {
        let input = call.input.to_vec();
        // PHP that dies early closes the pipe; its exit says why.
        thread::spawn(move || {
            let _ = stdin.write_all(&input);
        });
    }
    if let Some(stdout) = group.child.stdout.take() {
        pump(stdout, send.clone(), Part::Output);
    }
    if let Some(stderr) = group.child.stderr.take() {
        pump(stderr, send, Part::Errors);
    }
    let mut scanner = FrameScanner::new(call.nonce);
    let mut errors = Noise::default();
    let mut overdue = Overdue::new(call.limit);
    let status = follow(
        &mut group,
        &parts,
        &mut scanner,
        &mut errors,
        &mut overdue,
        watch,
    )?;
    let (answer, notes, mut noise) = scanner.finish();
    noise.bytes += errors.bytes;
    if errors.bytes > 0 {
        noise.add_uncounted(&errors);
    }
    Ok(Ended {
        answer,
        notes,
        noise,
        trouble: overdue.trouble().or_else(|| trouble(status)),
        signalled: status.signal().is_some() && !overdue.killed,
        overdue: overdue.killed,
    })
}

/// PHP with the site's own settings and ours.
fn open(php: &str, call: &Call<'_>) -> Command {
    let mut command = Command::new(php);
    for setting in SETTINGS {
        command.args(["-d", setting]);
    }
    command.args(["-d", &format!("memory_limit={}M", call.memory_mb.max(64))]);
    if let Some(cache) = call.cache {
        for setting in CACHE_SETTINGS {
            command.args(["-d", setting]);
        }
        let mut setting = OsString::from("opcache.file_cache=");
        setting.push(cache);
        command.arg("-d").arg(setting);
    } else {
        command.args(["-d", "opcache.enable_cli=0"]);
    }
    command.arg(call.script);
    command
}

impl Noise {
    /// Shows other noise behind this one without counting it again.
    fn add_uncounted(&mut self, other: &Noise) {
        let bytes = self.bytes;
        self.add(other.tail().as_bytes());
        self.bytes = bytes;
    }
}

/// A process' own limit, which unlike the watch's leaves time to undo what it did.
struct Overdue {
    limit: Option<Duration>,
    started: Instant,
    killed: bool,
}

impl Overdue {
    fn new(limit: Option<Duration>) -> Self {
        Self {
            limit,
            started: Instant::now(),
            killed: false,
        }
    }

    fn look(&mut self, group: &mut Group) {
        let passed = self.limit.is_some_and(|it| self.started.elapsed() >= it);
        if passed && !self.killed {
            self.killed = true;
            group.kill();
        }
    }

    fn trouble(&self) -> Option<String> {
        let limit = self.limit.filter(|_| self.killed)?;
        Some(format!("PHP did not end within {} s", limit.as_secs()))
    }
}

struct Group {
    child: Child,
}

impl Group {
    fn kill(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // Gone already is what we want.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
        let _ = self.child.wait();
    }
}

fn pump(
    mut from: impl Read + Send + 'static,
    to: SyncSender<Part>,
    wrap: impl Fn(Vec<u8>) -> Part + Send + 'static,
) {
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match from.read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => {
                    if to.send(wrap(buffer[..count].to_vec())).is_err() {
                        return;
                    }
                }
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    });
}

fn follow(
    group: &mut Group,
    parts: &Receiver<Part>,
    scanner: &mut FrameScanner,
    errors: &mut Noise,
    overdue: &mut Overdue,
    watch: &Watch,
) -> Result<ExitStatus> {
    let mut ended: Option<(ExitStatus, Instant)> = None;
    loop {
        watch.check()?;
        match parts.recv_timeout(POLL) {
            Ok(Part::Output(bytes)) => scanner.feed(&bytes),
            Ok(Part::Errors(bytes)) => errors.add(&bytes),
            Err(RecvTimeoutError::Disconnected) => {
                // Nothing more can come; a process that closed its output and runs
                // on is waited for like any other.
                if let Some((status, _)) = ended {
                    return Ok(status);
                }
                thread::sleep(CLOSING);
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        if let Some((status, since)) = ended {
            if since.elapsed() > LINGER {
                return Ok(status);
            }
            continue;
        }
        overdue.look(group);
        if let Some(status) = group
            .child
            .try_wait()
            .map_err(|why| Error::Php(format!("PHP cannot be waited for: {why}")))?
        {
            ended = Some((status, Instant::now()));
        }
    }
}

fn trouble(status: ExitStatus) -> Option<String> {
    if let Some(signal) = status.signal() {
        return Some(format!("PHP was killed by signal {signal}"));
    }
    match status.code() {
        Some(0) => None,
        Some(code) => Some(format!("PHP ended with status {code}")),
        None => Some("PHP ended in an unknown way".to_owned()),
    }
}
