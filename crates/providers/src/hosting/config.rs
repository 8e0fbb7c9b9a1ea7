//! What an operator may choose about hosting on this machine.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

/// Who the sites of this machine run as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// One Unix user per domain. Needs root.
    UnixUsers,
    /// Everything runs as the user who runs Pressroom; sites can read each other.
    None,
}

impl Isolation {
    /// The strongest kind that the present user can bring about.
    pub fn detect() -> Self {
        if rustix::process::geteuid().is_root() {
            Self::UnixUsers
        } else {
            Self::None
        }
    }
}

/// Programs to use instead of those found on `PATH` and in `/usr/sbin`.
#[derive(Debug, Clone, Default)]
pub struct Programs {
    /// `php-fpm`, e.g. `/usr/sbin/php-fpm8.2`.
    pub php_fpm: Option<PathBuf>,
    /// `php`, for the bridge.
    pub php: Option<PathBuf>,
    /// `nginx`.
    pub nginx: Option<PathBuf>,
    /// `mariadbd`.
    pub mariadbd: Option<PathBuf>,
    /// `mariadb-install-db`.
    pub mariadb_install_db: Option<PathBuf>,
}

/// What an operator may choose about hosting on this machine.
#[derive(Debug, Clone)]
pub struct HostingConfig {
    /// Where the private stack keeps its data, configuration, logs and sockets.
    /// Other users must be able to pass its parents.
    pub dir: PathBuf,
    /// Where the homes of new domains are made.
    pub sites_dir: PathBuf,
    /// Where nginx listens. When the port is taken another one is chosen and
    /// remembered; `LocalHosting::http_addr` tells it.
    pub http_addr: SocketAddr,
    /// Who the sites run as.
    pub isolation: Isolation,
    /// Programs to use instead of those found.
    pub programs: Programs,
}

impl HostingConfig {
    /// The defaults: nginx on `127.0.0.1:8081`, the strongest isolation possible.
    pub fn new(dir: impl Into<PathBuf>, sites_dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            sites_dir: sites_dir.into(),
            http_addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)),
            isolation: Isolation::detect(),
            programs: Programs::default(),
        }
    }
}
