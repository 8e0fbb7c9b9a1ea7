//! Numbers for sites' Unix users and their groups, each given out once.
//!
//! A number that is given out again would own whatever files its last user left
//! anywhere on the machine. So they come from ranges of their own, which no
//! distribution gives out of, and the last one is kept in a file: those of removed
//! users stay behind it.

use super::{
    Error, LocalHosting, Result,
    layout::{read_if_there, write_atomically},
};
use std::{
    collections::BTreeSet,
    fs,
    io::{self, ErrorKind},
    ops::RangeInclusive,
    path::PathBuf,
};

/// Where to look, in this order. Below 100000 nothing is ever set aside for containers,
/// and above 65535 nothing is anybody's; systemd's containers begin at 524288. The last
/// range, where people are, is for machines that are containers themselves and know no
/// numbers above 65535.
const RANGES: [RangeInclusive<u32>; 3] = [66_000..=99_999, 200_000..=519_999, 20_000..=59_999];

impl LocalHosting {
    /// A number that neither a user nor a group has or had. It is spent from now on.
    /// Call it with [`LocalHosting::ids_lock`] held.
    pub(super) fn spend_id(&self) -> Result<u32> {
        let path = self.ids();
        let last = match read_if_there(&path)? {
            None => None,
            Some(text) => Some(read(&text).ok_or_else(|| {
                Error::io("read", &path)(io::Error::new(
                    ErrorKind::InvalidData,
                    "it holds no user number",
                ))
            })?),
        };
        let id = next(last, &Taken::of_this_machine()?)
            .ok_or_else(|| Error::io("write", &path)(io::Error::other("no user number is left")))?;
        write_atomically(&path, format!("{id}\n").as_bytes(), 0o600)?;
        Ok(id)
    }

    /// Held while a number is chosen and used.
    pub(super) fn ids_lock(&self) -> PathBuf {
        self.layout().dir.join("unix-id.lock")
    }

    fn ids(&self) -> PathBuf {
        self.layout().dir.join("unix-id")
    }
}

/// Whether a number is of those given out here.
pub(super) fn is_ours(id: u32) -> bool {
    RANGES.iter().any(|range| range.contains(&id))
}

fn read(text: &[u8]) -> Option<u32> {
    let id = std::str::from_utf8(text).ok()?.trim().parse().ok()?;
    is_ours(id).then_some(id)
}

/// The first free number after the last one that was given out.
fn next(last: Option<u32>, taken: &Taken) -> Option<u32> {
    let begun = RANGES
        .iter()
        .position(|range| last.is_some_and(|last| range.contains(&last)))
        .unwrap_or(0);
    RANGES[begun..]
        .iter()
        .flat_map(|range| match last {
            Some(last) if range.contains(&last) => last + 1..=*range.end(),
            _ => range.clone(),
        })
        .find(|id| !taken.has(*id))
}

/// What others have.
#[derive(Debug, Default)]
struct Taken {
    /// Of users and of groups.
    ids: BTreeSet<u32>,
    /// Set aside for containers.
    spans: Vec<RangeInclusive<u32>>,
    /// What this machine can use, of users and of groups.
    usable: Vec<Vec<RangeInclusive<u32>>>,
}

impl Taken {
    fn of_this_machine() -> Result<Self> {
        let text = |path: &str| -> Result<String> {
            let bytes = read_if_there(path.as_ref())?.unwrap_or_default();
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        let mut taken = Self::default();
        for file in ["/etc/passwd", "/etc/group"] {
            taken.ids.extend(ids(&text(file)?));
        }
        for file in ["/etc/subuid", "/etc/subgid"] {
            taken.spans.extend(spans(&text(file)?));
        }
        for file in ["/proc/self/uid_map", "/proc/self/gid_map"] {
            // Without it there are no user namespaces: everything can be used.
            taken
                .usable
                .extend(fs::read_to_string(file).ok().map(|text| usable(&text)));
        }
        Ok(taken)
    }

    fn has(&self, id: u32) -> bool {
        self.ids.contains(&id)
            || self.spans.iter().any(|span| span.contains(&id))
            || !self
                .usable
                .iter()
                .all(|map| map.iter().any(|span| span.contains(&id)))
    }
}

/// The numbers in lines such as `name:x:1000:…`.
fn ids(text: &str) -> impl Iterator<Item = u32> {
    text.lines()
        .filter_map(|line| line.split(':').nth(2)?.parse().ok())
}

/// The ranges in lines such as `name:100000:65536`.
fn spans(text: &str) -> impl Iterator<Item = RangeInclusive<u32>> {
    text.lines().filter_map(|line| {
        let mut fields = line.split(':').skip(1);
        span(fields.next()?, fields.next()?)
    })
}

/// The ranges inside of this user namespace, in lines such as `0 100000 65536`.
fn usable(text: &str) -> Vec<RangeInclusive<u32>> {
    text.lines()
        .filter_map(|line| {
            let mut fields = line.split_whitespace();
            span(fields.next()?, fields.nth(1)?)
        })
        .collect()
}

fn span(first: &str, count: &str) -> Option<RangeInclusive<u32>> {
    let first: u32 = first.parse().ok()?;
    let count: u32 = count.parse().ok()?;
    Some(first..=first.saturating_add(count.checked_sub(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_through_the_ranges_and_never_return() {
        let free = Taken::default();
        assert_eq!(next(None, &free), Some(66_000));
        assert_eq!(next(Some(66_000), &free), Some(66_001));
        assert_eq!(next(Some(99_999), &free), Some(200_000));
        assert_eq!(next(Some(519_999), &free), Some(20_000));
        assert_eq!(next(Some(59_999), &free), None);
    }

    #[test]
    fn what_others_have_is_skipped() {
        let taken = Taken {
            ids: ids("a:x:66000:66000::/:/x\nbroken\nb:x:66002:\n").collect(),
            spans: spans("p:66003:97\nq:99990:65536\nr:1\ns:9:0\n").collect(),
            usable: Vec::new(),
        };
        assert_eq!(next(None, &taken), Some(66_001));
        assert_eq!(next(Some(66_001), &taken), Some(66_100));
        assert_eq!(next(Some(99_989), &taken), Some(200_000));
    }

    #[test]
    fn a_container_uses_what_it_has() {
        let whole = usable("         0          0 4294967295\n");
        let small = usable("0 100000 65536\n");
        let taken = Taken {
            usable: vec![whole.clone(), small],
            ..Taken::default()
        };
        assert_eq!(next(None, &taken), Some(20_000));
        let taken = Taken {
            usable: vec![whole.clone(), whole],
            ..Taken::default()
        };
        assert_eq!(next(None, &taken), Some(66_000));
    }

    #[test]
    fn a_file_that_says_nothing_is_not_begun_anew() {
        assert_eq!(read(b"66000\n"), Some(66_000));
        for text in [&b""[..], b"x", b"0", b"1000", b"\xff"] {
            assert_eq!(read(text), None);
        }
    }
}
