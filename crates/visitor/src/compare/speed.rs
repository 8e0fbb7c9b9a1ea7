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
    let by_contract = factor(now, then) > limits.slow_factor && now > limits.slow_ms;
    // With several looks on both sides the fastest are compared: what the machine does besides
    // makes some slow, never all.
    let enough = before.len() >= limits.slower_looks && after.len() >= limits.slower_looks;
    let (best_then, best_now) = if enough {
        (*best_then, *best_now)
    } else {
        (then, now)
    };
    let longer = best_now.saturating_sub(best_then);
    let by_best =
        enough && factor(best_now, best_then) >= limits.slower_factor && longer >= limits.slower_ms;
    let told =
        factor(best_now, best_then) > limits.told_slower_factor && longer > limits.told_slower_ms;
    let (severity, then, now) = if by_best {
        (two.at_most(Severity::Blocking), best_then, best_now)
    } else if by_contract {
        (two.at_most(Severity::Blocking), then, now)
    } else if told {
        (Severity::Warning, best_then, best_now)
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
