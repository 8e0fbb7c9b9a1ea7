//! `pressroom host discover`

use crate::{Exit, Failure, Printer, commands::site::tell_adopted, table::Table};
use clap::Args;
use pressroom_fleet::{
    Caller, Fleet,
    hosts::FoundSite,
    sites::{AdoptSite, Adopted},
};
use serde::Serialize;

/// Lists each WordPress below the login's home, as found just now, and adopts all of them
/// on demand.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom host discover web1.example
  pressroom host discover web1.example --adopt
  pressroom --json host discover web1.example")]
pub struct Discover {
    /// The host's label, name or number
    pub host: String,
    /// Take every one that is configured under management; one that cannot be is told,
    /// and stops no other
    #[arg(long)]
    pub adopt: bool,
}

/// What became of one site.
#[derive(Debug, Serialize)]
struct Tried {
    /// Its directory.
    root: String,
    /// What is recorded of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    adopted: Option<Adopted>,
    /// Why nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
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
        let exit = if self.adopt {
            self.adopt(fleet, caller, &sites, printer).await
        } else {
            show(&sites, printer);
            Exit::Done
        };
        if let Some(note) = survey.sites_note {
            printer.note(&note);
        }
        Ok(exit)
    }

    async fn adopt(
        &self,
        fleet: &Fleet,
        caller: &Caller,
        sites: &[FoundSite],
        printer: &mut Printer,
    ) -> Exit {
        let mut tried = Vec::new();
        for site in sites.iter().filter(|site| site.configured) {
            let new = AdoptSite {
                path: site.root.clone(),
                host: Some(self.host.clone()),
                ..AdoptSite::default()
            };
            let (adopted, error) = match fleet.adopt_site(caller, new).await {
                Ok(adopted) => {
                    tell_adopted(&adopted, printer);
                    (Some(adopted), None)
                }
                Err(error) => {
                    printer.note(&format!("{}: {}", site.root, error.message()));
                    if let Some(hint) = error.hint() {
                        printer.note(hint);
                    }
                    (None, Some(error.message().to_owned()))
                }
            };
            tried.push(Tried {
                root: site.root.clone(),
                adopted,
                error,
            });
        }
        show_tried(&tried, printer);
        if tried.iter().any(|one| one.error.is_some()) {
            Exit::Failed
        } else {
            Exit::Done
        }
    }
}

fn show_tried(tried: &[Tried], printer: &mut Printer) {
    let mut table = Table::new(&["id", "address", "directory"]).cut_except(&[2]);
    for one in tried {
        let site = one.adopted.as_ref().map(|adopted| &adopted.environment);
        table.row([
            site.map_or_else(|| "-".to_owned(), |site| site.panel_id.clone()),
            site.map_or_else(String::new, |site| site.url.clone()),
            one.root.clone(),
        ]);
    }
    printer.many(&tried, &table);
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
                owner: None,
            },
            FoundSite {
                root: "/home/shop/new".into(),
                version: None,
                configured: false,
                owner: None,
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
