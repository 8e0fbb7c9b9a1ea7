//! Machines that are reached over SSH, and what is known of them.

use crate::{
    Error, Lookup, Page, Read, Result, Scope, SshKeyRow, Tx, accounts, environments, sql, ssh_keys,
    stored::Stored,
};
use pressroom_base::{
    Timestamp,
    id::{AccountId, HostId, SshKeyId},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select, Set, UpdateMany, sea_query::Expr,
};

mod pin;

pub use pin::{HostKey, Pin, forget_key, learn_key};

names! {
    /// How a host was last found.
    HostStatus {
        /// Nobody looked.
        New = "new",
        /// It let us in.
        Reachable = "reachable",
        /// It did not answer.
        Unreachable = "unreachable",
        /// It answered and did not let us in.
        Refused = "refused",
        /// It showed another key than the pinned one.
        KeyChanged = "key_changed",
    }
}

table! {
    /// A machine of an account's.
    HostRow = host("hosts") {
        /// The row.
        id: HostId,
        /// Whose it is.
        account_id: AccountId,
        /// What its owner calls it.
        label: String,
        /// Its name in lower case, or its IP address; unique in the account together with
        /// the port and the login.
        address: String,
        /// Where its sshd listens.
        port: u16,
        /// Who logs in; sites there may belong to others.
        login: String,
        /// What opens it; the account's primary key, without.
        key_id: Option<SshKeyId>,
        /// The host through which it is reached.
        jump_id: Option<HostId>,
        /// What kind of key it is known by, once there is one.
        host_key_algorithm: Option<String>,
        /// That key, in base64.
        host_key: Option<String>,
        /// How it was last found.
        status: HostStatus,
        /// What was last seen on it.
        survey: Option<serde_json::Value>,
        /// When that was.
        surveyed_at: Option<Timestamp>,
        /// When it was added.
        created_at: Timestamp,
    }
}

impl HostRow {
    /// The key the host is known by, once there is one.
    pub fn pinned(&self) -> Option<HostKey> {
        let algorithm = self.host_key_algorithm.clone();
        let both = algorithm.zip(self.host_key.clone());
        both.map(|(algorithm, base64)| HostKey { algorithm, base64 })
    }
}

/// A host to add.
#[derive(Debug, Clone)]
pub struct NewHost {
    /// Whose it is.
    pub account_id: AccountId,
    /// What its owner calls it.
    pub label: String,
    /// Its name or its IP address; folded when stored.
    pub address: String,
    /// Where its sshd listens.
    pub port: u16,
    /// Who logs in.
    pub login: String,
    /// What opens it, of the same account; its primary key, without.
    pub key_id: Option<SshKeyId>,
    /// The host through which it is reached, of the same account.
    pub jump_id: Option<HostId>,
}

/// Changes to a host; `None` leaves a column alone, `Some(None)` empties it.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of the row")]
pub struct HostPatch {
    pub label: Option<String>,
    pub address: Option<String>,
    pub port: Option<u16>,
    pub login: Option<String>,
    pub key_id: Option<Option<SshKeyId>>,
    pub jump_id: Option<Option<HostId>>,
}

/// What keeps a host from being removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HostUses {
    /// Environments there that are more than a record.
    pub environments: u64,
    /// Hosts that are reached through it.
    pub jumps: u64,
}

/// Adds a host; [`Error::Exists`] when the account has this login there already,
/// [`Error::NotFound`] when the key or the host to jump through is not the account's.
pub async fn create(tx: &Tx, new: NewHost) -> Result<HostRow> {
    accounts::lock(tx, new.account_id).await?;
    if let Some(key) = new.key_id {
        ssh_keys::of_account(tx, new.account_id, key).await?;
    }
    if let Some(jump) = new.jump_id {
        of_account(tx, new.account_id, jump).await?;
    }
    let model = host::ActiveModel {
        account_id: Set(new.account_id.get()),
        label: Set(new.label),
        address: Set(fold_address(&new.address)),
        port: Set(new.port.raw()),
        login: Set(new.login),
        key_id: Set(new.key_id.raw()),
        jump_id: Set(new.jump_id.raw()),
        host_key_algorithm: Set(None),
        host_key: Set(None),
        status: Set(HostStatus::New.raw()),
        survey: Set(None),
        surveyed_at: Set(None),
        created_at: Set(tx.now().await?.millis()),
        ..Default::default()
    };
    let model = model
        .insert(tx.connection())
        .await
        .map_err(Error::of("host"))?;
    HostRow::read(model)
}

/// One host, whoever's it is.
pub async fn get(from: &impl Read, id: HostId) -> Result<Option<HostRow>> {
    let found = host::Entity::find_by_id(id.get())
        .one(from.connection())
        .await?;
    found.map(HostRow::read).transpose()
}

/// Those of these hosts that exist, of which one statement can name them all: some hundreds.
pub async fn get_many(from: &impl Read, ids: &[HostId]) -> Result<Vec<HostRow>> {
    let found = host::Entity::find()
        .filter(host::Column::Id.is_in(ids.iter().map(|id| id.get())))
        .all(from.connection())
        .await?;
    found.into_iter().map(HostRow::read).collect()
}

/// One host, as far as the scope may know.
pub async fn look_up(from: &impl Read, scope: &Scope, id: HostId) -> Result<Lookup<HostRow>> {
    let found = get(from, id).await?;
    Ok(scope.lookup(found, |row| Some(row.account_id)))
}

/// The hosts within a scope that people mean by a word: a label or an address.
pub async fn named(from: &impl Read, scope: &Scope, name: &str) -> Result<Vec<HostRow>> {
    let found = select(scope)
        .filter(
            Condition::any()
                .add(host::Column::Label.eq(name))
                .add(host::Column::Address.eq(fold_address(name))),
        )
        .order_by_asc(host::Column::Id)
        .all(from.connection())
        .await?;
    found.into_iter().map(HostRow::read).collect()
}

/// The hosts within a scope, by label.
pub async fn list(from: &impl Read, scope: &Scope, page: Page) -> Result<Vec<HostRow>> {
    let found = select(scope)
        .order_by_asc(host::Column::Label)
        .order_by_asc(host::Column::Id)
        .limit(page.limit)
        .offset(page.offset)
        .all(from.connection())
        .await?;
    found.into_iter().map(HostRow::read).collect()
}

/// The key that opens a host: its own or else its account's primary one.
pub async fn key(from: &impl Read, host: &HostRow) -> Result<Option<SshKeyRow>> {
    match host.key_id {
        Some(id) => ssh_keys::get(from, id).await,
        None => ssh_keys::primary(from, host.account_id).await,
    }
}

/// How many [`list`] would find on all pages.
pub async fn count(from: &impl Read, scope: &Scope) -> Result<u64> {
    Ok(select(scope).count(from.connection()).await?)
}

/// Changes a host, with the refusals of [`create`], and [`Error::Cycle`] when it would be
/// reached through itself. A pinned key stays: at another address it is to be forgotten
/// in so many words.
pub async fn update(tx: &Tx, id: HostId, patch: HostPatch) -> Result<HostRow> {
    let row = locked(tx, id).await?;
    if let Some(Some(key)) = patch.key_id {
        ssh_keys::of_account(tx, row.account_id, key).await?;
    }
    if let Some(Some(jump)) = patch.jump_id {
        of_account(tx, row.account_id, jump).await?;
        refuse_cycle(tx, id, jump).await?;
    }
    let mut model = host::ActiveModel {
        id: Set(id.get()),
        ..Default::default()
    };
    let address = patch.address.as_deref().map(fold_address);
    model.address = address.map_or(model.address, Set);
    macro_rules! patch {
        ($($field:ident),*) => {$(
            if let Some(value) = patch.$field {
                model.$field = Set(value.raw());
            }
        )*};
    }
    patch!(label, port, login, key_id, jump_id);
    let model = model
        .update(tx.connection())
        .await
        .map_err(Error::of("host"))?;
    HostRow::read(model)
}

/// Records how a host was found.
pub async fn set_status(tx: &Tx, id: HostId, status: HostStatus) -> Result<()> {
    done(tx, change(id, status)).await
}

/// Records what was seen on a host, just now; it let us in.
pub async fn surveyed(tx: &Tx, id: HostId, survey: &serde_json::Value) -> Result<()> {
    let now = tx.now().await?;
    let change = change(id, HostStatus::Reachable)
        .col_expr(host::Column::Survey, Expr::val(survey.to_string()))
        .col_expr(host::Column::SurveyedAt, Expr::val(now.millis()));
    done(tx, change).await
}

/// What needs a host.
pub async fn uses(from: &impl Read, id: HostId) -> Result<HostUses> {
    let jumps = host::Entity::find()
        .filter(host::Column::JumpId.eq(id.get()))
        .count(from.connection())
        .await?;
    Ok(HostUses {
        environments: environments::live_on_host(from, id).await?,
        jumps,
    })
}

/// Forgets a host; [`Error::InUse`] while environments are there or others are reached
/// through it, as [`uses`] tells. Rows of failed installations go with it.
pub async fn remove(tx: &Tx, id: HostId) -> Result<()> {
    locked(tx, id).await?;
    if uses(tx, id).await? != HostUses::default() {
        return Err(Error::InUse { what: "host" });
    }
    environments::remove_failed_on(tx, id).await?;
    host::Entity::delete_by_id(id.get())
        .exec(tx.connection())
        .await
        .map_err(Error::of("host"))?;
    Ok(())
}

/// Refuses a host that is not the account's, as one that does not exist.
async fn of_account(tx: &Tx, account: AccountId, id: HostId) -> Result<()> {
    let scope = Scope::Accounts(vec![account]);
    let found = look_up(tx, &scope, id).await?.found();
    found.map(|_| ()).ok_or(Error::NotFound { what: "host" })
}

/// Follows the jumps from `jump` on. Of one account no two are changed at once, so the
/// way has an end unless it comes back to `id`.
async fn refuse_cycle(tx: &Tx, id: HostId, jump: HostId) -> Result<()> {
    // `UNION` drops what was there before, so that even a broken table ends it.
    let back = sql::one(
        tx,
        "WITH RECURSIVE way (id) AS (SELECT $1 UNION \
         SELECT hosts.jump_id FROM hosts JOIN way ON hosts.id = way.id \
         WHERE hosts.jump_id IS NOT NULL) SELECT id FROM way WHERE id = $2",
        [jump.get().into(), id.get().into()],
    )
    .await?;
    match back {
        None => Ok(()),
        Some(_) => Err(Error::Cycle { what: "host" }),
    }
}

/// A host as it is once nobody else decides over its account's.
async fn locked(tx: &Tx, id: HostId) -> Result<HostRow> {
    const GONE: Error = Error::NotFound { what: "host" };
    let row = get(tx, id).await?.ok_or(GONE)?;
    accounts::lock(tx, row.account_id).await?;
    get(tx, id).await?.ok_or(GONE)
}

fn change(id: HostId, status: HostStatus) -> UpdateMany<host::Entity> {
    host::Entity::update_many()
        .col_expr(host::Column::Status, Expr::val(status.as_str()))
        .filter(host::Column::Id.eq(id.get()))
}

async fn done(tx: &Tx, change: UpdateMany<host::Entity>) -> Result<()> {
    let done = change.exec(tx.connection()).await?;
    if done.rows_affected == 0 {
        return Err(Error::NotFound { what: "host" });
    }
    Ok(())
}

fn select(scope: &Scope) -> Select<host::Entity> {
    let mut query = host::Entity::find();
    if let Some(own) = scope.ids() {
        query = query.filter(host::Column::AccountId.is_in(own));
    }
    query
}

fn fold_address(address: &str) -> String {
    address.trim().trim_end_matches('.').to_lowercase()
}
