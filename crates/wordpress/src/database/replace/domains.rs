//! Domains and paths in the tables of a network.

use super::options::TextPair;

/// How a network's `blogs.domain`, `blogs.path`, `site.domain` and `site.path` follow
/// addresses among the pairs.
///
/// These columns hold a bare domain and a path where pages hold a whole address, so
/// that replacing text would miss them (`http://old.example`) or hit too much
/// (`old.example` in `bold.example`). A pair whose old text is an address
/// (`https://old.example/path`, `//old.example`) or a bare host with a dot
/// (`old.example:8080`) speaks of a domain here:
///
/// - a row with exactly that domain, and a path at or below the pair's path, gets the
///   new domain, and the new path in place of the old one;
/// - a row with a domain below it (`shop.old.example`) gets the same label below the
///   new domain and keeps its path, if the pair has no path of its own;
/// - of several pairs an exact domain goes before one above it, a longer path before a
///   shorter one.
///
/// Letters of domains are compared without case, as WordPress does. Where no pair
/// speaks of the row's domain, pairs that are no address are replaced as plain text.
#[derive(Debug, Clone, Default)]
pub struct Domains {
    moves: Vec<Move>,
}

#[derive(Debug, Clone)]
struct Move {
    old: Place,
    new: Place,
}

/// A domain, with its port if any, and a path without its last slash.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    domain: String,
    path: String,
}

impl Domains {
    /// What the pairs say of domains.
    pub fn new(pairs: &[TextPair]) -> Self {
        let mut moves: Vec<Move> = pairs
            .iter()
            .filter_map(|pair| {
                let (old, new) = (place(&pair.old)?, place(&pair.new)?);
                Some(Move { old, new })
            })
            .collect();
        moves.sort_by_key(|a| std::cmp::Reverse((a.old.domain.len(), a.old.path.len())));
        Self { moves }
    }

    /// Whether a pair speaks of domains here, and not of plain text.
    pub fn speaks(pair: &TextPair) -> bool {
        place(&pair.old).is_some() && place(&pair.new).is_some()
    }

    /// Whether no pair speaks of domains.
    pub fn is_empty(&self) -> bool {
        self.moves.is_empty()
    }

    /// The new domain and path of a row; `None` when no pair speaks of it.
    pub fn moved(&self, domain: &str, path: &str) -> Option<(String, String)> {
        let low = domain.to_ascii_lowercase();
        for step in &self.moves {
            if step.old.domain == low
                && let Some(rest) = path.strip_prefix(step.old.path.as_str())
                && (rest.is_empty() || rest.starts_with('/'))
            {
                return Some((step.new.domain.clone(), format!("{}{rest}", step.new.path)));
            }
        }
        for step in &self.moves {
            if step.old.path.is_empty()
                && let Some(above) = low.strip_suffix(step.old.domain.as_str())
                && above.ends_with('.')
            {
                // The labels above as they were written.
                let above = domain.get(..above.len())?;
                return Some((format!("{above}{}", step.new.domain), path.to_owned()));
            }
        }
        None
    }
}

/// `scheme://host/path`, `//host/path`, or a bare `host` that has a dot or is
/// `localhost`.
fn place(text: &str) -> Option<Place> {
    let (rest, bare) = match text.split_once("//") {
        Some((scheme, rest)) => {
            let scheme = scheme.strip_suffix(':').unwrap_or(scheme);
            if !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return None;
            }
            (rest, false)
        }
        None => (text, true),
    };
    let (host, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let (name, port) = host.split_once(':').unwrap_or((host, "0"));
    let is_name = !name.is_empty()
        && !name.starts_with('.')
        && !name.ends_with('.')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let is_path = !path.contains(['?', '#', ' ', '"']);
    if !is_name || !is_port || !is_path || (bare && !name.contains('.') && name != "localhost") {
        return None;
    }
    Some(Place {
        domain: host.to_ascii_lowercase(),
        path: path.trim_end_matches('/').to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(pairs: &[(&str, &str)], domain: &str, path: &str) -> Option<(String, String)> {
        let pairs: Vec<TextPair> = pairs
            .iter()
            .map(|(old, new)| TextPair {
                old: (*old).into(),
                new: (*new).into(),
            })
            .collect();
        Domains::new(&pairs).moved(domain, path)
    }

    #[test]
    fn domains_follow_addresses() {
        let to = |domain: &str, path: &str| Some((domain.to_owned(), path.to_owned()));
        let one = [("http://old.test", "https://new.example")];
        assert_eq!(moved(&one, "old.test", "/"), to("new.example", "/"));
        assert_eq!(moved(&one, "Old.test", "/two/"), to("new.example", "/two/"));
        assert_eq!(moved(&one, "Two.old.test", "/"), to("Two.new.example", "/"));
        assert_eq!(moved(&one, "bold.test", "/"), None);
        assert_eq!(moved(&one, "old.test:8080", "/"), None);
        assert_eq!(
            moved(&[("old.test:8080", "new.example")], "old.test:8080", "/"),
            to("new.example", "/")
        );
        let deeper = [("http://old.test/a", "http://new.example"), one[0]];
        assert_eq!(
            moved(&deeper, "old.test", "/a/b/"),
            to("new.example", "/b/")
        );
        assert_eq!(
            moved(&deeper, "old.test", "/ab/"),
            to("new.example", "/ab/")
        );
        let down = [("//old.test/", "//new.example/network/")];
        assert_eq!(
            moved(&down, "old.test", "/two/"),
            to("new.example", "/network/two/")
        );
        for other in [
            "second",
            "http://a b",
            "mailto:a@old.test",
            "old.test?x",
            ".test",
            "",
        ] {
            assert_eq!(
                moved(&[(other, "new.example")], "old.test", "/"),
                None,
                "{other}"
            );
        }
    }
}
