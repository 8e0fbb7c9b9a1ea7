//! The private stack as a whole: up, down, and what of it runs.

use super::{
    Error, Isolation, LocalHosting, Result,
    daemon::DaemonStatus,
    init::Init,
    layout::{check_traversable, make_dir},
    php_server::{self, PhpServer},
    stack::{Fpm, Mariadb, Nginx, Serving},
    unix_user::web_account,
    web,
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
