//! The keys by which hosts are known.

use russh::keys::{Algorithm, HashAlg, PublicKey};
use std::{
    fmt,
    str::FromStr,
    sync::{Arc, OnceLock},
};

/// The public key of a host.
#[derive(Clone, PartialEq, Eq)]
pub struct HostKey(Arc<PublicKey>);

impl HostKey {
    /// `SHA256:…`, as `ssh-keygen -l` shows it.
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }

    /// A key without what was remarked on it.
    pub(super) fn of(key: &PublicKey) -> Self {
        Self(Arc::new(PublicKey::new(key.key_data().clone(), "")))
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.0.algorithm()
    }
}

impl FromStr for HostKey {
    type Err = BadHostKey;

    /// Reads `ssh-ed25519 AAAA…`; a remark behind it is dropped.
    fn from_str(text: &str) -> Result<Self, BadHostKey> {
        let key = PublicKey::from_openssh(text.trim()).map_err(|_| BadHostKey)?;
        Ok(Self::of(&key))
    }
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.0.to_openssh().map_err(|_| fmt::Error)?;
        f.write_str(line.trim_end())
    }
}

impl fmt::Debug for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostKey({})", self.fingerprint())
    }
}

/// A text that is no host key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a host key looks like `ssh-ed25519 AAAA…`, as in a `known_hosts` file behind the name")]
pub struct BadHostKey;

/// The one key that a host may show. Clones share what is learned.
#[derive(Debug, Clone)]
pub struct Pin(Arc<OnceLock<HostKey>>);

impl Pin {
    /// The host is known by this key.
    pub fn known(key: HostKey) -> Self {
        Self(Arc::new(OnceLock::from(key)))
    }

    /// Nothing is known: the first key that is shown is the host's from then on, and
    /// [`Pin::key`] gives it to be kept.
    pub fn first_use() -> Self {
        Self(Arc::default())
    }

    /// The key, once one is known.
    pub fn key(&self) -> Option<&HostKey> {
        self.0.get()
    }

    /// Holds what a host shows against the key, or learns it; the pinned key when they
    /// differ.
    pub(super) fn check(&self, shown: &HostKey) -> Result<(), HostKey> {
        let pinned = self.0.get_or_init(|| shown.clone());
        if pinned == shown {
            Ok(())
        } else {
            Err(pinned.clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BadHostKey, HostKey, Pin};

    const ONE: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    const TWO: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA6rWI3G1sz07DnfFlrouTcysQlj2P+jpNSOEWD9OJ3X";

    #[test]
    fn the_first_key_stays() {
        let one: HostKey = format!("{ONE} root@web1").parse().unwrap();
        assert_eq!(one.to_string(), ONE);
        let two: HostKey = TWO.parse().unwrap();
        assert_eq!("ssh-ed25519 x".parse::<HostKey>(), Err(BadHostKey));
        let pin = Pin::first_use();
        assert_eq!(pin.key(), None);
        let shared = pin.clone();
        assert_eq!(pin.check(&one), Ok(()));
        assert_eq!(shared.check(&two), Err(one.clone()));
        assert_eq!(shared.key(), Some(&one));
        assert!(Pin::known(two).check(&one).is_err());
    }
}
