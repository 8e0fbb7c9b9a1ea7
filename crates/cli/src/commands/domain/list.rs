//! `pressroom domain list`

use crate::{Exit, Failure, Printer, table::Table};
use clap::Args;
use pressroom_fleet::{Caller, Fleet, views::Domain};

/// Lists domains.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom domain list
  pressroom --json domain list")]
pub struct List {}

impl List {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        show(&fleet.list_domains(caller).await?, printer);
        Ok(Exit::Done)
    }
}

fn show(domains: &[Domain], printer: &mut Printer) {
    let mut table = Table::new(&["id", "domain", "account", "directory"]);
    for domain in domains {
        table.row([
            domain.id.to_string(),
            domain.name.clone(),
            domain.account_name.clone(),
            domain.root.clone(),
        ]);
    }
    printer.many(&domains, &table);
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_base::id::{AccountId, DomainId};

    #[test]
    fn one_domain_a_line() {
        let (mut printer, captured) = Printer::captured(None);
        show(
            &[Domain {
                id: DomainId::new(3),
                name: "blog.example".into(),
                account_id: AccountId::new(1),
                account_name: "agency".into(),
                root: "/srv/blog.example".into(),
            }],
            &mut printer,
        );
        assert_eq!(
            captured.out(),
            "3\tblog.example\tagency\t/srv/blog.example\n"
        );
    }
}
