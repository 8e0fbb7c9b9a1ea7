//! A site in one archive: its tables as `database.sql`, its files below `files`, and
//! the manifest of both; or one of the two alone.
//!
//! The tables come first: what they name, an upload for instance, is in the files
//! that are read after them.

use crate::{
    Error, Result,
    archive::{Format, Packer, PackerOptions, Summary, TreeOptions},
    config::Settings,
    database::{
        dump::{self, DumpOptions, DumpReport},
        restore::{self, RestoreOptions, RestoreReport},
    },
    disk,
    home::Home,
    watch::Watch,
};
use pressroom_base::Epoch;
use serde::{Deserialize, Serialize};
use std::{fs::File, io::Write, os::unix::fs::OpenOptionsExt};

/// The tables, in an archive.
pub const DATABASE: &str = "database.sql";
/// The directory of the files, in an archive.
pub const FILES: &str = "files";

/// What of a site is in a snapshot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contents {
    /// Tables and files.
    #[default]
    Full,
    /// The tables alone.
    Database,
    /// The files alone.
    Files,
}

impl Contents {
    /// Whether the tables are in it.
    pub const fn has_database(self) -> bool {
        matches!(self, Self::Full | Self::Database)
    }

    /// Whether the files are in it.
    pub const fn has_files(self) -> bool {
        matches!(self, Self::Full | Self::Files)
    }

    /// Whether it holds all of what `part` is.
    pub const fn holds(self, part: Self) -> bool {
        (self.has_database() || !part.has_database()) && (self.has_files() || !part.has_files())
    }
}

/// What goes into a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotOptions {
    /// Which of both.
    #[serde(default)]
    pub contents: Contents,
    /// How it is packed.
    pub format: Format,
    /// Which tables.
    pub dump: DumpOptions,
    /// Whether caches and other programs' backups are left out; see
    /// [`crate::archive::USUAL_EXCLUDES`].
    pub usual_excludes: bool,
    /// More patterns of files to leave out.
    pub exclude: Vec<String>,
}

/// What went into a snapshot, as the site says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotReport {
    /// The files; no tree where they were not asked for.
    pub files: Summary,
    /// The tables, where they were asked for.
    pub database: Option<DumpReport>,
}

impl SnapshotReport {
    /// Tables that went into it.
    pub fn tables(&self) -> usize {
        self.database.as_ref().map_or(0, |dump| dump.tables.len())
    }

    /// Rows in them.
    pub fn rows(&self) -> u64 {
        self.database.as_ref().map_or(0, DumpReport::rows)
    }
}

/// Writes a snapshot of the WordPress in `root` to `out`.
pub fn take(
    home: &Home,
    root: &str,
    settings: &Settings,
    options: &SnapshotOptions,
    out: &mut dyn Write,
    watch: &Watch,
) -> Result<SnapshotReport> {
    let mut packer = Packer::new(home, &PackerOptions::new(options.format), out, watch)?;
    let database = if options.contents.has_database() {
        let report = packer.add_written(DATABASE, |sql| {
            dump::dump(settings, &options.dump, sql, watch)
        })?;
        Some(report)
    } else {
        None
    };
    if options.contents.has_files() {
        let tree = TreeOptions {
            source: root.to_owned(),
            usual_excludes: options.usual_excludes,
            exclude: options.exclude.clone(),
        };
        packer.add_tree(FILES, &tree)?;
    }
    Ok(SnapshotReport {
        files: packer.finish()?.summary(),
        database,
    })
}

/// Restores the tables of an unpacked snapshot; see [`restore::restore`].
pub fn restore_database(
    home: &Home,
    epoch: Epoch,
    settings: &Settings,
    staged: &str,
    options: &RestoreOptions,
    watch: &Watch,
) -> Result<RestoreReport> {
    let path = crate::archive::staged_path(home, staged)?.join(DATABASE);
    if !disk::exists(&path)? {
        return Err(Error::Missing(format!("{staged}/{DATABASE}")));
    }
    let mut sql = File::options()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(&path)
        .map_err(|why| Error::io("open", &path, why))?;
    restore::restore(home, epoch, settings, options, &mut sql, watch)
}

#[cfg(test)]
mod tests {
    use super::Contents::{self, Database, Files, Full};

    #[test]
    fn a_whole_holds_its_parts_and_a_part_itself() {
        let holds = |all: Contents| [Full, Database, Files].map(|part| all.holds(part));
        assert_eq!(holds(Full), [true, true, true]);
        assert_eq!(holds(Database), [false, true, false]);
        assert_eq!(holds(Files), [false, false, true]);
    }
}
