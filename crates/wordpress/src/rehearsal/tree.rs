//! The files of a clone: shared with the site by reflink where the file system can,
//! otherwise copied.

use crate::{
    Error, Result,
    archive::{
        excludes::Excludes,
        manifest::Why,
        names::{self, Rules},
        walk::{self, Item, Kind, Walk},
    },
    watch::Watch,
};
use rustix::{
    fs::{AtFlags, Mode, OFlags, Timespec, Timestamps},
    io::Errno,
};
use std::{
    ffi::OsStr,
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::{
        fd::OwnedFd,
        unix::{
            ffi::{OsStrExt, OsStringExt},
            fs::{DirBuilderExt, OpenOptionsExt},
        },
    },
    path::{Path, PathBuf},
};

/// Without reflink, only what pages are made of is copied from the uploads, up to this many
/// bytes each.
const SMALL: u64 = 2 * 1024 * 1024;
const GENERATED: [&str; 14] = [
    "css", "js", "json", "map", "html", "htm", "xml", "txt", "svg", "php", "woff", "woff2", "ttf",
    "htaccess",
];
/// So many names are told of what was left out.
const MOST: usize = 100;

/// What to copy.
pub(super) struct Plan<'a> {
    /// The live WordPress, absolute and without links on the way.
    pub from: &'a Path,
    /// The same relative to the home.
    pub root: &'a str,
    /// Where to; an empty directory that nobody else knows.
    pub to: &'a Path,
    /// The directory of uploads, relative to WordPress.
    pub uploads: Option<&'a str>,
    /// Files that would do something else in a clone, relative to WordPress.
    pub without: &'a [String],
    /// Patterns of somebody's own.
    pub exclude: &'a [String],
    pub watch: &'a Watch,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub files: u64,
    pub bytes_copied: u64,
    pub bytes_shared: u64,
    pub read_through: u64,
    pub dropped: Vec<String>,
}

/// Whether the file system can share the bytes of files with a clone at `to`.
pub(super) fn can_share(from: &Path, to: &Path) -> bool {
    let probe = to.join("reflink");
    let shared = File::open(from).and_then(|source| {
        let target = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&probe)?;
        rustix::fs::ioctl_ficlone(&target, &source).map_err(io::Error::from)
    });
    // Nothing was put there if it could not be.
    let _ = fs::remove_file(&probe);
    shared.is_ok()
}

/// How many bytes would be copied without reflink.
pub(super) fn measure(plan: &Plan<'_>) -> Result<u64> {
    let mut bytes = 0_u64;
    Copier::run(plan, false, &mut |copier, path, item| {
        if let Kind::File { dir, name } = &item.kind
            && let Ok(stat) = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)
        {
            let size = u64::try_from(stat.st_size).unwrap_or(0);
            if copier.wanted(path, size) {
                // A file takes whole blocks.
                bytes += size.next_multiple_of(4096);
            }
        }
        Ok(())
    })?;
    Ok(bytes)
}

/// Copies the files.
pub(super) fn copy(plan: &Plan<'_>, share: bool) -> Result<Outcome> {
    let copier = Copier::run(plan, share, &mut |copier, path, item| {
        copier.take(path, item)
    })?;
    Ok(copier.copied)
}

struct Copier<'a> {
    plan: &'a Plan<'a>,
    share: bool,
    /// A directory that is left out, with a slash at its end.
    skipping: Option<Vec<u8>>,
    copied: Outcome,
}

type Take<'t, 'a> = &'t mut dyn FnMut(&mut Copier<'a>, &[u8], &Item) -> Result<()>;

impl<'a> Copier<'a> {
    fn run(plan: &'a Plan<'a>, share: bool, take: Take<'_, 'a>) -> Result<Self> {
        let mut own = plan.exclude.to_vec();
        own.extend(
            [
                ".user.ini",
                "error_log",
                "*.log",
                ".git",
                ".svn",
                "node_modules",
                "/.maintenance",
            ]
            .map(str::to_owned),
        );
        own.extend(plan.without.iter().map(|path| format!("/{path}")));
        let excludes = Excludes::new(plan.root, true, &own)?;
        let mut copier = Copier {
            plan,
            share,
            skipping: None,
            copied: Outcome::default(),
        };
        let mut failed = None;
        let what = Walk {
            base: plan.from,
            excludes: &excludes,
            ours: &[b".pressroom".to_vec()],
            rules: Rules::Tar,
            watch: plan.watch,
        };
        walk::walk(&what, &mut |item| {
            let path = item.path.clone();
            let outcome = if copier.passes(&path, &item) {
                take(&mut copier, &path, &item)
            } else {
                Ok(())
            };
            match outcome {
                Ok(()) => true,
                Err(why) => {
                    failed = Some(why);
                    false
                }
            }
        })?;
        failed.map_or(Ok(copier), Err)
    }

    /// Whether it is this site's: another WordPress below it is not.
    fn passes(&mut self, path: &[u8], item: &Item) -> bool {
        if let Some(skipped) = &self.skipping {
            if path.starts_with(skipped) {
                return false;
            }
            self.skipping = None;
        }
        if path.is_empty() || !matches!(item.kind, Kind::Directory { .. }) {
            return true;
        }
        let dir = self.plan.from.join(OsStr::from_bytes(path));
        if dir.join("wp-includes/version.php").is_file() && dir.join("wp-load.php").is_file() {
            self.dropped(path, "another WordPress");
            self.skipping = Some([path, b"/"].concat());
            return false;
        }
        true
    }

    fn dropped(&mut self, path: &[u8], why: &str) {
        if self.copied.dropped.len() < MOST {
            let path = String::from_utf8_lossy(path);
            self.copied.dropped.push(format!("{path} ({why})"));
        }
    }

    /// Whether a file is needed: of uploads that cannot be shared only what PHP may read.
    fn wanted(&self, path: &[u8], size: u64) -> bool {
        let Some(uploads) = self.plan.uploads.filter(|_| !self.share) else {
            return true;
        };
        let inside = path
            .strip_prefix(uploads.as_bytes())
            .is_some_and(|rest| rest.starts_with(b"/"));
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
        let end = name.rsplit(|byte| *byte == b'.').next().unwrap_or(name);
        let end = String::from_utf8_lossy(end).to_ascii_lowercase();
        !inside || (size <= SMALL && GENERATED.contains(&end.as_str()))
    }

    fn take(&mut self, path: &[u8], item: &Item) -> Result<()> {
        let to = self.plan.to.join(OsStr::from_bytes(path));
        match &item.kind {
            Kind::Directory { .. } if path.is_empty() => Ok(()),
            Kind::Directory { mode, .. } => DirBuilder::new()
                .mode(mode & 0o777 | 0o700)
                .create(&to)
                .map_err(|why| Error::io("create", to, why)),
            Kind::File { dir, name } => self.file(path, dir, name, &to),
            Kind::Link { target, .. } => self.link(path, target, &to),
            Kind::LeftOut(why) => {
                self.left_out(path, why);
                Ok(())
            }
        }
    }

    fn left_out(&mut self, path: &[u8], why: &Why) {
        match why {
            Why::Excluded { pattern } => {
                let named = pattern == ".user.ini"
                    || self.plan.without.iter().any(|own| pattern[1..] == **own);
                if named {
                    self.dropped(path, "it would reach out of a clone");
                }
            }
            Why::Unreadable { message } => {
                let message = message.clone();
                self.dropped(path, &message);
            }
            Why::TooLong => self.dropped(path, "its path is too long"),
            Why::Ours | Why::Fifo | Why::Socket | Why::Device | Why::Vanished | Why::Name => {}
        }
    }

    fn file(&mut self, path: &[u8], dir: &OwnedFd, name: &[u8], to: &Path) -> Result<()> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let source = match rustix::fs::openat(dir, name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            // Gone, or a link by now.
            Err(Errno::NOENT | Errno::LOOP) => return Ok(()),
            Err(why) => {
                self.dropped(path, &io::Error::from(why).to_string());
                return Ok(());
            }
        };
        let found =
            rustix::fs::fstat(&source).map_err(|why| Error::io("look at", to, why.into()))?;
        let size = u64::try_from(found.st_size).unwrap_or(0);
        if !self.wanted(path, size) {
            self.copied.read_through += 1;
            return Ok(());
        }
        // A clone's PHP must be able to read and write what is its own.
        let mode = found.st_mode & 0o777 | 0o600;
        let mut target = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(to)
            .map_err(|why| Error::io("create", to, why))?;
        if self.share && rustix::fs::ioctl_ficlone(&target, &source).is_ok() {
            self.copied.bytes_shared += size;
        } else {
            let mut source = source;
            let copied =
                io::copy(&mut source, &mut target).map_err(|why| Error::io("copy", to, why))?;
            self.copied.bytes_copied += copied;
        }
        let time = Timespec {
            tv_sec: found.st_mtime,
            tv_nsec: 0,
        };
        // Addresses of assets are made from it.
        let _ = rustix::fs::futimens(
            &target,
            &Timestamps {
                last_access: time,
                last_modification: time,
            },
        );
        self.copied.files += 1;
        Ok(())
    }

    /// A link stays one where it leads to something in the clone.
    fn link(&mut self, path: &[u8], target: &[u8], to: &Path) -> Result<()> {
        let inside = target
            .strip_prefix(self.plan.from.as_os_str().as_bytes())
            .filter(|rest| rest.starts_with(b"/") && !rest.windows(3).any(|part| part == b"/.."));
        let kept = match inside {
            Some(rest) => {
                let mut whole = self.plan.to.as_os_str().as_bytes().to_vec();
                whole.extend_from_slice(rest);
                whole
            }
            None if names::stays(path, target, 0) => target.to_vec(),
            None => {
                self.dropped(path, "a link that leads out of the site");
                return Ok(());
            }
        };
        let target = PathBuf::from(std::ffi::OsString::from_vec(kept));
        std::os::unix::fs::symlink(target, to).map_err(|why| Error::io("link", to, why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, symlink};

    fn put(dir: &Path, path: &str, text: &str) {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_clone_has_what_is_the_sites_and_no_name_of_the_same_file() {
        let dir = tempfile::tempdir().unwrap();
        let base = fs::canonicalize(dir.path()).unwrap();
        let (from, to) = (base.join("live"), base.join("clone"));
        fs::create_dir(&to).unwrap();
        for path in [
            "wp-load.php",
            "wp-config.php",
            ".user.ini",
            ".maintenance",
            "wp-content/object-cache.php",
            "wp-content/plugins/a/a.php",
            "wp-content/cache/x.html",
            "wp-content/debug.log",
            "wp-content/uploads/2024/big.jpg",
            "wp-content/uploads/elementor/css/a.css",
            "blog/wp-load.php",
            "blog/wp-includes/version.php",
            "blog/x.php",
            ".pressroom/lock",
        ] {
            put(&from, path, path);
        }
        symlink("plugins/a", from.join("wp-content/inside")).unwrap();
        symlink("/etc", from.join("wp-content/outside")).unwrap();
        symlink(from.join("wp-load.php"), from.join("absolute.php")).unwrap();
        let watch = Watch::unbounded();
        let plan = Plan {
            from: &from,
            root: "live",
            to: &to,
            uploads: Some("wp-content/uploads"),
            without: &["wp-content/object-cache.php".to_owned()],
            exclude: &[],
            watch: &watch,
        };
        assert_eq!(measure(&plan).unwrap(), 4 * 4096);
        let copied = copy(&plan, false).unwrap();
        for there in [
            "wp-load.php",
            "wp-content/plugins/a/a.php",
            "wp-content/inside/a.php",
            "wp-content/uploads/elementor/css/a.css",
            "wp-content/uploads/2024",
        ] {
            assert!(to.join(there).exists(), "{there}");
        }
        for gone in [
            ".user.ini",
            ".maintenance",
            ".pressroom",
            "blog",
            "wp-content/cache",
            "wp-content/debug.log",
            "wp-content/object-cache.php",
            "wp-content/uploads/2024/big.jpg",
        ] {
            assert!(!to.join(gone).exists(), "{gone}");
        }
        assert!(to.join("wp-content/outside").symlink_metadata().is_err());
        assert_eq!(
            fs::read_link(to.join("absolute.php")).unwrap(),
            to.join("wp-load.php")
        );
        assert_eq!(fs::metadata(to.join("wp-load.php")).unwrap().nlink(), 1);
        assert_eq!((copied.files, copied.read_through), (4, 1));
        assert_eq!(
            copied.dropped,
            [
                ".user.ini (it would reach out of a clone)",
                "blog (another WordPress)",
                "wp-content/object-cache.php (it would reach out of a clone)",
                "wp-content/outside (a link that leads out of the site)",
            ]
        );
    }
}
