//! The tables: copied aside, readdressed, and put back exactly when need be.

use super::underway::Move;
use crate::{Error, Result, reach::told};
use pressroom_archive::{Key, Objects};
use pressroom_base::{Epoch, Kind};
use pressroom_carrier::Session;
use pressroom_store::StepState;
use pressroom_wordpress::database::{
    TableChecksum,
    dump::DumpOptions,
    replace::{ReplaceOptions, ReplaceReport},
    restore::RestoreOptions,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, DuplexStream};

const COPY: &str = "copy of the tables";
const REPLACE: &str = "tables";
const RESTORE: &str = "tables from before";
/// Between the site's pipe and the archive.
const BUFFER: usize = 1024 * 1024;

/// Written down before the old tables are loaded: enough for a successor to find what
/// they displaced.
#[derive(Debug, Serialize, Deserialize)]
struct Intent {
    epoch: Epoch,
}

/// Copies the tables into the archive and remembers their checksums. Nobody serves the
/// site, so that the copy is what a way back must lead to.
pub(super) async fn copy(work: &Move<'_>, session: &Session) -> Result<()> {
    let copying = async {
        let site = work.fleet.site_ref(&work.row);
        let objects = work.fleet.parts.archive.objects();
        let (mut dump, archive) = tokio::io::duplex(BUFFER);
        let dumping = async {
            let report = session
                .dump_database(site.clone(), DumpOptions::default(), &mut dump)
                .await;
            // The end of what the archive reads; whether it was the whole is in the report.
            drop(dump);
            report
        };
        let key = key(work)?;
        let receiving = receive(objects, &key, archive);
        let (report, received) = tokio::join!(dumping, receiving);
        received?;
        report?;
        Ok(session.database_checksums(site, Vec::new()).await?)
    };
    work.ctx.step(COPY, told(copying)).await?;
    Ok(())
}

async fn receive(objects: &Objects, key: &Key, mut from: DuplexStream) -> Result<()> {
    let mut upload = objects.upload(key, None).await?;
    let mut buffer = vec![0; BUFFER / 4];
    loop {
        let length = match from.read(&mut buffer).await {
            Ok(length) => length,
            Err(error) => {
                upload.abort().await;
                return Err(Error::internal(error));
            }
        };
        if length == 0 {
            upload.finish().await?;
            return Ok(());
        }
        if let Err(error) = upload.write(&buffer[..length]).await {
            upload.abort().await;
            return Err(error.into());
        }
    }
}

/// Lets go of the copy.
pub(super) async fn forget_copy(work: &Move<'_>) -> Result<()> {
    let objects = work.fleet.parts.archive.objects();
    Ok(objects.delete(&key(work)?).await?)
}

/// Replaces the old address, and the old home, in all tables of the site.
pub(super) async fn readdress(work: &Move<'_>, session: &Session) -> Result<()> {
    let told_ = &work.told;
    let homes = told_
        .renames()
        .then_some((told_.old_home.as_str(), told_.new_home.as_str()));
    let options = ReplaceOptions {
        pairs: told_.address.pairs(homes),
        run: format!("move-{}", work.ctx.id()),
        ..ReplaceOptions::default()
    };
    let replacing = async {
        let site = work.fleet.site_ref(&work.row);
        let report = session
            .search_replace(Some(work.ctx.epoch()), site, options)
            .await?;
        let figures = json!({
            "rows": report.rows, "replacements": report.replacements, "broken": report.broken,
        });
        match trouble(&report) {
            None => Ok(figures),
            Some(why) => Err(Error::new(Kind::Remote, why)),
        }
    };
    let figures: Value = work.ctx.step(REPLACE, told(replacing)).await?;
    work.ctx.line(format!(
        "{} texts replaced in {} rows",
        figures["replacements"], figures["rows"]
    ));
    if figures["broken"] != json!(0) {
        work.ctx.line(format!(
            "{} broken serialized values name the old address and were left as they are",
            figures["broken"]
        ));
    }
    Ok(())
}

fn trouble(report: &ReplaceReport) -> Option<String> {
    if report.failed > 0 {
        return Some(format!(
            "{} rows with the old address could not be written",
            report.failed
        ));
    }
    (report.verified == Some(false))
        .then(|| "the tables still hold the old address where it should be gone".to_owned())
}

/// Puts the tables of the copy in place, unless nothing differs from it, and looks
/// whether they are what they were.
pub(super) async fn take_back(work: &Move<'_>, session: &Session) -> Result<()> {
    if work.begun(REPLACE).await?.is_none() {
        return Ok(());
    }
    let (ctx, epoch) = (work.ctx, work.ctx.epoch());
    let site = work.fleet.site_ref(&work.row);
    let copied = ctx.done_step(COPY).await?.and_then(|step| step.result);
    let wanted: Vec<TableChecksum> =
        serde_json::from_value(copied.unwrap_or_default()).map_err(Error::internal)?;
    session.recover_database(epoch, site.clone()).await?;
    let now = session.database_checksums(site.clone(), Vec::new()).await?;
    if now != wanted {
        let intent = serde_json::to_value(Intent { epoch }).map_err(Error::internal)?;
        let step = ctx.begin_step(RESTORE, intent).await?;
        let copy = work
            .fleet
            .parts
            .archive
            .objects()
            .open(&key(work)?, None)
            .await?;
        let options = RestoreOptions {
            remove_unknown: true,
            ..RestoreOptions::default()
        };
        session
            .restore_database(epoch, site.clone(), options, copy)
            .await?;
        ctx.finish_step(step, StepState::Done, Value::Null).await?;
        let now = session.database_checksums(site.clone(), Vec::new()).await?;
        if now != wanted {
            return Err(Error::new(
                Kind::Remote,
                format!("the tables are not as before: {}", differing(&wanted, &now)),
            ));
        }
    }
    drop_displaced(work, session).await?;
    ctx.line(format!("{} tables are as before", wanted.len()));
    Ok(())
}

/// Drops the readdressed tables that the old ones displaced; only this job's, others
/// may keep theirs on purpose.
async fn drop_displaced(work: &Move<'_>, session: &Session) -> Result<()> {
    let begun: Vec<Intent> = work.ctx.intents(RESTORE).await?;
    let epochs: Vec<Epoch> = begun.iter().map(|intent| intent.epoch).collect();
    let (epoch, site) = (work.ctx.epoch(), work.fleet.site_ref(&work.row));
    let recovered = session.recover_database(epoch, site.clone()).await?;
    for aside in recovered.kept {
        if epochs.contains(&aside.epoch) {
            session
                .drop_database_aside(epoch, site.clone(), aside)
                .await?;
        }
    }
    Ok(())
}

fn differing(wanted: &[TableChecksum], now: &[TableChecksum]) -> String {
    let names: Vec<&str> = wanted
        .iter()
        .filter(|table| !now.contains(table))
        .chain(now.iter().filter(|table| !wanted.contains(table)))
        .map(|table| table.name.as_str())
        .collect();
    names.join(", ")
}

fn key(work: &Move<'_>) -> Result<Key> {
    Ok(Key::parse(&work.told.copy_key())?)
}
