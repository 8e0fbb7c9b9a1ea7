//! `pressroom site list`

use crate::{Exit, Failure, Printer, commands::selector, table::Table};
use clap::Args;
use pressroom_fleet::{
    Caller, Error, Fleet,
    environments::{EnvironmentFilter, Selected},
    selector::Selector,
    sites::Site,
    views::Environment,
};

/// Lists sites, all or those that match.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom site list
  pressroom site list 'plugin:woocommerce<9.4 php<8.1'
  pressroom site list 'env:production tag:shop (updates>0 OR snapshot>24h) -status:down'
  pressroom site list --text agency
  pressroom site list --pending
  pressroom --json site list account:acme")]
pub struct List {
    /// What the sites must be, such as `php<8.1 -env:clone`, quoted; docs/selectors.md tells all of it
    #[arg(allow_hyphen_values = true)]
    pub selector: Option<String>,
    /// Words that the domain, title or account must contain
    #[arg(long, value_name = "WORDS", conflicts_with = "selector")]
    pub text: Option<String>,
    /// Those of which only the address is known, and why they are not connected
    #[arg(long, conflicts_with_all = ["selector", "text"])]
    pub pending: bool,
}

impl List {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        if self.pending {
            show_pending(&fleet.list_unconnected_sites(caller).await?, printer);
            return Ok(Exit::Done);
        }
        if let Some(text) = &self.selector {
            let selected = fleet.select_sites(caller, text).await;
            show_selected(&selected.map_err(|error| refusal(text, error))?, printer);
            return Ok(Exit::Done);
        }
        let filter = EnvironmentFilter {
            text: self.text.unwrap_or_default(),
            ..EnvironmentFilter::default()
        };
        show(&fleet.list_environments(caller, &filter).await?, printer);
        if filter.text.is_empty() {
            tell_of_pending(fleet.list_unconnected_sites(caller).await?.len(), printer);
        }
        Ok(Exit::Done)
    }
}

/// A selector that is not understood is shown with its fault marked.
fn refusal(text: &str, error: Error) -> Failure {
    let fault = text.parse::<Selector>().is_err();
    let failure = selector::refusal(text, error);
    if !fault || text.contains([':', '=', '<', '>']) {
        failure
    } else {
        failure.with_hint("`--text` looks for plain words")
    }
}

fn show_selected(selected: &Selected, printer: &mut Printer) {
    show(&selected.environments, printer);
    selector::doubts(selected.undecided, selected.hint.as_deref(), printer);
}

fn show(sites: &[Environment], printer: &mut Printer) {
    let mut table = Table::new(&[
        "id",
        "domain",
        "state",
        "WordPress",
        "updates",
        "account",
        "address",
    ]);
    for site in sites {
        table.row([
            site.panel_id.clone(),
            site.domain.clone(),
            site.state.clone(),
            site.core_version.clone(),
            updates(site).to_string(),
            site.account_name.clone(),
            site.url.clone(),
        ]);
    }
    printer.many(&sites, &table);
}

fn show_pending(sites: &[Site], printer: &mut Printer) {
    let mut table = Table::new(&["id", "status", "by", "address", "name", "why"]);
    for site in sites {
        table.row([
            site.short_id.to_string(),
            site.status.to_owned(),
            site.method.unwrap_or_default().to_owned(),
            site.url.clone(),
            site.name.clone(),
            site.trouble.clone().unwrap_or_default(),
        ]);
    }
    printer.many(&sites, &table);
}

/// Sites that are in no table of those that are connected.
fn tell_of_pending(pending: usize, printer: &mut Printer) {
    match pending {
        0 => {}
        1 => printer.note("1 site is not connected yet: `pressroom site list --pending`"),
        _ => printer.note(&format!(
            "{pending} sites are not connected yet: `pressroom site list --pending`"
        )),
    }
}

/// How many components have a newer version.
pub(super) fn updates(site: &Environment) -> usize {
    let newer = |version: &Option<String>| version.is_some();
    site.components
        .iter()
        .filter(|part| newer(&part.new_version))
        .count()
}

#[cfg(test)]
mod tests {
    use super::{super::find::tests::site, *};
    use crate::{Cli, Command, commands::FleetCommand};
    use clap::Parser;

    fn selected(undecided: usize) -> Selected {
        Selected {
            environments: vec![site("wp_2f686f6d6")],
            total: 1,
            undecided,
            hint: None,
        }
    }

    #[test]
    fn what_is_not_known_is_told_beside_the_table() {
        let (mut printer, captured) = Printer::captured(None);
        show(&selected(0).environments, &mut printer);
        let plain = captured.out();
        assert!(plain.starts_with("wp_2f686f6d6\tblog.example\t"), "{plain}");
        show_selected(&selected(0), &mut printer);
        assert_eq!(
            (captured.out(), captured.err()),
            (plain.repeat(2), String::new())
        );
        show_selected(&selected(1), &mut printer);
        show_selected(&selected(12), &mut printer);
        assert_eq!(captured.out(), plain.repeat(4));
        assert_eq!(
            captured.err(),
            "1 more site may match: what was asked is not known of it\n\
             12 more sites may match: what was asked is not known of them\n"
        );
    }

    #[test]
    fn what_may_be_wrong_is_told_beside_the_table() {
        let (mut printer, captured) = Printer::captured(None);
        let hint = "no site has the tag `shpo`; did you mean `shop`?";
        let selected = Selected {
            hint: Some(hint.into()),
            ..selected(0)
        };
        show_selected(&selected, &mut printer);
        assert_eq!(captured.err(), format!("{hint}\n"));
    }

    #[test]
    fn what_is_not_connected_is_told_beside_the_table() {
        let (mut printer, captured) = Printer::captured(None);
        tell_of_pending(0, &mut printer);
        tell_of_pending(1, &mut printer);
        tell_of_pending(2, &mut printer);
        assert_eq!(
            captured.err(),
            "1 site is not connected yet: `pressroom site list --pending`\n\
             2 sites are not connected yet: `pressroom site list --pending`\n"
        );
    }

    #[test]
    fn json_is_that_of_the_plain_list() {
        let (mut printer, captured) = Printer::captured(None);
        printer.set_json(true);
        show(&selected(3).environments, &mut printer);
        show_selected(&selected(3), &mut printer);
        let both = captured.out();
        let lines: Vec<_> = both.lines().collect();
        assert_eq!(lines.len(), 2, "{both}");
        assert_eq!(lines[0], lines[1]);
        assert_eq!(captured.err(), "");
    }

    #[test]
    fn a_fault_is_shown_at_its_place() {
        let refused = |text: &str| {
            let error = text.parse::<Selector>().expect_err("it has a fault");
            refusal(text, error.into())
        };
        let failure = refused("env:production plugn:woocommerce");
        assert_eq!(failure.exit(), Exit::Usage);
        assert_eq!(
            failure.to_text(),
            "error: the selector is not understood\n\
             \n  env:production plugn:woocommerce\
             \n                 ^^^^^ there is no field `plugn`; did you mean `plugin`?\n"
        );
        assert_eq!(failure.to_json()["error"]["kind"], "usage");
        let hint = "\nhint: `--text` looks for plain words\n";
        assert!(refused("agency").to_text().ends_with(hint));
    }

    #[test]
    fn other_refusals_stay_as_they_are() {
        let failure = refusal("all", Error::not_found("account"));
        assert_eq!(failure.exit(), Exit::NotFound);
    }

    #[test]
    fn a_selector_may_begin_with_a_negation() {
        for text in [
            "-status:down",
            "-host:web1",
            "--site:a",
            "-(php:8 OR php:7)",
        ] {
            let line = ["pressroom", "site", "list", text, "--json"];
            let cli = Cli::try_parse_from(line).expect("it is understood");
            assert!(cli.json);
            let Command::Fleet(FleetCommand::Site(super::super::Site::List(list))) = cli.command
            else {
                panic!("another command");
            };
            assert_eq!(list.selector.as_deref(), Some(text));
        }
        let both = ["pressroom", "site", "list", "all", "--text", "agency"];
        assert!(Cli::try_parse_from(both).is_err());
    }
}
