//! Letting go of pictures.

use super::place::key_of;
use crate::{Fleet, Result};
use pressroom_store::pipelines;
use std::time::Duration;

/// Pictures are kept this long after their pipeline: as long as a job's output.
const LASTS: Duration = Duration::from_hours(90 * 24);
/// Longer than any picture is on its way.
const WRITING: Duration = Duration::from_hours(24);
/// How many in one go.
const AT_ONCE: u64 = 500;

impl Fleet {
    /// Removes pictures that nobody needs any more, those whose pipeline is gone, and what
    /// workers left that died while they wrote. What fails is tried again next time.
    pub(crate) async fn sweep_pictures(&self) -> Result<()> {
        let store = &self.parts.store;
        for row in pipelines::loose_pictures(store, LASTS, WRITING, AT_ONCE).await? {
            // The bytes first: without its row nobody would find them.
            self.parts.archive.objects().delete(&key_of(&row)?).await?;
            let tx = store.begin().await?;
            pipelines::forget_picture(&tx, row.id).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
