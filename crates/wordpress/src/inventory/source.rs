//! Who may know of a component's newer versions, by WordPress' `Update URI` rule.

use crate::kind::ComponentKind;
use serde::{Deserialize, Serialize};

/// Who may know of a newer version.
///
/// Without an `Update URI` it is the repository that WordPress asks. That is all a
/// header can say: a plugin that carries its vendor's updater without one cannot be
/// told from it on disk, and is known only by the repository not having it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", content = "host", rename_all = "snake_case")]
pub enum UpdateSource {
    /// wordpress.org, or whatever stands in for it.
    Repository,
    /// Only code of the component itself, which asks this host. Without running it
    /// nothing is known, least of all that there is no update.
    Vendor(String),
    /// Nobody: `Update URI: false`, must-use plugins, drop-ins.
    Nobody,
    /// It cannot be told.
    #[default]
    Unknown,
}

impl UpdateSource {
    /// By what a component's header says. WordPress takes the host of the address and
    /// asks whoever filters `update_plugins_HOST`; wordpress.org answers for a
    /// component only where the address is its own page there.
    pub(super) fn of(kind: ComponentKind, slug: &str, update_uri: &str) -> Self {
        let uri = update_uri.trim();
        if slug.contains('/') {
            // A theme in a directory of themes: the repository knows it by another name.
            return Self::Unknown;
        }
        if matches!(uri, "" | "0") {
            return Self::Repository;
        }
        if uri.eq_ignore_ascii_case("false") {
            return Self::Nobody;
        }
        let rest = match uri.split_once("://") {
            Some((scheme, rest)) if is_web(scheme) => rest,
            // Any other scheme is no address to WordPress.
            Some(_) => return Self::Nobody,
            None if uri.contains(':') || uri.starts_with(['/', '#', '?']) => return Self::Nobody,
            None => uri,
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let host = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        let host = host.split(':').next().unwrap_or_default();
        if host.is_empty() {
            return Self::Nobody;
        }
        let host = host.to_ascii_lowercase();
        let own = match (host.as_str(), kind) {
            ("wordpress.org", ComponentKind::Plugin) => "plugins",
            ("w.org", ComponentKind::Plugin) => "plugin",
            ("wordpress.org", ComponentKind::Theme) => "themes",
            ("w.org", ComponentKind::Theme) => "theme",
            _ => return Self::Vendor(host),
        };
        let page = path.trim_matches('/').split_once('/');
        if page.is_some_and(|(what, of)| what == own && of.eq_ignore_ascii_case(slug)) {
            Self::Repository
        } else {
            Self::Nobody
        }
    }

    /// Whether the repository's silence means that there is nothing newer.
    pub fn repository_answers(&self) -> bool {
        matches!(self, Self::Repository)
    }
}

fn is_web(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn follows_the_header() {
        let vendor = |host: &str| UpdateSource::Vendor(host.into());
        for (uri, expected) in [
            ("", UpdateSource::Repository),
            (
                "https://wordpress.org/plugins/shop/",
                UpdateSource::Repository,
            ),
            (
                "https://WordPress.org/plugins/shop",
                UpdateSource::Repository,
            ),
            ("w.org/plugin/shop", UpdateSource::Repository),
            ("https://wordpress.org/plugins/other/", UpdateSource::Nobody),
            ("https://wordpress.org/themes/shop/", UpdateSource::Nobody),
            ("false", UpdateSource::Nobody),
            ("FALSE", UpdateSource::Nobody),
            ("https://example.com/shop", vendor("example.com")),
            ("http://user@Example.com:8080?x", vendor("example.com")),
            ("example.com/x", vendor("example.com")),
            ("my-own-id", vendor("my-own-id")),
            ("ftp://example.com/", UpdateSource::Nobody),
            ("mailto:me@example.com", UpdateSource::Nobody),
            ("https://", UpdateSource::Nobody),
            (
                "https://wordpress.org.example.com/plugins/shop/",
                vendor("wordpress.org.example.com"),
            ),
        ] {
            assert_eq!(
                UpdateSource::of(ComponentKind::Plugin, "shop", uri),
                expected,
                "for {uri}"
            );
        }
        assert_eq!(
            UpdateSource::of(
                ComponentKind::Theme,
                "paper",
                "https://wordpress.org/themes/paper/"
            ),
            UpdateSource::Repository
        );
        assert_eq!(
            UpdateSource::of(ComponentKind::Theme, "a/b", ""),
            UpdateSource::Unknown
        );
    }

    proptest! {
        #[test]
        fn only_its_own_page_is_the_repositorys(uri in "\\PC{0,40}") {
            let source = UpdateSource::of(ComponentKind::Plugin, "shop", &uri);
            if source == UpdateSource::Repository {
                let trimmed = uri.trim();
                prop_assert!(matches!(trimmed, "" | "0") || trimmed.to_ascii_lowercase().contains("w.org/plugin/shop")
                    || trimmed.to_ascii_lowercase().contains("wordpress.org/plugins/shop"));
            }
        }
    }
}
