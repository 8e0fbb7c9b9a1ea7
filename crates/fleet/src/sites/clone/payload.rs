//! What a copy's job carries from the request to the worker, and what it says.

use crate::sites::install::NewPlace;
use pressroom_base::id::EnvironmentId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The kind of the job.
pub(crate) const KIND: &str = "site_clone";

/// What the job is told; no secrets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Payload {
    /// What is made.
    #[serde(flatten)]
    pub(super) place: NewPlace,
    /// What is copied.
    pub(super) source: EnvironmentId,
    /// Whether search engines are asked to stay away.
    pub(super) noindex: bool,
}

/// Whether a copy with this payload reads from a site: where that lives, nobody is to
/// write then.
pub(crate) fn reads(payload: &Value, environment: EnvironmentId) -> bool {
    // One that cannot be read fails by itself; until then it holds nobody up.
    Payload::deserialize(payload).is_ok_and(|told| told.source == environment)
}

/// The job's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cloned {
    /// The copy.
    pub environment_id: EnvironmentId,
    /// Its id in the panel's dialect.
    pub panel_id: String,
    /// Its address.
    pub url: String,
    /// What was copied.
    pub source: EnvironmentId,
    /// Whether the copy sends mail: not until the block named
    /// `Pressroom no outgoing mail` is taken out of its `wp-config.php`.
    pub outgoing_mail: bool,
    /// Whether search engines are asked to stay away.
    pub noindex: bool,
}
