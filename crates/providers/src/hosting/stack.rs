//! The private stack: MariaDB, php-fpm and nginx, started when they do not run.

mod fpm;
mod mariadb;
mod nginx;
mod serving;

pub(super) use fpm::{Fpm, PoolFile};
pub(super) use mariadb::{ADMIN, Mariadb};
pub(super) use nginx::{Nginx, SiteFile, remembered_address};
pub use serving::Serving;

use super::{
    Error, Isolation, LocalHosting, Result, SiteUser,
    daemon::Daemon,
    init::Init,
    layout::{check_traversable, make_dir},
    php_server::{self, PhpServer},
    unix_user, web,
};
use serde::Serialize;
use std::{fs, net::SocketAddr, path::Path};

/// What runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StackStatus {
    /// The database server.
    pub mariadb: DaemonStatus,
    /// The PHP process manager.
    pub php_fpm: DaemonStatus,
    /// The web server.
    pub nginx: DaemonStatus,
    /// Where nginx listens, once it has been started.
    pub http_addr: Option<SocketAddr>,
    /// Which programs serve the sites.
    pub serving: Serving,
    /// In development mode, each domain's own server.
    pub php_servers: Vec<PhpServer>,
}

impl StackStatus {
    /// Whether every daemon runs and answers.
    pub fn is_up(&self) -> bool {
        let web = match self.serving {
            Serving::Stack => self.php_fpm.answers && self.nginx.answers,
            Serving::Php => self.php_servers.iter().all(|server| server.daemon.answers),
        };
        self.mariadb.answers && web
    }
}

/// The state of one daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DaemonStatus {
    /// Process number, when it runs.
    pub pid: Option<i32>,
    /// Whether it answers on its socket.
    pub answers: bool,
}

impl LocalHosting {
    /// Starts what does not run. Harmless when everything runs; the daemons survive
    /// this process.
    pub async fn up(&self) -> Result<StackStatus> {
        let programs = &self.config().programs;
        // All that is missing is told before anything is made.
        programs.find_mariadbd()?;
        programs.find_mariadb_install_db()?;
        let serving = self.serving()?;
        if serving == Serving::Stack {
            programs.find_php_fpm()?;
            programs.find_nginx()?;
        }
        programs.find_php()?;
        let isolation = self.config().isolation;
        if isolation != Isolation::detect() {
            return Err(Error::Isolation);
        }
        if isolation == Isolation::UnixUsers {
            web_account()?;
        }
        make_dir(
            &self.layout().dir,
            if isolation == Isolation::UnixUsers {
                0o711
            } else {
                0o700
            },
        )?;
        let _turn = self.turn().await?;
        self.layout().make(isolation)?;
        if !self.config().sites_dir.exists() {
            make_dir(&self.config().sites_dir, self.sites_dir_mode())?;
        }
        if isolation == Isolation::UnixUsers {
            check_traversable(&self.config().sites_dir)?;
        }
        self.user_comment()?;
        Mariadb::of(self).start().await?;
        if serving == Serving::Stack {
            Fpm::of(self).start().await?;
            Nginx::of(self).start().await?;
        }
        web::renew(self).await?;
        Ok(self.status().await)
    }

    /// Stops every daemon of the stack, the web server first. Data stays.
    pub async fn down(&self) -> Result<()> {
        if !self.layout().dir.exists() {
            return Ok(());
        }
        let _turn = self.turn().await?;
        php_server::stop_all(self).await?;
        Nginx::of(self).stop().await?;
        Fpm::of(self).stop().await?;
        Mariadb::of(self).stop().await
    }

    /// Stops the stack and deletes its directory: databases, configuration, logs.
    /// Unix users and homes must be gone before, they are listed in there.
    pub async fn destroy(&self) -> Result<()> {
        if let Some(user) = self.own_users()?.first() {
            return Err(Error::Occupied {
                what: "Unix user",
                name: user.name.clone(),
            });
        }
        if let Some(released) = self.released()?.first() {
            return Err(Error::Released {
                what: "domain",
                name: released.domain.clone(),
            });
        }
        self.down().await?;
        Init::of(self)?.forget(self).await?;
        let dir = &self.layout().dir;
        if dir.exists() {
            self.layout().remove_run()?;
            fs::remove_dir_all(dir).map_err(Error::io("remove", dir))?;
        }
        Ok(())
    }

    /// What runs now.
    pub async fn status(&self) -> StackStatus {
        // Without its programs the stack is what should run.
        let serving = self.serving().unwrap_or(Serving::Stack);
        let php_servers = match serving {
            Serving::Stack => Vec::new(),
            Serving::Php => php_server::status(self).unwrap_or_default(),
        };
        StackStatus {
            mariadb: Mariadb::of(self).status().await,
            php_fpm: Fpm::of(self).status(),
            nginx: Nginx::of(self).status(),
            http_addr: self.http_addr().ok(),
            serving,
            php_servers,
        }
    }
}

/// The user that nginx' workers run as when we are root.
pub(super) fn web_account() -> Result<SiteUser> {
    for name in ["www-data", "nginx", "http"] {
        if let Some(account) = unix_user::system_account(name)? {
            return Ok(account);
        }
    }
    Err(Error::Missing {
        program: "nginx (with its user `www-data`)",
        package: "nginx-light",
    })
}

/// Turns a daemon's refusal into words: whose file it is about, and whether that is
/// ours to have changed. `changing` are the domains whose files were just put there.
fn blame(
    hosting: &LocalHosting,
    daemon: &'static str,
    dir: &Path,
    changing: &[&str],
    message: String,
) -> Error {
    let Some(domain) = named_file(dir, &message) else {
        return Error::Refused { daemon, message };
    };
    let ours = changing.contains(&domain.as_str()) || hosting.layout().described(&domain).exists();
    if ours {
        return Error::Refused { daemon, message };
    }
    Error::Foreign {
        daemon,
        file: dir.join(format!("{domain}.conf")),
        message,
    }
}

/// The first `*.conf` of a directory that a text names, without the ending.
fn named_file(dir: &Path, text: &str) -> Option<String> {
    let dir = format!("{}/", dir.display());
    text.match_indices(&dir).find_map(|(at, _)| {
        let rest = &text[at + dir.len()..];
        let (name, _) = rest.split_once(".conf")?;
        (!name.is_empty() && !name.contains(['/', '\n', ' '])).then(|| name.to_owned())
    })
}

/// Files, sockets and connections that php-fpm's first process (a socket of every
/// pool) and nginx' workers may have open. More than the limit that we live under is
/// refused, in a container also to root.
pub(super) fn open_files() -> u64 {
    const WANTED: u64 = 65_536;
    let allowed = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    allowed.map_or(WANTED, |allowed| allowed.min(WANTED))
}

fn describe(daemon: Option<Daemon>, answers: bool) -> DaemonStatus {
    DaemonStatus {
        pid: daemon.map(Daemon::pid),
        answers: daemon.is_some() && answers,
    }
}
