//! The pool files that php-fpm is given, looked at before it is.
//!
//! `php-fpm -t` lets mistakes pass at which php-fpm ends instead of reloading: a user
//! that does not exist, a socket that two pools want, one that cannot be made. All
//! sites would be down, so these are looked for here.

use crate::hosting::{
    Error, Isolation, LocalHosting, Result,
    layout::{conf_names, read_if_there, write_atomically},
    unix_user,
};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
};

struct PoolFile {
    name: String,
    path: PathBuf,
    text: String,
    bytes: Vec<u8>,
    /// Whether Pressroom has a description of a domain of this name.
    ours: bool,
}

/// All pool files, by name.
pub struct PoolFiles {
    files: Vec<PoolFile>,
    isolation: Isolation,
    run: PathBuf,
    /// Files that are left out.
    pub excluded: Vec<PathBuf>,
}

impl PoolFiles {
    pub fn read(hosting: &LocalHosting) -> Result<Self> {
        let layout = hosting.layout();
        let excluded = read_excluded(hosting)?;
        let mut found = Self {
            files: Vec::new(),
            isolation: hosting.config().isolation,
            run: layout.run()?.join("fpm"),
            excluded: Vec::new(),
        };
        for name in conf_names(&layout.pools())? {
            let path = layout.pool(&name);
            let Some(bytes) = read_if_there(&path)? else {
                continue;
            };
            let ours = layout.described(&name).exists();
            // Whoever mended such a file has it loaded again.
            if !ours && excluded.get(&name) == Some(&digest(&bytes)) {
                found.excluded.push(path);
                continue;
            }
            found.files.push(PoolFile {
                text: String::from_utf8_lossy(&bytes).into_owned(),
                name,
                path,
                bytes,
                ours,
            });
        }
        Ok(found)
    }

    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.path.as_path())
    }

    /// Tells one set of files from any other.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for file in &self.files {
            hash.update(file.name.as_bytes());
            hash.update([0]);
            let len = u64::try_from(file.bytes.len()).unwrap_or(u64::MAX);
            hash.update(len.to_be_bytes());
            hash.update(&file.bytes);
        }
        hex::encode(&hash.finalize()[..6])
    }

    pub fn has_foreign(&self) -> bool {
        self.files.iter().any(|file| !file.ours)
    }

    /// Leaves out every foreign file as it is now.
    pub fn exclude_foreign(&self, hosting: &LocalHosting) -> Result<()> {
        let mut excluded = read_excluded(hosting)?;
        for file in self.files.iter().filter(|file| !file.ours) {
            excluded.insert(file.name.clone(), digest(&file.bytes));
        }
        let text = serde_json::to_vec(&excluded).unwrap_or_default();
        write_atomically(&hosting.layout().fpm_excluded(), &text, 0o600)
    }

    /// Pools whose Unix user is gone.
    pub fn orphans(&self) -> Result<Vec<String>> {
        if self.isolation == Isolation::None {
            return Ok(Vec::new());
        }
        let known = unix_user::user_names()?;
        Ok(self
            .files
            .iter()
            .filter(|file| values(&file.text, "user").any(|user| !known.contains(user)))
            .map(|file| file.name.clone())
            .collect())
    }

    /// Renames our own pools whose Unix user is gone, so that php-fpm has the others.
    pub fn set_orphans_aside(&self, hosting: &LocalHosting) -> Result<Self> {
        for domain in self.orphans()? {
            let Some(file) = self
                .files
                .iter()
                .find(|file| file.name == domain && file.ours)
            else {
                continue;
            };
            tracing::warn!(
                domain,
                "the pool's Unix user is gone, the pool is set aside"
            );
            fs::rename(&file.path, file.path.with_extension("orphan"))
                .map_err(Error::io("rename", &file.path))?;
        }
        Self::read(hosting)
    }

    /// Refuses files at which php-fpm would end.
    pub fn refuse_unfit(&self) -> Result<()> {
        let users = unix_user::user_names()?;
        let groups = unix_user::group_names()?;
        let mut listening: HashMap<&str, &PoolFile> = HashMap::new();
        for file in &self.files {
            if self.isolation == Isolation::UnixUsers {
                for (key, known) in [
                    ("user", &users),
                    ("listen.owner", &users),
                    ("group", &groups),
                    ("listen.group", &groups),
                ] {
                    if let Some(missing) = unknown(&file.text, key, known) {
                        return Err(file.unfit(format!("`{key} = {missing}` does not exist")));
                    }
                }
            }
            for listen in values(&file.text, "listen") {
                if let Some(other) = listening.insert(listen, file) {
                    // Of two, the stranger is the one that is wrong.
                    let (guilty, other) = if other.ours {
                        (file, other)
                    } else {
                        (other, file)
                    };
                    return Err(guilty.unfit(format!(
                        "`listen = {listen}` is also in `{}`",
                        other.path.display()
                    )));
                }
                if listen.starts_with('/') {
                    let dir = Path::new(listen).parent().unwrap_or(Path::new("/"));
                    if dir != self.run && !dir.is_dir() {
                        return Err(file.unfit(format!(
                            "`listen = {listen}` is in a directory that does not exist"
                        )));
                    }
                }
            }
        }
        Ok(())
    }
}

impl PoolFile {
    fn unfit(&self, message: String) -> Error {
        if self.ours {
            return Error::Refused {
                daemon: "php-fpm",
                message: format!("{}: {message}", self.path.display()),
            };
        }
        Error::Foreign {
            daemon: "php-fpm",
            file: self.path.clone(),
            message,
        }
    }
}

/// Values of a key over all sections of a file, as far as they can be read simply.
fn values<'a>(text: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines()
        .filter_map(move |line| {
            let (name, value) = line.split_once('=')?;
            (name.trim() == key).then(|| value.trim().trim_matches('"'))
        })
        // `$pool` and the like are php-fpm's to fill in.
        .filter(|value| !value.is_empty() && !value.contains('$'))
}

fn unknown<'a>(text: &'a str, key: &'a str, known: &BTreeSet<String>) -> Option<&'a str> {
    values(text, key)
        .find(|name| !known.contains(*name) && !name.bytes().all(|byte| byte.is_ascii_digit()))
}

fn read_excluded(hosting: &LocalHosting) -> Result<BTreeMap<String, String>> {
    let bytes = read_if_there(&hosting.layout().fpm_excluded())?.unwrap_or_default();
    // A damaged list leaves nothing out.
    Ok(serde_json::from_slice(&bytes).unwrap_or_default())
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(&Sha256::digest(bytes)[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_from_every_section() {
        let text = "[a]\nuser = one\n ; user = no\n[b]\nuser=\"two\"\nuser.x = no\nlisten = /run/$pool.sock\n";
        assert_eq!(values(text, "user").collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(values(text, "listen").count(), 0);
    }
}
