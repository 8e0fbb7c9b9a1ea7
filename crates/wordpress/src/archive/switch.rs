//! The acts of an exchange on disk: which name goes where, forth and back.

use super::{
    manifest::EntryPath,
    names::{self, Rules},
    planned::{Exchange, Inode, Method, Record, Slot, staging_dir},
};
use crate::{
    Error, Result, disk,
    home::{Home, PRIVATE_DIRS, STATE_DIR},
};
use rustix::fs::Gid;
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs, io,
    os::unix::{
        ffi::OsStrExt,
        fs::{MetadataExt, PermissionsExt},
    },
    path::{Path, PathBuf},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}

/// Where the two trees are.
pub(super) struct Places {
    pub(super) live: PathBuf,
    pub(super) aside: PathBuf,
    /// Names in the root that are ours or carried over, and stay.
    stay: Vec<Vec<u8>>,
}

impl Places {
    pub(super) fn of(home: &Home, exchange: &Exchange) -> Result<Self> {
        let root = exchange.root.trim_end_matches('/');
        let live = home.resolve(root)?;
        let mut aside = staging_dir(home, &exchange.staged)?;
        if !exchange.prefix.is_empty() {
            let plain = names::clean(exchange.prefix.as_bytes(), Rules::Tar)?;
            if plain != exchange.prefix.as_bytes() || plain.contains(&b'/') {
                return Err(Error::BadPath(exchange.prefix.clone()));
            }
            aside.push(&exchange.prefix);
        }
        let mut stay = ours(root);
        for path in exchange.carried() {
            let bytes = path.bytes();
            // However long: what is too long for an archive is carried over as well.
            let plain = |part: &[u8]| !matches!(part, b"" | b"." | b"..") && !part.contains(&0);
            if !bytes.split(|byte| *byte == b'/').all(plain) {
                return Err(Error::BadPath(path.to_string()));
            }
            if !bytes.contains(&b'/') {
                stay.push(bytes.to_vec());
            }
        }
        Ok(Self { live, aside, stay })
    }

    pub(super) fn live_of(&self, slot: &Slot) -> PathBuf {
        at(&self.live, &slot.name)
    }

    fn aside_of(&self, slot: &Slot) -> PathBuf {
        at(&self.aside, &slot.name)
    }
}

fn at(base: &Path, name: &EntryPath) -> PathBuf {
    if name.bytes().is_empty() {
        base.to_owned()
    } else {
        base.join(OsStr::from_bytes(name.bytes()))
    }
}

/// What Pressroom keeps in a home that is itself the root of a site.
pub(super) fn ours(root: &str) -> Vec<Vec<u8>> {
    if matches!(root.trim_end_matches('/'), "" | ".") {
        PRIVATE_DIRS
            .into_iter()
            .chain([STATE_DIR])
            .map(|name| name.as_bytes().to_vec())
            .collect()
    } else {
        Vec::new()
    }
}

/// Whether the directory itself may be exchanged; makes the staged one like it.
pub(super) fn may_be_whole(home: &Home, places: &Places) -> Result<bool> {
    if places.live == home.path() {
        return Ok(false);
    }
    let live = match fs::symlink_metadata(&places.live) {
        Ok(found) if found.is_dir() => found,
        Ok(_) => return Err(Error::BadPath(home.shown(&places.live))),
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(why) => return Err(Error::io("look at", &places.live, why)),
    };
    let staged = fs::symlink_metadata(&places.aside)
        .map_err(|why| Error::io("look at", &places.aside, why))?;
    if live.dev() != staged.dev() || live.uid() != staged.uid() {
        return Ok(false);
    }
    // Access lists, labels: they would stay with the old directory.
    let attributes = rustix::fs::llistxattr(&places.live, &mut [0_u8; 4096][..]);
    if !matches!(attributes, Ok(0) | Err(rustix::io::Errno::NOTSUP)) {
        return Ok(false);
    }
    if live.gid() != staged.gid() {
        let group = Gid::from_raw(live.gid());
        if rustix::fs::chown(&places.aside, None, Some(group)).is_err() {
            return Ok(false);
        }
    }
    // After the group: a change of it takes the set-id bits away.
    let mode = fs::Permissions::from_mode(live.mode() & 0o7777);
    fs::set_permissions(&places.aside, mode)
        .map_err(|why| Error::io("set the mode of", &places.aside, why))?;
    let alike = fs::symlink_metadata(&places.aside)
        .is_ok_and(|now| (now.mode(), now.gid()) == (live.mode(), live.gid()));
    Ok(alike)
}

/// Refusals that concern the directory itself, not what is in it.
pub(super) fn cannot_be_moved(why: &Error) -> bool {
    use rustix::io::Errno;
    let Error::Io { source, .. } = why else {
        return false;
    };
    [Errno::BUSY, Errno::XDEV, Errno::ACCESS, Errno::PERM]
        .iter()
        .any(|errno| source.raw_os_error() == Some(errno.raw_os_error()))
}

/// What is on either side before the exchange.
pub(super) fn slots(places: &Places, method: Method) -> Result<Vec<Slot>> {
    let mut found: BTreeMap<Vec<u8>, (Option<Inode>, Option<Inode>)> = BTreeMap::new();
    match method {
        Method::Whole => {
            found.insert(Vec::new(), (inode(&places.live)?, inode(&places.aside)?));
        }
        Method::ByName => {
            for name in names_in(&places.live)? {
                found.entry(name).or_default();
            }
            for name in names_in(&places.aside)? {
                found.entry(name).or_default();
            }
            found.retain(|name, _| !places.stay.contains(name));
            for (name, sides) in &mut found {
                let name = OsStr::from_bytes(name);
                *sides = (
                    inode(&places.live.join(name))?,
                    inode(&places.aside.join(name))?,
                );
            }
        }
    }
    Ok(found
        .into_iter()
        .map(|(name, (before, after))| Slot {
            name: EntryPath::new(name),
            before,
            after,
        })
        .collect())
}

/// Brings every name to a side, whichever it is on.
pub(super) fn go(places: &Places, record: &Record, side: Side) -> Result<()> {
    if record.method == Method::ByName && side == Side::Before {
        // What was written since goes aside with the rest.
        for name in names_in(&places.live)? {
            let known = record.slots.iter().any(|slot| slot.name.bytes() == name);
            if !known && !places.stay.contains(&name) {
                let name = OsStr::from_bytes(&name);
                disk::move_to(&places.live.join(name), &places.aside.join(name))?;
            }
        }
    }
    for slot in &record.slots {
        let (live, aside) = (places.live_of(slot), places.aside_of(slot));
        let wanted = match side {
            Side::Before => slot.before,
            Side::After => slot.after,
        };
        // A file system without an exchange may have been stopped half-way in one.
        disk::close_gap(&live, &aside)?;
        let (now, kept) = (inode(&live)?, inode(&aside)?);
        if now == wanted {
            continue;
        }
        match (now, wanted) {
            (_, Some(_)) if kept != wanted => {
                return Err(Error::Missing(aside.display().to_string()));
            }
            (Some(_), Some(_)) => drop(disk::exchange(&live, &aside)?),
            (None, Some(_)) => disk::move_to(&aside, &live)?,
            (_, None) => disk::move_to(&live, &aside)?,
        }
    }
    if record.method == Method::ByName {
        // The directories themselves: their names changed.
        disk::sync_parent(&places.live.join("x"))?;
        disk::sync_parent(&places.aside.join("x"))?;
    }
    disk::sync_parent(&places.live)?;
    disk::sync_parent(&places.aside)
}

/// The paths that the old tree has and the new one has not.
pub(super) fn to_carry(
    places: &Places,
    exchange: &Exchange,
    method: Method,
) -> Result<Vec<EntryPath>> {
    let mut found = Vec::new();
    for wanted in exchange.carried() {
        let path = Path::new(OsStr::from_bytes(wanted.bytes()));
        let above = path.parent().unwrap_or(Path::new(""));
        let there = real_directory(&places.live, above)?
            && disk::exists(&places.live.join(path))?
            && !disk::exists(&places.aside.join(path))?;
        // Name by name, what is directly in the root simply stays.
        let stays =
            method == Method::ByName && places.stay.iter().any(|name| name == wanted.bytes());
        if there && !stays {
            found.push(wanted.clone());
        }
    }
    Ok(found)
}

/// Moves what is to be carried over from the old tree into the live one.
pub(super) fn carry_over(places: &Places, record: &Record) -> Result<()> {
    move_all(&record.carry, &places.aside, &places.live)
}

/// And back, as far as the new tree is the live one.
pub(super) fn carry_back(places: &Places, record: &Record) -> Result<()> {
    for path in &record.carry {
        let first = path.bytes().split(|byte| *byte == b'/').next();
        let slot = record
            .slots
            .iter()
            .find(|slot| record.method == Method::Whole || Some(slot.name.bytes()) == first);
        let is_back = match slot {
            Some(slot) => inode(&places.live_of(slot))? == slot.before,
            None => true,
        };
        if !is_back {
            move_all(std::slice::from_ref(path), &places.live, &places.aside)?;
        }
    }
    Ok(())
}

fn move_all(paths: &[EntryPath], from: &Path, to: &Path) -> Result<()> {
    for path in paths {
        let path = Path::new(OsStr::from_bytes(path.bytes()));
        let (source, dest) = (from.join(path), to.join(path));
        let above = path.parent().unwrap_or(Path::new(""));
        if !real_directory(from, above)? || !disk::exists(&source)? || disk::exists(&dest)? {
            continue;
        }
        if !real_directory(to, above)? {
            // What was below it in the old tree cannot be where it belongs.
            continue;
        }
        disk::move_to(&source, &dest)?;
        disk::sync_parent(&source)?;
        disk::sync_parent(&dest)?;
    }
    Ok(())
}

/// Whether a path below a directory leads through directories only.
fn real_directory(base: &Path, below: &Path) -> Result<bool> {
    let mut path = base.to_owned();
    for part in std::iter::once(None).chain(below.iter().map(Some)) {
        path.extend(part);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Ok(false),
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(why) => return Err(Error::io("look at", path, why)),
        }
    }
    Ok(true)
}

/// Whether some names were exchanged and some not, or the directory itself is nowhere.
/// What lies aside tells: live names are written anew by the site itself.
pub(super) fn is_half_done(places: &Places, record: &Record) -> Result<bool> {
    let (mut some, mut others) = (false, false);
    for slot in &record.slots {
        let (live, aside) = (places.live_of(slot), places.aside_of(slot));
        disk::close_gap(&live, &aside)?;
        let (now, kept) = (inode(&live)?, inode(&aside)?);
        let expected = now == slot.before || now == slot.after;
        if record.method == Method::Whole && now.is_none() && !expected {
            return Ok(true);
        }
        some |= match slot.before {
            Some(_) => kept == slot.before,
            None => now == slot.after,
        };
        others |= match slot.after {
            Some(_) => kept == slot.after,
            None => now == slot.before,
        };
    }
    Ok(some && others)
}

pub(super) fn inode(path: &Path) -> Result<Option<Inode>> {
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(Some((found.dev(), found.ino()))),
        Err(why)
            if matches!(
                why.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(why) => Err(Error::io("look at", path, why)),
    }
}

fn names_in(path: &Path) -> Result<Vec<Vec<u8>>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(why) => return Err(Error::io("list", path, why)),
    };
    entries
        .map(|entry| {
            let entry = entry.map_err(|why| Error::io("list", path, why))?;
            Ok(entry.file_name().as_bytes().to_vec())
        })
        .collect()
}
