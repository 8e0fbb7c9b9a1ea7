//! People as programs see them.

use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Action, Resource, authorize},
    principal::Role,
};
use pressroom_base::{
    Kind, Timestamp,
    id::{AccountId, ShortId},
};
use pressroom_store::{Page, Tx, UserRow, second_factors, users};

/// A person.
#[derive(Debug, Clone)]
pub struct Person {
    /// What programs call them.
    pub short_id: ShortId,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Whether signing in takes a code as well.
    pub second_factor: bool,
    /// When they were added.
    pub created_at: Timestamp,
}

impl Fleet {
    /// The person who calls.
    pub async fn own_person(&self, caller: &Caller) -> Result<Person> {
        let nobody = || Error::new(Kind::Unauthenticated, "this is no person");
        let id = caller.principal.user_id().ok_or_else(nobody)?;
        let store = &self.parts.store;
        let row = users::get(store, id).await?.ok_or_else(nobody)?;
        let factor = second_factors::enabled_among(store, &[id]).await?;
        Ok(person(row, !factor.is_empty()))
    }

    /// The people of an account with their roles, who was added last first, and how many
    /// they are in all.
    pub async fn list_people(
        &self,
        caller: &Caller,
        account: AccountId,
        limit: u64,
        offset: u64,
    ) -> Result<(Vec<(Person, Role)>, u64)> {
        authorize(
            &caller.principal,
            Action::AccountRead,
            Resource::OfAccount(account),
        )?;
        let store = &self.parts.store;
        let page = Page { limit, offset };
        let (rows, total) = users::of_account(store, account, page).await?;
        let ids: Vec<_> = rows.iter().map(|(user, _)| user.id).collect();
        let factors = second_factors::enabled_among(store, &ids).await?;
        let people = rows
            .into_iter()
            .map(|(user, place)| {
                let factor = factors.contains(&user.id);
                (person(user, factor), Role::of(place.role))
            })
            .collect();
        Ok((people, total))
    }
}

fn person(row: UserRow, second_factor: bool) -> Person {
    Person {
        short_id: row.short_id,
        email: row.email,
        name: row.name,
        second_factor,
        created_at: row.created_at,
    }
}

/// The person with this address.
pub(super) async fn named(tx: &Tx, email: &str) -> Result<UserRow> {
    users::by_email(tx, email).await?.ok_or_else(|| {
        Error::not_found("user").with_hint("`pressroom user list` tells who there is")
    })
}
