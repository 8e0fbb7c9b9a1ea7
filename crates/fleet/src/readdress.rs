//! An address that takes another's place, wherever it is written whole.

use pressroom_wordpress::database::replace::TextPair;
use serde::{Deserialize, Serialize};

/// What may go on after a host's name and make another one of it.
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz0123456789";

/// Host and port, before and after: `old.example`, `new.example:8081`. In tables a path
/// may follow them, without a slash at its end: `old.example/blog`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Readdress {
    pub(crate) old: String,
    pub(crate) new: String,
}

impl Readdress {
    /// The address with the new host; `None` when it is on another one than the old.
    pub(crate) fn url(&self, url: &str) -> Option<String> {
        let (scheme, rest) = url.split_once("//")?;
        let rest = self.after(rest)?;
        Some(format!("{scheme}//{}{rest}", self.new))
    }

    /// Whether it is an address on the old host.
    pub(crate) fn is_old(&self, url: &str) -> bool {
        self.url(url).is_some()
    }

    /// A text with every address on the old host exchanged.
    pub(crate) fn text(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("//") {
            let (before, behind) = rest.split_at(at + 2);
            out.push_str(before);
            rest = behind;
            if let Some(after) = self.after(rest) {
                out.push_str(&self.new);
                rest = after;
            }
        }
        out.push_str(rest);
        out
    }

    /// A bare host as constants hold it, with or without its port and a leading dot.
    pub(crate) fn host(&self, host: &str) -> Option<String> {
        let name = host.strip_prefix('.').unwrap_or(host);
        let dot = &host[..host.len() - name.len()];
        if name.eq_ignore_ascii_case(&self.old) {
            return Some(format!("{dot}{}", self.new));
        }
        let bare = |full: &str| full.split(':').next().unwrap_or_default().to_owned();
        name.eq_ignore_ascii_case(&bare(&self.old))
            .then(|| format!("{dot}{}", bare(&self.new)))
    }

    /// What is replaced in tables: addresses with either scheme or none, and paths
    /// below the home when it is renamed. A text that becomes itself protects longer
    /// names: `//old.example.org` is nobody's business here.
    pub(crate) fn pairs(&self, home: Option<(&str, &str)>) -> Vec<TextPair> {
        let pair = |old: String, new: String| TextPair { old, new };
        let mut pairs = vec![pair(format!("//{}", self.old), format!("//{}", self.new))];
        let mut protect = |tail: String| {
            let longer = format!("//{}{tail}", self.old);
            pairs.push(pair(longer.clone(), longer));
        };
        if self.old.contains('/') {
            for letter in LETTERS.chars().chain(['-', '_']) {
                protect(letter.to_string());
            }
        } else if self.old.contains(':') {
            for digit in '0'..='9' {
                protect(digit.to_string());
            }
        } else {
            for letter in LETTERS.chars() {
                protect(letter.to_string());
                protect(format!(".{letter}"));
            }
            protect("-".to_owned());
            for digit in '0'..='9' {
                protect(format!(":{digit}"));
            }
        }
        if let Some((old, new)) = home {
            pairs.push(pair(format!("{old}/"), format!("{new}/")));
        }
        pairs
    }

    /// What follows the old host at the beginning of a text.
    fn after<'a>(&self, text: &'a str) -> Option<&'a str> {
        let rest = text.strip_prefix(self.old.as_str())?;
        let goes_on = if self.old.contains(':') {
            rest.starts_with(|next: char| next.is_ascii_digit())
        } else {
            let word = |next: char| next.is_ascii_alphanumeric();
            rest.starts_with(|next: char| word(next) || next == '-')
                || rest
                    .strip_prefix('.')
                    .is_some_and(|rest| rest.starts_with(word))
                || rest
                    .strip_prefix(':')
                    .is_some_and(|rest| rest.starts_with(|next: char| next.is_ascii_digit()))
        };
        (!goes_on).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(old: &str, new: &str) -> Readdress {
        Readdress {
            old: old.into(),
            new: new.into(),
        }
    }

    #[test]
    fn only_whole_hosts_are_exchanged() {
        let plain = change("old.example", "new.test:8081");
        let text = "http://old.example, //old.example/a https://old.example. http://old.example.org \
                    http://old.example:99/ http://bold.example http://old.examples http://a.old.example";
        assert_eq!(
            plain.text(text),
            "http://new.test:8081, //new.test:8081/a https://new.test:8081. http://old.example.org \
             http://old.example:99/ http://bold.example http://old.examples http://a.old.example"
        );
        let port = change("old.example:80", "new.test");
        assert_eq!(
            port.text("http://old.example:80/x http://old.example:8081 http://old.example"),
            "http://new.test/x http://old.example:8081 http://old.example"
        );
    }

    #[test]
    fn addresses_keep_scheme_and_path() {
        let plain = change("old.example", "new.test");
        assert_eq!(
            plain.url("https://old.example/blog").as_deref(),
            Some("https://new.test/blog")
        );
        for other in [
            "http://old.example.org",
            "http://x/old.example",
            "old.example",
        ] {
            assert_eq!(plain.url(other), None, "{other}");
        }
    }

    #[test]
    fn bare_hosts_follow() {
        let port = change("old.example:8081", "new.test:8082");
        assert_eq!(
            port.host("old.example:8081").as_deref(),
            Some("new.test:8082")
        );
        assert_eq!(port.host(".Old.example").as_deref(), Some(".new.test"));
        assert_eq!(port.host("other.example"), None);
        assert_eq!(port.host(""), None);
    }

    #[test]
    fn a_path_ends_where_a_longer_name_goes_on() {
        let pairs = change("old.example:8081/blog", "new.test").pairs(None);
        let is = |old: &str, new: &str| pairs.iter().any(|pair| pair.old == old && pair.new == new);
        assert!(is("//old.example:8081/blog", "//new.test"));
        assert!(is("//old.example:8081/blogs", "//old.example:8081/blogs"));
        assert!(is("//old.example:8081/blog-", "//old.example:8081/blog-"));
        assert!(!pairs.iter().any(|pair| pair.old.ends_with(['.', '/'])));
    }

    #[test]
    fn pairs_protect_longer_names_and_stay_few() {
        let pairs = change("old.example", "new.test").pairs(Some(("/s/old", "/s/new")));
        let is = |old: &str, new: &str| pairs.iter().any(|pair| pair.old == old && pair.new == new);
        assert!(is("//old.example", "//new.test"));
        assert!(is("//old.example.o", "//old.example.o"));
        assert!(is("//old.example:8", "//old.example:8"));
        assert!(is("/s/old/", "/s/new/"));
        // With their forms in JSON still few enough for the engine to look them through.
        assert!(pairs.len() * 2 < 200, "{}", pairs.len());
    }
}
