//! What is updated by itself, and when: an account's say, and that of one of its sites.

use crate::{
    Console,
    errors::{Failure, sentence},
    frame::{Frame, Section},
    moment::Moment,
    pages::{path::site_id, people::account_id, pipeline::begin::lines},
    prose::Prose,
    session::Current,
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use pressroom_base::{Kind, Timestamp};
use pressroom_fleet::{
    Error,
    authorize::Action,
    policies::{
        Origin, PolicyField, PolicyTarget, PolicyView, Seen, SetPolicy, UpdatePolicy, Window,
    },
};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "policy.html")]
pub(crate) struct PolicyPage {
    pub(crate) frame: Frame,
    /// This page.
    pub(crate) href: String,
    /// Where it belongs, as address and name.
    pub(crate) of: (String, String),
    /// The account's page like this one and its name, where this is a site's.
    pub(crate) account: Option<(String, String)>,
    /// What applies where nothing is said here.
    pub(crate) wider: UpdatePolicy,
    /// What it means now.
    pub(crate) standing: Option<Standing>,
    /// Who said it last, and when.
    pub(crate) said: Option<(String, Moment)>,
    /// The windows' time zone where this policy names none.
    pub(crate) zone: Option<String>,
    pub(crate) typed: Typed,
    /// Whether whoever looks may change it.
    pub(crate) may: bool,
    pub(crate) saved: bool,
    pub(crate) problem: Option<Prose>,
}

/// What a policy means for its site now.
pub(crate) struct Standing {
    pub(crate) words: String,
    pub(crate) at: Option<Moment>,
    /// Whether somebody should see to it.
    pub(crate) is_trouble: bool,
}

/// The form. What is left empty is not said here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Typed {
    /// What was there when the page was made, see [`seen`].
    pub(crate) seen: String,
    pub(crate) automatic: String,
    pub(crate) auto_approve: String,
    pub(crate) minor_only: String,
    pub(crate) hold_days: String,
    pub(crate) exclusions: String,
    pub(crate) windows: String,
    pub(crate) any_time: String,
    pub(crate) time_zone: String,
}

#[derive(Deserialize)]
pub(crate) struct After {
    saved: Option<String>,
}

/// `GET /sites/{id}/policy`
pub(crate) async fn of_site(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
    Query(after): Query<After>,
) -> Result<Html<String>, Failure> {
    show(
        &console,
        &current,
        PolicyTarget::Site(site_id(&id)?),
        &after,
    )
    .await
}

/// `GET /people/{id}/policy`
pub(crate) async fn of_account(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
    Query(after): Query<After>,
) -> Result<Html<String>, Failure> {
    let target = PolicyTarget::Account(account_id(&id)?);
    show(&console, &current, target, &after).await
}

/// `POST /sites/{id}/policy`
pub(crate) async fn set_site(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
    Form(form): Form<Typed>,
) -> Result<Response, Failure> {
    set(&console, &current, PolicyTarget::Site(site_id(&id)?), form).await
}

/// `POST /people/{id}/policy`
pub(crate) async fn set_account(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
    Form(form): Form<Typed>,
) -> Result<Response, Failure> {
    let target = PolicyTarget::Account(account_id(&id)?);
    set(&console, &current, target, form).await
}

async fn show(
    console: &Console,
    current: &Current,
    target: PolicyTarget,
    after: &After,
) -> Result<Html<String>, Failure> {
    let mut page = page(console, current, target).await?;
    page.saved = after.saved.is_some();
    Ok(Html(page.render()?))
}

async fn set(
    console: &Console,
    current: &Current,
    target: PolicyTarget,
    form: Typed,
) -> Result<Response, Failure> {
    let caller = current.caller();
    let said = match form.read() {
        Ok(said) => console.fleet.set_update_policy(&caller, target, said).await,
        Err(error) => Err(error),
    };
    let Err(refused) = said else {
        let saved = format!("{}/policy?saved=1", owner(target));
        return Ok(Redirect::to(&saved).into_response());
    };
    let (status, hint) = match refused.kind() {
        Kind::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, ""),
        Kind::Conflict => (
            StatusCode::CONFLICT,
            ". Nothing was saved: open the page anew to see what is set now, and say it there",
        ),
        _ => return Err(refused.into()),
    };
    let mut page = page(console, current, target).await?;
    // Somebody who may look and no more is told so, whatever was typed.
    if !page.may {
        let why = "you are not allowed to change the update policy";
        return Err(Error::new(Kind::Forbidden, why).into());
    }
    page.typed = form;
    page.problem = Some(Prose::from(sentence(refused.message()) + hint));
    Ok((status, Html(page.render()?)).into_response())
}

async fn page(
    console: &Console,
    current: &Current,
    target: PolicyTarget,
) -> Result<PolicyPage, Failure> {
    let (fleet, caller) = (&console.fleet, current.caller());
    let view = fleet.update_policy_of(&caller, target).await?;
    let (section, account) = match target {
        PolicyTarget::Account(_) => (Section::People, None),
        PolicyTarget::Site(_) => {
            let account = PolicyTarget::Account(view.account_id);
            let account = fleet.update_policy_of(&caller, account).await?;
            (Section::Sites, Some(account))
        }
    };
    let frame = current.frame("Update policy", section);
    let may = current.may(Action::UpgradeApprove, view.account_id);
    Ok(PolicyPage::new(frame, target, &view, account, may))
}

/// The page of what has the policy.
fn owner(target: PolicyTarget) -> String {
    match target {
        PolicyTarget::Account(id) => format!("/people/{id}"),
        PolicyTarget::Site(id) => format!("/sites/{id}"),
    }
}

impl PolicyPage {
    /// The page of this, which says that; of a site with what its account says.
    pub(crate) fn new(
        frame: Frame,
        target: PolicyTarget,
        view: &PolicyView,
        account: Option<PolicyView>,
        may: bool,
    ) -> Self {
        let now = Timestamp::now();
        let of = owner(target);
        let here = match target {
            PolicyTarget::Account(_) => Origin::Account,
            PolicyTarget::Site(_) => Origin::Site,
        };
        let name = match &view.site {
            Some(url) => url.split_once("://").map_or(url.as_str(), |(_, rest)| rest),
            None => &view.account,
        };
        let wider = account.as_ref();
        Self {
            frame,
            href: format!("{of}/policy"),
            of: (of, name.to_owned()),
            standing: standing(view, now),
            said: view.actor.clone().zip(view.said_at).map(|(actor, at)| {
                let at = Moment::new(at, now);
                (actor, at)
            }),
            zone: wider
                .and_then(|wider| wider.policy.time_zone.clone())
                .or_else(|| {
                    view.zone
                        .clone()
                        .filter(|_| view.policy.time_zone.is_none())
                }),
            wider: wider.map(|wider| wider.policy.clone()).unwrap_or_default(),
            account: account.map(|account| {
                let id = PolicyTarget::Account(account.account_id);
                (format!("{}/policy", owner(id)), account.account)
            }),
            typed: Typed::of(view, here),
            may,
            saved: false,
            problem: None,
        }
    }

    /// What applies where one says nothing.
    pub(crate) fn otherwise(&self, is: bool) -> String {
        let is = if is { "yes" } else { "no" };
        match self.account {
            Some(_) => format!("As the account says: {is}"),
            None => format!("Not set: {is}"),
        }
    }

    /// What is excluded by the account.
    pub(crate) fn exclusions(&self) -> String {
        self.wider.exclusions.join(", ")
    }

    /// When updates may be made where one names no window.
    pub(crate) fn windows(&self) -> String {
        if self.wider.windows.is_empty() {
            return "at any time".to_owned();
        }
        joined(&self.wider.windows, ", and ")
    }

    /// Of which time zone windows are where one names none.
    pub(crate) fn clocks(&self) -> String {
        match &self.wider.time_zone {
            Some(zone) => format!("{zone}, as the account says"),
            None => "that of the site's own clocks".to_owned(),
        }
    }
}

/// What it means now.
fn standing(view: &PolicyView, now: Timestamp) -> Option<Standing> {
    view.site.as_ref()?;
    let say = |words: &str, at| Standing {
        words: words.to_owned(),
        at,
        is_trouble: false,
    };
    if !view.policy.automatic {
        return Some(say("Nothing is updated by itself here", None));
    }
    if let Some(hindrance) = view.hindrance {
        return Some(Standing {
            words: sentence(hindrance.words()),
            at: None,
            is_trouble: true,
        });
    }
    let Some(is) = view.now else {
        return Some(say(
            "When the windows open is known once the site has told its time zone",
            None,
        ));
    };
    let at = is.until.map(|at| Moment::new(at, now));
    Some(match (is.open, &at) {
        (true, None) => say("Updates may begin at any time", None),
        (true, Some(_)) => say("The window is open, and closes", at),
        (false, Some(_)) => say("The next window opens", at),
        (false, None) => say("No window ever opens: nothing is updated", None),
    })
}

fn joined(windows: &[Window], between: &str) -> String {
    let windows: Vec<_> = windows.iter().map(ToString::to_string).collect();
    windows.join(between)
}

/// What a form says that it was made from: the instant of what was said, or `none`.
fn seen(view: &PolicyView) -> String {
    let at = view.said_at.map(|at| at.millis().to_string());
    at.unwrap_or_else(|| "none".to_owned())
}

impl Typed {
    /// What is said here and nowhere else.
    fn of(view: &PolicyView, here: Origin) -> Self {
        let policy = &view.policy;
        let own = |field| view.from.get(&field) == Some(&here);
        let switch = |field, is| match (own(field), is) {
            (false, _) => String::new(),
            (true, true) => "on".to_owned(),
            (true, false) => "off".to_owned(),
        };
        let windows = own(PolicyField::Windows);
        let any_time = windows && policy.windows.is_empty();
        Self {
            seen: seen(view),
            automatic: switch(PolicyField::Automatic, policy.automatic),
            auto_approve: switch(PolicyField::AutoApprove, policy.auto_approve),
            minor_only: switch(PolicyField::MinorOnly, policy.minor_only),
            hold_days: if own(PolicyField::HoldDays) {
                policy.hold_days.to_string()
            } else {
                String::new()
            },
            exclusions: view.own_exclusions.join("\n"),
            windows: if windows {
                joined(&policy.windows, "\n")
            } else {
                String::new()
            },
            any_time: if any_time { "on" } else { "" }.to_owned(),
            time_zone: if own(PolicyField::TimeZone) {
                policy.time_zone.clone().unwrap_or_default()
            } else {
                String::new()
            },
        }
    }

    /// What is said, and what is left to others.
    fn read(&self) -> Result<SetPolicy, Error> {
        let windows = lines(&self.windows);
        let any_time = switch(&self.any_time)?.unwrap_or(false);
        Ok(SetPolicy {
            automatic: switch(&self.automatic)?,
            auto_approve: switch(&self.auto_approve)?,
            minor_only: switch(&self.minor_only)?,
            hold_days: days(self.hold_days.trim())?,
            exclusions: Some(lines(&self.exclusions)).filter(|these| !these.is_empty()),
            windows: match (windows.is_empty(), any_time) {
                (true, false) => None,
                (true, true) | (false, false) => Some(windows),
                (false, true) => {
                    let why = "name windows, or say that any time will do, and not both";
                    return Err(Error::invalid(why));
                }
            },
            time_zone: Some(self.time_zone.trim().to_owned()).filter(|zone| !zone.is_empty()),
            inherit: PolicyField::ALL.to_vec(),
            seen: match self.seen.as_str() {
                "none" => Seen::Nothing,
                at => Seen::Of(Timestamp::from_millis(at.parse().map_err(|_| {
                    Error::invalid("reload the page: what it was made from is not known")
                })?)),
            },
        })
    }
}

fn switch(text: &str) -> Result<Option<bool>, Error> {
    match text {
        "" => Ok(None),
        "on" => Ok(Some(true)),
        "off" => Ok(Some(false)),
        _ => Err(Error::invalid("choose yes, no, or leave it open")),
    }
}

fn days(text: &str) -> Result<Option<u32>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    let days = text.parse();
    days.map(Some).map_err(|_| {
        Error::invalid("how long a release waits is a number of whole days, such as `7`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_base::id::AccountId;

    fn none() -> Typed {
        Typed {
            seen: "none".into(),
            ..Typed::default()
        }
    }

    #[test]
    fn what_is_left_empty_is_left_to_others() {
        let nothing = none().read().unwrap();
        let bare = SetPolicy {
            inherit: PolicyField::ALL.to_vec(),
            seen: Seen::Nothing,
            ..SetPolicy::default()
        };
        assert_eq!(format!("{nothing:?}"), format!("{bare:?}"));
        let typed = Typed {
            seen: "7".into(),
            automatic: "on".into(),
            minor_only: "off".into(),
            hold_days: " 7 ".into(),
            exclusions: "core\r\n\r\n plugin:woo* ".into(),
            windows: "sat,sun 22:00-04:00\r\n".into(),
            ..Typed::default()
        };
        let set = typed.read().unwrap();
        assert_eq!((set.automatic, set.minor_only), (Some(true), Some(false)));
        assert_eq!((set.auto_approve, set.time_zone), (None, None));
        assert_eq!(set.hold_days, Some(7));
        assert_eq!(set.exclusions.unwrap(), ["core", "plugin:woo*"]);
        assert_eq!(set.windows.unwrap(), ["sat,sun 22:00-04:00"]);
        assert_eq!(set.seen, Seen::Of(Timestamp::from_millis(7)));
        let any_time = Typed {
            any_time: "on".into(),
            ..none()
        };
        assert_eq!(any_time.read().unwrap().windows, Some(Vec::new()));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let both = Typed {
            any_time: "on".into(),
            windows: "sat 22:00-04:00".into(),
            ..none()
        };
        let maybe = Typed {
            automatic: "maybe".into(),
            ..none()
        };
        let soon = Typed {
            hold_days: "-1".into(),
            ..none()
        };
        for wrong in [both, maybe, soon, Typed::default()] {
            assert_eq!(wrong.read().unwrap_err().kind(), Kind::Invalid);
        }
    }

    /// A site that says all of it, beside an account that excludes something too.
    fn view(policy: UpdatePolicy) -> PolicyView {
        PolicyView {
            account: "Acme".into(),
            account_id: AccountId::new(1),
            site: Some("https://shop.example".into()),
            policy,
            from: PolicyField::ALL
                .into_iter()
                .map(|field| (field, Origin::Site))
                .collect(),
            own_exclusions: vec!["plugin:a".into()],
            actor: Some("mara@acme.example".into()),
            said_at: Some(Timestamp::from_millis(7)),
            zone: None,
            now: None,
            hindrance: None,
        }
    }

    #[test]
    fn a_form_sent_as_it_was_shown_says_the_same() {
        let windows = ["mon,wed,fri 01:00-05:00", "sun 22:00-04:00"];
        let policy = UpdatePolicy {
            automatic: true,
            hold_days: 0,
            minor_only: false,
            exclusions: vec!["core".into(), "plugin:a".into()],
            windows: windows.map(|it| Window::parse(it).unwrap()).to_vec(),
            time_zone: Some("+05:30".into()),
            auto_approve: false,
        };
        let all = view(policy);
        let set = Typed::of(&all, Origin::Site).read().unwrap();
        assert_eq!(set.automatic, Some(true));
        assert_eq!(
            (set.minor_only, set.auto_approve),
            (Some(false), Some(false))
        );
        assert_eq!(set.hold_days, Some(0));
        assert_eq!(set.exclusions.unwrap(), ["plugin:a"]);
        let again: Vec<_> = set.windows.unwrap();
        let again = again.iter().map(|it| Window::parse(it).unwrap());
        assert_eq!(again.collect::<Vec<_>>(), all.policy.windows);
        assert_eq!(set.time_zone.as_deref(), Some("+05:30"));
        assert_eq!(set.seen, Seen::Of(Timestamp::from_millis(7)));
        // Any time is said too, and what the account says is not.
        let mut open = view(UpdatePolicy::default());
        open.from.insert(PolicyField::Automatic, Origin::Account);
        let set = Typed::of(&open, Origin::Site).read().unwrap();
        assert_eq!(set.windows, Some(Vec::new()));
        assert_eq!(set.automatic, None);
    }
}
