//! Environments by where they are: a directory or a database of a machine, an address.

use super::{EnvironmentRow, EnvironmentState, environment, ids_where};
use crate::{Read, Result, Scope, Tx};
use pressroom_base::id::{EnvironmentId, HostId};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{LockType, SimpleExpr},
};

/// What is recorded of a site that was there before Pressroom.
#[derive(Debug, Clone)]
pub struct Adopted {
    /// The absolute directory that sessions with it start in.
    pub home: String,
    /// The `php` to work on it with; the one that is configured, without.
    pub php: Option<String>,
    /// Whether its origin speaks TLS.
    pub origin_tls: bool,
}

/// The environments that share a directory of a machine, of this one without a host,
/// whatever their state. Their rows are locked until the transaction ends.
pub async fn lock_home(tx: &Tx, host: Option<HostId>, home: &str) -> Result<Vec<EnvironmentId>> {
    let found: Vec<i64> = environment::Entity::find()
        .select_only()
        .column(environment::Column::Id)
        .filter(environment::Column::Home.eq(home))
        .filter(on_machine(host))
        .order_by_asc(environment::Column::Id)
        // SQLite has but one writer, and is not told.
        .lock(LockType::NoKeyUpdate)
        .into_tuple()
        .all(tx.connection())
        .await?;
    Ok(found.into_iter().map(EnvironmentId::new).collect())
}

/// The environments that share a directory of a machine, of this one without a host,
/// whatever their state.
pub async fn in_home(
    from: &impl Read,
    host: Option<HostId>,
    home: &str,
) -> Result<Vec<EnvironmentRow>> {
    let found = environment::Entity::find()
        .filter(environment::Column::Home.eq(home))
        .filter(on_machine(host))
        .order_by_asc(environment::Column::Id)
        .all(from.connection())
        .await?;
    found.into_iter().map(EnvironmentRow::read).collect()
}

/// The environments within a scope whose address has this host name, those with the
/// shortest address first.
pub async fn at_host_name(
    from: &impl Read,
    scope: &Scope,
    name: &str,
) -> Result<Vec<EnvironmentRow>> {
    let mut named = Condition::any();
    for scheme in ["http", "https"] {
        let url = format!("{scheme}://{name}");
        named = named
            .add(environment::Column::Url.eq(&url))
            .add(environment::Column::Url.starts_with(format!("{url}/")))
            .add(environment::Column::Url.starts_with(format!("{url}:")));
    }
    let mut query = environment::Entity::find()
        .filter(named)
        .filter(environment::Column::State.ne(EnvironmentState::Failed.as_str()));
    if let Some(own) = scope.ids() {
        query = query.filter(environment::Column::AccountId.is_in(own));
    }
    let found = query
        .order_by_asc(environment::Column::Id)
        .all(from.connection())
        .await?;
    let mut found: Vec<EnvironmentRow> = found
        .into_iter()
        .map(EnvironmentRow::read)
        .collect::<Result<_>>()?;
    found.sort_by_key(|row| row.url.len());
    Ok(found)
}

/// The environment that has this directory of a machine, of this one without a host; a
/// failed one has none.
pub async fn by_root(
    from: &impl Read,
    host: Option<HostId>,
    root: &str,
) -> Result<Option<EnvironmentRow>> {
    let found = environment::Entity::find()
        .filter(environment::Column::Root.eq(root))
        .filter(on_machine(host))
        .filter(environment::Column::State.ne(EnvironmentState::Failed.as_str()))
        .one(from.connection())
        .await?;
    found.map(EnvironmentRow::read).transpose()
}

/// The environments whose tables are in a database of this name, as their machine calls
/// it; of our own server, without a host.
pub async fn using_database(
    from: &impl Read,
    host: Option<HostId>,
    name: &str,
) -> Result<Vec<EnvironmentId>> {
    let there = Condition::all()
        .add(environment::Column::DbName.eq(name))
        .add(on_machine(host));
    ids_where(from, there).await
}

fn on_machine(host: Option<HostId>) -> SimpleExpr {
    match host {
        Some(host) => environment::Column::HostId.eq(host.get()),
        None => environment::Column::HostId.is_null(),
    }
}
