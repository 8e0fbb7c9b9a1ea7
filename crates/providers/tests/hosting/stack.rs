//! A private stack for one test, stopped whatever happens.

use pressroom_providers::hosting::{HostingConfig, LocalHosting, SiteUser, WebSite};
use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
};
use tempfile::TempDir;

pub struct Stack {
    pub hosting: LocalHosting,
    pub temp: TempDir,
}

impl Stack {
    pub fn describe() -> Self {
        let temp = tempfile::tempdir().unwrap();
        fs::set_permissions(temp.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let mut config = HostingConfig::new(temp.path().join("hosting"), temp.path().join("sites"));
        config.http_addr = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            hosting: LocalHosting::new(config),
            temp,
        }
    }

    pub async fn up() -> Self {
        Self::up_with(|_| ()).await
    }

    /// With another configuration than the usual one.
    pub async fn up_with(change: impl FnOnce(&mut HostingConfig)) -> Self {
        let mut stack = Self::describe();
        let mut config = stack.hosting.config().clone();
        change(&mut config);
        stack.hosting = LocalHosting::new(config);
        let status = stack.hosting.up().await.unwrap();
        assert!(status.is_up(), "{status:?}");
        stack
    }

    /// A domain with its user, home and the directories that the agent makes.
    pub async fn site(&self, domain: &str) -> WebSite {
        let home = self.hosting.home_of(domain).unwrap();
        let name = LocalHosting::new_user_name();
        let user = self.hosting.create_user(&name, &home).await.unwrap();
        self.hosting
            .create_home(&home, user.as_ref())
            .await
            .unwrap();
        for dir in ["public_html", "tmp", "logs", "sessions"] {
            fs::create_dir(home.join(dir)).unwrap();
            give(&home.join(dir), user.as_ref());
        }
        let site = WebSite::new(domain, &home, user);
        self.hosting.ensure_web(&site).await.unwrap();
        site
    }

    pub async fn get(&self, domain: &str, path: &str) -> (u16, String) {
        let origin = self.hosting.origin(domain).unwrap();
        get(origin.addr, &origin.host, path).await
    }

    /// Every process whose command line names our directory.
    pub fn processes(&self) -> Vec<String> {
        processes_below(self.temp.path())
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // Also after a panic, when no runtime can be waited for: a thread of its own.
        let hosting = self.hosting.clone();
        let cleaned = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                for user in users_of(&hosting) {
                    let _there_or_not = hosting.remove_user(&user).await;
                }
                hosting.destroy().await
            })
        })
        .join();
        if !std::thread::panicking() {
            cleaned.unwrap().unwrap();
            assert_eq!(self.processes(), Vec::<String>::new());
        }
    }
}

/// Unix users whose home lies below this test's directory; read here, not through
/// the code under test.
pub fn users_of(hosting: &LocalHosting) -> Vec<String> {
    let sites = format!("{}/", hosting.config().sites_dir.display());
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    passwd
        .lines()
        .filter(|line| {
            line.split(':')
                .nth(5)
                .is_some_and(|home| home.starts_with(&sites))
        })
        .filter_map(|line| line.split(':').next().map(str::to_owned))
        .collect()
}

pub fn give(path: &Path, user: Option<&SiteUser>) {
    if let Some(user) = user {
        chown(path, Some(user.uid), Some(user.gid)).unwrap();
    }
}

/// Writes a file as the site's own.
pub fn write(site: &WebSite, path: &str, content: &str) -> PathBuf {
    let file = site.home.join(path);
    let mut dir = site.home.clone();
    for part in Path::new(path).parent().unwrap().components() {
        dir.push(part);
        if !dir.exists() {
            fs::create_dir(&dir).unwrap();
            give(&dir, site.user.as_ref());
        }
    }
    fs::write(&file, content).unwrap();
    give(&file, site.user.as_ref());
    file
}

pub async fn get(addr: SocketAddr, host: &str, path: &str) -> (u16, String) {
    let request = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n");
    let answer = ask(addr, &request).await;
    (answer.status, answer.body)
}

/// An answer in parts.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Sends a request as it is written.
pub async fn ask(addr: SocketAddr, request: &str) -> Answer {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(addr).await.unwrap();
    // Who refuses a request before its body cuts the connection after the answer.
    let _written_or_refused = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer).await {
        let start: String = request.chars().take(200).collect();
        assert!(!answer.is_empty(), "{start:?}: {error}");
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

fn processes_below(dir: &Path) -> Vec<String> {
    let wanted = dir.display().to_string();
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .bytes()
                .all(|byte| byte.is_ascii_digit())
        })
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(&wanted))
        .collect()
}
