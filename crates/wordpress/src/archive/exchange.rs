//! Puts an unpacked tree in the place of the live one, and takes that back.
//!
//! Where it can be, the directory itself is exchanged in one act. Where it cannot –
//! it is the home, a mount point, has an owner, group or access list that ours
//! cannot get, or its parent may not be written to – the names directly inside are
//! exchanged one by one, within milliseconds, under the journal. The journal knows
//! every name by the inode it had on either side, so that whoever comes later can
//! see how far it went and go on in either direction.
//!
//! What was live is kept below `.pressroom/staging`, under the same handle, until
//! [`drop_unpacked`].

use super::{
    ahead,
    excludes::Excludes,
    manifest::{self, Content, EntryPath},
    names::{self, Rules},
    read::{self, Body, Buffers, Piece},
    walk::Walk,
};
use crate::{
    Error, Result, component, disk, fence,
    home::{Home, PRIVATE_DIRS, STATE_DIR},
    journal::{self, Entry},
    tree::TreeHash,
    watch::Watch,
};
use pressroom_base::Epoch;
use rustix::fs::Gid;
use serde::{Deserialize, Serialize};
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

/// What is to be exchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The live directory, relative to the home: the root of a site or a directory
    /// in it. It need not exist.
    pub root: String,
    /// Handle of what was unpacked.
    pub staged: String,
    /// Which tree of it; see [`super::PackedTree::prefix`].
    pub prefix: String,
    /// Hash that the live tree must have; `None` takes whatever is live.
    pub before: Option<String>,
    /// Hash of the unpacked tree.
    pub after: String,
    /// Paths in the tree that are not in the archive and go over from the live tree,
    /// mostly [`super::Manifest::excluded_below`]. What is there in both stays.
    pub carry: Vec<EntryPath>,
}

/// How trees were exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The directory itself, in one act.
    Whole,
    /// The names directly in it, one after the other.
    ByName,
}

/// What an exchange did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchanged {
    /// How.
    pub method: Method,
    /// What is live now, by looking, without what was carried over; visitors may
    /// have written to it already. [`TreeHash::absent`] where nothing is.
    pub tree: TreeHash,
    /// Paths that were carried over and are live.
    pub carried: Vec<EntryPath>,
    /// Paths that are only in the tree kept aside, because the directory they were
    /// in is none any more.
    pub not_carried: Vec<EntryPath>,
}

/// Which side is live, by inodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LiveTree {
    /// The old tree.
    Before,
    /// The new tree.
    After,
    /// Some of each, or something new: [`exchange()`] or [`take_back_exchange`] goes
    /// on from there.
    Mixed,
}

/// An exchange in the journal, as found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveredExchange {
    /// What was to be done.
    pub exchange: Exchange,
    /// What is live now.
    pub live: LiveTree,
}

/// What the journal knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    exchange: Exchange,
    method: Method,
    slots: Vec<Slot>,
    /// Which of the paths to carry over the old tree has and the new one has not.
    carry: Vec<EntryPath>,
}

/// One name, and what belongs there on either side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Slot {
    /// Directly inside the root; empty for the root itself.
    name: EntryPath,
    before: Option<Inode>,
    after: Option<Inode>,
}

type Inode = (u64, u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

impl Record {
    pub(crate) fn staged(&self) -> &str {
        &self.exchange.staged
    }
}

/// Where the two trees are.
struct Places {
    live: PathBuf,
    aside: PathBuf,
    /// Names in the root that are ours or carried over, and stay.
    stay: Vec<Vec<u8>>,
}

/// Exchanges the live tree with the unpacked one. Begun already is gone on with;
/// done already is done. A failure on the way is undone.
pub fn exchange(
    home: &Home,
    epoch: Epoch,
    exchange: &Exchange,
    watch: &Watch,
) -> Result<Exchanged> {
    fence::check(home, epoch, watch)?;
    let places = Places::of(home, exchange)?;
    let record = match journal::unfinished_exchange(home, &exchange.staged)? {
        Some(record) if record.exchange != *exchange => {
            return Err(Error::Occupied(exchange.staged.clone()));
        }
        Some(record) => {
            fence::critical(home, epoch, watch, || {
                go(&places, &record, Side::After)?;
                carry_over(&places, &record)
            })?;
            record
        }
        None => begin(home, epoch, exchange, &places, watch)?,
    };
    done(home, &places, &record, Side::After, watch)
}

/// Puts the old tree back, which was kept aside; what is live by now, whoever wrote
/// it, goes aside in its place. Done already is done.
pub fn take_back_exchange(
    home: &Home,
    epoch: Epoch,
    staged: &str,
    watch: &Watch,
) -> Result<Exchanged> {
    fence::check(home, epoch, watch)?;
    staging_dir(home, staged)?;
    let record = journal::unfinished_exchange(home, staged)?
        .ok_or_else(|| Error::Missing(staged.to_owned()))?;
    let places = Places::of(home, &record.exchange)?;
    fence::critical(home, epoch, watch, || {
        carry_back(&places, &record)?;
        go(&places, &record, Side::Before)
    })?;
    done(home, &places, &record, Side::Before, watch)
}

/// Removes what was unpacked, or the old tree that was kept aside under the same
/// handle, and its journal entry; gone already is fine.
pub fn drop_unpacked(home: &Home, epoch: Epoch, staged: &str, watch: &Watch) -> Result<()> {
    let dir = staging_dir(home, staged)?;
    fence::critical(home, epoch, watch, || {
        journal::settle_exchange(home, staged)
    })?;
    disk::remove_tree(&dir)
}

/// Which side of a journalled exchange is live.
pub(crate) fn look(home: &Home, record: Record) -> Result<RecoveredExchange> {
    let places = match Places::of(home, &record.exchange) {
        Ok(places) => places,
        // Something else is in the way by now: neither tree.
        Err(Error::BadPath(_)) => {
            return Ok(RecoveredExchange {
                exchange: record.exchange,
                live: LiveTree::Mixed,
            });
        }
        Err(why) => return Err(why),
    };
    let (mut before, mut after) = (true, true);
    for slot in &record.slots {
        let now = inode(&places.live_of(slot))?;
        before &= now == slot.before;
        after &= now == slot.after;
    }
    Ok(RecoveredExchange {
        exchange: record.exchange,
        live: match (before, after) {
            (true, _) => LiveTree::Before,
            (false, true) => LiveTree::After,
            (false, false) => LiveTree::Mixed,
        },
    })
}

impl Places {
    fn of(home: &Home, exchange: &Exchange) -> Result<Self> {
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
        for path in &exchange.carry {
            let clean = names::clean(path.bytes(), Rules::Tar)?;
            if clean.is_empty() || clean != path.bytes() {
                return Err(Error::BadPath(path.to_string()));
            }
            if !clean.contains(&b'/') {
                stay.push(clean);
            }
        }
        Ok(Self { live, aside, stay })
    }

    fn live_of(&self, slot: &Slot) -> PathBuf {
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
fn ours(root: &str) -> Vec<Vec<u8>> {
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

fn begin(
    home: &Home,
    epoch: Epoch,
    exchange: &Exchange,
    places: &Places,
    watch: &Watch,
) -> Result<Record> {
    let changed = |path: &Path, expected: &str, found: TreeHash| Error::Changed {
        path: home.shown(path),
        expected: expected.to_owned(),
        found: found.hash,
    };
    let staged = hash_without(&places.aside, &[], watch)?;
    if staged == TreeHash::absent() {
        return Err(Error::Missing(home.shown(&places.aside)));
    }
    if staged.hash != exchange.after {
        return Err(changed(&places.aside, &exchange.after, staged));
    }
    if let Some(before) = &exchange.before {
        let live = hash_without(&places.live, &ours(&exchange.root), watch)?;
        if live.hash != *before {
            return Err(changed(&places.live, before, live));
        }
    }
    // What is switched to must survive a power cut that the switch survives.
    fs::File::open(&places.aside)
        .and_then(|dir| Ok(rustix::fs::syncfs(&dir)?))
        .map_err(|why| Error::io("sync", &places.aside, why))?;
    let whole = may_be_whole(home, places)?;
    fence::critical(home, epoch, watch, || {
        let mut method = if whole { Method::Whole } else { Method::ByName };
        loop {
            let record = Record {
                exchange: exchange.clone(),
                method,
                slots: slots(places, method)?,
                carry: to_carry(places, exchange, method)?,
            };
            write(home, epoch, &record)?;
            let why =
                match go(places, &record, Side::After).and_then(|()| carry_over(places, &record)) {
                    Ok(()) => return Ok(record),
                    Err(why) => why,
                };
            // Back at once; if that fails, the journal tells our successor.
            carry_back(places, &record)?;
            go(places, &record, Side::Before)?;
            journal::settle_exchange(home, &exchange.staged)?;
            if method == Method::ByName || !cannot_be_moved(&why) {
                return Err(why);
            }
            method = Method::ByName;
        }
    })
}

fn write(home: &Home, epoch: Epoch, record: &Record) -> Result<()> {
    let entry = Entry::Exchange {
        epoch,
        record: record.clone(),
    };
    let size = serde_json::to_vec(&entry).map_or(usize::MAX, |bytes| bytes.len());
    if size as u64 > journal::MAX_ENTRY / 2 {
        return Err(Error::BadInput(format!(
            "`{}` has too many names directly in it to be exchanged",
            record.exchange.root
        )));
    }
    journal::write(home, &entry)
}

/// Whether the directory itself may be exchanged; makes the staged one like it.
fn may_be_whole(home: &Home, places: &Places) -> Result<bool> {
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
fn cannot_be_moved(why: &Error) -> bool {
    use rustix::io::Errno;
    let Error::Io { source, .. } = why else {
        return false;
    };
    [Errno::BUSY, Errno::XDEV, Errno::ACCESS, Errno::PERM]
        .iter()
        .any(|errno| source.raw_os_error() == Some(errno.raw_os_error()))
}

/// What is on either side before the exchange.
fn slots(places: &Places, method: Method) -> Result<Vec<Slot>> {
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
fn go(places: &Places, record: &Record, side: Side) -> Result<()> {
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
        let (now, kept) = (inode(&live)?, inode(&aside)?);
        if now == wanted {
            continue;
        }
        match (now, wanted) {
            (_, Some(_)) if kept != wanted => {
                return Err(Error::Missing(aside.display().to_string()));
            }
            (Some(_), Some(_)) => disk::exchange(&live, &aside)?,
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
fn to_carry(places: &Places, exchange: &Exchange, method: Method) -> Result<Vec<EntryPath>> {
    let mut found = Vec::new();
    for wanted in &exchange.carry {
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
fn carry_over(places: &Places, record: &Record) -> Result<()> {
    move_all(&record.carry, &places.aside, &places.live)
}

/// And back, as far as the new tree is the live one.
fn carry_back(places: &Places, record: &Record) -> Result<()> {
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

/// Looks at what is live now.
fn done(
    home: &Home,
    places: &Places,
    record: &Record,
    side: Side,
    watch: &Watch,
) -> Result<Exchanged> {
    let mut skip = ours(&home.shown(&places.live));
    let (mut carried, mut not_carried) = (Vec::new(), Vec::new());
    if side == Side::After {
        for path in &record.exchange.carry {
            let below = OsStr::from_bytes(path.bytes());
            if disk::exists(&places.aside.join(below))? {
                not_carried.push(path.clone());
            } else if disk::exists(&places.live.join(below))? {
                carried.push(path.clone());
                skip.push(path.bytes().to_vec());
            }
        }
    }
    Ok(Exchanged {
        method: record.method,
        tree: hash_without(&places.live, &skip, watch)?,
        carried,
        not_carried,
    })
}

/// The hash of a tree without some of its paths, on all processors; pipes, sockets
/// and devices do not count. [`TreeHash::absent`] when it does not exist.
pub(super) fn hash_without(base: &Path, skip: &[Vec<u8>], watch: &Watch) -> Result<TreeHash> {
    if !disk::exists(base)? {
        return Ok(TreeHash::absent());
    }
    let excludes = Excludes::new("", false, &[])?;
    let what = Walk {
        base,
        excludes: &excludes,
        ours: skip,
        rules: Rules::Tar,
        watch,
    };
    let buffers = Buffers::default();
    let mut entries: Vec<(Vec<u8>, Content)> = Vec::new();
    let mut large = None;
    ahead::ordered(
        ahead::processors(),
        |give| read::feed(&what, give),
        |items, give| read::read(items, &buffers, watch, give),
        |piece| {
            watch.check()?;
            match piece {
                Piece::Whole(bundle) => {
                    for (path, body) in bundle.items {
                        match body {
                            _ if path.is_empty() => {}
                            Body::Directory { .. } => entries.push((path, Content::Directory)),
                            Body::Link { target, .. } => {
                                let target = EntryPath::new(target);
                                entries.push((path, Content::Link { target }));
                            }
                            Body::File { range, sha256, .. } => {
                                let size = range.len() as u64;
                                entries.push((path, Content::File { size, sha256 }));
                            }
                            Body::LeftOut(_) => {}
                        }
                    }
                    buffers.put(bundle.data);
                }
                Piece::Begin { path, size, .. } => large = Some((path, size)),
                Piece::Chunk(chunk) => buffers.put(chunk),
                Piece::End { sha256, .. } => {
                    if let Some((path, size)) = large.take() {
                        entries.push((path, Content::File { size, sha256 }));
                    }
                }
            }
            Ok(())
        },
    )?;
    watch.check()?;
    Ok(manifest::tree_of(
        entries
            .iter()
            .map(|(path, content)| (path.as_slice(), content)),
        "",
    ))
}

fn staging_dir(home: &Home, staged: &str) -> Result<PathBuf> {
    if !component::is_handle(staged) {
        return Err(Error::BadPath(staged.to_owned()));
    }
    Ok(home.state_path("staging").join(staged))
}

fn inode(path: &Path) -> Result<Option<Inode>> {
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
