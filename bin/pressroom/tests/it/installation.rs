//! A data directory of a test's own, and the program run on it.

use std::{
    fs::{self, Permissions},
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

pub const PASSWORD: &str = "correct horse battery";

pub struct Installation {
    dir: TempDir,
}

#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ended {
    #[track_caller]
    pub fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }

    #[track_caller]
    pub fn failed(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.out, "", "a failure prints no data");
        self.err
    }

    #[track_caller]
    pub fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.done()).expect("JSON")
    }
}

impl Installation {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        fs::set_permissions(dir.path(), Permissions::from_mode(0o711)).expect("ours");
        Self { dir }
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// The program with nothing of our own environment that could be its configuration.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pressroom"));
        command
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.dir.path())
            .env("PRESSROOM_DATA", self.data())
            .current_dir("/");
        command
    }

    pub fn run(&self, args: &[&str]) -> Ended {
        Self::end(self.command(args), "")
    }

    pub fn end(mut command: Command, input: &str) -> Ended {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // It may end without reading what it is given.
        let _ = child
            .stdin
            .take()
            .map(|mut pipe| pipe.write_all(input.as_bytes()));
        let output = child.wait_with_output().expect("it ends");
        Ended {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    pub fn add_user(&self, email: &str, password: &str) -> Ended {
        let command = self.command(&["user", "add", email, "--name", "Ann", "--password-stdin"]);
        Self::end(command, password)
    }

    /// A person, an account and a domain.
    pub fn settled() -> Self {
        let place = Self::new();
        place.add_user("ann@example.com", PASSWORD).done();
        place
            .run(&["account", "add", "agency", "--owner", "ann@example.com"])
            .done();
        place
            .run(&["domain", "add", "blog.example", "--account", "agency"])
            .done();
        place
    }
}

/// A running server; killed when it is forgotten.
pub struct Server {
    child: Child,
    lines: Receiver<String>,
    pub log: String,
    pub address: SocketAddr,
}

impl Server {
    /// Starts the program and waits until it says where it listens.
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (send, lines) = channel();
        let pipes: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|pipe| Box::new(pipe) as _),
            child.stderr.take().map(|pipe| Box::new(pipe) as _),
        ];
        for pipe in pipes.into_iter().flatten() {
            let send = send.clone();
            thread::spawn(move || {
                for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                    let _ = send.send(line);
                }
            });
        }
        let mut log = String::new();
        let address = loop {
            let line = lines
                .recv_timeout(Duration::from_secs(30))
                .unwrap_or_else(|_| panic!("it does not say where it listens: {log}"));
            log.push_str(&line);
            log.push('\n');
            if let Some((_, rest)) = line.split_once("listens on ")
                && let Some((_, rest)) = rest.split_once("://")
            {
                let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ':');
                let text = &rest[..end.unwrap_or(rest.len())];
                break text.parse().expect("an address");
            }
        };
        Self {
            child,
            lines,
            log,
            address,
        }
    }

    /// Status and body of a `GET`.
    pub fn get(&self, path: &str) -> (u16, String) {
        self.ask(&format!(
            "GET {path} HTTP/1.1\r\nHost: p.example\r\nConnection: close\r\n\r\n"
        ))
    }

    pub fn ask(&self, request: &str) -> (u16, String) {
        ask(self.address, request)
    }

    /// Waits until it logs a line that has this.
    pub fn says(&mut self, what: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.log.contains(what) {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            let line = line.unwrap_or_else(|_| panic!("it does not say `{what}`: {}", self.log));
            self.log.push_str(&line);
            self.log.push('\n');
        }
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(pid.expect("a process"), signal).expect("ours");
    }

    /// Waits for the end; answers how it ended and all it logged.
    pub fn ended(mut self) -> (ExitStatus, String) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while let Ok(line) = self
            .lines
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            self.log.push_str(&line);
            self.log.push('\n');
        }
        assert!(Instant::now() < deadline, "it does not end: {}", self.log);
        let status = self.child.wait().expect("it ended");
        (status, std::mem::take(&mut self.log))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Status and body of the answer to a request.
pub fn ask(address: SocketAddr, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("a socket");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("it answers");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").expect("an answer");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    (status.expect("a status"), body.to_owned())
}
