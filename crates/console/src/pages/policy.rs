//! What is updated by itself, and when: an account's say, and that of one of its sites.

use crate::{
    Console,
    errors::{Failure, sentence},
    frame::{Frame, Section},
    moment::Moment,
    pages::{fleet::name, path::site_id, people::account_id, pipeline::begin::lines},
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
use pressroom_base::{Kind, Timestamp, id::AccountId};
use pressroom_fleet::{
    Error,
    authorize::Action,
    policies::{Origin, PolicyField, PolicyTarget, PolicyView, SetPolicy, UpdatePolicy, Window},
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
    /// Who says what is left open here: an account, or nobody.
    pub(crate) wider: Wider,
    /// What it means for the site now; `None` in an account.
    pub(crate) standing: Option<(&'static str, Option<Moment>)>,
    /// The windows' time zone where this policy names none.
    pub(crate) zone: Option<String>,
    pub(crate) typed: Typed,
    /// Whether whoever looks may change it.
    pub(crate) may: bool,
    pub(crate) saved: bool,
    pub(crate) problem: Option<Prose>,
}

/// What applies where nothing is said here.
pub(crate) struct Wider {
    /// The account, where this is a site: as address and name.
    pub(crate) account: Option<(String, String)>,
    pub(crate) policy: UpdatePolicy,
}

/// The form. What is left empty is not said here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Typed {
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

/// Whose policy a page shows.
enum Whose {
    Account(AccountId),
    Site(String),
}

/// `GET /sites/{id}/policy`
pub(crate) async fn of_site(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
    Query(after): Query<After>,
) -> Result<Response, Failure> {
    let page = page(&console, &current, &Whose::Site(id)).await?;
    shown(page, &after)
}

/// `GET /people/{id}/policy`
pub(crate) async fn of_account(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
    Query(after): Query<After>,
) -> Result<Response, Failure> {
    let whose = Whose::Account(account_id(&id)?);
    shown(page(&console, &current, &whose).await?, &after)
}

/// `POST /sites/{id}/policy`
pub(crate) async fn set_site(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
    Form(form): Form<Typed>,
) -> Result<Response, Failure> {
    let target = PolicyTarget::Site(site_id(&id)?);
    set(&console, &current, target, &Whose::Site(id), form).await
}

/// `POST /people/{id}/policy`
pub(crate) async fn set_account(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
    Form(form): Form<Typed>,
) -> Result<Response, Failure> {
    let id = account_id(&id)?;
    let (target, whose) = (PolicyTarget::Account(id), Whose::Account(id));
    set(&console, &current, target, &whose, form).await
}

async fn set(
    console: &Console,
    current: &Current,
    target: PolicyTarget,
    whose: &Whose,
    form: Typed,
) -> Result<Response, Failure> {
    let (fleet, caller) = (&console.fleet, current.caller());
    let said = match form.read() {
        Ok(said) => fleet.set_update_policy(&caller, target, said).await,
        Err(error) => {
            // What is not theirs is not theirs, whatever they typed.
            fleet.update_policy_of(&caller, target).await?;
            Err(error)
        }
    };
    match said {
        Ok(_) => {
            let href = whose.href();
            Ok(Redirect::to(&format!("{href}?saved=1")).into_response())
        }
        Err(error) if error.kind() == Kind::Invalid => {
            let mut page = page(console, current, whose).await?;
            page.typed = form;
            page.problem = Some(Prose::from(sentence(error.message())));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page.render()?)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn page(console: &Console, current: &Current, whose: &Whose) -> Result<PolicyPage, Failure> {
    let (fleet, caller) = (&console.fleet, current.caller());
    match whose {
        Whose::Account(id) => {
            let view = fleet
                .update_policy_of(&caller, PolicyTarget::Account(*id))
                .await?;
            let frame = current.frame("Update policy", Section::People);
            let of = (format!("/people/{id}"), view.account.clone());
            let mut page = PolicyPage::new(frame, of, &view, None);
            page.may = current.may(Action::UpgradeApprove, *id);
            Ok(page)
        }
        Whose::Site(id) => {
            let id = site_id(id)?;
            let site = fleet.get_environment(&caller, Action::SiteRead, id).await?;
            let view = fleet.update_policy_of(&caller, PolicyTarget::Site(id));
            let account = PolicyTarget::Account(site.account_id);
            let (view, account) = (view.await?, fleet.update_policy_of(&caller, account).await?);
            let frame = current.frame("Update policy", Section::Sites);
            let of = (format!("/sites/{id}"), name(&site).to_owned());
            let wider = (format!("/people/{}", site.account_id), account);
            let mut page = PolicyPage::new(frame, of, &view, Some(wider));
            page.may = current.may(Action::UpgradeApprove, site.account_id);
            Ok(page)
        }
    }
}

fn shown(mut page: PolicyPage, after: &After) -> Result<Response, Failure> {
    page.saved = after.saved.is_some();
    Ok(Html(page.render()?).into_response())
}

impl Whose {
    fn href(&self) -> String {
        match self {
            Self::Account(id) => format!("/people/{id}/policy"),
            Self::Site(id) => format!("/sites/{id}/policy"),
        }
    }
}

impl PolicyPage {
    /// The page of what belongs there, and says this; of a site with its account and what that
    /// says.
    pub(crate) fn new(
        frame: Frame,
        of: (String, String),
        view: &PolicyView,
        account: Option<(String, PolicyView)>,
    ) -> Self {
        let now = Timestamp::now();
        let here = if account.is_some() {
            Origin::Site
        } else {
            Origin::Account
        };
        Self {
            frame,
            href: format!("{}/policy", of.0),
            of,
            standing: standing(view, now),
            zone: match &account {
                Some((_, account)) => account.policy.time_zone.clone().or_else(|| {
                    let own = view.policy.time_zone.is_none();
                    own.then(|| view.zone.clone()).flatten()
                }),
                None => None,
            },
            wider: match account {
                Some((href, account)) => Wider {
                    account: Some((href, account.account)),
                    policy: account.policy,
                },
                None => Wider {
                    account: None,
                    policy: UpdatePolicy::default(),
                },
            },
            typed: Typed::of(view, here),
            may: false,
            saved: false,
            problem: None,
        }
    }
}

/// What it means now.
fn standing(view: &PolicyView, now: Timestamp) -> Option<(&'static str, Option<Moment>)> {
    let is = view.now?;
    if !view.policy.automatic {
        return Some(("Nothing is updated by itself here", None));
    }
    let at = is.until.map(|at| Moment::new(at, now));
    Some(match (is.open, &at) {
        (true, None) => ("Updates may begin at any time", None),
        (true, Some(_)) => ("The window is open, and closes", at),
        (false, Some(_)) => ("The next window opens", at),
        (false, None) => ("No window ever opens: nothing is updated", None),
    })
}

impl Wider {
    /// Who says it.
    pub(crate) fn says(&self) -> &'static str {
        if self.account.is_some() {
            "As the account says"
        } else {
            "As usual"
        }
    }

    /// What is excluded there already.
    pub(crate) fn exclusions(&self) -> String {
        self.policy.exclusions.join(", ")
    }

    /// When updates may be made there.
    pub(crate) fn windows(&self) -> String {
        if self.policy.windows.is_empty() {
            return "at any time".to_owned();
        }
        joined(&self.policy.windows, "; ")
    }
}

fn joined(windows: &[Window], between: &str) -> String {
    let windows: Vec<_> = windows.iter().map(ToString::to_string).collect();
    windows.join(between)
}

/// For people.
pub(crate) fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
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
        let mut set = SetPolicy {
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
            inherit: Vec::new(),
        };
        let said = [
            (PolicyField::Automatic, set.automatic.is_some()),
            (PolicyField::AutoApprove, set.auto_approve.is_some()),
            (PolicyField::MinorOnly, set.minor_only.is_some()),
            (PolicyField::HoldDays, set.hold_days.is_some()),
            (PolicyField::Exclusions, set.exclusions.is_some()),
            (PolicyField::Windows, set.windows.is_some()),
            (PolicyField::TimeZone, set.time_zone.is_some()),
        ];
        let unsaid = said.into_iter().filter(|(_, is_said)| !is_said);
        set.inherit = unsaid.map(|(field, _)| field).collect();
        Ok(set)
    }
}

fn switch(text: &str) -> Result<Option<bool>, Error> {
    match text {
        "" => Ok(None),
        "on" => Ok(Some(true)),
        "off" => Ok(Some(false)),
        _ => Err(Error::invalid("choose yes, no, or what others say")),
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

    #[test]
    fn what_is_left_empty_is_left_to_others() {
        let nothing = Typed::default().read().unwrap();
        assert_eq!(nothing.inherit.len(), PolicyField::ALL.len());
        let typed = Typed {
            automatic: "on".into(),
            minor_only: "off".into(),
            hold_days: " 7 ".into(),
            exclusions: "core\r\n\r\n plugin:woo* ".into(),
            windows: "sat,sun 22:00-04:00\r\n".into(),
            ..Typed::default()
        };
        let set = typed.read().unwrap();
        assert_eq!((set.automatic, set.minor_only), (Some(true), Some(false)));
        assert_eq!(set.hold_days, Some(7));
        assert_eq!(set.exclusions.unwrap(), ["core", "plugin:woo*"]);
        assert_eq!(set.windows.unwrap(), ["sat,sun 22:00-04:00"]);
        let left = [PolicyField::AutoApprove, PolicyField::TimeZone];
        assert_eq!(set.inherit, left);
        let any_time = Typed {
            any_time: "on".into(),
            ..Typed::default()
        };
        let set = any_time.read().unwrap();
        assert_eq!(set.windows, Some(Vec::new()));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let both = Typed {
            any_time: "on".into(),
            windows: "sat 22:00-04:00".into(),
            ..Typed::default()
        };
        let maybe = Typed {
            automatic: "maybe".into(),
            ..Typed::default()
        };
        let soon = Typed {
            hold_days: "-1".into(),
            ..Typed::default()
        };
        for wrong in [both, maybe, soon] {
            assert_eq!(wrong.read().unwrap_err().kind(), Kind::Invalid);
        }
    }

    #[test]
    fn a_form_sent_as_it_was_shown_changes_nothing() {
        let view = PolicyView {
            account: "Acme".into(),
            site: Some("https://shop.example".into()),
            policy: UpdatePolicy {
                automatic: true,
                hold_days: 3,
                exclusions: vec!["core".into(), "plugin:a".into()],
                ..UpdatePolicy::default()
            },
            from: [
                (PolicyField::Automatic, Origin::Account),
                (PolicyField::HoldDays, Origin::Site),
                (PolicyField::Exclusions, Origin::Site),
                (PolicyField::Windows, Origin::Site),
            ]
            .into(),
            own_exclusions: vec!["plugin:a".into()],
            zone: None,
            now: None,
        };
        let set = Typed::of(&view, Origin::Site).read().unwrap();
        assert_eq!(set.automatic, None);
        assert_eq!(set.hold_days, Some(3));
        assert_eq!(set.exclusions.unwrap(), ["plugin:a"]);
        assert_eq!(set.windows, Some(Vec::new()));
        assert!(set.inherit.contains(&PolicyField::Automatic));
    }
}
