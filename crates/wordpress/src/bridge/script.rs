//! The PHP that goes to the site.

use crate::{Error, Result, config::Directories, disk, fence, home::Home, package, watch::Watch};
use pressroom_base::Epoch;
use sha2::{Digest, Sha256};
use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::LazyLock,
};

/// Each begins with `<?php` and can be read and checked alone.
const PARTS: [&str; 18] = [
    include_str!("php/kernel.php"),
    include_str!("php/actions.php"),
    include_str!("php/boot.php"),
    include_str!("php/blame.php"),
    include_str!("php/rows.php"),
    include_str!("php/plugins.php"),
    include_str!("php/themes.php"),
    include_str!("php/upgrade.php"),
    include_str!("php/users.php"),
    include_str!("php/access.php"),
    include_str!("php/cron.php"),
    include_str!("php/rewrite.php"),
    include_str!("php/caches.php"),
    include_str!("php/options.php"),
    include_str!("php/network.php"),
    include_str!("php/security.php"),
    include_str!("php/install.php"),
    // Loads WordPress, so it comes last.
    include_str!("php/start.php"),
];

/// The parts as one file.
pub(super) static BRIDGE_PHP: LazyLock<String> = LazyLock::new(|| {
    let mut whole = String::from("<?php\n");
    for part in PARTS {
        whole.push_str(part.strip_prefix("<?php\n").unwrap_or(part));
    }
    whole
});

/// The whole program.
pub(crate) fn program() -> &'static str {
    BRIDGE_PHP.as_str()
}

pub(crate) const LOGIN_PHP: &str = include_str!("../login.php");
pub(super) const LOGIN_FILE: &str = "pressroom-login.php";

/// The script, in a file named for its content.
pub(super) fn put_script(home: &Home) -> Result<PathBuf> {
    let text = BRIDGE_PHP.as_str();
    let name = format!("bridge-{}.php", hex::encode(&Sha256::digest(text)[..8]));
    let path = home.state_dir()?.join(name);
    if !holds(&path, text)? {
        let mut aside = path.clone().into_os_string();
        aside.push(format!(".{}", super::nonce()?));
        let aside = PathBuf::from(aside);
        disk::write_aside(&aside, text.as_bytes(), 0o600)?;
        disk::put_in_place(&aside, &path)?;
    }
    Ok(path)
}

/// Makes sure that the must-use file is in place, as this release has it.
pub(super) fn put_login_file(
    home: &Home,
    epoch: Option<Epoch>,
    root: &str,
    watch: &Watch,
) -> Result<()> {
    let Some(epoch) = epoch else {
        return Err(Error::BadInput(
            "issuing a login writes to the site and needs an epoch".to_owned(),
        ));
    };
    let directories = Directories::told(home, root);
    let dir = home.resolve(directories.must_use.reachable()?)?;
    let path = dir.join(LOGIN_FILE);
    if holds(&path, LOGIN_PHP)? {
        return Ok(());
    }
    let aside = package::aside(home, epoch)?;
    disk::write_aside(&aside, LOGIN_PHP.as_bytes(), 0o644)?;
    let placed = fence::critical(home, epoch, watch, || {
        match DirBuilder::new().mode(0o755).create(&dir) {
            Err(why) if why.kind() != io::ErrorKind::AlreadyExists => {
                Err(Error::io("create", &dir, why))
            }
            _ => disk::put_in_place(&aside, &path),
        }
    });
    if placed.is_err() {
        disk::remove_file(&aside)?;
    }
    placed
}

/// Whether a regular file holds exactly this.
fn holds(path: &Path, text: &str) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => fs::read(path)
            .map(|bytes| bytes == text.as_bytes())
            .map_err(|why| Error::io("read", path, why)),
        Ok(_) => Ok(false),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(why) => Err(Error::io("look at", path, why)),
    }
}
