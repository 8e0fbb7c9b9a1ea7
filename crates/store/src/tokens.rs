//! Credentials of programs. Only a digest is kept.

use crate::{Error, Read, Result, Store, Tx, sql, stored::Stored};
use pressroom_base::{
    Timestamp,
    id::{AccountId, EnvironmentId, TokenId, UserId},
    token,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set, sea_query::Expr,
};
use std::time::Duration;

/// How exact `last_used_at` is; more would be a write per request.
const LAST_USED_STEP: Duration = Duration::from_mins(1);

table! {
    /// A credential of a program.
    TokenRow = credential("tokens") {
        /// The row.
        id: TokenId,
        /// `api`, `panel`, `application`, `reseller`, `site`, `agent`.
        kind: String,
        /// Who acts with it.
        user_id: Option<UserId>,
        /// The only account it opens.
        account_id: Option<AccountId>,
        /// The only environment it opens.
        environment_id: Option<EnvironmentId>,
        /// What its owner calls it.
        name: String,
        /// The first 12 characters of the secret.
        prefix: String,
        /// SHA-256 of the secret in hex; unique.
        digest: String,
        /// What it may do.
        scopes: Vec<String>,
        /// Where it may come from; empty is anywhere.
        cidrs: Vec<String>,
        /// When it ends.
        expires_at: Option<Timestamp>,
        /// Whether it works at all.
        enabled: bool,
        /// When it was last used, to the minute.
        last_used_at: Option<Timestamp>,
        /// When it was issued.
        created_at: Timestamp,
        /// Whether a program got it by signing in, and signing out ends it.
        login: bool,
    }
}

/// A credential to keep.
#[derive(Debug, Clone, Default)]
pub struct NewToken {
    /// `api`, `panel`, `application`, `reseller`, `site`, `agent`.
    pub kind: String,
    /// Who acts with it.
    pub user_id: Option<UserId>,
    /// The only account it opens.
    pub account_id: Option<AccountId>,
    /// The only environment it opens.
    pub environment_id: Option<EnvironmentId>,
    /// What its owner calls it.
    pub name: String,
    /// The first 12 characters of the secret.
    pub prefix: String,
    /// SHA-256 of the secret in hex.
    pub digest: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Where it may come from; empty is anywhere.
    pub cidrs: Vec<String>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// Whether a program got it by signing in.
    pub login: bool,
}

/// Keeps a credential.
pub async fn create(tx: &Tx, new: NewToken) -> Result<TokenRow> {
    let model = credential::ActiveModel {
        kind: Set(new.kind),
        user_id: Set(new.user_id.raw()),
        account_id: Set(new.account_id.raw()),
        environment_id: Set(new.environment_id.raw()),
        name: Set(new.name),
        prefix: Set(new.prefix),
        digest: Set(new.digest),
        scopes: Set(new.scopes.raw()),
        cidrs: Set(new.cidrs.raw()),
        expires_at: Set(new.expires_at.raw()),
        enabled: Set(true),
        last_used_at: Set(None),
        created_at: Set(tx.now().await?.millis()),
        login: Set(new.login),
        ..Default::default()
    };
    let model = model
        .insert(tx.connection())
        .await
        .map_err(Error::of("token"))?;
    TokenRow::read(model)
}

/// One credential.
pub async fn get(from: &impl Read, id: TokenId) -> Result<Option<TokenRow>> {
    let found = credential::Entity::find_by_id(id.get())
        .one(from.connection())
        .await?;
    found.map(TokenRow::read).transpose()
}

/// The credential with this secret. Whether it is enabled, in time and allowed
/// from here is the caller's to judge.
pub async fn by_secret(from: &impl Read, secret: &str) -> Result<Option<TokenRow>> {
    let found = credential::Entity::find()
        .filter(credential::Column::Digest.eq(token::digest(secret)))
        .one(from.connection())
        .await?;
    found.map(TokenRow::read).transpose()
}

/// Somebody's credentials, oldest first; everybody's for `None`.
pub async fn list(from: &impl Read, user: Option<UserId>) -> Result<Vec<TokenRow>> {
    let mut query = credential::Entity::find().order_by_asc(credential::Column::Id);
    if let Some(user) = user {
        query = query.filter(credential::Column::UserId.eq(user.get()));
    }
    let found = query.all(from.connection()).await?;
    found.into_iter().map(TokenRow::read).collect()
}

/// Turns a credential on or off.
pub async fn set_enabled(tx: &Tx, id: TokenId, enabled: bool) -> Result<()> {
    let done = credential::Entity::update_many()
        .col_expr(credential::Column::Enabled, Expr::val(enabled))
        .filter(credential::Column::Id.eq(id.get()))
        .exec(tx.connection())
        .await?;
    if done.rows_affected == 0 {
        return Err(Error::NotFound { what: "token" });
    }
    Ok(())
}

/// Forgets a credential.
pub async fn remove(tx: &Tx, id: TokenId) -> Result<()> {
    let done = credential::Entity::delete_by_id(id.get())
        .exec(tx.connection())
        .await?;
    if done.rows_affected == 0 {
        return Err(Error::NotFound { what: "token" });
    }
    Ok(())
}

/// Forgets the oldest of the credentials that somebody got by signing in, all but `keep`;
/// says how many.
pub async fn trim_logins(tx: &Tx, user: UserId, keep: u64) -> Result<u64> {
    sql::run(
        tx,
        "DELETE FROM tokens WHERE user_id = $1 AND login AND id NOT IN \
         (SELECT id FROM tokens WHERE user_id = $1 AND login ORDER BY id DESC LIMIT $2)",
        [
            user.get().into(),
            i64::try_from(keep).unwrap_or(i64::MAX).into(),
        ],
    )
    .await
}

/// Remembers that a credential was used; at most one write a minute. By this process'
/// clock: asking the database's would be a statement for each request.
pub async fn touch(store: &Store, used: &TokenRow) -> Result<()> {
    let now = Timestamp::now();
    if used
        .last_used_at
        .is_some_and(|last| last.plus(LAST_USED_STEP) > now)
    {
        return Ok(());
    }
    let tx = store.begin().await?;
    credential::Entity::update_many()
        .col_expr(credential::Column::LastUsedAt, Expr::val(now.millis()))
        .filter(credential::Column::Id.eq(used.id.get()))
        .exec(tx.connection())
        .await?;
    tx.commit().await
}
