//! Pages that take much longer.

use super::{Report, Two};
use crate::{
    finding::{FindingKind, Severity},
    impression::{PageKind, Seen},
};

/// A page is never faster than this, as far as factors are concerned, in milliseconds.
const FASTEST: u64 = 20;

pub(super) fn compare(report: &mut Report<'_>, two: &Two<'_>) {
    let limits = report.thresholds;
    if two.page.chosen.kind == PageKind::Cron {
        // It takes as long as what is due.
        return;
    }
    let before = times(two.before);
    let after = times(two.after);
    let (Some(then), Some(now)) = (middle(&before), middle(&after)) else {
        return;
    };
    let (Some(best_then), Some(best_now)) = (before.first(), after.first()) else {
        return;
    };
    let factor = |now: u64, then: u64| times_as_long(now, then.max(FASTEST));
    let enough = before.len() >= limits.slower_looks && after.len() >= limits.slower_looks;
    let by_contract = factor(now, then) > limits.slow_factor && now > limits.slow_ms;
    let by_best = enough
        && factor(*best_now, *best_then) >= limits.slower_factor
        && best_now.saturating_sub(*best_then) >= limits.slower_ms;
    // Of one look there is nothing better than itself; of several, one that was fast is enough.
    let (told_now, told_then) = if enough {
        (*best_now, *best_then)
    } else {
        (now, then)
    };
    let told = factor(told_now, told_then) > limits.told_slower_factor
        && told_now.saturating_sub(told_then) > limits.told_slower_ms;
    let severity = if by_contract || by_best {
        two.at_most(Severity::Blocking)
    } else if told {
        Severity::Warning
    } else {
        return;
    };
    report.add(
        FindingKind::Slower,
        severity,
        two.place(),
        (&format!("{then} ms"), &format!("{now} ms")),
        &format!(
            "takes {now} ms, before: {then} ms (the fastest of {}: {best_now} ms, before: {best_then} ms)",
            after.len()
        ),
);
}

/// How long answers took to begin, the fastest first.
fn times(looks: &[Seen]) -> Vec<u64> {
    let mut times: Vec<u64> = looks
        .iter()
        .filter(|seen| seen.has_answered())
        .map(|seen| seen.ttfb_ms)
        .collect();
    times.sort_unstable();
    times
}

fn middle(times: &[u64]) -> Option<u64> {
    times.get(times.len() / 2).copied()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of a request are far below 2^52"
)]
fn times_as_long(now: u64, then: u64) -> f64 {
    now as f64 / then as f64
}
