//! `pressroom host discover`

use crate::{Exit, Failure, Printer, table::Table};
use clap::Args;
use pressroom_fleet::{Caller, Fleet, hosts::FoundSite};

/// Lists each WordPress below the login's home, as found just now.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom host discover web1.example
  pressroom --json host discover web1.example")]
pub struct Discover {
    /// The host's label, name or number
    pub host: String,
}

impl Discover {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let found = fleet.test_host(caller, &self.host).await?;
        let survey = found.host.survey.unwrap_or_default();
        let Some(sites) = survey.sites else {
            let why = survey.sites_note.unwrap_or_default();
            return Err(Failure::new(
                pressroom_base::Kind::Unsupported,
                format!("sites cannot be looked for on `{}`: {why}", self.host),
            ));
        };
        show(&sites, printer);
        if let Some(note) = survey.sites_note {
            printer.note(&note);
        }
        Ok(Exit::Done)
    }
}

fn show(sites: &[FoundSite], printer: &mut Printer) {
    let mut table = Table::new(&["version", "state", "directory"]).cut_except(&[2]);
    for site in sites {
        table.row([
            site.version.clone().unwrap_or_else(|| "unknown".to_owned()),
            if site.configured {
                "configured"
            } else {
                "without wp-config.php"
            }
            .to_owned(),
            site.root.clone(),
        ]);
    }
    printer.many(&sites, &table);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_site_a_line() {
        let sites = [
            FoundSite {
                root: "/home/shop/www".into(),
                version: Some("6.5.5".into()),
                configured: true,
            },
            FoundSite {
                root: "/home/shop/new".into(),
                version: None,
                configured: false,
            },
        ];
        let (mut printer, captured) = Printer::captured(None);
        show(&sites, &mut printer);
        assert_eq!(
            captured.out(),
            "6.5.5\tconfigured\t/home/shop/www\nunknown\twithout wp-config.php\t/home/shop/new\n"
        );
    }
}
