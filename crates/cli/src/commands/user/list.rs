//! `pressroom user list`

use crate::{Exit, Failure, Printer, table::Table};
use clap::Args;
use pressroom_base::Timestamp;
use pressroom_fleet::{Caller, Fleet};

/// Lists everybody, by address.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom user list
  pressroom --json user list")]
pub struct List {}

impl List {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let users = fleet.list_users(caller).await?;
        let mut table = Table::new(&["id", "address", "name", "operator", "shut out"]);
        for user in &users {
            table.row([
                user.id.to_string(),
                user.email.clone(),
                user.name.clone(),
                if user.operator { "yes" } else { "" }.to_owned(),
                user.disabled_at
                    .map(Timestamp::to_rfc3339)
                    .unwrap_or_default(),
            ]);
        }
        printer.many(&users, &table);
        Ok(Exit::Done)
    }
}
