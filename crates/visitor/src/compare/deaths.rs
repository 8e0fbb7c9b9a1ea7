//! Pages that answer badly, or not at all.

use super::{Report, Two};
use crate::{
    finding::{FindingKind, Severity},
    impression::{Content, PageKind, Seen},
};
use std::collections::BTreeSet;

/// What makes a page no page.
const DEAD: [FindingKind; 8] = [
    FindingKind::NoAnswer,
    FindingKind::ServerError,
    FindingKind::FatalError,
    FindingKind::CriticalErrorPage,
    FindingKind::DatabaseError,
    FindingKind::Maintenance,
    FindingKind::WhitePage,
    FindingKind::RedirectLoop,
];

/// Whether nobody would call this a page.
pub(super) fn is_dead(seen: &Seen, kind: PageKind) -> bool {
    troubles(seen, kind)
        .iter()
        .any(|(what, _)| DEAD.contains(what))
}

pub(super) fn compare(report: &mut Report<'_>, two: &Two<'_>) {
    let kind = two.page.chosen.kind;
    if two.before.is_empty() || two.after.is_empty() {
        return;
    }
    let before: Vec<_> = two.before.iter().map(|seen| troubles(seen, kind)).collect();
    let known: BTreeSet<_> = before.iter().flatten().map(|(what, _)| *what).collect();
    let was_dead = before
        .iter()
        .all(|troubles| troubles.iter().any(|(what, _)| DEAD.contains(what)));
    if was_dead && !two.is_served && two.after.iter().any(|seen| is_dead(seen, kind)) {
        let then = before.first().and_then(|troubles| troubles.first());
        let was = then.map_or("dead", |(_, detail)| detail.as_str());
        report.add(
            FindingKind::BrokenBefore,
            Severity::Warning,
            two.place(),
            (was, "the same"),
            &format!("was broken before, and nothing can be said of it: {was}"),
        );
    }
    for seen in two.after {
        for (what, detail) in troubles(seen, kind) {
            let is_death = DEAD.contains(&what);
            if is_death && was_dead {
                continue;
            }
            let everywhere = two
                .after
                .iter()
                .all(|seen| troubles(seen, kind).iter().any(|(other, _)| *other == what));
            let severity = match () {
                // It came and went before, too.
                () if known.contains(&what) && !everywhere => Severity::Note,
                () if known.contains(&what) && !is_death => continue,
                () if known.contains(&what) => Severity::Warning,
                // A connection may break by itself.
                () if what == FindingKind::NoAnswer && !everywhere => Severity::Warning,
                () if is_death => Severity::Blocking,
                () => two.at_most(Severity::Blocking),
            };
            let mut message = detail.clone();
            if two.is_served {
                message.push_str(", as visitors get it");
            } else if is_death
                && let Some(cache) = two.page.served.iter().find_map(|seen| seen.cache.as_ref())
            {
                message.push_str(", whatever a cache may still show (");
                message.push_str(cache);
                message.push(')');
            }
            let then = summary(two.before.first());
            report.add(what, severity, two.place(), (&then, &detail), &message);
        }
    }
    if !was_dead {
        statuses(report, two);
        away(report, two);
        notices(report, two);
    }
}

fn summary(seen: Option<&Seen>) -> String {
    match seen {
        None => String::new(),
        Some(seen) => match (seen.status, seen.end()) {
            (None, _) => "no answer".to_owned(),
            (Some(status), None) => format!("status {status}"),
            (Some(status), Some(end)) => format!("status {status} at {end}"),
        },
    }
}

/// Everything that is wrong with an answer by itself.
fn troubles(seen: &Seen, kind: PageKind) -> Vec<(FindingKind, String)> {
    let mut found = Vec::new();
    let Some(status) = seen.status else {
        let why = seen.error.clone();
        found.push((
            FindingKind::NoAnswer,
            why.unwrap_or_else(|| "no answer".to_owned()),
        ));
        return found;
    };
    if seen.error.is_some() {
        found.push((
            FindingKind::NoAnswer,
            seen.error.clone().unwrap_or_default(),
        ));
    }
    if seen.is_loop {
        let way = seen.chain.iter().take(4).cloned().collect::<Vec<_>>();
        found.push((
            FindingKind::RedirectLoop,
            format!("sends its visitors in a circle ({})", way.join(" → ")),
        ));
    }
    let marks = &seen.marks;
    if let Some(said) = &marks.database {
        found.push((FindingKind::DatabaseError, said.clone()));
    }
    if marks.maintenance && status == 503 {
        found.push((
            FindingKind::Maintenance,
            "says that the site is in maintenance".to_owned(),
        ));
    }
    let is_error_page = seen.facts().is_some_and(|facts| facts.is_error_page)
        && (status == 200 || status >= 500)
        && found.is_empty();
    match &marks.fatal {
        Some(said) if said.to_ascii_lowercase().contains("critical error") => {
            found.push((FindingKind::CriticalErrorPage, format!("shows: {said}")));
        }
        Some(said) => found.push((FindingKind::FatalError, format!("shows: {said}"))),
        None if is_error_page => found.push((
            FindingKind::CriticalErrorPage,
            format!("shows WordPress' error page with status {status}"),
        )),
        None => {}
    }
    if found.is_empty() && status >= 500 {
        found.push((
            FindingKind::ServerError,
            format!("answers with status {status}"),
        ));
    }
    if found.is_empty() && is_blank(seen, kind) {
        found.push((
            FindingKind::WhitePage,
            format!("is a blank page with status {status}"),
        ));
    }
    if marks.headers_sent {
        found.push((
            FindingKind::HeadersSent,
            "something is written before the headers are sent".to_owned(),
        ));
    }
    if let Some(text) = &marks.before {
        found.push((
            FindingKind::OutputBeforePage,
            format!("something stands before the page: {text}"),
        ));
    }
    found
}

fn is_blank(seen: &Seen, kind: PageKind) -> bool {
    if !kind.is_shown() || seen.status != Some(200) {
        return false;
    }
    match &seen.content {
        Content::Html(facts) => facts.text == 0 && facts.pictures == 0 && facts.forms.is_empty(),
        Content::Other => seen.bytes == 0,
        Content::Json { .. } | Content::Feed { .. } => false,
    }
}

/// A status that is worse than any that was seen; server errors are told above.
fn statuses(report: &mut Report<'_>, two: &Two<'_>) {
    let class = |seen: &Seen| seen.status.map(|status| status / 100);
    let worst = two.before.iter().filter_map(class).max();
    for seen in two.after {
        let (Some(now), Some(then), Some(status)) = (class(seen), worst, seen.status) else {
            continue;
        };
        if now > then && now < 5 && !seen.is_loop && now != 3 {
            let was = summary(two.before.first());
            report.add(
                FindingKind::StatusWorse,
                Severity::Blocking,
                two.place(),
                (&was, &format!("status {status}")),
                &format!("answers with status {status}, before: {was}"),
            );
        }
    }
}

/// Where visitors come out, when that is none of the places of before.
fn away(report: &mut Report<'_>, two: &Two<'_>) {
    let bare = |seen: &Seen| {
        let end = seen.end().unwrap_or(two.place());
        let end = end.split('#').next().unwrap_or_default();
        end.trim_end_matches('/').to_owned()
    };
    let known: BTreeSet<String> = two.before.iter().map(bare).collect();
    for seen in two.after {
        if seen.is_loop || seen.status.is_none() || known.contains(&bare(seen)) {
            continue;
        }
        let end = seen.end().unwrap_or(two.place());
        let was = two.before.first().and_then(Seen::end);
        report.add(
            FindingKind::RedirectedAway,
            two.at_most(Severity::Blocking),
            two.place(),
            (was.unwrap_or("the page itself"), end),
            &format!("sends its visitors to `{end}` now"),
        );
    }
}

/// Messages of PHP that no look before had.
fn notices(report: &mut Report<'_>, two: &Two<'_>) {
    let known: BTreeSet<_> = two
        .before
        .iter()
        .flat_map(|seen| &seen.marks.notices)
        .collect();
    for notice in two.after.iter().flat_map(|seen| &seen.marks.notices) {
        if !known.contains(notice) {
            report.add(
                FindingKind::PhpNotice,
                two.at_most(Severity::Blocking),
                two.place(),
                ("", notice),
                &format!("shows a message of PHP: {notice}"),
            );
        }
    }
}
