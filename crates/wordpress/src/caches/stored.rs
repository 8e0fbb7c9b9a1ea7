//! Pages that our page cache keeps, one file each: a line of JSON, then the page.
//! `drop_ins/advanced-cache.php` says what is in that line, and what the marks mean.

use crate::{Error, Result, config::below, disk, fence, home::Home, watch::Watch};
use pressroom_base::Epoch;
use serde::{Deserialize, Serialize};
use std::{
    fmt::Write,
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// Where they are, below `wp-content`.
pub(super) const DIRECTORY: &str = "cache/pressroom";
/// Pages that were begun by the time in there are old, of whatever blog.
pub(super) const MARK: &str = "purged-all";
const MAX_LINE: u64 = 64 * 1024;

/// How many pages, and how large.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// Pages.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Whether there may be more, which the site's user may not see: those of another
    /// user as whom the web server runs PHP.
    #[serde(default)]
    pub unseen: bool,
}

/// What is said of a page.
#[derive(Deserialize)]
pub(super) struct Head {
    /// Its address.
    pub(super) url: String,
}

/// What is there.
pub(super) fn measure(home: &Home, content: &str, watch: &Watch) -> Result<Stored> {
    let mut stored = Stored::default();
    let Some(directory) = directory(home, content)? else {
        return Ok(stored);
    };
    let whole = each(&directory, watch, |path| {
        if let Ok(found) = fs::symlink_metadata(path) {
            stored.files += 1;
            stored.bytes += found.size();
        }
        Ok(())
    })?;
    stored.unseen = !whole;
    Ok(stored)
}

/// Takes the directory itself away. What is another user's stays.
pub(super) fn remove(home: &Home, epoch: Epoch, content: &str, watch: &Watch) -> Result<()> {
    let Some(directory) = directory(home, content)? else {
        return Ok(());
    };
    let aside = home
        .state_subdir("staging")?
        .join(crate::package::handle(epoch)? + "-pages");
    match fence::critical(home, epoch, watch, || disk::move_to(&directory, &aside)) {
        Err(why) if is_denied(&why) => return Ok(()),
        moved => moved?,
    }
    match disk::remove_tree(&aside) {
        // Only parts of it: they are not to be left where nobody looks.
        Err(why) if is_denied(&why) => {
            fence::critical(home, epoch, watch, || disk::move_to(&aside, &directory))
        }
        removed => removed,
    }
}

/// Whether the site's user may not do it.
pub(super) fn is_denied(why: &Error) -> bool {
    matches!(why, Error::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied)
}

/// Pages are there that the site's user may not see.
pub(super) fn unseen(directory: &Path) -> Error {
    let why = "pages there are of another user, as whom the web server runs PHP, and stay \
               until that user removes them";
    let why = io::Error::new(io::ErrorKind::PermissionDenied, why);
    Error::io("look into", directory, why)
}

/// Puts the mark of this moment into a directory that takes the place of a full one: what
/// is being made in another process must not count as new.
pub(super) fn mark(directory: &Path) -> Result<()> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let text = format!("{}.{:06}", now.as_secs(), now.subsec_micros());
    disk::write_aside(&directory.join(MARK), text.as_bytes(), 0o600)
}

/// The directory, where it is one and no link is on the way.
pub(super) fn directory(home: &Home, content: &str) -> Result<Option<PathBuf>> {
    let path = match home.resolve(&below(content, DIRECTORY)) {
        Ok(path) => path,
        Err(Error::BadPath(_)) => return Ok(None),
        // It may be there.
        Err(why) if is_denied(&why) => {
            return Ok(Some(home.path().join(below(content, DIRECTORY))));
        }
        Err(why) => return Err(why),
    };
    match fs::symlink_metadata(&path) {
        Ok(found) if found.is_dir() => Ok(Some(path)),
        Ok(_) => Ok(None),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(Error::io("look at", &path, why)),
    }
}

/// Every page that can be seen; whether that was all. What goes meanwhile is not missed.
pub(super) fn each(
    directory: &Path,
    watch: &Watch,
    mut act: impl FnMut(&Path) -> Result<()>,
) -> Result<bool> {
    let Some(shards) = entries(&directory.join("pages"))? else {
        return Ok(false);
    };
    let mut whole = true;
    for shard in shards {
        watch.check()?;
        if !fs::symlink_metadata(&shard).is_ok_and(|found| found.is_dir()) {
            continue;
        }
        let Some(files) = entries(&shard)? else {
            whole = false;
            continue;
        };
        for file in files {
            if file
                .extension()
                .is_some_and(|extension| extension == "page")
            {
                act(&file)?;
            }
        }
    }
    Ok(whole)
}

/// What is in a directory; `None` where that cannot be seen.
pub(super) fn entries(directory: &Path) -> Result<Option<Vec<PathBuf>>> {
    match fs::read_dir(directory) {
        Ok(entries) => Ok(Some(entries.flatten().map(|entry| entry.path()).collect())),
        Err(why) => match why.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(Some(Vec::new())),
            io::ErrorKind::PermissionDenied => Ok(None),
            _ => Err(Error::io("list", directory, why)),
        },
    }
}

/// What is said of a page; `None` where nothing is. One that may not be read sets `unseen`.
pub(super) fn head(path: &Path, unseen: &mut bool) -> Option<Head> {
    // Only what is a file: a pipe would never end.
    if !fs::symlink_metadata(path).ok()?.is_file() {
        return None;
    }
    let file = File::open(path).inspect_err(|why| {
        *unseen |= why.kind() == io::ErrorKind::PermissionDenied;
    });
    let mut line = Vec::new();
    let mut file = BufReader::new(file.ok()?.take(MAX_LINE));
    file.read_until(b'\n', &mut line).ok()?;
    serde_json::from_slice(&line).ok()
}

/// Host and path of an address, for comparing.
pub(super) fn address(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    format!(
        "{}{}",
        host.to_ascii_lowercase(),
        escaped_path(path).trim_end_matches('/')
    )
}

/// A path of an address, written in one way of those that mean the same: as it was typed,
/// or escaped in capitals (as addresses are parsed) or in small letters (as WordPress
/// keeps the names of its posts).
pub fn escaped_path(path: &str) -> String {
    let mut escaped = String::with_capacity(path.len());
    let mut bytes = path.as_bytes().iter();
    while let Some(&byte) = bytes.next() {
        let rest = bytes.as_slice();
        let meant = (byte == b'%')
            .then(|| hex::decode(rest.get(..2)?).ok())
            .flatten()
            .and_then(|decoded| decoded.first().copied());
        if meant.is_some() {
            bytes.nth(1);
        }
        let is_plain = match meant {
            // Escaped, the others may mean something else.
            Some(meant) => is_unreserved(meant),
            None => is_unreserved(byte) || b"!$&'()*+,;=:@/%".contains(&byte),
        };
        let byte = meant.unwrap_or(byte);
        if is_plain {
            escaped.push(char::from(byte));
        } else {
            let _infallible = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}
