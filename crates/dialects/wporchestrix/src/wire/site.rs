//! W06 to W10.

use super::id;
use pressroom_base::{Timestamp, id::AccountId};
use pressroom_fleet::sites::{
    AddSite, AddedSite, EditSite, Newer, Site, SiteDetails, SshAt, Theme,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A site to add, or what to change of one. What is missing or null stays as it is.
#[derive(Deserialize, ToSchema)]
pub struct SiteIn {
    /// What its owner calls it.
    pub name: Option<String>,
    /// Its address: `http` or `https`, a host, and perhaps a port and a path.
    pub url: Option<String>,
    /// `local` or `ssh`. The connector is not part of this version.
    pub connection_method: Option<String>,
    /// Where it is on a host of the account.
    pub ssh: Option<SshIn>,
    /// All words to select it by.
    pub tags: Option<Vec<String>>,
    /// Whether nobody is to look at it.
    pub paused: Option<bool>,
}

/// A WordPress on a host.
#[derive(Deserialize, ToSchema)]
pub struct SshIn {
    /// The host's label or address.
    pub host: Option<String>,
    /// The directory of WordPress there; looked for by its address, without.
    pub path: Option<String>,
}

/// A site in a list.
#[derive(Serialize, ToSchema)]
pub struct SiteRowOut {
    id: String,
    name: String,
    url: String,
    /// `pending`, `healthy`, `degraded`, `down`, `disconnected` or `paused`.
    status: &'static str,
    /// Null before it was ever seen.
    wp_version: Option<String>,
    /// Null before it was ever seen.
    php_version: Option<String>,
    created_at: String,
    updated_at: String,
    last_checked_at: Option<String>,
}

/// A site.
#[derive(Serialize, ToSchema)]
pub struct SiteOut {
    #[serde(flatten)]
    row: SiteRowOut,
    /// Whether it can be worked on.
    connected: bool,
    /// `local`, `ssh` or `connector`; null while nobody knows a way to it.
    connection_method: Option<&'static str>,
    /// Whether it is a network; null before it was ever seen.
    multisite: Option<bool>,
    /// The theme in use.
    theme: Option<ThemeOut>,
    /// Newer versions on offer; null before it was ever seen.
    updates_available: Option<UpdatesOut>,
    /// Null: nobody looks for holes in this version.
    open_vulnerabilities: Option<u64>,
    /// When the last snapshot of all of it was taken.
    last_snapshot_at: Option<String>,
    /// The safe update that is not over.
    active_pipeline_id: Option<String>,
    tags: Vec<String>,
}

/// A theme.
#[derive(Serialize, ToSchema)]
pub struct ThemeOut {
    slug: String,
    name: String,
    version: String,
}

/// Newer versions on offer. What is not known is null, and not 0.
#[derive(Serialize, ToSchema)]
pub struct UpdatesOut {
    core: Option<u64>,
    plugins: Option<u64>,
    themes: Option<u64>,
}

/// A site that was just added.
#[derive(Serialize, ToSchema)]
pub struct AddedSiteOut {
    #[serde(flatten)]
    site: SiteOut,
    /// What its connector introduces itself with, shown only now; null where it is reached
    /// in another way.
    connection: Option<ConnectionOut>,
}

/// What a connector is to be set up with.
#[derive(Serialize, ToSchema)]
pub struct ConnectionOut {
    token: String,
    /// Where the plugin will be; this version has none.
    plugin_download_url: String,
    expires_at: String,
}

impl SiteIn {
    /// A site of this account.
    pub fn to_add(self, account: AccountId) -> AddSite {
        AddSite {
            account,
            name: self.name.unwrap_or_default(),
            url: self.url.unwrap_or_default(),
            method: self.connection_method,
            ssh: self.ssh.map(SshAt::from),
            tags: self.tags.unwrap_or_default(),
        }
    }

    /// What to change.
    pub fn to_edit(self) -> EditSite {
        EditSite {
            name: self.name,
            url: self.url,
            tags: self.tags,
            paused: self.paused,
            method: self.connection_method,
            ssh: self.ssh.map(SshAt::from),
        }
    }
}

impl From<SshIn> for SshAt {
    fn from(given: SshIn) -> Self {
        Self {
            host: given.host.unwrap_or_default(),
            path: given.path,
        }
    }
}

impl From<Site> for SiteRowOut {
    fn from(site: Site) -> Self {
        Self {
            id: id::site(site.short_id.as_str()),
            name: site.name,
            url: site.url,
            status: site.status,
            wp_version: site.core_version,
            php_version: site.php_version,
            created_at: site.created_at.to_rfc3339(),
            updated_at: site.updated_at.to_rfc3339(),
            last_checked_at: site.checked_at.map(Timestamp::to_rfc3339),
        }
    }
}

impl From<SiteDetails> for SiteOut {
    fn from(details: SiteDetails) -> Self {
        let site = details.site;
        Self {
            connected: site.connected,
            connection_method: site.method,
            multisite: site.multisite,
            theme: details.theme.map(ThemeOut::from),
            updates_available: details.updates.map(UpdatesOut::from),
            open_vulnerabilities: None,
            last_snapshot_at: details.last_snapshot_at.map(Timestamp::to_rfc3339),
            active_pipeline_id: details.pipeline.as_deref().map(id::pipeline),
            tags: details.tags,
            row: site.into(),
        }
    }
}

impl From<Theme> for ThemeOut {
    fn from(theme: Theme) -> Self {
        Self {
            slug: theme.slug,
            name: theme.name,
            version: theme.version,
        }
    }
}

impl From<Newer> for UpdatesOut {
    fn from(newer: Newer) -> Self {
        Self {
            core: newer.core,
            plugins: newer.plugins,
            themes: newer.themes,
        }
    }
}

impl AddedSiteOut {
    /// What is told of a site that was just added, by a server at this address.
    pub fn new(added: AddedSite, plugin: &str) -> Self {
        let connection = added.invitation.map(|invitation| ConnectionOut {
            token: invitation.token.into_inner(),
            plugin_download_url: plugin.to_owned(),
            expires_at: invitation.expires_at.to_rfc3339(),
        });
        Self {
            site: added.details.into(),
            connection,
        }
    }
}
