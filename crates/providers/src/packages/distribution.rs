//! The WordPress that a distribution ships unpacked.

use super::{
    Error, Result, archive,
    candidate::{Candidate, Place},
};
use std::{fs, path::PathBuf};

/// An unpacked WordPress.
#[derive(Debug)]
pub struct Distribution {
    path: PathBuf,
}

impl Distribution {
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    #[expect(clippy::unused_async, reason = "all sources are asked alike")]
    pub async fn candidates(&self) -> Result<Vec<Candidate>> {
        let file = self.path.join("wp-includes/version.php");
        let bytes = match fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io("read", file)(error)),
        };
        Ok(archive::core_version(&bytes)
            .map(|version| Candidate {
                version,
                locale: "en_US".into(),
                offered: true,
                requires_wordpress: None,
                requires_php: None,
                released: None,
                place: Place::Tree(self.path.clone()),
            })
            .into_iter()
            .collect())
    }
}
