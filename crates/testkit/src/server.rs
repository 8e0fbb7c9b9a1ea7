//! The real binary with its own data, ports and web stack, started and killed.

use crate::api::Api;
use crate::trace::Trace;
use crate::{Scratch, eventually, packages, place};
use anyhow::{Context, Result, bail, ensure};
use std::fs::{self, File, OpenOptions};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Which database the server keeps its own records in.
#[derive(Debug, Clone, Default)]
pub enum Database {
    /// A file in the data directory.
    #[default]
    Sqlite,
    /// An empty PostgreSQL database with this URL.
    Postgres(String),
}

/// How to start a server.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Its database.
    pub database: Database,
    /// Further lines of `pressroom.toml`, whole tables.
    pub config: String,
    /// Further environment variables.
    pub env: Vec<(String, String)>,
    /// Whether to record which files the server process opens.
    pub trace: bool,
}

impl Options {
    /// The usual ones, with a record of the files that the server process opens.
    pub fn traced() -> Self {
        Self {
            trace: true,
            ..Self::default()
        }
    }
}

/// What a finished command left.
#[derive(Debug, Clone)]
pub struct Finished {
    /// Exit code; −1 when a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Finished {
    /// Standard output without its last line end, provided that it succeeded.
    pub fn line(self) -> Result<String> {
        ensure!(
            self.code == 0,
            "exit code {}: {}{}",
            self.code,
            self.stdout,
            self.stderr
        );
        Ok(self.stdout.trim_end().to_owned())
    }
}

/// A command that runs.
#[derive(Debug)]
pub struct Started {
    child: tokio::process::Child,
    what: String,
}

impl Started {
    /// Sends it a signal.
    pub fn signal(&self, signal: rustix::process::Signal) -> Result<()> {
        let pid = self.child.id().context("it has ended")?;
        let pid = rustix::process::Pid::from_raw(i32::try_from(pid)?).context("a process id")?;
        rustix::process::kill_process(pid, signal)?;
        Ok(())
    }

    /// Waits for its end.
    pub async fn ended(self) -> Result<Finished> {
        let output = tokio::time::timeout(Duration::from_mins(2), self.child.wait_with_output())
            .await
            .with_context(|| format!("`pressroom {}` does not end", self.what))??;
        Ok(Finished {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

/// A server under test. Dropping it stops it and everything it started.
#[derive(Debug)]
pub struct Pressroom {
    scratch: Scratch,
    options: Options,
    port: u16,
    sites_port: u16,
    child: Option<Child>,
    /// Further processes over the same data, see [`Pressroom::start_second`].
    second: Option<Child>,
    traces: Vec<Trace>,
}

impl Pressroom {
    /// Makes an empty data directory and starts a server over it.
    pub async fn start(options: Options) -> Result<Self> {
        let mut server = Self::prepare(options)?;
        server.launch().await?;
        Ok(server)
    }

    /// Makes an empty data directory with its configuration; nothing runs yet.
    pub fn prepare(options: Options) -> Result<Self> {
        place::binary("pressroom")?;
        place::binary("pressroom-agent")?;
        let server = Self {
            scratch: Scratch::new()?,
            options,
            port: place::free_port()?,
            sites_port: place::free_port()?,
            child: None,
            second: None,
            traces: Vec::new(),
        };
        packages::directory(&server.packages())?;
        fs::create_dir_all(server.data())?;
        crate::scratch::passable(&server.data())?;
        server.write_config(&server.options.config.clone())?;
        Ok(server)
    }

    /// Writes `pressroom.toml` anew: the tests' own settings and these tables.
    pub fn write_config(&self, tables: &str) -> Result<()> {
        let text = format!(
            "[packages]\ndirectory = \"{}\"\ndistribution = false\nwordpress_org = false\n\n\
             [hosting]\nhttp = \"127.0.0.1:{}\"\n\n{tables}\n",
            self.packages().display(),
            self.sites_port,
        );
        fs::write(self.data().join("pressroom.toml"), text)?;
        Ok(())
    }

    /// The directory of everything this server keeps.
    pub fn data(&self) -> PathBuf {
        self.scratch.path().join("data")
    }

    /// The directory it takes packages from.
    pub fn packages(&self) -> PathBuf {
        self.scratch.path().join("packages")
    }

    /// A place for a test's own files.
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// The console's and the dialects' address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where the hosted sites answer.
    pub fn sites_port(&self) -> u16 {
        self.sites_port
    }

    /// The server's process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// A client of the server's API.
    pub fn api(&self, token: Option<&str>) -> Result<Api> {
        Api::new(&self.url(), token)
    }

    /// What the server has printed so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// Runs the command line over the same data.
    pub async fn cli(&self, arguments: &[&str], stdin: &str) -> Result<Finished> {
        use tokio::io::AsyncWriteExt;
        let Started { mut child, what } = self.begin_cli(arguments)?;
        let mut input = child.stdin.take().context("its input is piped")?;
        // It may end without reading: that is its right.
        let _ = input.write_all(stdin.as_bytes()).await;
        drop(input);
        Started { child, what }.ended().await
    }

    /// Begins a command over the same data without waiting for its end.
    pub fn begin_cli(&self, arguments: &[&str]) -> Result<Started> {
        let mut command = tokio::process::Command::from(self.command(self.port)?);
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        Ok(Started {
            child: command.spawn().context("cannot run `pressroom`")?,
            what: arguments.join(" "),
        })
    }

    /// Runs the command line with `--json` and reads what it prints.
    pub async fn cli_json(&self, arguments: &[&str]) -> Result<serde_json::Value> {
        let mut all = vec!["--json"];
        all.extend(arguments);
        let line = self.cli(&all, "").await?.line()?;
        serde_json::from_str(&line)
            .with_context(|| format!("`pressroom {}` printed: {line}", all.join(" ")))
    }

    /// Starts the server and waits until it is ready.
    pub async fn launch(&mut self) -> Result<()> {
        ensure!(self.child.is_none(), "it runs already");
        let mut command = self.command(self.port)?;
        command.arg("serve");
        if self.options.trace {
            let trace = Trace::new(self.scratch.path(), &format!("trace-{}", self.traces.len()))?;
            command = trace.wrap(&command);
            self.traces.push(trace);
        }
        self.child = Some(self.spawn(command)?);
        self.wait_ready(self.port).await
    }

    /// Starts a second server over the same data (its database must be PostgreSQL)
    /// on a port of its own; answers that port.
    pub async fn start_second(&mut self) -> Result<u16> {
        let port = place::free_port()?;
        let mut command = self.command(port)?;
        command.arg("serve");
        self.second = Some(self.spawn(command)?);
        self.wait_ready(port).await?;
        Ok(port)
    }

    /// Kills it with SIGKILL, as a power cut would.
    pub fn kill9(&mut self) -> Result<()> {
        let mut child = self.child.take().context("it does not run")?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Sets an environment variable for commands and servers started from now on.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.options.env.retain(|(known, _)| known != name);
        self.options.env.push((name.to_owned(), value.to_owned()));
    }

    /// Sends a signal to the first server.
    pub fn signal(&self, signal: rustix::process::Signal) -> Result<()> {
        signal_child(self.child.as_ref().context("it does not run")?, signal)
    }

    /// Sends a signal to the first server and to the agents it has running: they are
    /// one worker, and only together are they frozen.
    pub fn signal_with_agents(&self, signal: rustix::process::Signal) -> Result<()> {
        let pid = self.pid().context("it does not run")?;
        self.signal(signal)?;
        for child in children_of(pid)? {
            let line = fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
            let is_agent = String::from_utf8_lossy(&line).contains("agent");
            if let Some(child) = is_agent
                .then(|| i32::try_from(child).ok())
                .flatten()
                .and_then(rustix::process::Pid::from_raw)
            {
                // It may have ended meanwhile.
                let _ = rustix::process::kill_process(child, signal);
            }
        }
        Ok(())
    }

    /// Stops it politely.
    pub fn stop(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            end(&mut child)?;
        }
        Ok(())
    }

    /// Kills it if it runs, and starts it again over the same data.
    pub async fn restart(&mut self) -> Result<()> {
        if self.child.is_some() {
            self.kill9()?;
        }
        self.launch().await
    }

    /// Every path that a server process opened, of all its lives; empty unless it
    /// was started with [`Options::trace`].
    pub fn opened_paths(&self) -> Result<Vec<String>> {
        let mut paths = Vec::new();
        for trace in &self.traces {
            paths.extend(trace.paths()?);
        }
        Ok(paths)
    }

    fn command(&self, port: u16) -> Result<Command> {
        let mut command = Command::new(place::binary("pressroom")?);
        command
            .env("PRESSROOM_DATA", self.data())
            .env("PRESSROOM_LISTEN", format!("127.0.0.1:{port}"))
            // Looks that no test asked for would be found in its logs and caches.
            .env("PRESSROOM_HEALTH__CONCURRENCY", "0")
            .env("PRESSROOM_HEALTH__RESOLVER", "none")
            .env(
                "PRESSROOM_LOG",
                "debug,sqlx=warn,sea_orm=warn,hyper=info,h2=info,russh=info",
            )
            .env_remove("PRESSROOM_CONFIG")
            .current_dir(self.scratch.path());
        match &self.options.database {
            Database::Sqlite => command.env_remove("PRESSROOM_DATABASE_URL"),
            Database::Postgres(url) => command.env("PRESSROOM_DATABASE_URL", url),
        };
        for (name, value) in &self.options.env {
            command.env(name, value);
        }
        Ok(command)
    }

    fn spawn(&self, mut command: Command) -> Result<Child> {
        let log: File = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_path())?;
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0);
        command.spawn().context("cannot start `pressroom serve`")
    }

    fn log_path(&self) -> PathBuf {
        self.scratch.path().join("server.log")
    }

    async fn wait_ready(&mut self, port: u16) -> Result<()> {
        let client = Api::new(&format!("http://127.0.0.1:{port}"), None)?;
        let ready = eventually("a ready server", Duration::from_mins(1), || async {
            client.get("/readyz").await?.expect(200)
        })
        .await;
        if let Err(error) = ready {
            let log = self.log();
            for child in [&mut self.child, &mut self.second].into_iter().flatten() {
                if let Some(status) = child.try_wait()? {
                    bail!("the server ended with {status}:\n{log}");
                }
            }
            return Err(error.context(log));
        }
        Ok(())
    }
}

impl Drop for Pressroom {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<&str> = log.lines().rev().take(60).collect();
            eprintln!("--- the server's last lines, newest first ---");
            for line in tail {
                eprintln!("{line}");
            }
        }
        for mut child in [self.second.take(), self.child.take()]
            .into_iter()
            .flatten()
        {
            let _ = end(&mut child);
        }
        if let Ok(mut command) = self.command(self.port) {
            let _ = command
                .args(["hosting", "down"])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
        }
    }
}

fn signal_child(child: &Child, signal: rustix::process::Signal) -> Result<()> {
    let pid = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw)
        .context("a process id")?;
    rustix::process::kill_process(pid, signal)?;
    Ok(())
}

/// The children of all threads of a process.
fn children_of(pid: u32) -> Result<Vec<u32>> {
    let mut children = Vec::new();
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(task?.path().join("children")).unwrap_or_default();
        children.extend(
            text.split_whitespace()
                .filter_map(|child| child.parse::<u32>().ok()),
        );
    }
    Ok(children)
}

/// SIGTERM, some seconds to drain, then SIGKILL.
fn end(child: &mut Child) -> Result<()> {
    signal_child(child, rustix::process::Signal::CONT)?;
    signal_child(child, rustix::process::Signal::TERM)?;
    let started = Instant::now();
    while child.try_wait()?.is_none() {
        if started.elapsed() > Duration::from_secs(15) {
            child.kill()?;
            child.wait()?;
            bail!("the server did not end within 15 s of SIGTERM");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
