//! Taking a snapshot: the site packs, the archive receives, and what was stored is
//! read back before it counts.

use super::{
    NewSnapshot,
    create::{Payload, contents_of, format_of, place_of},
    tell,
};
use crate::{Error, Fleet, Result, reach::told, teller::Teller};
use async_trait::async_trait;
use pressroom_agent::protocol::SiteRef;
use pressroom_archive::{Received, Said, Streaming};
use pressroom_base::{Kind, catalog::event};
use pressroom_carrier::Session;
use pressroom_jobs::{Interruption, JobContext, JobFailure, JobKind};
use pressroom_store::{
    EnvironmentRow, Lookup, Scope, SnapshotContents, SnapshotRow, SnapshotState, StoredSnapshot,
    snapshots,
};
use pressroom_wordpress::{
    archive::{Format, Why},
    database::dump::{DumpOptions, DumpReport},
    snapshot::{SnapshotOptions, SnapshotReport},
};
use serde_json::{Value, json};

/// Between the site's pipe and the archive.
const BUFFER: usize = 1024 * 1024;

/// Takes one snapshot.
pub(crate) struct SnapshotJob(pub(crate) Fleet);

#[async_trait]
impl JobKind for SnapshotJob {
    fn name(&self) -> &'static str {
        "site_snapshot"
    }

    fn interruption(&self) -> Interruption {
        // Undone, unless it was only its end that was not written: `run` looks.
        Interruption::Resume
    }

    async fn run(&self, ctx: &JobContext) -> std::result::Result<Value, JobFailure> {
        if ctx.attempt() > 1 {
            let payload: Payload = ctx.payload()?;
            let snapshot = self.0.snapshot_row(&payload.snapshot).await?;
            return match snapshot.state {
                SnapshotState::Ready => Ok(json!({ "snapshot": snapshot.public_id })),
                _ => Err(JobFailure::new(Kind::Remote, "Interrupted")),
            };
        }
        Ok(Box::pin(run(&self.0, ctx)).await?)
    }

    fn undo_unbegun(&self) -> bool {
        // The recorded snapshot holds a part of the account's quota.
        true
    }

    /// What did not become a snapshot leaves nothing in the archive.
    async fn undo(
        &self,
        ctx: &JobContext,
        why: &JobFailure,
    ) -> std::result::Result<(), JobFailure> {
        let payload: Payload = ctx.payload()?;
        let snapshot = self.0.snapshot_row(&payload.snapshot).await?;
        Ok(give_up(&self.0, ctx, &snapshot, &why.message).await?)
    }
}

async fn run(fleet: &Fleet, ctx: &JobContext) -> Result<Value> {
    let payload: Payload = ctx.payload()?;
    let row = fleet.row_of_job(ctx).await?;
    let snapshot = fleet.snapshot_row(&payload.snapshot).await?;
    let session = fleet.open_site(ctx, &row).await?;
    take(fleet, ctx, &session, &row, &snapshot).await
}

/// Makes a recorded snapshot, verifies it, and records what it is.
pub(super) async fn take(
    fleet: &Fleet,
    ctx: &JobContext,
    session: &Session,
    row: &EnvironmentRow,
    snapshot: &SnapshotRow,
) -> Result<Value> {
    let (report, received) = ctx
        .step(
            "pack",
            told(async {
                let (report, received) = pack(fleet, ctx, session, row, snapshot).await?;
                Ok(Packed(report, Some(received)))
            }),
        )
        .await?
        .into_parts()?;
    tell(ctx, &report);
    ctx.progress(60, "the site is packed").await?;
    let manifest = received.commit(said(row, &report)).await?;
    ctx.step("verify", told(fleet.read_back(snapshot, ctx.cancelled())))
        .await?;
    ctx.progress(90, "it was read back whole").await?;
    let tx = ctx.begin().await?;
    fleet
        .refuse_without_room(&tx, snapshot, manifest.size)
        .await?;
    snapshots::finish(
        &tx,
        snapshot.id,
        StoredSnapshot {
            size: i64::try_from(manifest.size).unwrap_or(i64::MAX),
            sha256: manifest.sha256.clone(),
            wordpress_version: row.core_version.clone(),
        },
    )
    .await?;
    snapshots::mark_verified(&tx, snapshot.id).await?;
    let told = json!({
        "snapshot": snapshot.public_id,
        "url": row.url,
        "bytes": manifest.size,
        "kind": snapshot.contents.as_str(),
    });
    let teller = Teller::of_job(ctx);
    tell::happened(&tx, event::SNAPSHOT_CREATED, snapshot, teller, told).await?;
    tx.commit().await?;
    ctx.line(format!(
        "snapshot `{}`: {} files, {} tables, {} bytes packed",
        snapshot.public_id,
        files_in(&report),
        report.tables(),
        manifest.size
    ));
    Ok(json!({
        "snapshot": snapshot.public_id,
        "bytes": manifest.size,
        "sha256": manifest.sha256,
        "files": files_in(&report),
        "tables": report.tables(),
    }))
}

/// Files of the site in it, without the tables' dump.
fn files_in(report: &SnapshotReport) -> u64 {
    let dump = u64::from(report.database.is_some());
    report.files.totals.files.saturating_sub(dump)
}

/// Takes a snapshot of a site as it is now, for a job that is about to change it, so
/// that a person can go back later.
pub(crate) async fn keep_present(
    fleet: &Fleet,
    ctx: &JobContext,
    session: &Session,
    row: &EnvironmentRow,
    name: &str,
    new: &NewSnapshot,
) -> Result<()> {
    let tx = ctx.begin().await?;
    let kept = fleet
        .begin_snapshot(&tx, row, name, new, Some(ctx.id()))
        .await?;
    tx.commit().await?;
    if let Err(error) = take(fleet, ctx, session, row, &kept).await {
        give_up(fleet, ctx, &kept, error.message()).await?;
        return Err(error);
    }
    Ok(())
}

/// What a step carries out of itself; only the report is written to its row.
struct Packed(SnapshotReport, Option<Received>);

impl serde::Serialize for Packed {
    fn serialize<S: serde::Serializer>(
        &self,
        serializer: S,
    ) -> std::result::Result<S::Ok, S::Error> {
        self.0.files.totals.serialize(serializer)
    }
}

impl Packed {
    fn into_parts(self) -> Result<(SnapshotReport, Received)> {
        match self.1 {
            Some(received) => Ok((self.0, received)),
            None => Err(Error::new(Kind::Internal, "nothing was received")),
        }
    }
}

async fn pack(
    fleet: &Fleet,
    ctx: &JobContext,
    session: &Session,
    row: &EnvironmentRow,
    snapshot: &SnapshotRow,
) -> Result<(SnapshotReport, Received)> {
    let format = format_of(snapshot.format);
    let options = SnapshotOptions {
        contents: contents_of(snapshot),
        format: match format {
            pressroom_archive::Format::TarZst => Format::TarZst,
            pressroom_archive::Format::Zip => Format::Zip,
            pressroom_archive::Format::TarGz | pressroom_archive::Format::Tar => {
                return Err(Error::invalid("no site packs a snapshot like that"));
            }
        },
        dump: DumpOptions::default(),
        usual_excludes: true,
        // They have snapshots of their own.
        exclude: fleet
            .sites_below(row)
            .await?
            .into_iter()
            .map(|path| format!("/{path}"))
            .collect(),
    };
    let streaming = Streaming {
        limit: fleet.room_for(snapshot).await?,
        cancel: ctx.cancelled().clone(),
        ..Streaming::default()
    };
    let place = place_of(snapshot)?;
    let (mut site, archive) = tokio::io::duplex(BUFFER);
    let packing = async {
        let report = session
            .take_snapshot(fleet.site_ref(row), options, &mut site)
            .await;
        // The end of what the archive reads; whether it was the whole is in the report.
        drop(site);
        report
    };
    let receiving = fleet
        .parts
        .archive
        .receive(&place, format, archive, &streaming);
    match tokio::join!(packing, receiving) {
        (Ok(report), Ok(received)) => Ok((report, received)),
        // A full archive ends the site's pipe too: the reason is the archive's.
        (_, Err(error)) => Err(error.into()),
        (Err(error), Ok(received)) => {
            received.discard().await?;
            Err(error.into())
        }
    }
}

/// What the site says of itself, and what a restore must know.
fn said(row: &EnvironmentRow, report: &SnapshotReport) -> Said {
    let tree = report.files.trees.first();
    let totals = &report.files.totals;
    let dump = report.database.as_ref();
    let contents = match (dump.is_some(), tree.is_some()) {
        (true, false) => SnapshotContents::Database,
        (false, _) => SnapshotContents::Files,
        (true, true) => SnapshotContents::Full,
    };
    Said {
        contents: Some(contents.as_str().to_owned()),
        entries: Some(totals.entries()),
        bytes: Some(totals.bytes),
        tree_hash: tree.map(|tree| tree.tree.hash.clone()),
        tables: dump.map(|dump| dump.tables.len() as u64),
        rows: dump.is_some().then(|| report.rows()),
        wordpress_version: Some(row.core_version.clone()),
        url: Some(row.url.clone()),
        table_prefix: Some(row.table_prefix.clone()),
        network: Some(row.multisite || dump.is_some_and(|dump| is_network(row, dump))),
        more: json!({ "totals": totals }),
        ..Said::default()
    }
}

/// Whether the tables are those of a network, which may be younger than what is on record.
fn is_network(row: &EnvironmentRow, dump: &DumpReport) -> bool {
    let holds = |name: &str| {
        let name = format!("{}{name}", row.table_prefix);
        dump.tables.iter().any(|table| table.name == name)
    };
    holds("blogs") && holds("site")
}

/// What its owner should know that is not in it.
fn tell(ctx: &JobContext, report: &SnapshotReport) {
    for left in &report.files.left_out {
        if !matches!(left.why, Why::Excluded { .. } | Why::Ours) {
            ctx.line(format!("left out: {:?} ({:?})", left.path, left.why));
        }
    }
    let Some(dump) = &report.database else {
        return;
    };
    for right in &dump.missing_rights {
        ctx.line(format!(
            "the database user lacks {} on {}",
            right.right, right.on
        ));
    }
    for table in &dump.non_transactional {
        ctx.line(format!(
            "`{table}` cannot be read at one instant: its engine knows no transactions"
        ));
    }
}

/// Removes what there is of a snapshot that will not be one.
pub(crate) async fn give_up(
    fleet: &Fleet,
    ctx: &JobContext,
    snapshot: &SnapshotRow,
    why: &str,
) -> Result<()> {
    // As it is now: one that became a snapshot after all keeps its bytes.
    let snapshot = fleet.snapshot_row(&snapshot.public_id).await?;
    if snapshot.state == SnapshotState::Ready {
        return Ok(());
    }
    fleet.parts.archive.abandon(&place_of(&snapshot)?).await?;
    if snapshot.state == SnapshotState::Creating {
        let tx = ctx.begin().await?;
        snapshots::fail(&tx, snapshot.id, why).await?;
        tx.commit().await?;
    }
    Ok(())
}

impl Fleet {
    /// The recorded snapshot of a job.
    pub(crate) async fn snapshot_row(&self, name: &str) -> Result<SnapshotRow> {
        match snapshots::by_public_id(&self.parts.store, &Scope::All, name).await? {
            Lookup::Found(row) => Ok(row),
            _ => Err(Error::not_found("snapshot")),
        }
    }

    /// How an environment's database is named to its agent.
    pub(crate) fn site_ref(&self, row: &EnvironmentRow) -> SiteRef {
        SiteRef {
            root: row.path.clone(),
            php: Some(self.php_of(row).to_owned()),
        }
    }
}
