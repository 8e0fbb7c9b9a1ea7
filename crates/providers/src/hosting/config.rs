//! What an operator may choose about hosting on this machine.

use ipnet::IpNet;
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

/// Which programs serve the sites.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WebChoice {
    /// nginx and php-fpm; PHP's own server where they are not installed and we are
    /// not root.
    #[default]
    Auto,
    /// nginx and php-fpm, or nothing.
    Stack,
    /// PHP's own server, one per domain. For development, never as root.
    Php,
}

/// Who starts the daemons and starts them again when they die.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InitChoice {
    /// systemd where it is process 1 and we are root, else ourselves.
    #[default]
    Auto,
    /// Ourselves.
    Direct,
    /// systemd. Needs root.
    Systemd,
}

/// Domains that one machine carries unless the operator says otherwise; where the
/// number comes from is in `docs/operating.md`.
pub const MAX_DOMAINS: usize = 1000;

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
    /// `systemctl`.
    pub systemctl: Option<PathBuf>,
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
    /// Where nginx listens for HTTPS. `None`: no site can have a certificate.
    pub https_addr: Option<SocketAddr>,
    /// Proxies before nginx. Of them, and of nobody else, `X-Forwarded-For` is
    /// believed, so that limits count visitors and not the proxy. What
    /// `X-Forwarded-Proto` says is believed of them and of this machine.
    pub trusted_proxies: Vec<IpNet>,
    /// Which programs serve the sites.
    pub web: WebChoice,
    /// Who starts the daemons.
    pub init: InitChoice,
    /// Where units for systemd are written.
    pub unit_dir: PathBuf,
    /// How many domains are served at most.
    pub max_domains: usize,
    /// PHP processes over all pools together.
    pub max_php_processes: u32,
    /// A log longer than this many bytes is set aside by
    /// [`LocalHosting::rotate_logs`](super::LocalHosting::rotate_logs).
    pub log_bytes: u64,
    /// How many logs set aside are kept of each.
    pub log_keep: u32,
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
            https_addr: None,
            trusted_proxies: Vec::new(),
            web: WebChoice::default(),
            init: InitChoice::default(),
            unit_dir: PathBuf::from("/etc/systemd/system"),
            max_domains: MAX_DOMAINS,
            max_php_processes: 200,
            log_bytes: 16 << 20,
            log_keep: 4,
        }
    }
}
