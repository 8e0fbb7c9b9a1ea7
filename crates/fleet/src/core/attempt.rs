//! What is written down before files are exchanged, so that whoever comes after a kill
//! can take them back.

use crate::Result;
use pressroom_jobs::JobContext;
use pressroom_wordpress::{core::CoreSwap, database::TableChecksum};
use serde::{Deserialize, Serialize};

/// The exchange of files; its intent is an [`Attempt`].
pub(super) const SWAP: &str = "swap";
/// WordPress' own upgrade of its tables.
pub(super) const TABLES: &str = "upgrade tables";
/// Maintenance ended: from here visitors write to the new version's tables.
pub(super) const OPEN: &str = "open";
/// The new version was seen to serve, and stays. Its result is the report. The snapshot
/// before it has steps of its own, of which none may have this name.
pub(super) const VERDICT: &str = "verdict";
/// The tables from the snapshot are put back; its intent is a [`Back`].
pub(super) const TABLES_BACK: &str = "restore tables";

/// One try.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Attempt {
    pub(super) swap: CoreSwap,
    pub(super) old_version: String,
    pub(super) new_version: String,
    /// What holds the tables from before; `None` where they are not touched.
    pub(super) tables: Option<Kept>,
}

/// The tables from before.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) snapshot: String,
    pub(super) checksums: Vec<TableChecksum>,
}

/// Under which epoch tables were put back: what they displaced goes by it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Back {
    pub(super) epoch: pressroom_base::Epoch,
}

/// What this job has begun to exchange.
pub(super) async fn made(ctx: &JobContext) -> Result<Option<Attempt>> {
    Ok(ctx.intents(SWAP).await?.pop())
}

/// Whether a step was ever begun.
pub(super) async fn began(ctx: &JobContext, name: &str) -> Result<bool> {
    Ok(ctx.steps().await?.iter().any(|step| step.name == name))
}
