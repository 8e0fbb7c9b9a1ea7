//! `pressroom health check`

use super::show;
use crate::{
    Exit, Failure, Printer,
    commands::{place::Place, selector, site::find},
    table::{Table, plain},
};
use clap::Args;
use futures_util::StreamExt as _;
use pressroom_fleet::{Caller, Error, Fleet, authorize::Action, health::Asked, views::Environment};
use serde_json::{Value, json};

/// Sites looked at at once.
const AT_ONCE: usize = 8;

/// Looks at a site now: at its pages, its certificate and its name from outside, and at its
/// tables, files, schedule and disk from inside. It counts as a look of the schedule does.
/// Ends with 1 when a site fails.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom health check blog.example
  pressroom health check --on 'env:production -status:paused'
  pressroom --json health check wp_2f686f6d6")]
pub struct Check {
    #[command(flatten)]
    place: Place,
}

impl Check {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        if let Some(selector) = &self.place.on {
            return everywhere(selector, fleet, caller, printer).await;
        }
        let site = self.place.site.unwrap_or_default();
        let site = find(&site, Action::SiteRead, fleet, caller).await?;
        let asked = fleet.check_health(caller, site.id).await?;
        let exit = exit(asked.has_failed());
        show::show(&asked.check, printer);
        Ok(exit)
    }
}

async fn everywhere(
    text: &str,
    fleet: &Fleet,
    caller: &Caller,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let refused = |error| selector::refusal(text, error);
    let selected = fleet.select_sites(caller, text).await.map_err(refused)?;
    selector::doubts(selected.undecided, selected.hint.as_deref(), printer);
    let looks: Vec<(Environment, Result<Asked, Error>)> =
        futures_util::stream::iter(selected.environments)
            .map(async |site| {
                let asked = fleet.check_health(caller, site.id).await;
                (site, asked)
            })
            .buffered(AT_ONCE)
            .collect()
            .await;
    let mut table = Table::new(&["site", "status", "http", "ms", "what"]).cut_except(&[1, 2, 3]);
    let mut values = Vec::new();
    let mut has_failed = false;
    for (site, asked) in looks {
        has_failed |= asked.as_ref().map_or(true, Asked::has_failed);
        values.push(value(&site, &asked));
        table.row(row(&site, &asked));
    }
    printer.many(&values, &table);
    Ok(exit(has_failed))
}

fn row(site: &Environment, asked: &Result<Asked, Error>) -> [String; 5] {
    let number = |number: Option<u64>| number.map(|it| it.to_string()).unwrap_or_default();
    match asked {
        Ok(asked) => {
            let look = &asked.check;
            [
                site.domain.clone(),
                look.status.to_string(),
                number(look.http_status.map(u64::from)),
                number(look.response_time_ms),
                plain(look.error.as_deref().unwrap_or_default()),
            ]
        }
        // Not looked at is not well.
        Err(error) => [
            site.domain.clone(),
            "unknown".to_owned(),
            String::new(),
            String::new(),
            plain(error.message()),
        ],
    }
}

fn value(site: &Environment, asked: &Result<Asked, Error>) -> Value {
    match asked {
        Ok(asked) => json!({ "site": site.panel_id, "domain": site.domain, "check": asked.check }),
        Err(error) => {
            json!({ "site": site.panel_id, "domain": site.domain, "error": error.message() })
        }
    }
}

const fn exit(has_failed: bool) -> Exit {
    if has_failed { Exit::Failed } else { Exit::Done }
}
