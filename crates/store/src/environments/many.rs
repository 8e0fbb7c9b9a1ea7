//! Many environments and sites at once, whoever's they are.

use super::{EnvironmentRow, EnvironmentState, SiteRow, environment, ids_where, site};
use crate::{Read, Result};
use pressroom_base::id::{EnvironmentId, SiteId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

/// Those of these environments that exist, in whatever state, of which one statement can name them all: some hundreds.
pub async fn get_many(from: &impl Read, ids: &[EnvironmentId]) -> Result<Vec<EnvironmentRow>> {
    let found = environment::Entity::find()
        .filter(environment::Column::Id.is_in(ids.iter().map(|id| id.get())))
        .all(from.connection())
        .await?;
    found.into_iter().map(EnvironmentRow::read).collect()
}

/// Those of these sites that exist, of which one statement can name them all: some hundreds.
pub async fn get_sites(from: &impl Read, ids: &[SiteId]) -> Result<Vec<SiteRow>> {
    let found = site::Entity::find()
        .filter(site::Column::Id.is_in(ids.iter().map(|id| id.get())))
        .all(from.connection())
        .await?;
    found.into_iter().map(SiteRow::read).collect()
}

/// Every environment that is more than a record, by id.
pub async fn all_live(from: &impl Read) -> Result<Vec<EnvironmentId>> {
    let failed = EnvironmentState::Failed.as_str();
    ids_where(from, environment::Column::State.ne(failed)).await
}
