//! How long PHP gets fixes.

use pressroom_base::Timestamp;
use time::{Date, macros::date};

/// The last day on which each series gets security fixes, as php.net tells it
/// (`/supported-versions.php`, read in November 2026).
const SUPPORTED: [(u32, u32, Date); 10] = [
    (7, 0, date!(2019 - 01 - 10)),
    (7, 1, date!(2019 - 12 - 01)),
    (7, 2, date!(2020 - 11 - 30)),
    (7, 3, date!(2021 - 12 - 06)),
    (7, 4, date!(2022 - 11 - 28)),
    (8, 0, date!(2023 - 11 - 26)),
    (8, 1, date!(2025 - 12 - 31)),
    (8, 2, date!(2026 - 12 - 31)),
    (8, 3, date!(2027 - 12 - 31)),
    (8, 4, date!(2028 - 12 - 31)),
];

/// How a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Support {
    /// It gets fixes up to and with this day.
    Until(Date),
    /// It has had none since this day.
    Ended(Date),
    /// It is older than the table.
    Ancient,
    /// It is newer than the table: nothing is known.
    Unknown,
}

/// How a version stands on a day; `None` for what is no version.
pub(super) fn support(version: &str, at: Timestamp) -> Option<Support> {
    let mut parts = version.split('.');
    let major: u32 = parts.next()?.parse().ok()?;
    let minor: u32 = parts.next()?.parse().ok()?;
    let today = at.to_datetime().date();
    let known = SUPPORTED
        .iter()
        .find(|(known_major, known_minor, _)| (*known_major, *known_minor) == (major, minor));
    Some(match known {
        Some((_, _, last)) if today <= *last => Support::Until(*last),
        Some((_, _, last)) => Support::Ended(*last),
        None if (major, minor) < (SUPPORTED[0].0, SUPPORTED[0].1) => Support::Ancient,
        None => Support::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_ends_after_its_last_day() {
        let at = |year, month, day| {
            let date = Date::from_calendar_date(year, month, day).unwrap();
            Timestamp::from_millis(date.midnight().assume_utc().unix_timestamp() * 1000)
        };
        let last = at(2026, time::Month::December, 31);
        let after = at(2027, time::Month::January, 1);
        assert!(matches!(support("8.2.29", last), Some(Support::Until(_))));
        assert!(matches!(support("8.2.29", after), Some(Support::Ended(_))));
        assert_eq!(support("5.6.40", last), Some(Support::Ancient));
        assert_eq!(support("9.0.0", last), Some(Support::Unknown));
        for bad in ["", "8", "x.y"] {
            assert_eq!(support(bad, last), None, "{bad}");
        }
    }
}
