//! `pressroom user invitations`

use crate::{Exit, Failure, Printer, table::Table};
use clap::Args;
use pressroom_fleet::{Caller, Fleet, invitations::Invitation};

/// Lists the invitations that may be accepted, by account and address.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom user invitations
  pressroom user invitations --account agency
  pressroom --json user invitations")]
pub struct Invitations {
    /// Only those to this account
    #[arg(long)]
    pub account: Option<String>,
}

impl Invitations {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let account = match &self.account {
            None => None,
            Some(name) => Some(fleet.account_named(caller, name).await?.id),
        };
        show(&fleet.list_invitations(caller, account).await?, printer);
        Ok(Exit::Done)
    }
}

fn show(invitations: &[Invitation], printer: &mut Printer) {
    let mut table = Table::new(&["address", "account", "role", "invited by", "good until"]);
    for invitation in invitations {
        table.row([
            invitation.email.clone(),
            invitation.account.clone(),
            invitation.role.as_str().to_owned(),
            invitation.inviter.clone(),
            invitation.expires_at.to_rfc3339(),
        ]);
    }
    printer.many(&invitations, &table);
}
