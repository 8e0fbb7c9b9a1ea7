//! What little is kept of an archive's content while it is looked into.

use super::intake::{Attributes, Sink};
use crate::{Result, snapshot::DATABASE, snapshot::FILES};
use std::collections::BTreeSet;

/// Of a line of SQL, or of a small file, as much as is looked at.
const LINE: usize = 8 * 1024;
/// Names that are remembered.
const MOST: usize = 10_000;
const VERSION: &str = "wp-includes/version.php";

/// What was seen so far.
#[derive(Default)]
pub(super) struct Glance {
    /// A dump of tables is in it, or what is called like one.
    pub(super) has_tables: bool,
    /// Files are in it that are no such thing.
    pub(super) has_others: bool,
    /// Parts at the top: in the archive, and in [`FILES`]; whether each is a directory.
    top: BTreeSet<(String, bool)>,
    top_of_files: BTreeSet<(String, bool)>,
    version: Vec<u8>,
    reading: Reading,
    dump: Dump,
}

#[derive(Default, PartialEq, Eq)]
enum Reading {
    #[default]
    Nothing,
    Version,
    Dump,
}

/// What a dump tells of its site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tables {
    /// What all names begin with.
    pub(super) prefix: String,
    /// The address.
    pub(super) home: Option<String>,
    /// Whether they are a network's.
    pub(super) network: bool,
}

/// A dump as it passes, line by line: each row of ours is one.
#[derive(Default)]
struct Dump {
    line: Vec<u8>,
    tables: BTreeSet<String>,
    /// The table that the rows at hand are of.
    table: Option<String>,
    /// Addresses by the table of options that names them.
    homes: Vec<(String, String)>,
}

impl Glance {
    pub(super) fn tables(&self) -> Option<Tables> {
        self.dump.judge()
    }

    /// Directories at the top, or files if there are none.
    pub(super) fn paths(&self, is_snapshot: bool, most: usize) -> Vec<String> {
        let top = if is_snapshot {
            &self.top_of_files
        } else {
            &self.top
        };
        let of = |directory| {
            top.iter()
                .filter(move |(_, is)| *is == directory)
                .map(|(name, _)| name.clone())
        };
        let directories: Vec<String> = of(true).take(most).collect();
        if directories.is_empty() {
            of(false).take(most).collect()
        } else {
            directories
        }
    }

    /// As `wp-includes/version.php` says it.
    pub(super) fn core_version(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.version);
        let line = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("$wp_version"))?;
        let version = line.split(['\'', '"']).nth(1)?;
        let is_one = (1..=40).contains(&version.len())
            && version
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte));
        is_one.then(|| version.to_owned())
    }

    fn remember(&mut self, path: &[u8], is_directory: bool) {
        note(&mut self.top, path, is_directory);
        let below = path
            .strip_prefix(FILES.as_bytes())
            .and_then(|rest| rest.strip_prefix(b"/"));
        if let Some(below) = below {
            note(&mut self.top_of_files, below, is_directory);
        }
    }

    fn file(&mut self, path: &[u8]) {
        self.remember(path, false);
        let name = path.to_ascii_lowercase();
        if name.ends_with(b".sql") || name.ends_with(b".sql.gz") {
            self.has_tables = true;
        } else {
            self.has_others = true;
        }
    }
}

fn note(top: &mut BTreeSet<(String, bool)>, path: &[u8], is_directory: bool) {
    let mut parts = path.splitn(2, |byte| *byte == b'/');
    let first = parts.next().unwrap_or_default();
    let is_directory = is_directory || parts.next().is_some();
    if top.len() < MOST {
        top.insert((String::from_utf8_lossy(first).into_owned(), is_directory));
    }
}

impl Sink for Glance {
    fn directory(&mut self, path: &[u8]) -> Result<()> {
        self.remember(path, true);
        Ok(())
    }

    fn begin(&mut self, path: &[u8]) -> Result<()> {
        self.file(path);
        let is_version = |path: &[u8]| path == VERSION.as_bytes();
        let below = path
            .strip_prefix(FILES.as_bytes())
            .and_then(|rest| rest.strip_prefix(b"/"));
        self.reading = if path == DATABASE.as_bytes() {
            Reading::Dump
        } else if is_version(path) || below.is_some_and(is_version) {
            self.version.clear();
            Reading::Version
        } else {
            Reading::Nothing
        };
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> Result<()> {
        match self.reading {
            Reading::Nothing => {}
            Reading::Version => keep(&mut self.version, bytes),
            Reading::Dump => self.dump.feed(bytes),
        }
        Ok(())
    }

    fn end(&mut self, _: Attributes) -> Result<()> {
        if self.reading == Reading::Dump {
            self.dump.end_of_line();
        }
        self.reading = Reading::Nothing;
        Ok(())
    }

    fn link(&mut self, path: &[u8], _: &[u8], _: u64) -> Result<()> {
        self.file(path);
        Ok(())
    }

    fn copy(&mut self, path: &[u8], _: &[u8], _: Attributes) -> Result<()> {
        self.file(path);
        Ok(())
    }
}

/// Appends as much as is looked at.
fn keep(to: &mut Vec<u8>, bytes: &[u8]) {
    let room = LINE.saturating_sub(to.len()).min(bytes.len());
    to.extend_from_slice(&bytes[..room]);
}

impl Dump {
    fn feed(&mut self, mut bytes: &[u8]) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            keep(&mut self.line, &bytes[..end]);
            self.end_of_line();
            bytes = &bytes[end + 1..];
        }
        keep(&mut self.line, bytes);
    }

    fn end_of_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        if let Some(rest) = line.strip_prefix("INSERT INTO ") {
            self.table = name(rest);
        } else if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
            self.table = None;
            if self.tables.len() < MOST {
                self.tables.extend(name(rest));
            }
        } else if line.starts_with('(')
            && let Some(table) = self
                .table
                .as_ref()
                .filter(|table| table.ends_with("options"))
            && let Some((_, value)) = line.split_once(",'home','")
            && let Some((value, _)) = value.split_once('\'')
            && self.homes.len() < MOST
        {
            self.homes.push((table.clone(), value.to_owned()));
        }
    }

    /// Of a network, each site has options; those of the first have the shortest name.
    fn judge(&self) -> Option<Tables> {
        let prefixes = self
            .tables
            .iter()
            .filter_map(|table| table.strip_suffix("options"));
        let prefix = prefixes.min_by_key(|prefix| prefix.len())?.to_owned();
        let has = |name: &str| self.tables.contains(&format!("{prefix}{name}"));
        let home = self
            .homes
            .iter()
            .find(|(table, _)| table.strip_suffix("options") == Some(&prefix));
        Some(Tables {
            home: home.map(|(_, home)| home.trim_end_matches('/').to_owned()),
            network: has("blogs") && has("site"),
            prefix,
        })
    }
}

/// A name in backticks at the beginning.
fn name(text: &str) -> Option<String> {
    let text = text.strip_prefix("IF NOT EXISTS ").unwrap_or(text);
    let (name, _) = text.strip_prefix('`')?.split_once('`')?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_tells_its_prefix_and_address() {
        let dump = "CREATE TABLE `wp_2_options` (\n  `a` int\n);\nCREATE TABLE `wp_options` (\n);\n\
                    CREATE TABLE `wp_blogs` (\n);\nCREATE TABLE `wp_site` (\n);\n\
                    INSERT INTO `wp_2_options` (`option_id`,`option_name`,`option_value`,`autoload`) VALUES\n\
                    (2,'home','http://two.example','on');\n\
                    INSERT INTO `wp_options` (`option_id`,`option_name`,`option_value`,`autoload`) VALUES\n\
                    (1,'siteurl','http://one.example/wp','on'),\n(2,'home','http://one.example/','on');\n\
                    INSERT INTO `wp_posts` (`ID`) VALUES\n(1,'home','http://lie.example');\n";
        for piece in [1, 7, 4000] {
            let mut seen = Dump::default();
            for bytes in dump.as_bytes().chunks(piece) {
                seen.feed(bytes);
            }
            seen.end_of_line();
            let tables = seen.judge().expect("tables");
            assert_eq!(tables.prefix, "wp_");
            assert_eq!(tables.home.as_deref(), Some("http://one.example"));
            assert!(tables.network);
        }
        assert_eq!(Dump::default().judge(), None);
    }
}
