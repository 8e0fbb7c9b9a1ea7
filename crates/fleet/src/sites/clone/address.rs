//! What names the source's address or directory, and must name the copy's.

use crate::{Error, Fleet, Result, readdress::Readdress};
use pressroom_base::Kind;
use pressroom_carrier::Session;
use pressroom_jobs::JobContext;
use pressroom_store::EnvironmentRow;
use pressroom_wordpress::{
    config::ConfigValue,
    database::{
        SiteFacts,
        replace::{ReplaceOptions, TextPair},
    },
};

/// Constants that hold a path of the site's address.
const PATHS: [&str; 4] = [
    "PATH_CURRENT_SITE",
    "COOKIEPATH",
    "SITECOOKIEPATH",
    "ADMIN_COOKIE_PATH",
];

/// How a copy's address and directory differ from its source's. Addresses have no slash
/// at their end.
pub(super) struct Change<'a> {
    pub(super) url: (&'a str, &'a str),
    pub(super) root: (&'a str, &'a str),
}

impl Change<'_> {
    /// The copy's address for one at or below the source's, with either scheme.
    pub(super) fn address(&self, text: &str) -> Option<String> {
        let (scheme, rest) = text.split_once("://")?;
        let web = ["http", "https"]
            .iter()
            .any(|name| scheme.eq_ignore_ascii_case(name));
        let rest = rest.strip_prefix(bare(self.url.0)?)?;
        let ends = rest.is_empty() || rest.starts_with(['/', '?', '#']);
        (web && ends).then(|| format!("{}{rest}", self.url.1))
    }

    /// A constant of the source's configuration as the copy has it; `None` for one that
    /// binds cookies to the source's domain.
    pub(super) fn constant(&self, name: &str, value: &ConfigValue) -> Option<ConfigValue> {
        let ConfigValue::Text(text) = value else {
            return Some(value.clone());
        };
        let changed = if name == "COOKIE_DOMAIN" {
            return text.is_empty().then(|| value.clone());
        } else if name == "DOMAIN_CURRENT_SITE" {
            host(self.url.0)
                .filter(|old| text.eq_ignore_ascii_case(old))
                .and_then(|_| host(self.url.1))
                .map(str::to_owned)
        } else if PATHS.contains(&name) {
            let (old, new) = (path(self.url.0), path(self.url.1));
            text.strip_prefix(old.as_str())
                .map(|rest| format!("{new}{rest}"))
        } else {
            self.address(text).or_else(|| self.directory(text))
        };
        Some(changed.map_or_else(|| value.clone(), ConfigValue::Text))
    }

    fn directory(&self, text: &str) -> Option<String> {
        let rest = text.strip_prefix(self.root.0)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| format!("{}{rest}", self.root.1))
    }

    /// What is replaced in the tables in turn: address and directory, then the scheme.
    fn runs(&self) -> Vec<Vec<TextPair>> {
        let (Some(old), Some(new)) = (bare(self.url.0), bare(self.url.1)) else {
            return Vec::new();
        };
        let address = Readdress {
            old: old.to_owned(),
            new: new.to_owned(),
        };
        let mut runs = vec![address.pairs(Some(self.root))];
        let scheme = |url: &str| url.split("://").next().unwrap_or_default().to_owned();
        let (before, now) = (scheme(self.url.0), scheme(self.url.1));
        if before != now {
            runs.push(vec![TextPair {
                old: format!("{before}://{new}"),
                new: format!("{now}://{new}"),
            }]);
        }
        runs
    }
}

/// Gives the copy's tables its address and its directory, and looks whether they have
/// them. `source` is what the source's tables say.
pub(super) async fn readdress(
    fleet: &Fleet,
    ctx: &JobContext,
    session: &Session,
    row: &EnvironmentRow,
    change: &Change<'_>,
    source: &SiteFacts,
) -> Result<()> {
    for (number, pairs) in change.runs().into_iter().enumerate() {
        let options = ReplaceOptions {
            pairs,
            run: format!("clone-{}-{number}", ctx.id()),
            ..ReplaceOptions::default()
        };
        let report = session
            .search_replace(Some(ctx.epoch()), fleet.site_ref(row), options)
            .await?;
        if report.failed > 0 || report.verified == Some(false) {
            return Err(Error::new(
                Kind::Remote,
                format!(
                    "the copy's tables still name the source: {} rows could not be written",
                    report.failed
                ),
            ));
        }
        ctx.line(format!(
            "{} texts in {} rows name the copy now",
            report.replacements, report.rows
        ));
        if report.broken > 0 {
            ctx.line(format!(
                "{} broken serialized values name the source and were left as they are",
                report.broken
            ));
        }
    }
    let now = session.read_site(&row.path, &[]).await?;
    for name in ["home", "siteurl"] {
        let expected = source
            .options
            .get(name)
            .map(|said| change.address(said).unwrap_or_else(|| said.clone()));
        if now.options.get(name) != expected.as_ref() {
            return Err(Error::new(
                Kind::Remote,
                format!("the option `{name}` of the copy is not its own address"),
            ));
        }
    }
    Ok(())
}

/// An address without its scheme.
fn bare(url: &str) -> Option<&str> {
    Some(url.split_once("://")?.1.trim_end_matches('/'))
}

/// Host and port of an address.
pub(super) fn host(url: &str) -> Option<&str> {
    bare(url)?.split('/').next()
}

/// The path of an address, with a slash at both ends.
fn path(url: &str) -> String {
    let below = bare(url).and_then(|bare| bare.split_once('/'));
    below.map_or_else(|| "/".to_owned(), |(_, path)| format!("/{path}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOWN: Change<'static> = Change {
        url: ("https://a.example", "http://b.example:81/copy"),
        root: ("/s/a/public_html", "/s/b/public_html/copy"),
    };

    #[test]
    fn addresses_and_directories_become_the_copys() {
        let changed = |name: &str, value: &str| match DOWN
            .constant(name, &ConfigValue::Text(value.to_owned()))
        {
            Some(ConfigValue::Text(text)) => text,
            other => format!("{other:?}"),
        };
        for (name, old, new) in [
            (
                "WP_HOME",
                "http://a.example/x",
                "http://b.example:81/copy/x",
            ),
            ("WP_HOME", "https://a.example", "http://b.example:81/copy"),
            ("LOG", "/s/a/public_html/log", "/s/b/public_html/copy/log"),
            ("DOMAIN_CURRENT_SITE", "A.example", "b.example:81"),
            ("PATH_CURRENT_SITE", "/", "/copy/"),
            ("COOKIE_DOMAIN", "", ""),
        ] {
            assert_eq!(changed(name, old), new, "{name}");
        }
        for same in [
            "http://a.example.org",
            "https://a.example:99",
            "ftp://a.example",
            "/s/a/public_html2",
            "256M",
        ] {
            assert_eq!(changed("ANY", same), same);
        }
        let bound = ConfigValue::Text(".a.example".to_owned());
        assert_eq!(DOWN.constant("COOKIE_DOMAIN", &bound), None);
        let number = ConfigValue::Int(7);
        assert_eq!(DOWN.constant("WP_HOME", &number), Some(number.clone()));
    }

    #[test]
    fn the_address_goes_first_then_its_scheme() {
        let runs = DOWN.runs();
        let pair = |run: usize, old: &str, new: &str| {
            runs[run]
                .iter()
                .any(|pair| pair.old == old && pair.new == new)
        };
        assert_eq!(runs.len(), 2);
        assert!(pair(0, "//a.example", "//b.example:81/copy"));
        assert!(pair(0, "/s/a/public_html/", "/s/b/public_html/copy/"));
        assert!(pair(
            1,
            "https://b.example:81/copy",
            "http://b.example:81/copy"
        ));
        let same = Change {
            url: ("http://a.example/x", "http://a.example"),
            ..DOWN
        };
        assert_eq!(same.runs().len(), 1);
        assert_eq!(
            (path(same.url.0), path(same.url.1)),
            ("/x/".into(), "/".into())
        );
    }
}
