//! Instants and spans as people say them.

use askama::{Template, filters::HtmlSafe};
use pressroom_base::Timestamp;

/// An instant, seen from now.
#[derive(Debug, Clone, Template)]
#[template(
    source = r#"<time datetime="{{ at.to_rfc3339() }}" title="{{ self.exact() }}">{{ self.relative() }}</time>"#,
    ext = "html"
)]
pub(crate) struct Moment {
    at: Timestamp,
    now: Timestamp,
}

// Its own template escapes.
impl HtmlSafe for Moment {}

impl Moment {
    pub(crate) const fn new(at: Timestamp, now: Timestamp) -> Self {
        Self { at, now }
    }

    fn exact(&self) -> String {
        self.at.to_rfc3339().replace('T', " ").replace('Z', " UTC")
    }

    fn relative(&self) -> String {
        let seconds = self.now.seconds() - self.at.seconds();
        let span = match seconds.abs() {
            0..=4 => return "just now".to_owned(),
            seconds => rough(seconds),
        };
        if seconds < 0 {
            format!("in {span}")
        } else {
            format!("{span} ago")
        }
    }
}

fn rough(seconds: i64) -> String {
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        86_400..2_592_000 => (seconds / 86_400, "day"),
        2_592_000..31_536_000 => (seconds / 2_592_000, "month"),
        _ => (seconds / 31_536_000, "year"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// How long something took, e.g. `1 min 12 s`.
pub(crate) fn span(from: Timestamp, to: Timestamp) -> String {
    let millis = (to.millis() - from.millis()).max(0);
    let seconds = millis / 1_000;
    match seconds {
        0 => format!("{millis} ms"),
        1..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_instants_as_people_do() {
        let now = Timestamp::from_millis(1_779_100_765_000);
        let ago = |seconds: i64| {
            Moment::new(Timestamp::from_millis(now.millis() - seconds * 1_000), now).relative()
        };
        assert_eq!(ago(2), "just now");
        assert_eq!(ago(60), "1 minute ago");
        assert_eq!(ago(7_300), "2 hours ago");
        assert_eq!(ago(-86_400), "in 1 day");
        assert_eq!(
            Moment::new(now, now).to_string(),
            r#"<time datetime="2026-05-18T10:39:25Z" title="2026-05-18 10:39:25 UTC">just now</time>"#
        );
    }

    #[test]
    fn says_spans_in_two_units() {
        let at = |millis| Timestamp::from_millis(millis);
        assert_eq!(span(at(0), at(400)), "400 ms");
        assert_eq!(span(at(0), at(72_000)), "1 min 12 s");
        assert_eq!(span(at(0), at(3_720_000)), "1 h 2 min");
        assert_eq!(span(at(5), at(0)), "0 ms");
    }
}
