//! Coming to an account by an invitation.

use super::view::{Invitation, Offer, view};
use crate::{
    Caller, Error, Fleet, Result,
    accounts::name_of,
    authorize::Action,
    principal::Role,
    sessions::{ATTEMPTS, Proof, SignedIn, signing_in},
    users::{self, Checked, NewUser},
};
use pressroom_base::{Secret, catalog::event};
use pressroom_store::{InvitationRow, Read, Tx, UserRow, accounts, invitations, users as people};
use serde_json::json;
use std::net::IpAddr;

/// Somebody new.
#[derive(Debug)]
pub struct Newcomer {
    /// Of the link.
    pub secret: Secret<String>,
    /// Their name.
    pub name: String,
    /// At least eight characters.
    pub password: Secret<String>,
    /// The browser's address.
    pub address: IpAddr,
    /// The browser's own description of itself.
    pub agent: String,
}

/// Somebody who is known, and shows that they are.
#[derive(Debug)]
pub struct KnownPerson {
    /// Of the link.
    pub secret: Secret<String>,
    /// Their password.
    pub password: Secret<String>,
    /// The code of their second factor, or a backup code.
    pub code: Option<Secret<String>>,
    /// The browser's address.
    pub address: IpAddr,
    /// The browser's own description of itself.
    pub agent: String,
}

impl Fleet {
    /// What a link offers, while it is good.
    ///
    /// Errors: `NotFound`, whatever is wrong with it, also where whoever invited may not any
    /// more and where the person is shut out.
    pub async fn invitation(&self, secret: &str) -> Result<Offer> {
        let store = &self.parts.store;
        let row = invitations::by_secret(store, secret)
            .await?
            .ok_or_else(gone)?;
        refuse_fallen(store, &row).await?;
        let known = person(store, &row).await?.is_some();
        let account = name_of(store, row.account_id).await?;
        Ok(Offer {
            invitation: view(row, account),
            known,
        })
    }

    /// Adds somebody new to the account they were invited to, and signs them in. It happens
    /// once: of two who come at the same time one is refused.
    ///
    /// Errors: `NotFound` (the link), `Invalid`, `Conflict` (their address is known).
    pub async fn accept_as_new(&self, new: Newcomer) -> Result<SignedIn> {
        let offer = self.invitation(new.secret.expose()).await?;
        if offer.known {
            return Err(Error::conflict("this address is known already")
                .with_hint("open the link again, and give the password"));
        }
        let checked = Checked::of(NewUser {
            email: offer.invitation.email,
            name: new.name,
            operator: false,
            password: new.password,
        })
        .await?;
        let tx = self.parts.store.begin().await?;
        let invitation = taken(&tx, new.secret.expose()).await?;
        let row = checked.insert(&tx).await?;
        let caller = Caller::new(signing_in(&row)).from_address(new.address);
        self.note_about(
            &tx,
            &caller,
            event::USER_CREATED,
            Some(invitation.account_id),
            Some(("user", row.short_id.clone())),
            json!({ "user_id": row.id, "email": row.email, "operator": false }),
        )
        .await?;
        self.join(&tx, &caller, &invitation, &row).await?;
        let secret = self
            .begin_session(&tx, &row, new.address, &new.agent)
            .await?;
        tx.commit().await?;
        Ok(SignedIn {
            secret,
            user: users::view(row),
        })
    }

    /// Brings somebody who is known to the account they were invited to, and signs them in.
    /// They prove who they are as whoever signs in does, under the same limits.
    ///
    /// Errors: `NotFound` (the link), and those of [`Fleet::sign_in`].
    pub async fn accept_with_password(&self, known: KnownPerson) -> Result<SignedIn> {
        let offer = self.invitation(known.secret.expose()).await?;
        let proof = Proof {
            email: offer.invitation.email,
            password: known.password,
            code: known.code,
            address: known.address,
        };
        let row = self.prove(proof, ATTEMPTS).await?;
        let tx = self.parts.store.begin().await?;
        self.refuse_changed(&tx, &row).await?;
        let invitation = taken(&tx, known.secret.expose()).await?;
        let caller = Caller::new(signing_in(&row)).from_address(known.address);
        self.join(&tx, &caller, &invitation, &row).await?;
        let secret = self
            .begin_session(&tx, &row, known.address, &known.agent)
            .await?;
        tx.commit().await?;
        Ok(SignedIn {
            secret,
            user: users::view(row),
        })
    }

    /// Brings whoever is signed in to the account they were invited to.
    ///
    /// Errors: `NotFound`, also where it is somebody else who was invited.
    pub async fn accept_signed_in(&self, caller: &Caller, secret: &str) -> Result<Invitation> {
        let tx = self.parts.store.begin().await?;
        let invitation = taken(&tx, secret).await?;
        let row = person(&tx, &invitation).await?.ok_or_else(gone)?;
        if caller.principal.user_id() != Some(row.id) {
            return Err(gone());
        }
        self.join(&tx, caller, &invitation, &row).await?;
        let account = name_of(&tx, invitation.account_id).await?;
        tx.commit().await?;
        Ok(view(invitation, account))
    }

    /// Gives somebody their place. Who has one keeps the role they have: no invitation makes
    /// an owner less.
    async fn join(
        &self,
        tx: &Tx,
        caller: &Caller,
        invitation: &InvitationRow,
        row: &UserRow,
    ) -> Result<()> {
        let account = invitation.account_id;
        let places = accounts::memberships_of(tx, row.id).await?;
        if places.iter().all(|place| place.account_id != account) {
            accounts::set_member(tx, account, row.id, invitation.role).await?;
        }
        self.note_about(
            tx,
            caller,
            event::INVITATION_ACCEPTED,
            Some(account),
            Some(("user", row.short_id.clone())),
            json!({ "email": row.email, "role": invitation.role, "inviter": invitation.inviter }),
        )
        .await
    }
}

/// The invitation with this secret, which nobody else gets from now on.
async fn taken(tx: &Tx, secret: &str) -> Result<InvitationRow> {
    let row = invitations::accept(tx, secret).await?.ok_or_else(gone)?;
    refuse_fallen(tx, &row).await?;
    Ok(row)
}

/// Who was invited, if they are known.
///
/// Errors: `NotFound` where they are shut out.
async fn person(from: &impl Read, row: &InvitationRow) -> Result<Option<UserRow>> {
    let found = people::by_email(from, &row.email).await?;
    match found {
        Some(user) if user.disabled_at.is_some() => Err(gone()),
        found => Ok(found),
    }
}

/// Refuses an invitation by somebody who may not invite to that any more: their right is
/// looked at when it is used, not only when it was given.
async fn refuse_fallen(from: &impl Read, row: &InvitationRow) -> Result<()> {
    let Some(inviter) = row.inviter_id else {
        return Ok(());
    };
    let user = people::get(from, inviter).await?;
    let user = user.filter(|user| user.disabled_at.is_none());
    let user = user.ok_or_else(gone)?;
    let places = accounts::memberships_of(from, user.id).await?;
    let own = places
        .iter()
        .find(|place| place.account_id == row.account_id)
        .map(|place| Role::of(place.role));
    let least = Action::AccountInvite.least_role();
    let may = own.is_some_and(|own| own >= Role::of(row.role) && Some(own) >= least);
    if user.is_operator || may {
        Ok(())
    } else {
        Err(gone())
    }
}

/// Used, withdrawn, over, mistyped: nobody is told which.
fn gone() -> Error {
    Error::not_found("link")
}
