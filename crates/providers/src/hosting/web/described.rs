//! What is written down of each domain that this machine serves: enough to serve it
//! again in the words of a later version, by another program, or with a renewed
//! certificate, and to know what is no longer ours.

use super::WebSite;
use crate::hosting::{
    Error, LocalHosting, Result,
    layout::{read_if_there, remove_if_there, write_atomically},
};
use serde::{Deserialize, Serialize};
use std::{fs, io, path::Path};

/// A domain as it is served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    pub site: WebSite,
    /// Set once it is no longer ours to change.
    #[serde(default)]
    pub released: Option<Databases>,
}

/// What belongs to a domain and that only its records know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Databases {
    pub databases: Vec<String>,
    pub users: Vec<String>,
}

impl Described {
    /// What is written down of one domain.
    pub fn read(hosting: &LocalHosting, domain: &str) -> Result<Option<Self>> {
        let path = hosting.layout().described(domain);
        match read_if_there(&path)? {
            Some(bytes) => parse(&path, &bytes).map(Some),
            None => Ok(None),
        }
    }

    /// All domains, by name. Fails when one cannot be read: it might be released.
    pub fn all(hosting: &LocalHosting) -> Result<Vec<Self>> {
        Self::each(hosting)?.into_iter().collect()
    }

    /// All domains that can be read, by name.
    pub fn readable(hosting: &LocalHosting) -> Result<Vec<Self>> {
        let all = Self::each(hosting)?;
        Ok(all
            .into_iter()
            .filter_map(|read| {
                read.map_err(|error| {
                    let source = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::error!(%error, source, "a domain's description is damaged");
                })
                .ok()
            })
            .collect())
    }

    /// Writes it down.
    pub fn write(&self, hosting: &LocalHosting) -> Result<()> {
        let path = hosting.layout().described(&self.site.domain);
        let text = serde_json::to_vec_pretty(self).map_err(|error| Error::Io {
            what: "write",
            path: path.clone(),
            source: error.into(),
        })?;
        write_atomically(&path, &text, 0o600)
    }

    /// Forgets a domain.
    pub fn remove(hosting: &LocalHosting, domain: &str) -> Result<bool> {
        remove_if_there(&hosting.layout().described(domain))
    }

    fn each(hosting: &LocalHosting) -> Result<Vec<Result<Self>>> {
        let dir = hosting.layout().descriptions();
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io("list", &dir)(error)),
        };
        let mut paths: Vec<_> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.ends_with(".json") && !name.starts_with('.')
            })
            .collect();
        paths.sort();
        Ok(paths
            .iter()
            .filter_map(|path| match read_if_there(path) {
                Ok(bytes) => bytes.map(|bytes| parse(path, &bytes)),
                Err(error) => Some(Err(error)),
            })
            .collect())
    }
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Described> {
    serde_json::from_slice(bytes).map_err(|error| Error::Io {
        what: "read",
        path: path.to_path_buf(),
        source: error.into(),
    })
}
