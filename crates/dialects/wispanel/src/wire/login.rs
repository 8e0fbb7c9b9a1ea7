//! T13.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A login to issue.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct LoginIn {
    /// The installation; required.
    pub id: Option<String>,
    /// The administrator with the lowest id when absent.
    pub username: Option<String>,
    /// Path on the same site; `/wp-admin/` when absent.
    pub redirect: Option<String>,
}

/// A link that works once.
#[derive(Serialize, ToSchema)]
pub struct LoginOut {
    /// `true`.
    pub success: bool,
    /// Where to send the browser.
    pub url: String,
    /// When the link lapses.
    pub expires_at: String,
}
