//! Links that let whoever has them fetch one snapshot for a while.
//!
//! A link is `<content>.<mark>`, both base64url: the content says what may be fetched
//! and until when, the mark is an HMAC-SHA256 over it. Nothing is stored for it; a
//! link that may be used once carries a nonce, which its keeper remembers.

use crate::{Error, Place, Result, SnapshotName};
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use pressroom_base::{
    Timestamp,
    id::{AccountId, EnvironmentId},
    token,
};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::{fmt, time::Duration};

/// Sets this use of the fleet's key apart from any other.
const CONTEXT: &[u8] = b"pressroom/archive/link/v1";
const SHORTEST_KEY: usize = 32;
const LONGEST_LINK: usize = 1024;
const LONGEST_NAME: usize = 128;

/// What a link is for. One made for one purpose does not serve another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A person saves the archive.
    Download,
    /// Another Pressroom, or a site, fetches it to restore.
    Restore,
}

/// What a link lets its bearer do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The snapshot.
    pub place: Place,
    /// What for.
    pub purpose: Purpose,
    /// The name it is saved under, of `A-Za-z0-9._-`.
    pub file_name: String,
    /// The first second in which the link is no longer good, since 1970.
    pub expires_at: i64,
    /// Makes the link one that is used once: whoever honours it records this.
    pub nonce: Option<String>,
}

impl Grant {
    /// A grant from now on.
    pub fn new(place: Place, purpose: Purpose, file_name: &str, ttl: Duration) -> Self {
        Self {
            place,
            purpose,
            file_name: file_name.to_owned(),
            expires_at: Timestamp::now().plus(ttl).seconds(),
            nonce: None,
        }
    }

    /// The same, to be used once.
    #[must_use]
    pub fn once(self) -> Self {
        Self {
            nonce: Some(token::hex(32)),
            ..self
        }
    }
}

/// Why a link is not honoured. Whoever is refused learns no more than that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not one of ours, or changed.
    #[error("the link is not valid")]
    Forged,
    /// Its time is over.
    #[error("the link has expired")]
    Expired,
    /// Made for something else.
    #[error("the link is for another purpose")]
    Purpose,
}

/// Makes links and tells ours from others'.
#[derive(Clone)]
pub struct LinkSigner(Hmac<Sha256>);

/// The content, short because it stands in an address.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    a: AccountId,
    e: EnvironmentId,
    s: SnapshotName,
    p: Purpose,
    f: String,
    x: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<String>,
}

impl LinkSigner {
    /// Derives the signing key from the fleet's: at least 32 random bytes.
    pub fn new(key: &[u8]) -> Result<Self> {
        if key.len() < SHORTEST_KEY {
            return Err(Error::BadConfig(
                "the key for links is shorter than 32 bytes".to_owned(),
            ));
        }
        let derived = keyed(key)?.chain_update(CONTEXT).finalize().into_bytes();
        keyed(&derived).map(Self)
    }

    /// The link's text, fit for an address. Refused for a file name that is none.
    pub fn sign(&self, grant: &Grant) -> Result<String> {
        if !is_file_name(&grant.file_name) {
            return Err(Error::BadName(grant.file_name.chars().take(80).collect()));
        }
        let content = Content {
            a: grant.place.account,
            e: grant.place.environment,
            s: grant.place.name.clone(),
            p: grant.purpose,
            f: grant.file_name.clone(),
            x: grant.expires_at,
            n: grant.nonce.clone(),
        };
        let content =
            serde_json::to_vec(&content).map_err(|error| Error::BadName(error.to_string()))?;
        let mark = self.mark(&content).finalize().into_bytes();
        let link = format!(
            "{}.{}",
            BASE64URL_NOPAD.encode(&content),
            BASE64URL_NOPAD.encode(&mark)
        );
        if link.len() > LONGEST_LINK {
            return Err(Error::BadName(grant.file_name.clone()));
        }
        Ok(link)
    }

    /// What a link grants now, for a purpose. The mark is compared in constant time and
    /// before anything in the content is read.
    pub fn open(&self, link: &str, purpose: Purpose, now: Timestamp) -> Result<Grant, Refusal> {
        if link.len() > LONGEST_LINK {
            return Err(Refusal::Forged);
        }
        let (content, mark) = link.split_once('.').ok_or(Refusal::Forged)?;
        let decode = |text: &str| {
            BASE64URL_NOPAD
                .decode(text.as_bytes())
                .map_err(|_| Refusal::Forged)
        };
        let (content, mark) = (decode(content)?, decode(mark)?);
        self.mark(&content)
            .verify_slice(&mark)
            .map_err(|_| Refusal::Forged)?;
        let content: Content = serde_json::from_slice(&content).map_err(|_| Refusal::Forged)?;
        if now.seconds() >= content.x {
            return Err(Refusal::Expired);
        }
        if content.p != purpose {
            return Err(Refusal::Purpose);
        }
        Ok(Grant {
            place: Place {
                account: content.a,
                environment: content.e,
                name: content.s,
            },
            purpose: content.p,
            file_name: content.f,
            expires_at: content.x,
            nonce: content.n,
        })
    }

    fn mark(&self, content: &[u8]) -> Hmac<Sha256> {
        self.0.clone().chain_update(content)
    }
}

impl fmt::Debug for LinkSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkSigner(…)")
    }
}

fn keyed(key: &[u8]) -> Result<Hmac<Sha256>> {
    Hmac::new_from_slice(key).map_err(|error| Error::BadConfig(error.to_string()))
}

/// A name that needs no quoting in a header and hides nowhere on a disk.
fn is_file_name(name: &str) -> bool {
    name.len() <= LONGEST_NAME && !name.contains('/') && crate::Key::parse(name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_millis(1_779_100_765_999);

    fn signer() -> LinkSigner {
        LinkSigner::new(&[7; 32]).expect("long enough")
    }

    fn grant() -> Grant {
        Grant {
            place: Place {
                account: AccountId::new(3),
                environment: EnvironmentId::new(12),
                name: SnapshotName::parse("k3v9q2").expect("a name"),
            },
            purpose: Purpose::Download,
            file_name: "example.org-2026-05-18.tar.zst".into(),
            expires_at: NOW.seconds() + 60,
            nonce: None,
        }
    }

    #[test]
    fn a_link_grants_what_it_was_made_for_until_its_second() {
        let link = signer().sign(&grant()).expect("signs");
        assert!(
            link.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        );
        let open = |purpose, seconds| {
            signer().open(&link, purpose, Timestamp::from_millis(seconds * 1000))
        };
        let end = grant().expires_at;
        assert_eq!(open(Purpose::Download, end - 1), Ok(grant()));
        assert_eq!(open(Purpose::Download, end), Err(Refusal::Expired));
        assert_eq!(
            open(Purpose::Download, i64::MAX / 1000),
            Err(Refusal::Expired)
        );
        assert_eq!(open(Purpose::Restore, end - 1), Err(Refusal::Purpose));
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let link = signer().sign(&grant().once()).expect("signs");
        for at in 0..link.len() {
            for other in [b'A', b'B', b'_', b'.', b'='] {
                let mut bytes = link.clone().into_bytes();
                if bytes[at] == other {
                    continue;
                }
                bytes[at] = other;
                let forged = String::from_utf8(bytes).expect("ASCII");
                assert_eq!(
                    signer().open(&forged, Purpose::Download, NOW),
                    Err(Refusal::Forged),
                    "changed at {at}"
                );
            }
        }
        for cut in 0..link.len() {
            assert!(signer().open(&link[..cut], Purpose::Download, NOW).is_err());
        }
    }

    #[test]
    fn another_key_and_an_empty_mark_open_nothing() {
        let link = signer().sign(&grant()).expect("signs");
        let other = LinkSigner::new(&[8; 32]).expect("long enough");
        assert_eq!(
            other.open(&link, Purpose::Download, NOW),
            Err(Refusal::Forged)
        );
        let content = link.split('.').next().expect("content");
        for forged in [
            content.to_owned(),
            format!("{content}."),
            ".".into(),
            String::new(),
        ] {
            assert_eq!(
                signer().open(&forged, Purpose::Download, NOW),
                Err(Refusal::Forged)
            );
        }
        assert!(LinkSigner::new(&[7; 31]).is_err());
        // The fleet's key itself signs nothing.
        let mark = keyed(&[7; 32])
            .unwrap()
            .chain_update(BASE64URL_NOPAD.decode(content.as_bytes()).unwrap());
        let direct = format!(
            "{content}.{}",
            BASE64URL_NOPAD.encode(&mark.finalize().into_bytes())
        );
        assert_eq!(
            signer().open(&direct, Purpose::Download, NOW),
            Err(Refusal::Forged)
        );
        assert!(!format!("{:?}", signer()).contains('7'));
    }

    #[test]
    fn hostile_file_names_are_refused_and_nonces_differ() {
        for name in [
            "",
            "../x",
            "a/b",
            "a\"b",
            "a\r\nSet-Cookie: x",
            ".htaccess",
            "ä",
        ] {
            let grant = Grant {
                file_name: name.into(),
                ..grant()
            };
            assert!(signer().sign(&grant).is_err(), "{name:?}");
        }
        let (one, two) = (grant().once(), grant().once());
        assert_ne!(one.nonce, two.nonce);
        assert_ne!(signer().sign(&one).unwrap(), signer().sign(&two).unwrap());
    }

    proptest! {
        #[test]
        fn foreign_text_opens_nothing(text in "\\PC{0,60}", tame in "[A-Za-z0-9_.-]{0,80}") {
            for text in [text, tame] {
                prop_assert_eq!(signer().open(&text, Purpose::Download, NOW), Err(Refusal::Forged));
            }
        }
    }
}
