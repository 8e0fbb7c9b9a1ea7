//! Which files of a tree are not packed.
//!
//! A pattern without a slash is held against every name on a path; one with a slash
//! against the whole path. `*` and `?` stand for anything but a slash, `**` for
//! anything. What is below a matching directory is left out with it.

use crate::{Error, Result};

/// What is left out unless it is asked for: what WordPress and its plugins make
/// again by themselves, and the backups that other plugins keep beside the site.
pub const USUAL_EXCLUDES: [&str; 21] = [
    // Caches of pages, assets and objects.
    "**/wp-content/cache",
    "**/wp-content/et-cache",
    "**/wp-content/litespeed",
    "**/wp-content/wphb-cache",
    "**/wp-content/endurance-page-cache",
    "**/wp-content/uploads/cache",
    // Packages that an update unpacks, and what it moved out of its way.
    "**/wp-content/upgrade",
    "**/wp-content/upgrade-temp-backup",
    // Backups.
    "**/wp-content/updraft",
    "**/wp-content/ai1wm-backups",
    "**/wp-content/backups-dup-lite",
    "**/wp-content/backups-dup-pro",
    "**/wp-content/wpvividbackups",
    "**/wp-content/backuply",
    "**/wp-content/uploads/backupbuddy_backups",
    "**/wp-content/uploads/backup-guard",
    "**/wp-content/uploads/backwpup-*-backups",
    "**/wp-content/uploads/wpbackitup_backups",
    "**/wp-content/uploads/wp-clone",
    "**/wp-content/uploads/wp-migrate-db",
    "**/wp-snapshots",
];

const MAX_PATTERNS: usize = 200;
const MAX_PATTERN: usize = 500;

/// The patterns for one tree.
#[derive(Debug)]
pub(crate) struct Excludes {
    /// Held against the path from the home.
    usual: bool,
    own: Vec<String>,
    source: String,
}

impl Excludes {
    pub(crate) fn new(source: &str, usual: bool, own: &[String]) -> Result<Self> {
        if own.len() > MAX_PATTERNS {
            return Err(Error::BadInput(format!(
                "more than {MAX_PATTERNS} patterns of what to leave out"
            )));
        }
        for pattern in own {
            if pattern.is_empty() || pattern.len() > MAX_PATTERN || pattern.contains('\0') {
                return Err(Error::BadInput(format!(
                    "`{}` is no pattern",
                    pattern.chars().take(100).collect::<String>()
                )));
            }
        }
        let mut source = source.trim_end_matches('/').to_owned();
        if !source.is_empty() {
            source.push('/');
        }
        Ok(Self {
            usual,
            own: own.to_vec(),
            source,
        })
    }

    /// The pattern that leaves out a path (relative to the tree, no slash at its
    /// end). The directories above it were asked about before.
    pub(crate) fn matching(&self, path: &[u8]) -> Option<&str> {
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
        let own = self.own.iter().map(String::as_str).find(|pattern| {
            let pattern = pattern.trim_end_matches('/').as_bytes();
            if pattern.contains(&b'/') {
                let pattern = pattern.strip_prefix(b"/").unwrap_or(pattern);
                glob(pattern, path)
            } else {
                glob(pattern, name)
            }
        });
        if own.is_some() || !self.usual {
            return own;
        }
        let mut whole = self.source.clone().into_bytes();
        whole.extend_from_slice(path);
        USUAL_EXCLUDES
            .into_iter()
            .find(|pattern| glob(pattern.as_bytes(), &whole))
    }
}

/// What every text that matches ends with: the pattern behind its last sign that stands for
/// something else.
fn end(pattern: &[u8]) -> &[u8] {
    let Some(last) = pattern.iter().rposition(|sign| b"*?".contains(sign)) else {
        return pattern;
    };
    let (open, plain) = pattern.split_at(last + 1);
    // The slash of `**/` may stand for nothing.
    let plain_or_all = open.ends_with(b"**").then(|| plain.strip_prefix(b"/"));
    plain_or_all.flatten().unwrap_or(plain)
}

/// Whether a pattern matches all of a text. Takes at most their product in steps,
/// whatever the pattern.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    // Nearly everything is another file, which its end tells already.
    if !text.ends_with(end(pattern)) {
        return false;
    }
    // Which positions in the text the pattern so far can reach.
    let mut reach = vec![false; text.len() + 1];
    reach[0] = true;
    let mut rest = pattern;
    while let Some((first, after)) = rest.split_first() {
        if rest.starts_with(b"**/") {
            // Nothing, or any directories.
            let mut open = false;
            for at in 0..=text.len() {
                open |= reach[at];
                reach[at] = reach[at] || (open && at > 0 && text[at - 1] == b'/');
            }
            rest = &rest[3..];
            continue;
        }
        if *first == b'*' {
            let across = after.first() == Some(&b'*');
            let mut open = false;
            for at in 0..=text.len() {
                if at > 0 && text[at - 1] == b'/' && !across {
                    open = false;
                }
                open |= reach[at];
                reach[at] = open;
            }
            rest = if across { &after[1..] } else { after };
            continue;
        }
        for at in (1..=text.len()).rev() {
            let fits = *first == text[at - 1] || (*first == b'?' && text[at - 1] != b'/');
            reach[at] = fits && reach[at - 1];
        }
        reach[0] = false;
        rest = after;
    }
    reach[text.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match() {
        for (pattern, text, matches) in [
            ("*.log", "debug.log", true),
            ("*.log", "a/debug.log", false),
            ("**/*.log", "a/b/debug.log", true),
            ("**/*.log", "debug.log", true),
            ("a/**", "a/b/c", true),
            ("a/**", "ab", false),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("**/x", "ax", false),
            ("*", "", true),
            ("", "", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXbY", false),
            ("**", "a/b", true),
            ("**/b", "b", true),
            ("a/**/b", "a/b", true),
            ("?b", "b", false),
            ("?/b", "a/b", true),
        ] {
            assert_eq!(
                glob(pattern.as_bytes(), text.as_bytes()),
                matches,
                "{pattern} {text}"
            );
        }
        let evil = "*a".repeat(200);
        assert!(!glob(evil.as_bytes(), "b".repeat(3000).as_bytes()));
    }

    #[test]
    fn the_usual_ones_are_found_wherever_the_tree_begins() {
        for (source, path, found) in [
            ("public_html", "wp-content/cache", true),
            ("public_html/wp-content", "cache", true),
            ("public_html/wp-content/", "cache", true),
            ("", "public_html/wp-content/updraft", true),
            ("public_html", "cache", false),
            (
                "public_html",
                "wp-content/uploads/backwpup-4ab2-backups",
                true,
            ),
            ("public_html", "wp-content/plugins/cache", false),
        ] {
            let excludes = Excludes::new(source, true, &[]).unwrap();
            assert_eq!(
                excludes.matching(path.as_bytes()).is_some(),
                found,
                "{source} {path}"
            );
            let off = Excludes::new(source, false, &[]).unwrap();
            assert_eq!(off.matching(path.as_bytes()), None);
        }
        let own = Excludes::new("w", false, &["node_modules".into(), "/a/b/".into()]).unwrap();
        assert_eq!(own.matching(b"x/node_modules"), Some("node_modules"));
        assert_eq!(own.matching(b"a/b"), Some("/a/b/"));
        assert_eq!(own.matching(b"x/a/b"), None);
    }
}
