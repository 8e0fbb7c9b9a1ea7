//! `pressroom host test`

use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_fleet::{
    Caller, Fleet,
    hosts::{HostFound, HostSurvey, HostWay},
};

/// Reaches a host and tells what it is and has. The first key it shows is the one it is
/// known by from then on; another one is refused.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom host test web1.example
  pressroom --json host test 1")]
pub struct Test {
    /// The host's label, name or number
    pub host: String,
}

impl Test {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        printer.note(&format!("looking at `{}`", self.host));
        let found = fleet.test_host(caller, &self.host).await?;
        show(&found, printer);
        Ok(Exit::Done)
    }
}

fn show(found: &HostFound, printer: &mut Printer) {
    let host = &found.host;
    if printer.json() {
        printer.json_line(found);
        return;
    }
    let survey = host.survey.clone().unwrap_or_default();
    for (name, value) in rows(&survey) {
        printer.line(&format!("{name}\t{}", crate::table::plain(&value)));
    }
    if let (true, Some(key)) = (found.key_is_new, &host.host_key) {
        printer.note(&format!(
            "`{}` is known by {key} from now on; compare it with what its operator tells you",
            host.label
        ));
    }
}

fn rows(survey: &HostSurvey) -> Vec<(&'static str, String)> {
    let php: Vec<_> = survey
        .php
        .iter()
        .map(|php| format!("{} ({})", php.version, php.path))
        .collect();
    let sites = match (&survey.sites, &survey.sites_note) {
        (Some(sites), None) => sites.len().to_string(),
        (Some(sites), Some(note)) => format!("{}, {note}", sites.len()),
        (None, Some(note)) => format!("unknown: {note}"),
        (None, None) => "unknown".to_owned(),
    };
    vec![
        ("machine", survey.machine.clone()),
        ("user", survey.user.clone()),
        ("home", survey.home.clone()),
        ("php", or_none(&php)),
        ("web", or_none(&survey.web_servers)),
        (
            "free",
            survey.free_bytes.map_or_else(
                || "unknown".to_owned(),
                |free| format!("{} MB", free / 1_000_000),
            ),
        ),
        ("sudo", or_none(&survey.sudo)),
        (
            "way",
            match &survey.way {
                HostWay::Agent => "agent".to_owned(),
                HostWay::Php(why) => format!("php alone: {why}"),
                HostWay::None(why) => format!("none: {why}"),
                HostWay::Unknown => "unknown".to_owned(),
            },
        ),
        ("latency", format!("{} ms", survey.latency_ms)),
        ("sites", sites),
    ]
}

fn or_none(found: &[String]) -> String {
    if found.is_empty() {
        "none found".to_owned()
    } else {
        found.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_fleet::hosts::FoundPhp;

    #[test]
    fn what_could_not_be_found_out_is_not_called_none() {
        let survey = HostSurvey {
            way: HostWay::None("the user's home is mounted `noexec`".into()),
            php: vec![FoundPhp {
                version: "8.2.7".into(),
                path: "/usr/bin/php".into(),
            }],
            ..HostSurvey::default()
        };
        let rows = rows(&survey);
        let value = |name| {
            let found = rows.iter().find(|(row, _)| *row == name);
            found.map(|(_, value)| value.as_str()).expect("the row")
        };
        assert_eq!(value("php"), "8.2.7 (/usr/bin/php)");
        assert_eq!(value("way"), "none: the user's home is mounted `noexec`");
        assert_eq!(value("sites"), "unknown");
        assert_eq!(value("free"), "unknown");
        assert_eq!(value("web"), "none found");
    }
}
