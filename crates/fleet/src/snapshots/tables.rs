//! The tables of a snapshot, without its files.

use super::{create::place_of, restore::limits};
use crate::{Fleet, Result};
use pressroom_carrier::Session;
use pressroom_jobs::JobContext;
use pressroom_store::EnvironmentRow;
use pressroom_wordpress::{
    archive::{OutsideLinks, UnpackOptions},
    database::restore::{RestoreOptions, RestoreReport},
};

/// Puts the tables of a snapshot in place of a site's in one act; tables that the
/// snapshot does not know go. What they displace is kept aside for the caller to drop.
pub(crate) async fn restore_tables(
    fleet: &Fleet,
    ctx: &JobContext,
    session: &Session,
    row: &EnvironmentRow,
    snapshot: &str,
) -> Result<RestoreReport> {
    let snapshot = fleet.snapshot_row(snapshot).await?;
    let place = place_of(&snapshot)?;
    let archive = &fleet.parts.archive;
    let options = UnpackOptions {
        limits: limits(&archive.manifest(&place).await?),
        require_manifest: true,
        outside_links: OutsideLinks::Keep,
    };
    let (_, reader) = archive.open(&place).await?;
    let unpacked = session.unpack(ctx.epoch(), options, reader).await?;
    let options = RestoreOptions {
        remove_unknown: true,
        ..RestoreOptions::default()
    };
    let restored = session
        .restore_snapshot_database(ctx.epoch(), fleet.site_ref(row), &unpacked.staged, options)
        .await;
    session.drop_unpacked(ctx.epoch(), &unpacked.staged).await?;
    Ok(restored?)
}
