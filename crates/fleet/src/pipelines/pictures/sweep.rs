//! Letting go of pictures.

use super::place::key_of;
use crate::{Fleet, Result};
use pressroom_store::{PictureRow, pipelines};
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
        loop {
            let loose = pipelines::loose_pictures(store, LASTS, WRITING, AT_ONCE).await?;
            let mut left = 0;
            for row in &loose {
                if let Err(error) = self.remove_picture(row).await {
                    let id = &row.short_id;
                    tracing::warn!(picture = %id, %error, "a picture could not be removed yet");
                    left += 1;
                }
            }
            // What fails would only fail again.
            if left > 0 || (loose.len() as u64) < AT_ONCE {
                return Ok(());
            }
        }
    }

    async fn remove_picture(&self, row: &PictureRow) -> Result<()> {
        // The bytes first: without its row nobody would find them.
        self.parts.archive.objects().delete(&key_of(row)?).await?;
        let tx = self.parts.store.begin().await?;
        pipelines::forget_picture(&tx, row.id).await?;
        tx.commit().await?;
        Ok(())
    }
}
