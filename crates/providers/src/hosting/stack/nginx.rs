//! The private nginx: one server block per domain, and a control socket that tells
//! which of them are live.
//!
//! The control socket lies in a directory that only we may enter. For each domain it
//! answers the hash of its server block, so that a reload is known to have happened
//! instead of guessed.

mod conf;

use super::blame;
use crate::hosting::{
    Error, LocalHosting, Result, command,
    daemon::{Daemon, DaemonStatus, answers, end_orphans, until},
    init::{Init, Kind, Unit},
    layout::{conf_names, make_dir, put, read_if_there, remove_if_there, write_atomically},
};
use rustix::process::Signal;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    os::unix::net::UnixStream,
    path::PathBuf,
    time::Duration,
};

/// How its processes are called.
const NAME: &str = "nginx";
const LIMIT: Duration = Duration::from_secs(30);
/// Answers in a row that must be the new one: for a moment after a reload, old and
/// new workers both accept.
const STEADY: u32 = 3;
/// Names the configuration of a domain that has none.
const ABSENT: &str = "absent";

/// A server block's new content, or its absence.
pub struct SiteFile<'a> {
    pub domain: &'a str,
    pub content: Option<String>,
    /// What the control socket answers once it is live.
    pub hash: String,
}

impl<'a> SiteFile<'a> {
    /// No server block for this domain.
    pub fn absent(domain: &'a str) -> Self {
        Self {
            domain,
            content: None,
            hash: ABSENT.into(),
        }
    }
}

/// The private nginx.
pub struct Nginx<'a> {
    hosting: &'a LocalHosting,
}

impl<'a> Nginx<'a> {
    pub fn of(hosting: &'a LocalHosting) -> Self {
        Self { hosting }
    }

    pub fn find(&self) -> Option<Daemon> {
        let layout = self.hosting.layout();
        Daemon::find(&layout.nginx_pid(), &layout.nginx_conf())
    }

    pub fn status(&self) -> DaemonStatus {
        let answers = self
            .hosting
            .layout()
            .control_socket()
            .is_ok_and(|socket| answers(&socket));
        DaemonStatus::of(self.find(), answers)
    }

    pub async fn start(&self) -> Result<()> {
        let layout = self.hosting.layout();
        make_dir(&layout.nginx().join("tmp"), 0o711)?;
        let configured = self.hosting.config().http_addr;
        let remembered = remembered(self.hosting)
            .ok()
            .filter(|known| known.configured == configured);
        if let (Some(daemon), Some(known)) = (self.find(), &remembered) {
            return self.renew_conf(daemon, known.actual).await;
        }
        // What listens somewhere else than is wanted now, and workers without a master.
        self.stop().await?;
        self.https_is_free()?;
        let mut candidates: Vec<SocketAddr> = remembered.iter().map(|known| known.actual).collect();
        candidates.push(configured);
        candidates.extend([SocketAddr::new(configured.ip(), 0); 3]);
        let init = Init::of(self.hosting)?;
        let program = self.hosting.config().programs.find_nginx()?;
        let mut taken = None;
        for candidate in candidates {
            let Ok(actual) = TcpListener::bind(candidate).and_then(|free| free.local_addr()) else {
                continue;
            };
            self.write_conf(actual)?;
            remember(self.hosting, &Remembered { configured, actual })?;
            self.check(&[]).await?;
            // nginx refuses a socket file that a killed predecessor left behind.
            remove_if_there(&layout.control_socket()?)?;
            match init.start(self.hosting, &self.unit(&program)).await {
                Ok(_) => return self.wait_for_main(actual).await,
                // Somebody took the port between our look and nginx'.
                Err(error) if self.says_taken(&error) => taken = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(taken.unwrap_or_else(|| Error::Occupied {
            what: "address",
            name: configured.to_string(),
        }))
    }

    /// How nginx is started.
    pub fn unit(&self, program: &std::path::Path) -> Unit {
        let layout = self.hosting.layout();
        Unit {
            daemon: "nginx",
            program: program.to_path_buf(),
            args: self.args(),
            kind: Kind::Forking,
            pid_file: layout.nginx_pid(),
            account: None,
            log: layout.logs().join("nginx-start.log"),
        }
    }

    /// Gives a running nginx the main file of this version and configuration.
    async fn renew_conf(&self, daemon: Daemon, http: SocketAddr) -> Result<()> {
        let path = self.hosting.layout().nginx_conf();
        let before = read_if_there(&path)?;
        if !self.write_conf(http)? {
            return self.wait_for_control().await;
        }
        let before_text = String::from_utf8_lossy(before.as_deref().unwrap_or_default());
        let new_https = self
            .hosting
            .config()
            .https_addr
            .filter(|https| !before_text.contains(&format!("listen {https} ssl")));
        let checked = match new_https.map(|_| self.https_is_free()) {
            Some(Err(error)) => Err(error),
            _ => self.check(&[]).await,
        };
        if let Err(error) = checked {
            // What runs goes on as it is.
            put(&path, before.as_deref())?;
            return Err(error);
        }
        daemon.signal(Signal::HUP)?;
        self.wait_for_main(http).await
    }

    fn https_is_free(&self) -> Result<()> {
        match self.hosting.config().https_addr {
            Some(https) if TcpListener::bind(https).is_err() => Err(Error::Occupied {
                what: "address",
                name: https.to_string(),
            }),
            _ => Ok(()),
        }
    }

    fn says_taken(&self, error: &Error) -> bool {
        let log = read_if_there(&self.hosting.layout().nginx_log())
            .ok()
            .flatten()
            .unwrap_or_default();
        error.to_string().contains("ddress already in use")
            || command::tail(&log).contains("ddress already in use")
    }

    pub async fn stop(&self) -> Result<()> {
        let layout = self.hosting.layout();
        Init::of(self.hosting)?.stop(self.hosting, "nginx").await?;
        if let Some(daemon) = self.find() {
            daemon
                .stop(&layout.nginx_conf(), Signal::TERM, LIMIT)
                .await?;
        }
        end_orphans(&layout.nginx_pid(), NAME).await
    }

    /// Puts server blocks in place and waits until they are live; on failure the
    /// previous ones are back.
    pub async fn change(&self, sites: &[SiteFile<'_>]) -> Result<()> {
        let layout = self.hosting.layout();
        let mut before = Vec::new();
        for site in sites {
            before.push(read_if_there(&layout.site(site.domain))?);
        }
        let mut changed = Ok(());
        for site in sites {
            changed = changed.and_then(|()| {
                put(
                    &layout.site(site.domain),
                    site.content.as_ref().map(String::as_bytes),
                )
            });
        }
        let edited: Vec<_> = sites
            .iter()
            .zip(&before)
            .filter(|(site, before)| self.is_edited(site, before.as_deref()))
            .map(|(site, _)| site)
            .collect();
        let loaded = match changed {
            Ok(()) if edited.is_empty() => self.load(sites).await,
            Ok(()) => self.load_over_edited(sites, &edited).await,
            Err(error) => Err(error),
        };
        if loaded.is_err() {
            for (site, before) in sites.iter().zip(before) {
                put(&layout.site(site.domain), before.as_deref())?;
            }
            // If nginx took the new files before we gave up, it must let go of them.
            if let (Some(daemon), Ok(())) = (self.find(), self.check(&[]).await) {
                daemon.signal(Signal::HUP)?;
            }
        }
        loaded
    }

    /// Whether somebody changed a block of ours by hand: it announces what it should
    /// be, and is not.
    fn is_edited(&self, site: &SiteFile<'_>, before: Option<&[u8]>) -> bool {
        let new = site.content.as_ref().map(String::as_bytes);
        before.is_some() && new.is_some() && before != new && self.is_live(site)
    }

    /// What announces itself like its successor cannot be told from it: it is replaced
    /// by one with another announcement first.
    async fn load_over_edited(
        &self,
        sites: &[SiteFile<'_>],
        edited: &[&SiteFile<'_>],
    ) -> Result<()> {
        let between: Vec<_> = edited
            .iter()
            .map(|site| {
                let hash = format!("over-{}", site.hash);
                SiteFile {
                    domain: site.domain,
                    content: site
                        .content
                        .as_ref()
                        .map(|text| text.replace(&site.hash, &hash)),
                    hash,
                }
            })
            .collect();
        let place = |site: &SiteFile<'_>| {
            let content = site.content.as_ref().map(String::as_bytes);
            put(&self.hosting.layout().site(site.domain), content)
        };
        between.iter().try_for_each(place)?;
        self.load(&between).await?;
        edited.iter().try_for_each(|site| place(site))?;
        self.load(sites).await
    }

    /// Opens the logs again, after they were set aside.
    pub fn reopen_logs(&self) -> Result<()> {
        match self.find() {
            Some(daemon) => daemon.signal(Signal::USR1),
            None => Ok(()),
        }
    }

    /// What `nginx -t` says of the files on disk, of which those of `changing` are
    /// being put there now.
    pub async fn check(&self, changing: &[&str]) -> Result<()> {
        let program = self.hosting.config().programs.find_nginx()?;
        let mut args = self.args();
        args.extend(["-t".into(), "-q".into()]);
        let finished = command::run(&program, args, LIMIT).await?;
        if finished.status.success() {
            return Ok(());
        }
        let sites = self.hosting.layout().sites();
        Err(blame(
            self.hosting,
            "nginx",
            &sites,
            changing,
            finished.output,
        ))
    }

    /// Domains that have a server block on disk.
    pub fn domains(&self) -> Result<Vec<String>> {
        conf_names(&self.hosting.layout().sites())
    }

    async fn load(&self, sites: &[SiteFile<'_>]) -> Result<()> {
        let layout = self.hosting.layout();
        let Some(daemon) = self.find() else {
            return Err(Error::Down {
                daemon: "nginx",
                log: layout.nginx_log(),
                source: None,
            });
        };
        if sites.iter().all(|site| self.is_live(site)) {
            return Ok(());
        }
        let domains: Vec<&str> = sites.iter().map(|site| site.domain).collect();
        self.check(&domains).await?;
        daemon.signal(Signal::HUP)?;
        // Once live, a block stays so: each is asked only until it is.
        let mut waiting: Vec<_> = sites.iter().collect();
        let live = until(LIMIT, || {
            while waiting.last().is_some_and(|site| self.is_live(site)) {
                waiting.pop();
            }
            waiting.is_empty()
        })
        .await;
        if live {
            return Ok(());
        }
        Err(Error::Deadline {
            what: format!("nginx' answer for `{}`", domains.join("`, `")),
            after: LIMIT,
        })
    }

    fn is_live(&self, site: &SiteFile<'_>) -> bool {
        self.announces(site.domain, &site.hash)
    }

    fn announces(&self, name: &str, hash: &str) -> bool {
        let Ok(socket) = self.hosting.layout().control_socket() else {
            return false;
        };
        (0..STEADY).all(|_| ask(&socket, name).is_ok_and(|live| live == hash))
    }

    /// Waits until the main file is the one in use.
    async fn wait_for_main(&self, http: SocketAddr) -> Result<()> {
        let (_, hash) = self.render_conf(http)?;
        let live = || self.announces(conf::MAIN, &hash) && self.find().is_some();
        if until(LIMIT, live).await {
            return Ok(());
        }
        Err(Error::Deadline {
            what: "nginx' answer".into(),
            after: LIMIT,
        })
    }

    async fn wait_for_control(&self) -> Result<()> {
        let socket = self.hosting.layout().control_socket()?;
        if until(LIMIT, || answers(&socket) && self.find().is_some()).await {
            return Ok(());
        }
        Err(Error::Deadline {
            what: "nginx' answer".into(),
            after: LIMIT,
        })
    }

    fn args(&self) -> Vec<String> {
        let layout = self.hosting.layout();
        vec![
            "-c".into(),
            layout.nginx_conf().display().to_string(),
            "-p".into(),
            layout.nginx().display().to_string(),
            "-e".into(),
            layout.nginx_log().display().to_string(),
        ]
    }

    /// Writes the main file; tells whether it changed.
    fn write_conf(&self, http: SocketAddr) -> Result<bool> {
        let layout = self.hosting.layout();
        let (text, _) = self.render_conf(http)?;
        if read_if_there(&layout.nginx_conf())?.as_deref() == Some(text.as_bytes()) {
            return Ok(false);
        }
        write_atomically(&layout.nginx_conf(), text.as_bytes(), 0o600)?;
        Ok(true)
    }

    fn render_conf(&self, http: SocketAddr) -> Result<(String, String)> {
        let config = self.hosting.config();
        let listen = conf::Listen {
            http,
            https: config.https_addr,
        };
        conf::render(config, self.hosting.layout(), listen)
    }
}

/// The address that was asked for, and the one that was free.
#[derive(serde::Serialize, serde::Deserialize)]
struct Remembered {
    configured: SocketAddr,
    actual: SocketAddr,
}

/// The address that nginx got.
pub fn remembered_address(hosting: &LocalHosting) -> Result<SocketAddr> {
    remembered(hosting).map(|known| known.actual)
}

fn remembered(hosting: &LocalHosting) -> Result<Remembered> {
    let path = hosting.layout().http_addr();
    let bytes = read_if_there(&path)?.unwrap_or_default();
    serde_json::from_slice(&bytes).map_err(|_| Error::Down {
        daemon: "nginx",
        log: hosting.layout().nginx_log(),
        source: None,
    })
}

fn remember(hosting: &LocalHosting, known: &Remembered) -> Result<()> {
    let path: PathBuf = hosting.layout().http_addr();
    let text = serde_json::to_vec(known).unwrap_or_default();
    write_atomically(&path, &text, 0o644)
}

/// Asks the control socket for the hash of a domain's server block.
fn ask(socket: &std::path::Path, domain: &str) -> std::io::Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(format!("GET / HTTP/1.0\r\nHost: {domain}\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.take(4096).read_to_string(&mut answer)?;
    Ok(answer
        .rsplit("\r\n\r\n")
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned())
}
