//! People, and the pages that links of theirs lead to.

use super::{ago, frame, now};
use crate::{
    frame::Section,
    pages::{
        forgot::{ForgotPage, ResetPage},
        invitation::{InvitationPage, Visitor},
        people::{InvitedNow, People, PeoplePage},
    },
    wording,
};
use askama::Template;
use pressroom_base::id::{AccountId, ShortId};
use pressroom_fleet::{
    invitations::{Invitation, Offer},
    mail::MailTrouble,
    principal::Role,
    users::Person,
    views::Account,
};
use std::time::Duration;

/// An account of this name with its people, and what they get by mail.
pub(super) fn people_pages(name: &str) -> Vec<(&'static str, askama::Result<String>)> {
    let invitation = Invitation {
        account_id: AccountId::new(1),
        account: name.into(),
        email: "neu@studio.example".into(),
        name: name.into(),
        role: Role::Member,
        inviter: name.into(),
        created_at: ago(3_000),
        expires_at: now().plus(Duration::from_hours(160)),
    };
    let people = |roles: &[Role], invited: Option<InvitedNow>, problem: Option<&str>| {
        let mut people = People::new(
            &Account {
                id: AccountId::new(1),
                name: name.into(),
                prefix: "studio".into(),
            },
            &[
                (person(name, true), Role::Owner),
                (person("", false), Role::Viewer),
            ],
            std::slice::from_ref(&invitation),
            now(),
        );
        people.others = vec![("/people/2".into(), name.into())];
        people.give(roles);
        (people.invited, people.problem) = (invited, problem.map(Into::into));
        let mut frame = frame("People", Section::People);
        frame.banner = Some(wording::mail_trouble(MailTrouble::GivenUp(2)));
        PeoplePage {
            frame,
            people: Some(people),
        }
        .render()
    };
    let link = |link: Option<&str>| InvitedNow {
        email: name.into(),
        link: link.map(Into::into),
    };
    let nobody = PeoplePage {
        frame: frame("People", Section::People),
        people: None,
    };
    let offer = Offer {
        invitation: invitation.clone(),
        known: false,
    };
    let opened = |visitor| InvitationPage::new("0".repeat(64), &offer, visitor);
    let mut refused = opened(Visitor::Known {
        instead_of: Some(name.into()),
    });
    refused.problem = Some("Type your password again, and the code that your app shows".into());
    refused.asks_code = true;
    let here = Visitor::Here {
        csrf: "c5rf".into(),
    };
    vec![
        ("people", people(Role::ALL, None, None)),
        ("people-viewer", people(&[], None, None)),
        (
            "people-invited",
            people(Role::ALL, Some(link(Some("https://p.example/i/0"))), None),
        ),
        ("people-mailed", people(Role::ALL, Some(link(None)), None)),
        (
            "people-refused",
            people(Role::ALL, None, Some("That is no address")),
        ),
        ("people-none", nobody.render()),
        ("invitation-new", opened(Visitor::New).render()),
        ("invitation-known", refused.render()),
        ("invitation-here", opened(here).render()),
        ("forgot", ForgotPage::new(true, false, None).render()),
        ("forgot-asked", ForgotPage::new(true, true, None).render()),
        (
            "forgot-no-mail",
            ForgotPage::new(false, false, None).render(),
        ),
        (
            "reset",
            ResetPage::new("0".repeat(64), "neu@studio.example".into(), None).render(),
        ),
    ]
}

fn person(name: &str, second_factor: bool) -> Person {
    Person {
        short_id: ShortId::random(),
        email: "mara@studio.example".into(),
        name: name.into(),
        second_factor,
        created_at: ago(900_000),
    }
}
