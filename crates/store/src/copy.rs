//! Whole copies of the store: every row as it was at one instant, in one file that either
//! database takes.
//!
//! A copy is text in a zstd frame: a line that says what it is, then each table with its
//! columns and a line for each row, then what there should have been of each. Secrets in it
//! stay sealed; it is of use only beside the key they were sealed with.

mod catalog;
mod export;
mod format;
mod import;
mod settle;

pub(crate) use catalog::migrations as applied;
pub use format::{Summary, TableSum};

use crate::{Error, Result, Store, migrate};
use pressroom_base::keyring::Keyring;
use sea_orm::{
    AccessMode, IsolationLevel, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use std::{
    fs::File,
    io::{BufReader, Write},
    path::{Path, PathBuf},
};

/// Writes a copy of the store while it is being used. Answers what is in it.
///
/// Errors: the database's; [`Error::Copy`] when `to` cannot be written.
pub async fn write<W: Write + Send>(store: &Store, to: W) -> Result<Summary> {
    let options = TransactionOptions {
        // What everybody sees in all tables is one instant.
        isolation_level: (!store.is_sqlite()).then_some(IsolationLevel::RepeatableRead),
        access_mode: (!store.is_sqlite()).then_some(AccessMode::ReadOnly),
        sqlite_transaction_mode: store.is_sqlite().then_some(SqliteTransactionMode::Deferred),
    };
    let instant = store.reader().begin_with_options(options).await?;
    let mut writer = format::Writer::new(to)?;
    export::all(&instant, store, &mut writer).await?;
    instant.commit().await?;
    writer.finish()
}

/// Loads a copy into a database that holds nothing yet, and brings it to this version. What
/// was loaded is read again and compared before it is kept. Work that was under way when the
/// copy was made is not taken up.
///
/// Errors: [`Error::NotEmpty`]; [`Error::Newer`]; [`Error::Copy`] when the copy is
/// damaged, incomplete, or holds a secret that the key does not open. Nothing is changed then.
pub async fn restore(url: &str, keyring: &Keyring, file: &Path) -> Result<Summary> {
    let mut reader = open(file, keyring)?;
    import::into(url, keyring, &mut reader).await
}

/// Loads a copy into a database of its own at `scratch`, which is removed again: what
/// [`restore`] would do can be done.
///
/// Errors: as [`restore`].
pub async fn check(keyring: &Keyring, file: &Path, scratch: &Path) -> Result<Summary> {
    let _removed = Scratch(scratch.to_path_buf());
    restore(&format!("sqlite://{}", scratch.display()), keyring, file).await
}

fn open(file: &Path, keyring: &Keyring) -> Result<format::Reader<BufReader<File>>> {
    let opened = File::open(file).map_err(|source| Error::File {
        path: file.to_path_buf(),
        source,
    })?;
    let reader = format::Reader::open(opened)?;
    if keyring.open(format::KEY_PLACE, &reader.header.key).is_err() {
        return Err(Error::Copy(
            "it was made under another secret key; put that key back first".to_owned(),
        ));
    }
    Ok(reader)
}

/// A database that nobody will miss.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm", ".lock"] {
            let _ = std::fs::remove_file(migrate::beside(&self.0, end));
        }
    }
}
