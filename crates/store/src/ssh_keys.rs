//! Keys that open hosts. The private halves are kept sealed.

use crate::{Error, Lookup, Page, Read, Result, Scope, Store, Tx, accounts, sql, stored::Stored};
use pressroom_base::{
    Secret, Timestamp,
    id::{AccountId, SshKeyId},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QueryResult, QuerySelect, Select, Set,
    sea_query::{Expr, IntoCondition},
};

names! {
    /// What kind of key it is.
    SshKeyKind {
        /// On Curve25519.
        Ed25519 = "ed25519",
        /// RSA, for hosts that know nothing newer.
        Rsa = "rsa",
    }
}

table! {
    /// A key of an account.
    SshKeyRow = key("ssh_keys") {
        /// The row.
        id: SshKeyId,
        /// Whose it is.
        account_id: AccountId,
        /// What its owner calls it.
        label: String,
        /// What kind of key it is.
        kind: SshKeyKind,
        /// The public half as a line of `authorized_keys`.
        public_line: String,
        /// `SHA256:…` as OpenSSH prints it; unique in its account.
        fingerprint: String,
        /// Sealed; opened by [`private`].
        private_sealed: String,
        /// Whether hosts that name no key are opened with it; one in an account is.
        is_primary: bool,
        /// When it was added.
        created_at: Timestamp,
    }
}

/// A key to keep.
#[derive(Debug, Clone)]
pub struct NewSshKey {
    /// Whose it is.
    pub account_id: AccountId,
    /// What its owner calls it.
    pub label: String,
    /// What kind of key it is.
    pub kind: SshKeyKind,
    /// The public half as a line of `authorized_keys`.
    pub public_line: String,
    /// `SHA256:…` as OpenSSH prints it.
    pub fingerprint: String,
    /// The private half; kept sealed.
    pub private: Secret<String>,
}

/// Keeps a key; it is the primary one where the account has none. [`Error::Exists`] when
/// the account has this key already.
pub async fn create(tx: &Tx, new: NewSshKey) -> Result<SshKeyRow> {
    accounts::lock(tx, new.account_id).await?;
    let is_primary = primary(tx, new.account_id).await?.is_none();
    let place = private_place(new.account_id, &new.fingerprint);
    let model = key::ActiveModel {
        account_id: Set(new.account_id.get()),
        label: Set(new.label),
        kind: Set(new.kind.raw()),
        public_line: Set(new.public_line),
        fingerprint: Set(new.fingerprint),
        private_sealed: Set(tx.store().seal(&place, &new.private)),
        is_primary: Set(is_primary),
        created_at: Set(tx.now().await?.millis()),
        ..Default::default()
    };
    let model = model
        .insert(tx.connection())
        .await
        .map_err(Error::of("SSH key"))?;
    SshKeyRow::read(model)
}

/// One key, whoever's it is.
pub async fn get(from: &impl Read, id: SshKeyId) -> Result<Option<SshKeyRow>> {
    let found = key::Entity::find_by_id(id.get())
        .one(from.connection())
        .await?;
    found.map(SshKeyRow::read).transpose()
}

/// One key, as far as the scope may know.
pub async fn look_up(from: &impl Read, scope: &Scope, id: SshKeyId) -> Result<Lookup<SshKeyRow>> {
    let found = get(from, id).await?;
    Ok(scope.lookup(found, |row| Some(row.account_id)))
}

/// The key that opens an account's hosts that name none.
pub async fn primary(from: &impl Read, account: AccountId) -> Result<Option<SshKeyRow>> {
    let found = key::Entity::find()
        .filter(key::Column::AccountId.eq(account.get()))
        .filter(key::Column::IsPrimary.eq(true))
        .one(from.connection())
        .await?;
    found.map(SshKeyRow::read).transpose()
}

/// The keys within a scope, oldest first.
pub async fn list(from: &impl Read, scope: &Scope, page: Page) -> Result<Vec<SshKeyRow>> {
    let found = select(scope)
        .order_by_asc(key::Column::Id)
        .limit(page.limit)
        .offset(page.offset)
        .all(from.connection())
        .await?;
    found.into_iter().map(SshKeyRow::read).collect()
}

/// How many [`list`] would find on all pages.
pub async fn count(from: &impl Read, scope: &Scope) -> Result<u64> {
    Ok(select(scope).count(from.connection()).await?)
}

/// Makes a key its account's primary one, in place of the one before.
pub async fn make_primary(tx: &Tx, id: SshKeyId) -> Result<()> {
    let row = locked(tx, id).await?;
    // One after the other: the index refuses two at any instant.
    set_primary(
        tx,
        Condition::all()
            .add(key::Column::AccountId.eq(row.account_id.get()))
            .add(key::Column::IsPrimary.eq(true)),
        false,
    )
    .await?;
    set_primary(tx, key::Column::Id.eq(id.get()), true).await
}

/// Forgets a key; [`Error::InUse`] while a host is opened with it, be it named there or
/// used as the primary one. A primary one leaves its account without.
pub async fn remove(tx: &Tx, id: SshKeyId) -> Result<()> {
    let row = locked(tx, id).await?;
    if opens_a_host(tx, &row).await? {
        return Err(Error::InUse { what: "SSH key" });
    }
    key::Entity::delete_by_id(id.get())
        .exec(tx.connection())
        .await
        .map_err(Error::of("SSH key"))?;
    Ok(())
}

/// Opens the private half.
pub fn private(store: &Store, row: &SshKeyRow) -> Result<Secret<String>> {
    store.unseal(
        &private_place(row.account_id, &row.fingerprint),
        &row.private_sealed,
    )
}

/// Refuses a key that is not the account's, as one that does not exist.
pub(crate) async fn of_account(tx: &Tx, account: AccountId, id: SshKeyId) -> Result<()> {
    let scope = Scope::Accounts(vec![account]);
    let found = look_up(tx, &scope, id).await?.found();
    found.map(|_| ()).ok_or(Error::NotFound { what: "SSH key" })
}

/// Whether a host is opened with a key, named there or relied on as the primary one.
async fn opens_a_host(tx: &Tx, key: &SshKeyRow) -> Result<bool> {
    let found = sql::one(
        tx,
        "SELECT id FROM hosts WHERE key_id = $1 \
         OR ($2 AND key_id IS NULL AND account_id = $3) LIMIT 1",
        [
            key.id.get().into(),
            key.is_primary.into(),
            key.account_id.get().into(),
        ],
    )
    .await?;
    Ok(found.is_some())
}

/// A key as it is once nobody else decides over its account's.
async fn locked(tx: &Tx, id: SshKeyId) -> Result<SshKeyRow> {
    const GONE: Error = Error::NotFound { what: "SSH key" };
    let row = get(tx, id).await?.ok_or(GONE)?;
    accounts::lock(tx, row.account_id).await?;
    get(tx, id).await?.ok_or(GONE)
}

async fn set_primary(tx: &Tx, filter: impl IntoCondition, primary: bool) -> Result<()> {
    key::Entity::update_many()
        .col_expr(key::Column::IsPrimary, Expr::val(primary))
        .filter(filter)
        .exec(tx.connection())
        .await?;
    Ok(())
}

fn select(scope: &Scope) -> Select<key::Entity> {
    let mut query = key::Entity::find();
    if let Some(own) = scope.ids() {
        query = query.filter(key::Column::AccountId.is_in(own));
    }
    query
}

fn private_place(account: AccountId, fingerprint: &str) -> String {
    format!("ssh_keys.private/{account}/{fingerprint}")
}

/// The place of a row's sealed key.
pub(crate) fn place_of_row(row: &QueryResult) -> Result<String> {
    let account = AccountId::new(row.try_get("", "account_id")?);
    let fingerprint: String = row.try_get("", "fingerprint")?;
    Ok(private_place(account, &fingerprint))
}
