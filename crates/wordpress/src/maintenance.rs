//! Maintenance mode as a lease: whatever dies, the site leaves it by itself.
//!
//! WordPress shows its maintenance page while a file `.maintenance` in its directory
//! sets `$upgrading` to a time less than ten minutes ago. Ours computes that time from
//! the file's own modification time when a request asks: a copy of its code in
//! OPcache, which may never look at the disk again, still follows every renewal and
//! the end. A line before it says the time as a plain number for programs that read
//! the file without running it.
//!
//! Somebody else's file is respected: it is never written over while it is in force,
//! and one that lapsed comes back when ours goes.

use crate::{
    Error, Result,
    core::{below, root_key},
    disk, fence,
    home::Home,
    package,
    watch::Watch,
};
use pressroom_base::Epoch;
use pressroom_phpdata::tokens::{self, Token};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The longest lease; who needs longer renews.
pub const LONGEST: Duration = Duration::from_mins(10);

/// How long WordPress honours the file, in seconds after `$upgrading`.
const HONOURED: i64 = 600;
const FILE: &str = ".maintenance";
const MARK: &[u8] = b"<?php\n// Pressroom lease";
const MAX_FILE: u64 = 64 * 1024;

/// Whether a site is in maintenance, and whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Maintenance {
    /// No file: the site serves its visitors.
    Off,
    /// Ours, in force.
    Leased {
        /// Until it lapses.
        seconds_left: u64,
    },
    /// Somebody else's, in force.
    Foreign {
        /// Until it lapses; `None` when only running the file would tell, as for those
        /// that never lapse.
        seconds_left: Option<u64>,
    },
    /// A file that WordPress takes no notice of any more.
    Lapsed {
        /// Whether somebody else wrote it.
        foreign: bool,
    },
}

impl Maintenance {
    /// Whether visitors get the maintenance page, as far as can be told.
    pub fn is_in_force(self) -> bool {
        matches!(self, Self::Leased { .. } | Self::Foreign { .. })
    }
}

/// What is there now. `root` is the directory of `wp-load.php`.
pub fn status(home: &Home, root: &str) -> Result<Maintenance> {
    Ok(look(home, root)?.0)
}

/// Puts the site into maintenance for `lease` (at most [`LONGEST`]), or prolongs our
/// lease. While somebody else's is in force it stays as it is, and is what is told.
pub fn enter(
    home: &Home,
    epoch: Epoch,
    root: &str,
    lease: Duration,
    watch: &Watch,
) -> Result<Maintenance> {
    fence::check(home, epoch, watch)?;
    fence::critical(home, epoch, watch, || {
        place(home, epoch, root, lease, Holder::Caller)
    })
}

/// Prolongs our lease; refused when there is none of ours (it may have lapsed).
pub fn renew(
    home: &Home,
    epoch: Epoch,
    root: &str,
    lease: Duration,
    watch: &Watch,
) -> Result<Maintenance> {
    fence::check(home, epoch, watch)?;
    fence::critical(home, epoch, watch, || match look(home, root)? {
        (Maintenance::Leased { .. }, holder) => place(home, epoch, root, lease, holder),
        _ => Err(Error::Missing(below(root, FILE))),
    })
}

/// Takes our file away, in force or lapsed, and brings a lapsed one of somebody else
/// back. What is there afterwards is told: [`Maintenance::Off`], or theirs.
pub fn leave(home: &Home, epoch: Epoch, root: &str, watch: &Watch) -> Result<Maintenance> {
    fence::check(home, epoch, watch)?;
    fence::critical(home, epoch, watch, || remove(home, root))
}

/// Who asked for a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    /// A caller, who leaves it himself.
    Caller,
    /// A core update, which leaves it when it is done.
    CoreUpdate,
}

/// Writes our file unless somebody else's is in force. Call it inside the fence.
pub(crate) fn place(
    home: &Home,
    epoch: Epoch,
    root: &str,
    lease: Duration,
    holder: Holder,
) -> Result<Maintenance> {
    let path = home.resolve(&below(root, FILE))?;
    match look(home, root)?.0 {
        foreign @ Maintenance::Foreign { .. } => return Ok(foreign),
        Maintenance::Lapsed { foreign: true } => {
            home.state_subdir("kept")?;
            let kept = kept(home, root);
            disk::remove_file(&kept)?;
            disk::move_to(&path, &kept)?;
        }
        _ => {}
    }
    let now = now();
    let lease = i64::try_from(lease.min(LONGEST).as_secs()).unwrap_or(HONOURED);
    let upgrading = now + lease - HONOURED;
    let mark = String::from_utf8_lossy(MARK);
    let who = match holder {
        Holder::Caller => "",
        Holder::CoreUpdate => ", core update",
    };
    let text = format!(
        "{mark}{who}: it lapses by itself.\n$upgrading = {upgrading};\n\
         $upgrading = (int) @filemtime( __FILE__ );\n"
    );
    let aside = package::aside(home, epoch)?;
    disk::write_aside(&aside, text.as_bytes(), 0o644)?;
    let at = UNIX_EPOCH + Duration::from_secs(u64::try_from(upgrading).unwrap_or(0));
    File::options()
        .write(true)
        .open(&aside)
        .and_then(|file| file.set_modified(at))
        .map_err(|why| Error::io("date", &aside, why))?;
    disk::put_in_place(&aside, &path)?;
    Ok(look(home, root)?.0)
}

/// As [`leave`], inside the fence.
pub(crate) fn remove(home: &Home, root: &str) -> Result<Maintenance> {
    let path = home.resolve(&below(root, FILE))?;
    let found = look(home, root)?.0;
    if matches!(
        found,
        Maintenance::Leased { .. } | Maintenance::Lapsed { foreign: false }
    ) {
        disk::remove_file(&path)?;
    }
    let kept = kept(home, root);
    if disk::exists(&kept)? && !disk::exists(&path)? {
        disk::move_to(&kept, &path)?;
    }
    Ok(look(home, root)?.0)
}

/// Takes our file away if a core update put it there. Call it inside the fence.
pub(crate) fn remove_of_update(home: &Home, root: &str) -> Result<Maintenance> {
    match look(home, root)? {
        (
            Maintenance::Leased { .. } | Maintenance::Lapsed { foreign: false },
            Holder::CoreUpdate,
        ) => remove(home, root),
        (found, _) => Ok(found),
    }
}

/// What is there, and whose if it is ours.
pub(crate) fn look(home: &Home, root: &str) -> Result<(Maintenance, Holder)> {
    let relative = below(root, FILE);
    let Some(bytes) = home.read_start(&relative, MAX_FILE)? else {
        return Ok((Maintenance::Off, Holder::Caller));
    };
    let left = |upgrading: i64| upgrading.saturating_add(HONOURED).saturating_sub(now());
    if let Some(rest) = bytes.strip_prefix(MARK) {
        let holder = if rest.starts_with(b", core update") {
            Holder::CoreUpdate
        } else {
            Holder::Caller
        };
        let path = home.resolve(&relative)?;
        let changed = fs::symlink_metadata(&path)
            .and_then(|found| found.modified())
            .map_err(|why| Error::io("look at", &path, why))?;
        let ours = match u64::try_from(left(seconds(changed))) {
            Ok(seconds_left) if seconds_left > 0 => Maintenance::Leased { seconds_left },
            _ => Maintenance::Lapsed { foreign: false },
        };
        return Ok((ours, holder));
    }
    let foreign = match literal(&bytes) {
        None => Maintenance::Foreign { seconds_left: None },
        Some(upgrading) => match u64::try_from(left(upgrading)) {
            Ok(seconds_left) if seconds_left > 0 => Maintenance::Foreign {
                seconds_left: Some(seconds_left),
            },
            _ => Maintenance::Lapsed { foreign: true },
        },
    };
    Ok((foreign, Holder::Caller))
}

/// The time in a file that does nothing but set it to a number.
fn literal(file: &[u8]) -> Option<i64> {
    let tokens = tokens::tokenize(file);
    let [
        Token::Variable(name),
        Token::Sign(b'='),
        Token::Number(Some(at)),
        Token::Sign(b';'),
        rest @ ..,
    ] = tokens.as_slice()
    else {
        return None;
    };
    let plain = rest.iter().all(|token| matches!(token, Token::Output));
    (name == b"upgrading" && plain).then_some(*at)
}

/// Where somebody else's lapsed file waits.
fn kept(home: &Home, root: &str) -> PathBuf {
    home.state_path("kept")
        .join(format!("{}.maintenance", root_key(root)))
}

fn now() -> i64 {
    seconds(SystemTime::now())
}

/// Whole seconds since 1970, as PHP counts.
fn seconds(at: SystemTime) -> i64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::sample::{EPOCH, home, staged_names};

    const ROOT: &str = "www";

    fn bench() -> (tempfile::TempDir, Home, Watch) {
        let (dir, home) = home();
        fs::create_dir(dir.path().join(ROOT)).unwrap();
        (dir, home, Watch::unbounded())
    }

    #[test]
    fn a_lease_is_entered_renewed_left_and_lapses() {
        let (dir, home, watch) = bench();
        let path = dir.path().join("www/.maintenance");
        assert_eq!(status(&home, ROOT).unwrap(), Maintenance::Off);
        assert!(matches!(
            renew(&home, EPOCH, ROOT, LONGEST, &watch),
            Err(Error::Missing(_))
        ));
        let lease = Duration::from_secs(100);
        let left = |found| match found {
            Maintenance::Leased { seconds_left } => seconds_left,
            other => panic!("{other:?}"),
        };
        let entered = left(enter(&home, EPOCH, ROOT, lease, &watch).unwrap());
        assert!((95..=100).contains(&entered), "{entered}");
        let renewed = left(renew(&home, EPOCH, ROOT, LONGEST * 9, &watch).unwrap());
        assert!((595..=600).contains(&renewed), "{renewed}");
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(SystemTime::now() - Duration::from_mins(10))
            .unwrap();
        assert_eq!(
            status(&home, ROOT).unwrap(),
            Maintenance::Lapsed { foreign: false }
        );
        assert!(renew(&home, EPOCH, ROOT, lease, &watch).is_err());
        left(enter(&home, EPOCH, ROOT, lease, &watch).unwrap());
        for _ in 0..2 {
            let found = leave(&home, EPOCH, ROOT, &watch).unwrap();
            assert_eq!(found, Maintenance::Off);
            assert!(!path.exists());
        }
        assert_eq!(staged_names(&home), [""; 0]);
    }

    #[test]
    fn a_file_of_somebody_else_is_respected() {
        let (dir, home, watch) = bench();
        let path = dir.path().join("www/.maintenance");
        let young = format!("<?php $upgrading = {}; ?>\n", now() - 10);
        for (text, known) in [
            (young.as_str(), true),
            ("<?php $upgrading = time(); ?>", false),
            ("<?php if (true) { $upgrading = 5; }", false),
            ("<?php $upgrading = 5; $upgrading = time();", false),
        ] {
            fs::write(&path, text).unwrap();
            let found = enter(&home, EPOCH, ROOT, LONGEST, &watch).unwrap();
            let Maintenance::Foreign { seconds_left } = found else {
                panic!("{found:?}")
            };
            assert_eq!(seconds_left.is_some(), known, "{text}");
            assert_eq!(leave(&home, EPOCH, ROOT, &watch).unwrap(), found);
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        // One that lapsed steps aside and comes back.
        let old = "<?php $upgrading = 1700000000; ?>";
        fs::write(&path, old).unwrap();
        let lapsed = Maintenance::Lapsed { foreign: true };
        assert_eq!(status(&home, ROOT).unwrap(), lapsed);
        for _ in 0..2 {
            assert!(
                enter(&home, EPOCH, ROOT, LONGEST, &watch)
                    .unwrap()
                    .is_in_force()
            );
            assert_ne!(fs::read_to_string(&path).unwrap(), old);
        }
        assert_eq!(leave(&home, EPOCH, ROOT, &watch).unwrap(), lapsed);
        assert_eq!(fs::read_to_string(&path).unwrap(), old);
    }

    #[test]
    fn an_older_worker_cannot_end_it() {
        let (_dir, home, watch) = bench();
        enter(&home, EPOCH, ROOT, LONGEST, &watch).unwrap();
        fence::take(&home, Epoch::new(EPOCH.get() + 1), &watch).unwrap();
        assert!(matches!(
            leave(&home, EPOCH, ROOT, &watch),
            Err(Error::Fenced { .. })
        ));
        assert!(status(&home, ROOT).unwrap().is_in_force());
    }
}
