//! What an installation's job carries from the request to the worker.

use pressroom_base::id::DomainId;
use serde::{Deserialize, Serialize};

/// Where a new site goes, and the database that is made for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct NewPlace {
    pub(crate) panel_id: String,
    pub(crate) domain_id: DomainId,
    pub(crate) domain: String,
    pub(crate) path: String,
    pub(crate) url: String,
    pub(crate) db_name: String,
    pub(crate) db_user: String,
    pub(crate) db_host: String,
    pub(crate) table_prefix: String,
}

/// What the job is told; no secrets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Payload {
    #[serde(flatten)]
    pub(crate) place: NewPlace,
    pub(crate) title: String,
    pub(crate) admin_user: String,
    pub(crate) admin_email: String,
    pub(crate) admin_password_generated: bool,
    pub(crate) version: String,
    pub(crate) locale: String,
}

/// What the job is told in confidence; stored sealed.
#[derive(Serialize, Deserialize)]
pub(crate) struct Secrets {
    pub(crate) db_password: String,
    pub(crate) admin_password: String,
}
