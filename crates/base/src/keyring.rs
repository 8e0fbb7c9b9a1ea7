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
    /// The key file does not hold 64 hex digits.
    #[error("the secret key is not 64 hexadecimal digits")]
    BadKey,
    /// Damaged, moved from another row, or sealed under another key.
    #[error("a stored secret does not open with this key")]
    DoesNotOpen,
}

/// The key that seals and opens.
#[derive(Clone)]
pub struct Keyring {
    cipher: XChaCha20Poly1305,
    /// Keyed with the same key; it is never used without a label.
    derive: Hmac<Sha256>,
}

impl Keyring {
    /// Reads a key from its text form: 64 hex digits, surrounding blanks ignored.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bytes = hex::decode(text.trim()).map_err(|_| Error::BadKey)?;
        let cipher = XChaCha20Poly1305::new_from_slice(&bytes).map_err(|_| Error::BadKey)?;
        let derive =
            <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&bytes).map_err(|_| Error::BadKey)?;
        Ok(Self { cipher, derive })
    }

    /// A new key in text form.
    pub fn generate() -> Secret<String> {
        Secret::new(token::hex(64))
    }

    /// A key for one use, named by a label; the same for everybody who has this key.
    pub fn derive(&self, label: &str) -> Secret<[u8; 32]> {
        let mark = self
            .derive
            .clone()
            .chain_update(DERIVE)
            .chain_update(label.as_bytes());
        Secret::new(mark.finalize().into_bytes().into())
    }

    /// Seals `plain` for one place, e.g. `environments.db_password/17`.
    ///
    /// # Panics
    /// Only for values near 256 GiB.
    pub fn seal(&self, place: &str, plain: &Secret<String>) -> String {
        let mut nonce = [0; NONCE];
        token::fill(&mut nonce);
        let sealed = self
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
        let (nonce, body) = bytes
            .split_first_chunk::<NONCE>()
            .ok_or(Error::DoesNotOpen)?;
        let plain = self
            .cipher
            .decrypt(
                &XNonce::from(*nonce),
                Payload {
                    msg: body,
                    aad: place.as_bytes(),
                },
            )
            .map_err(|_| Error::DoesNotOpen)?;
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
