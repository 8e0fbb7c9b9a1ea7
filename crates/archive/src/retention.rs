//! Which snapshots have had their time.

use pressroom_base::Timestamp;
use serde::{Deserialize, Serialize};
use std::{collections::HashSet, hash::Hash, time::Duration};

/// What is kept. A snapshot stays while any rule wants it; without a rule about age or
/// number nothing ever expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rules {
    /// Keep so many of the newest.
    pub keep_last: Option<u32>,
    /// Keep what is younger than so many days.
    pub keep_days: Option<u32>,
    /// Keep so many of the newest that were verified, however old.
    pub keep_verified: u32,
}

/// A snapshot, as far as its expiry goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aging<Id> {
    /// Which it is.
    pub id: Id,
    /// When it was made.
    pub created: Timestamp,
    /// It was read back whole since.
    pub verified: bool,
}

/// Those that may go now, the oldest first. The order of `list`, which is all the
/// snapshots of one environment, does not matter; of two made at the same instant the
/// one with the greater id counts as newer.
pub fn expired<Id: Clone + Ord + Hash>(
    list: &[Aging<Id>],
    rules: &Rules,
    now: Timestamp,
) -> Vec<Id> {
    if rules.keep_last.is_none() && rules.keep_days.is_none() {
        return Vec::new();
    }
    let mut newest_first: Vec<&Aging<Id>> = list.iter().collect();
    newest_first.sort_by(|one, other| (other.created, &other.id).cmp(&(one.created, &one.id)));
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let mut kept: HashSet<&Id> = newest_first
        .iter()
        .take(count(rules.keep_last.unwrap_or(0)))
        .map(|aging| &aging.id)
        .collect();
    if let Some(days) = rules.keep_days {
        let since = now.minus(Duration::from_hours(24).saturating_mul(days));
        kept.extend(
            newest_first
                .iter()
                .filter(|aging| aging.created > since)
                .map(|aging| &aging.id),
        );
    }
    kept.extend(
        newest_first
            .iter()
            .filter(|aging| aging.verified)
            .take(count(rules.keep_verified))
            .map(|aging| &aging.id),
    );
    newest_first
        .into_iter()
        .rev()
        .filter(|aging| !kept.contains(&aging.id))
        .map(|aging| aging.id.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: i64 = 86_400_000;
    const NOW: Timestamp = Timestamp::from_millis(1_000 * DAY);

    fn aging(id: u32, days: i64, verified: bool) -> Aging<u32> {
        Aging {
            id,
            created: Timestamp::from_millis(NOW.millis() - days * DAY),
            verified,
        }
    }

    #[test]
    fn a_rule_keeps_what_it_says() {
        let list = [
            aging(1, 40, true),
            aging(2, 30, false),
            aging(3, 20, false),
            aging(4, 10, false),
        ];
        let with = |keep_last, keep_days, keep_verified| {
            let rules = Rules {
                keep_last,
                keep_days,
                keep_verified,
            };
            expired(&list, &rules, NOW)
        };
        assert_eq!(with(None, None, 0), [0_u32; 0]);
        assert_eq!(with(None, None, 1), [0_u32; 0]);
        assert_eq!(with(Some(2), None, 0), [1, 2]);
        assert_eq!(with(Some(2), None, 1), [2]);
        assert_eq!(with(None, Some(25), 0), [1, 2]);
        assert_eq!(with(Some(1), Some(25), 1), [2]);
        assert_eq!(with(Some(0), None, 0), [1, 2, 3, 4]);
    }

    fn lists() -> impl Strategy<Value = Vec<Aging<u32>>> {
        proptest::collection::vec((0_i64..60, any::<bool>()), 0..25).prop_map(|snapshots| {
            snapshots
                .into_iter()
                .zip(0..)
                .map(|((days, verified), id)| aging(id, days, verified))
                .collect()
        })
    }

    fn rules() -> impl Strategy<Value = Rules> {
        (
            proptest::option::of(0_u32..8),
            proptest::option::of(0_u32..50),
            0_u32..4,
        )
            .prop_map(|(keep_last, keep_days, keep_verified)| Rules {
                keep_last,
                keep_days,
                keep_verified,
            })
    }

    proptest! {
        #[test]
        fn nothing_goes_that_a_rule_wants(list in lists(), rules in rules()) {
            let gone = expired(&list, &rules, NOW);
            let mut left: Vec<_> = list.iter().filter(|one| !gone.contains(&one.id)).collect();
            left.sort_by_key(|one| (one.created, one.id));
            prop_assert_eq!(left.len() + gone.len(), list.len());
            // As many as are to stay did, and they are newer than all that went.
            let last = rules.keep_last.unwrap_or(0) as usize;
            prop_assert!(left.len() >= last.min(list.len()));
            for id in &gone {
                let one = list.iter().find(|one| one.id == *id).expect("from the list");
                let newer = left.iter().filter(|kept| (kept.created, kept.id) > (one.created, one.id));
                prop_assert!(newer.count() >= last);
                if let Some(days) = rules.keep_days {
                    prop_assert!(NOW.millis() - one.created.millis() >= i64::from(days) * DAY);
                }
                if one.verified {
                    let newer = left.iter().filter(|kept| kept.verified && (kept.created, kept.id) > (one.created, one.id));
                    prop_assert!(newer.count() >= rules.keep_verified as usize);
                }
            }
            let verified = list.iter().filter(|one| one.verified).count();
            let still = left.iter().filter(|one| one.verified).count();
            prop_assert!(still >= verified.min(rules.keep_verified as usize));
        }

        #[test]
        fn what_no_rule_wants_goes_once_and_oldest_first(list in lists(), rules in rules()) {
            let gone = expired(&list, &rules, NOW);
            let left: Vec<_> = list.iter().filter(|one| !gone.contains(&one.id)).cloned().collect();
            prop_assert!(expired(&left, &rules, NOW).is_empty());
            let age = |id: &u32| list.iter().find(|one| one.id == *id).map(|one| (one.created, one.id));
            prop_assert!(gone.is_sorted_by_key(age));
            let most = rules.keep_last.unwrap_or(0) as usize + rules.keep_verified as usize;
            if rules.keep_days.is_none() && rules.keep_last.is_some() {
                prop_assert!(left.len() <= most);
            }
        }

        #[test]
        fn order_does_not_matter_and_time_only_adds(list in lists(), rules in rules(), later in 0_i64..90) {
            let gone = expired(&list, &rules, NOW);
            let mut turned = list.clone();
            turned.reverse();
            prop_assert_eq!(&expired(&turned, &rules, NOW), &gone);
            let then = expired(&list, &rules, Timestamp::from_millis(NOW.millis() + later * DAY));
            prop_assert!(gone.iter().all(|id| then.contains(id)));
        }
    }
}
