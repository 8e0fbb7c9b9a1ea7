//! Time zones, as policies and as sites name them.

use jiff::tz::{Offset, TimeZone};

/// The time zone of this name: `UTC`, one of the IANA database in any case, or an offset such
/// as `+05:30`.
pub(crate) fn zone(name: &str) -> Option<TimeZone> {
    if name == "UTC" {
        return Some(TimeZone::UTC);
    }
    if name.starts_with(['+', '-']) {
        return offset(name).map(TimeZone::fixed);
    }
    // `jiff` knows `Etc/Unknown`, which is none.
    TimeZone::get(name).ok().filter(|zone| !zone.is_unknown())
}

/// How a site's time zone is called by its options: a name wins over hours from UTC, as
/// `wp_timezone_string()` has it.
pub(crate) fn site_zone(timezone_string: Option<&str>, gmt_offset: Option<&str>) -> String {
    if let Some(name) = timezone_string.map(str::trim)
        && !name.is_empty()
        && zone(name).is_some()
    {
        return name.to_owned();
    }
    let hours: f64 = gmt_offset
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(0.0);
    // A quarter of an hour is the finest there is, and no place is further than this.
    let quarters = (hours * 4.0).round();
    if quarters.abs() < 0.5 || !(-60.0..=60.0).contains(&quarters) {
        return "UTC".to_owned();
    }
    #[expect(clippy::cast_possible_truncation, reason = "it is between -60 and 60")]
    let minutes = quarters as i32 * 15;
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.abs();
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

fn offset(text: &str) -> Option<Offset> {
    let (sign, rest) = text.split_at_checked(1)?;
    let (hours, minutes) = rest.split_once(':')?;
    let two = |part: &str| -> Option<i32> {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse().ok()).flatten()
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    if hours > 15 || minutes > 59 {
        return None;
    }
    let seconds = (hours * 60 + minutes) * 60;
    Offset::from_seconds(if sign == "-" { -seconds } else { seconds }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_known_by_name_and_by_offset() {
        for good in [
            "UTC",
            "Europe/Berlin",
            "europe/berlin",
            "+05:30",
            "-12:00",
            "America/St_Johns",
        ] {
            assert!(zone(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "Europe/Atlantis",
            "+5",
            "+99:00",
            "+05:3",
            "../etc/passwd",
            "Etc/Unknown",
        ] {
            assert!(zone(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_site_names_its_zone_or_its_hours() {
        assert_eq!(site_zone(Some("Europe/Berlin"), Some("5")), "Europe/Berlin");
        assert_eq!(site_zone(Some(""), Some("5.5")), "+05:30");
        assert_eq!(site_zone(Some(""), Some("-3.5")), "-03:30");
        assert_eq!(site_zone(Some("No/Where"), Some("5.75")), "+05:45");
        assert_eq!(site_zone(None, Some("0")), "UTC");
        assert_eq!(site_zone(None, Some("nonsense")), "UTC");
        assert_eq!(site_zone(None, Some("1e300")), "UTC");
        for hours in -48..=56 {
            let quarter = f64::from(hours) / 4.0;
            let name = site_zone(None, Some(&quarter.to_string()));
            assert!(zone(&name).is_some(), "{name}");
        }
    }
}
