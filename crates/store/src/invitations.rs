//! Invitations to accounts. Only a digest of the link's secret is kept.

use crate::{Error, Read, Result, Role, Scope, Tx, accounts, sql, stored::Stored, users};
use pressroom_base::{
    Timestamp,
    id::{AccountId, InvitationId, UserId},
    token,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QueryResult, Set,
};
use std::time::Duration;

names! {
    /// What became of an invitation. One whose time is over stays open and opens nothing.
    InvitationState {
        /// It may be accepted.
        Open = "open",
        /// Somebody came by it.
        Accepted = "accepted",
        /// It was taken back.
        Withdrawn = "withdrawn",
        /// The same person was invited to the same account anew.
        Replaced = "replaced",
    }
}

table! {
    /// An invitation.
    InvitationRow = invitation("invitations") {
        /// The row.
        id: InvitationId,
        /// To this account.
        account_id: AccountId,
        /// Of the person with this address, folded.
        email: String,
        /// How whoever invites calls them; may be empty.
        name: String,
        /// What they may do there.
        role: Role,
        /// SHA-256 of the link's secret in hex; unique.
        digest: String,
        /// Who invited; nobody where it was done at the command line.
        inviter_id: Option<UserId>,
        /// The same, for people.
        inviter: String,
        /// What became of it.
        state: InvitationState,
        /// When it was made.
        created_at: Timestamp,
        /// Until when it is good.
        expires_at: Timestamp,
        /// When it was accepted, withdrawn or replaced.
        ended_at: Option<Timestamp>,
    }
}

/// An invitation to make.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    /// To this account.
    pub account_id: AccountId,
    /// Of the person with this address; folded when stored.
    pub email: String,
    /// How whoever invites calls them.
    pub name: String,
    /// What they may do there.
    pub role: Role,
    /// SHA-256 of the link's secret in hex.
    pub digest: String,
    /// Who invites.
    pub inviter_id: Option<UserId>,
    /// The same, for people.
    pub inviter: String,
    /// How long it is good.
    pub lasts: Duration,
}

/// Makes an invitation, in place of an open one of the same person to the same account.
pub async fn create(tx: &Tx, new: NewInvitation) -> Result<InvitationRow> {
    // One after another: of two that are made at once, the later is the one that holds.
    accounts::lock(tx, new.account_id).await?;
    let email = users::fold_email(&new.email);
    end(tx, new.account_id, &email, InvitationState::Replaced).await?;
    let now = tx.now().await?;
    let model = invitation::ActiveModel {
        account_id: Set(new.account_id.get()),
        email: Set(email),
        name: Set(new.name),
        role: Set(new.role.raw()),
        digest: Set(new.digest),
        inviter_id: Set(new.inviter_id.raw()),
        inviter: Set(new.inviter),
        state: Set(InvitationState::Open.raw()),
        created_at: Set(now.millis()),
        expires_at: Set(now.plus(new.lasts).millis()),
        ended_at: Set(None),
        ..Default::default()
    };
    let model = model
        .insert(tx.connection())
        .await
        .map_err(Error::of("invitation"))?;
    InvitationRow::read(model)
}

/// The invitation with this secret, while it may be accepted.
pub async fn by_secret(from: &impl Read, secret: &str) -> Result<Option<InvitationRow>> {
    let now = from.shared().now().await?;
    let found = invitation::Entity::find()
        .filter(invitation::Column::Digest.eq(token::digest(secret)))
        .filter(invitation::Column::State.eq(InvitationState::Open.raw()))
        .filter(invitation::Column::ExpiresAt.gt(now.millis()))
        .one(from.connection())
        .await?;
    found.map(InvitationRow::read).transpose()
}

/// Accepts the invitation with this secret. Of any number that try at once, one gets it, and
/// keeps it only if `tx` commits.
pub async fn accept(tx: &Tx, secret: &str) -> Result<Option<InvitationRow>> {
    let now = tx.now().await?;
    let taken = sql::one(
        tx,
        "UPDATE invitations SET state = 'accepted', ended_at = $1 \
         WHERE digest = $2 AND state = 'open' AND expires_at > $1 RETURNING *",
        [now.millis().into(), token::digest(secret).into()],
    )
    .await?;
    taken.as_ref().map(read).transpose()
}

/// Takes an open invitation back, also one whose time is over.
pub async fn withdraw(tx: &Tx, account: AccountId, email: &str) -> Result<Option<InvitationRow>> {
    let email = users::fold_email(email);
    end(tx, account, &email, InvitationState::Withdrawn).await
}

/// The invitations within a scope that may be accepted, by account and address.
pub async fn list_open(from: &impl Read, scope: &Scope) -> Result<Vec<InvitationRow>> {
    let now = from.shared().now().await?;
    let mut query = invitation::Entity::find()
        .filter(invitation::Column::State.eq(InvitationState::Open.raw()))
        .filter(invitation::Column::ExpiresAt.gt(now.millis()))
        .order_by_asc(invitation::Column::AccountId)
        .order_by_asc(invitation::Column::Email);
    if let Some(own) = scope.ids() {
        query = query.filter(invitation::Column::AccountId.is_in(own));
    }
    let found = query.all(from.connection()).await?;
    found.into_iter().map(InvitationRow::read).collect()
}

/// Forgets invitations that could not be accepted for this long.
pub async fn prune(tx: &Tx, older_than: Duration) -> Result<u64> {
    let before = tx.now().await?.minus(older_than);
    sql::run(
        tx,
        "DELETE FROM invitations WHERE expires_at < $1",
        [before.millis().into()],
    )
    .await
}

async fn end(
    tx: &Tx,
    account: AccountId,
    email: &str,
    state: InvitationState,
) -> Result<Option<InvitationRow>> {
    let now = tx.now().await?;
    let ended = sql::one(
        tx,
        "UPDATE invitations SET state = $1, ended_at = $2 \
         WHERE account_id = $3 AND email = $4 AND state = 'open' RETURNING *",
        [
            state.as_str().into(),
            now.millis().into(),
            account.get().into(),
            email.into(),
        ],
    )
    .await?;
    ended.as_ref().map(read).transpose()
}

fn read(row: &QueryResult) -> Result<InvitationRow> {
    InvitationRow::read(invitation::Model::from_query_result(row, "")?)
}
