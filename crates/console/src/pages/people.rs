//! Who belongs to an account, who is invited, and inviting somebody.

use crate::{
    Console,
    badge::Badge,
    errors::{Failure, sentence},
    frame::{Frame, Section},
    moment::Moment,
    session::Current,
    wording,
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use pressroom_base::{Kind, Timestamp, id::AccountId};
use pressroom_fleet::{
    Error, Fleet,
    authorize::Action,
    invitations::{Invitation, Invited, NewInvitation},
    mail::Passing,
    principal::Role,
    users::Person,
    views::Account,
};
use serde::Deserialize;

/// People shown at once.
const SHOWN: u64 = 500;
/// Accounts one can go to from here.
const ACCOUNTS: usize = 100;

#[derive(Template)]
#[template(path = "people.html")]
pub(crate) struct PeoplePage {
    pub(crate) frame: Frame,
    /// `None` for somebody in no account.
    pub(crate) people: Option<People>,
}

/// The people of one account.
#[derive(Debug)]
pub(crate) struct People {
    pub(crate) href: String,
    pub(crate) account: String,
    /// The other accounts, as address and name.
    pub(crate) others: Vec<(String, String)>,
    pub(crate) members: Vec<MemberRow>,
    /// How many they are, shown or not.
    pub(crate) total: u64,
    pub(crate) invitations: Vec<InvitationRow>,
    /// What whoever looks may invite to, as value, name and words; empty for who may not.
    pub(crate) roles: Vec<(&'static str, &'static str, &'static str)>,
    /// Whether links go out by mail.
    pub(crate) by_mail: bool,
    pub(crate) invited: Option<InvitedNow>,
    pub(crate) problem: Option<String>,
    pub(crate) typed: Invite,
}

/// One person.
#[derive(Debug)]
pub(crate) struct MemberRow {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) role: &'static str,
    pub(crate) second_factor: Badge,
    pub(crate) since: Moment,
}

/// One invitation that may be accepted.
#[derive(Debug)]
pub(crate) struct InvitationRow {
    pub(crate) email: String,
    pub(crate) role: &'static str,
    pub(crate) inviter: String,
    pub(crate) until: Moment,
}

/// Somebody who was invited just now.
#[derive(Debug)]
pub(crate) struct InvitedNow {
    pub(crate) email: String,
    /// To be passed on by hand; shown this once.
    pub(crate) link: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Invite {
    #[serde(default)]
    pub(crate) email: String,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) role: String,
}

#[derive(Deserialize)]
pub(crate) struct Withdraw {
    #[serde(default)]
    email: String,
}

/// `GET /people`
pub(crate) async fn home(
    State(console): State<Console>,
    current: Current,
) -> Result<Response, Failure> {
    let accounts = console.fleet.list_accounts(&current.caller()).await?;
    let own = current.0.principal.memberships.first().map(|own| own.0);
    let first = own.or_else(|| accounts.first().map(|account| account.id));
    if let Some(first) = first {
        return Ok(Redirect::to(&format!("/people/{first}")).into_response());
    }
    let page = PeoplePage {
        frame: current.frame("People", Section::People),
        people: None,
    };
    Ok(Html(page.render()?).into_response())
}

/// `GET /people/{id}`
pub(crate) async fn show(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let people = people(&console, &current, account_id(&id)?).await?;
    render(StatusCode::OK, &current, people)
}

/// `POST /people/{id}/invite`
pub(crate) async fn invite(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
    Form(form): Form<Invite>,
) -> Result<Response, Failure> {
    let account = account_id(&id)?;
    let refused = match Role::parse(&form.role) {
        None => Error::invalid("choose a role"),
        Some(role) => {
            let new = NewInvitation {
                account,
                email: form.email.clone(),
                name: form.name.clone(),
                role,
                passing: Passing::ByMail,
            };
            match console.fleet.invite(&current.caller(), new).await {
                Err(error) => error,
                Ok(invited) => {
                    let mut people = people(&console, &current, account).await?;
                    people.invited = Some(InvitedNow::from(invited));
                    return render(StatusCode::OK, &current, people);
                }
            }
        }
    };
    let status = match refused.kind() {
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Limited => StatusCode::TOO_MANY_REQUESTS,
        _ => return Err(refused.into()),
    };
    let mut people = people(&console, &current, account).await?;
    (people.problem, people.typed) = (Some(sentence(refused.message())), form);
    render(status, &current, people)
}

/// `POST /people/{id}/withdraw`
pub(crate) async fn withdraw(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
    Form(form): Form<Withdraw>,
) -> Result<Redirect, Failure> {
    let (fleet, caller) = (&console.fleet, current.caller());
    let account = fleet.get_account(&caller, account_id(&id)?).await?;
    let withdrawn = fleet.withdraw_invitation(&caller, account.id, &form.email);
    match withdrawn.await {
        Ok(_) => {}
        // It was accepted or taken back meanwhile: the page shows how it is.
        Err(error) if error.kind() == Kind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    Ok(Redirect::to(&format!("/people/{}", account.id)))
}

async fn people(
    console: &Console,
    current: &Current,
    account: AccountId,
) -> Result<People, Failure> {
    let (fleet, caller) = (&console.fleet, current.caller());
    let account = fleet.get_account(&caller, account).await?;
    let (members, total) = fleet.list_people(&caller, account.id, SHOWN, 0).await?;
    let invitations = if current.may(Action::AccountInvite, account.id) {
        fleet.list_invitations(&caller, Some(account.id)).await?
    } else {
        Vec::new()
    };
    let accounts = fleet.list_accounts(&caller).await?;
    let mut people = People::new(&account, &members, &invitations, Timestamp::now());
    people.total = total;
    people.others = accounts
        .into_iter()
        .filter(|other| other.id != account.id)
        .take(ACCOUNTS)
        .map(|other| (format!("/people/{}", other.id), other.name))
        .collect();
    people.give(&Fleet::roles_to_give(&caller, account.id));
    people.by_mail = fleet.sends_mail();
    Ok(people)
}

fn render(status: StatusCode, current: &Current, people: People) -> Result<Response, Failure> {
    let page = PeoplePage {
        frame: current.frame(format!("People of {}", people.account), Section::People),
        people: Some(people),
    };
    Ok((status, Html(page.render()?)).into_response())
}

/// The account of `/people/{id}`. What is no id is not there.
pub(super) fn account_id(id: &str) -> Result<AccountId, Failure> {
    id.parse().map_err(|_| Failure::missing())
}

impl People {
    pub(crate) fn new(
        account: &Account,
        members: &[(Person, Role)],
        invitations: &[Invitation],
        now: Timestamp,
    ) -> Self {
        Self {
            href: format!("/people/{}", account.id),
            account: account.name.clone(),
            others: Vec::new(),
            members: members
                .iter()
                .map(|(person, role)| MemberRow::new(person, *role, now))
                .collect(),
            total: u64::try_from(members.len()).unwrap_or(u64::MAX),
            invitations: invitations
                .iter()
                .map(|invitation| InvitationRow {
                    email: invitation.email.clone(),
                    role: wording::role(invitation.role).0,
                    inviter: invitation.inviter.clone(),
                    until: Moment::new(invitation.expires_at, now),
                })
                .collect(),
            roles: Vec::new(),
            by_mail: false,
            invited: None,
            problem: None,
            typed: Invite::default(),
        }
    }

    /// Offers these roles.
    pub(crate) fn give(&mut self, roles: &[Role]) {
        let named = roles.iter().map(|role| {
            let (name, words) = wording::role(*role);
            (role.as_str(), name, words)
        });
        self.roles = named.collect();
    }
}

impl MemberRow {
    fn new(person: &Person, role: Role, now: Timestamp) -> Self {
        Self {
            name: if person.name.is_empty() {
                person.email.clone()
            } else {
                person.name.clone()
            },
            email: person.email.clone(),
            role: wording::role(role).0,
            second_factor: Badge::of_second_factor(person.second_factor),
            since: Moment::new(person.created_at, now),
        }
    }
}

impl From<Invited> for InvitedNow {
    fn from(invited: Invited) -> Self {
        Self {
            email: invited.invitation.email,
            link: invited.link.map(|link| link.expose().clone()),
        }
    }
}
