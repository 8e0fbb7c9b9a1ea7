//! What applies, who said it, and what that means now.

use super::{
    Effective, Openness, Origin, PolicyField, PolicyTarget, UpdatePolicy, effective::effective,
    timestamp,
};
use crate::{Caller, Error, Fleet, Result, accounts, authorize::Action};
use pressroom_base::{Timestamp, id::AccountId};
use pressroom_store::{environments, policies};
use serde::Serialize;
use std::collections::BTreeMap;

/// What applies in an account, or at a site.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicyView {
    /// The account's name.
    pub account: String,
    /// Its id.
    pub account_id: AccountId,
    /// The site's address; `None` where the account's policy is shown.
    pub site: Option<String>,
    /// What applies.
    pub policy: UpdatePolicy,
    /// Who says each of it.
    pub from: BTreeMap<PolicyField, Origin>,
    /// What is excluded here; a site's without its account's.
    pub own_exclusions: Vec<String>,
    /// Who said something here last; `None` where nothing is said here.
    pub actor: Option<String>,
    /// When that was.
    pub said_at: Option<Timestamp>,
    /// The time zone of the windows: the policy's or the site's own; `None` where that was not
    /// read yet, and in an account.
    pub zone: Option<String>,
    /// Whether the site may be updated now; `None` in an account, and where its windows are in
    /// a time zone that is not known yet.
    pub now: Option<Standing>,
    /// Why nothing begins by itself, where it is not for the policy.
    pub hindrance: Option<Hindrance>,
}

/// Whether a site may be updated now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Whether it may.
    pub open: bool,
    /// Until when, or from when on; `None` where that never changes.
    pub until: Option<Timestamp>,
}

/// Why nothing begins by itself at a site whose policy permits it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Hindrance {
    /// Nobody looks at the site.
    Paused,
    /// Whoever set the policy may not update the site any more.
    SetterMayNot,
}

impl Hindrance {
    /// What it is and what is to be done, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Paused => "the site is paused: nothing begins before it is resumed",
            Self::SetterMayNot => {
                "whoever set the policy may not update the site any more: nothing begins before \
                 somebody else sets it"
            }
        }
    }
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
        let (account_id, _) = self.policy_target(caller, action, of).await?;
        let account = accounts::name_of(store, account_id).await?;
        let PolicyTarget::Site(id) = of else {
            let applies = effective(store, account_id, None).await?;
            return Ok(PolicyView::new(account, account_id, applies));
        };
        let row = self.environment_row(caller, action, id).await?.env;
        let site = environments::get_site(store, row.site_id).await?;
        let site = site.ok_or_else(|| Error::not_found("site"))?;
        let applies = effective(store, account_id, Some(site.id)).await?;
        let zone = policies::zone(store, site.id).await?;
        let is_known = zone.is_some() || !applies.needs_zone();
        let now = store.now().await?;
        let now = is_known.then(|| Standing::of(applies.openness(zone.as_deref(), now)));
        let hindrance = if !applies.policy.automatic {
            None
        } else if site.paused {
            Some(Hindrance::Paused)
        } else {
            let action = Action::ComponentUpdate;
            let setter = self.setter(applies.automatic_by, &site, action).await?;
            setter.is_none().then_some(Hindrance::SetterMayNot)
        };
        let view = PolicyView::new(account, account_id, applies);
        Ok(PolicyView {
            site: Some(if row.url.is_empty() {
                site.name
            } else {
                row.url
            }),
            zone: view.zone.or(zone),
            now,
            hindrance,
            ..view
        })
    }
}

impl PolicyView {
    fn new(account: String, account_id: AccountId, applies: Effective) -> Self {
        let own = applies.own;
        Self {
            account,
            account_id,
            site: None,
            zone: applies.policy.time_zone.clone(),
            policy: applies.policy,
            from: applies.from,
            actor: own.as_ref().map(|own| own.actor.clone()),
            said_at: own.as_ref().map(|own| own.updated_at),
            own_exclusions: own.and_then(|own| own.exclusions).unwrap_or_default(),
            now: None,
            hindrance: None,
        }
    }
}

impl Standing {
    fn of(openness: Openness) -> Self {
        match openness {
            Openness::Open(until) => Self {
                open: true,
                until: until.map(timestamp),
            },
            Openness::Closed(next) => Self {
                open: false,
                until: next.map(timestamp),
            },
        }
    }
}
