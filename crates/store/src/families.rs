//! Tokens that are exchanged for new ones. All that one sign-in leads to is a family: it
//! ends as a whole. The tokens themselves are signed and not kept, only which of them is
//! the one that may be exchanged.

use crate::{Error, Read, Result, Tx, sql, stored::Stored};
use pressroom_base::{
    Timestamp,
    id::{AccountId, FamilyId, UserId},
    token,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use std::time::Duration;

table! {
    /// What one sign-in led to.
    FamilyRow = family("token_families") {
        /// The row.
        id: FamilyId,
        /// What its tokens call it; unique.
        public_id: String,
        /// Who signed in.
        user_id: UserId,
        /// The account they work in.
        account_id: Option<AccountId>,
        /// The only token that may be exchanged.
        current: String,
        /// When it began.
        created_at: Timestamp,
        /// When it ends, however often tokens are exchanged.
        ends_at: Timestamp,
        /// When it was ended before that.
        revoked_at: Option<Timestamp>,
        /// Where somebody signed in from.
        address: Option<String>,
    }
}

table! {
    /// A token that is refused although its time is not over.
    DeniedRow = denied("denied_tokens") {
        /// The row.
        id: i64,
        /// What the token calls itself; unique.
        name: String,
        /// When its time is over.
        ends_at: Timestamp,
    }
}

/// A family to begin.
#[derive(Debug, Clone)]
pub struct NewFamily {
    /// Who signed in.
    pub user_id: UserId,
    /// The account they work in.
    pub account_id: Option<AccountId>,
    /// How long it lasts at most.
    pub lasts: Duration,
    /// Where from.
    pub address: Option<String>,
}

/// What a token calls itself.
pub fn name() -> String {
    token::hex(32)
}

/// Begins a family with its first token.
pub async fn create(tx: &Tx, new: NewFamily) -> Result<FamilyRow> {
    let now = tx.now().await?;
    let model = family::ActiveModel {
        public_id: Set(name()),
        user_id: Set(new.user_id.get()),
        account_id: Set(new.account_id.raw()),
        current: Set(name()),
        created_at: Set(now.millis()),
        ends_at: Set(now.plus(new.lasts).millis()),
        revoked_at: Set(None),
        address: Set(new.address),
        ..Default::default()
    };
    let model = model
        .insert(tx.connection())
        .await
        .map_err(Error::of("token family"))?;
    FamilyRow::read(model)
}

/// The family that tokens call so. Whether it is alive is the caller's to judge.
pub async fn by_public_id(from: &impl Read, public_id: &str) -> Result<Option<FamilyRow>> {
    let found = family::Entity::find()
        .filter(family::Column::PublicId.eq(public_id))
        .one(from.connection())
        .await?;
    found.map(FamilyRow::read).transpose()
}

/// Exchanges a token for the next; `false` when it is not the current one of a family
/// that is alive. Of several at once, one gets `true`.
pub async fn exchange(tx: &Tx, family: FamilyId, current: &str, next: &str) -> Result<bool> {
    let now = tx.now().await?;
    let exchanged = sql::run(
        tx,
        "UPDATE token_families SET current = $1 \
         WHERE id = $2 AND current = $3 AND revoked_at IS NULL AND ends_at > $4",
        [
            next.into(),
            family.get().into(),
            current.into(),
            now.millis().into(),
        ],
    )
    .await?;
    Ok(exchanged > 0)
}

/// Ends a family; `false` when it was ended before.
pub async fn revoke(tx: &Tx, family: FamilyId) -> Result<bool> {
    let now = tx.now().await?;
    let revoked = sql::run(
        tx,
        "UPDATE token_families SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL",
        [now.millis().into(), family.get().into()],
    )
    .await?;
    Ok(revoked > 0)
}

/// Ends everything that a person has signed in to; says how many families that were.
pub async fn revoke_of(tx: &Tx, user: UserId) -> Result<u64> {
    let now = tx.now().await?;
    sql::run(
        tx,
        "UPDATE token_families SET revoked_at = $1 WHERE user_id = $2 AND revoked_at IS NULL",
        [now.millis().into(), user.get().into()],
    )
    .await
}

/// Refuses one token until its time is over; `false` when it was refused already.
pub async fn deny(tx: &Tx, name: &str, ends_at: Timestamp) -> Result<bool> {
    let denied = sql::run(
        tx,
        "INSERT INTO denied_tokens (name, ends_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        [name.into(), ends_at.millis().into()],
    )
    .await?;
    Ok(denied > 0)
}

/// Whether a token is refused.
pub async fn is_denied(from: &impl Read, name: &str) -> Result<bool> {
    let found = denied::Entity::find()
        .filter(denied::Column::Name.eq(name))
        .one(from.connection())
        .await?;
    Ok(found.map(DeniedRow::read).transpose()?.is_some())
}

/// Forgets families and refused tokens whose time is over; says how many. `slack` is how
/// far the clock that judges tokens may be behind.
pub async fn prune(tx: &Tx, slack: Duration) -> Result<u64> {
    let before = tx.now().await?.minus(slack).millis();
    let families = sql::run(
        tx,
        "DELETE FROM token_families WHERE ends_at < $1",
        [before.into()],
    )
    .await?;
    let denied = sql::run(
        tx,
        "DELETE FROM denied_tokens WHERE ends_at < $1",
        [before.into()],
    )
    .await?;
    Ok(families + denied)
}
