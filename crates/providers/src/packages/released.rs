//! Times as wordpress.org writes them.

use pressroom_base::Timestamp;
use time::{Date, Month, PrimitiveDateTime, Time};

/// Reads a time as wordpress.org writes it: `2026-11-13 3:04pm GMT` of plugins,
/// `2026-11-13 15:04:05` and `2026-11-13` of themes. A day alone is its end, so that nothing
/// counts as older than it is.
pub(super) fn release_time(text: &str) -> Option<Timestamp> {
    let mut words = text.split_ascii_whitespace();
    let mut numbers = words.next()?.split('-').map(str::parse::<u16>);
    let mut number = || numbers.next()?.ok();
    let (year, month, day) = (number()?, number()?, number()?);
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(i32::from(year), month, u8::try_from(day).ok()?).ok()?;
    let time = match words.next() {
        Some(time) => clock(time)?,
        None => Time::from_hms(23, 59, 59).ok()?,
    };
    let at = PrimitiveDateTime::new(date, time).assume_utc();
    Some(Timestamp::from_millis(at.unix_timestamp() * 1000))
}

/// Reads `PO-Revision-Date` as files of translations state it: `2024-04-02 20:12:41+0000`, or
/// without seconds. A time without a zone is of UTC.
pub(super) fn revision_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    // The date has dashes of its own.
    let (_, clock) = text.split_once(' ')?;
    let zone = text.len() - clock.len() + clock.find(['+', '-']).unwrap_or(clock.len());
    let at = release_time(text.get(..zone)?)?;
    let zone: &[u8] = text.get(zone..)?.as_bytes();
    let [sign, rest @ ..] = zone else {
        return Some(at);
    };
    let digits: String = rest
        .iter()
        .filter(|byte| byte.is_ascii_digit())
        .map(|byte| char::from(*byte))
        .collect();
    let number: i64 = (digits.len() == 4).then(|| digits.parse().ok())??;
    let ahead = (number / 100 * 60 + number % 100) * 60_000;
    let ahead = if *sign == b'-' { -ahead } else { ahead };
    Some(Timestamp::from_millis(at.millis() - ahead))
}

/// `15:04:05`, `15:04` or `3:04pm`.
fn clock(text: &str) -> Option<Time> {
    let lower = text.to_ascii_lowercase();
    let (time, half) = match (lower.strip_suffix("am"), lower.strip_suffix("pm")) {
        (Some(time), _) => (time, Some(0)),
        (_, Some(time)) => (time, Some(12)),
        _ => (lower.as_str(), None),
    };
    let mut numbers = time.split(':').map(str::parse::<u8>);
    let mut number = || numbers.next().transpose().ok();
    let (hour, minute, second) = (number()??, number()??, number()?.unwrap_or(0));
    let hour = match half {
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
        None => hour,
    };
    Time::from_hms(hour, minute, second).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_are_read_with_their_zone() {
        for (text, is) in [
            ("2024-04-02 20:12:41+0000", "2024-04-02T20:12:41"),
            ("2024-04-02 20:12+0200", "2024-04-02T18:12:00"),
            ("2024-04-02 20:12:41-03:30", "2024-04-02T23:42:41"),
            ("2024-04-02 20:12:41", "2024-04-02T20:12:41"),
        ] {
            let read = revision_time(text).map(Timestamp::to_rfc3339);
            let read = read.unwrap_or_default();
            assert!(read.starts_with(is), "{text}: {read}");
        }
        for bad in [
            "",
            "2024-04-02",
            "YEAR-MO-DA HO:MI+ZONE",
            "2024-04-02 20:12+2",
        ] {
            assert_eq!(revision_time(bad), None, "{bad}");
        }
    }

    #[test]
    fn times_are_read_as_they_are_written_there() {
        for (text, is) in [
            ("2026-11-13 3:04pm GMT", "2026-11-13T15:04:00"),
            ("2026-11-13 12:30am GMT", "2026-11-13T00:30:00"),
            ("2026-11-13 12:30pm GMT", "2026-11-13T12:30:00"),
            ("2026-11-13 15:04:05", "2026-11-13T15:04:05"),
            ("2026-11-13", "2026-11-13T23:59:59"),
        ] {
            let read = release_time(text).map(Timestamp::to_rfc3339);
            let read = read.unwrap_or_default();
            assert!(read.starts_with(is), "{text}: {read}");
        }
        for bad in [
            "",
            "yesterday",
            "2026-13-01",
            "2026-11-13 25:00",
            "2026-11-13 13:00pm",
            "2026-11",
        ] {
            assert_eq!(release_time(bad), None, "{bad}");
        }
    }
}
