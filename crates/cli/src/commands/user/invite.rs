//! `pressroom user invite`

use crate::{Exit, Failure, Printer};
use clap::{Args, ValueEnum};
use pressroom_base::{Secret, Timestamp};
use pressroom_fleet::{
    Caller, Fleet,
    invitations::{Invited, NewInvitation},
    mail::Passing,
    principal::Role,
};
use serde_json::json;

/// Invites somebody to an account. The link is good once, for a week; it goes to them by mail
/// where `mail.smtp` is configured, and is printed otherwise. An earlier invitation of theirs
/// to this account is good no more.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom user invite bob@example.com --account agency --role member
  pressroom user invite bob@example.com --account agency --role admin --name 'Bob Example' --print
  pressroom --json user invite bob@example.com --account agency --role viewer")]
pub struct Invite {
    /// The person's address
    pub email: String,
    /// The account's name
    #[arg(long)]
    pub account: String,
    /// What they may do there
    #[arg(long, value_enum)]
    pub role: RoleName,
    /// How the mail and the page call them; they may say otherwise
    #[arg(long, default_value = "")]
    pub name: String,
    /// Print the link, and send no mail
    #[arg(long)]
    pub print: bool,
}

/// What a member may do.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum RoleName {
    /// Look
    Viewer,
    /// Work on sites
    Member,
    /// Also add and remove them, and invite people
    Admin,
    /// Everything in the account
    Owner,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Viewer => Self::Viewer,
            RoleName::Member => Self::Member,
            RoleName::Admin => Self::Admin,
            RoleName::Owner => Self::Owner,
        }
    }
}

impl Invite {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let account = fleet.account_named(caller, &self.account).await?;
        let new = NewInvitation {
            account: account.id,
            email: self.email,
            name: self.name,
            role: self.role.into(),
            passing: passing(self.print),
        };
        show(&fleet.invite(caller, new).await?, printer);
        Ok(Exit::Done)
    }
}

/// How a link is passed on.
pub(super) const fn passing(print: bool) -> Passing {
    if print {
        Passing::ByHand
    } else {
        Passing::ByMail
    }
}

fn show(invited: &Invited, printer: &mut Printer) {
    let invitation = &invited.invitation;
    if printer.json() {
        return printer.json_line(&json!({
            "invitation": invitation,
            "mailed_to": invited.link.is_none().then_some(&invitation.email),
            "link": invited.link.as_ref().map(Secret::expose),
        }));
    }
    passed_on(
        invited.link.as_ref().map(|link| link.expose().as_str()),
        &invitation.email,
        invitation.expires_at,
        printer,
    );
}

/// Says where a link went, or prints it.
pub(super) fn passed_on(
    link: Option<&str>,
    email: &str,
    expires_at: Timestamp,
    printer: &mut Printer,
) {
    let until = expires_at.to_rfc3339();
    match link {
        Some(link) => {
            printer.line(link);
            printer.note(&format!(
                "pass it on to {email} and nobody else; it is good once, until {until}"
            ));
        }
        None => printer.note(&format!(
            "a link goes to {email} by mail; it is good once, until {until}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_base::{Secret, id::AccountId};
    use pressroom_fleet::invitations::Invitation;

    #[test]
    fn a_link_is_printed_only_where_no_mail_takes_it() {
        let at = Timestamp::from_millis(0);
        let mut invited = Invited {
            invitation: Invitation {
                account_id: AccountId::new(1),
                account: "agency".into(),
                email: "bob@example.com".into(),
                name: String::new(),
                role: Role::Member,
                inviter: "command line".into(),
                created_at: at,
                expires_at: at,
            },
            link: Some(Secret::new("https://press.example/invitation/x".into())),
        };
        let (mut printer, captured) = Printer::captured(None);
        show(&invited, &mut printer);
        assert_eq!(captured.out(), "https://press.example/invitation/x\n");
        invited.link = None;
        let (mut printer, captured) = Printer::captured(None);
        show(&invited, &mut printer);
        assert_eq!(captured.out(), "");
        assert!(captured.err().contains("goes to bob@example.com by mail"));
        printer.set_json(true);
        show(&invited, &mut printer);
        let shown: serde_json::Value = serde_json::from_str(&captured.out()).expect("JSON");
        assert_eq!(shown["mailed_to"], "bob@example.com");
        assert_eq!(shown["invitation"]["role"], "member");
        assert!(shown["link"].is_null());
    }
}
