//! What Pressroom made outside its store. Only what a record lists is ever
//! dropped, so the record is written before the thing is made.

use crate::{Error, Read, Result, Tx, environments::environment, stored::Stored};
use pressroom_base::{
    Timestamp,
    id::{AccountId, DomainId, EnvironmentId, JobId, ResourceId},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Set,
    sea_query::{Expr, Query, SimpleExpr},
};

names! {
    /// How far the making of a thing has come.
    ResourceState {
        /// It may or may not exist.
        Intended = "intended",
        /// It was seen to exist.
        Present = "present",
        /// Handed over: it exists, and is nobody's to remove.
        Released = "released",
    }
}

table! {
    /// Something Pressroom made, or was about to make.
    ResourceRow = resource("owned_resources") {
        /// The row.
        id: ResourceId,
        /// `unix_user`, `database`, `db_user`, `db_grant`, `home`, `pool`, `vhost`, `core_files`, …
        kind: String,
        /// Its name; unique within its kind.
        name: String,
        /// The domain it is for.
        domain_id: Option<DomainId>,
        /// The environment it is for.
        environment_id: Option<EnvironmentId>,
        /// The job that made it.
        job_id: Option<JobId>,
        /// The account it is for.
        account_id: Option<AccountId>,
        /// How far it has come.
        state: ResourceState,
        /// What its kind needs to take it away again.
        detail: serde_json::Value,
        /// When the record was written.
        created_at: Timestamp,
    }
}

/// Something about to be made.
#[derive(Debug, Clone, Default)]
pub struct NewResource {
    /// `unix_user`, `database`, …
    pub kind: String,
    /// Its name; unique within its kind.
    pub name: String,
    /// The domain it is for.
    pub domain_id: Option<DomainId>,
    /// The environment it is for.
    pub environment_id: Option<EnvironmentId>,
    /// The job that makes it.
    pub job_id: Option<JobId>,
    /// The account it is for.
    pub account_id: Option<AccountId>,
    /// What its kind needs to take it away again.
    pub detail: serde_json::Value,
}

/// Records the intent to make something; [`Error::Exists`] when a record lists it
/// already. Commit before making it.
pub async fn intend(tx: &Tx, new: NewResource) -> Result<ResourceId> {
    let model = resource::ActiveModel {
        kind: Set(new.kind),
        name: Set(new.name),
        domain_id: Set(new.domain_id.raw()),
        environment_id: Set(new.environment_id.raw()),
        job_id: Set(new.job_id.raw()),
        account_id: Set(new.account_id.raw()),
        state: Set(ResourceState::Intended.raw()),
        detail: Set(new.detail.raw()),
        created_at: Set(tx.now().await?.millis()),
        ..Default::default()
    };
    let model = model
        .insert(tx.connection())
        .await
        .map_err(Error::of("resource"))?;
    Ok(ResourceId::new(model.id))
}

/// Records that it was seen to exist.
pub async fn present(tx: &Tx, id: ResourceId) -> Result<()> {
    let done = resource::Entity::update_many()
        .col_expr(
            resource::Column::State,
            Expr::val(ResourceState::Present.as_str()),
        )
        .filter(resource::Column::Id.eq(id.get()))
        .exec(tx.connection())
        .await?;
    if done.rows_affected == 0 {
        return Err(Error::NotFound { what: "resource" });
    }
    Ok(())
}

/// Records that it was handed over: it is known to exist, belongs to no domain or
/// environment of ours any more, and is never removed.
pub async fn release(tx: &Tx, id: ResourceId) -> Result<()> {
    resource::Entity::update_many()
        .col_expr(
            resource::Column::State,
            Expr::val(ResourceState::Released.as_str()),
        )
        .col_expr(resource::Column::DomainId, Expr::val(None::<i64>))
        .col_expr(resource::Column::EnvironmentId, Expr::val(None::<i64>))
        .col_expr(resource::Column::JobId, Expr::val(None::<i64>))
        .filter(resource::Column::Id.eq(id.get()))
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// Records that it is another domain's now, under this name.
pub async fn transfer(tx: &Tx, id: ResourceId, domain: DomainId, name: &str) -> Result<()> {
    let done = resource::Entity::update_many()
        .col_expr(resource::Column::DomainId, Expr::val(Some(domain.get())))
        .col_expr(resource::Column::Name, Expr::val(name))
        .filter(resource::Column::Id.eq(id.get()))
        .exec(tx.connection())
        .await
        .map_err(Error::of("resource"))?;
    if done.rows_affected == 0 {
        return Err(Error::NotFound { what: "resource" });
    }
    Ok(())
}

/// Removes the record, once the thing was seen to be gone. Twice does no harm.
pub async fn forget(tx: &Tx, id: ResourceId) -> Result<()> {
    resource::Entity::delete_by_id(id.get())
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// The record of one thing.
pub async fn by_name(from: &impl Read, kind: &str, name: &str) -> Result<Option<ResourceRow>> {
    let found = resource::Entity::find()
        .filter(resource::Column::Kind.eq(kind))
        .filter(resource::Column::Name.eq(name))
        .one(from.connection())
        .await?;
    found.map(ResourceRow::read).transpose()
}

/// What a job made, in the order it was intended.
pub async fn list_by_job(from: &impl Read, job: JobId) -> Result<Vec<ResourceRow>> {
    list(from, Some(resource::Column::JobId.eq(job.get()))).await
}

/// What was made for a domain, in the order it was intended.
pub async fn list_by_domain(from: &impl Read, domain: DomainId) -> Result<Vec<ResourceRow>> {
    list(from, Some(resource::Column::DomainId.eq(domain.get()))).await
}

/// What was made for an environment, in the order it was intended.
pub async fn list_by_environment(
    from: &impl Read,
    environment: EnvironmentId,
) -> Result<Vec<ResourceRow>> {
    let of = resource::Column::EnvironmentId.eq(environment.get());
    list(from, Some(of)).await
}

/// What of a kind was recorded before an instant and is still an environment's, the
/// oldest first.
pub async fn older(
    from: &impl Read,
    kind: &str,
    before: Timestamp,
    limit: u64,
) -> Result<Vec<ResourceRow>> {
    let found = resource::Entity::find()
        .filter(resource::Column::Kind.eq(kind))
        .filter(resource::Column::EnvironmentId.is_not_null())
        .filter(resource::Column::CreatedAt.lt(before.millis()))
        .order_by_asc(resource::Column::CreatedAt)
        .order_by_asc(resource::Column::Id)
        .limit(limit)
        .all(from.connection())
        .await?;
    found.into_iter().map(ResourceRow::read).collect()
}

/// What of a kind was made for an environment that is gone, or for none, in the order it was
/// intended.
pub async fn list_orphaned(from: &impl Read, kind: &str) -> Result<Vec<ResourceRow>> {
    let there = Query::select()
        .column(environment::Column::Id)
        .from(environment::Entity)
        .to_owned();
    let orphaned = Condition::any()
        .add(resource::Column::EnvironmentId.is_null())
        .add(resource::Column::EnvironmentId.not_in_subquery(there));
    let found = resource::Entity::find()
        .filter(resource::Column::Kind.eq(kind))
        .filter(orphaned)
        .order_by_asc(resource::Column::Id)
        .all(from.connection())
        .await?;
    found.into_iter().map(ResourceRow::read).collect()
}

/// Everything ever made that is not gone.
pub async fn list_all(from: &impl Read) -> Result<Vec<ResourceRow>> {
    list(from, None).await
}

async fn list(from: &impl Read, filter: Option<SimpleExpr>) -> Result<Vec<ResourceRow>> {
    let mut query = resource::Entity::find().order_by_asc(resource::Column::Id);
    if let Some(filter) = filter {
        query = query.filter(filter);
    }
    let found = query.all(from.connection()).await?;
    found.into_iter().map(ResourceRow::read).collect()
}
