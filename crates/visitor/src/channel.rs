//! How a request gets to a site and its answer back.

use async_trait::async_trait;
use pressroom_base::token;
use std::time::Duration;

/// What somebody has who is signed in, as far as a page cache can tell.
const SIGNED_IN: &str = "wordpress_logged_in_pressroom=no-cache; wp-settings-time-0=0";
/// The query that no cache has seen.
pub(crate) const UNSEEN: &str = "pressroom";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// A page.
    #[default]
    Get,
    /// Its head.
    Head,
    /// What a page's script sends while it loads.
    Post,
}

impl Method {
    /// As it is written in a request.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
        }
    }
}

/// One request to the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// What is asked for.
    pub method: Method,
    /// Path and query; it begins with `/`.
    pub path_and_query: String,
    /// Headers, without `Host`, which is the channel's.
    pub headers: Vec<(String, String)>,
    /// What is sent, for [`Method::Post`].
    pub body: Vec<u8>,
    /// Whether no cache may answer. The query and the headers that see to it are in the
    /// request already ([`Fetch::past_caches`]); a channel with a cache of its own heeds it.
    pub uncached: bool,
    /// Bytes of the body that are read at most, after any compression.
    pub limit: usize,
    /// Until the answer is complete.
    pub timeout: Duration,
}

impl Fetch {
    /// A page, as visitors ask for it.
    pub fn get(path_and_query: &str, limit: usize, timeout: Duration) -> Self {
        Self {
            method: Method::Get,
            path_and_query: path_and_query.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            uncached: false,
            limit,
            timeout,
        }
    }

    /// With one more header. Cookies are joined.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let known = self.headers.iter_mut().find(|(known, _)| {
            name.eq_ignore_ascii_case("cookie") && known.eq_ignore_ascii_case(name)
        });
        match known {
            Some((_, cookies)) if !value.is_empty() => {
                cookies.push_str("; ");
                cookies.push_str(value);
            }
            Some(_) => {}
            None => self.headers.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    /// The page as PHP makes it now: caches are passed by a query they have not seen and a
    /// cookie of somebody who is signed in.
    #[must_use]
    pub fn past_caches(mut self) -> Self {
        let mark = if self.path_and_query.contains('?') {
            '&'
        } else {
            '?'
        };
        self.path_and_query = format!("{}{mark}{UNSEEN}={}", self.path_and_query, token::hex(16));
        self.uncached = true;
        self.header("cache-control", "no-cache")
            .header("pragma", "no-cache")
            .header("cookie", SIGNED_IN)
    }
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fetched {
    /// HTTP status.
    pub status: u16,
    /// Headers, in their order; a name may come more than once.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed, as far as it was read.
    pub body: Vec<u8>,
    /// Whether there was more of it.
    pub cut: bool,
    /// Until the answer began.
    pub ttfb_ms: u64,
    /// Until the body was read.
    pub ms: u64,
}

impl Fetched {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// `Content-Type` in lower case, without its parameters.
    pub fn content_type(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        let kind = value.split(';').next().unwrap_or_default();
        kind.trim().to_ascii_lowercase()
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreachable {
    /// It is not asked at all: the address may not be asked, or this is no request.
    #[error("it is not asked: {0}")]
    Refused(String),
    /// Nothing answered.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// Nothing answered in time.
    #[error("no complete answer within {seconds} s")]
    Late {
        /// How long was waited.
        seconds: u64,
    },
}

/// A way to a site. It goes to the site and nowhere else, and follows no redirect.
#[async_trait]
pub trait Channel: Send + Sync {
    /// Sends one request and reads its answer within the request's limits.
    async fn fetch(&self, request: Fetch) -> Result<Fetched, Unreachable>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_are_passed_with_whatever_else_is_sent() {
        let fetch = Fetch::get("/x?a=1", 1, Duration::ZERO)
            .header("Cookie", "b=2")
            .past_caches();
        assert!(fetch.uncached);
        assert!(
            fetch.path_and_query.starts_with("/x?a=1&pressroom="),
            "{fetch:?}"
        );
        let cookies: Vec<_> = fetch
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("cookie"))
            .collect();
        assert_eq!(cookies.len(), 1);
        assert!(cookies[0].1.starts_with("b=2; wordpress_logged_in_"));
        let other = Fetch::get("/", 1, Duration::ZERO).past_caches();
        assert!(other.path_and_query.starts_with("/?pressroom="));
        assert_ne!(
            other.path_and_query,
            Fetch::get("/", 1, Duration::ZERO)
                .past_caches()
                .path_and_query
        );
    }
}
