//! Words that people gave to environments. Folding and limits are their caller's.

use crate::{Error, Read, Result, Scope, Tx, environments::environment, sql};
use pressroom_base::{Timestamp, id::EnvironmentId};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{IntoCondition, OnConflict},
};

table! {
    /// A tag of an environment.
    TagRow = tag("environment_tags") {
        /// The row.
        id: i64,
        /// What it was given to.
        environment_id: EnvironmentId,
        /// The word, folded.
        tag: String,
        /// When it was given.
        created_at: Timestamp,
    }
}

/// An environment's tags in the order of letters.
pub async fn list(from: &impl Read, environment: EnvironmentId) -> Result<Vec<String>> {
    let found = rows(from, tag::Column::EnvironmentId.eq(environment.get())).await?;
    Ok(found.into_iter().map(|row| row.tag).collect())
}

/// The tags of many environments, by environment, then in the order of letters.
pub async fn list_many(from: &impl Read, environments: &[EnvironmentId]) -> Result<Vec<TagRow>> {
    let mut found = Vec::new();
    // Both databases limit the parameters of one statement.
    for ids in environments.chunks(500) {
        let ids = ids.iter().map(|id| id.get());
        found.extend(rows(from, tag::Column::EnvironmentId.is_in(ids)).await?);
    }
    Ok(found)
}

/// Every tag within a scope, by environment.
pub async fn list_all(from: &impl Read, scope: &Scope) -> Result<Vec<TagRow>> {
    rows(from, within(scope)).await
}

/// The tags that environments within a scope have, each once.
pub async fn names(from: &impl Read, scope: &Scope) -> Result<Vec<String>> {
    let found = tag::Entity::find()
        .select_only()
        .column(tag::Column::Tag)
        .distinct()
        .filter(within(scope))
        .order_by_asc(tag::Column::Tag)
        .into_tuple()
        .all(from.connection())
        .await?;
    Ok(found)
}

/// Gives an environment a tag; `false` when it had it.
pub async fn add(tx: &Tx, environment: EnvironmentId, tag: &str) -> Result<bool> {
    let model = tag::ActiveModel {
        environment_id: sea_orm::Set(environment.get()),
        tag: sea_orm::Set(tag.to_owned()),
        created_at: sea_orm::Set(tx.now().await?.millis()),
        ..Default::default()
    };
    let kept = OnConflict::columns([tag::Column::EnvironmentId, tag::Column::Tag])
        .do_nothing()
        .to_owned();
    let added = tag::Entity::insert(model)
        .on_conflict(kept)
        .exec_without_returning(tx.connection())
        .await?;
    Ok(added > 0)
}

/// Takes a tag from an environment; `false` when it had none such.
pub async fn remove(tx: &Tx, environment: EnvironmentId, tag: &str) -> Result<bool> {
    let done = tag::Entity::delete_many()
        .filter(tag::Column::EnvironmentId.eq(environment.get()))
        .filter(tag::Column::Tag.eq(tag))
        .exec(tx.connection())
        .await?;
    Ok(done.rows_affected > 0)
}

/// Holds an environment's row until the transaction ends, so that two who give tags
/// count them one after the other; `NotFound` when it is gone.
pub async fn lock(tx: &Tx, environment: EnvironmentId) -> Result<()> {
    let clause = tx.store().lock_clause("FOR NO KEY UPDATE");
    let found = sql::one(
        tx,
        format!("SELECT id FROM environments WHERE id = $1 {clause}"),
        [environment.get().into()],
    );
    match found.await? {
        Some(_) => Ok(()),
        None => Err(Error::NotFound {
            what: "environment",
        }),
    }
}

fn within(scope: &Scope) -> Condition {
    let Some(own) = scope.ids() else {
        return Condition::all();
    };
    let environments = environment::Entity::find()
        .select_only()
        .column(environment::Column::Id)
        .filter(environment::Column::AccountId.is_in(own));
    Condition::all().add(tag::Column::EnvironmentId.in_subquery(environments.into_query()))
}

async fn rows(from: &impl Read, which: impl IntoCondition) -> Result<Vec<TagRow>> {
    let found = tag::Entity::find()
        .filter(which)
        .order_by_asc(tag::Column::EnvironmentId)
        .order_by_asc(tag::Column::Tag)
        .all(from.connection())
        .await?;
    found.into_iter().map(TagRow::read).collect()
}
