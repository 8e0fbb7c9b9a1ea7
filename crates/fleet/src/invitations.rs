//! Invitations to accounts: made by who may, good once, for a week, for one address.
//!
//! The link alone lets nobody in as somebody who is known already: they sign in, or give
//! their password. Somebody new gives themselves a name and a password.

mod accept;
mod invite;
mod list;
mod view;
mod withdraw;

pub use accept::{KnownPerson, Newcomer};
pub use invite::{Invited, NewInvitation};
pub use view::{Invitation, Offer};
