//! The private keys with which hosts are opened.

use pressroom_base::Secret;
use russh::keys::{
    self, Algorithm, HashAlg, PrivateKey, PrivateKeyWithHashAlg, decode_secret_key,
    key::safe_rng,
    ssh_key::{LineEnding, private::RsaKeypair},
};
use std::{fmt, sync::Arc};
use zeroize::Zeroizing;

/// Bits of an RSA key that is made here; the least of one that is imported.
const RSA_BITS: usize = 3072;
const LEAST_RSA_BITS: u32 = 2048;

/// The kinds of key that are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// Short, fast, and known to every server of the last ten years.
    Ed25519,
    /// For servers that know nothing else.
    Rsa,
}

/// A private key. It is wiped from memory when the last clone goes, and shows nothing
/// but its fingerprint.
#[derive(Clone)]
pub struct Key(Arc<PrivateKey>);

impl Key {
    /// Makes a new key. An RSA key takes a second or more.
    pub fn generate(kind: KeyKind, comment: &str) -> Result<Self, KeyError> {
        let made = match kind {
            KeyKind::Ed25519 => PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519),
            KeyKind::Rsa => RsaKeypair::random(&mut safe_rng(), RSA_BITS).map(PrivateKey::from),
        };
        let mut key = made.map_err(|error| KeyError::Malformed(error.to_string()))?;
        key.set_comment(comment);
        Ok(Self(Arc::new(key)))
    }

    /// Reads a key as `ssh-keygen` or `openssl` write it: OpenSSH's format, PKCS#8 or
    /// PKCS#1 in PEM.
    pub fn import(text: &str, passphrase: Option<&Secret<String>>) -> Result<Self, KeyError> {
        let given = passphrase.map(|passphrase| passphrase.expose().as_str());
        let key = decode_secret_key(text, given).map_err(|error| match (error, given) {
            (keys::Error::KeyIsEncrypted, _) => KeyError::PassphraseMissing,
            (keys::Error::SshKey(keys::ssh_key::Error::Crypto), Some(_)) => {
                KeyError::PassphraseWrong
            }
            (_, None) if text.contains("ENCRYPTED") => KeyError::PassphraseMissing,
            (_, Some(_)) if text.contains("ENCRYPTED") => KeyError::PassphraseWrong,
            (error, _) => KeyError::Malformed(error.to_string()),
        })?;
        match key.key_data() {
            keys::ssh_key::private::KeypairData::Ed25519(_) => {}
            keys::ssh_key::private::KeypairData::Rsa(pair) => {
                if pair.key_size() < LEAST_RSA_BITS {
                    return Err(KeyError::TooShort(pair.key_size()));
                }
            }
            _ => return Err(KeyError::Kind(key.algorithm().to_string())),
        }
        Ok(Self(Arc::new(key)))
    }

    /// The key in OpenSSH's format, without a passphrase, to be kept sealed.
    pub fn export(&self) -> Result<Secret<Zeroizing<String>>, KeyError> {
        let text = self.0.to_openssh(LineEnding::LF);
        text.map(Secret::new)
            .map_err(|error| KeyError::Malformed(error.to_string()))
    }

    /// The kind of the key.
    pub fn kind(&self) -> KeyKind {
        if self.is_rsa() {
            KeyKind::Rsa
        } else {
            KeyKind::Ed25519
        }
    }

    /// The line that opens an account, for its `authorized_keys`.
    pub fn public_line(&self) -> Result<String, KeyError> {
        let line = self.0.public_key().to_openssh();
        line.map_err(|error| KeyError::Malformed(error.to_string()))
    }

    /// `SHA256:…`, as `ssh-keygen -l` shows it.
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }

    pub(super) fn is_rsa(&self) -> bool {
        matches!(self.0.algorithm(), Algorithm::Rsa { .. })
    }

    /// The key as a signer; `hash` is for RSA.
    pub(super) fn signer(&self, hash: Option<HashAlg>) -> PrivateKeyWithHashAlg {
        PrivateKeyWithHashAlg::new(Arc::clone(&self.0), hash)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.public_key().key_data() == other.0.public_key().key_data()
    }
}

impl Eq for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.fingerprint())
    }
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key is encrypted and no passphrase was given.
    #[error("the key has a passphrase; give it, it is not kept")]
    PassphraseMissing,
    /// The passphrase does not open the key.
    #[error("the passphrase does not open the key")]
    PassphraseWrong,
    /// Neither Ed25519 nor RSA.
    #[error("a key of kind `{0}` is not used here; make one with `ssh-keygen -t ed25519`")]
    Kind(String),
    /// Fewer bits than are safe.
    #[error("an RSA key of {0} bits is not safe; make one with `ssh-keygen -t ed25519`")]
    TooShort(u32),
    /// Not a private key that could be read.
    #[error("this is no private key in OpenSSH's or PEM format: {0}")]
    Malformed(String),
}

#[cfg(test)]
mod tests {
    use super::{Key, KeyError, KeyKind};
    use pressroom_base::Secret;
    use std::{fs, process::Command};

    /// What `ssh-keygen` makes with these options.
    fn keygen(options: &[&str]) -> (String, String) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        let made = Command::new("ssh-keygen")
            .args(["-q", "-C", "someone"])
            .args(options)
            .arg("-f")
            .arg(&file)
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let public = fs::read_to_string(file.with_extension("pub")).unwrap();
        (fs::read_to_string(file).unwrap(), public.trim().to_owned())
    }

    #[test]
    fn a_key_made_here_is_read_again_and_shows_nothing() {
        let key = Key::generate(KeyKind::Ed25519, "pressroom").unwrap();
        let line = key.public_line().unwrap();
        assert!(line.starts_with("ssh-ed25519 AAAA") && line.ends_with(" pressroom"));
        let text = key.export().unwrap();
        let again = Key::import(text.expose(), None).unwrap();
        assert_eq!(again, key);
        assert_eq!(again.public_line().unwrap(), line);
        assert_eq!(format!("{key:?}"), format!("Key({})", key.fingerprint()));
    }

    #[test]
    fn keys_of_ssh_keygen_are_imported() {
        let secret = Secret::new("open sesame".to_owned());
        for options in [
            ["-t", "ed25519", "-m", "RFC4716"],
            ["-t", "rsa", "-m", "RFC4716"],
            ["-t", "rsa", "-m", "PEM"],
            ["-t", "rsa", "-m", "PKCS8"],
        ] {
            let plain = [options.as_slice(), &["-N", ""]].concat();
            let (text, public) = keygen(&plain);
            let key = Key::import(&text, None).unwrap();
            let line = key.public_line().unwrap();
            assert_eq!(
                line.split(' ').take(2).collect::<Vec<_>>(),
                public.split(' ').take(2).collect::<Vec<_>>(),
                "{options:?}"
            );
            let locked = [options.as_slice(), &["-N", "open sesame"]].concat();
            let (text, _) = keygen(&locked);
            let missing = Key::import(&text, None).unwrap_err();
            assert!(
                matches!(missing, KeyError::PassphraseMissing),
                "{options:?}: {missing:?}"
            );
            let wrong = Key::import(&text, Some(&Secret::new("guess".to_owned()))).unwrap_err();
            assert!(
                matches!(wrong, KeyError::PassphraseWrong),
                "{options:?}: {wrong:?}"
            );
            Key::import(&text, Some(&secret)).unwrap();
        }
    }

    #[test]
    fn other_keys_are_refused() {
        let (ecdsa, _) = keygen(&["-t", "ecdsa", "-N", ""]);
        assert!(matches!(Key::import(&ecdsa, None), Err(KeyError::Kind(_))));
        let (short, public) = keygen(&["-t", "rsa", "-b", "1024", "-N", ""]);
        assert!(Key::import(&short, None).is_err());
        assert!(matches!(
            Key::import(&public, None),
            Err(KeyError::Malformed(_))
        ));
    }
}
