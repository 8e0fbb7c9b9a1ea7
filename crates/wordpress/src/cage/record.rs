//! What is known of a clone: written before anything of it is made, read whenever
//! something is started in it.

use super::program::Walls;
use crate::{
    Error, Result, disk,
    home::{Home, REHEARSALS},
};
use pressroom_base::Epoch;
use serde::{Deserialize, Serialize};
use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

const FILE: &str = "record.json";
const MADE: &str = "made";
/// Far more than the tables of a site.
const LARGEST: u64 = 1024 * 1024;

/// One clone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Who made it.
    pub epoch: Epoch,
    /// Its name: the epoch and eight random digits.
    pub handle: String,
    /// Directory of the live `wp-config.php`, relative to the home.
    pub root: String,
    /// The `php` command.
    pub php: String,
    /// `DB_NAME`.
    pub database: String,
    /// The live `DB_HOST`: the clone's own says where the gate is.
    pub db_host: String,
    /// Where the database's server is.
    pub upstream: Upstream,
    /// The live `$table_prefix`.
    pub live_prefix: String,
    /// The clone's.
    pub prefix: String,
    /// The live tables and views that are copied, whole names.
    pub sources: Vec<String>,
    /// What they are called in the clone, in the same order.
    pub tables: Vec<String>,
    /// How the site is addressed.
    pub address: Address,
    /// The directory of uploads, relative to WordPress, if it is in there.
    pub uploads: Option<String>,
    /// `PHP_VERSION_ID`, e.g. 80231.
    pub php_version: u32,
    /// What PHP may use, in megabytes, as a web request may.
    pub memory_mb: u32,
    /// What this host can do.
    pub walls: Walls,
    /// What the router asks for where others of this machine could reach it.
    pub secret: String,
}

/// Where a database's server is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Upstream {
    /// A socket of this machine.
    Socket(PathBuf),
    /// A machine and port.
    Tcp(String, u16),
}

/// How visitors address a site.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Address {
    /// Whether by TLS.
    pub https: bool,
    /// The name, with a port where that is not the usual one.
    pub host: String,
    /// The path of WordPress' own files, without a slash at its end.
    pub base: String,
    /// Whether sites of a network are directories.
    pub directories: bool,
}

impl Record {
    /// The directory of everything that belongs to it, absolute.
    pub fn dir(&self, home: &Home) -> PathBuf {
        dir(home, &self.handle)
    }

    /// Its WordPress, relative to the home.
    pub fn site_root(&self) -> String {
        format!("{}/site", relative(&self.handle))
    }

    /// Refuses one that names what no clone has: code of the site could have written it.
    pub fn check(&self) -> Result<()> {
        let random = self.handle.split_once('-').map_or("", |(_, random)| random);
        let own = |name: &String| name.starts_with(&self.prefix) && name.len() > self.prefix.len();
        if crate::home::is_rehearsal(&self.handle)
            && self.prefix == format!("prr{random}_")
            && self.live_prefix != self.prefix
            && self.tables.iter().all(own)
        {
            return Ok(());
        }
        Err(Error::BadInput(format!(
            "the record of the rehearsal `{}` is not one of ours",
            self.handle
        )))
    }

    /// Writes it, synced.
    pub fn write(&self, home: &Home) -> Result<()> {
        disk::write_json(&self.dir(home).join(FILE), self)
    }

    /// Remembers tables that are about to be made in the clone, beside those it began with.
    pub fn will_make(&self, home: &Home, tables: &[String]) -> Result<()> {
        let path = self.dir(home).join(MADE);
        let lines = tables.join("\n") + "\n";
        fs::OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| {
                file.write_all(lines.as_bytes())?;
                file.sync_data()
            })
            .map_err(|why| Error::io("write", path, why))
    }

    /// All names of tables that are its own, those that it made itself with them.
    pub fn all_tables(&self, home: &Home) -> Result<Vec<String>> {
        let path = self.dir(home).join(MADE);
        let made = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(why) if why.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(why) => return Err(Error::io("read", path, why)),
        };
        let mut all = self.tables.clone();
        for line in made.split(|byte| *byte == b'\n') {
            // A line that was cut off is a table that was not made.
            if let Ok(name) = std::str::from_utf8(line)
                && name.len() > self.prefix.len()
                && name.starts_with(&self.prefix)
                && !all.iter().any(|known| known == name)
            {
                all.push(name.to_owned());
            }
        }
        Ok(all)
    }
}

/// The directory of a clone, relative to the home.
pub(crate) fn relative(handle: &str) -> String {
    format!("{REHEARSALS}/{handle}")
}

/// The same, absolute.
pub(crate) fn dir(home: &Home, handle: &str) -> PathBuf {
    home.path().join(relative(handle))
}

/// The record of a clone; fails with [`Error::Missing`] where there is none.
pub(crate) fn read(home: &Home, handle: &str) -> Result<Record> {
    if !crate::home::is_rehearsal(handle) {
        return Err(Error::BadInput(format!("`{handle}` names no rehearsal")));
    }
    let path = dir(home, handle).join(FILE);
    let missing = || Error::Missing(format!("the rehearsal `{handle}`"));
    match fs::symlink_metadata(&path) {
        Ok(found) if found.is_file() && found.len() <= LARGEST => {}
        Ok(_) => {
            return Err(Error::BadInput(format!(
                "`{}` is no record",
                path.display()
            )));
        }
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Err(missing()),
        Err(why) => return Err(Error::io("look at", path, why)),
    }
    let bytes = fs::read(&path).map_err(|why| Error::io("read", &path, why))?;
    let record: Record = serde_json::from_slice(&bytes)
        .map_err(|why| Error::BadInput(format!("`{}` cannot be read: {why}", path.display())))?;
    record.check()?;
    if record.handle != handle {
        return Err(Error::BadInput(format!(
            "`{}` is another's",
            path.display()
        )));
    }
    Ok(record)
}

/// The clone in which a path relative to the home lies.
pub(crate) fn holding(home: &Home, root: &str) -> Result<Option<Record>> {
    match root
        .strip_prefix(REHEARSALS)
        .and_then(|rest| rest.strip_prefix('/'))
    {
        Some(rest) => read(home, rest.split('/').next().unwrap_or_default()).map(Some),
        None => Ok(None),
    }
}

/// The clone in which an absolute path lies.
pub(crate) fn holding_path(home: &Home, path: &Path) -> Result<Option<Record>> {
    let real = fs::canonicalize(home.path()).unwrap_or_else(|_| home.path().to_owned());
    let inside = [home.path(), &real]
        .into_iter()
        .find_map(|base| path.strip_prefix(base).ok());
    match inside.and_then(Path::to_str) {
        Some(inside) => holding(home, inside),
        None => Ok(None),
    }
}
