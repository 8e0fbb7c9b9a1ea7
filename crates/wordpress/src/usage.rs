//! How much room a directory takes on its disk.

use crate::{
    Error, Result,
    archive::{
        excludes::Excludes,
        names::Rules,
        walk::{self, Kind, Walk},
    },
    home::Home,
    watch::Watch,
};
use rustix::fs::AtFlags;
use serde::{Deserialize, Serialize};
use std::{collections::HashSet, path::Path};

/// A block as `stat(2)` counts them.
const BLOCK: u64 = 512;

/// What a directory takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskUsage {
    /// Regular files.
    pub files: u64,
    /// Bytes that the disk has set aside for them: a sparse file takes less than it
    /// seems to hold, and several names of one file take its room once, as `du` counts.
    /// Directories are not counted.
    pub bytes: u64,
    /// How much room its disk has; `None` where that is not told.
    #[serde(default)]
    pub room: Option<Room>,
}

/// The room on a disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Bytes that may still be written by whoever owns the site.
    pub free: u64,
    /// Bytes that it has in all.
    pub total: u64,
}

/// What is below a directory of the home, links not followed. What goes away meanwhile,
/// or may not be looked into, is not counted.
pub fn disk_usage(home: &Home, path: &str, watch: &Watch) -> Result<DiskUsage> {
    let base = home.resolve(path)?;
    let usage = below(&base, watch)?;
    Ok(DiskUsage {
        room: room(&base),
        ..usage
    })
}

fn room(base: &Path) -> Option<Room> {
    let found = rustix::fs::statvfs(base).ok()?;
    Some(Room {
        free: found.f_bavail.saturating_mul(found.f_frsize),
        total: found.f_blocks.saturating_mul(found.f_frsize),
    })
}

fn below(base: &Path, watch: &Watch) -> Result<DiskUsage> {
    let excludes = Excludes::new("", false, &[])?;
    let what = Walk {
        base,
        excludes: &excludes,
        ours: &[],
        rules: Rules::Tar,
        watch,
    };
    let mut usage = DiskUsage::default();
    // Only files of several names are remembered.
    let mut seen = HashSet::new();
    let mut cut = Ok(());
    walk::walk(&what, &mut |item| {
        cut = watch.check();
        let Kind::File { dir, name } = item.kind else {
            return cut.is_ok();
        };
        let Ok(stat) = rustix::fs::statat(&dir, &name, AtFlags::SYMLINK_NOFOLLOW) else {
            return cut.is_ok();
        };
        if stat.st_nlink < 2 || seen.insert((stat.st_dev, stat.st_ino)) {
            let blocks = u64::try_from(stat.st_blocks).unwrap_or(0);
            usage.bytes = usage.bytes.saturating_add(blocks.saturating_mul(BLOCK));
        }
        usage.files += 1;
        cut.is_ok()
    })?;
    cut.map_or_else(Err::<DiskUsage, Error>, |()| Ok(usage))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, process::Command};

    #[test]
    fn what_is_counted_is_what_du_counts() {
        let scratch = tempfile::tempdir().unwrap();
        let base = scratch.path().join("site");
        fs::create_dir_all(base.join("a/b")).unwrap();
        fs::write(base.join("index.php"), vec![b'x'; 10_000]).unwrap();
        fs::write(base.join("a/empty"), "").unwrap();
        fs::write(base.join("a/b/photo"), vec![b'y'; 300_000]).unwrap();
        fs::hard_link(base.join("a/b/photo"), base.join("a/same")).unwrap();
        std::os::unix::fs::symlink("/usr", base.join("a/elsewhere")).unwrap();
        let sparse = fs::File::create(base.join("a/sparse")).unwrap();
        sparse.set_len(50_000_000).unwrap();

        let usage = below(&base, &Watch::unbounded()).unwrap();
        assert_eq!(usage.files, 5);
        let counted = "find \"$0\" -type f -print0 | du -B1 -c --files0-from=- | tail -n1";
        let du = Command::new("sh").args(["-c", counted]).arg(&base).output();
        let said = String::from_utf8(du.unwrap().stdout).unwrap();
        let said: Option<u64> = said
            .split_whitespace()
            .next()
            .map(|sum| sum.parse().unwrap());
        assert_eq!(Some(usage.bytes), said);
        assert!(usage.bytes < 1_000_000, "{usage:?}");
    }

    #[test]
    fn a_directory_that_is_not_there_is_said() {
        let scratch = tempfile::tempdir().unwrap();
        let home = Home::open(scratch.path()).unwrap();
        let gone = disk_usage(&home, "site", &Watch::unbounded());
        assert!(matches!(gone, Err(Error::Missing(_))), "{gone:?}");
    }
}
