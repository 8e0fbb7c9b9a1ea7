//! Empty PostgreSQL databases, on a private server that ends with the test process, or on one
//! that `./check` started for all of them.

use anyhow::{Context, Result, bail, ensure};
use pressroom_base::token;
use std::io::{BufRead, BufReader};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;

/// Makes a server below a new directory, says where, and ends it when its standard
/// input does: that is when the test process ends, however it does.
const SERVER: &str = include_str!("postgres/server.sh");

/// Where the sockets of a server are that is there already.
const SHARED: &str = "PRESSROOM_TEST_POSTGRES";

struct Server {
    socket_dir: String,
    // Closing it ends the server; one of somebody else's goes on.
    _stdin: Option<ChildStdin>,
}

/// The URL of a new, empty database.
pub async fn database() -> Result<String> {
    tokio::task::spawn_blocking(create).await?
}

fn create() -> Result<String> {
    static SERVER_OF_PROCESS: OnceLock<Result<Server>> = OnceLock::new();
    let server = match SERVER_OF_PROCESS.get_or_init(start) {
        Ok(server) => server,
        Err(error) => bail!("no PostgreSQL server: {error:#}"),
    };
    // Other processes make theirs on the same server, more of them than there are process ids.
    let name = format!("scratch_{}", token::hex(16));
    let made = Command::new("psql")
        .args([
            "--no-psqlrc",
            "--quiet",
            "--username=postgres",
            "--dbname=postgres",
        ])
        .arg(format!("--host={}", server.socket_dir))
        .arg(format!("--command=CREATE DATABASE {name}"))
        .output()
        .context("cannot run `psql`")?;
    ensure!(
        made.status.success(),
        "`psql` failed: {}",
        String::from_utf8_lossy(&made.stderr)
    );
    Ok(format!(
        "postgres://postgres@localhost/{name}?host={}",
        server.socket_dir
    ))
}

fn start() -> Result<Server> {
    if let Ok(socket_dir) = std::env::var(SHARED) {
        return Ok(Server {
            socket_dir,
            _stdin: None,
        });
    }
    // PostgreSQL refuses to run as root.
    let mut command = if crate::place::is_root() {
        let mut command = Command::new("setpriv");
        command.args([
            "--reuid=postgres",
            "--regid=postgres",
            "--clear-groups",
            "sh",
        ]);
        command
    } else {
        Command::new("sh")
    };
    let mut child = command
        .args(["-c", SERVER])
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start a shell for PostgreSQL")?;
    let stdin = child.stdin.take().context("the shell has no input")?;
    let stdout = child.stdout.take().context("the shell has no output")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let socket_dir = line.trim_end().to_owned();
    ensure!(
        !socket_dir.is_empty(),
        "the server did not start; is the package `postgresql` installed?"
    );
    Ok(Server {
        socket_dir,
        _stdin: Some(stdin),
    })
}

#[cfg(test)]
mod tests {
    use super::database;

    #[tokio::test]
    async fn every_call_makes_another_database() {
        let one = database().await.expect("a database");
        let two = database().await.expect("a database");
        assert_ne!(one, two);
    }
}
