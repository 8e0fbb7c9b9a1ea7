//! People who may sign in.

use crate::{
    Error, MembershipRow, Page, Read, Result, Tx, accounts::membership, sql, stored::Stored,
};
use pressroom_base::{
    Timestamp,
    id::{AccountId, ShortId, UserId},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Set, sea_query::Expr,
};

table! {
    /// A person.
    UserRow = user("users") {
        /// The row.
        id: UserId,
        /// Folded to lower case; unique.
        email: String,
        /// How to address them.
        name: String,
        /// Argon2id in PHC form.
        password_hash: String,
        /// Whether they run this Pressroom and see everything.
        is_operator: bool,
        /// When they were added.
        created_at: Timestamp,
        /// Since when they may not sign in.
        disabled_at: Option<Timestamp>,
        /// What programs call them; unique.
        short_id: ShortId,
    }
}

/// A person to add.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Folded when stored.
    pub email: String,
    /// How to address them.
    pub name: String,
    /// Argon2id in PHC form.
    pub password_hash: String,
    /// Whether they run this Pressroom.
    pub is_operator: bool,
}

/// The form in which e-mail addresses are stored and compared.
pub fn fold_email(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Adds a person; [`Error::Exists`] when the address is taken.
pub async fn create(tx: &Tx, new: NewUser) -> Result<UserRow> {
    let model = user::ActiveModel {
        email: Set(fold_email(&new.email)),
        name: Set(new.name),
        password_hash: Set(new.password_hash),
        is_operator: Set(new.is_operator),
        created_at: Set(tx.now().await?.millis()),
        disabled_at: Set(None),
        short_id: Set(ShortId::random().raw()),
        ..Default::default()
    };
    let model = model
        .insert(tx.connection())
        .await
        .map_err(Error::of("user"))?;
    UserRow::read(model)
}

/// One person.
pub async fn get(from: &impl Read, id: UserId) -> Result<Option<UserRow>> {
    let found = user::Entity::find_by_id(id.get())
        .one(from.connection())
        .await?;
    found.map(UserRow::read).transpose()
}

/// Whether a person still has this password and is let in; until `tx` ends, that does not
/// change.
pub async fn is_unchanged(tx: &Tx, row: &UserRow) -> Result<bool> {
    let lock = tx.store().lock_clause("FOR UPDATE");
    let found = sql::one(
        tx,
        format!(
            "SELECT id FROM users WHERE id = $1 AND password_hash = $2 \
             AND disabled_at IS NULL {lock}"
        ),
        [row.id.get().into(), row.password_hash.as_str().into()],
    )
    .await?;
    Ok(found.is_some())
}

/// The person that programs call so.
pub async fn by_short_id(from: &impl Read, id: &ShortId) -> Result<Option<UserRow>> {
    let found = user::Entity::find()
        .filter(user::Column::ShortId.eq(id.as_str()))
        .one(from.connection())
        .await?;
    found.map(UserRow::read).transpose()
}

/// The person with this address, however it is written.
pub async fn by_email(from: &impl Read, email: &str) -> Result<Option<UserRow>> {
    let found = user::Entity::find()
        .filter(user::Column::Email.eq(fold_email(email)))
        .one(from.connection())
        .await?;
    found.map(UserRow::read).transpose()
}

/// Everybody, by address.
pub async fn list(from: &impl Read) -> Result<Vec<UserRow>> {
    let found = user::Entity::find()
        .order_by_asc(user::Column::Email)
        .all(from.connection())
        .await?;
    found.into_iter().map(UserRow::read).collect()
}

/// The people of an account with their place in it, who was added last first, and how
/// many there are in all.
pub async fn of_account(
    from: &impl Read,
    account: AccountId,
    page: Page,
) -> Result<(Vec<(UserRow, MembershipRow)>, u64)> {
    let members =
        membership::Entity::find().filter(membership::Column::AccountId.eq(account.get()));
    let total = members.clone().count(from.connection()).await?;
    let people = user::Entity::find()
        .filter(
            user::Column::Id.in_subquery(
                sea_orm::QuerySelect::query(
                    &mut members
                        .clone()
                        .select_only()
                        .column(membership::Column::UserId),
                )
                .to_owned(),
            ),
        )
        .order_by_desc(user::Column::CreatedAt)
        .order_by_desc(user::Column::Id)
        .limit(page.limit)
        .offset(page.offset)
        .all(from.connection())
        .await?;
    let ids: Vec<i64> = people.iter().map(|person| person.id).collect();
    let places = members
        .filter(membership::Column::UserId.is_in(ids))
        .all(from.connection())
        .await?;
    let mut found = Vec::with_capacity(people.len());
    for person in people {
        // Somebody who left between the two questions is not shown.
        if let Some(place) = places.iter().find(|place| place.user_id == person.id) {
            found.push((UserRow::read(person)?, MembershipRow::read(place.clone())?));
        }
    }
    Ok((found, total))
}

/// Whether there is anybody at all.
pub async fn exist(from: &impl Read) -> Result<bool> {
    Ok(user::Entity::find().one(from.connection()).await?.is_some())
}

/// Gives a person another password.
pub async fn set_password(tx: &Tx, id: UserId, password_hash: &str) -> Result<()> {
    change(tx, id, user::Column::PasswordHash, password_hash.into()).await
}

/// Shuts a person out, or lets them in again.
pub async fn set_disabled(tx: &Tx, id: UserId, disabled_at: Option<Timestamp>) -> Result<()> {
    let value = disabled_at.map(Timestamp::millis).into();
    change(tx, id, user::Column::DisabledAt, value).await
}

async fn change(tx: &Tx, id: UserId, column: user::Column, value: sea_orm::Value) -> Result<()> {
    let done = user::Entity::update_many()
        .col_expr(column, Expr::val(value))
        .filter(user::Column::Id.eq(id.get()))
        .exec(tx.connection())
        .await?;
    if done.rows_affected == 0 {
        return Err(Error::NotFound { what: "user" });
    }
    Ok(())
}
