//! Secrets at rest: XChaCha20-Poly1305 under a key that lives outside the store.
//!
//! A sealed value is `v1.<base64url(nonce ‖ ciphertext)>`. The place it belongs to
//! (table, column, row) is authenticated with it, so that a value copied into
//! another row does not open. Other uses of the key get keys of their own, derived
//! from it: none of them tells anything of another, or of the key itself.

use crate::{Secret, token};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Sets derived keys apart from whatever else may once be made of the key.
const DERIVE: &[u8] = b"pressroom/keyring/derive/v1/";
const PREFIX: &str = "v1.";
const NONCE: usize = 24;

/// Why a sealed value could not be opened.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// A line of the key file does not hold 64 hex digits, or there is none.
    #[error("the secret key is not 64 hexadecimal digits")]
    BadKey,
    /// Damaged, moved from another row, or sealed under another key.
    #[error("a stored secret does not open with this key")]
    DoesNotOpen,
}

/// The keys: the first seals, and all of them open, so that a key can be replaced.
#[derive(Clone)]
pub struct Keyring {
    /// Never empty.
    keys: Vec<Key>,
}

#[derive(Clone)]
struct Key {
    cipher: XChaCha20Poly1305,
    /// Keyed with the same key; it is never used without a label.
    derive: Hmac<Sha256>,
}

impl Key {
    fn parse(text: &str) -> Result<Self, Error> {
        let bytes = hex::decode(text).map_err(|_| Error::BadKey)?;
        let cipher = XChaCha20Poly1305::new_from_slice(&bytes).map_err(|_| Error::BadKey)?;
        let derive =
            <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&bytes).map_err(|_| Error::BadKey)?;
        Ok(Self { cipher, derive })
    }

    fn derive(&self, label: &str) -> Secret<[u8; 32]> {
        let mark = self
            .derive
            .clone()
            .chain_update(DERIVE)
            .chain_update(label.as_bytes());
        Secret::new(mark.finalize().into_bytes().into())
    }

    fn open(&self, place: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE>()?;
        let payload = Payload {
            msg: body,
            aad: place.as_bytes(),
        };
        self.cipher.decrypt(&XNonce::from(*nonce), payload).ok()
    }
}

impl Keyring {
    /// Reads keys from their text form: 64 hex digits each, one a line, surrounding blanks
    /// ignored. A `+` before one says that it will seal later; here it is a key like others.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let keys = lines
            .map(|line| Key::parse(line.strip_prefix('+').unwrap_or(line)))
            .collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(Error::BadKey);
        }
        Ok(Self { keys })
    }

    /// A new key in text form.
    pub fn generate() -> Secret<String> {
        Secret::new(token::hex(64))
    }

    /// The key that seals, alone.
    #[must_use]
    pub fn newest(&self) -> Self {
        Self {
            keys: self.keys.iter().take(1).cloned().collect(),
        }
    }

    /// A key for one use, named by a label; the same for everybody who has the key that
    /// seals.
    pub fn derive(&self, label: &str) -> Secret<[u8; 32]> {
        self.keys[0].derive(label)
    }

    /// The same of every key, that of the one that seals first: what was made with an
    /// older one is good for a while.
    pub fn derive_each(&self, label: &str) -> Vec<Secret<[u8; 32]>> {
        self.keys.iter().map(|key| key.derive(label)).collect()
    }

    /// Seals `plain` for one place, e.g. `environments.db_password/17`.
    ///
    /// # Panics
    /// Only for values near 256 GiB.
    pub fn seal(&self, place: &str, plain: &Secret<String>) -> String {
        let mut nonce = [0; NONCE];
        token::fill(&mut nonce);
        let sealed = self.keys[0]
            .cipher
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: plain.expose().as_bytes(),
                    aad: place.as_bytes(),
                },
            )
            .expect("the value is shorter than the cipher's limit");
        let mut bytes = nonce.to_vec();
        bytes.extend(sealed);
        format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes))
    }

    /// Opens what [`Keyring::seal`] made for the same place.
    pub fn open(&self, place: &str, sealed: &str) -> Result<Secret<String>, Error> {
        let bytes = sealed
            .strip_prefix(PREFIX)
            .and_then(|body| BASE64URL_NOPAD.decode(body.as_bytes()).ok())
            .ok_or(Error::DoesNotOpen)?;
        let plain = self
            .keys
            .iter()
            .find_map(|key| key.open(place, &bytes))
            .ok_or(Error::DoesNotOpen)?;
        String::from_utf8(plain)
            .map(Secret::new)
            .map_err(|_| Error::DoesNotOpen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_in_its_place_and_with_its_key() {
        let keys = Keyring::parse(Keyring::generate().expose()).expect("generated");
        let other = Keyring::parse(Keyring::generate().expose()).expect("generated");
        let sealed = keys.seal("environments.db_password/1", &Secret::new("pw".into()));
        let opened = keys.open("environments.db_password/1", &sealed);
        assert_eq!(opened.expect("opens").expose(), "pw");
        assert!(keys.open("environments.db_password/2", &sealed).is_err());
        assert!(other.open("environments.db_password/1", &sealed).is_err());
        assert!(keys.open("x", "v1.AAAA").is_err());
        assert!(Keyring::parse("zz").is_err());
    }

    #[test]
    fn the_first_key_seals_and_all_of_them_open() {
        let (old, new) = (Keyring::generate(), Keyring::generate());
        let before = Keyring::parse(old.expose()).expect("a key");
        let both = Keyring::parse(&format!("{}\n\n {}\n", new.expose(), old.expose()));
        let both = both.expect("two keys");
        let (earlier, later) = (
            before.seal("x", &Secret::new("1".into())),
            both.seal("x", &Secret::new("2".into())),
        );
        assert_eq!(both.open("x", &earlier).expect("opens").expose(), "1");
        assert_eq!(both.open("x", &later).expect("opens").expose(), "2");
        assert!(before.open("x", &later).is_err());
        assert!(both.newest().open("x", &earlier).is_err());
        assert!(both.newest().open("x", &later).is_ok());
        let keys = both.derive_each("links");
        assert_eq!(keys[0].expose(), both.derive("links").expose());
        assert_eq!(keys[1].expose(), before.derive("links").expose());
        assert!(Keyring::parse(" \n").is_err());
        assert!(Keyring::parse(&format!("{}\nzz", old.expose())).is_err());
    }

    #[test]
    fn each_use_has_a_key_of_its_own() {
        let text = "00".repeat(32);
        let keys = Keyring::parse(&text).expect("a key");
        let again = Keyring::parse(&text).expect("a key");
        let other = Keyring::parse(&"01".repeat(32)).expect("a key");
        let one = keys.derive("links");
        assert_eq!(one.expose(), again.derive("links").expose());
        assert_ne!(one.expose(), keys.derive("links2").expose());
        assert_ne!(one.expose(), other.derive("links").expose());
        assert_ne!(one.expose(), &[0; 32]);
    }
}
