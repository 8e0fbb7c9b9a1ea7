//! `pressroom host list`

use crate::{Exit, Failure, Printer, table::Table};
use clap::Args;
use pressroom_base::Timestamp;
use pressroom_fleet::{
    Caller, Fleet,
    hosts::{Host, HostWay},
};

/// Lists hosts by label, as they were last found.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom host list
  pressroom --json host list")]
pub struct List {}

impl List {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        show(&fleet.list_hosts(caller).await?, printer);
        Ok(Exit::Done)
    }
}

fn show(hosts: &[Host], printer: &mut Printer) {
    let mut table = Table::new(&[
        "id",
        "account",
        "label",
        "address",
        "status",
        "way",
        "sites",
        "looked at",
    ])
    .cut_except(&[0, 4]);
    for host in hosts {
        let survey = host.survey.as_ref();
        let way = survey.map_or("", |survey| match survey.way {
            HostWay::Agent => "agent",
            HostWay::Php(_) => "php",
            HostWay::None(_) => "none",
            HostWay::Unknown => "",
        });
        let sites = survey.and_then(|survey| survey.sites.as_ref());
        table.row([
            host.id.to_string(),
            host.account.clone(),
            host.label.clone(),
            host.address.clone(),
            host.status.to_owned(),
            way.to_owned(),
            sites.map_or_else(String::new, |sites| sites.len().to_string()),
            host.surveyed_at
                .map_or_else(String::new, Timestamp::to_rfc3339),
        ]);
    }
    printer.many(&hosts, &table);
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_base::id::HostId;

    #[test]
    fn one_host_a_line() {
        let hosts = [Host {
            id: HostId::new(1),
            account: "agency".into(),
            label: "web1".into(),
            address: "deploy@web1.example".into(),
            key: None,
            via: None,
            host_key: None,
            status: "new",
            survey: None,
            surveyed_at: None,
            created_at: Timestamp::from_millis(0),
        }];
        let (mut printer, captured) = Printer::captured(None);
        show(&hosts, &mut printer);
        assert_eq!(
            captured.out(),
            "1\tagency\tweb1\tdeploy@web1.example\tnew\t\t\t\n"
        );
    }
}
