//! What applies at a site, and who said it.

use super::{Openness, Window, openness, windows, zone};
use crate::{Error, Fleet, Result};
use pressroom_base::{
    Timestamp,
    id::{AccountId, SiteId, UserId},
};
use pressroom_store::{PolicyFields, PolicyOf, PolicyRow, Read, SiteRow, policies};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One thing that a policy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyField {
    /// Whether updates begin by themselves.
    Automatic,
    /// How old a release must be.
    HoldDays,
    /// Whether major versions are left out.
    MinorOnly,
    /// What is never updated by itself.
    Exclusions,
    /// When updates may be made.
    Windows,
    /// The time zone of that.
    TimeZone,
    /// Whether somebody is to say yes to what was clean.
    AutoApprove,
}

impl PolicyField {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::Automatic,
        Self::HoldDays,
        Self::MinorOnly,
        Self::Exclusions,
        Self::Windows,
        Self::TimeZone,
        Self::AutoApprove,
    ];

    /// As programs call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::HoldDays => "hold_days",
            Self::MinorOnly => "minor_only",
            Self::Exclusions => "exclusions",
            Self::Windows => "windows",
            Self::TimeZone => "time_zone",
            Self::AutoApprove => "auto_approve",
        }
    }

    /// Reads what programs call it, also with `-`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.replace('-', "_");
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }

    fn is_said(self, by: &PolicyFields) -> bool {
        match self {
            Self::Automatic => by.automatic.is_some(),
            Self::HoldDays => by.hold_days.is_some(),
            Self::MinorOnly => by.minor_only.is_some(),
            Self::Exclusions => by.exclusions.is_some(),
            Self::Windows => by.windows.is_some(),
            Self::TimeZone => by.time_zone.is_some(),
            Self::AutoApprove => by.auto_approve.is_some(),
        }
    }
}

/// What applies: by default nothing is updated by itself, whatever its age, at any time, and
/// somebody is always asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct UpdatePolicy {
    /// Whether updates begin by themselves.
    pub automatic: bool,
    /// How old a release must be, in days.
    pub hold_days: u32,
    /// Whether major versions are left out.
    pub minor_only: bool,
    /// What is never updated by itself: `core`, `plugin:SLUG`, `theme:SLUG`, with `*` for
    /// anything.
    pub exclusions: Vec<String>,
    /// When updates may be made; at any time, without.
    pub windows: Vec<Window>,
    /// The time zone of these; the site's own, without.
    pub time_zone: Option<String>,
    /// Whether nobody has to say yes to what was clean in its rehearsal.
    pub auto_approve: bool,
}

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The site.
    Site,
    /// Its account.
    Account,
    /// Nobody: it is the usual.
    Default,
}

/// What applies, with who said it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Effective {
    pub(crate) policy: UpdatePolicy,
    /// Who says each.
    pub(crate) from: BTreeMap<PolicyField, Origin>,
    /// What the site says, or the account where no site is meant.
    pub(super) own: Option<PolicyRow>,
    /// Who had updates begin by themselves; `None` at this machine's own command line.
    pub(crate) automatic_by: Option<UserId>,
    /// Who said that nobody has to be asked.
    pub(crate) approved_by: Option<UserId>,
}

impl Effective {
    /// What applies where these say something, the wider one first.
    pub(super) fn of(account: Option<PolicyRow>, site: Option<PolicyRow>) -> Result<Self> {
        let own = site.clone();
        let who = |row: &Option<PolicyRow>| row.as_ref().and_then(|row| row.set_by);
        let setters = [(Origin::Site, who(&site)), (Origin::Account, who(&account))];
        let account = account.map(PolicyFields::from).unwrap_or_default();
        let site = site.map(PolicyFields::from).unwrap_or_default();
        let from: BTreeMap<_, _> = PolicyField::ALL
            .into_iter()
            .map(|field| {
                let origin = if field.is_said(&site) {
                    Origin::Site
                } else if field.is_said(&account) {
                    Origin::Account
                } else {
                    Origin::Default
                };
                (field, origin)
            })
            .collect();
        let by = |field| {
            let origin = from.get(&field);
            let setter = setters.iter().find(|(of, _)| Some(of) == origin);
            setter.and_then(|(_, who)| *who)
        };
        // A site adds to what its account excludes, so that no protection is lost by adding one.
        let mut exclusions = account.exclusions.unwrap_or_default();
        exclusions.extend(site.exclusions.unwrap_or_default());
        exclusions.sort();
        exclusions.dedup();
        let windows = site.windows.or(account.windows);
        let hold = site.hold_days.or(account.hold_days).unwrap_or(0);
        let policy = UpdatePolicy {
            automatic: site.automatic.or(account.automatic).unwrap_or(false),
            hold_days: u32::try_from(hold).unwrap_or(0),
            minor_only: site.minor_only.or(account.minor_only).unwrap_or(false),
            exclusions,
            windows: match windows {
                Some(said) => serde_json::from_value(said).map_err(Error::internal)?,
                None => Vec::new(),
            },
            time_zone: site.time_zone.or(account.time_zone),
            auto_approve: site.auto_approve.or(account.auto_approve).unwrap_or(false),
        };
        Ok(Self {
            policy,
            automatic_by: by(PolicyField::Automatic),
            approved_by: by(PolicyField::AutoApprove),
            from,
            own,
        })
    }

    /// Whether when the site may be updated depends on its own time zone.
    pub(crate) fn needs_zone(&self) -> bool {
        self.policy.time_zone.is_none() && !self.policy.windows.is_empty()
    }

    /// Whether the site may be updated at an instant, with this as its own time zone. A zone
    /// that is not known is UTC.
    pub(crate) fn openness(&self, site_zone: Option<&str>, now: Timestamp) -> Openness {
        let name = self.policy.time_zone.as_deref().or(site_zone);
        let zone = name.and_then(zone).unwrap_or(jiff::tz::TimeZone::UTC);
        openness(&self.policy.windows, &zone, windows::instant_of(now))
    }
}

impl Fleet {
    /// What applies at a site.
    pub(crate) async fn effective_policy(&self, site: &SiteRow) -> Result<Effective> {
        effective(&self.parts.store, site.account_id, Some(site.id)).await
    }
}

/// What applies at a site, or in an account where its sites say nothing.
pub(super) async fn effective(
    from: &impl Read,
    account: AccountId,
    site: Option<SiteId>,
) -> Result<Effective> {
    let of_account = policies::get(from, PolicyOf::Account(account)).await?;
    let Some(site) = site else {
        return Ok(Effective {
            own: of_account.clone(),
            ..Effective::of(of_account, None)?
        });
    };
    Effective::of(of_account, policies::get(from, PolicyOf::Site(site)).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(fields: PolicyFields, set_by: i64) -> PolicyRow {
        PolicyRow {
            id: 1,
            account_id: None,
            site_id: None,
            automatic: fields.automatic,
            hold_days: fields.hold_days,
            minor_only: fields.minor_only,
            exclusions: fields.exclusions,
            windows: fields.windows,
            time_zone: fields.time_zone,
            auto_approve: fields.auto_approve,
            set_by: Some(UserId::new(set_by)),
            actor: "test".into(),
            updated_at: Timestamp::from_millis(0),
        }
    }

    #[test]
    fn nothing_is_updated_by_itself_where_nobody_says_so() {
        let none = Effective::of(None, None).unwrap();
        assert_eq!(none.policy, UpdatePolicy::default());
        assert!(!none.policy.automatic && !none.policy.auto_approve);
        assert!(none.from.values().all(|from| *from == Origin::Default));
    }

    #[test]
    fn a_site_wins_field_by_field_and_adds_exclusions() {
        let account = PolicyFields {
            automatic: Some(true),
            hold_days: Some(7),
            exclusions: Some(vec!["core".into()]),
            windows: Some(json!([{ "days": ["sat"], "from": "22:00", "to": "04:00" }])),
            ..PolicyFields::default()
        };
        let site = PolicyFields {
            hold_days: Some(0),
            exclusions: Some(vec!["plugin:a".into()]),
            windows: Some(json!([])),
            auto_approve: Some(true),
            ..PolicyFields::default()
        };
        let both = Effective::of(Some(row(account, 1)), Some(row(site, 2))).unwrap();
        assert!(both.policy.automatic && both.policy.auto_approve);
        assert_eq!(both.policy.hold_days, 0);
        assert_eq!(both.policy.exclusions, ["core", "plugin:a"]);
        assert_eq!(both.policy.windows, []);
        assert_eq!(both.automatic_by, Some(UserId::new(1)));
        assert_eq!(both.approved_by, Some(UserId::new(2)));
        assert_eq!(both.from[&PolicyField::Automatic], Origin::Account);
        assert_eq!(both.from[&PolicyField::HoldDays], Origin::Site);
        assert_eq!(both.from[&PolicyField::TimeZone], Origin::Default);
    }

    #[test]
    fn the_policy_s_zone_wins_over_the_site_s() {
        let fields = |zone: Option<&str>| PolicyFields {
            windows: Some(json!([{ "days": ["thu"], "from": "00:00", "to": "01:00" }])),
            time_zone: zone.map(str::to_owned),
            ..PolicyFields::default()
        };
        // The epoch began on a Thursday.
        let epoch = Timestamp::from_millis(0);
        let of = |zone| Effective::of(Some(row(fields(zone), 1)), None).unwrap();
        assert!(matches!(of(None).openness(None, epoch), Openness::Open(_)));
        let berlin = Some("Europe/Berlin");
        assert!(matches!(
            of(None).openness(berlin, epoch),
            Openness::Closed(_)
        ));
        assert!(matches!(
            of(Some("UTC")).openness(berlin, epoch),
            Openness::Open(_)
        ));
    }
}
