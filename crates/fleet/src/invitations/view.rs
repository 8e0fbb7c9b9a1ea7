//! Invitations as faces see them.

use crate::principal::Role;
use pressroom_base::{Timestamp, id::AccountId};
use pressroom_store::InvitationRow;
use serde::Serialize;

/// Somebody's invitation to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Invitation {
    /// The account.
    pub account_id: AccountId,
    /// Its name.
    pub account: String,
    /// The address it is for, folded.
    pub email: String,
    /// How whoever invited calls them; may be empty.
    pub name: String,
    /// What they may do there.
    pub role: Role,
    /// Who invited, for people.
    pub inviter: String,
    /// When.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// What whoever opens a link is shown.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The invitation.
    pub invitation: Invitation,
    /// Whether its address is somebody's who is known: they give their password, others
    /// choose one.
    pub known: bool,
}

/// What faces see of a row.
pub(super) fn view(row: InvitationRow, account: String) -> Invitation {
    Invitation {
        account_id: row.account_id,
        account,
        email: row.email,
        name: row.name,
        role: Role::of(row.role),
        inviter: row.inviter,
        created_at: row.created_at,
        expires_at: row.expires_at,
    }
}
