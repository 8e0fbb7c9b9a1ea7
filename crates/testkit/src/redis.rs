//! A private Redis server on a port of its own, with a password.

use crate::{Scratch, place};
use anyhow::{Context, Result, ensure};
use std::{
    fs,
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The operator's password.
pub const PASSWORD: &str = "sesame";

/// A Redis server; it ends with this value.
#[derive(Debug)]
pub struct Redis {
    scratch: Scratch,
    port: u16,
    child: Option<Child>,
}

impl Redis {
    /// Starts one.
    pub fn start() -> Result<Self> {
        let mut redis = Self {
            scratch: Scratch::new()?,
            port: place::free_port()?,
            child: None,
        };
        fs::write(redis.scratch.path().join("password"), PASSWORD)?;
        let operator = format!("user default on >{PASSWORD} ~* &* +@all\n");
        fs::write(redis.users(), operator)?;
        redis.resume()?;
        Ok(redis)
    }

    /// What `pressroom.toml` says of it.
    pub fn config(&self) -> String {
        format!(
            "[cache]\nredis = \"{}\"\nredis_password_file = \"{}\"\n",
            self.address(),
            self.scratch.path().join("password").display()
        )
    }

    /// Address and port.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn users(&self) -> PathBuf {
        self.scratch.path().join("users.acl")
    }

    /// Ends it; its keys are gone, its users are kept.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts it again, empty, where it was.
    pub fn resume(&mut self) -> Result<()> {
        let port = self.port.to_string();
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", ""])
            .args(["--appendonly", "no", "--dir"])
            .arg(self.scratch.path())
            .arg("--aclfile")
            .arg(self.users())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.child = Some(command.spawn().context("cannot run `redis-server`")?);
        let since = Instant::now();
        while TcpStream::connect(self.address()).is_err() {
            ensure!(
                since.elapsed() < Duration::from_secs(20),
                "Redis does not answer"
            );
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Runs a command as its operator.
    pub fn cli(&self, arguments: &[&str]) -> Result<String> {
        self.cli_as("default", PASSWORD, arguments)
    }

    /// Runs a command as a user; a refusal is an answer.
    pub fn cli_as(&self, user: &str, password: &str, arguments: &[&str]) -> Result<String> {
        let output = Command::new("redis-cli")
            .args(["-p", &self.port.to_string(), "--no-auth-warning"])
            .args(["--user", user, "--pass", password])
            .args(arguments)
            .output()
            .context("cannot run `redis-cli`")?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// The names of all keys, sorted.
    pub fn keys(&self) -> Result<Vec<String>> {
        let said = self.cli(&["KEYS", "*"])?;
        let mut keys: Vec<_> = said.lines().map(str::to_owned).collect();
        keys.retain(|key| !key.is_empty());
        keys.sort();
        Ok(keys)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.stop();
    }
}
