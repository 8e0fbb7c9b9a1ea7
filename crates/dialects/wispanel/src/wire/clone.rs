//! T06.

use super::InstallationOut;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A copy to make.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct CloneIn {
    /// The installation to copy; required.
    pub source_id: Option<String>,
    /// A domain of the same account; required.
    pub target_domain: Option<String>,
    /// Directory relative to the domain's; `public_html` when absent.
    pub target_path: Option<String>,
    /// Database to make; the account's prefix is put before it; generated when absent.
    pub db_name: Option<String>,
    /// Whether search engines are asked to stay away; `true` when absent.
    pub noindex: Option<bool>,
}

/// What a copy's job produced.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloneResultOut {
    /// The copy.
    pub installation: InstallationOut,
    /// `false`: mail is off until a block is taken out of its `wp-config.php`.
    pub outgoing_mail: bool,
    /// Whether search engines are asked to stay away.
    pub noindex: bool,
}
