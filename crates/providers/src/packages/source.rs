//! Where packages come from, and what a source says it has.

use super::{Error, Result, WordPressOrg, directory::Directory, distribution::Distribution};
use serde::{Deserialize, Serialize};
use std::{fmt, path::PathBuf};
use url::Url;

/// What a package contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageKind {
    /// WordPress itself; its slug is `wordpress`.
    Core,
    /// A plugin.
    Plugin,
    /// A theme.
    Theme,
}

impl PackageKind {
    /// The slug of WordPress itself.
    pub const CORE_SLUG: &'static str = "wordpress";
}

impl fmt::Display for PackageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Core => "core",
            Self::Plugin => "plugin",
            Self::Theme => "theme",
        })
    }
}

/// A configured source.
#[derive(Debug, Clone)]
pub enum PackageSource {
    /// A directory of zips, told apart by what is in them.
    Directory(PathBuf),
    /// The distribution's own WordPress, e.g. `/usr/share/wordpress`.
    DistributionWordPress(PathBuf),
    /// Whatever speaks wordpress.org's API, e.g. `https://api.wordpress.org/`.
    WordPressOrg {
        /// Address that the API's paths are appended to. It alone may be private.
        base_url: Url,
    },
}

/// One package that a source has.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub version: String,
    pub locale: String,
    /// Whether the source would offer it unasked; betas and old versions are not.
    pub offered: bool,
    pub requires_wordpress: Option<String>,
    pub requires_php: Option<String>,
    pub place: Place,
}

/// Where the bytes are.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// A zip on this machine.
    File(PathBuf),
    /// An unpacked WordPress on this machine.
    Tree(PathBuf),
    /// A zip to download.
    Url(Url),
}

/// A source ready to be asked.
#[derive(Debug)]
pub(super) enum Source {
    Directory(Directory),
    Distribution(Distribution),
    WordPressOrg(WordPressOrg),
}

impl Source {
    pub fn new(source: PackageSource) -> Self {
        match source {
            PackageSource::Directory(path) => Self::Directory(Directory::new(path)),
            PackageSource::DistributionWordPress(path) => {
                Self::Distribution(Distribution::new(path))
            }
            PackageSource::WordPressOrg { base_url } => {
                Self::WordPressOrg(WordPressOrg::new(base_url))
            }
        }
    }

    /// All it has of a slug; nothing when it does not know it.
    pub async fn candidates(
        &self,
        kind: PackageKind,
        slug: &str,
        locale: &str,
    ) -> Result<Vec<Candidate>> {
        match self {
            Self::Directory(directory) => directory.candidates(kind, slug).await,
            Self::Distribution(distribution) => match kind {
                PackageKind::Core => distribution.candidates().await,
                PackageKind::Plugin | PackageKind::Theme => Ok(Vec::new()),
            },
            Self::WordPressOrg(client) => client.candidates(kind, slug, locale).await,
        }
    }
}

/// Names become parts of file names and of URLs.
pub(super) fn check_name<'a>(what: &'static str, name: &'a str) -> Result<&'a str> {
    let good = (1..=120).contains(&name.len())
        && !name.starts_with('.')
        && !name.contains("..")
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._+~-".contains(&byte));
    good.then_some(name).ok_or_else(|| Error::BadName {
        what,
        name: name
            .chars()
            .take(80)
            .flat_map(char::escape_default)
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_names() {
        for good in [
            "akismet",
            "woo-commerce",
            "6.5.5",
            "6.6-RC3",
            "de_DE",
            "1.0+build",
        ] {
            assert!(check_name("slug", good).is_ok(), "{good}");
        }
        for bad in [
            "", ".", "..", "a/b", "a..b", "a b", "a%2fb", "a?b", "ü", "a\0",
        ] {
            assert!(check_name("slug", bad).is_err(), "{bad}");
        }
    }
}
