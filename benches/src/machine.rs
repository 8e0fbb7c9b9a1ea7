//! A pressroom of its own, for the rows that measure the server.

use anyhow::{Context, Result, ensure};
use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

/// A running `pressroom serve`; dropped, it ends.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it answers.
    pub url: String,
}

/// Runs a command of the program over a data directory; its standard output.
pub fn cli(data: &Path, arguments: &[&str], stdin: &str) -> Result<String> {
    let output = output(data, arguments, stdin)?;
    ensure!(
        output.status.success(),
        "`pressroom {}` failed: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned())
}

/// The same, however it ends.
pub fn output(data: &Path, arguments: &[&str], stdin: &str) -> Result<Output> {
    let mut child = command(data)?
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        std::io::Write::write_all(&mut input, stdin.as_bytes())?;
    }
    Ok(child.wait_with_output()?)
}

/// Who the account [`account`] makes belongs to.
const PERSON: &str = "bench@press.example";

/// A person, and the account `Bench` that is theirs.
pub fn account(data: &Path) -> Result<()> {
    let add = ["user", "add", PERSON, "--name", "Bench", "--password-stdin"];
    cli(data, &add, "correct horse battery staple\n")?;
    cli(data, &["account", "add", "Bench", "--owner", PERSON], "").map(drop)
}

/// A key of a panel for that person's sites.
pub fn panel_key(data: &Path) -> Result<String> {
    cli(
        data,
        &["token", "add", "--user", PERSON, "--kind", "panel"],
        "",
    )
}

impl Server {
    /// Starts one and waits until it is ready; with the time that took.
    pub fn start(data: &Path) -> Result<(Self, Duration)> {
        let port = free_port()?;
        let log = fs::File::create(data.join("bench-server.log"))?;
        let begun = Instant::now();
        let child = command(data)?
            .arg("serve")
            .env("PRESSROOM_LISTEN", format!("127.0.0.1:{port}"))
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot start `pressroom serve`")?;
        let server = Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
        };
        while begun.elapsed() < Duration::from_mins(1) {
            if is_ready(port) {
                return Ok((server, begun.elapsed()));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        anyhow::bail!(
            "the server is not ready: {}",
            fs::read_to_string(data.join("bench-server.log"))?
        )
    }

    /// What it holds in memory now.
    pub fn resident(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kilobytes: u64 = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.trim().strip_suffix(" kB"))
            .context("no VmRSS")?
            .trim()
            .parse()?;
        Ok(kilobytes * 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_ready(port: u16) -> bool {
    use std::io::{Read as _, Write as _};
    let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let asked =
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n");
    let mut answer = String::new();
    asked.is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && answer.starts_with("HTTP/1.1 200")
}

fn command(data: &Path) -> Result<Command> {
    let program: PathBuf = std::env::current_exe()?.with_file_name("pressroom");
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("PRESSROOM_DATA", data)
        .env("PRESSROOM_LOG", "warn");
    Ok(command)
}

/// A port that nobody listens on right now.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
