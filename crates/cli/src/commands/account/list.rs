//! `pressroom account list`

use crate::{Exit, Failure, Printer, table::Table};
use clap::Args;
use pressroom_fleet::{Caller, Fleet, views::Account};

/// Lists accounts.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom account list
  pressroom --json account list")]
pub struct List {}

impl List {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        show(&fleet.list_accounts(caller).await?, printer);
        Ok(Exit::Done)
    }
}

fn show(accounts: &[Account], printer: &mut Printer) {
    let mut table = Table::new(&["id", "name", "database prefix"]);
    for account in accounts {
        table.row([
            account.id.to_string(),
            account.name.clone(),
            account.prefix.clone(),
        ]);
    }
    printer.many(&accounts, &table);
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_base::id::AccountId;

    #[test]
    fn one_account_a_line() {
        let accounts = [Account {
            id: AccountId::new(1),
            name: "agency".into(),
            prefix: "agency_".into(),
        }];
        let (mut printer, captured) = Printer::captured(None);
        show(&accounts, &mut printer);
        printer.set_json(true);
        show(&accounts, &mut printer);
        assert_eq!(
            captured.out(),
            "1\tagency\tagency_\n[{\"id\":1,\"name\":\"agency\",\"prefix\":\"agency_\"}]\n"
        );
    }
}
