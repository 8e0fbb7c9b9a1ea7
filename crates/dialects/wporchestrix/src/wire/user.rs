//! W31, W34.

use super::{AccountOut, id, role};
use pressroom_fleet::{principal::Role, users::Person};
use serde::Serialize;
use utoipa::ToSchema;

/// A person.
#[derive(Serialize, ToSchema)]
pub struct UserOut {
    id: String,
    name: String,
    /// The first word of the name.
    first_name: String,
    /// The others.
    last_name: String,
    email: String,
    time_zone: &'static str,
    two_factor_enabled: bool,
    /// There are no pictures.
    avatar_url: Option<String>,
    created_at: String,
}

/// The person who asks.
#[derive(Serialize, ToSchema)]
pub struct MeOut {
    #[serde(flatten)]
    user: UserOut,
    /// The account that the request works in.
    current_account: Option<AccountOut>,
}

/// A person of an account.
#[derive(Serialize, ToSchema)]
pub struct MemberOut {
    #[serde(flatten)]
    user: UserOut,
    /// `admin` or `member`.
    role: &'static str,
}

impl From<Person> for UserOut {
    fn from(person: Person) -> Self {
        let (first, last) = person
            .name
            .split_once(char::is_whitespace)
            .unwrap_or((&person.name, ""));
        Self {
            id: id::user(&person.short_id),
            first_name: first.to_owned(),
            last_name: last.trim().to_owned(),
            name: person.name,
            email: person.email,
            time_zone: "UTC",
            two_factor_enabled: person.second_factor,
            avatar_url: None,
            created_at: person.created_at.to_rfc3339(),
        }
    }
}

impl MeOut {
    /// The person, and where they work.
    pub fn new(person: Person, current_account: Option<AccountOut>) -> Self {
        Self {
            user: person.into(),
            current_account,
        }
    }
}

impl MemberOut {
    /// The person, and their role.
    pub fn new(person: Person, held: Role) -> Self {
        Self {
            user: person.into(),
            role: role::name(held),
        }
    }
}
