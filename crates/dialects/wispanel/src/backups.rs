//! T32, T33, T34: backups.

use crate::{
    lookup::{installation, named},
    wire::{BackupIn, BackupOut, RestoreIn, snapshot_name},
    work::running,
};
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{
    Error,
    authorize::Action,
    snapshots::{Contents, NewSnapshot, RestoreSnapshot},
};

/// Characters of a note.
const LONGEST_NOTE: usize = 200;

/// T32: a bare array, newest first; of one installation where one is named.
pub async fn list(call: Call) -> Result<Answer, Fault> {
    let of = match call.query("id")? {
        None => None,
        named => Some(installation(&call, named, Action::SiteRead).await?.id),
    };
    let found = call.fleet.list_kept_snapshots(&call.caller, of).await?;
    let backups: Vec<BackupOut> = found.into_iter().map(BackupOut::from).collect();
    Answer::ok(&backups)
}

/// T33: starts one.
pub async fn take(call: Call) -> Result<Answer, Fault> {
    let input: BackupIn = call.body()?;
    let environment = installation(&call, input.id.as_deref(), Action::SnapshotCreate).await?;
    if input
        .note
        .as_ref()
        .is_some_and(|note| note.chars().count() > LONGEST_NOTE)
    {
        return Err(Error::invalid("a note has at most 200 characters").into());
    }
    let new = NewSnapshot {
        contents: contents(input.r#type.as_deref())?.unwrap_or_default(),
        note: input.note.unwrap_or_default(),
        ..NewSnapshot::default()
    };
    let (_, job) = call
        .fleet
        .create_snapshot(&call.caller, environment.id, new)
        .await?;
    Answer::created(&running(job, "Backup started"))
}

/// T34: puts an installation back.
pub async fn restore(call: Call) -> Result<Answer, Fault> {
    let input: RestoreIn = call.body()?;
    let environment = installation(&call, input.id.as_deref(), Action::SnapshotRestore).await?;
    let id = input.backup_id.as_deref().filter(|id| !id.is_empty());
    let Some(id) = id else {
        return Err(Fault::Malformed("Backup ID is required".into()));
    };
    let restore = RestoreSnapshot {
        part: contents(input.r#type.as_deref())?,
        snapshot: snapshot_name(id)
            .ok_or_else(|| Error::not_found("Backup"))?
            .to_owned(),
        keep_present: input.safety_backup.unwrap_or(true),
        force: input.force.unwrap_or(false),
    };
    let job = call
        .fleet
        .restore_snapshot(&call.caller, environment.id, restore)
        .await
        .map_err(|error| named(error, "Backup"))?;
    Answer::ok(&running(job, "Restore started"))
}

fn contents(given: Option<&str>) -> Result<Option<Contents>, Fault> {
    Ok(Some(match given {
        None => return Ok(None),
        Some("full") => Contents::Full,
        Some("database") => Contents::Database,
        Some("files") => Contents::Files,
        Some(_) => {
            let text = "`type` must be `full`, `database` or `files`";
            return Err(Fault::Malformed(text.into()));
        }
    }))
}
