//! Stylesheets, scripts, fonts and pictures: those that do not arrive, and those that are
//! no longer asked for.

use super::{Report, in_all, in_any, listed};
use crate::{
    address::slot,
    facts::FileKind,
    finding::{FindingKind, Severity},
    impression::{File, Impression, Page, Seen},
};
use std::collections::{BTreeMap, BTreeSet};

/// Files that do not arrive and did, or that are new and do not.
pub(super) fn broken(report: &mut Report<'_>, before: &Impression, after: &Impression) {
    let then: BTreeMap<(FileKind, &str), &File> = before
        .files
        .iter()
        .map(|file| ((file.kind, file.place.as_str()), file))
        .collect();
    for file in &after.files {
        let Some(trouble) = file.trouble() else {
            continue;
        };
        let known = then.get(&(file.kind, file.place.as_str()));
        let was = match known {
            Some(known) if known.trouble().is_some() => continue,
            Some(_) => "there",
            None => "not asked for",
        };
        let severity = match (file.kind, known) {
            (FileKind::Style | FileKind::Script, _) | (_, Some(_)) => Severity::Blocking,
            // A carousel may show a picture that was gone all along.
            (FileKind::Font | FileKind::Picture, None) => Severity::Warning,
        };
        // Only wp-admin is made with it.
        let severity = if only_in_admin(after, file) {
            severity.min(Severity::Warning)
        } else {
            severity
        };
        let what = name(file.kind);
        report.add(
            FindingKind::FileBroken,
            severity,
            &file.place,
            (was, &trouble),
            &format!("the {what} does not arrive: {trouble}"),
        );
    }
}

fn only_in_admin(after: &Impression, file: &File) -> bool {
    let mut users = after.pages.iter().filter(|page| {
        places(&page.alive, file.kind)
            .iter()
            .any(|places| places.contains(&file.place))
    });
    let first = users.next();
    first.is_some_and(|page| page.chosen.kind.is_admin())
        && users.all(|page| page.chosen.kind.is_admin())
}

const fn name(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Style => "stylesheet",
        FileKind::Script => "script",
        FileKind::Font => "font",
        FileKind::Picture => "picture",
    }
}

/// Stylesheets and scripts that pages asked for in every look before and in none after.
pub(super) fn missing(report: &mut Report<'_>, before: &Impression, after: &Impression) {
    for then in &before.pages {
        let Some(now) = after.page(&then.chosen) else {
            continue;
        };
        if report.is_blocked(&then.chosen.address) || !then.chosen.kind.is_shown() {
            continue;
        }
        let whole = |looks: &[Seen]| looks.iter().filter(|seen| seen.facts().is_some()).count();
        if whole(&then.alive) < then.alive.len() || whole(&now.alive) == 0 {
            continue;
        }
        styles(report, then, now, (before, after));
        scripts(report, then, now);
    }
}

/// The files of a kind that each look asked for.
fn places(looks: &[Seen], kind: FileKind) -> Vec<BTreeSet<String>> {
    looks
        .iter()
        .filter_map(Seen::facts)
        .map(|facts| {
            facts
                .files
                .iter()
                .filter(|file| file.kind == kind)
                .map(|file| file.place.clone())
                .collect()
        })
        .collect()
}

/// What is gone and has not merely changed its name, and how many came.
fn difference(then: &Page, now: &Page, kind: FileKind) -> (Vec<String>, usize) {
    let had = in_all(places(&then.alive, kind).into_iter());
    let knew = in_any(places(&then.alive, kind).into_iter());
    let has = in_any(places(&now.alive, kind).into_iter());
    let came: Vec<&String> = has.difference(&knew).collect();
    let mut slots: Vec<String> = came.iter().map(|place| slot(place)).collect();
    let mut gone = Vec::new();
    for place in had.difference(&has) {
        let renamed = slots.iter().position(|other| *other == slot(place));
        match renamed {
            Some(at) => {
                slots.swap_remove(at);
            }
            None => gone.push(place.clone()),
        }
    }
    (gone, slots.len())
}

fn styles(
    report: &mut Report<'_>,
    then: &Page,
    now: &Page,
    (before, after): (&Impression, &Impression),
) {
    let place = &then.chosen.address;
    let at_most = if then.chosen.kind.is_admin() {
        Severity::Warning
    } else {
        Severity::Blocking
    };
    let (gone, came) = difference(then, now, FileKind::Style);
    let inline = |looks: &[Seen]| {
        looks
            .iter()
            .filter_map(Seen::facts)
            .map(|facts| facts.inline_style)
            .min()
            .unwrap_or(0)
    };
    let bytes_gone: u64 = gone.iter().map(|place| bytes(before, place)).sum();
    let moved_in = inline(&now.alive) >= inline(&then.alive) + bytes_gone / 2 && bytes_gone > 0;
    if !gone.is_empty() {
        let named = listed(gone.iter().map(String::as_str));
        let severity = if came > 0 || moved_in {
            Severity::Note
        } else {
            at_most
        };
        report.add(
            FindingKind::StyleGone,
            severity,
            place,
            (&named, "not asked for"),
            &format!("no longer asks for the stylesheet {named}"),
        );
    }
    let asked = |impression: &Impression, page: &Page| {
        in_any(places(&page.alive, FileKind::Style).into_iter())
            .iter()
            .all(|place| find(impression, place).is_some())
    };
    if !asked(before, then) || !asked(after, now) {
        // Some were not reached in the time there was: nothing can be said of the sum.
        return;
    }
    let total = |impression: &Impression, page: &Page| {
        let looks = places(&page.alive, FileKind::Style);
        let all = in_any(looks.into_iter());
        let files: u64 = all.iter().map(|place| bytes(impression, place)).sum();
        files + inline(&page.alive)
    };
    let (was, is) = (total(before, then), total(after, now));
    let limits = report.thresholds;
    #[expect(
        clippy::cast_precision_loss,
        reason = "sizes of stylesheets are far below 2^52"
    )]
    let share = is as f64 / was.max(1) as f64;
    if was >= limits.style_from && share < limits.style_share {
        report.add(
            FindingKind::StyleLost,
            at_most,
            place,
            (&format!("{was} bytes"), &format!("{is} bytes")),
            &format!("has {is} bytes of style, before: {was}"),
        );
    }
}

fn find<'a>(impression: &'a Impression, place: &str) -> Option<&'a File> {
    let mut styles = impression.files.iter();
    styles.find(|file| file.kind == FileKind::Style && file.place == place)
}

/// Bytes of a stylesheet that arrives.
fn bytes(impression: &Impression, place: &str) -> u64 {
    find(impression, place)
        .filter(|file| file.trouble().is_none())
        .map_or(0, |file| file.bytes)
}

fn scripts(report: &mut Report<'_>, then: &Page, now: &Page) {
    let (gone, came) = difference(then, now, FileKind::Script);
    if gone.is_empty() {
        return;
    }
    let named = listed(gone.iter().map(String::as_str));
    let severity = if came >= gone.len() {
        Severity::Note
    } else {
        Severity::Warning
    };
    report.add(
        FindingKind::ScriptGone,
        severity,
        &then.chosen.address,
        (&named, "not asked for"),
        &format!("no longer asks for the script {named}"),
    );
}
