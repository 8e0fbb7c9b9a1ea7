//! Stretches of local time in which sites may be updated.
//!
//! A window is in the time of the clocks at the site. Where these leave an hour out, a window
//! that would begin or end within begins or ends when the clocks go on. Where they repeat one,
//! the first of both is meant: a window is open once, and without a break.

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime, Weekday},
    tz::{AmbiguousOffset, TimeZone},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Day {
    /// All, from Monday.
    pub const ALL: [Self; 7] = [
        Self::Mon,
        Self::Tue,
        Self::Wed,
        Self::Thu,
        Self::Fri,
        Self::Sat,
        Self::Sun,
    ];

    /// As programs call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mon => "mon",
            Self::Tue => "tue",
            Self::Wed => "wed",
            Self::Thu => "thu",
            Self::Fri => "fri",
            Self::Sat => "sat",
            Self::Sun => "sun",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|day| day.as_str() == text)
    }

    const fn of(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

/// A time of day, in minutes after midnight; 1440 is the end of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Minute(u16);

impl Minute {
    fn parse(text: &str) -> Option<Self> {
        let (hours, minutes) = text.split_once(':')?;
        let number = |part: &str| -> Option<u16> {
            let digits =
                (1..=2).contains(&part.len()) && part.bytes().all(|it| it.is_ascii_digit());
            digits.then(|| part.parse().ok()).flatten()
        };
        let (hours, minutes) = (number(hours)?, number(minutes)?);
        let all = hours * 60 + minutes;
        (minutes < 60 && all <= DAY).then_some(Self(all))
    }

    fn on(self, date: Date) -> Option<DateTime> {
        let (date, minutes) = if self.0 == DAY {
            (date.tomorrow().ok()?, 0)
        } else {
            (date, self.0)
        };
        let (hour, minute) = (i8::try_from(minutes / 60), i8::try_from(minutes % 60));
        Some(date.at(hour.ok()?, minute.ok()?, 0, 0))
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl Serialize for Minute {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Minute {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a time of day"))
    }
}

/// A stretch of local time on some days of the week. One that ends at the time it begins, or
/// before, ends on the day after. As text: `sat,sun 22:00-04:00`, `mon-fri 01:00-05:00`; without
/// days it is all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The days on which it begins, from Monday, each once.
    days: Vec<Day>,
    /// When it begins, as `HH:MM`.
    from: Minute,
    /// When it ends, as `HH:MM`; `24:00` is the end of the day.
    to: Minute,
}

impl Window {
    /// Reads the text of one; what is wrong with it, in a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{}` is no window: write it as `22:00-04:00`, `sat,sun 22:00-04:00` or \
                 `mon-fri 01:00-05:00`",
                text.chars().take(60).collect::<String>().escape_debug()
            )
        };
        let lower = text.trim().to_ascii_lowercase();
        let (days, times) = match lower.rsplit_once(char::is_whitespace) {
            Some((days, times)) => (days.trim(), times),
            None => ("", lower.as_str()),
        };
        let (from, to) = times.split_once('-').ok_or_else(wrong)?;
        let (from, to) = (Minute::parse(from), Minute::parse(to));
        let (Some(from), Some(to)) = (from, to) else {
            return Err(wrong());
        };
        if from.0 == DAY {
            return Err(wrong());
        }
        let days = if days.is_empty() {
            Day::ALL.to_vec()
        } else {
            read_days(days).ok_or_else(wrong)?
        };
        Ok(Self { days, from, to })
    }

    /// When it is open that begins on this day of the calendar; `None` where it does not, or
    /// where the clocks leave all of it out.
    fn on(&self, date: Date, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
        if !self.days.contains(&Day::of(date.weekday())) {
            return None;
        }
        let until = if self.to <= self.from {
            date.tomorrow().ok()?
        } else {
            date
        };
        let start = instant(self.from.on(date)?, zone)?;
        let end = instant(self.to.on(until)?, zone)?;
        (start < end).then_some((start, end))
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.days.len() < Day::ALL.len() {
            let names: Vec<_> = self.days.iter().map(|day| day.as_str()).collect();
            write!(f, "{} ", names.join(","))?;
        }
        write!(f, "{}-{}", self.from, self.to)
    }
}

/// Days such as `mon-fri,sun`; `fri-mon` goes over the end of the week.
fn read_days(text: &str) -> Option<Vec<Day>> {
    let mut days = Vec::new();
    for part in text.split(',') {
        let part = part.trim();
        if let Some((first, last)) = part.split_once('-') {
            let (first, last) = (Day::parse(first.trim())?, Day::parse(last.trim())?);
            let mut all = Day::ALL.into_iter().cycle().skip_while(|day| *day != first);
            loop {
                let day = all.next()?;
                days.push(day);
                if day == last {
                    break;
                }
            }
        } else {
            days.push(Day::parse(part)?);
        }
    }
    days.sort_unstable();
    days.dedup();
    Some(days)
}

/// An instant in the words of the calendar.
pub(super) fn instant_of(at: pressroom_base::Timestamp) -> Timestamp {
    let limits = Timestamp::MIN.as_millisecond()..=Timestamp::MAX.as_millisecond();
    let millis = at.millis().clamp(*limits.start(), *limits.end());
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The other way.
pub(crate) fn timestamp(at: Timestamp) -> pressroom_base::Timestamp {
    pressroom_base::Timestamp::from_millis(at.as_millisecond())
}

/// Whether sites may be updated at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Openness {
    /// They may; until then, where it ends.
    Open(Option<Timestamp>),
    /// They may from then on, if ever.
    Closed(Option<Timestamp>),
}

/// Whether one of these windows is open; always where there is none.
pub(crate) fn openness(windows: &[Window], zone: &TimeZone, now: Timestamp) -> Openness {
    if windows.is_empty() {
        return Openness::Open(None);
    }
    let today = zone.to_datetime(now).date();
    let mut open: Option<Timestamp> = None;
    let mut next: Option<Timestamp> = None;
    // A window lasts a day at most; a day more, for zones that leave one out. One that is wholly
    // within an hour left out comes again a week later.
    for ahead in -2..=15 {
        let Ok(date) = today.checked_add(i64::from(ahead).days()) else {
            continue;
        };
        for (start, end) in windows.iter().filter_map(|window| window.on(date, zone)) {
            if start <= now && now < end {
                open = open.max(Some(end));
            } else if start > now {
                next = Some(next.map_or(start, |next| next.min(start)));
            }
        }
    }
    if open.is_some() {
        Openness::Open(open)
    } else {
        Openness::Closed(next)
    }
}

/// When the clocks show this: for the first time where they do twice, and when they go on where
/// they never do.
fn instant(at: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(at);
    match ambiguous.offset() {
        AmbiguousOffset::Gap { after, .. } => {
            let early = after.to_timestamp(at).ok()?;
            Some(zone.following(early).next()?.timestamp())
        }
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => {
            ambiguous.earlier().ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policies::zone;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn state(window: &str, zone_name: &str, now: &str) -> Openness {
        let window = Window::parse(window).unwrap();
        openness(&[window], &zone(zone_name).unwrap(), at(now))
    }

    /// Opens and closes at these instants, and is closed around them.
    fn is_open(window: &str, zone_name: &str, from: &str, until: &str) {
        let second = 1.second();
        let (from, until) = (at(from), at(until));
        let says = |now| {
            let windows = [Window::parse(window).unwrap()];
            openness(&windows, &zone(zone_name).unwrap(), now)
        };
        assert_eq!(
            says(from),
            Openness::Open(Some(until)),
            "{window} {zone_name}"
        );
        assert_eq!(says(until - second), Openness::Open(Some(until)));
        assert_eq!(says(from - second), Openness::Closed(Some(from)));
        assert!(matches!(says(until), Openness::Closed(Some(next)) if next > until));
    }

    #[test]
    fn windows_are_read_and_written() {
        for (text, written) in [
            ("22:00-04:00", "22:00-04:00"),
            ("Sat,Sun  22:00-4:00", "sat,sun 22:00-04:00"),
            ("mon-fri 01:00-05:00", "mon,tue,wed,thu,fri 01:00-05:00"),
            ("fri-mon 00:00-24:00", "mon,fri,sat,sun 00:00-24:00"),
            ("mon-sun 0:00-24:00", "00:00-24:00"),
        ] {
            let window = Window::parse(text).unwrap();
            assert_eq!(window.to_string(), written);
            let json = serde_json::to_value(&window).unwrap();
            assert_eq!(serde_json::from_value::<Window>(json).unwrap(), window);
        }
        for bad in [
            "",
            "22:00",
            "25:00-26:00",
            "24:00-01:00",
            "xyz 1:00-2:00",
            "1:60-2:00",
            "mon",
            "+1:00-2:00",
        ] {
            assert!(Window::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_ordinary_night() {
        is_open(
            "tue 01:00-05:00",
            "UTC",
            "2026-06-02T01:00:00Z",
            "2026-06-02T05:00:00Z",
        );
        // Over midnight it belongs to the day on which it begins.
        is_open(
            "tue 22:00-04:00",
            "Europe/Berlin",
            "2026-06-02T20:00:00Z",
            "2026-06-03T02:00:00Z",
        );
        is_open(
            "sun 22:00-22:00",
            "+05:30",
            "2026-06-07T16:30:00Z",
            "2026-06-08T16:30:00Z",
        );
        assert_eq!(
            openness(&[], &TimeZone::UTC, at("2026-06-02T01:00:00Z")),
            Openness::Open(None)
        );
    }

    #[test]
    fn berlin_in_spring_leaves_an_hour_out() {
        let zone = "Europe/Berlin";
        // 02:00 to 03:00 is not there on 29 March; it is 03:00 at 01:00Z.
        is_open(
            "sun 02:30-05:00",
            zone,
            "2026-03-29T01:00:00Z",
            "2026-03-29T03:00:00Z",
        );
        is_open(
            "sun 01:00-02:30",
            zone,
            "2026-03-29T00:00:00Z",
            "2026-03-29T01:00:00Z",
        );
        is_open(
            "sat 22:00-04:00",
            zone,
            "2026-03-28T21:00:00Z",
            "2026-03-29T02:00:00Z",
        );
        // All of it is left out: it comes a week later.
        let night = state("sun 02:00-03:00", zone, "2026-03-29T00:59:00Z");
        assert_eq!(night, Openness::Closed(Some(at("2026-04-05T00:00:00Z"))));
    }

    #[test]
    fn berlin_in_autumn_has_an_hour_twice_and_counts_it_once() {
        let zone = "Europe/Berlin";
        is_open(
            "sun 02:15-02:45",
            zone,
            "2026-10-25T00:15:00Z",
            "2026-10-25T00:45:00Z",
        );
        assert_eq!(
            state("sun 02:15-02:45", zone, "2026-10-25T01:20:00Z"),
            Openness::Closed(Some(at("2026-11-01T01:15:00Z")))
        );
        is_open(
            "sun 02:00-03:00",
            zone,
            "2026-10-25T00:00:00Z",
            "2026-10-25T02:00:00Z",
        );
        is_open(
            "sun 01:30-02:30",
            zone,
            "2026-10-24T23:30:00Z",
            "2026-10-25T00:30:00Z",
        );
        is_open(
            "sat 22:00-04:00",
            zone,
            "2026-10-24T20:00:00Z",
            "2026-10-25T03:00:00Z",
        );
    }

    #[test]
    fn newfoundland_is_half_an_hour_aside() {
        let zone = "America/St_Johns";
        is_open(
            "sun 02:30-04:00",
            zone,
            "2026-03-08T05:30:00Z",
            "2026-03-08T06:30:00Z",
        );
        is_open(
            "sun 01:10-01:50",
            zone,
            "2026-11-01T03:40:00Z",
            "2026-11-01T04:20:00Z",
        );
    }

    #[test]
    fn lord_howe_goes_by_half_hours() {
        let zone = "Australia/Lord_Howe";
        // 02:00 to 02:30 is not there on 4 October.
        is_open(
            "sun 02:10-04:00",
            zone,
            "2026-10-03T15:30:00Z",
            "2026-10-03T17:00:00Z",
        );
        // 01:30 to 02:00 is there twice on 5 April.
        is_open(
            "sun 01:40-01:50",
            zone,
            "2026-04-04T14:40:00Z",
            "2026-04-04T14:50:00Z",
        );
        is_open(
            "sun 01:00-02:00",
            zone,
            "2026-04-04T14:00:00Z",
            "2026-04-04T15:30:00Z",
        );
    }

    #[test]
    fn a_day_that_an_island_left_out() {
        // Samoa went over the date line: 30 December 2011, a Friday, was not.
        let night = state("fri 01:00-05:00", "Pacific/Apia", "2011-12-30T09:00:00Z");
        assert!(matches!(night, Openness::Closed(Some(_))), "{night:?}");
    }

    proptest! {
        #[test]
        fn what_is_next_is_open_then_and_not_before(
            from in 0_u16..1440,
            to in 0_u16..=1440,
            day in 0_usize..7,
            seconds in 1_767_225_600_i64..1_798_761_600,
            name in prop::sample::select(vec![
                "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "UTC",
                "Pacific/Chatham", "Africa/Casablanca", "+05:45",
            ]),
        ) {
            let window = Window { days: vec![Day::ALL[day]], from: Minute(from), to: Minute(to) };
            prop_assert_eq!(Window::parse(&window.to_string()).unwrap(), window.clone());
            let windows = [window];
            let zone = zone(name).unwrap();
            let now = Timestamp::from_second(seconds).unwrap();
            match openness(&windows, &zone, now) {
                Openness::Open(until) => {
                    let until = until.unwrap();
                    prop_assert!(until > now && until.as_second() - now.as_second() <= 26 * 3600);
                    let still = matches!(openness(&windows, &zone, until), Openness::Open(_));
                    prop_assert!(!still);
                }
                Openness::Closed(next) => {
                    let next = next.unwrap();
                    prop_assert!(next > now);
                    let then = matches!(openness(&windows, &zone, next), Openness::Open(_));
                    prop_assert!(then);
                    let before = openness(&windows, &zone, next - 1.second());
                    prop_assert_eq!(before, Openness::Closed(Some(next)));
                    // Once a week, and a week later where the clocks leave it out.
                    prop_assert!(next.as_second() - now.as_second() <= 15 * 86_400);
                }
            }
        }
    }
}
