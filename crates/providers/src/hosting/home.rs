//! A domain's home: made, given to its user, and taken away when empty. What is
//! inside is the agent's business; no path below a home is opened here.

use super::{Error, Isolation, LocalHosting, Result, SiteUser, layout, names, unix_user};
use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, lchown},
    path::{Path, PathBuf},
};

/// The user does everything, the web server passes, others see nothing.
pub(super) const MODE: u32 = 0o710;

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
                    let web = unix_user::web_account()?;
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
        self.refuse_released(
            "directory",
            |described, _| described.site.home == home,
            home.display().to_string(),
        )?;
        match fs::remove_dir(home) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                Err(Error::NotEmpty(home.to_path_buf()))
            }
            Err(error) => Err(Error::io("remove", home)(error)),
        }
    }

    /// Moves a home to another place of the same file system and tells the system's
    /// list of users; false when that was done before. Nothing is ever replaced. Stop
    /// serving the domain first: processes of its user are ended, and a page asked for
    /// in between would not be found.
    pub async fn rename_home(
        &self,
        from: &Path,
        to: &Path,
        user: Option<&SiteUser>,
    ) -> Result<bool> {
        names::absolute_path(from)?;
        names::absolute_path(to)?;
        self.refuse_released(
            "directory",
            |described, _| described.site.home == from,
            from.display().to_string(),
        )?;
        let sites_dir = &self.config().sites_dir;
        if to.parent() == Some(sites_dir) && !sites_dir.exists() {
            layout::make_dir(sites_dir, self.sites_dir_mode())?;
        }
        if let (Some(_), Some(parent)) = (user, to.parent()) {
            layout::check_traversable(parent)?;
        }
        let owner = user.map_or_else(|| rustix::process::geteuid().as_raw(), |user| user.uid);
        let moved = if is_home_of(from, owner)? {
            rename_new(from, to)?;
            true
        } else if is_home_of(to, owner)? {
            false
        } else {
            return Err(Error::NotOurs {
                what: "directory",
                name: from.display().to_string(),
            });
        };
        if let Some(user) = user
            && let Err(error) = self.set_user_home(&user.name, to).await
        {
            if moved {
                rename_new(to, from)?;
            }
            return Err(error);
        }
        Ok(moved)
    }

    pub(super) fn sites_dir_mode(&self) -> u32 {
        match self.config().isolation {
            Isolation::UnixUsers => 0o711,
            Isolation::None => 0o700,
        }
    }
}

/// Whether a directory, and not a link to one, is there and belongs to `owner`.
fn is_home_of(path: &Path, owner: u32) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(data) => Ok(data.is_dir() && data.uid() == owner),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io("look at", path)(error)),
    }
}

fn rename_new(from: &Path, to: &Path) -> Result<()> {
    use rustix::{
        fs::{CWD, RenameFlags, renameat_with},
        io::Errno,
    };
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        Err(Errno::EXIST) => Err(Error::Occupied {
            what: "directory",
            name: to.display().to_string(),
        }),
        Err(Errno::XDEV) => Err(Error::OtherFileSystem {
            from: from.to_path_buf(),
            to: to.to_path_buf(),
        }),
        Err(error) => Err(Error::io("rename", from)(error.into())),
    }
}
