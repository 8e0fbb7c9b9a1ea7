//! What became of each class, as a page of the documentation.

use super::{
    Class, Kind,
    run::{Ending, Outcome},
};
use std::{collections::BTreeSet, fmt::Write as _};

/// Where the table of the documentation begins and ends.
const BEGINS: &str = "<!-- table -->";
const ENDS: &str = "<!-- end of table -->";

/// The lines of the table, one for each class that was tried.
pub fn rows(classes: &[Class], outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "| update | what it does | variants | stopped before the site | taken back | passed | named by |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for kind in [Kind::Bad, Kind::Good] {
        for class in classes.iter().filter(|class| class.kind == kind) {
            let own: Vec<&Outcome> = outcomes
                .iter()
                .filter(|outcome| outcome.case.class.name == class.name)
                .collect();
            if own.is_empty() {
                continue;
            }
            let count = |ending: Ending| {
                let found = own.iter().filter(|outcome| outcome.ending == ending);
                match found.count() {
                    0 => "–".to_owned(),
                    number => number.to_string(),
                }
            };
            // Of several, what each was stopped for first.
            let named: BTreeSet<String> = own
                .iter()
                .filter(|_| kind == Kind::Bad)
                .filter_map(|outcome| outcome.named.first())
                .map(|name| format!("`{name}`"))
                .collect();
            let named = named.into_iter().collect::<Vec<_>>().join(", ");
            let label = match kind {
                Kind::Bad => "bad",
                Kind::Good => "good",
            };
            let _ = writeln!(
                text,
                "| {label}: {} | {} | {} | {} | {} | {} | {named} |",
                class.name.replace('_', " "),
                class.about,
                own.len(),
                count(Ending::Stopped),
                count(Ending::TakenBack),
                count(Ending::Passed),
            );
        }
    }
    text
}

/// The page with this table in place of the one that it has.
pub fn placed(page: &str, rows: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGINS)?;
    let (_, after) = rest.split_once(ENDS)?;
    Some(format!("{before}{BEGINS}\n{rows}{ENDS}{after}"))
}
