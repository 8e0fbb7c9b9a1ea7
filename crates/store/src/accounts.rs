//! Accounts, which own sites and pay, and who belongs to them.

use crate::{Error, Read, Result, Scope, Tx, sql, stored::Stored};
use pressroom_base::{
    Timestamp,
    id::{AccountId, ShortId, UserId},
    token,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Set,
    sea_query::OnConflict,
};

table! {
    /// An account.
    AccountRow = account("accounts") {
        /// The row.
        id: AccountId,
        /// As its owner writes it.
        name: String,
        /// Lower-case form, unique.
        name_folded: String,
        /// Begins the names of its databases: `[a-z][a-z0-9]{1,11}`, unique.
        prefix: String,
        /// What it may do: `search`, `fleet`, `hosts`, `hosting`.
        capabilities: Vec<String>,
        /// When it was added.
        created_at: Timestamp,
        /// What programs call it; unique.
        short_id: ShortId,
    }
}

names! {
    /// What a member may do.
    Role {
        /// Everything, giving the account away included.
        Owner = "owner",
        /// Everything but that.
        Admin = "admin",
        /// Work on sites.
        Member = "member",
        /// Look.
        Viewer = "viewer",
    }
}

table! {
    /// Somebody's place in an account.
    MembershipRow = membership("memberships") {
        /// The row.
        id: i64,
        /// The account.
        account_id: AccountId,
        /// The person.
        user_id: UserId,
        /// What they may do there.
        role: Role,
    }
}

/// An account to add.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// As its owner writes it; unique but for case.
    pub name: String,
    /// Begins the names of its databases; `None` makes one up from the name.
    pub prefix: Option<String>,
    /// What it may do.
    pub capabilities: Vec<String>,
}

/// Adds an account; [`Error::Exists`] when the name or the prefix is taken.
pub async fn create(tx: &Tx, new: NewAccount) -> Result<AccountRow> {
    let prefix = match new.prefix {
        Some(prefix) => prefix,
        None => free_prefix(tx, &new.name).await?,
    };
    let model = account::ActiveModel {
        name_folded: Set(fold_name(&new.name)),
        name: Set(new.name),
        prefix: Set(prefix),
        capabilities: Set(new.capabilities.raw()),
        created_at: Set(tx.now().await?.millis()),
        short_id: Set(ShortId::random().raw()),
        ..Default::default()
    };
    let model = model
        .insert(tx.connection())
        .await
        .map_err(Error::of("account"))?;
    AccountRow::read(model)
}

/// One account.
pub async fn get(from: &impl Read, id: AccountId) -> Result<Option<AccountRow>> {
    let found = account::Entity::find_by_id(id.get())
        .one(from.connection())
        .await?;
    found.map(AccountRow::read).transpose()
}

/// The account that programs call so.
pub async fn by_short_id(from: &impl Read, id: &ShortId) -> Result<Option<AccountRow>> {
    let found = account::Entity::find()
        .filter(account::Column::ShortId.eq(id.as_str()))
        .one(from.connection())
        .await?;
    found.map(AccountRow::read).transpose()
}

/// Those of these accounts that exist, of which one statement can name them all: some hundreds.
pub async fn get_many(from: &impl Read, ids: &[AccountId]) -> Result<Vec<AccountRow>> {
    let found = account::Entity::find()
        .filter(account::Column::Id.is_in(ids.iter().map(|id| id.get())))
        .all(from.connection())
        .await?;
    found.into_iter().map(AccountRow::read).collect()
}

/// The account of this name, however it is written.
pub async fn by_name(from: &impl Read, name: &str) -> Result<Option<AccountRow>> {
    let found = account::Entity::find()
        .filter(account::Column::NameFolded.eq(fold_name(name)))
        .one(from.connection())
        .await?;
    found.map(AccountRow::read).transpose()
}

/// The accounts within a scope, by name.
pub async fn list(from: &impl Read, scope: &Scope) -> Result<Vec<AccountRow>> {
    let mut query = account::Entity::find().order_by_asc(account::Column::NameFolded);
    if let Some(own) = scope.ids() {
        query = query.filter(account::Column::Id.is_in(own));
    }
    let found = query.all(from.connection()).await?;
    found.into_iter().map(AccountRow::read).collect()
}

/// Holds an account's row until the transaction ends, so that decisions over several
/// of its things are taken one after another. SQLite has one writer anyway.
pub(crate) async fn lock(tx: &Tx, id: AccountId) -> Result<()> {
    let lock = tx.store().lock_clause("FOR NO KEY UPDATE");
    let found = sql::one(
        tx,
        format!("SELECT id FROM accounts WHERE id = $1 {lock}"),
        [id.get().into()],
    )
    .await?;
    found.map(|_| ()).ok_or(Error::NotFound { what: "account" })
}

/// Gives somebody a place in an account, or another role in it.
pub async fn set_member(tx: &Tx, account: AccountId, user: UserId, role: Role) -> Result<()> {
    let model = membership::ActiveModel {
        account_id: Set(account.get()),
        user_id: Set(user.get()),
        role: Set(role.raw()),
        ..Default::default()
    };
    membership::Entity::insert(model)
        .on_conflict(
            OnConflict::columns([membership::Column::AccountId, membership::Column::UserId])
                .update_column(membership::Column::Role)
                .to_owned(),
        )
        .exec(tx.connection())
        .await
        .map_err(Error::of("membership"))?;
    Ok(())
}

/// Takes somebody out of an account.
pub async fn remove_member(tx: &Tx, account: AccountId, user: UserId) -> Result<()> {
    membership::Entity::delete_many()
        .filter(membership::Column::AccountId.eq(account.get()))
        .filter(membership::Column::UserId.eq(user.get()))
        .exec(tx.connection())
        .await?;
    Ok(())
}

/// Who belongs to an account.
pub async fn members(from: &impl Read, account: AccountId) -> Result<Vec<MembershipRow>> {
    let found = membership::Entity::find()
        .filter(membership::Column::AccountId.eq(account.get()))
        .order_by_asc(membership::Column::Id)
        .all(from.connection())
        .await?;
    found.into_iter().map(MembershipRow::read).collect()
}

/// How many people belong to an account.
pub async fn member_count(from: &impl Read, account: AccountId) -> Result<u64> {
    let members = membership::Entity::find()
        .filter(membership::Column::AccountId.eq(account.get()))
        .count(from.connection())
        .await?;
    Ok(members)
}

/// Where somebody belongs.
pub async fn memberships_of(from: &impl Read, user: UserId) -> Result<Vec<MembershipRow>> {
    let found = membership::Entity::find()
        .filter(membership::Column::UserId.eq(user.get()))
        .order_by_asc(membership::Column::Id)
        .all(from.connection())
        .await?;
    found.into_iter().map(MembershipRow::read).collect()
}

fn fold_name(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Letters and digits of the name; random letters where they do not do or are taken.
async fn free_prefix(from: &impl Read, name: &str) -> Result<String> {
    let mut wish: String = name
        .to_lowercase()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .skip_while(char::is_ascii_digit)
        .take(12)
        .collect();
    if wish.len() < 2 {
        wish = token::name(8);
    }
    loop {
        let taken = account::Entity::find()
            .filter(account::Column::Prefix.eq(&wish))
            .one(from.connection())
            .await?;
        if taken.is_none() {
            return Ok(wish);
        }
        wish.truncate(7);
        wish.push_str(&token::name(5));
    }
}
