//! Asking for an import.

use crate::{
    Caller, Error, Fleet, Result, authorize::Action, jobs::Enqueue, principal::Identity, views::Job,
};
use pressroom_base::{Kind, catalog::event, id::EnvironmentId};
use serde::{Deserialize, Serialize};
use std::{
    fs::Metadata,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// A dump to import.
#[derive(Debug, Clone)]
pub struct ImportDatabase {
    /// The file, on the machine where jobs run. Only the operator at this machine's own
    /// command line may name one: the server opens it with its own rights.
    pub file: PathBuf,
    /// Leaves the dump in place even when the site is worse off with it.
    pub keep: bool,
}

/// What the job is given.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Payload {
    pub(super) file: PathBuf,
    pub(super) stamp: String,
    pub(super) keep: bool,
}

impl Fleet {
    /// Starts the import as a job. The site goes on with its tables until all of the
    /// dump is loaded; then they are exchanged at once, and exchanged back when the
    /// site does not survive it.
    ///
    /// Errors: `NotFound`, `Forbidden` (not the operator of this machine), `Invalid`
    /// (no such file), `Busy` with `OPERATION_RUNNING`.
    pub async fn import_database(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        import: ImportDatabase,
    ) -> Result<Job> {
        let row = self
            .environment_row(caller, Action::SiteDatabase, environment)
            .await?
            .env;
        if caller.principal.identity != Identity::Console {
            return Err(Error::new(
                Kind::Forbidden,
                "files are imported at the command line of the machine that has them",
            ));
        }
        let payload = Payload {
            stamp: stamp(&import.file).await?,
            file: import.file,
            keep: import.keep,
        };
        let job =
            Enqueue::writing("site_import", &row, &payload)?.with_event(event::SITE_IMPORT_STARTED);
        self.start_job(caller, Action::SiteDatabase, job).await
    }
}

/// Tells one state of a file from another. Only plain files with a whole path are
/// taken.
async fn stamp(path: &Path) -> Result<String> {
    if !path.is_absolute() {
        return Err(Error::invalid("the path of the file must be a whole one"));
    }
    let found = tokio::fs::metadata(path)
        .await
        .map_err(|error| Error::invalid(format!("`{}` cannot be read: {error}", path.display())))?;
    if !found.is_file() {
        return Err(Error::invalid(format!(
            "`{}` is no plain file",
            path.display()
        )));
    }
    Ok(stamp_of(&found))
}

/// Changes with the file.
pub(super) fn stamp_of(found: &Metadata) -> String {
    format!(
        "{}:{}:{}:{}.{:09}",
        found.dev(),
        found.ino(),
        found.len(),
        found.mtime(),
        found.mtime_nsec()
    )
}
