//! What a clone is like inside, where no visitor looks: its schedule, and its options.

use crate::pipelines::{StageName, looking::BLOCKING};
use pressroom_store::NewFinding;
use pressroom_wordpress::bridge::{
    Action, Outcome, Report,
    outcomes::{BrokenOptions, Cron},
};
use std::collections::{BTreeMap, BTreeSet};

/// An update that brings so many more events of one hook has not scheduled its work, it has
/// filled the schedule: WordPress reads and writes all of it, in one row, at each of them.
const MANY: usize = 50;
/// So many more within one look are scheduled by page views or by each other.
const GROWN: usize = 10;
/// WordPress starts events at most once in so many seconds (`WP_CRON_LOCK_TIMEOUT`): what is to
/// run more often runs with every start, and the rest behind it.
const OFTEN_S: i64 = 60;
/// What is to run this often is a mistake of units.
const TOO_OFTEN_S: i64 = 10;

/// Events of one hook.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Events {
    count: usize,
    /// Seconds between two runs of the one that runs most often.
    every: Option<i64>,
}

/// The schedule at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Schedule(BTreeMap<String, Events>);

/// The schedule before and behind a look, and the options.
#[derive(Debug, Clone, Default)]
pub(super) struct Inside {
    first: Schedule,
    last: Schedule,
    broken: BTreeSet<String>,
}

/// What is asked for behind a look.
pub(super) fn questions() -> Vec<Action> {
    vec![Action::ListCron, Action::FindBrokenOptions]
}

impl Schedule {
    /// Out of what WordPress told; empty where it told nothing.
    pub(super) fn of(report: &Report) -> Self {
        let told = report.outcomes.iter().find_map(Outcome::read::<Cron>);
        let mut hooks: BTreeMap<String, Events> = BTreeMap::new();
        for event in told.into_iter().flat_map(|cron| cron.events) {
            let events = hooks.entry(event.hook).or_default();
            events.count += 1;
            if let Some(every) = event.interval_s {
                events.every = Some(events.every.map_or(every, |known| known.min(every)));
            }
        }
        Self(hooks)
    }

    fn hook(&self, hook: &str) -> Events {
        self.0.get(hook).copied().unwrap_or_default()
    }
}

impl Inside {
    /// The schedule from before the look, and what was told behind it.
    pub(super) fn of(first: Schedule, report: &Report) -> Self {
        let broken = report
            .outcomes
            .iter()
            .find_map(Outcome::read::<BrokenOptions>);
        Self {
            first,
            last: Schedule::of(report),
            broken: broken.into_iter().flat_map(|it| it.names).collect(),
        }
    }

    fn most(&self, hook: &str) -> usize {
        self.first.hook(hook).count.max(self.last.hook(hook).count)
    }

    fn grown(&self, hook: &str) -> usize {
        let (first, last) = (self.first.hook(hook), self.last.hook(hook));
        last.count.saturating_sub(first.count)
    }

    /// What is worse than before.
    pub(super) fn findings(&self, before: &Self) -> Vec<NewFinding> {
        let mut found = self.storms(before);
        let broken = self.broken.difference(&before.broken);
        found.extend(broken.map(|option| NewFinding {
            stage: StageName::Rehearsal.as_str().to_owned(),
            target: None,
            what: "option_broken".to_owned(),
            severity: BLOCKING.to_owned(),
            place: option.clone(),
            was: "it could be read".to_owned(),
            now: "it cannot be read".to_owned(),
            message: format!("the option `{option}` is stored as a PHP value that is none"),
        }));
        found
    }

    fn storms(&self, before: &Self) -> Vec<NewFinding> {
        let hooks: BTreeSet<&String> = self.first.0.keys().chain(self.last.0.keys()).collect();
        let mut found = Vec::new();
        for hook in hooks {
            let (was, is) = (before.most(hook), self.most(hook));
            let (grew, grows) = (before.grown(hook), self.grown(hook));
            let more = is.saturating_sub(was);
            let every = self.last.hook(hook).every;
            let newly = every.filter(|every| {
                let known = before.last.hook(hook).every;
                *every < OFTEN_S && known.is_none_or(|known| *every < known)
            });
            let (severity, text) = if grows >= GROWN && grows > 2 * grew {
                let text = format!("{grows} events `{hook}` were scheduled by looking at pages");
                (BLOCKING, text)
            } else if more >= MANY {
                (
                    BLOCKING,
                    format!("{more} more events `{hook}` are scheduled"),
                )
            } else if let Some(every) = newly {
                let severity = if every < TOO_OFTEN_S {
                    BLOCKING
                } else {
                    "warning"
                };
                (
                    severity,
                    format!("the event `{hook}` is to run every {every} s"),
                )
            } else {
                continue;
            };
            found.push(NewFinding {
                stage: StageName::Rehearsal.as_str().to_owned(),
                target: None,
                what: "cron_storm".to_owned(),
                severity: severity.to_owned(),
                place: hook.clone(),
                was: format!("{was} events"),
                now: format!("{is} events"),
                message: text,
            });
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(hooks: &[(&str, usize, Option<i64>)]) -> Schedule {
        let events = |(hook, count, every): &(&str, usize, Option<i64>)| {
            let (count, every) = (*count, *every);
            ((*hook).to_owned(), Events { count, every })
        };
        Schedule(hooks.iter().map(events).collect())
    }

    fn found(before: &Inside, after: &Inside) -> Vec<(String, String)> {
        let found = after.findings(before).into_iter();
        found.map(|found| (found.place, found.severity)).collect()
    }

    #[test]
    fn a_schedule_that_fills_up_is_told_from_one_that_is_used() {
        let of = |first, last| Inside {
            first,
            last,
            broken: BTreeSet::new(),
        };
        let before = of(
            schedule(&[("post", 3, None), ("mail", 20, None), ("own", 1, Some(5))]),
            schedule(&[("post", 3, None), ("mail", 60, None), ("own", 1, Some(5))]),
        );
        // More of the same, new recurring ones, and what grew and ran often before.
        let good = of(
            schedule(&[
                ("post", 9, None),
                ("mail", 60, None),
                ("daily", 1, Some(86_400)),
            ]),
            schedule(&[
                ("post", 12, None),
                ("mail", 99, None),
                ("own", 1, Some(5)),
                ("daily", 1, Some(86_400)),
                ("minute", 1, Some(60)),
            ]),
        );
        assert_eq!(found(&before, &good), []);
        let bad = of(
            schedule(&[("bulk", 51, None), ("view", 2, None)]),
            schedule(&[
                ("view", 30, None),
                ("second", 1, Some(1)),
                ("half", 1, Some(30)),
            ]),
        );
        let blocking = |hook: &str| (hook.to_owned(), BLOCKING.to_owned());
        assert_eq!(
            found(&before, &bad),
            [
                blocking("bulk"),
                ("half".to_owned(), "warning".to_owned()),
                blocking("second"),
                blocking("view")
            ]
        );
    }

    #[test]
    fn an_option_that_could_not_be_read_before_is_nobodys_fault() {
        let of = |names: &[&str]| Inside {
            broken: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Inside::default()
        };
        let told = found(&of(&["old"]), &of(&["old", "new"]));
        assert_eq!(told, [("new".to_owned(), BLOCKING.to_owned())]);
    }
}
