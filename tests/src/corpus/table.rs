//! What became of each class, as a page of the documentation.

use super::{
    Class, Kind,
    run::{Ending, Outcome},
};
use std::collections::BTreeSet;

const HEAD: &str = "| update | what it does | variants | stopped before the site | taken back | passed | named by |\n\
                    |---|---|---|---|---|---|---|\n";

/// How a class is called in its row.
fn label(class: &Class) -> String {
    let kind = match class.kind {
        Kind::Bad => "bad",
        Kind::Good => "good",
    };
    format!("| {kind}: {} |", class.name.replace('_', " "))
}

/// One row for each class that was tried.
pub fn rows(classes: &[Class], outcomes: &[Outcome]) -> String {
    let rows = classes.iter().filter_map(|class| row(class, outcomes));
    rows.collect()
}

fn row(class: &Class, outcomes: &[Outcome]) -> Option<String> {
    let own: Vec<&Outcome> = outcomes
        .iter()
        .filter(|outcome| outcome.case.class.name == class.name)
        .collect();
    if own.is_empty() {
        return None;
    }
    let count = |ending: Ending| {
        let found = own.iter().filter(|outcome| outcome.ending == ending);
        match found.count() {
            0 => "–".to_owned(),
            number => number.to_string(),
        }
    };
    // Of several findings, the one that each was stopped for first.
    let named: BTreeSet<String> = own
        .iter()
        .filter(|_| class.kind == Kind::Bad)
        .filter_map(|outcome| outcome.named.first())
        .map(|name| format!("`{name}`"))
        .collect();
    let named = named.into_iter().collect::<Vec<_>>().join(", ");
    Some(format!(
        "{} {} | {} | {} | {} | {} | {named} |\n",
        label(class),
        class.about,
        own.len(),
        count(Ending::Stopped),
        count(Ending::TakenBack),
        count(Ending::Passed),
    ))
}

/// The page with these rows in its table of this name, in place of those of the same classes;
/// `None` where it has no such table.
pub fn placed(page: &str, name: &str, classes: &[Class], rows: &str) -> Option<String> {
    let (begins, ends) = (
        format!("<!-- {name} -->"),
        format!("<!-- end of {name} -->"),
    );
    let (before, rest) = page.split_once(&begins)?;
    let (known, after) = rest.split_once(&ends)?;
    let row_of = |text: &str, class: &Class| {
        let label = label(class);
        let found = text.lines().find(|line| line.starts_with(&label));
        found.map(|line| format!("{line}\n"))
    };
    let all: String = classes
        .iter()
        .filter_map(|class| row_of(rows, class).or_else(|| row_of(known, class)))
        .collect();
    Some(format!("{before}{begins}\n{HEAD}{all}{ends}{after}"))
}

/// Classes without a row in the table of this name.
pub fn missing(page: &str, name: &str, classes: &[Class]) -> Vec<&'static str> {
    let table = page
        .split_once(&format!("<!-- {name} -->"))
        .and_then(|(_, rest)| rest.split_once(&format!("<!-- end of {name} -->")));
    let rows = table.map_or("", |(rows, _)| rows);
    let without = classes.iter().filter(|class| !rows.contains(&label(class)));
    without.map(|class| class.name).collect()
}
