//! Somebody who is signing in, before any right of theirs is looked up.

use crate::{
    Principal, Result,
    principal::{Grants, Identity},
};
use pressroom_base::id::{AccountId, UserId};
use pressroom_store::{Read, UserRow, accounts};

/// The account that somebody works in unless they say otherwise: the one they came to first.
pub(crate) async fn home(from: &impl Read, user: UserId) -> Result<Option<AccountId>> {
    let memberships = accounts::memberships_of(from, user).await?;
    Ok(memberships.first().map(|row| row.account_id))
}

/// The person before any right is looked up: enough to be named in the log.
pub(crate) fn signing_in(row: &UserRow) -> Principal {
    Principal {
        identity: Identity::User {
            id: row.id,
            email: row.email.clone(),
            operator: row.is_operator,
            token: None,
            session: None,
            family: None,
        },
        grants: Grants::Nothing,
        memberships: Vec::new(),
        account: None,
    }
}
