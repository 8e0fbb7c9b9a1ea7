//! Inviting somebody.

use super::view::{Invitation, view};
use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Action, Resource, authorize},
    mail::Passing,
    principal::Role,
    sites::values,
};
use pressroom_base::{Kind, Secret, catalog::event, id::AccountId, token};
use pressroom_store::{self as store, Tx, accounts, invitations, mails, users};
use serde_json::json;
use std::time::Duration;

/// How long an invitation is good.
const LASTS: Duration = Duration::from_hours(7 * 24);
/// How many one person sends in an hour.
const AN_HOUR: u32 = 30;
const HOUR: Duration = Duration::from_hours(1);

/// Somebody to invite.
#[derive(Debug)]
pub struct NewInvitation {
    /// To this account.
    pub account: AccountId,
    /// Their address.
    pub email: String,
    /// How whoever invites calls them; may be empty.
    pub name: String,
    /// What they may do there; nothing that the inviter may not.
    pub role: Role,
    /// How the link comes to them.
    pub passing: Passing,
}

/// What came of it.
#[derive(Debug)]
pub struct Invited {
    /// The invitation.
    pub invitation: Invitation,
    /// The link, to be passed on by hand; `None` where it goes to them by mail.
    pub link: Option<Secret<String>>,
}

impl Fleet {
    /// Invites somebody to an account, in place of an open invitation of theirs.
    ///
    /// Errors: `NotFound`, also where the account is not the caller's; `Forbidden`, also for
    /// a role stronger than the caller's own; `Invalid`; `Conflict` (they are a member);
    /// `Limited`, after thirty in an hour.
    pub async fn invite(&self, caller: &Caller, new: NewInvitation) -> Result<Invited> {
        may_give(caller, new.account, new.role)?;
        let email = users::fold_email(&values::email(new.email.trim())?);
        let name = new.name.trim().to_owned();
        if name.chars().count() > 200 || name.chars().any(char::is_control) {
            return Err(Error::invalid(
                "name must be one line of at most 200 characters",
            ));
        }
        if let Some(inviter) = caller.principal.user_id() {
            let key = format!("invite {inviter}");
            let rate = self.hit_rate(&key, AN_HOUR, HOUR).await?;
            rate.within("too many invitations", HOUR)?;
        }
        let tx = self.parts.store.begin().await?;
        let account = accounts::get(&tx, new.account)
            .await?
            .ok_or_else(|| Error::not_found("account"))?;
        if is_member(&tx, new.account, &email).await? {
            return Err(Error::conflict(format!(
                "`{email}` belongs to `{}` already",
                account.name
            )));
        }
        let secret = Secret::new(token::hex(64));
        let row = invitations::create(
            &tx,
            store::NewInvitation {
                account_id: account.id,
                email,
                name,
                role: new.role.row(),
                digest: token::digest(secret.expose()),
                inviter_id: caller.principal.user_id(),
                inviter: caller.principal.label().to_owned(),
                lasts: LASTS,
            },
        )
        .await?;
        self.note(
            &tx,
            caller,
            event::USER_INVITED,
            Some(account.id),
            json!({ "email": row.email, "role": row.role, "expires_at": row.expires_at }),
        )
        .await?;
        // The one before, if it has not left yet, would lead nowhere.
        mails::withdraw(&tx, event::USER_INVITED, account.id, &row.email).await?;
        let by_mail = new.passing == Passing::ByMail && self.sends_mail();
        if by_mail {
            self.mail_invitation(&tx, &row, &account.name, &secret)
                .await?;
        }
        tx.commit().await?;
        let link = Secret::new(self.link("invitation", secret.expose()));
        Ok(Invited {
            invitation: view(row, account.name),
            link: (!by_mail).then_some(link),
        })
    }

    /// The roles that the caller may give in an account, weakest first; none for who may not
    /// invite.
    pub fn roles_to_give(caller: &Caller, account: AccountId) -> Vec<Role> {
        let all = Role::ALL.iter().copied();
        all.filter(|role| may_give(caller, account, *role).is_ok())
            .collect()
    }
}

/// Permits inviting somebody to an account in this role.
fn may_give(caller: &Caller, account: AccountId, role: Role) -> Result<()> {
    let principal = &caller.principal;
    authorize(
        principal,
        Action::AccountInvite,
        Resource::OfAccount(account),
    )?;
    if principal.is_operator() || principal.role_in(account).is_some_and(|own| own >= role) {
        return Ok(());
    }
    Err(Error::new(
        Kind::Forbidden,
        format!("you may not make anybody {} of this account", role.as_str()),
    )
    .with_hint("nobody gives a role that is stronger than their own"))
}

async fn is_member(tx: &Tx, account: AccountId, email: &str) -> Result<bool> {
    let Some(user) = users::by_email(tx, email).await? else {
        return Ok(false);
    };
    let places = accounts::memberships_of(tx, user.id).await?;
    Ok(places.iter().any(|place| place.account_id == account))
}
