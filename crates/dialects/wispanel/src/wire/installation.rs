//! The installation object (§2).

use pressroom_base::id::DomainId;
use pressroom_fleet::views::Environment;
use serde::Serialize;
use utoipa::ToSchema;

/// One WordPress. All 14 members are always there.
#[derive(Serialize, ToSchema)]
pub struct InstallationOut {
    id: String,
    domain: String,
    /// 0 when unknown.
    domain_id: i64,
    /// Absolute, without a trailing slash.
    path: String,
    version: String,
    site_title: String,
    site_url: String,
    /// Ends with a slash.
    admin_url: String,
    db_name: String,
    db_user: String,
    db_host: String,
    table_prefix: String,
    debug: bool,
    multisite: bool,
}

impl From<Environment> for InstallationOut {
    fn from(environment: Environment) -> Self {
        Self {
            admin_url: if environment.url.is_empty() {
                String::new()
            } else {
                format!("{}/wp-admin/", environment.url)
            },
            id: environment.panel_id,
            domain: environment.domain,
            domain_id: environment.domain_id.map_or(0, DomainId::get),
            path: environment.root,
            version: environment.core_version,
            site_title: environment.title,
            site_url: environment.url,
            db_name: environment.db_name,
            db_user: environment.db_user,
            db_host: environment.db_host,
            table_prefix: environment.table_prefix,
            debug: environment.debug,
            multisite: environment.multisite,
        }
    }
}

/// T02.
#[derive(Serialize, ToSchema)]
pub struct StatusOut {
    /// Whether PHP runs, so that installations can be worked on.
    pub wp_cli_available: bool,
    /// The same objects as the list's.
    pub installations: Vec<InstallationOut>,
}
