//! Environments that live elsewhere from now on.

use super::environment;
use crate::{Error, Read, Result, Tx};
use pressroom_base::id::{DomainId, EnvironmentId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

/// Where an environment is after it moved.
#[derive(Debug, Clone)]
pub struct Moved {
    /// The domain it is in now.
    pub domain_id: DomainId,
    /// The absolute directory of WordPress.
    pub root: String,
    /// Its address.
    pub url: String,
    /// `address:port` to probe it at.
    pub origin_addr: String,
    /// The host name to send there.
    pub origin_host: String,
}

/// Records that an environment lives in another domain; [`Error::Exists`] when its
/// directory is taken.
pub async fn relocate(tx: &Tx, id: EnvironmentId, to: Moved) -> Result<()> {
    let done = environment::Entity::update_many()
        .col_expr(
            environment::Column::DomainId,
            Expr::val(Some(to.domain_id.get())),
        )
        .col_expr(environment::Column::Root, Expr::val(to.root))
        .col_expr(environment::Column::Url, Expr::val(to.url))
        .col_expr(
            environment::Column::OriginAddr,
            Expr::val(Some(to.origin_addr)),
        )
        .col_expr(
            environment::Column::OriginHost,
            Expr::val(Some(to.origin_host)),
        )
        .filter(environment::Column::Id.eq(id.get()))
        .exec(tx.connection())
        .await
        .map_err(Error::of("environment"))?;
    if done.rows_affected == 0 {
        return Err(Error::NotFound {
            what: "environment",
        });
    }
    Ok(())
}
