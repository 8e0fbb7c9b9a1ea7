//! This machine as a hosting provider: a private MariaDB, php-fpm and nginx, and in
//! them Unix users, homes, databases, pools and server blocks.
//!
//! Everything lives below one directory and on private sockets, so that it stands
//! beside whatever the machine already runs. The daemons outlive Pressroom.

mod command;
mod config;
mod daemon;
mod database;
mod doctor;
mod error;
mod home;
mod init;
mod layout;
mod local;
mod lock;
mod names;
mod origin;
mod owned;
mod ownership;
mod php_server;
mod programs;
mod room;
mod rotation;
mod site_user;
mod stack;
mod unix_ids;
mod unix_user;
mod up;
mod web;

pub use config::{HostingConfig, InitChoice, Isolation, MAX_DOMAINS, Programs, WebChoice};
pub use daemon::DaemonStatus;
pub use doctor::Check;
pub use error::{Error, Result};
pub use local::LocalHosting;
pub use names::DatabaseNames;
pub use origin::Origin;
pub use owned::{Grant, Inventory};
pub use php_server::PhpServer;
pub use site_user::SiteUser;
pub use stack::Serving;
pub use up::StackStatus;
pub use web::{Network, PoolLimits, Released, TlsFiles, WebSite};
