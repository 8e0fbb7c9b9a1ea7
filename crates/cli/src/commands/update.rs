//! `pressroom update SELECTOR`

use super::{pipeline::follow, selector};
use crate::{
    Exit, Failure, Printer,
    table::{Table, plain},
};
use clap::Args;
use pressroom_base::id::ShortId;
use pressroom_fleet::{
    Caller, Error, Fleet,
    pipelines::{AskPipeline, AskTarget, RollBack, Strategy, Wanted},
    views::Environment,
};
use serde_json::json;

/// Updates sites safely: each update is tried in a throw-away clone, made once somebody says
/// yes, verified as visitors see it, and taken back where the site suffers.
///
/// Ends with 0 when all went well, 1 when something failed or was taken back, 7 when somebody
/// is to say yes first.
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom update 'site:blog.example' --dry-run
  pressroom update 'site:blog.example' --approve
  pressroom update 'env:production tag:shop' --only plugins --only theme:twentytwentyfour
  pressroom update all --only plugin:akismet@5.0.1 --note 'security fix'")]
pub struct Update {
    /// Which sites, such as `env:production tag:shop`, quoted; docs/selectors.md tells all of it
    #[arg(value_name = "SELECTOR", allow_hyphen_values = true)]
    pub on: String,
    /// Only list what would be updated
    #[arg(long)]
    pub dry_run: bool,
    /// Make the updates without asking where the rehearsal was clean
    #[arg(long)]
    pub approve: bool,
    /// Only these: `core`, `plugins`, `themes`, `plugin:SLUG`, `theme:SLUG`, each of the last two
    /// also with `@VERSION`, as `core@VERSION`
    #[arg(long, value_name = "WHAT", value_parser = only)]
    pub only: Vec<Only>,
    /// A page to look at, beside those that are found; may be given up to ten times
    #[arg(long = "path", value_name = "PATH")]
    pub paths: Vec<String>,
    /// Change everything at once and judge it together
    #[arg(long)]
    pub all_at_once: bool,
    /// Leave a site that suffers as it is, for a person to repair
    #[arg(long)]
    pub keep_broken: bool,
    /// Take no snapshot into the archive before; only with `--keep-broken`
    #[arg(long, requires = "keep_broken")]
    pub no_snapshot: bool,
    /// What is written to the pipelines
    #[arg(long, default_value = "")]
    pub note: String,
    /// Do not wait for anything
    #[arg(long)]
    pub no_wait: bool,
}

/// What of a site is updated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Only {
    /// Everything of a kind.
    Kind(String),
    /// One thing.
    One(AskTarget),
}

impl Update {
    pub(super) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let refused = |error| selector::refusal(&self.on, error);
        let selected = fleet
            .select_sites(caller, &self.on)
            .await
            .map_err(refused)?;
        selector::doubts(selected.undecided, selected.hint.as_deref(), printer);
        if selected.environments.is_empty() {
            printer.note("the selector names no site");
            return Ok(Exit::NotFound);
        }
        let ask = self.asked();
        if self.dry_run {
            return preview(&selected.environments, &ask.wanted, fleet, caller, printer).await;
        }
        let mut ids: Vec<ShortId> = Vec::new();
        let mut worst = Exit::Done;
        for site in &selected.environments {
            match fleet.ask_pipeline_at(caller, site.id, ask.clone()).await {
                Ok(made) => ids.extend(ShortId::parse(&made.id)),
                Err(error) if is_up_to_date(&error) => say(site, &error, printer),
                Err(error) => {
                    say(site, &error, printer);
                    worst = Exit::Failed;
                }
            }
        }
        if self.no_wait {
            for id in &ids {
                printer.line(&format!("pipe_{id}"));
            }
            return Ok(worst);
        }
        let exit = follow(fleet, caller, ids, printer).await?;
        Ok(if worst == Exit::Done { exit } else { worst })
    }

    fn asked(&self) -> AskPipeline {
        let mut kinds = Vec::new();
        let mut targets = Vec::new();
        for only in &self.only {
            match only {
                Only::Kind(kind) => kinds.push(kind.clone()),
                Only::One(target) => targets.push(target.clone()),
            }
        }
        AskPipeline {
            wanted: match (kinds.is_empty(), targets.is_empty()) {
                (true, true) => Wanted::All,
                (true, false) => Wanted::These(targets),
                (false, _) => Wanted::Offered {
                    kinds,
                    and: targets,
                },
            },
            strategy: if self.all_at_once {
                Strategy::AllAtOnce
            } else {
                Strategy::Canary
            },
            requires_approval: !self.approve,
            rollback: if self.keep_broken {
                RollBack::Manual
            } else {
                RollBack::Auto
            },
            snapshot: !self.no_snapshot,
            paths: self.paths.clone(),
            note: self.note.clone(),
            ..AskPipeline::default()
        }
    }
}

async fn preview(
    sites: &[Environment],
    wanted: &Wanted,
    fleet: &Fleet,
    caller: &Caller,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let mut table = Table::new(&["site", "target", "from", "to", "what"]).cut_except(&[0, 1]);
    let mut values = Vec::new();
    let mut worst = Exit::Done;
    for site in sites {
        match fleet.preview_pipeline(caller, site.id, wanted).await {
            Ok(targets) => {
                for target in &targets {
                    table.row([
                        site.domain.clone(),
                        target.label(),
                        target.from_version.clone().unwrap_or_default(),
                        target.to_version.clone().unwrap_or_default(),
                        plain(target.error.as_deref().unwrap_or_default()),
                    ]);
                }
                values.push(
                    json!({ "site": site.panel_id, "domain": site.domain, "targets": targets }),
                );
            }
            Err(error) => {
                let is_fine = is_up_to_date(&error);
                let message = plain(error.message());
                table.row([
                    site.domain.clone(),
                    String::new(),
                    String::new(),
                    String::new(),
                    message,
                ]);
                values.push(json!({ "site": site.panel_id, "domain": site.domain, "error": error.message() }));
                if !is_fine {
                    worst = Exit::Failed;
                }
            }
        }
    }
    printer.many(&values, &table);
    Ok(worst)
}

/// A site at which nothing is on offer is as it should be.
fn is_up_to_date(error: &Error) -> bool {
    error.code() == Some(pressroom_fleet::code::UP_TO_DATE)
}

fn say(site: &Environment, error: &Error, printer: &mut Printer) {
    if printer.json() {
        printer.json_line(
            &json!({ "site": site.panel_id, "domain": site.domain, "error": error.message() }),
        );
        return;
    }
    let hint = error.hint().map(|hint| format!(" ({hint})"));
    printer.line(&format!(
        "{}  {}{}",
        site.domain,
        plain(error.message()),
        hint.unwrap_or_default()
    ));
}

fn only(text: &str) -> Result<Only, String> {
    let wrong = || {
        "one of `core`, `plugins`, `themes`, `plugin:SLUG` and `theme:SLUG`, with `@VERSION` where \
         it names one thing"
            .to_owned()
    };
    let (what, version) = match text.split_once('@') {
        Some((what, version)) if !version.is_empty() => (what, Some(version.to_owned())),
        Some(_) => return Err(wrong()),
        None => (text, None),
    };
    let one = |kind: &str, slug: &str| {
        Only::One(AskTarget {
            kind: kind.to_owned(),
            slug: slug.to_owned(),
            version: version.clone(),
        })
    };
    match (what, version.is_some()) {
        ("core", _) => Ok(one("core", "")),
        ("plugins", false) => Ok(Only::Kind("plugin".into())),
        ("themes", false) => Ok(Only::Kind("theme".into())),
        _ => match what.split_once(':') {
            Some((kind @ ("plugin" | "theme"), slug)) if !slug.is_empty() => Ok(one(kind, slug)),
            _ => Err(wrong()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_updated_is_named() {
        let one = |kind: &str, slug: &str, version: Option<&str>| {
            Ok(Only::One(AskTarget {
                kind: kind.into(),
                slug: slug.into(),
                version: version.map(str::to_owned),
            }))
        };
        assert_eq!(only("plugins"), Ok(Only::Kind("plugin".into())));
        assert_eq!(only("core@6.5.5"), one("core", "", Some("6.5.5")));
        assert_eq!(only("plugin:a"), one("plugin", "a", None));
        assert_eq!(only("theme:a@2"), one("theme", "a", Some("2")));
        for bad in [
            "",
            "plugin",
            "plugin:",
            "plugins@1",
            "x:y",
            "core@",
            "a:b@c",
        ] {
            assert!(only(bad).is_err(), "{bad}");
        }
    }
}
