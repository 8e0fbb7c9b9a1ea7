//! Pages of lists (contract §1.2): a bare array, and headers that say where one is.

use axum::http::{HeaderName, HeaderValue, header, uri::Authority};
use pressroom_dialect_http::{Answer, Call, Fault};
use serde::Serialize;
use std::fmt::Write as _;

/// Rows of a page unless the request says otherwise.
const ROWS: u64 = 20;
/// Rows that it may ask for.
const MOST: u64 = 100;

/// The page that a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Counted from 1.
    number: u64,
    rows: u64,
}

impl Page {
    /// Reads `page` and `per_page`; what is no number, or none from 1 on, means the default.
    pub fn of(call: &Call) -> Result<Self, Fault> {
        let number = |name| Ok::<_, Fault>(call.query(name)?.and_then(positive));
        Ok(Self {
            number: number("page")?.unwrap_or(1),
            rows: number("per_page")?.unwrap_or(ROWS).min(MOST),
        })
    }

    /// Rows it has at most.
    pub const fn limit(self) -> u64 {
        self.rows
    }

    /// Rows before it; as many as a database can count.
    pub fn offset(self) -> u64 {
        (self.number - 1)
            .saturating_mul(self.rows)
            .min(i64::MAX as u64)
    }

    /// The answer: these rows of so many in all.
    pub fn answer<T: Serialize>(
        self,
        call: &Call,
        rows: &[T],
        total: u64,
    ) -> Result<Answer, Fault> {
        let last = total.div_ceil(self.rows).max(1);
        let mut answer = Answer::ok(&rows)?;
        let mut say = |name: &'static str, value: u64| {
            answer
                .headers
                .insert(HeaderName::from_static(name), value.into());
        };
        say("current-page", self.number);
        say("page-items", self.rows);
        say("total-pages", last);
        say("total-count", total);
        let links = self.links(&address(call), &call.target, last);
        // What cannot be said in a header is left out: the list is there all the same.
        if let Ok(value) = HeaderValue::from_str(&links) {
            answer.headers.insert(header::LINK, value);
        }
        Ok(answer)
    }

    /// The pages around this one.
    fn links(self, address: &str, target: &str, last: u64) -> String {
        let before = (self.number > 1).then(|| (self.number - 1).min(last));
        let after = (self.number < last).then(|| self.number + 1);
        let mut text = String::new();
        for (rel, page) in [
            ("first", Some(1)),
            ("prev", before),
            ("next", after),
            ("last", Some(last)),
        ] {
            let Some(page) = page else { continue };
            let comma = if text.is_empty() { "" } else { ", " };
            let target = with_page(target, page);
            let _ = write!(text, "{comma}<{address}{target}>; rel=\"{rel}\"");
        }
        text
    }
}

fn positive(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| *number > 0)
}

/// The same path and query at another page.
fn with_page(target: &str, page: u64) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let others = query
        .split('&')
        .filter(|pair| !pair.is_empty() && pair.split('=').next() != Some("page"));
    let mut query: Vec<String> = others.map(str::to_owned).collect();
    query.push(format!("page={page}"));
    // Neither belongs into an address undecoded, and both would end the link.
    format!("{path}?{}", query.join("&"))
        .replace('>', "%3E")
        .replace('<', "%3C")
}

/// What the client called us: a link must lead where it is.
fn address(call: &Call) -> String {
    match call.header("host").parse::<Authority>() {
        Ok(host) => format!("{}://{host}", call.fleet.public_scheme()),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_keep_the_query_and_leave_out_what_is_not_there() {
        let page = |number, rows| Page { number, rows };
        assert_eq!(
            page(2, 20).links("http://h", "/a?page=2&q=x%20y&per_page=20", 3),
            "<http://h/a?q=x%20y&per_page=20&page=1>; rel=\"first\", \
             <http://h/a?q=x%20y&per_page=20&page=1>; rel=\"prev\", \
             <http://h/a?q=x%20y&per_page=20&page=3>; rel=\"next\", \
             <http://h/a?q=x%20y&per_page=20&page=3>; rel=\"last\""
        );
        assert_eq!(
            page(1, 20).links("", "/a", 1),
            "</a?page=1>; rel=\"first\", </a?page=1>; rel=\"last\""
        );
        // Past the end there is no next, and the one before is the last.
        let far = page(u64::MAX, 100);
        assert!(far.links("", "/a", 2).contains("</a?page=2>; rel=\"prev\""));
        assert!(!far.links("", "/a", 2).contains("next"));
        assert_eq!(far.offset(), i64::MAX as u64);
        assert_eq!(with_page("/a?x=>", 1), "/a?x=%3E&page=1");
    }

    #[test]
    fn numbers_are_from_one_on() {
        for text in ["", "0", "-1", "x", "1.5", "99999999999999999999999"] {
            assert_eq!(positive(text), None, "{text}");
        }
        assert_eq!(positive("7"), Some(7));
    }
}
