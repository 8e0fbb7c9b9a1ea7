//! Addresses as a site means them: what is its own, and what only differs by a version.

use crate::channel::UNSEEN;
use url::Url;

/// Addresses that are longer are cut: they are told, not followed.
const LONGEST: usize = 500;
/// Queries that say how fresh something is, not what it is.
const PASSING: [&str; 16] = [
    "ver",
    "v",
    "version",
    "t",
    "ts",
    "time",
    "timestamp",
    "cb",
    "rev",
    "hash",
    "cache",
    "nocache",
    "_",
    "_wpnonce",
    "nonce",
    UNSEEN,
];
/// Letters and digits in a row that may be a hash.
const HASH: usize = 6;

/// Where a site is, and by which names it calls itself.
#[derive(Debug, Clone)]
pub struct Home {
    url: Url,
    hosts: Vec<String>,
}

/// Where an address leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A path and query of the site.
    Own(String),
    /// Anywhere else: scheme, host and path.
    Foreign(String),
}

impl Place {
    /// As it is told.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Own(place) | Self::Foreign(place) => place,
        }
    }
}

impl Home {
    /// A site, and what else it is called: a clone's pages may name the site it is of.
    pub fn new(url: Url, also: &[String]) -> Self {
        let mut hosts: Vec<String> = also
            .iter()
            .map(|host| host.to_ascii_lowercase())
            .chain(host_of(&url))
            .collect();
        let bare: Vec<_> = hosts
            .iter()
            .map(|host| match host.strip_prefix("www.") {
                Some(bare) => bare.to_owned(),
                None => format!("www.{host}"),
            })
            .collect();
        hosts.extend(bare);
        Self { url, hosts }
    }

    /// The site's address.
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// The path the site is below, without a slash at its end.
    pub fn base(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    /// A path below the site's home as an address of its own.
    pub fn below(&self, path: &str) -> String {
        format!("{}/{}", self.base(), path.trim_start_matches('/'))
    }

    /// Whether this is the site itself.
    pub fn owns(&self, url: &Url) -> bool {
        matches!(url.scheme(), "http" | "https")
            && host_of(url).is_some_and(|host| self.hosts.contains(&host))
    }

    /// A path and query of the site as an address.
    pub fn join(&self, path_and_query: &str) -> Option<Url> {
        self.url.join(path_and_query).ok()
    }

    /// What a page at `from` means by `reference`.
    pub fn place(&self, from: &Url, reference: &str) -> Option<Place> {
        let reference = reference.trim();
        if reference.is_empty() || reference.starts_with("data:") {
            return None;
        }
        let url = from.join(reference).ok()?;
        Some(self.place_of(&url))
    }

    /// Where an address leads, without what only says how fresh it is.
    pub fn place_of(&self, url: &Url) -> Place {
        if self.owns(url) {
            return Place::Own(cut(&stable(url)));
        }
        let host = host_of(url).unwrap_or_default();
        Place::Foreign(cut(&format!("{}://{host}{}", url.scheme(), url.path())))
    }
}

/// Path and query as they are asked for, without the mark that passes caches.
pub fn asked(url: &Url) -> String {
    without(url, &[UNSEEN])
}

/// Path and query without what only says how fresh something is.
fn stable(url: &Url) -> String {
    without(url, &PASSING)
}

fn without(url: &Url, names: &[&str]) -> String {
    let Some(query) = url.query() else {
        return url.path().to_owned();
    };
    let kept: Vec<String> = query
        .split('&')
        .map(unmarked)
        .filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            !pair.is_empty() && !names.contains(&name)
                // `?1699999999`, as some write a version.
                && (names.len() == 1 || pair.contains('=') || !is_number(pair.as_str()))
        })
        .collect();
    if kept.is_empty() {
        url.path().to_owned()
    } else {
        format!("{}?{}", url.path(), kept.join("&"))
    }
}

/// A pair of a query without the mark, where that stands in its value: a login page is told
/// where its visitor came from.
fn unmarked(pair: &str) -> String {
    let mut text = pair.to_owned();
    for begin in ["%3F", "%26", "%3f"] {
        let mark = format!("{begin}{UNSEEN}%3D");
        while let Some(at) = text.find(&mark) {
            let rest = &text[at + mark.len()..];
            let end = rest.find('%').unwrap_or(rest.len());
            let end = at + mark.len() + end;
            text.replace_range(at..end, "");
        }
    }
    text
}

fn is_number(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// The place of a file whose name changes with its content: hashes, versions and other
/// numbers are `*`.
pub fn slot(place: &str) -> String {
    let mut slot = String::new();
    let mut word = String::new();
    for character in place.chars().chain(std::iter::once('/')) {
        if character.is_ascii_alphanumeric() {
            word.push(character);
            continue;
        }
        push_word(&mut slot, &word);
        word.clear();
        slot.push(character);
    }
    slot.pop();
    // `3.7.1` is one number.
    while slot.contains("*.*") {
        slot = slot.replace("*.*", "*");
    }
    slot
}

fn push_word(slot: &mut String, word: &str) {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let is_hash =
        digits > 0 && word.len() >= HASH && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    // Bundlers write hashes in letters of both cases and digits.
    let is_mixed = digits >= 2 && word.len() >= 8;
    if digits == word.len() && digits > 0 || is_hash || is_mixed {
        slot.push('*');
    } else {
        slot.push_str(word);
    }
}

fn host_of(url: &Url) -> Option<String> {
    let host = url.host_str()?.to_ascii_lowercase();
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host,
    })
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> Home {
        Home::new(
            "https://a.example/blog/".parse().unwrap(),
            &["live.example:8080".to_owned()],
        )
    }

    #[test]
    fn the_mark_goes_from_within_a_value_too() {
        let url = "https://a.example/wp-login.php?redirect_to=https%3A%2F%2Fa.example%2Fwp-admin%2F%3Fpressroom%3D00ff&reauth=1";
        let url = Url::parse(url).unwrap();
        assert_eq!(
            asked(&url),
            "/wp-login.php?redirect_to=https%3A%2F%2Fa.example%2Fwp-admin%2F&reauth=1"
        );
        assert_eq!(
            unmarked("to=%3Fa%3Db%26pressroom%3D12%26c"),
            "to=%3Fa%3Db%26c"
        );
    }

    #[test]
    fn a_site_knows_its_own() {
        let home = home();
        let from = home.join("/blog/post/").unwrap();
        for (reference, place) in [
            (
                "style.css?ver=6.5",
                Place::Own("/blog/post/style.css".into()),
            ),
            ("/a.js?x=1&v=2", Place::Own("/a.js?x=1".into())),
            ("/a.js?1699999999", Place::Own("/a.js".into())),
            ("//www.a.example/b", Place::Own("/b".into())),
            ("http://live.example:8080/c#d", Place::Own("/c".into())),
            (
                "http://live.example/c",
                Place::Foreign("http://live.example/c".into()),
            ),
            (
                "mailto:a@b.example",
                Place::Foreign("mailto://a@b.example".into()),
            ),
        ] {
            assert_eq!(home.place(&from, reference), Some(place), "{reference}");
        }
        assert_eq!(home.place(&from, "data:text/css,x"), None);
        assert_eq!(home.below("/wp-login.php"), "/blog/wp-login.php");
    }

    #[test]
    fn a_name_that_changes_with_its_content_keeps_its_slot() {
        for (one, other) in [
            ("/c/style-abc123.css", "/c/style-def456.css"),
            ("/jquery-3.7.1.min.js", "/jquery-3.8.min.js"),
            (
                "/c/autoptimize_d41d8cd98f.css",
                "/c/autoptimize_0cc175b9c0.css",
            ),
            ("/assets/index.BqX92kL0p.js", "/assets/index.C81mmQz4.js"),
        ] {
            assert_eq!(slot(one), slot(other), "{one}");
        }
        for (one, other) in [
            ("/c/style.css", "/c/print.css"),
            ("/c/facade.css", "/c/accede.css"),
            ("/a/style-abc123.css", "/b/style-abc123.css"),
        ] {
            assert_ne!(slot(one), slot(other), "{one}");
        }
        assert_eq!(slot("/a/style.css"), "/a/style.css");
    }
}
