//! Saying what is updated by itself, and taking that back.

use super::{PolicyField, PolicyTarget, PolicyView, Window, read_pattern, zone};
use crate::{Caller, Error, Fleet, Problem, Result, authorize::Action, error::refuse};
use pressroom_base::{Timestamp, catalog::event, id::AccountId};
use pressroom_store::{PolicyFields, environments, policies};
use serde_json::json;

/// Days that a release may be held.
const LONGEST_HOLD: u32 = 365;
/// Patterns of one policy.
const MOST_EXCLUSIONS: usize = 200;
/// Windows of one policy.
const MOST_WINDOWS: usize = 50;

/// What is said anew; what is `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct SetPolicy {
    /// Whether updates begin by themselves.
    pub automatic: Option<bool>,
    /// How old a release must be, in days; at most 365.
    pub hold_days: Option<u32>,
    /// Whether major versions are left out.
    pub minor_only: Option<bool>,
    /// What is never updated by itself, see [`read_pattern`]; none, where it is empty.
    pub exclusions: Option<Vec<String>>,
    /// When updates may be made, see [`Window`]; at any time, where it is empty.
    pub windows: Option<Vec<String>>,
    /// The time zone of that: an IANA name, `UTC` or an offset such as `+05:30`.
    pub time_zone: Option<String>,
    /// Whether nobody has to say yes to what was clean in its rehearsal.
    pub auto_approve: Option<bool>,
    /// What is not said any more, and left to the account or to the usual, unless it is said
    /// anew here.
    pub inherit: Vec<PolicyField>,
    /// What was there when this was thought of.
    pub seen: Seen,
}

/// What somebody has seen of a policy before they say something else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Seen {
    /// It does not matter.
    #[default]
    Whatever,
    /// That nothing was said.
    Nothing,
    /// What was said at this instant.
    Of(Timestamp),
}

impl Seen {
    fn is(self, said_at: Option<Timestamp>) -> bool {
        match self {
            Self::Whatever => true,
            Self::Nothing => said_at.is_none(),
            Self::Of(at) => said_at == Some(at),
        }
    }
}

impl Fleet {
    /// Says something about the updates of an account's sites, or of one site, and answers what
    /// applies then. Updates that were begun before and failed may be begun again.
    ///
    /// Whoever says so says yes to updates beforehand: it needs the right to approve them, and
    /// holds as long as they have it.
    ///
    /// Errors: `Invalid`, with everything that cannot be; `Conflict` where somebody else said
    /// something since; `NotFound`, `Forbidden`.
    pub async fn set_update_policy(
        &self,
        caller: &Caller,
        of: PolicyTarget,
        set: SetPolicy,
    ) -> Result<PolicyView> {
        let (account, whose) = self
            .policy_target(caller, Action::UpgradeApprove, of)
            .await?;
        let seen = set.seen;
        let said = read(set)?;
        let store = &self.parts.store;
        let tx = store.begin().await?;
        policies::lock(&tx, whose).await?;
        let earlier = policies::get(&tx, whose).await?;
        if !seen.is(earlier.as_ref().map(|it| it.updated_at)) {
            return Err(Error::conflict(match &earlier {
                Some(earlier) => format!("`{}` changed the policy meanwhile", earlier.actor),
                None => "the policy was taken back meanwhile".to_owned(),
            }));
        }
        let fields = said.over(earlier.map(PolicyFields::from).unwrap_or_default());
        let told = json!({
            "site": matches!(of, PolicyTarget::Site(_)),
            "automatic": fields.automatic,
            "hold_days": fields.hold_days,
            "minor_only": fields.minor_only,
            "exclusions": fields.exclusions,
            "windows": fields.windows,
            "time_zone": fields.time_zone,
            "auto_approve": fields.auto_approve,
        });
        let principal = &caller.principal;
        if fields == PolicyFields::default() {
            policies::clear(&tx, whose).await?;
        } else {
            let (by, name) = (principal.user_id(), principal.label());
            policies::put(&tx, whose, fields, by, name).await?;
        }
        policies::forget(&tx, whose).await?;
        policies::wake(&tx, whose).await?;
        self.note_policy(&tx, caller, event::UPDATE_POLICY_SET, account, of, told)
            .await?;
        tx.commit().await?;
        self.update_policy_of(caller, of).await
    }

    /// Has an account, or a site, say nothing of its updates any more; whether it did.
    ///
    /// Errors: `NotFound`, `Forbidden`.
    pub async fn clear_update_policy(&self, caller: &Caller, of: PolicyTarget) -> Result<bool> {
        let (account, whose) = self
            .policy_target(caller, Action::UpgradeApprove, of)
            .await?;
        let tx = self.parts.store.begin().await?;
        let cleared = policies::clear(&tx, whose).await?;
        if cleared {
            policies::wake(&tx, whose).await?;
            let kind = event::UPDATE_POLICY_CLEARED;
            self.note_policy(&tx, caller, kind, account, of, json!({}))
                .await?;
        }
        tx.commit().await?;
        Ok(cleared)
    }

    async fn note_policy(
        &self,
        tx: &pressroom_store::Tx,
        caller: &Caller,
        kind: &'static str,
        account: AccountId,
        of: PolicyTarget,
        mut told: serde_json::Value,
    ) -> Result<()> {
        if let PolicyTarget::Site(id) = of
            && let Some(row) = environments::get(tx, id).await?
        {
            told["panel_id"] = json!(row.panel_id);
            told["url"] = json!(row.url);
        }
        self.note(tx, caller, kind, Some(account), told).await
    }
}

/// What is said, as it is kept.
struct Said {
    fields: PolicyFields,
    inherit: Vec<PolicyField>,
}

impl Said {
    /// With what was said before, and is not left to others now.
    fn over(self, before: PolicyFields) -> PolicyFields {
        let (new, mut before) = (self.fields, before);
        for field in self.inherit {
            match field {
                PolicyField::Automatic => before.automatic = None,
                PolicyField::HoldDays => before.hold_days = None,
                PolicyField::MinorOnly => before.minor_only = None,
                PolicyField::Exclusions => before.exclusions = None,
                PolicyField::Windows => before.windows = None,
                PolicyField::TimeZone => before.time_zone = None,
                PolicyField::AutoApprove => before.auto_approve = None,
            }
        }
        PolicyFields {
            automatic: new.automatic.or(before.automatic),
            hold_days: new.hold_days.or(before.hold_days),
            minor_only: new.minor_only.or(before.minor_only),
            exclusions: new.exclusions.or(before.exclusions),
            windows: new.windows.or(before.windows),
            time_zone: new.time_zone.or(before.time_zone),
            auto_approve: new.auto_approve.or(before.auto_approve),
        }
    }
}

fn read(set: SetPolicy) -> Result<Said> {
    let mut problems = Vec::new();
    let mut no = |field, text: String| problems.push(Problem::new(field, text));
    if set.hold_days.is_some_and(|days| days > LONGEST_HOLD) {
        no("hold_days", format!("must be at most {LONGEST_HOLD}"));
    }
    let exclusions = set.exclusions.map(|patterns| {
        if patterns.len() > MOST_EXCLUSIONS {
            let text = format!("are too many (maximum is {MOST_EXCLUSIONS})");
            no("exclusions", text);
            return Vec::new();
        }
        let mut read = Vec::new();
        for pattern in &patterns {
            match read_pattern(pattern) {
                Ok(pattern) => read.push(pattern),
                Err(why) => no("exclusions", format!("cannot be: {why}")),
            }
        }
        read.sort();
        read.dedup();
        read
    });
    let windows = set.windows.map(|texts| {
        if texts.len() > MOST_WINDOWS {
            let text = format!("are too many (maximum is {MOST_WINDOWS})");
            no("windows", text);
            return Vec::new();
        }
        let mut read = Vec::new();
        for text in &texts {
            match Window::parse(text) {
                Ok(window) => read.push(window),
                Err(why) => no("windows", format!("cannot be: {why}")),
            }
        }
        read
    });
    let time_zone = set.time_zone.map(|name| {
        let known = zone(&name);
        if known.is_none() {
            let shown: String = name.chars().take(60).collect();
            let text = format!(
                "`{}` is not known: name one of the IANA database, such as `Europe/Berlin`, \
                 or `UTC`",
                shown.escape_debug()
            );
            no("time_zone", text);
        }
        // As the database writes it, however it was written here.
        known
            .as_ref()
            .and_then(|zone| zone.iana_name())
            .map_or(name, str::to_owned)
    });
    refuse(problems)?;
    Ok(Said {
        fields: PolicyFields {
            automatic: set.automatic,
            hold_days: set.hold_days.map(i64::from),
            minor_only: set.minor_only,
            exclusions,
            windows: match windows {
                Some(windows) => Some(serde_json::to_value(windows).map_err(Error::internal)?),
                None => None,
            },
            time_zone,
            auto_approve: set.auto_approve,
        },
        inherit: set.inherit,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_cannot_be_is_told() {
        let set = SetPolicy {
            hold_days: Some(400),
            exclusions: Some(vec!["what".into()]),
            windows: Some(vec!["22:00-04:00".into(), "never".into()]),
            time_zone: Some("Europe/Atlantis".into()),
            ..SetPolicy::default()
        };
        let error = read(set).err().unwrap();
        let fields: Vec<_> = error.problems().iter().map(|it| it.field).collect();
        assert_eq!(fields, ["hold_days", "exclusions", "windows", "time_zone"]);
    }

    #[test]
    fn what_is_said_is_added_to_what_was() {
        let first = read(SetPolicy {
            automatic: Some(true),
            time_zone: Some("europe/berlin".into()),
            windows: Some(vec!["sat 1:00-3:00".into()]),
            ..SetPolicy::default()
        });
        let first = first.unwrap().over(PolicyFields::default());
        assert_eq!(first.time_zone.as_deref(), Some("Europe/Berlin"));
        let second = read(SetPolicy {
            hold_days: Some(3),
            inherit: vec![PolicyField::Windows],
            ..SetPolicy::default()
        });
        let second = second.unwrap().over(first);
        assert_eq!((second.automatic, second.hold_days), (Some(true), Some(3)));
        assert_eq!(second.windows, None);
    }
}
