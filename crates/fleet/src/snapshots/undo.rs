//! Back to what the site was before a restore began, decided by looking at what is
//! there.

use crate::{Fleet, Result};
use pressroom_carrier::Session;
use pressroom_jobs::JobContext;
use pressroom_store::EnvironmentRow;

/// Puts files and tables back. Each act is idempotent: it can be repeated.
pub(super) async fn undo(fleet: &Fleet, ctx: &JobContext) -> Result<()> {
    let row = fleet.row_of_job(ctx).await?;
    let ground = fleet.ground(&row).await?;
    let session = fleet.open_session(&ground, ctx.cancelled().clone()).await?;
    let epoch = ctx.epoch();
    let recovery = session.recover(epoch).await?;
    for found in &recovery.exchanges {
        session
            .take_back_tree(epoch, &found.exchange.staged)
            .await?;
        session.drop_unpacked(epoch, &found.exchange.staged).await?;
    }
    let site = fleet.site_ref(&row);
    let database = session.recover_database(epoch, site.clone()).await?;
    for aside in database.kept {
        session
            .take_back_database(epoch, site.clone(), aside)
            .await?;
    }
    session.leave_maintenance(epoch, &row.path).await?;
    fleet
        .flush_caches(ctx, &session, &row, vec![row.path.clone()])
        .await;
    ctx.line("files and tables are as they were before the restore");
    Ok(())
}

/// Lets go of the files and tables from before a restore that was verified.
pub(super) async fn drop_asides(
    fleet: &Fleet,
    ctx: &JobContext,
    session: &Session,
    row: &EnvironmentRow,
) -> Result<()> {
    let epoch = ctx.epoch();
    let recovery = session.recover(epoch).await?;
    for found in &recovery.exchanges {
        session.drop_unpacked(epoch, &found.exchange.staged).await?;
    }
    let site = fleet.site_ref(row);
    let database = session.recover_database(epoch, site.clone()).await?;
    for aside in database.kept {
        session
            .drop_database_aside(epoch, site.clone(), aside)
            .await?;
    }
    Ok(())
}
