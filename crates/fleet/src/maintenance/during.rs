//! Work that visitors must not see half of.

use crate::{Error, Result};
use pressroom_base::Kind;
use pressroom_carrier::Session;
use pressroom_jobs::JobContext;
use std::time::Duration;

/// How long the site stays in maintenance if its worker dies; prolonged while it lives.
const LEASE: Duration = Duration::from_mins(3);
const RENEW: Duration = Duration::from_mins(1);

/// Works while the site shows its maintenance page, whose lease is prolonged. It is left in
/// maintenance: whoever calls decides when visitors may come in.
pub(crate) async fn during_maintenance<T>(
    ctx: &JobContext,
    session: &Session,
    root: &str,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let epoch = ctx.epoch();
    session.enter_maintenance(epoch, root, LEASE).await?;
    let renewing = async {
        loop {
            tokio::time::sleep(RENEW).await;
            if let Err(error) = session.enter_maintenance(epoch, root, LEASE).await {
                tracing::debug!(error = %error, "maintenance was not prolonged");
            }
        }
    };
    tokio::select! {
        ended = work => ended,
        () = renewing => Err(Error::new(Kind::Internal, "a loop without an end ended")),
    }
}
