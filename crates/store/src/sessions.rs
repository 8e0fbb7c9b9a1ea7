//! Signed-in browsers. Only a digest of the cookie is kept.

use crate::{Error, Read, Result, Store, Tx};
use pressroom_base::{
    Timestamp,
    id::{SessionId, UserId},
    token,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set, sea_query::Expr,
};
use std::time::Duration;

/// How exact `last_seen_at` is.
const LAST_SEEN_STEP: Duration = Duration::from_mins(1);

table! {
    /// A signed-in browser.
    SessionRow = session("sessions") {
        /// The row.
        id: SessionId,
        /// Who signed in.
        user_id: UserId,
        /// SHA-256 of the cookie in hex; unique.
        digest: String,
        /// What forms must send back.
        csrf: String,
        /// When it began.
        created_at: Timestamp,
        /// When it ends.
        expires_at: Timestamp,
        /// When it was last seen, to the minute.
        last_seen_at: Timestamp,
        /// Where from.
        address: Option<String>,
        /// With which browser.
        agent: Option<String>,
    }
}

/// A browser that has just signed in.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Who signed in.
    pub user_id: UserId,
    /// SHA-256 of the cookie in hex.
    pub digest: String,
    /// What forms must send back.
    pub csrf: String,
    /// How long it lasts.
    pub lasts: Duration,
    /// Where from.
    pub address: Option<String>,
    /// With which browser.
    pub agent: Option<String>,
}

/// Keeps a session.
pub async fn create(tx: &Tx, new: NewSession) -> Result<SessionRow> {
    let now = tx.now().await?;
    let model = session::ActiveModel {
        user_id: Set(new.user_id.get()),
        digest: Set(new.digest),
        csrf: Set(new.csrf),
        created_at: Set(now.millis()),
        expires_at: Set(now.plus(new.lasts).millis()),
        last_seen_at: Set(now.millis()),
        address: Set(new.address),
        agent: Set(new.agent),
        ..Default::default()
    };
    let model = model
        .insert(tx.connection())
        .await
        .map_err(Error::of("session"))?;
    SessionRow::read(model)
}

/// The session of this cookie, unless it has ended.
pub async fn by_secret(from: &impl Read, cookie: &str) -> Result<Option<SessionRow>> {
    let now = from.shared().now().await?;
    let found = session::Entity::find()
        .filter(session::Column::Digest.eq(token::digest(cookie)))
        .filter(session::Column::ExpiresAt.gt(now.millis()))
        .one(from.connection())
        .await?;
    found.map(SessionRow::read).transpose()
}

/// Somebody's sessions, newest first.
pub async fn list(from: &impl Read, user: UserId) -> Result<Vec<SessionRow>> {
    let found = session::Entity::find()
        .filter(session::Column::UserId.eq(user.get()))
        .order_by_desc(session::Column::Id)
        .all(from.connection())
        .await?;
    found.into_iter().map(SessionRow::read).collect()
}

/// Remembers that a session was seen and lets it last on; at most one write a minute.
pub async fn touch(store: &Store, seen: &SessionRow, lasts: Duration) -> Result<()> {
    let now = store.now().await?;
    if seen.last_seen_at.plus(LAST_SEEN_STEP) > now {
        return Ok(());
    }
    let tx = store.begin().await?;
    session::Entity::update_many()
        .col_expr(session::Column::LastSeenAt, Expr::val(now.millis()))
        .col_expr(
            session::Column::ExpiresAt,
            Expr::val(now.plus(lasts).millis()),
        )
        .filter(session::Column::Id.eq(seen.id.get()))
        .exec(tx.connection())
        .await?;
    tx.commit().await
}

/// Signs one browser out.
pub async fn remove(tx: &Tx, id: SessionId) -> Result<()> {
    session::Entity::delete_by_id(id.get())
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// Signs somebody out everywhere.
pub async fn remove_of(tx: &Tx, user: UserId) -> Result<()> {
    session::Entity::delete_many()
        .filter(session::Column::UserId.eq(user.get()))
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// Forgets sessions that have ended.
pub async fn prune(tx: &Tx) -> Result<u64> {
    let now = tx.now().await?;
    let done = session::Entity::delete_many()
        .filter(session::Column::ExpiresAt.lte(now.millis()))
        .exec(tx.connection())
        .await?;
    Ok(done.rows_affected)
}
