//! What health checks know sites by, and what they say of them.

use crate::{
    EnvironmentKind, EnvironmentRow, EnvironmentState, Lookup, Read, Result, Scope, SiteRow,
    SiteStatus, Tx,
    environments::{environment, site},
    sql,
};
use pressroom_base::id::{ShortId, SiteId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

/// The site that programs call so, as far as the scope may know.
pub async fn site_by_short_id(
    from: &impl Read,
    scope: &Scope,
    id: &ShortId,
) -> Result<Lookup<SiteRow>> {
    let found = site::Entity::find()
        .filter(site::Column::ShortId.eq(id.as_str()))
        .one(from.connection())
        .await?
        .map(SiteRow::read)
        .transpose()?;
    Ok(scope.lookup(found, |row| Some(row.account_id)))
}

/// The environment that a site's visitors see, if there is one to be looked at.
pub async fn production(from: &impl Read, site: SiteId) -> Result<Option<EnvironmentRow>> {
    let states = [EnvironmentState::Active, EnvironmentState::Broken];
    let found = environment::Entity::find()
        .filter(environment::Column::SiteId.eq(site.get()))
        .filter(environment::Column::Kind.eq(EnvironmentKind::Production.as_str()))
        .filter(environment::Column::State.is_in(states.map(EnvironmentState::as_str)))
        .order_by_asc(environment::Column::Id)
        .one(from.connection())
        .await?;
    found.map(EnvironmentRow::read).transpose()
}

/// Records how a site was just seen to be.
pub async fn set_status(tx: &Tx, site: SiteId, status: SiteStatus) -> Result<()> {
    let now = tx.now().await?;
    sql::run(
        tx,
        "UPDATE sites SET checked_at = $1, \
         status_since = CASE WHEN status = $2 THEN status_since ELSE $1 END, status = $2 \
         WHERE id = $3",
        [
            now.millis().into(),
            status.as_str().into(),
            site.get().into(),
        ],
    )
    .await?;
    Ok(())
}
