//! A whole site in one archive: its tables as `database.sql`, its files below
//! `files`, and the manifest of both.
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

/// What goes into a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotOptions {
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
    /// The files.
    pub files: Summary,
    /// The tables.
    pub database: DumpReport,
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
    let database = packer.add_written(DATABASE, |sql| {
        dump::dump(settings, &options.dump, sql, watch)
    })?;
    let tree = TreeOptions {
        source: root.to_owned(),
        usual_excludes: options.usual_excludes,
        exclude: options.exclude.clone(),
    };
    packer.add_tree(FILES, &tree)?;
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
