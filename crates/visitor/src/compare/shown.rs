//! What Chromium saw: scripts, requests, controls, and where things stand.

use super::{Report, listed};
use crate::{
    finding::{FindingKind, Severity},
    impression::{Anchor, Area, Pictures, Screen, Shot},
    thresholds::Thresholds,
};
use std::collections::{BTreeMap, BTreeSet};

/// Between two looks before, in CSS pixels: what moves more does so by itself.
const STILL: f64 = 8.0;
/// Neighbours, above and below, that something moves with or against.
const NEIGHBOURS: usize = 4;
/// What covers more than this share of the window hides the page.
const COVERS: f64 = 0.5;
/// What kind of control a key is of; see the script that collects them.
const FIELD: &str = "field:";
const SUBMIT: &str = "submit:";
const SELLS: &str = "sells:";

/// The pictures of one page on one screen.
type Series<'a> = BTreeMap<(&'a str, Screen), Vec<&'a Shot>>;

pub(super) fn compare(report: &mut Report<'_>, before: &Pictures, after: &Pictures) {
    let (then, now) = match (before, after) {
        (Pictures::NotWanted, _) => return,
        (Pictures::Made { shots: then, .. }, Pictures::Made { shots: now, .. }) => (then, now),
        (Pictures::NotMade { why }, _) | (_, Pictures::NotMade { why }) => {
            not_made(report, "the site", why);
            return;
        }
        (_, Pictures::NotWanted) => {
            not_made(report, "the site", "nobody wanted pictures afterwards");
            return;
        }
    };
    let (then, now) = (series(then), series(now));
    if let (Pictures::Made { failed: known, .. }, Pictures::Made { failed, .. }) = (before, after) {
        for (page, why) in failed.iter().chain(known) {
            not_made(report, page, why);
        }
    }
    for ((page, screen), before) in &then {
        if let Some(after) = now.get(&(*page, *screen)) {
            scripts(report, page, before, after);
            requests(report, page, before, after);
            controls(report, page, *screen, before, after);
            layout(report, page, *screen, before, after);
            covered(report, page, *screen, before, after);
        }
    }
}

fn not_made(report: &mut Report<'_>, place: &str, why: &str) {
    report.add(
        FindingKind::NoPictures,
        Severity::Warning,
        place,
        ("", why),
        &format!("the visual check was not made: {why}"),
    );
}

fn series(shots: &[Shot]) -> Series<'_> {
    let mut series = Series::new();
    for shot in shots {
        series
            .entry((&shot.page, shot.screen))
            .or_default()
            .push(shot);
    }
    series
}

/// What every look after has and no look before.
fn new_in_all(
    before: &[&Shot],
    after: &[&Shot],
    of: impl Fn(&Shot) -> BTreeSet<String>,
) -> BTreeSet<String> {
    let known = super::in_any(before.iter().map(|shot| of(shot)));
    let now = super::in_all(after.iter().map(|shot| of(shot)));
    now.difference(&known).cloned().collect()
}

fn scripts(report: &mut Report<'_>, page: &str, before: &[&Shot], after: &[&Shot]) {
    for error in new_in_all(before, after, |shot| shot.exceptions.clone()) {
        report.add(
            FindingKind::ScriptError,
            Severity::Blocking,
            page,
            ("", &error),
            &format!("a script fails: {error}"),
        );
    }
    for error in new_in_all(before, after, |shot| shot.complaints.clone()) {
        report.add(
            FindingKind::ConsoleError,
            Severity::Warning,
            page,
            ("", &error),
            &format!("a script complains: {error}"),
        );
    }
}

fn requests(report: &mut Report<'_>, page: &str, before: &[&Shot], after: &[&Shot]) {
    let places = |shot: &Shot| shot.failed.keys().cloned().collect();
    for place in new_in_all(before, after, places) {
        let failed = after.iter().find_map(|shot| shot.failed.get(&place));
        let told = report
            .findings
            .iter()
            .any(|found| found.what == FindingKind::FileBroken && found.place == place);
        let Some(failed) = failed.filter(|_| !told) else {
            continue;
        };
        let severity = if failed.is_needed {
            Severity::Blocking
        } else {
            Severity::Warning
        };
        let how = match failed.status {
            0 => "no answer".to_owned(),
            status => format!("status {status}"),
        };
        report.add(
            FindingKind::RequestFailed,
            severity,
            page,
            ("", &how),
            &format!("asks for `{place}` and gets: {how}"),
        );
    }
}

fn controls(
    report: &mut Report<'_>,
    page: &str,
    screen: Screen,
    before: &[&Shot],
    after: &[&Shot],
) {
    let visible = |shot: &&Shot| -> BTreeSet<String> {
        let seen = shot.controls.iter().filter(|(_, is_visible)| **is_visible);
        seen.map(|(key, _)| key.clone()).collect()
    };
    let had = super::in_all(before.iter().map(visible));
    let has = super::in_any(after.iter().map(visible));
    for (begin, what, severity, name) in [
        (FIELD, FindingKind::FieldGone, Severity::Blocking, "field"),
        (
            SUBMIT,
            FindingKind::SubmitGone,
            Severity::Blocking,
            "button to send a form",
        ),
        (SELLS, FindingKind::ButtonGone, Severity::Blocking, "button"),
        (
            "button:",
            FindingKind::ButtonGone,
            Severity::Warning,
            "button",
        ),
    ] {
        let gone: Vec<&str> = had
            .difference(&has)
            .filter_map(|key| key.strip_prefix(begin))
            .collect();
        let told = report.findings.iter().any(|found| {
            (found.what == what || found.what == FindingKind::FormGone) && found.place == page
        });
        if gone.is_empty() || told {
            continue;
        }
        let list = listed(gone);
        report.add(
            what,
            severity,
            page,
            (&list, "not to be seen"),
            &format!(
                "on a {} a visitor cannot see the {name} {list}",
                screen.as_str()
            ),
        );
    }
}

/// Where something stood and where it stands.
struct Moved {
    then: Area,
    now: Area,
}

fn layout(report: &mut Report<'_>, page: &str, screen: Screen, before: &[&Shot], after: &[&Shot]) {
    let limits = report.thresholds;
    let Some((pairs, moved)) = after
        .iter()
        .map(|shot| {
            let pairs = pairs(before, shot);
            let moved = moved(&pairs, screen, limits);
            (pairs, moved)
        })
        // What varies by itself is not against the update.
        .min_by_key(|(_, moved)| *moved)
    else {
        return;
    };
    if pairs.len() < limits.moved_from {
        return;
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "a page has a few hundred of them"
    )]
    let share = moved as f64 / pairs.len() as f64;
    let severity = if share >= limits.moved_share {
        Some(Severity::Blocking)
    } else if share >= limits.moved_share_told {
        Some(Severity::Warning)
    } else {
        None
    };
    if let Some(severity) = severity {
        report.add(
            FindingKind::LayoutMoved,
            severity,
            page,
            ("", &format!("{moved} of {}", pairs.len())),
            &format!(
                "on a {} {moved} of {} things stand elsewhere",
                screen.as_str(),
                pairs.len()
            ),
        );
    }
    let (_, height) = screen.size();
    let first = &pairs[0];
    let down = first.now.y - first.then.y;
    if down > f64::from(height) * limits.pushed_down {
        report.add(
            FindingKind::PushedDown,
            Severity::Blocking,
            page,
            (
                &format!("{:.0} px", first.then.y),
                &format!("{:.0} px", first.now.y),
            ),
            &format!(
                "on a {} what the page begins with stands {down:.0} px further down",
                screen.as_str()
            ),
        );
    }
}

/// What stands still before and is found again, from top to bottom.
fn pairs(before: &[&Shot], after: &Shot) -> Vec<Moved> {
    let Some((first, others)) = before.split_first() else {
        return Vec::new();
    };
    let places = |shot: &Shot| -> BTreeMap<String, Area> {
        shot.anchors
            .iter()
            .map(|Anchor { key, area }| (key.clone(), *area))
            .collect()
    };
    let others: Vec<_> = others.iter().map(|shot| places(shot)).collect();
    let now = places(after);
    let is_still = |key: &String, area: &Area| {
        others.iter().all(|other| {
            other.get(key).is_some_and(|other| {
                (other.x - area.x).abs() <= STILL
                    && (other.y - area.y).abs() <= STILL
                    && (other.width - area.width).abs() <= STILL
            })
        })
    };
    let mut pairs: Vec<Moved> = places(first)
        .into_iter()
        .filter(|(key, area)| is_still(key, area))
        .filter_map(|(key, then)| {
            let now = *now.get(&key)?;
            Some(Moved { then, now })
        })
        .collect();
    pairs.sort_by(|one, other| {
        (one.then.y, one.then.x)
            .partial_cmp(&(other.then.y, other.then.x))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    pairs
}

/// How many of them stand elsewhere.
fn moved(pairs: &[Moved], screen: Screen, limits: &Thresholds) -> usize {
    let (width, _) = screen.size();
    let sideways = f64::from(width) * limits.moved_sideways;
    let down: Vec<f64> = pairs.iter().map(|pair| pair.now.y - pair.then.y).collect();
    pairs
        .iter()
        .enumerate()
        .filter(|(at, pair)| {
            let left = (pair.now.x - pair.then.x).abs();
            let right = (pair.now.x + pair.now.width - pair.then.x - pair.then.width).abs();
            let wider = (pair.now.width - pair.then.width).abs() / pair.then.width.max(1.0);
            // A longer text in its place keeps one of its sides.
            let is_elsewhere = left > sideways && right > sideways;
            let is_resized = wider > limits.moved_width && (left + right) > sideways;
            let from = at.saturating_sub(NEIGHBOURS);
            let to = (at + NEIGHBOURS + 1).min(down.len());
            let mut around = down[from..to].to_vec();
            around.sort_by(f64::total_cmp);
            let together = around[around.len() / 2];
            let against = (down[*at] - together).abs() > limits.moved_against_neighbours;
            is_elsewhere || is_resized || against
        })
        .count()
}

fn covered(report: &mut Report<'_>, page: &str, screen: Screen, before: &[&Shot], after: &[&Shot]) {
    if after.iter().all(|shot| shot.is_shut) && !before.iter().any(|shot| shot.is_shut) {
        report.add(
            FindingKind::Covered,
            Severity::Blocking,
            page,
            ("", "nothing of it can be used"),
            &format!(
                "on a {} something new lies over the page, and no link, button or field of the window can be reached",
                screen.as_str()
            ),
        );
        return;
    }
    let (width, height) = screen.size();
    let window = f64::from(width) * f64::from(height);
    let most = |shot: &&Shot| {
        shot.overlays
            .iter()
            .map(|area| area.width * area.height / window)
            .fold(0.0, f64::max)
    };
    let then = before.iter().map(most).fold(0.0, f64::max);
    let now = after.iter().map(most).fold(1.0, f64::min);
    if then < COVERS && now >= COVERS {
        report.add(
            FindingKind::Covered,
            Severity::Warning,
            page,
            ("", &format!("{:.0} %", now * 100.0)),
            &format!(
                "on a {} something new lies over {:.0} % of the window",
                screen.as_str(),
                now * 100.0
            ),
        );
    }
}
