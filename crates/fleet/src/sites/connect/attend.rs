//! Sites that wait to be connected and are looked for by nobody: their job was cancelled,
//! or given up.

use super::job::KEY;
use crate::{Caller, Fleet, Result, principal::Principal};
use pressroom_store::sites;

impl Fleet {
    /// Has every such site be looked for again.
    pub(crate) async fn attend_to_sites(&self) -> Result<()> {
        let caller = Caller::new(Principal::worker());
        for row in sites::unattended(&self.parts.store, KEY).await? {
            let tx = self.parts.store.begin().await?;
            self.begin_to_connect(&tx, &caller, &row).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
