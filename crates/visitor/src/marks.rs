//! What PHP and WordPress print when something went wrong, in any kind of answer.

use crate::html::short;
use pressroom_providers::probe::{FATAL_MARKERS, MAINTENANCE_MARKER};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Messages that are kept of a page.
const KEPT: usize = 10;
/// What PHP calls what it does not die of, as it prints it into a page.
const NOTICES: [&str; 4] = ["warning", "notice", "deprecated", "strict standards"];
/// How a database says that it did not understand or is not there.
const DATABASE: [&str; 3] = [
    "error establishing a database connection",
    "wordpress database error:",
    "you have an error in your sql syntax",
];
/// Deaths that are told without PHP's own mark-up, as with `html_errors` off.
const PLAIN_DEATHS: [&str; 4] = [
    "\nfatal error: ",
    "\nparse error: ",
    "allowed memory size of ",
    "maximum execution time of ",
];
const HEADERS_SENT: &str = "headers already sent by";

/// Signs of trouble in a page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Marks {
    /// What PHP died of.
    pub fatal: Option<String>,
    /// What the database said.
    pub database: Option<String>,
    /// Whether WordPress says it is in maintenance.
    pub maintenance: bool,
    /// Notices and warnings that are shown, without paths and lines.
    pub notices: BTreeSet<String>,
    /// Whether headers could not be sent any more.
    pub headers_sent: bool,
    /// What stands before the page begins.
    pub before: Option<String>,
}

impl Marks {
    /// Reads them off a body.
    pub fn of(body: &[u8], is_html: bool) -> Self {
        let text = String::from_utf8_lossy(body);
        let lower = text.to_ascii_lowercase();
        let line = |at: usize| {
            let rest = &text[at..];
            let line = rest.trim_start().lines().next().unwrap_or_default();
            short(&without_tags(line), 200)
        };
        let database = DATABASE
            .iter()
            .find_map(|marker| lower.find(marker))
            .map(line);
        let fatal = FATAL_MARKERS
            .iter()
            .filter(|marker| !DATABASE.contains(marker))
            .find_map(|marker| lower.find(marker))
            .or_else(|| plain_death(&lower))
            .map(line);
        Self {
            fatal,
            database,
            maintenance: lower.contains(MAINTENANCE_MARKER),
            notices: notices(&text, &lower),
            headers_sent: lower.contains(HEADERS_SENT),
            before: is_html.then(|| before(&text, &lower)).flatten(),
        }
    }
}

/// PHP names the file it died in; a page that is about such errors rarely does.
fn plain_death(lower: &str) -> Option<usize> {
    PLAIN_DEATHS.iter().find_map(|marker| {
        let at = lower.find(marker)?;
        let line = lower[at..].trim_start().lines().next()?;
        (line.contains(".php") && line.contains(" on line ")).then_some(at)
    })
}

fn notices(text: &str, lower: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for kind in NOTICES {
        for marker in [format!("<b>{kind}</b>:"), format!("\n{kind}: ")] {
            let mut from = 0;
            while let Some(at) = lower[from..].find(&marker).map(|at| at + from) {
                from = at + marker.len();
                let line = text[at..].trim_start().lines().next().unwrap_or_default();
                let plain = without_tags(line);
                // ` in /path/to/file.php on line 12`: it moves with every release.
                let Some(place) = plain.rfind(" in ").filter(|_| plain.contains(" on line "))
                else {
                    continue;
                };
                if found.len() < KEPT {
                    found.insert(short(&plain[..place], 160));
                }
            }
        }
    }
    found
}

/// Text that stands before the doctype: PHP said something before the page began.
fn before(text: &str, lower: &str) -> Option<String> {
    let begins = lower.find("<!doctype").or_else(|| lower.find("<html"))?;
    let before = without_tags(&without_comments(&text[..begins]));
    let before = before.trim_matches(|sign: char| sign.is_whitespace() || sign == '\u{feff}');
    (!before.is_empty()).then(|| short(before, 160))
}

fn without_comments(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((left, comment)) = rest.split_once("<!--") {
        plain.push_str(left);
        rest = comment.split_once("-->").map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    plain
}

fn without_tags(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((left, tagged)) = rest.split_once('<') {
        plain.push_str(left);
        let (tag, after) = tagged.split_once('>').unwrap_or((tagged, ""));
        // Paragraphs must not run into each other.
        if matches!(tag.trim_start_matches('/').as_bytes(), [b'p' | b'P', ..])
            && !plain.ends_with(' ')
        {
            plain.push(' ');
        }
        rest = after;
    }
    plain.push_str(rest);
    plain.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(body: &str) -> Marks {
        Marks::of(body.as_bytes(), true)
    }

    #[test]
    fn deaths_are_known_however_they_are_told() {
        for (body, fatal) in [
            (
                "<p>There has been a critical error on this website.</p>",
                "There has been a critical error on this website.",
            ),
            (
                "<br />\n<b>Fatal error</b>:  Uncaught Error: x in <b>/a.php</b>",
                "Fatal error:  Uncaught Error: x in /a.php",
            ),
            (
                "x\nParse error: syntax error in /a.php on line 3",
                "Parse error: syntax error in /a.php on line 3",
            ),
            (
                "Allowed memory size of 41943040 bytes exhausted in /a.php on line 3",
                "Allowed memory size of 41943040 bytes exhausted in /a.php on line 3",
            ),
        ] {
            assert_eq!(marks(body).fatal.as_deref(), Some(fatal), "{body}");
        }
        for body in [
            "<p>How to mend a fatal error: look at the log</p>",
            "Allowed memory size of PHP is 128 MB",
            "\nFatal error: a novel",
        ] {
            assert_eq!(marks(body), Marks::default(), "{body}");
        }
        let database = marks("<h1>Error establishing a database connection</h1>");
        assert!(database.database.is_some() && database.fatal.is_none());
        assert!(
            marks("<div id='error'><p class=\"wpdberror\"><strong>WordPress database error:</strong> [x]")
                .database
                .is_some()
        );
    }

    #[test]
    fn notices_are_told_without_where_they_are() {
        let page = "<br />\n<b>Warning</b>:  Undefined variable $a in <b>/x/y.php</b> on line <b>7</b><br />\n\
                    \nNotice: Trying in haste in /x/z.php on line 12\n<b>Warning</b>: wet paint<!DOCTYPE html><html>";
        let marks = marks(page);
        assert_eq!(
            marks.notices.into_iter().collect::<Vec<_>>(),
            ["Notice: Trying in haste", "Warning:  Undefined variable $a",]
        );
        assert!(marks.before.unwrap().starts_with("Warning:"));
    }

    #[test]
    fn what_stands_before_a_page_is_seen() {
        for clean in [
            "<!DOCTYPE html><html>",
            "\u{feff}\n <!-- a cache's mark --><html>",
            "<?xml version=\"1.0\"?><!DOCTYPE html>",
            "no page at all",
        ] {
            assert_eq!(marks(clean).before, None, "{clean}");
        }
        assert_eq!(
            marks("array(1)<!DOCTYPE html>").before.as_deref(),
            Some("array(1)")
        );
        let sent = marks(
            "<b>Warning</b>:  Cannot modify header information - headers already sent by (output started at /a.php:1) in <b>/b.php</b> on line <b>2</b>",
        );
        assert!(sent.headers_sent);
    }
}
