//! The private stack: MariaDB, php-fpm and nginx, started when they do not run.

mod fpm;
mod mariadb;
mod nginx;

pub(super) use fpm::{Fpm, PoolFile};
pub(super) use mariadb::{ADMIN, Mariadb};
pub(super) use nginx::{Nginx, SiteFile, remembered_address};

use super::{
    Error, Isolation, LocalHosting, Result, SiteUser,
    daemon::Daemon,
    layout::{check_traversable, make_dir},
    unix_user,
};
use serde::Serialize;
use std::{fs, net::SocketAddr};

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
}

impl StackStatus {
    /// Whether every daemon runs and answers.
    pub fn is_up(&self) -> bool {
        [&self.mariadb, &self.php_fpm, &self.nginx]
            .iter()
            .all(|daemon| daemon.answers)
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
        programs.find_php_fpm()?;
        programs.find_nginx()?;
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
        Fpm::of(self).start().await?;
        Nginx::of(self).start().await?;
        Ok(self.status().await)
    }

    /// Stops every daemon of the stack, the web server first. Data stays.
    pub async fn down(&self) -> Result<()> {
        if !self.layout().dir.exists() {
            return Ok(());
        }
        let _turn = self.turn().await?;
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
        self.down().await?;
        let dir = &self.layout().dir;
        if dir.exists() {
            self.layout().remove_run()?;
            fs::remove_dir_all(dir).map_err(Error::io("remove", dir))?;
        }
        Ok(())
    }

    /// What runs now.
    pub async fn status(&self) -> StackStatus {
        StackStatus {
            mariadb: Mariadb::of(self).status().await,
            php_fpm: Fpm::of(self).status(),
            nginx: Nginx::of(self).status(),
            http_addr: self.http_addr().ok(),
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

fn describe(daemon: Option<Daemon>, answers: bool) -> DaemonStatus {
    DaemonStatus {
        pid: daemon.map(Daemon::pid),
        answers: daemon.is_some() && answers,
    }
}
