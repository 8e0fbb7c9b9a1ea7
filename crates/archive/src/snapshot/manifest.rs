//! The manifest of a snapshot, as it stands in the store.

use super::{Format, Place};
use crate::{Error, Key, Result};
use pressroom_base::Timestamp;
use serde::{Deserialize, Serialize};

/// The version that is written. A reader takes this one and older ones.
const VERSION: u32 = 1;
/// The largest manifest that is read.
pub(super) const LIMIT: u64 = 1 << 20;

/// What is known of a snapshot. What we counted stands apart from what the site said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this form.
    pub version: u32,
    /// Where the snapshot is; a manifest that was copied elsewhere is not taken.
    #[serde(flatten)]
    pub place: Place,
    /// When it was stored, in milliseconds since 1970.
    pub created: Timestamp,
    /// How it is packed.
    pub format: Format,
    /// Bytes that arrived and were stored.
    pub size: u64,
    /// SHA-256 of them in lower-case hex.
    pub sha256: String,
    /// What the site said.
    pub said: Said,
}

/// What the site said of its archive: reported, not verified.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Said {
    /// Bytes it sent. Held against those that arrived.
    pub size: Option<u64>,
    /// SHA-256 of what it sent, hex. Held against what arrived.
    pub sha256: Option<String>,
    /// What of the site is in it: `full`, `database` or `files`; a whole site where
    /// nothing is said.
    pub contents: Option<String>,
    /// Entries in the archive.
    pub entries: Option<u64>,
    /// Bytes of the files before packing.
    pub bytes: Option<u64>,
    /// Hash of the tree of files.
    pub tree_hash: Option<String>,
    /// Tables in the dump.
    pub tables: Option<u64>,
    /// Rows in the dump.
    pub rows: Option<u64>,
    /// WordPress' version.
    pub wordpress_version: Option<String>,
    /// The site's address.
    pub url: Option<String>,
    /// The prefix of its tables.
    pub table_prefix: Option<String>,
    /// Whether it is a network of sites; not known of older snapshots.
    pub network: Option<bool>,
    /// The manifest inside the archive, or whatever else is worth keeping.
    #[serde(skip_serializing_if = "serde_json::Value::is_null")]
    pub more: serde_json::Value,
}

impl Manifest {
    pub(super) fn new(place: Place, format: Format, stored: crate::Stored, said: Said) -> Self {
        Self {
            version: VERSION,
            place,
            created: Timestamp::now(),
            format,
            size: stored.size,
            sha256: stored.sha256,
            said,
        }
    }

    pub(super) fn render(&self, key: &Key) -> Result<Vec<u8>> {
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| bad(key, &error))?;
        if bytes.len() as u64 > LIMIT {
            return Err(bad(key, &"it would be larger than a manifest may be"));
        }
        Ok(bytes)
    }

    /// Reads the manifest of `place`. Members it does not know are left out.
    pub(super) fn parse(key: &Key, place: &Place, bytes: &[u8]) -> Result<Self> {
        let manifest: Self = serde_json::from_slice(bytes).map_err(|error| bad(key, &error))?;
        if manifest.version == 0 || manifest.version > VERSION {
            return Err(bad(
                key,
                &format!("its version is {}, known is {VERSION}", manifest.version),
            ));
        }
        if manifest.place != *place {
            return Err(bad(key, &"it belongs to another snapshot"));
        }
        Ok(manifest)
    }
}

fn bad(key: &Key, reason: &dyn std::fmt::Display) -> Error {
    Error::BadManifest {
        key: key.to_string(),
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SnapshotName, Stored};
    use pressroom_base::id::{AccountId, EnvironmentId};
    use proptest::prelude::*;

    fn place() -> Place {
        Place {
            account: AccountId::new(1),
            environment: EnvironmentId::new(2),
            name: SnapshotName::parse("abc").expect("a name"),
        }
    }

    fn manifest() -> Manifest {
        let stored = Stored {
            size: 3,
            sha256: "00".into(),
        };
        Manifest::new(place(), Format::Zip, stored, Said::default())
    }

    #[test]
    fn reads_back_for_its_own_place_and_version_only() {
        let key = place().manifest_key().expect("a key");
        let bytes = manifest().render(&key).expect("renders");
        assert_eq!(
            Manifest::parse(&key, &place(), &bytes).unwrap(),
            manifest_at(&bytes)
        );
        let elsewhere = Place {
            account: AccountId::new(9),
            ..place()
        };
        assert!(Manifest::parse(&key, &elsewhere, &bytes).is_err());
        for version in [0, 2] {
            let newer = Manifest {
                version,
                ..manifest()
            };
            let bytes = newer.render(&key).expect("renders");
            assert!(Manifest::parse(&key, &place(), &bytes).is_err());
        }
    }

    fn manifest_at(bytes: &[u8]) -> Manifest {
        serde_json::from_slice(bytes).expect("reads")
    }

    #[test]
    fn a_manifest_of_a_later_minor_form_is_understood() {
        let key = place().manifest_key().expect("a key");
        let text = r#"{"version":1,"account":1,"environment":2,"id":"abc","created":5,
            "format":"tar.zst","size":7,"sha256":"ab","said":{"rows":3,"novelty":[1]},"colour":"red"}"#;
        let read = Manifest::parse(&key, &place(), text.as_bytes()).expect("reads");
        assert_eq!(read.said.rows, Some(3));
        assert_eq!(read.format, Format::TarZst);
    }

    proptest! {
        #[test]
        fn foreign_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let key = place().manifest_key().expect("a key");
            let _ = Manifest::parse(&key, &place(), &bytes);
        }
    }
}
