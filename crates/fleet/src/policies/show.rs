//! What applies, who said it, and what that means now.

use super::{
    Effective, Openness, Origin, PolicyField, PolicyTarget, UpdatePolicy, effective::effective,
    timestamp,
};
use crate::{Caller, Fleet, Result, accounts, authorize::Action};
use pressroom_base::Timestamp;
use pressroom_store::{environments, policies};
use serde::Serialize;
use std::collections::BTreeMap;

/// What applies in an account, or at a site.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicyView {
    /// The account's name.
    pub account: String,
    /// The site's address; `None` where the account's policy is shown.
    pub site: Option<String>,
    /// What applies.
    pub policy: UpdatePolicy,
    /// Who says each of it.
    pub from: BTreeMap<PolicyField, Origin>,
    /// What is excluded by whoever is asked, without what its account excludes.
    pub own_exclusions: Vec<String>,
    /// The time zone of the windows: the policy's or the site's own; `None` where that was not
    /// read yet, and in an account.
    pub zone: Option<String>,
    /// Whether the site may be updated now; `None` in an account.
    pub now: Option<Standing>,
}

/// Whether a site may be updated now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Whether it may.
    pub open: bool,
    /// Until when, or from when on; `None` where that never changes.
    pub until: Option<Timestamp>,
}

impl Fleet {
    /// What applies in an account where its sites say nothing, or at a site, and who said it.
    ///
    /// Errors: `NotFound`, `Forbidden`.
    pub async fn update_policy_of(&self, caller: &Caller, of: PolicyTarget) -> Result<PolicyView> {
        let store = &self.parts.store;
        let action = match of {
            PolicyTarget::Account(_) => Action::AccountRead,
            PolicyTarget::Site(_) => Action::SiteRead,
        };
        let (account, whose) = self.policy_target(caller, action, of).await?;
        let own = policies::get(store, whose).await?;
        let own_exclusions = own.and_then(|own| own.exclusions).unwrap_or_default();
        let account_name = accounts::name_of(store, account).await?;
        let PolicyTarget::Site(id) = of else {
            let Effective { policy, from, .. } = effective(store, account, None).await?;
            return Ok(PolicyView {
                account: account_name,
                site: None,
                zone: policy.time_zone.clone(),
                policy,
                from,
                own_exclusions,
                now: None,
            });
        };
        let row = self.environment_row(caller, action, id).await?.env;
        let applies = effective(store, account, Some(row.site_id)).await?;
        let own = policies::zone(store, row.site_id).await?;
        let now = store.now().await?;
        let standing = match applies.openness(own.as_deref(), now) {
            Openness::Open(until) => Standing {
                open: true,
                until: until.map(timestamp),
            },
            Openness::Closed(next) => Standing {
                open: false,
                until: next.map(timestamp),
            },
        };
        let site = environments::get_site(store, row.site_id).await?;
        let Effective { policy, from, .. } = applies;
        Ok(PolicyView {
            account: account_name,
            site: Some(if row.url.is_empty() {
                site.map(|site| site.name).unwrap_or_default()
            } else {
                row.url
            }),
            zone: policy.time_zone.clone().or(own),
            policy,
            from,
            own_exclusions,
            now: Some(standing),
        })
    }
}
