//! How a site is now.

use super::list::permitted;
use crate::{Caller, Error, Fleet, Result};
use pressroom_base::{Timestamp, id::SiteId};
use pressroom_store::{environments, health, sites};

/// How a site is, as far as looks at it say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// `pending`, `healthy`, `degraded`, `down`, `disconnected` or `paused`.
    pub status: &'static str,
    /// When it was last looked at.
    pub checked_at: Option<Timestamp>,
    /// Since when it is down, and why, if it is.
    pub incident: Option<(Timestamp, Option<String>)>,
}

impl Fleet {
    /// How a site is now.
    ///
    /// Errors: `NotFound`, also where it is another account's; `Forbidden`.
    pub async fn health_standing(&self, caller: &Caller, site: SiteId) -> Result<Standing> {
        let store = &self.parts.store;
        permitted(caller, environments::get_site(store, site).await?)?;
        let known = sites::known(store, site)
            .await?
            .ok_or_else(|| Error::not_found("site"))?;
        let incident = health::open_of(store, site).await?;
        Ok(Standing {
            status: known.status.as_str(),
            checked_at: known.site.checked_at,
            incident: incident.map(|incident| (incident.opened_at, incident.error)),
        })
    }
}
