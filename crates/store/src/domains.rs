//! Domains that accounts may install into.

use crate::{Error, Lookup, Read, Result, Scope, Tx, sql};
use pressroom_base::{
    Timestamp,
    id::{AccountId, DomainId},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set, sea_query::Expr,
};

table! {
    /// A domain of an account.
    DomainRow = domain("domains") {
        /// The row.
        id: DomainId,
        /// Whose it is.
        account_id: AccountId,
        /// Lower-case ASCII (punycode); unique.
        name: String,
        /// Its home directory.
        root: String,
        /// The Unix user its files belong to, once there is one.
        unix_user: Option<String>,
        /// When it was added.
        created_at: Timestamp,
    }
}

/// A domain to add.
#[derive(Debug, Clone)]
pub struct NewDomain {
    /// Whose it is.
    pub account_id: AccountId,
    /// In ASCII (punycode); folded when stored.
    pub name: String,
    /// Its home directory.
    pub root: String,
}

/// Adds a domain; [`Error::Exists`] when the name is taken, by whomever.
pub async fn create(tx: &Tx, new: NewDomain) -> Result<DomainRow> {
    let model = domain::ActiveModel {
        account_id: Set(new.account_id.get()),
        name: Set(fold_name(&new.name)),
        root: Set(new.root),
        unix_user: Set(None),
        created_at: Set(tx.now().await?.millis()),
        ..Default::default()
    };
    let model = model
        .insert(tx.connection())
        .await
        .map_err(Error::of("domain"))?;
    DomainRow::read(model)
}

/// One domain.
pub async fn get(from: &impl Read, id: DomainId) -> Result<Option<DomainRow>> {
    let found = domain::Entity::find_by_id(id.get())
        .one(from.connection())
        .await?;
    found.map(DomainRow::read).transpose()
}

/// Those of these domains that exist, of which one statement can name them all: some hundreds.
pub async fn get_many(from: &impl Read, ids: &[DomainId]) -> Result<Vec<DomainRow>> {
    let found = domain::Entity::find()
        .filter(domain::Column::Id.is_in(ids.iter().map(|id| id.get())))
        .all(from.connection())
        .await?;
    found.into_iter().map(DomainRow::read).collect()
}

/// The domain of this name, as far as the scope may know.
pub async fn by_name(from: &impl Read, scope: &Scope, name: &str) -> Result<Lookup<DomainRow>> {
    let found = domain::Entity::find()
        .filter(domain::Column::Name.eq(fold_name(name)))
        .one(from.connection())
        .await?
        .map(DomainRow::read)
        .transpose()?;
    Ok(scope.lookup(found, |row| Some(row.account_id)))
}

/// The domains within a scope, by name.
pub async fn list(from: &impl Read, scope: &Scope) -> Result<Vec<DomainRow>> {
    let mut query = domain::Entity::find().order_by_asc(domain::Column::Name);
    if let Some(own) = scope.ids() {
        query = query.filter(domain::Column::AccountId.is_in(own));
    }
    let found = query.all(from.connection()).await?;
    found.into_iter().map(DomainRow::read).collect()
}

/// Remembers the Unix user made for a domain, or that it is gone.
pub async fn set_unix_user(tx: &Tx, id: DomainId, unix_user: Option<&str>) -> Result<()> {
    let done = domain::Entity::update_many()
        .col_expr(
            domain::Column::UnixUser,
            Expr::val(unix_user.map(str::to_owned)),
        )
        .filter(domain::Column::Id.eq(id.get()))
        .exec(tx.connection())
        .await?;
    if done.rows_affected == 0 {
        return Err(Error::NotFound { what: "domain" });
    }
    Ok(())
}

/// Gives a domain another home directory.
pub async fn set_root(tx: &Tx, id: DomainId, root: &str) -> Result<()> {
    let done = domain::Entity::update_many()
        .col_expr(domain::Column::Root, Expr::val(root))
        .filter(domain::Column::Id.eq(id.get()))
        .exec(tx.connection())
        .await?;
    if done.rows_affected == 0 {
        return Err(Error::NotFound { what: "domain" });
    }
    Ok(())
}

/// Takes a domain away; [`Error::InUse`] while environments are in it. Rows of
/// failed installations go with it.
pub async fn remove(tx: &Tx, id: DomainId) -> Result<()> {
    if crate::environments::live_in_domain(tx, id).await? {
        return Err(Error::InUse { what: "domain" });
    }
    crate::environments::remove_failed_of(tx, id).await?;
    let done = domain::Entity::delete_by_id(id.get())
        .exec(tx.connection())
        .await
        .map_err(Error::of("domain"))?;
    if done.rows_affected == 0 {
        return Err(Error::NotFound { what: "domain" });
    }
    Ok(())
}

fn fold_name(name: &str) -> String {
    name.trim().trim_end_matches('.').to_lowercase()
}

/// Holds a domain's row until the transaction ends, so that decisions over all its
/// sites are taken one after another. SQLite has one writer anyway.
pub async fn lock(tx: &Tx, id: DomainId) -> Result<()> {
    sql::one(
        tx,
        format!(
            "SELECT id FROM domains WHERE id = $1 {}",
            tx.store().lock_clause("FOR NO KEY UPDATE")
        ),
        [id.get().into()],
    )
    .await?;
    Ok(())
}
