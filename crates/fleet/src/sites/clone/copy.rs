//! Files and tables on their way from one agent to the other.

use crate::{Error, Fleet, Result, reach::told};
use pressroom_agent::protocol::SiteRef;
use pressroom_base::Kind;
use pressroom_carrier::Session;
use pressroom_jobs::JobContext;
use pressroom_store::EnvironmentRow;
use pressroom_wordpress::{
    archive::{Exchange, Format, Limits, OutsideLinks, UnpackOptions, Unpacked},
    config::ListedConstant,
    database::{SiteFacts, dump::DumpOptions, restore::RestoreOptions},
    snapshot::{Contents, FILES, SnapshotOptions},
};
use serde::{Serialize, Serializer};
use serde_json::json;

/// The step that lays the copy out beside its place.
pub(super) const COPY: &str = "copy";
/// The step that puts the files in place.
pub(super) const FILES_STEP: &str = "files";
/// What is the source's own: its credentials never get there, and its maintenance ends
/// with itself.
const OWN: [&str; 2] = ["/wp-config.php", "/.maintenance"];
/// Between the two pipes.
const BUFFER: usize = 1024 * 1024;

/// What was copied. Of that its handle alone is written down.
pub(super) struct Copied {
    pub(super) unpacked: Unpacked,
}

impl Serialize for Copied {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        json!({ "staged": self.unpacked.staged }).serialize(serializer)
    }
}

/// What the source says of itself.
pub(super) struct Said {
    /// What its configuration defines.
    pub(super) constants: Vec<ListedConstant>,
    /// What its tables say.
    pub(super) facts: SiteFacts,
}

/// Opens the source. Its agent gets no epoch: it can write nothing.
pub(super) async fn open(
    fleet: &Fleet,
    ctx: &JobContext,
    source: &EnvironmentRow,
) -> Result<(Session, Said)> {
    let ground = fleet.ground(source).await?;
    let session = fleet.open_session(&ground, ctx.cancelled().clone()).await?;
    // Read, never run: what a constant computes is the copy's to compute.
    let read = SiteRef {
        root: source.path.clone(),
        php: None,
    };
    let constants = session.list_config(read).await?.constants;
    let facts = session.read_site(&source.path, &[]).await?;
    Ok((session, Said { constants, facts }))
}

/// Packs the source and unpacks it beside the target's place.
pub(super) async fn copy(
    fleet: &Fleet,
    ctx: &JobContext,
    source: &EnvironmentRow,
    from: &Session,
    target: &Session,
) -> Result<Copied> {
    let below = fleet.sites_below(source).await?;
    let options = SnapshotOptions {
        contents: Contents::Full,
        format: Format::TarZst,
        dump: DumpOptions::default(),
        usual_excludes: true,
        exclude: below
            .into_iter()
            .map(|path| format!("/{path}"))
            .chain(OWN.map(str::to_owned))
            .collect(),
    };
    let (mut out, input) = tokio::io::duplex(BUFFER);
    let packing = async {
        let report = from
            .take_snapshot(fleet.site_ref(source), options, &mut out)
            .await;
        // The end of what is unpacked; whether it was the whole is in the report.
        drop(out);
        report
    };
    let options = UnpackOptions {
        // A link into the source would let the copy write there.
        outside_links: OutsideLinks::Refuse,
        limits: Limits {
            // Logs of one line pack to next to nothing: as for an archive on record.
            ratio: 2000,
            ratio_free: 16 * 1024 * 1024 * 1024,
            ..Limits::default()
        },
        ..UnpackOptions::default()
    };
    let unpacking = target.unpack(ctx.epoch(), options, input);
    let (packed, unpacked) = tokio::join!(packing, unpacking);
    let (report, unpacked) = match (packed, unpacked) {
        (Ok(report), Ok(unpacked)) => (Ok(report), unpacked),
        (Err(error), Ok(unpacked)) => (Err(Error::from(error)), unpacked),
        (Ok(_), Err(error)) => return Err(error.into()),
        // Whoever fails first ends the other's pipe: both are told.
        (Err(packed), Err(unpacked)) => {
            return Err(Error::new(unpacked.kind(), format!("{unpacked}; {packed}")));
        }
    };
    let arrived = report.and_then(|report| {
        let said = report.files.trees.first().map(|tree| &tree.tree.hash);
        if said.is_some() && said == files_of(&unpacked) {
            return Ok(report);
        }
        Err(Error::new(
            Kind::Remote,
            "what arrived is not what the source holds",
        ))
    });
    let report = match arrived {
        Ok(report) => report,
        Err(error) => {
            target.drop_unpacked(ctx.epoch(), &unpacked.staged).await?;
            return Err(error);
        }
    };
    ctx.line(format!(
        "{} files were copied",
        report.files.totals.files.saturating_sub(1)
    ));
    Ok(Copied { unpacked })
}

/// The hash of the files among what arrived.
fn files_of(unpacked: &Unpacked) -> Option<&String> {
    let trees = &unpacked.checked.trees;
    let tree = trees.iter().find(|tree| tree.prefix == FILES)?;
    Some(&tree.tree.hash)
}

/// Puts the files in their place, and looks whether they are there as they were sent.
pub(super) async fn place_files(
    ctx: &JobContext,
    session: &Session,
    path: &str,
    unpacked: &Unpacked,
) -> Result<()> {
    let hash = files_of(unpacked).ok_or_else(|| Error::new(Kind::Remote, "no files arrived"))?;
    let exchange = Exchange {
        root: path.to_owned(),
        staged: unpacked.staged.clone(),
        prefix: FILES.to_owned(),
        before: None,
        after: hash.clone(),
        carry: Vec::new(),
        keep: Vec::new(),
        // Looked at again: copying took its time.
        vacant: true,
    };
    let exchanging = async {
        let exchanged = session.exchange_tree(ctx.epoch(), exchange).await?;
        if exchanged.tree.hash != *hash {
            return Err(Error::new(
                Kind::Remote,
                "the files in the copy's place are not those that were sent",
            ));
        }
        // Or nobody would know what to remove with the copy.
        session.adopt_core(ctx.epoch(), path).await?;
        Ok(())
    };
    Ok(ctx.step(FILES_STEP, told(exchanging)).await?)
}

/// Loads the tables into the copy's own database, which is empty.
pub(super) async fn load_tables(
    fleet: &Fleet,
    ctx: &JobContext,
    session: &Session,
    row: &EnvironmentRow,
    unpacked: &Unpacked,
) -> Result<()> {
    let site = fleet.site_ref(row);
    let report = session
        .restore_snapshot_database(
            ctx.epoch(),
            site.clone(),
            &unpacked.staged,
            RestoreOptions::default(),
        )
        .await?;
    ctx.line(format!(
        "{} tables with {} rows were copied",
        report.tables.len(),
        report.rows()
    ));
    if let Some(aside) = report.aside {
        session
            .drop_database_aside(ctx.epoch(), site, aside)
            .await?;
    }
    Ok(())
}
