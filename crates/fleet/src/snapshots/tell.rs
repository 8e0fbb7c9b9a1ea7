//! Telling of a snapshot.

use crate::{Result, teller::Teller};
use pressroom_store::{SnapshotRow, Tx, environments, events};
use serde_json::{Value, json};

/// Writes that something happened to a snapshot, with what programs call it.
pub(super) async fn happened(
    tx: &Tx,
    kind: &'static str,
    row: &SnapshotRow,
    teller: Teller,
    mut told: Value,
) -> Result<()> {
    told["snapshot_id"] = json!(row.short_id.as_str());
    let environment = environments::site_of(tx, row.environment_id).await?;
    let site = match (&environment, row.site_id) {
        (None, Some(id)) => environments::get_site(tx, id).await?,
        _ => None,
    };
    // Without an environment, the site is known by nothing but its being the subject.
    let subject = match site {
        Some(site) => ("site", site.short_id),
        None => ("snapshot", row.short_id.clone()),
    };
    let environment = environment.map(|_| row.environment_id);
    events::emit(
        tx,
        teller.event(kind, row.account_id, environment, subject, told),
    )
    .await?;
    Ok(())
}
