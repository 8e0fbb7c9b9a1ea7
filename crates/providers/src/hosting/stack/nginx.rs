//! The private nginx: one server block per domain, and a control socket that tells
//! which of them are live.
//!
//! The control socket lies in a directory that only we may enter. For each domain it
//! answers the hash of its server block, so that a reload is known to have happened
//! instead of guessed.

use super::{
    DaemonStatus, describe,
    fpm::{conf_names, put},
    web_account,
};
use crate::hosting::{
    Error, Isolation, LocalHosting, Result, command,
    daemon::{Daemon, answers, end_orphans, until},
    layout::{make_dir, read_if_there, remove_if_there, write_atomically},
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
        describe(self.find(), answers)
    }

    pub async fn start(&self) -> Result<()> {
        let layout = self.hosting.layout();
        make_dir(&layout.nginx().join("tmp"), 0o711)?;
        let configured = self.hosting.config().http_addr;
        let remembered = remembered(self.hosting)
            .ok()
            .filter(|known| known.configured == configured);
        if let (Some(daemon), Some(known)) = (self.find(), &remembered) {
            if self.write_conf(known.actual)? {
                self.check().await?;
                daemon.signal(Signal::HUP)?;
            }
            return self.wait_for_control().await;
        }
        // What listens somewhere else than is wanted now, and workers without a master.
        self.stop().await?;
        let mut candidates: Vec<SocketAddr> = remembered.iter().map(|known| known.actual).collect();
        candidates.push(configured);
        candidates.extend([SocketAddr::new(configured.ip(), 0); 3]);
        let mut taken = None;
        for candidate in candidates {
            let Ok(actual) = TcpListener::bind(candidate).and_then(|free| free.local_addr()) else {
                continue;
            };
            self.write_conf(actual)?;
            remember(self.hosting, &Remembered { configured, actual })?;
            self.check().await?;
            // nginx refuses a socket file that a killed predecessor left behind.
            remove_if_there(&layout.control_socket()?)?;
            let program = self.hosting.config().programs.find_nginx()?;
            match command::run(&program, self.args(), LIMIT).await? {
                finished if finished.status.success() => return self.wait_for_control().await,
                // Somebody took the port between our look and nginx'.
                finished if finished.output.contains("ddress already in use") => {
                    taken = Some(finished.into_error(&program));
                }
                finished => return Err(finished.into_error(&program)),
            }
        }
        Err(taken.unwrap_or_else(|| Error::Occupied {
            what: "address",
            name: configured.to_string(),
        }))
    }

    pub async fn stop(&self) -> Result<()> {
        let layout = self.hosting.layout();
        if let Some(daemon) = self.find() {
            daemon
                .stop(&layout.nginx_conf(), Signal::TERM, LIMIT)
                .await?;
        }
        end_orphans(&layout.nginx_pid(), NAME).await
    }

    /// Puts one server block in place and waits until it is live; on failure the
    /// previous one is back.
    pub async fn change(&self, site: &SiteFile<'_>) -> Result<()> {
        let path = self.hosting.layout().site(site.domain);
        let before = read_if_there(&path)?;
        put(&path, site.content.as_ref().map(String::as_bytes))?;
        let loaded = self.load(site).await;
        if loaded.is_err() {
            put(&path, before.as_deref())?;
            // If nginx took the new file before we gave up, it must let go of it.
            if let (Some(daemon), Ok(())) = (self.find(), self.check().await) {
                daemon.signal(Signal::HUP)?;
            }
        }
        loaded
    }

    /// What `nginx -t` says of the files on disk.
    pub async fn check(&self) -> Result<()> {
        let program = self.hosting.config().programs.find_nginx()?;
        let mut args = self.args();
        args.extend(["-t".into(), "-q".into()]);
        let finished = command::run(&program, args, LIMIT).await?;
        if finished.status.success() {
            return Ok(());
        }
        Err(Error::Refused {
            daemon: "nginx",
            message: finished.output,
        })
    }

    /// Domains that have a server block on disk.
    pub fn domains(&self) -> Result<Vec<String>> {
        conf_names(&self.hosting.layout().sites())
    }

    async fn load(&self, site: &SiteFile<'_>) -> Result<()> {
        let layout = self.hosting.layout();
        let Some(daemon) = self.find() else {
            return Err(Error::Down {
                daemon: "nginx",
                log: layout.nginx_log(),
                source: None,
            });
        };
        if self.is_live(site) {
            return Ok(());
        }
        self.check().await?;
        daemon.signal(Signal::HUP)?;
        if until(LIMIT, || self.is_live(site)).await {
            return Ok(());
        }
        Err(Error::Deadline {
            what: format!("nginx' answer for `{}`", site.domain),
            after: LIMIT,
        })
    }

    fn is_live(&self, site: &SiteFile<'_>) -> bool {
        let Ok(socket) = self.hosting.layout().control_socket() else {
            return false;
        };
        (0..STEADY).all(|_| ask(&socket, site.domain).is_ok_and(|hash| hash == site.hash))
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
    fn write_conf(&self, addr: SocketAddr) -> Result<bool> {
        let layout = self.hosting.layout();
        let user = match self.hosting.config().isolation {
            Isolation::UnixUsers => format!("user {};\n", web_account()?.name),
            Isolation::None => String::new(),
        };
        let text = format!(
            "{user}worker_processes auto;\n\
             pid {pid};\n\
             error_log {log} error;\n\
             events {{ worker_connections 1024; }}\n\
             http {{\n\
             {TYPES}\n\
             default_type application/octet-stream;\n\
             access_log off;\n\
             server_tokens off;\n\
             sendfile on;\n\
             tcp_nopush on;\n\
             keepalive_timeout 30s;\n\
             client_max_body_size 64m;\n\
             server_names_hash_bucket_size 256;\n\
             server_names_hash_max_size 8192;\n\
             client_body_temp_path {tmp}/body;\n\
             proxy_temp_path {tmp}/proxy;\n\
             fastcgi_temp_path {tmp}/fastcgi;\n\
             uwsgi_temp_path {tmp}/uwsgi;\n\
             scgi_temp_path {tmp}/scgi;\n\
             server {{ listen {addr} default_server; server_name _; return 404; }}\n\
             server {{ listen unix:{control} default_server; default_type text/plain; return 200 {ABSENT}; }}\n\
             include {sites}/*.conf;\n\
             }}\n",
            pid = layout.nginx_pid().display(),
            log = layout.nginx_log().display(),
            tmp = layout.nginx().join("tmp").display(),
            control = layout.control_socket()?.display(),
            sites = layout.sites().display(),
        );
        if read_if_there(&layout.nginx_conf())?.as_deref() == Some(text.as_bytes()) {
            return Ok(false);
        }
        write_atomically(&layout.nginx_conf(), text.as_bytes(), 0o600)?;
        Ok(true)
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

/// What WordPress sites serve as files. Our own list: the system's may be absent.
const TYPES: &str = "types {
text/html html htm;
text/css css;
text/xml xml;
text/plain txt;
text/javascript js mjs;
text/calendar ics;
text/csv csv;
application/json json map;
application/manifest+json webmanifest;
application/pdf pdf;
application/rss+xml rss;
application/atom+xml atom;
application/wasm wasm;
application/zip zip;
image/gif gif;
image/jpeg jpeg jpg;
image/png png;
image/webp webp;
image/avif avif;
image/svg+xml svg svgz;
image/x-icon ico;
font/woff woff;
font/woff2 woff2;
font/ttf ttf;
font/otf otf;
application/vnd.ms-fontobject eot;
audio/mpeg mp3;
audio/ogg ogg;
audio/wav wav;
video/mp4 mp4 m4v;
video/webm webm;
video/quicktime mov;
}";
