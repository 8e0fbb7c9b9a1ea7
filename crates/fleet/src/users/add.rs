//! Adding a person.

use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Action, Resource, authorize},
    code,
    sites::values,
    views::User,
};
use pressroom_base::{Secret, catalog::event, password};
use pressroom_store::{self as store, Tx, users};
use serde_json::json;

/// A person to add.
#[derive(Debug)]
pub struct NewUser {
    /// Their address; compared without regard to case.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Whether they operate this installation.
    pub operator: bool,
    /// At least eight characters.
    pub password: Secret<String>,
}

impl Fleet {
    /// Adds a person; an address already known is a conflict.
    pub async fn add_user(&self, caller: &Caller, new: NewUser) -> Result<User> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let row = Checked::of(new).await?;
        let tx = self.parts.store.begin().await?;
        let row = row.insert(&tx).await?;
        self.note(
            &tx,
            caller,
            event::USER_CREATED,
            None,
            json!({ "user_id": row.id, "email": row.email, "operator": row.is_operator }),
        )
        .await?;
        tx.commit().await?;
        Ok(view(row))
    }
}

/// A person who may be added, if nobody has their address.
pub(crate) struct Checked(store::NewUser);

impl Checked {
    /// Errors: `Invalid`, with `UNPROCESSABLE` for a password that is too short.
    pub(crate) async fn of(new: NewUser) -> Result<Self> {
        let email = values::email(new.email.trim())?;
        let name = new.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
            return Err(Error::invalid(
                "name must be one line of 1 to 200 characters",
            ));
        }
        let password_hash = hash(new.password).await?;
        Ok(Self(store::NewUser {
            email,
            name,
            password_hash,
            is_operator: new.operator,
        }))
    }

    /// Errors: `Conflict` where the address is known.
    pub(crate) async fn insert(self, tx: &Tx) -> Result<store::UserRow> {
        let taken = format!("user `{}` exists already", self.0.email);
        users::create(tx, self.0)
            .await
            .map_err(|error| exists(error, taken))
    }
}

/// What is kept of a password.
///
/// Errors: `Invalid` with `UNPROCESSABLE` when it is too short.
pub(super) async fn hash(password: Secret<String>) -> Result<String> {
    if password.expose().chars().count() < password::MIN_LENGTH {
        return Err(Error::invalid(format!(
            "password must have at least {} characters",
            password::MIN_LENGTH
        ))
        .with_code(code::UNPROCESSABLE));
    }
    tokio::task::spawn_blocking(move || password::hash(&password))
        .await
        .map_err(Error::internal)
}

/// What faces see of a person.
pub(crate) fn view(row: store::UserRow) -> User {
    User {
        id: row.id,
        email: row.email,
        name: row.name,
        operator: row.is_operator,
        disabled_at: row.disabled_at,
    }
}

/// A store's "exists already" in the caller's words; anything else as it is.
pub(crate) fn exists(error: store::Error, message: String) -> Error {
    match error {
        store::Error::Exists { .. } => Error::conflict(message),
        other => other.into(),
    }
}
