//! A domain's home: made, given to its user, and taken away when empty. What is
//! inside is the agent's business; no path below a home is opened here.

use super::{Error, Isolation, LocalHosting, Result, SiteUser, layout, names, stack};
use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, PermissionsExt, lchown},
    path::{Path, PathBuf},
};

/// The user does everything, the web server passes, others see nothing.
const MODE: u32 = 0o710;

impl LocalHosting {
    /// Where the home of a domain is by default.
    pub fn home_of(&self, domain: &str) -> Result<PathBuf> {
        Ok(self.config().sites_dir.join(names::domain(domain)?))
    }

    /// Makes the home and gives it to the user. An existing one is never adopted.
    /// The directory above must exist, unless it is the configured one.
    #[expect(
        clippy::unused_async,
        reason = "all operations of a host are awaited alike"
    )]
    pub async fn create_home(&self, home: &Path, user: Option<&SiteUser>) -> Result<()> {
        names::absolute_path(home)?;
        let sites_dir = &self.config().sites_dir;
        if home.parent() == Some(sites_dir) && !sites_dir.exists() {
            layout::make_dir(sites_dir, self.sites_dir_mode())?;
        }
        if let (Some(_), Some(parent)) = (user, home.parent()) {
            layout::check_traversable(parent)?;
        }
        fs::DirBuilder::new()
            .mode(MODE)
            .create(home)
            .map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => Error::Occupied {
                    what: "directory",
                    name: home.display().to_string(),
                },
                _ => Error::io("create", home)(error),
            })?;
        // Whatever the umask; before the directory is given away.
        let given = fs::set_permissions(home, fs::Permissions::from_mode(MODE))
            .map_err(Error::io("set the mode of", home))
            .and_then(|()| match user {
                Some(user) => {
                    let web = stack::web_account()?;
                    lchown(home, Some(user.uid), Some(web.gid))
                        .map_err(Error::io("give away", home))
                }
                None => Ok(()),
            });
        if given.is_err() {
            let _best_effort = fs::remove_dir(home);
        }
        given
    }

    /// Removes an empty home; false when there is none. What is not empty stays.
    #[expect(
        clippy::unused_async,
        reason = "all operations of a host are awaited alike"
    )]
    pub async fn remove_home(&self, home: &Path) -> Result<bool> {
        names::absolute_path(home)?;
        match fs::remove_dir(home) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                Err(Error::NotEmpty(home.to_path_buf()))
            }
            Err(error) => Err(Error::io("remove", home)(error)),
        }
    }

    pub(super) fn sites_dir_mode(&self) -> u32 {
        match self.config().isolation {
            Isolation::UnixUsers => 0o711,
            Isolation::None => 0o700,
        }
    }
}
