//! Two looks at a site compared: what became worse.
//!
//! Each page was asked for several times before and after. What differs between the looks
//! of one side does so by itself and is no finding: a thing counts as gone when it was
//! there in every look before and is in none after, and as broken when no look before was.
//! What failed before does not fail an update.

mod deaths;
mod files;
mod forms;
mod machines;
mod shown;
mod speed;
mod substance;

use crate::{
    finding::{Finding, FindingKind, Severity},
    impression::{Impression, Page, Seen},
    thresholds::Thresholds,
};
use std::collections::BTreeSet;

/// Findings that are kept; a site that is broken everywhere says the same on every page.
const MOST: usize = 200;

/// What became worse between two looks at the same pages, the worst first.
pub fn compare(before: &Impression, after: &Impression, thresholds: &Thresholds) -> Vec<Finding> {
    let mut report = Report {
        thresholds,
        findings: Vec::new(),
    };
    for then in &before.pages {
        match after.page(&then.chosen) {
            Some(now) if !now.alive.is_empty() || then.alive.is_empty() => {
                page(&mut report, then, now);
            }
            _ if then
                .alive
                .iter()
                .any(|seen| !deaths::is_dead(seen, then.chosen.kind)) =>
            {
                report.add(
                    FindingKind::NotLookedAt,
                    Severity::Blocking,
                    &then.chosen.address,
                    ("looked at", ""),
                    "could not be looked at in the time there was",
                );
            }
            _ => {}
        }
    }
    files::broken(&mut report, before, after);
    files::missing(&mut report, before, after);
    machines::rest(&mut report, before, after);
    shown::compare(&mut report, &before.pictures, &after.pictures);
    report.findings.sort_by(|one, other| {
        (other.severity, one.what, &one.place).cmp(&(one.severity, other.what, &other.place))
    });
    report.findings.truncate(MOST);
    report.findings
}

fn page(report: &mut Report<'_>, then: &Page, now: &Page) {
    let alive = Two {
        page: then,
        before: &then.alive,
        after: &now.alive,
        is_served: false,
    };
    let served = Two {
        page: then,
        before: &then.served,
        after: &now.served,
        is_served: true,
    };
    deaths::compare(report, &alive);
    if report.is_blocked(&then.chosen.address) {
        // A page that is dead has lost everything else too.
        return;
    }
    substance::compare(report, &alive);
    forms::compare(report, &alive);
    machines::feed(report, &alive);
    speed::compare(report, &alive);
    if !report.is_blocked(&then.chosen.address) {
        deaths::compare(report, &served);
        substance::compare(report, &served);
    }
}

/// The looks at one page.
struct Two<'a> {
    page: &'a Page,
    before: &'a [Seen],
    after: &'a [Seen],
    is_served: bool,
}

impl Two<'_> {
    fn place(&self) -> &str {
        &self.page.chosen.address
    }

    /// What only people see who work on the site stops nothing, unless it is dead.
    fn at_most(&self, severity: Severity) -> Severity {
        if self.page.chosen.kind.is_admin() {
            severity.min(Severity::Warning)
        } else {
            severity
        }
    }
}

/// Findings as they come together.
struct Report<'a> {
    thresholds: &'a Thresholds,
    findings: Vec<Finding>,
}

impl Report<'_> {
    /// One finding of a kind for a place; the first one stays.
    fn add(
        &mut self,
        what: FindingKind,
        severity: Severity,
        place: &str,
        (before, after): (&str, &str),
        message: &str,
    ) {
        let message = format!("{place}: {message}");
        let known = self
            .findings
            .iter()
            .any(|found| found.what == what && found.place == place && found.message == message);
        if !known {
            self.findings.push(Finding {
                what,
                severity,
                place: place.to_owned(),
                before: before.to_owned(),
                after: after.to_owned(),
                message,
            });
        }
    }

    fn is_blocked(&self, place: &str) -> bool {
        self.findings
            .iter()
            .any(|found| found.is_blocking() && found.place == place)
    }
}

/// What is in every one of these.
fn in_all<T: Ord + Clone>(mut sets: impl Iterator<Item = BTreeSet<T>>) -> BTreeSet<T> {
    let first = sets.next().unwrap_or_default();
    sets.fold(first, |kept, set| {
        kept.intersection(&set).cloned().collect()
    })
}

/// What is in any of these.
fn in_any<T: Ord>(sets: impl Iterator<Item = BTreeSet<T>>) -> BTreeSet<T> {
    sets.flatten().collect()
}

/// A list for a person, cut.
fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 5;
    let names: Vec<&str> = names.into_iter().collect();
    let mut text: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    if names.len() > SHOWN {
        text.push(format!("{} more", names.len() - SHOWN));
    }
    text.join(", ")
}
