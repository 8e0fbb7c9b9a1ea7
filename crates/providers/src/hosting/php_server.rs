//! Development mode: PHP's own server, one per domain, where nginx and php-fpm are
//! not installed. A router stands before every request and keeps what nginx' server
//! block keeps, from the same table of rules.
//!
//! Each domain has a port of its own, because each has its own process. The processes
//! outlive Pressroom, and `up` starts those that are gone.

mod port;
mod router;

pub use port::reserve;

use super::{
    Error, LocalHosting, Result, command,
    daemon::{DaemonStatus, until},
    layout::{make_dir, read_if_there, write_atomically},
    web::{
        described::Described,
        pool::{Setting, settings},
        site::WebSite,
    },
};
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use std::{
    fs,
    net::{SocketAddr, TcpStream},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    time::Duration,
};

const START: Duration = Duration::from_secs(15);
const STOP: Duration = Duration::from_secs(5);

/// A domain's own server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PhpServer {
    /// Whom it serves.
    pub domain: String,
    /// Where it listens.
    pub addr: SocketAddr,
    /// Whether it runs.
    pub daemon: DaemonStatus,
}

/// Serves a site as described, whatever its server did before.
pub async fn serve(hosting: &LocalHosting, site: &WebSite) -> Result<()> {
    if site.tls.is_some() {
        return Err(Error::BadSite(
            "PHP's own server speaks no HTTPS, it is for development".into(),
        ));
    }
    let dir = dir(hosting, &site.domain);
    make_dir(&dir, 0o700)?;
    let addr = reserve(hosting, &site.domain)?;
    let router = router(hosting, &site.domain);
    write_atomically(&router, router::render(site)?.as_bytes(), 0o600)?;
    let args = args(hosting, site, addr);
    let text = args.join("\n");
    let remembered = dir.join("arguments");
    // The router is read anew with each request; the settings are not.
    let same = read_if_there(&remembered)?.as_deref() == Some(text.as_bytes());
    if same && answers(addr) && !processes(&router).is_empty() {
        return Ok(());
    }
    stop(hosting, &site.domain).await?;
    // Somebody else's, or kept by nobody we know.
    let addr = if answers(addr) {
        tracing::warn!(%addr, domain = site.domain, "the site's port was taken by another program, it gets another one");
        port::release(hosting, &site.domain)?;
        reserve(hosting, &site.domain)?
    } else {
        addr
    };
    let args = self::args(hosting, site, addr);
    let program = hosting.php_cli()?;
    let log = log(hosting, &site.domain);
    let workers = site.limits.max_children.clamp(2, 8).to_string();
    let env = [("PHP_CLI_SERVER_WORKERS", workers.as_str())];
    let mut child = command::spawn_daemon_with(&program, &args, &log, &env)?;
    let mut ended = None;
    let done = until(START, || {
        ended = child.try_wait().ok().flatten();
        ended.is_some() || answers(addr)
    })
    .await;
    match ended {
        Some(status) => Err(Error::Command {
            program: program.display().to_string(),
            status: status.to_string(),
            stderr: command::tail(&fs::read(&log).unwrap_or_default()),
        }),
        None if done => write_atomically(&remembered, args.join("\n").as_bytes(), 0o600),
        None => Err(Error::Deadline {
            what: format!("the answer of PHP's server for `{}`", site.domain),
            after: START,
        }),
    }
}

/// Ends a domain's server and gives its port back.
pub async fn remove(hosting: &LocalHosting, domain: &str) -> Result<()> {
    stop(hosting, domain).await?;
    port::release(hosting, domain)?;
    let dir = dir(hosting, domain);
    match fs::remove_dir_all(&dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io("remove", dir)(error))
        }
        _ => Ok(()),
    }
}

/// Starts what does not run. One that does not start keeps no other down.
pub async fn start_all(hosting: &LocalHosting, described: &[Described]) -> Result<()> {
    for described in described {
        let domain = &described.site.domain;
        if let Err(error) = serve(hosting, &described.site).await {
            tracing::error!(domain, %error, "a site's server does not start");
        }
    }
    Ok(())
}

/// Ends every server; what they serve stays known.
pub async fn stop_all(hosting: &LocalHosting) -> Result<()> {
    for described in Described::readable(hosting)? {
        stop(hosting, &described.site.domain).await?;
    }
    Ok(())
}

/// What runs.
pub fn status(hosting: &LocalHosting) -> Result<Vec<PhpServer>> {
    let mut servers = Vec::new();
    for described in Described::readable(hosting)? {
        let domain = described.site.domain;
        let addr = reserve(hosting, &domain)?;
        let pid = processes(&router(hosting, &domain))
            .first()
            .map(|pid| pid.as_raw_nonzero().get());
        servers.push(PhpServer {
            domain,
            addr,
            daemon: DaemonStatus {
                pid,
                answers: pid.is_some() && answers(addr),
            },
        });
    }
    Ok(servers)
}

/// Ends a domain's server; its port stays its own.
pub async fn stop(hosting: &LocalHosting, domain: &str) -> Result<()> {
    let router = router(hosting, domain);
    let gone = |signal| {
        let router = router.clone();
        move || {
            let left = processes(&router);
            for pid in &left {
                let _gone_meanwhile = kill_process(*pid, signal);
            }
            left.is_empty()
        }
    };
    if until(STOP, gone(Signal::TERM)).await || until(STOP, gone(Signal::KILL)).await {
        return Ok(());
    }
    Err(Error::Deadline {
        what: format!("the end of PHP's server for `{domain}`"),
        after: STOP,
    })
}

/// Processes whose command line names this router, the oldest first.
fn processes(router: &Path) -> Vec<Pid> {
    let wanted = router.as_os_str().as_bytes();
    let mut found: Vec<Pid> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let line = fs::read(entry.path().join("cmdline")).ok()?;
            line.split(|byte| *byte == 0)
                .any(|word| word == wanted)
                .then(|| Pid::from_raw(pid))?
        })
        .collect();
    found.sort_by_key(|pid| pid.as_raw_nonzero());
    found
}

fn args(hosting: &LocalHosting, site: &WebSite, addr: SocketAddr) -> Vec<String> {
    let mut args = Vec::new();
    let own = dir(hosting, &site.domain);
    for Setting { name, value, .. } in settings(site) {
        // The router is a script too.
        let value = match name {
            "open_basedir" => format!("{value}:{}/", own.display()),
            _ => value,
        };
        args.extend(["-d".to_owned(), format!("{name}={value}")]);
    }
    args.extend(["-d", "expose_php=0", "-d", "ffi.enable=0"].map(str::to_owned));
    args.extend([
        "-S".to_owned(),
        addr.to_string(),
        "-t".to_owned(),
        // Nothing is served from there: the router answers every request.
        own.display().to_string(),
        router(hosting, &site.domain).display().to_string(),
    ]);
    args
}

fn dir(hosting: &LocalHosting, domain: &str) -> PathBuf {
    hosting.layout().php().join("sites").join(domain)
}

/// What a domain's server prints.
pub fn log(hosting: &LocalHosting, domain: &str) -> PathBuf {
    dir(hosting, domain).join("server.log")
}

fn router(hosting: &LocalHosting, domain: &str) -> PathBuf {
    dir(hosting, domain).join("router.php")
}

fn answers(addr: SocketAddr) -> bool {
    TcpStream::connect_timeout(&addr, Duration::from_secs(1)).is_ok()
}
