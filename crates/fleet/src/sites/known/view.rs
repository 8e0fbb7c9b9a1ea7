//! A site as faces see it.

use pressroom_base::{
    Timestamp,
    id::{AccountId, EnvironmentId, ShortId, SiteId},
};
use pressroom_store::{ConnectionMethod, EnvironmentState, KnownSite, SiteStatus};
use serde::{Serialize, Serializer};

/// What a customer means by "my site".
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Site {
    /// What programs call it, without a dialect's prefix.
    #[serde(rename = "id", serialize_with = "plainly")]
    pub short_id: ShortId,
    /// Row id.
    #[serde(skip)]
    pub id: SiteId,
    /// Whose it is.
    pub account_id: AccountId,
    /// What its owner calls it.
    pub name: String,
    /// Its address, no trailing slash.
    pub url: String,
    /// `pending`, `healthy`, `degraded`, `down`, `disconnected` or `paused`.
    pub status: &'static str,
    /// Whether it can be worked on.
    pub connected: bool,
    /// `local`, `ssh` or `connector`: how it is reached, or is to be; `None` when nobody knows.
    pub method: Option<&'static str>,
    /// WordPress' version; `None` before it was ever seen.
    pub core_version: Option<String>,
    /// PHP's version; `None` before it was ever seen.
    pub php_version: Option<String>,
    /// Whether it is a network; `None` before it was ever seen.
    pub multisite: Option<bool>,
    /// Whether somebody said not to look at it.
    pub paused: bool,
    /// Why it is not connected, or was not seen at its new address.
    pub trouble: Option<String>,
    /// When that was tried last.
    pub tried_at: Option<Timestamp>,
    /// The running WordPress that stands for it.
    pub environment_id: Option<EnvironmentId>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When somebody last changed what is recorded of it.
    pub updated_at: Timestamp,
    /// When it was last looked at.
    pub checked_at: Option<Timestamp>,
}

/// A site with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SiteDetails {
    /// The site.
    #[serde(flatten)]
    pub site: Site,
    /// The theme in use; `None` when that is not known.
    pub theme: Option<Theme>,
    /// How many newer versions are on offer; `None` before the site was ever seen.
    pub updates: Option<Newer>,
    /// When the last snapshot of all of it was taken.
    pub last_snapshot_at: Option<Timestamp>,
    /// The safe update of it that is not over, as programs call it, without a prefix.
    pub pipeline: Option<String>,
    /// The words it can be selected by, in the order of letters.
    pub tags: Vec<String>,
}

/// A theme that a site uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Theme {
    /// Its directory.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Newer versions on offer, as far as sources of packages told. Of what none was asked for,
/// the number is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Newer {
    /// Of WordPress.
    pub core: Option<u64>,
    /// Of plugins.
    pub plugins: Option<u64>,
    /// Of themes.
    pub themes: Option<u64>,
}

fn plainly<S: Serializer>(id: &ShortId, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(id.as_str())
}

impl From<KnownSite> for Site {
    fn from(known: KnownSite) -> Self {
        let KnownSite {
            site,
            environment,
            status,
        } = known;
        let environment = environment.as_ref();
        let seen = environment.filter(|row| row.state != EnvironmentState::Installing);
        let text = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let method = match environment {
            Some(row) if row.host_id.is_some() => Some(ConnectionMethod::Ssh),
            Some(_) => Some(ConnectionMethod::Local),
            None => site.method,
        };
        let url = site.url.or_else(|| Some(environment?.url.clone()));
        Self {
            id: site.id,
            short_id: site.short_id,
            account_id: site.account_id,
            name: site.name,
            url: url.unwrap_or_default(),
            status: status.as_str(),
            connected: seen.is_some() && status != SiteStatus::Disconnected,
            method: method.map(ConnectionMethod::as_str),
            core_version: seen.and_then(|row| text(&row.core_version)),
            php_version: seen.and_then(|row| text(&row.php_version)),
            multisite: seen.map(|row| row.multisite),
            paused: site.paused,
            trouble: site.trouble,
            tried_at: site.tried_at,
            environment_id: environment.map(|row| row.id),
            created_at: site.created_at,
            updated_at: site.updated_at.unwrap_or(site.created_at),
            checked_at: site.checked_at,
        }
    }
}
