//! One private MariaDB per test process.

use crate::place;
use anyhow::{Context, Result, bail, ensure};
use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{ChildStdin, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// Copies the kept data directory, starts a server on it, says where its socket is,
/// and ends it when standard input does: when the test process ends, however.
const SERVER: &str = r#"
set -eu
PATH="$PATH:/usr/sbin:/sbin"
dir=$(mktemp -d /tmp/pressroom-mariadb.XXXXXX)
trap 'rm -rf "$dir"' EXIT
chmod 0711 "$dir"
cp -a "$1" "$dir/data"
user=$2 pool=$3 log=$4
shift 4
# A server that starts removes every temporary table it finds in its `tmpdir`,
# so that no two may share one.
mkdir "$dir/tmp"
[ "$(id -u)" -ne 0 ] || chown mysql: "$dir" "$dir/tmp"
mariadbd --no-defaults --datadir="$dir/data" --tmpdir="$dir/tmp" --socket="$dir/sock" --pid-file="$dir/pid" \
    --user="$user" --skip-networking --skip-log-bin --skip-name-resolve \
    --innodb-buffer-pool-size="$pool" --innodb-log-file-size="$log" --innodb-flush-log-at-trx-commit=0 \
    --innodb-flush-method=nosync --skip-innodb-doublewrite --max-allowed-packet=64M --character-set-server=utf8mb4 \
    --collation-server=utf8mb4_general_ci --event-scheduler=OFF --performance-schema=OFF \
    "$@" </dev/null >"$dir/log" 2>&1 &
server=$!
tries=0
until mariadb-admin --no-defaults --socket="$dir/sock" --user=root ping >/dev/null 2>&1; do
    kill -0 "$server" 2>/dev/null || { cat "$dir/log" >&2; exit 1; }
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || { cat "$dir/log" >&2; exit 1; }
    sleep 0.05
done
echo "$dir/sock"
cat >/dev/null
kill -KILL "$server"
wait "$server" 2>/dev/null || true
"#;

/// A running server whose `root` needs no password.
#[derive(Debug)]
pub struct Mariadb {
    socket: PathBuf,
    // Closing it ends the server.
    _stdin: ChildStdin,
}

/// A database of its own with a user of its own who may do everything in it.
#[derive(Debug, Clone)]
pub struct Database {
    /// Its name.
    pub name: String,
    /// Its user, `@localhost`.
    pub user: String,
    /// The user's password.
    pub password: String,
    /// The server's socket.
    pub socket: PathBuf,
}

impl Mariadb {
    /// The server of this process, started by the first who asks.
    pub fn of_process() -> Result<&'static Self> {
        Self::of_process_with("64M", "16M", &[])
    }

    /// The same, started as [`Mariadb::start_with`] says if nobody asked before.
    pub fn of_process_with(
        buffer_pool: &str,
        log: &str,
        options: &[&str],
    ) -> Result<&'static Self> {
        static SERVER_OF_PROCESS: OnceLock<Result<Mariadb>> = OnceLock::new();
        match SERVER_OF_PROCESS.get_or_init(|| Self::start_with(buffer_pool, log, options)) {
            Ok(server) => Ok(server),
            Err(error) => bail!("no MariaDB server: {error:#}"),
        }
    }

    /// Starts one more server with this buffer pool and log size (as MariaDB writes
    /// sizes, e.g. `512M`).
    pub fn start(buffer_pool: &str, log: &str) -> Result<Self> {
        Self::start_with(buffer_pool, log, &[])
    }

    /// The same with these options behind the usual ones, e.g. `--log-bin=bin`.
    pub fn start_with(buffer_pool: &str, log: &str, options: &[&str]) -> Result<Self> {
        let root = rustix::process::geteuid().is_root();
        let user = if root {
            "mysql".to_owned()
        } else {
            place::run(Command::new("id").arg("-un"))?.trim().to_owned()
        };
        let template = place::kept("mariadb", |dir| {
            let data = dir.join("data");
            place::run(
                Command::new("mariadb-install-db")
                    .arg("--no-defaults")
                    .arg(format!("--datadir={}", data.display()))
                    .arg(format!("--tmpdir={}", data.display()))
                    .arg(format!("--user={user}"))
                    .args(["--auth-root-authentication-method=normal", "--skip-test-db"])
                    .args(["--skip-name-resolve", "--innodb-log-file-size=8M"]),
            )
            .map(drop)
        })?;
        let mut child = Command::new("sh")
            .args(["-c", SERVER, "sh"])
            .arg(template.join("data"))
            .args([&user, buffer_pool, log])
            .args(options)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start a shell for MariaDB")?;
        let stdin = child.stdin.take().context("the shell has no input")?;
        let stdout = child.stdout.take().context("the shell has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let socket = PathBuf::from(line.trim_end());
        ensure!(
            socket.is_absolute(),
            "the server did not start; is the package `mariadb-server` installed?"
        );
        Ok(Self {
            socket,
            _stdin: stdin,
        })
    }

    /// Where it listens.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// A new, empty database with a user of its own.
    pub fn database(&self) -> Result<Database> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("lab_{number}");
        let user = format!("lab_user_{number}");
        let password = format!("it's \"{number}\" \\ secret");
        self.sql(&format!(
            "CREATE DATABASE {name}; \
             CREATE USER {user}@localhost IDENTIFIED BY '{}'; \
             GRANT ALL ON {name}.* TO {user}@localhost;",
            password.replace('\\', "\\\\").replace('\'', "\\'")
        ))?;
        Ok(Database {
            name,
            user,
            password,
            socket: self.socket.clone(),
        })
    }

    /// Runs statements as `root` with the `mariadb` client; tab-separated rows
    /// without headings.
    pub fn sql(&self, statements: &str) -> Result<String> {
        client(&self.socket, None, statements.as_bytes())
    }
}

impl Database {
    /// `DB_HOST` for `wp-config.php`.
    pub fn host(&self) -> String {
        format!("localhost:{}", self.socket.display())
    }

    /// Runs statements in it as `root` with the `mariadb` client; tab-separated rows
    /// without headings.
    pub fn sql(&self, statements: &str) -> Result<String> {
        client(&self.socket, Some(&self.name), statements.as_bytes())
    }

    /// As [`Database::sql`], for statements that are not UTF-8.
    pub fn sql_bytes(&self, statements: &[u8]) -> Result<String> {
        client(&self.socket, Some(&self.name), statements)
    }
}

fn client(socket: &Path, database: Option<&str>, statements: &[u8]) -> Result<String> {
    let mut child = Command::new("mariadb")
        .arg("--no-defaults")
        .arg(format!("--socket={}", socket.display()))
        .args(["--user=root", "--batch", "--skip-column-names"])
        .args([
            "--default-character-set=utf8mb4",
            "--max-allowed-packet=64M",
        ])
        .args(database)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot run `mariadb`")?;
    let mut stdin = child.stdin.take().context("the client has no input")?;
    let statements = statements.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&statements));
    let output = child.wait_with_output()?;
    // A client that gave up says why itself.
    let _ = writer.join();
    ensure!(
        output.status.success(),
        "`mariadb` failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::Mariadb;

    #[test]
    fn gives_databases_with_users_of_their_own() {
        let server = Mariadb::of_process().expect("a server");
        let one = server.database().expect("a database");
        one.sql("CREATE TABLE t (a INT); INSERT INTO t VALUES (7)")
            .expect("a table");
        assert_eq!(one.sql("SELECT a FROM t").expect("a row"), "7\n");
    }
}
