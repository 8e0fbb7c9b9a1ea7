//! The keys that seal and open, which may be exchanged while the store is used.

use pressroom_base::{
    Secret,
    keyring::{Error, Keyring},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock},
};

pub(crate) struct Keys(RwLock<Known>);

struct Known {
    keyring: Keyring,
    /// The file they are kept in, and what was last read there.
    file: Option<(PathBuf, String)>,
}

impl Keys {
    pub(crate) fn new(keyring: Keyring) -> Self {
        Self(RwLock::new(Known {
            keyring,
            file: None,
        }))
    }

    pub(crate) fn keep_in(&self, file: &Path) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.file = Some((file.to_path_buf(), String::new()));
    }

    pub(crate) fn current(&self) -> Keyring {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.keyring.clone()
    }

    /// Opens with the keys that are known; otherwise with those that are there by now.
    pub(crate) fn open(&self, place: &str, sealed: &str) -> Result<Secret<String>, Error> {
        match self.current().open(place, sealed) {
            Err(error) if !self.look_again().unwrap_or(false) => Err(error),
            Err(_) => self.current().open(place, sealed),
            opened => opened,
        }
    }

    /// Whether other keys are there than were read before.
    ///
    /// Errors: the file cannot be read, or holds no key, told once for each such file; the
    /// keys that were known stay.
    pub(crate) fn look_again(&self) -> io::Result<bool> {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let Some((file, before)) = &mut known.file else {
            return Ok(false);
        };
        let text = fs::read_to_string(&*file)?;
        if text == *before {
            return Ok(false);
        }
        before.clone_from(&text);
        known.keyring = Keyring::parse(&text).map_err(io::Error::other)?;
        Ok(true)
    }
}
