//! What is asked of an adoption, and what it says.

use crate::views::Environment;
use serde::Serialize;

/// A site to adopt.
#[derive(Debug, Clone, Default)]
pub struct AdoptSite {
    /// The directory of WordPress, absolute.
    pub path: String,
    /// The host that it is on: label, address or id; this machine, without.
    pub host: Option<String>,
    /// The account's name; that of the host, without.
    pub account: Option<String>,
    /// Its address; what it calls itself, without.
    pub url: Option<String>,
    /// What its owner calls it; its title, without.
    pub name: Option<String>,
    /// The user it belongs to, when that is not to be seen.
    pub user: Option<String>,
    /// The `php` to work on it with; the host's first one, without.
    pub php: Option<String>,
    /// Where its web server is asked: `http://ADDRESS:PORT` or `https://ADDRESS:PORT`;
    /// found out, without.
    pub origin: Option<String>,
}

/// What became of an adoption.
#[derive(Debug, Clone, Serialize)]
pub struct Adopted {
    /// The site as it is recorded.
    #[serde(flatten)]
    pub environment: Environment,
    /// Whether it was not managed before.
    pub is_new: bool,
    /// What a visitor would call broken; the site is recorded nevertheless.
    pub trouble: Option<String>,
}
