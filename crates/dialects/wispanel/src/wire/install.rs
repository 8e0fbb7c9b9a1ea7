//! T05.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An installation to make. Not `Debug`: it carries passwords.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct InstallIn {
    /// One of the caller's domains; required.
    pub domain: Option<String>,
    /// Alias of `domain`.
    pub domain_name: Option<String>,
    /// Directory relative to the domain's, e.g. `public_html`; required.
    pub path: Option<String>,
    /// Database to make; the account's prefix is put before it; required.
    pub db_name: Option<String>,
    /// The domain when absent.
    pub title: Option<String>,
    /// `admin` when absent.
    pub admin_user: Option<String>,
    /// Generated when absent, and then shown once in the job's result.
    pub admin_password: Option<String>,
    /// `admin@<domain>` when absent.
    pub admin_email: Option<String>,
    /// The newest when absent.
    pub version: Option<String>,
    /// `en_US` when absent.
    pub locale: Option<String>,
    /// `wp_`, four random characters and `_` when absent.
    pub table_prefix: Option<String>,
    /// Generated when absent.
    pub db_user: Option<String>,
    /// Generated when absent.
    pub db_password: Option<String>,
    /// Only this machine's: `localhost`.
    pub db_host: Option<String>,
}

/// The installation has begun.
#[derive(Serialize, ToSchema)]
pub struct InstallStartedOut {
    /// `true`.
    pub success: bool,
    /// For a person.
    pub message: &'static str,
    /// The installation's id.
    pub id: String,
    /// The job's id.
    pub job_id: String,
    /// Where to follow it.
    pub progress_url: String,
}
