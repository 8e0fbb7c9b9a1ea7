//! What an entry of an archive may be called, and where a link may point.
//!
//! The same rules hold on the way in and out, so that whatever is packed can be
//! unpacked. A tar keeps names as the bytes they are on disk; a zip, which other
//! systems open as well, has only UTF-8 without backslashes and drive letters.

use crate::{Error, Result};

/// The longest path, in bytes: with the staging directory before it, it stays
/// below what Linux takes in one call.
pub const MAX_PATH: usize = 3000;
/// The longest part of a path, in bytes.
pub const MAX_PART: usize = 255;
/// How deep directories may be nested.
pub const MAX_DEPTH: usize = 128;

/// Which archive the name comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rules {
    Tar,
    Zip,
}

/// A path as it may be used below a directory: no slash at its end, no `.` parts;
/// empty for the directory itself.
pub(crate) fn clean(raw: &[u8], rules: Rules) -> Result<Vec<u8>> {
    let refuse = |why: &str| Err(refused(raw, why));
    if raw.is_empty() {
        return refuse("has no name");
    }
    if raw.contains(&0) {
        return refuse("has a NUL byte in its name");
    }
    if raw.starts_with(b"/") {
        return refuse("has an absolute path");
    }
    if rules == Rules::Zip {
        if raw.contains(&b'\\') {
            return refuse("has a backslash in its name");
        }
        if raw.get(1) == Some(&b':') {
            return refuse("has an absolute path");
        }
    }
    let mut path = Vec::with_capacity(raw.len());
    let mut depth = 0;
    for part in raw.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => continue,
            b".." => return refuse("climbs out of the archive"),
            _ => {}
        }
        if part.len() > MAX_PART {
            return refuse("has too long a name");
        }
        depth += 1;
        if depth > MAX_DEPTH {
            return refuse("is nested too deep");
        }
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(part);
    }
    if path.len() > MAX_PATH {
        return refuse("has too long a path");
    }
    Ok(path)
}

/// Whether a path that is on disk can be unpacked again under that name.
pub(crate) fn fits(path: &[u8], rules: Rules) -> bool {
    rules == Rules::Tar || (std::str::from_utf8(path).is_ok() && clean(path, rules).is_ok())
}

/// Whether a path is short and flat enough.
pub(crate) fn short(path: &[u8]) -> bool {
    path.len() <= MAX_PATH && path.split(|byte| *byte == b'/').count() <= MAX_DEPTH
}

/// Whether a link at `path` stays below the first `floor` parts of its path,
/// whatever other such links are there.
///
/// Only texts of the form `../../a/b` can be judged without the disk: climbing
/// first goes through real directories, which are known; a `..` after a name may
/// climb out of what that name links to.
pub(crate) fn stays(path: &[u8], target: &[u8], floor: usize) -> bool {
    if target.is_empty() || target.starts_with(b"/") || target.contains(&0) {
        return false;
    }
    let above = path.split(|byte| *byte == b'/').count() - 1;
    let mut climbs = 0;
    let mut named = false;
    for part in target.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if named => return false,
            b".." => climbs += 1,
            _ => named = true,
        }
    }
    climbs + floor <= above
}

/// An error about one entry.
pub(crate) fn refused(name: &[u8], why: &str) -> Error {
    Error::BadInput(format!("archive entry {} {why}", shown(name)))
}

/// A foreign name for a message: bounded, printable, in backticks.
pub(crate) fn shown(name: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(&name[..name.len().min(120)])
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect();
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cleaned_or_refused() {
        for (raw, cleaned) in [
            ("./a//b/", "a/b"),
            (".", ""),
            ("a/..b/...", "a/..b/..."),
            ("a\\b", "a\\b"),
        ] {
            assert_eq!(
                clean(raw.as_bytes(), Rules::Tar).unwrap(),
                cleaned.as_bytes()
            );
        }
        let deep = "d/".repeat(MAX_DEPTH + 1);
        let long = format!("{}x", "abcdefghi/".repeat(100)).repeat(4);
        let part = "x".repeat(MAX_PART + 1);
        for (raw, rules, word) in [
            ("", Rules::Tar, "no name"),
            ("/a", Rules::Tar, "absolute"),
            ("a/../b", Rules::Tar, "climbs"),
            ("..", Rules::Tar, "climbs"),
            ("a\0", Rules::Tar, "NUL"),
            ("a\\b", Rules::Zip, "backslash"),
            ("C:a", Rules::Zip, "absolute"),
            (deep.as_str(), Rules::Tar, "deep"),
            (long.as_str(), Rules::Tar, "too"),
            (part.as_str(), Rules::Tar, "too long a name"),
        ] {
            let why = clean(raw.as_bytes(), rules).unwrap_err().to_string();
            assert!(why.contains(word), "{raw:?}: {why}");
        }
    }

    #[test]
    fn links_stay_or_leave() {
        for (path, target, floor, ok) in [
            ("files/a", "b", 1, true),
            ("files/a/b", "../c", 1, true),
            ("files/a/b", "../../c", 1, false),
            ("files/a/b", "../../c", 0, true),
            ("files/a", "/etc", 0, false),
            ("files/a", "", 0, false),
            ("files/a", "b/../../../etc", 0, false),
            // `s` may be a link to the top: then this is outside.
            ("files/a", "s/..", 1, false),
            ("a", ".", 0, true),
            ("a", "..", 0, false),
        ] {
            assert_eq!(
                stays(path.as_bytes(), target.as_bytes(), floor),
                ok,
                "{path} -> {target}"
            );
        }
    }
}
