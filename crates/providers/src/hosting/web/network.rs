//! Networks of WordPress sites: addresses that no file answers because the site they
//! name is one of several that share the files.
//!
//! The rules are those that WordPress' own set-up page tells an operator to write down,
//! with two differences: what is rewritten is looked up once, not again and again, and
//! a WordPress of its own that lies below the network is never taken for one of its sites.

use super::{Network, WebSite};
use serde::Serialize;
use std::{fmt::Write, net::Ipv4Addr};

/// A path that is looked up as another one when there is no such file. Both as PCRE
/// and nginx read them.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Rewrite {
    /// The decoded path.
    pub from: String,
    /// What is looked up instead; a query after `?`, before the one that came.
    pub to: String,
}

/// What a site below a network may be called in an address.
const NAME: &str = "[_0-9a-zA-Z-]+";
/// WordPress' own directories.
const OWN: &str = "wp-(?:admin|content|includes)";

impl WebSite {
    /// Has the WordPress in this directory as a network, or as none.
    pub(super) fn set_network(&mut self, directory: &str, network: Option<Network>) {
        self.networks.retain(|known| known.directory != directory);
        self.networks.extend(network.map(|network| Network {
            directory: directory.to_owned(),
            ..network
        }));
        // One order for the same networks: the text of the server block is compared.
        self.networks
            .sort_by(|one, other| one.directory.cmp(&other.directory));
    }

    /// Any name below the domain, where one of its networks answers to such names.
    pub(in crate::hosting) fn wildcard(&self) -> Option<String> {
        let has_labels = self.domain.contains('.') && self.domain.parse::<Ipv4Addr>().is_err();
        let wanted = self.networks.iter().any(|network| network.subdomains);
        (wanted && has_labels).then(|| format!("*.{}", self.domain))
    }

    /// What is looked up instead of a file that is not there, in this order.
    pub(in crate::hosting) fn rewrites(&self) -> Vec<Rewrite> {
        let mut rewrites = Vec::new();
        for network in &self.networks {
            let base = match network.directory.as_str() {
                "" => String::new(),
                directory => format!("/{directory}"),
            };
            let at = base.replace('.', r"\.");
            let others = self.others_below(&network.directory);
            let below = format!("(?!{OWN}/{others}){NAME}/");
            if !network.subdomains {
                rewrites.push(Rewrite {
                    from: format!(r"^{at}/{below}({OWN}/.+|[^/]+\.php)$"),
                    to: format!("{base}/$1"),
                });
            }
            if network.files {
                let below = if network.subdomains {
                    String::new()
                } else {
                    format!("(?:{below})?")
                };
                rewrites.push(Rewrite {
                    from: format!("^{at}/{below}files/(.+)$"),
                    to: format!("{base}/wp-includes/ms-files.php?file=$1"),
                });
            }
        }
        rewrites
    }

    /// Directories in this one that hold a WordPress of their own, as further alternatives.
    fn others_below(&self, directory: &str) -> String {
        let mut others = String::new();
        for other in &self.subdirectories {
            let below = match directory {
                "" => Some(other.as_str()),
                _ => other
                    .strip_prefix(directory)
                    .and_then(|rest| rest.strip_prefix('/')),
            };
            if let Some(name) = below.filter(|name| !name.is_empty()) {
                let _infallible = write!(others, "|{}/", name.replace('.', r"\."));
            }
        }
        others
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(directory: &str, subdomains: bool, files: bool) -> Network {
        Network {
            directory: directory.into(),
            subdomains,
            files,
        }
    }

    #[test]
    fn a_single_site_has_no_rules_and_no_wildcard() {
        let site = WebSite::new("a.example", "/srv/a", None);
        assert_eq!(site.rewrites(), []);
        assert_eq!(site.wildcard(), None);
    }

    #[test]
    fn only_names_with_labels_below_them_get_a_wildcard() {
        for (domain, expected) in [
            ("a.example", Some("*.a.example")),
            ("localhost", None),
            ("127.0.0.1", None),
        ] {
            let mut site = WebSite::new(domain, "/srv/a", None);
            site.networks.push(network("", true, false));
            assert_eq!(site.wildcard().as_deref(), expected, "{domain}");
            site.networks[0].subdomains = false;
            assert_eq!(site.wildcard(), None);
        }
    }

    #[test]
    fn another_wordpress_below_the_network_is_none_of_its_sites() {
        let mut site = WebSite::new("a.example", "/srv/a", None);
        site.subdirectories = vec!["shop".into(), "v1.2".into(), "old/blog".into()];
        site.networks = vec![network("", false, true), network("old", false, false)];
        let rules: Vec<_> = site
            .rewrites()
            .into_iter()
            .map(|rule| (rule.from, rule.to))
            .collect();
        let own = "(?!wp-(?:admin|content|includes)/|shop/|v1\\.2/|old/blog/)[_0-9a-zA-Z-]+/";
        assert_eq!(
            rules,
            [
                (
                    format!(r"^/{own}(wp-(?:admin|content|includes)/.+|[^/]+\.php)$"),
                    "/$1".to_owned()
                ),
                (
                    format!("^/(?:{own})?files/(.+)$"),
                    "/wp-includes/ms-files.php?file=$1".to_owned()
                ),
                (
                    r"^/old/(?!wp-(?:admin|content|includes)/|blog/)[_0-9a-zA-Z-]+/(wp-(?:admin|content|includes)/.+|[^/]+\.php)$".to_owned(),
                    "/old/$1".to_owned()
                ),
            ]
        );
    }
}
