//! What lists are narrowed by.

use pressroom_base::Timestamp;
use pressroom_dialect_http::{Call, Fault};
use time::{
    Date, OffsetDateTime, Time, format_description::well_known::Rfc3339, macros::format_description,
};

/// A parameter that says something.
pub fn given<'c>(call: &'c Call, name: &str) -> Result<Option<&'c str>, Fault> {
    Ok(call.query(name)?.filter(|text| !text.is_empty()))
}

/// A parameter that is one of some words; another one cannot be.
pub fn one_of<T>(call: &Call, name: &str, read: fn(&str) -> Option<T>) -> Result<Option<T>, Fault> {
    given(call, name)?
        .map(|text| {
            read(text).ok_or_else(|| Fault::Member {
                path: name.to_owned(),
                problem: "there is no such value".into(),
            })
        })
        .transpose()
}

/// A parameter that is a time, or a day in UTC, which begins or ends as `of_a_day` says.
pub fn instant(call: &Call, name: &str, of_a_day: Time) -> Result<Option<Timestamp>, Fault> {
    given(call, name)?
        .map(|text| {
            parse(text, of_a_day).ok_or_else(|| Fault::Member {
                path: name.to_owned(),
                problem: "expected a time like 2026-01-15T10:30:00Z".into(),
            })
        })
        .transpose()
}

/// A time in a body.
pub fn time(text: &str) -> Option<Timestamp> {
    parse(text, Time::MIDNIGHT)
}

/// A time, or a day in UTC.
fn parse(text: &str, of_a_day: Time) -> Option<Timestamp> {
    // A plus sign that was not encoded has become a blank.
    let text = text.replace(' ', "+");
    let day = || {
        let date = Date::parse(&text, format_description!("[year]-[month]-[day]")).ok()?;
        Some(OffsetDateTime::new_utc(date, of_a_day))
    };
    let at = OffsetDateTime::parse(&text, &Rfc3339).ok().or_else(day)?;
    let millis = i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok()?;
    Some(Timestamp::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_days_are_read() {
        let at = |text| parse(text, Time::MIDNIGHT).map(Timestamp::millis);
        assert_eq!(at("2026-01-15T10:30:00Z"), Some(1_768_473_000_000));
        assert_eq!(at("2026-01-15T11:30:00 01:00"), Some(1_768_473_000_000));
        assert_eq!(at("2026-01-15"), Some(1_768_435_200_000));
        for bad in ["", "yesterday", "2026-13-01", "2026-01-15T10:30", "17"] {
            assert_eq!(at(bad), None, "{bad}");
        }
    }
}
