//! What tokens say of themselves.

use crate::{Error, Result};
use pressroom_base::{Kind, Timestamp, id::ShortId};
use pressroom_store::{FamilyRow, UserRow};
use std::time::Duration;

/// How long a token opens things.
pub const OPENS: Duration = Duration::from_mins(15);
/// How long a token can be exchanged.
pub const EXCHANGES: Duration = Duration::from_hours(7 * 24);
/// How long exchanging goes on at most.
pub const LASTS: Duration = Duration::from_hours(30 * 24);

/// A token's own words, its signature verified.
#[derive(Debug, Clone)]
pub struct Claims {
    /// What it calls itself.
    pub name: String,
    /// Its family.
    pub family: String,
    /// Whose it is.
    pub user: ShortId,
    /// When its time is over.
    pub ends_at: Timestamp,
}

/// Two tokens to be signed.
#[derive(Debug, Clone)]
pub struct Pair {
    /// Whose they are.
    pub user: ShortId,
    /// The account they work in.
    pub account: Option<ShortId>,
    /// Their family.
    pub family: String,
    /// What the one that opens things calls itself.
    pub access: String,
    /// What the one that is exchanged calls itself.
    pub refresh: String,
    /// When they were issued.
    pub issued_at: Timestamp,
    /// When the first is over.
    pub access_ends_at: Timestamp,
    /// When the second is over.
    pub refresh_ends_at: Timestamp,
}

impl Pair {
    /// The pair whose second token is the family's current one.
    pub fn new(
        family: &FamilyRow,
        user: &UserRow,
        account: Option<ShortId>,
        now: Timestamp,
    ) -> Self {
        Self {
            user: user.short_id.clone(),
            account,
            family: family.public_id.clone(),
            access: pressroom_store::families::name(),
            refresh: family.current.clone(),
            issued_at: now,
            access_ends_at: now.plus(OPENS).min(family.ends_at),
            refresh_ends_at: now.plus(EXCHANGES).min(family.ends_at),
        }
    }
}

/// Refuses a token without saying why.
pub fn refused() -> Error {
    Error::new(Kind::Unauthenticated, "unknown or lapsed token")
}

/// Whether a family and its person are as a token says.
pub fn agree(claims: &Claims, family: &FamilyRow, user: &UserRow, now: Timestamp) -> Result<()> {
    let good = family.revoked_at.is_none()
        && family.ends_at > now
        && claims.ends_at > now
        && claims.user == user.short_id
        && user.disabled_at.is_none();
    good.then_some(()).ok_or_else(refused)
}
