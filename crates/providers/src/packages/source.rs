//! Where packages come from.

use super::{
    Error, PackageKind, Result, WordPressOrg, candidate::Candidate, directory::Directory,
    distribution::Distribution,
};
use std::path::PathBuf;
use url::Url;

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
