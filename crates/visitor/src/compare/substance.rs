//! Pages that answer, with less in them.

use super::{Report, Two};
use crate::{
    facts::Facts,
    finding::{FindingKind, Severity},
    impression::Seen,
};

pub(super) fn compare(report: &mut Report<'_>, two: &Two<'_>) {
    let is_page =
        |seen: &&Seen| seen.status.is_some_and(|status| status < 500) && seen.error.is_none();
    let before: Vec<&Seen> = two.before.iter().filter(is_page).collect();
    let after: Vec<&Seen> = two.after.iter().filter(is_page).collect();
    if before.is_empty() || after.is_empty() || before.len() < two.before.len() {
        return;
    }
    body(report, two, &before, &after);
    let before: Vec<&Facts> = before.iter().filter_map(|seen| seen.facts()).collect();
    let after: Vec<&Facts> = after.iter().filter_map(|seen| seen.facts()).collect();
    if before.is_empty() || after.is_empty() {
        return;
    }
    if before.iter().all(|facts| facts.complete) && after.iter().any(|facts| !facts.complete) {
        report.add(
            FindingKind::TruncatedPage,
            Severity::Blocking,
            two.place(),
            ("complete", "ends in the middle"),
            "ends in the middle",
        );
    }
    text(report, two, &before, &after);
    parts(report, two, &before, &after);
    titles(report, two, &before, &after);
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sizes of pages are far below 2^52"
)]
fn share(now: u64, then: u64) -> f64 {
    now as f64 / (then.max(1)) as f64
}

fn body(report: &mut Report<'_>, two: &Two<'_>, before: &[&Seen], after: &[&Seen]) {
    let then = before.iter().map(|seen| seen.bytes).min().unwrap_or(0);
    let now = after.iter().map(|seen| seen.bytes).min().unwrap_or(0);
    if then >= report.thresholds.body_from && share(now, then) < report.thresholds.body_share {
        report.add(
            FindingKind::BodyShrunk,
            two.at_most(Severity::Blocking),
            two.place(),
            (&format!("{then} bytes"), &format!("{now} bytes")),
            &format!("sends {now} bytes, before: {then}"),
        );
    }
}

fn text(report: &mut Report<'_>, two: &Two<'_>, before: &[&Facts], after: &[&Facts]) {
    let then = before.iter().map(|facts| facts.text).min().unwrap_or(0);
    let now = after.iter().map(|facts| facts.text).min().unwrap_or(0);
    let limits = report.thresholds;
    if then < limits.text_from {
        return;
    }
    let share = share(now, then);
    let severity = if share < limits.text_share {
        two.at_most(Severity::Blocking)
    } else if share < limits.text_share_told {
        Severity::Warning
    } else {
        return;
    };
    report.add(
        FindingKind::TextLost,
        severity,
        two.place(),
        (&format!("{then} characters"), &format!("{now} characters")),
        &format!("has {now} characters to read, before: {then}"),
    );
}

fn parts(report: &mut Report<'_>, two: &Two<'_>, before: &[&Facts], after: &[&Facts]) {
    let least = |of: fn(&Facts) -> u32, all: &[&Facts]| all.iter().map(|facts| of(facts)).min();
    let links = |facts: &Facts| facts.links;
    let (then, now) = (
        least(links, before).unwrap_or(0),
        least(links, after).unwrap_or(0),
    );
    let limits = report.thresholds;
    if then >= limits.links_from && share(now.into(), then.into()) < limits.links_share {
        report.add(
            FindingKind::LinksLost,
            Severity::Warning,
            two.place(),
            (&format!("{then} links"), &format!("{now} links")),
            &format!("has {now} links, before: {then}"),
        );
    }
    let headings = |facts: &Facts| facts.headings;
    let (then, now) = (
        least(headings, before).unwrap_or(0),
        least(headings, after).unwrap_or(0),
    );
    if then >= 2 && now == 0 {
        report.add(
            FindingKind::HeadingsLost,
            Severity::Warning,
            two.place(),
            (&format!("{then} headings"), "none"),
            &format!("has no headings, before: {then}"),
        );
    }
}

fn titles(report: &mut Report<'_>, two: &Two<'_>, before: &[&Facts], after: &[&Facts]) {
    let title = |facts: &&Facts| facts.title.clone().unwrap_or_default();
    let then: Vec<String> = before.iter().map(title).collect();
    let now: Vec<String> = after.iter().map(title).collect();
    let (Some(was), Some(is)) = (then.first(), now.first()) else {
        return;
    };
    if then.iter().all(|title| !title.is_empty()) && now.iter().all(String::is_empty) {
        report.add(
            FindingKind::TitleLost,
            Severity::Warning,
            two.place(),
            (was, ""),
            &format!("has no title, before: `{was}`"),
        );
    } else if now.iter().all(|title| !then.contains(title)) && !was.is_empty() {
        report.add(
            FindingKind::TitleChanged,
            Severity::Note,
            two.place(),
            (was, is),
            &format!("is called `{is}`, before: `{was}`"),
        );
    }
}
