//! The daemons of the private stack: MariaDB, php-fpm and nginx.

mod fpm;
mod mariadb;
mod nginx;
mod serving;

pub(super) use fpm::{Fpm, PoolFile};
pub(super) use mariadb::Mariadb;
pub(super) use nginx::{Nginx, SiteFile, remembered_address};
pub use serving::Serving;

use super::{Error, LocalHosting};
use std::path::Path;

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
