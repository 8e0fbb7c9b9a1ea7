//! Where a snapshot is, and in which form.

use crate::{Error, Key, Result};
use pressroom_base::id::{AccountId, EnvironmentId};
use serde::{Deserialize, Serialize};
use std::fmt;

const ROOT: &str = "snapshots";
const MANIFEST: &str = "json";

/// A snapshot's public name: 1 to 64 of `a-z0-9_-`, the first a letter or a digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SnapshotName(String);

impl SnapshotName {
    /// Reads one; [`Error::BadName`] when it is not.
    pub fn parse(text: &str) -> Result<Self> {
        let is_name = (1..=64).contains(&text.len())
            && !text.starts_with(['_', '-'])
            && text.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-')
            });
        if is_name {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::BadName(text.chars().take(80).collect()))
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SnapshotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for SnapshotName {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl From<SnapshotName> for String {
    fn from(id: SnapshotName) -> Self {
        id.0
    }
}

/// How a snapshot is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Format {
    /// A tar archive in zstd frames.
    #[serde(rename = "tar.zst")]
    TarZst,
    /// A zip archive.
    #[serde(rename = "zip")]
    Zip,
    /// A tar archive in gzip, as somebody sent it.
    #[serde(rename = "tar.gz")]
    TarGz,
    /// A tar archive, as somebody sent it.
    #[serde(rename = "tar")]
    Tar,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::TarZst, Self::Zip, Self::TarGz, Self::Tar];

    /// The end of the file's name, which is also the format's name.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::TarZst => "tar.zst",
            Self::Zip => "zip",
            Self::TarGz => "tar.gz",
            Self::Tar => "tar",
        }
    }

    /// Reads [`Format::extension`] back.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|format| format.extension() == name)
    }

    /// What an HTTP answer declares.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::TarZst => "application/zstd",
            Self::Zip => "application/zip",
            Self::TarGz => "application/gzip",
            Self::Tar => "application/x-tar",
        }
    }

    /// How many bytes [`Format::of_start`] needs to tell every format.
    pub const START: usize = 512;

    /// What an archive that begins so is packed as; `None` for what is no archive.
    pub fn of_start(start: &[u8]) -> Option<Self> {
        let tar = || start.get(257..262) == Some(b"ustar".as_slice());
        match start {
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::TarZst),
            // The second is the end of an empty one.
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            [0x1f, 0x8b, ..] => Some(Self::TarGz),
            _ => tar().then_some(Self::Tar),
        }
    }
}

/// Where a snapshot is. Account and environment are part of every key, so that a name
/// alone never reaches another's snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Whose it is.
    pub account: AccountId,
    /// What it is of.
    pub environment: EnvironmentId,
    /// Its name.
    #[serde(rename = "id")]
    pub name: SnapshotName,
}

impl Place {
    /// `snapshots/<account>/<environment>/<name>.tar.zst` or `….zip`.
    pub fn object_key(&self, format: Format) -> Result<Key> {
        self.key(format.extension())
    }

    /// `snapshots/<account>/<environment>/<name>.json`.
    pub fn manifest_key(&self) -> Result<Key> {
        self.key(MANIFEST)
    }

    /// The place of an archive, and how it is packed, by its key; `None` for what no
    /// archive would be called.
    pub fn of_object_key(key: &str) -> Option<(Self, Format)> {
        match of_key(&Key::parse(key).ok()?)? {
            (place, Part::Object(format)) => Some((place, format)),
            (_, Part::Manifest) => None,
        }
    }

    fn key(&self, extension: &str) -> Result<Key> {
        let below = environment_key(self.account, self.environment)?;
        Key::parse(&format!("{below}/{}.{extension}", self.name))
    }
}

/// What an object below `snapshots` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Manifest,
    Object(Format),
}

/// Reads a key back; `None` for what no snapshot would be called.
pub(super) fn of_key(key: &Key) -> Option<(Place, Part)> {
    let mut segments = key.as_str().split('/');
    let (root, account, environment, name) = (
        segments.next()?,
        segments.next()?,
        segments.next()?,
        segments.next()?,
    );
    if root != ROOT || segments.next().is_some() {
        return None;
    }
    let (name, extension) = name.split_once('.')?;
    let part = if extension == MANIFEST {
        Part::Manifest
    } else {
        Part::Object(Format::parse(extension)?)
    };
    let place = Place {
        account: account.parse().ok()?,
        environment: environment.parse().ok()?,
        name: SnapshotName::parse(name).ok()?,
    };
    // `+7` and `007` are numbers too.
    let canonical = match part {
        Part::Manifest => place.manifest_key(),
        Part::Object(format) => place.object_key(format),
    };
    (canonical.ok()? == *key).then_some((place, part))
}

/// The key above every snapshot.
pub(super) fn root_key() -> Result<Key> {
    Key::parse(ROOT)
}

/// The key above an account's snapshots.
pub(crate) fn account_key(account: AccountId) -> Result<Key> {
    Key::parse(&format!("{ROOT}/{account}"))
}

/// The key above an environment's snapshots.
pub(super) fn environment_key(account: AccountId, environment: EnvironmentId) -> Result<Key> {
    Key::parse(&format!("{ROOT}/{account}/{environment}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_names_are_refused() {
        for name in [
            "", ".", "..", "../x", "a/b", "a.json", "A", "a b", "-a", "_a", "a\0", "ä", "%2e",
        ] {
            assert!(SnapshotName::parse(name).is_err(), "{name:?}");
            let json = serde_json::to_string(name).expect("a string");
            assert!(serde_json::from_str::<SnapshotName>(&json).is_err());
        }
        assert!(SnapshotName::parse(&"a".repeat(65)).is_err());
    }

    proptest! {
        #[test]
        fn a_place_reads_back(account: i64, environment: i64, id in "[a-z0-9][a-z0-9_-]{0,63}") {
            let place = Place {
                account: AccountId::new(account),
                environment: EnvironmentId::new(environment),
                name: SnapshotName::parse(&id).expect("a name"),
            };
            let key = place.manifest_key().expect("a key");
            prop_assert_eq!(of_key(&key), Some((place.clone(), Part::Manifest)));
            for format in Format::ALL {
                let key = place.object_key(format).expect("a key");
                prop_assert_eq!(of_key(&key), Some((place.clone(), Part::Object(format))));
                let read = Place::of_object_key(key.as_str());
                prop_assert_eq!(read, Some((place.clone(), format)));
            }
        }

        #[test]
        fn other_keys_are_no_snapshots(text in "snapshots/[0-9+-]{1,3}/[0-9]{1,3}/[a-z.]{1,12}") {
            if let Ok(key) = Key::parse(&text)
                && let Some((place, part)) = of_key(&key)
            {
                let back = match part {
                    Part::Manifest => place.manifest_key(),
                    Part::Object(format) => place.object_key(format),
                };
                prop_assert_eq!(back.expect("a key"), key);
            }
        }
    }
}
