//! Names of objects.

use crate::{Error, Result};
use object_store::path::Path;
use std::fmt;

const SEGMENTS: usize = 12;
const LENGTH: usize = 512;
const SEGMENT_LENGTH: usize = 128;

/// The name of an object: segments of `A-Za-z0-9._-` with `/` between, none of them
/// empty or beginning with a dot. So no key climbs out of a directory, none means
/// another after decoding, and names with a dot in front are free for the store's own
/// use.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// Reads a key; [`Error::BadName`] when it is not one.
    pub fn parse(text: &str) -> Result<Self> {
        let fits = text.len() <= LENGTH
            && text.split('/').count() <= SEGMENTS
            && text.split('/').all(is_segment);
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::BadName(text.chars().take(LENGTH).collect()))
        }
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// What the store crate calls it, below a prefix of the store's own.
    pub(super) fn below(&self, prefix: Option<&Self>) -> Path {
        match prefix {
            Some(prefix) => Path::from(format!("{prefix}/{self}")),
            None => Path::from(self.0.as_str()),
        }
    }

    /// Reads back what [`Key::below`] made; `None` for what is not ours.
    pub(super) fn of_path(path: &Path, prefix: Option<&Self>) -> Option<Self> {
        let text = match prefix {
            Some(prefix) => path
                .as_ref()
                .strip_prefix(prefix.as_str())?
                .strip_prefix('/')?,
            None => path.as_ref(),
        };
        Self::parse(text).ok()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_segment(segment: &str) -> bool {
    !segment.is_empty()
        && segment.len() <= SEGMENT_LENGTH
        && !segment.starts_with('.')
        && segment
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_names_are_refused() {
        for name in [
            "", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/..", "a/.b", "a\\b",
            "a\0b", "a%2fb", "a b", "a#1", "ä", "a\n", "~", "C:", "a/./b",
        ] {
            assert!(Key::parse(name).is_err(), "{name:?}");
        }
        assert!(Key::parse(&"a".repeat(129)).is_err());
        assert!(Key::parse(&["a"; 13].join("/")).is_err());
    }

    proptest! {
        #[test]
        fn a_key_stays_below_its_prefix_and_reads_back(text in "\\PC{0,40}", tame in "[a-z./]{0,20}") {
            let prefix = Key::parse("pre/fix").expect("a key");
            for text in [text, tame] {
                if let Ok(key) = Key::parse(&text) {
                    prop_assert_eq!(key.as_str(), text.as_str());
                    for prefix in [None, Some(&prefix)] {
                        let path = key.below(prefix);
                        prop_assert_eq!(Key::of_path(&path, prefix), Some(key.clone()));
                    }
                    let joined = std::path::Path::new("/root").join(key.as_str());
                    prop_assert!(joined.components().all(|part| !matches!(
                        part,
                        std::path::Component::ParentDir | std::path::Component::CurDir
                    )));
                }
            }
        }
    }
}
