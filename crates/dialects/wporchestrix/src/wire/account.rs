//! W32, W33.

use super::{id, role};
use pressroom_base::id::AccountId;
use pressroom_fleet::accounts::Membership;
use serde::Serialize;
use utoipa::ToSchema;

/// An account, as one of its members sees it.
#[derive(Serialize, ToSchema)]
pub struct AccountOut {
    id: String,
    name: String,
    /// `false`: accounts are not one person's.
    personal: bool,
    owner_id: Option<String>,
    /// The caller's: `admin` or `member`.
    role: &'static str,
    members_count: u64,
    sites_count: u64,
    /// Whether the request works in it.
    current: bool,
    created_at: String,
}

impl AccountOut {
    /// The account, where this one is the request's.
    pub fn new(account: Membership, current: Option<AccountId>) -> Self {
        Self {
            id: id::account(&account.short_id),
            name: account.name,
            personal: false,
            owner_id: account.owner.as_ref().map(id::user),
            role: role::name(account.role),
            members_count: account.members,
            sites_count: account.sites,
            current: current == Some(account.id),
            created_at: account.created_at.to_rfc3339(),
        }
    }
}
