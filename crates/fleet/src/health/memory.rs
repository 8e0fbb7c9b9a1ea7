//! What a look means, given those before it (contract `wporchestrix.md` §8). Nothing here
//! asks or writes anything.

use super::finding::{Contact, Finding};
use pressroom_base::Timestamp;
use pressroom_providers::lookout::Records;
use pressroom_store::{CheckStatus, SiteStatus};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Looks that must fail before a site is down: one may be bad luck.
const FAILURES: u32 = 2;
/// Looks that must be slow before a site is.
const SLOW: u32 = 3;
/// How long a site must be out of our reach before that is told.
const LOST: Duration = Duration::from_hours(6);
/// Between two attempts to reach a site, and two closer looks at one that needs them.
const HOURLY: Duration = Duration::from_hours(1);

/// What is remembered of a site.
#[expect(clippy::struct_excessive_bools, reason = "independent of one another")]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Memory {
    /// Looks that failed, in a row.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) failures: u32,
    /// When the first of them was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failing_since: Option<Timestamp>,
    /// Looks that were slow, in a row.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) slow: u32,
    /// Whether a look ever went well.
    pub(crate) known: bool,
    /// Whether it is down.
    pub(crate) down: bool,
    /// Whether the last closer look found something to look after.
    pub(crate) standing: bool,
    /// Since when we cannot reach it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lost_at: Option<Timestamp>,
    /// Whether that was told.
    pub(crate) disconnected: bool,
    /// When we last tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contact_at: Option<Timestamp>,
    /// What the name last led to, and when that was looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) records: Option<Records>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) records_at: Option<Timestamp>,
    /// The detail of the last look, and of the last closer one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) light_detail: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) full_detail: Option<i64>,
    /// What they looked like.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) light_print: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) full_print: String,
    /// The hour since 1970 of the last look that is kept.
    pub(crate) hour: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Something that has to be told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum News {
    /// It is down since then.
    Down { since: Timestamp },
    /// It is back.
    Recovered,
    /// It answers, and is out of our reach; why.
    Disconnected(&'static str),
    /// It is within our reach again.
    Connected,
    /// It has been slow, this time by this much.
    Degraded { ms: u64, limit: u64 },
    /// A closer look was made.
    Checked,
    /// One kind of its records changed.
    Dns {
        record: &'static str,
        before: Vec<String>,
        after: Vec<String>,
    },
}

/// What a look means.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judged {
    /// How the site is now.
    pub(crate) status: SiteStatus,
    /// What has to be told.
    pub(crate) news: Vec<News>,
    /// Whether the look is kept when others of its hour are removed.
    pub(crate) keep: bool,
}

impl Memory {
    /// What was remembered; what cannot be read is forgotten.
    pub(crate) fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// As it is written.
    pub(crate) fn written(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether it is time to look names up again.
    pub(crate) fn names_due(&self, now: Timestamp) -> bool {
        self.records_at.is_none_or(|at| at.plus(HOURLY) <= now)
    }

    /// Whether it is time to try to reach the site.
    pub(crate) fn contact_due(&self, now: Timestamp) -> bool {
        self.contact_at.is_none_or(|at| at.plus(HOURLY) <= now)
    }

    /// How soon the next closer look is due: a site that needs one waits no day to be
    /// seen well again.
    pub(crate) fn next_full(&self, usual: Duration) -> Duration {
        if self.standing {
            usual.min(HOURLY)
        } else {
            usual
        }
    }

    /// Takes a look into account. `was` is how the site was said to be.
    pub(crate) fn judge(
        &mut self,
        found: &Finding,
        was: SiteStatus,
        slow_ms: u64,
        now: Timestamp,
    ) -> Judged {
        let mut news = Vec::new();
        let keep = self.is_worth_keeping(found, now);
        self.names(found, now, &mut news);
        if found.excused.is_some() {
            // It says nothing about the site, neither good nor bad.
            return Judged {
                status: self.status(was, None),
                news,
                keep,
            };
        }
        let outside = found.seen_outside();
        if outside == CheckStatus::Failed {
            self.failures = self.failures.saturating_add(1);
            let since = *self.failing_since.get_or_insert(now);
            if self.failures >= FAILURES && self.known && !self.down {
                self.down = true;
                news.push(News::Down { since });
            }
        } else {
            self.failures = 0;
            self.failing_since = None;
            self.known = true;
            if std::mem::take(&mut self.down) {
                news.push(News::Recovered);
            }
        }
        if found.full {
            self.standing = found.seen_inside() != CheckStatus::Passed;
        }
        self.speed(found, slow_ms, &mut news);
        self.reach(found, outside != CheckStatus::Failed, now, &mut news);
        if found.full {
            news.push(News::Checked);
        }
        Judged {
            status: self.status(was, Some(outside)),
            news,
            keep,
        }
    }

    fn status(&self, was: SiteStatus, outside: Option<CheckStatus>) -> SiteStatus {
        // What it would be if nothing were remembered but this.
        let was = match was {
            SiteStatus::Paused if self.known => SiteStatus::Healthy,
            SiteStatus::Paused => SiteStatus::Pending,
            other => other,
        };
        if self.down {
            return SiteStatus::Down;
        }
        match outside {
            // The first failure is no verdict yet.
            Some(CheckStatus::Failed) | None => was,
            Some(_) if self.disconnected => SiteStatus::Disconnected,
            Some(CheckStatus::Warning) => SiteStatus::Degraded,
            Some(CheckStatus::Passed) if self.standing => SiteStatus::Degraded,
            Some(CheckStatus::Passed) => SiteStatus::Healthy,
        }
    }

    fn speed(&mut self, found: &Finding, slow_ms: u64, news: &mut Vec<News>) {
        let Some(ms) = found.http.response_ms else {
            return;
        };
        if ms <= slow_ms {
            self.slow = 0;
            return;
        }
        self.slow = self.slow.saturating_add(1);
        // Once, until it has been fast again.
        if self.slow == SLOW {
            news.push(News::Degraded { ms, limit: slow_ms });
        }
    }

    fn reach(&mut self, found: &Finding, answers: bool, now: Timestamp, news: &mut Vec<News>) {
        match found.contact {
            None => {}
            Some(Contact::There) => {
                self.contact_at = Some(now);
                self.lost_at = None;
                if std::mem::take(&mut self.disconnected) {
                    news.push(News::Connected);
                }
            }
            Some(Contact::Lost(why)) => {
                self.contact_at = Some(now);
                let since = *self.lost_at.get_or_insert(now);
                if answers && !self.disconnected && since.plus(LOST) <= now {
                    self.disconnected = true;
                    news.push(News::Disconnected(why));
                }
            }
        }
    }

    fn names(&mut self, found: &Finding, now: Timestamp, news: &mut Vec<News>) {
        let Some(records) = &found.records else {
            return;
        };
        if let Some(last) = &self.records {
            for ((record, before), (_, after)) in last.kinds().into_iter().zip(records.kinds()) {
                if before != after {
                    news.push(News::Dns {
                        record,
                        before: before.to_vec(),
                        after: after.to_vec(),
                    });
                }
            }
        }
        self.records = Some(records.clone());
        self.records_at = Some(now);
    }

    /// What did not pass, what is not as it was, and one of each hour.
    fn is_worth_keeping(&mut self, found: &Finding, now: Timestamp) -> bool {
        let print = found.print();
        let last = if found.full {
            &mut self.full_print
        } else {
            &mut self.light_print
        };
        let changed = *last != print;
        *last = print;
        let hour = now.millis().div_euclid(3_600_000);
        let first = std::mem::replace(&mut self.hour, hour) != hour;
        changed || first || found.status() != CheckStatus::Passed
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Check, CheckName, Verdict, finding::Http};
    use super::*;
    use SiteStatus::{Degraded, Down, Healthy};

    const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn look(http: Verdict) -> Finding {
        Finding {
            checks: vec![Check::new(CheckName::Http, http, "x")],
            http: Http {
                status: Some(200),
                response_ms: Some(100),
                ttfb_ms: Some(50),
            },
            ..Finding::default()
        }
    }

    fn closer(inside: Verdict) -> Finding {
        let mut found = look(Verdict::Passed);
        found.full = true;
        found.checks.push(Check::new(CheckName::Disk, inside, "x"));
        found
    }

    /// What each look in a row leads to.
    fn course(looks: &[Finding], step: Duration) -> Vec<(SiteStatus, Vec<News>)> {
        let mut memory = Memory::default();
        let mut status = SiteStatus::Pending;
        let mut now = START;
        let mut seen = Vec::new();
        for look in looks {
            // As it is between two looks: written and read.
            memory = Memory::read(&memory.written());
            let judged = memory.judge(look, status, 3000, now);
            status = judged.status;
            seen.push((status, judged.news));
            now = now.plus(step);
        }
        seen
    }

    const SOON: Duration = Duration::from_mins(5);

    #[test]
    fn a_site_is_down_at_the_second_failure_and_back_at_the_first_success() {
        use Verdict::{Failed, Passed, Warning};
        let looks = [
            Passed, Failed, Passed, Failed, Failed, Failed, Warning, Passed,
        ]
        .map(look);
        let seen = course(&looks, SOON);
        let states: Vec<_> = seen.iter().map(|(status, _)| *status).collect();
        assert_eq!(
            states,
            [
                Healthy, Healthy, Healthy, Healthy, Down, Down, Degraded, Healthy
            ]
        );
        let news: Vec<_> = seen.into_iter().flat_map(|(_, news)| news).collect();
        let since = START.plus(SOON * 3);
        assert_eq!(news, [News::Down { since }, News::Recovered]);
    }

    #[test]
    fn what_never_answered_is_not_down_but_pending() {
        let seen = course(&[look(Verdict::Failed), look(Verdict::Failed)], SOON);
        assert!(
            seen.iter()
                .all(|(status, news)| *status == SiteStatus::Pending && news.is_empty())
        );
    }

    #[test]
    fn what_fails_while_somebody_works_there_counts_for_nothing() {
        let mut worked_on = look(Verdict::Failed);
        worked_on.excused = Some("an update is under way".into());
        let looks = [
            look(Verdict::Passed),
            look(Verdict::Failed),
            worked_on.clone(),
            worked_on,
            look(Verdict::Failed),
        ];
        let seen = course(&looks, SOON);
        assert_eq!(seen[3], (SiteStatus::Healthy, vec![]));
        assert_eq!(
            seen[4].0,
            SiteStatus::Down,
            "what was counted before it counts on"
        );
    }

    #[test]
    fn three_slow_looks_are_told_once() {
        let slow = |ms| {
            let mut found = look(Verdict::Passed);
            found.http.response_ms = Some(ms);
            found
        };
        let looks = [3001, 3001, 3000, 4000, 5000, 6000, 7000, 8000].map(slow);
        let seen = course(&looks, SOON);
        let told: Vec<_> = seen.into_iter().map(|(_, news)| news).collect();
        let degraded = News::Degraded {
            ms: 6000,
            limit: 3000,
        };
        assert_eq!(told[5], [degraded]);
        assert_eq!(told.iter().flatten().count(), 1);
    }

    #[test]
    fn a_site_out_of_reach_is_told_after_six_hours_if_it_answers() {
        let at = |contact, http| {
            let mut found = look(http);
            found.contact = Some(contact);
            found
        };
        let lost = || Contact::Lost("no_heartbeat");
        let mut looks: Vec<_> = (0..7).map(|_| at(lost(), Verdict::Passed)).collect();
        looks.push(look(Verdict::Passed));
        looks.push(at(Contact::There, Verdict::Passed));
        let seen = course(&looks, HOURLY);
        assert_eq!(seen[5], (SiteStatus::Healthy, vec![]));
        let told = vec![News::Disconnected("no_heartbeat")];
        assert_eq!(seen[6], (SiteStatus::Disconnected, told));
        assert_eq!(seen[7], (SiteStatus::Disconnected, vec![]));
        assert_eq!(seen[8], (SiteStatus::Healthy, vec![News::Connected]));
        // One that does not answer either is down, and that is told.
        let mut looks = vec![look(Verdict::Passed)];
        looks.extend((0..9).map(|_| at(lost(), Verdict::Failed)));
        let seen = course(&looks, HOURLY);
        assert!(
            seen.iter()
                .flat_map(|(_, news)| news)
                .all(|news| matches!(news, News::Down { .. }))
        );
    }

    #[test]
    fn what_a_closer_look_found_stands_until_the_next() {
        let looks = [
            closer(Verdict::Failed),
            look(Verdict::Passed),
            closer(Verdict::Skipped),
            look(Verdict::Passed),
        ];
        let seen = course(&looks, SOON);
        let states: Vec<_> = seen.iter().map(|(status, _)| *status).collect();
        assert_eq!(states, [Degraded, Degraded, Healthy, Healthy]);
        assert_eq!(seen[0].1, [News::Checked]);
    }

    #[test]
    fn changed_records_are_told_by_kind_and_the_first_are_not() {
        let of = |a: &[&str], ns: &[&str]| {
            let texts = |from: &[&str]| from.iter().map(|text| (*text).to_owned()).collect();
            let mut found = look(Verdict::Passed);
            found.records = Some(Records {
                a: texts(a),
                ns: texts(ns),
                ..Records::default()
            });
            found
        };
        let looks = [
            of(&["192.0.2.1"], &["ns"]),
            of(&["192.0.2.1"], &["ns"]),
            look(Verdict::Passed),
            of(&["192.0.2.2"], &["ns"]),
        ];
        let seen = course(&looks, HOURLY);
        assert!(seen[..3].iter().all(|(_, news)| news.is_empty()));
        let changed = News::Dns {
            record: "A",
            before: vec!["192.0.2.1".into()],
            after: vec!["192.0.2.2".into()],
        };
        assert_eq!(seen[3].1, [changed]);
    }

    #[test]
    fn one_look_an_hour_is_kept_and_all_that_are_unlike() {
        let mut memory = Memory::default();
        let kept: Vec<_> = [
            (0, Verdict::Passed),
            (5, Verdict::Passed),
            (10, Verdict::Warning),
            (15, Verdict::Warning),
            (20, Verdict::Passed),
            (25, Verdict::Passed),
            (65, Verdict::Passed),
        ]
        .map(|(minutes, verdict)| {
            let now = START.plus(Duration::from_mins(minutes));
            memory
                .judge(&look(verdict), SiteStatus::Healthy, 3000, now)
                .keep
        })
        .into();
        assert_eq!(kept, [true, false, true, true, true, false, true]);
    }
}
