//! Prolonging maintenance for as long as it is wanted.

use super::{LEASE, set::Payload};
use crate::{Caller, Fleet, Principal, Result, code, jobs::Enqueue};
use futures_util::StreamExt as _;
use pressroom_store::{EnvironmentState, environments, maintenance};
use tokio_util::sync::CancellationToken;

/// Sites prolonged at once.
const AT_ONCE: usize = 8;

impl Fleet {
    /// Prolongs the maintenance of every site that is to stay in it. It is done under
    /// the epoch that the site knows, so that it stands in no job's way; where a later
    /// job has raised it, a job of its own enters maintenance again.
    pub async fn renew_maintenance(&self) -> Result<()> {
        let wanted = maintenance::list(&self.parts.store).await?;
        futures_util::stream::iter(wanted)
            .for_each_concurrent(AT_ONCE, |wanted| async move {
                if let Err(error) = self.renew_one(wanted).await {
                    tracing::warn!(
                        environment.id = %wanted.environment, %error,
                        "the maintenance of site {} was not prolonged", wanted.environment
                    );
                }
            })
            .await;
        Ok(())
    }

    async fn renew_one(&self, wanted: maintenance::Wanted) -> Result<()> {
        let Some(row) = environments::get(&self.parts.store, wanted.environment).await? else {
            return Ok(());
        };
        if row.state != EnvironmentState::Active {
            return Ok(());
        }
        let ground = self.ground(&row).await?;
        let session = self.open_session(&ground, CancellationToken::new()).await?;
        match session
            .enter_maintenance(wanted.epoch, &row.path, LEASE)
            .await
        {
            Ok(_) => Ok(()),
            Err(error) if error.is_fenced() => {
                let caller = Caller::new(Principal::console());
                let tx = self.parts.store.begin().await?;
                // Ended while others had their turn: it is not begun anew.
                if !maintenance::is_wanted(&tx, row.id).await? {
                    return Ok(());
                }
                let again = Enqueue::writing("site_maintenance", &row, &Payload { enabled: true })?;
                match self.enqueue(&tx, &caller, again).await {
                    Ok(_) => tx.commit().await?,
                    // Whoever writes there now keeps what is in force, or ends it; the
                    // next round looks again.
                    Err(error) if error.code() == Some(code::OPERATION_RUNNING) => {}
                    Err(error) => return Err(error),
                }
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}
