//! A private php-fpm and a private Redis server, ended with their owner.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{Read, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant, SystemTime},
};
use tempfile::TempDir;

/// A server process in a directory of its own.
struct Server {
    dir: TempDir,
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        // php-fpm ends its workers on SIGTERM, which `kill` of the library is not.
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Waits until every socket takes connections.
    fn started(dir: TempDir, mut command: Command, sockets: &[&str]) -> Self {
        let log = File::create(dir.path().join("out")).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("the server is installed");
        let server = Self { dir, child };
        let since = Instant::now();
        for socket in sockets {
            while UnixStream::connect(socket).is_err() {
                assert!(
                    since.elapsed() < Duration::from_secs(20),
                    "{}",
                    fs::read_to_string(server.dir.path().join("out")).unwrap_or_default()
                );
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        server
    }
}

/// php-fpm with pools of one worker each.
pub struct Fpm {
    server: Server,
}

impl Fpm {
    /// Starts pools with these further lines each.
    pub fn start(pools: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let shown = dir.path().display();
        let mut text = format!("[global]\nerror_log = {shown}/log\ndaemonize = no\n");
        let root = rustix::process::geteuid().is_root();
        for (number, lines) in pools.iter().enumerate() {
            // As root a pool must name a user; ours must read the home's private parts.
            let user = if root { "user = root\n" } else { "" };
            let _ = write!(
                text,
                "[pool{number}]\n{user}listen = {shown}/{number}.sock\npm = static\n\
                 pm.max_children = 1\nphp_admin_value[user_ini.cache_ttl] = 0\n{lines}\n"
            );
        }
        fs::write(dir.path().join("fpm.conf"), text).unwrap();
        let program = ["php-fpm8.2", "php-fpm"]
            .into_iter()
            .find(|name| {
                ["/usr/sbin", "/usr/bin"]
                    .iter()
                    .any(|dir| Path::new(dir).join(name).exists())
            })
            .expect("php-fpm is installed");
        let mut command = Command::new(format!("/usr/sbin/{program}"));
        command
            .arg("--fpm-config")
            .arg(dir.path().join("fpm.conf"))
            .arg("-F");
        if root {
            command.arg("-R");
        }
        let sockets: Vec<String> = (0..pools.len())
            .map(|number| format!("{shown}/{number}.sock"))
            .collect();
        let sockets: Vec<&str> = sockets.iter().map(String::as_str).collect();
        let server = Server::started(dir, command, &sockets);
        Self { server }
    }

    /// Where a pool listens.
    pub fn socket(&self, pool: usize) -> String {
        format!("{}/{pool}.sock", self.server.dir.path().display())
    }

    /// The body of a page, asked for as a web server does; independent of the code
    /// under test.
    pub fn page(&self, pool: usize, root: &Path, file: &str) -> String {
        let script = root.join(file).display().to_string();
        let root = root.display().to_string();
        let name = format!("/{file}");
        let mut params = Vec::new();
        for (name, value) in [
            ("SCRIPT_FILENAME", script.as_str()),
            ("DOCUMENT_ROOT", &root),
            ("SCRIPT_NAME", &name),
            ("REQUEST_URI", "/"),
            ("REQUEST_METHOD", "GET"),
            ("SERVER_PROTOCOL", "HTTP/1.1"),
            ("HTTP_HOST", "example.test"),
            ("SERVER_NAME", "example.test"),
        ] {
            params.push(u8::try_from(name.len()).unwrap());
            params.extend(
                u32::try_from(value.len() | 0x8000_0000)
                    .unwrap()
                    .to_be_bytes(),
            );
            params.extend(name.bytes().chain(value.bytes()));
        }
        let record = |kind: u8, content: &[u8]| {
            let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
            [&[1, kind, 0, 1, high, low, 0, 0], content].concat()
        };
        let mut stream = UnixStream::connect(self.socket(pool)).unwrap();
        let begin = record(1, &[0, 1, 0, 0, 0, 0, 0, 0]);
        let request = [begin, record(4, &params), record(4, &[]), record(5, &[])].concat();
        stream.write_all(&request).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let (mut at, mut said) = (0, Vec::new());
        while at + 8 <= answer.len() {
            let length = usize::from(u16::from_be_bytes([answer[at + 4], answer[at + 5]]));
            if matches!(answer[at + 1], 6 | 7) {
                said.extend(&answer[at + 8..at + 8 + length]);
            }
            at += 8 + length + usize::from(answer[at + 6]);
        }
        let said = String::from_utf8_lossy(&said).into_owned();
        match said.split_once("\r\n\r\n") {
            Some((_, body)) => body.to_owned(),
            None => said,
        }
    }
}

/// A Redis server on a socket.
pub struct Redis {
    server: Server,
    password: Option<String>,
}

impl Redis {
    /// Starts one with these further lines of configuration.
    pub fn start(lines: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let shown = dir.path().display().to_string();
        let text = format!(
            "port 0\nunixsocket {shown}/redis.sock\nsave \"\"\nappendonly no\ndir {shown}\n{lines}"
        );
        fs::write(dir.path().join("redis.conf"), text).unwrap();
        let mut command = Command::new("redis-server");
        command.arg(dir.path().join("redis.conf"));
        let server = Server::started(dir, command, &[&format!("{shown}/redis.sock")]);
        let password = lines.trim().strip_prefix("requirepass ").map(str::to_owned);
        Self { server, password }
    }

    /// Where it listens.
    pub fn socket(&self) -> String {
        format!("{}/redis.sock", self.server.dir.path().display())
    }

    /// Runs one command on database 0.
    pub fn cli(&self, command: &str) -> String {
        self.run(&command.split(' ').collect::<Vec<_>>())
    }

    /// Sets a key.
    pub fn set(&self, database: u32, key: &str, value: &str) {
        let mut stream = UnixStream::connect(self.socket()).unwrap();
        let mut text = String::new();
        if let Some(password) = &self.password {
            let _ = write!(text, "AUTH {password}\r\n");
        }
        let _ = write!(
            text,
            "SELECT {database}\r\nSET {key} \"{value}\"\r\nQUIT\r\n"
        );
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(!answer.contains('-'), "{answer}");
    }

    /// All keys of a database, sorted.
    pub fn keys(&self, database: u32) -> Vec<String> {
        let database = database.to_string();
        let mut keys: Vec<String> = self
            .run(&["-n", &database, "KEYS", "*"])
            .lines()
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect();
        keys.sort();
        keys
    }

    fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        command.args(["-s", &self.socket()]);
        if let Some(password) = &self.password {
            command.args(["--no-auth-warning", "-a", password]);
        }
        let output = command.args(arguments).output().expect("redis-cli");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// Dates all files below an hour back, so that OPcache keeps them at once.
pub fn settle_below(path: &Path) {
    let at = SystemTime::now() - Duration::from_hours(1);
    let mut left = vec![path.to_owned()];
    while let Some(dir) = left.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                left.push(entry.path());
            } else {
                let file = File::options().write(true).open(entry.path()).unwrap();
                file.set_modified(at).unwrap();
            }
        }
    }
}
