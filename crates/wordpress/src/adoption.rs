//! Whether a WordPress that was there before Pressroom can be worked on.

use crate::{Error, Result, home::Home, watch::Watch};
use std::{fs, io, os::unix::fs::MetadataExt};

/// Refuses a site that could not be changed and taken back: its directory must be its
/// user's own and on the same disk as the home, in which that user can write. Makes
/// the directory in the home where Pressroom remembers what it does there; nothing of
/// the site is touched.
pub fn check(home: &Home, root: &str, watch: &Watch) -> Result<()> {
    watch.check()?;
    let path = home.resolve(root)?;
    let site = fs::symlink_metadata(&path).map_err(|why| match why.kind() {
        io::ErrorKind::NotFound => Error::Missing(path.display().to_string()),
        _ => Error::io("look at", &path, why),
    })?;
    if !site.is_dir() {
        return Err(Error::BadPath(path.display().to_string()));
    }
    let we = rustix::process::geteuid().as_raw();
    if site.uid() != we {
        return Err(Error::BadInput(format!(
            "`{}` belongs to the user with the id {}, and not to the one with the id {we} who \
             works here",
            path.display(),
            site.uid()
        )));
    }
    let above = home.path();
    let unwritable = || {
        Error::BadInput(format!(
            "the site's user cannot write to `{}`, the directory above WordPress: a new version \
             is laid out and exchanged there, where no visitor reaches it",
            above.display()
        ))
    };
    home.state_dir().map_err(|error| match &error {
        Error::Io { source, .. }
            if matches!(
                source.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
            ) =>
        {
            unwritable()
        }
        _ => error,
    })?;
    // The directory may be there from better days.
    if rustix::fs::access(
        above,
        rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK,
    )
    .is_err()
    {
        return Err(unwritable());
    }
    let below = fs::metadata(above).map_err(|why| Error::io("look at", above, why))?;
    if below.dev() != site.dev() {
        return Err(Error::BadInput(format!(
            "`{}` is a disk of its own: what is laid out beside it could not be exchanged with it \
             in one step",
            path.display()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        os::unix::fs::{PermissionsExt, symlink},
        path::Path,
    };

    fn allow(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_could_not_be_exchanged_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        let watch = Watch::unbounded();
        assert!(matches!(
            check(&home, "www", &watch),
            Err(Error::Missing(_))
        ));
        fs::create_dir(dir.path().join("www")).unwrap();
        symlink("www", dir.path().join("link")).unwrap();
        assert!(matches!(
            check(&home, "link", &watch),
            Err(Error::BadPath(_))
        ));
        assert!(matches!(
            check(&home, "/proc", &watch),
            Err(Error::BadPath(_))
        ));
        check(&home, "www", &watch).unwrap();
        assert!(dir.path().join(".pressroom").is_dir());

        // Root may write anywhere, and is no site's user.
        if !rustix::process::geteuid().is_root() {
            allow(dir.path(), 0o500);
            let said = check(&home, "www", &watch).unwrap_err().to_string();
            allow(dir.path(), 0o700);
            assert!(said.contains("cannot write"), "{said}");
        }
        if rustix::process::geteuid().is_root() {
            rustix::fs::chown(
                dir.path().join("www"),
                Some(rustix::fs::Uid::from_raw(65534)),
                None,
            )
            .unwrap();
            let said = check(&home, "www", &watch).unwrap_err().to_string();
            assert!(said.contains("belongs to the user"), "{said}");
        }
    }
}
