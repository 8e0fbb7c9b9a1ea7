//! Another password by a link, and what it ends.

use crate::{base::Base, sink::Sink};
use pressroom_base::{Kind, Secret, catalog::event, id::UserId};
use pressroom_fleet::{
    Error, Fleet, code,
    mail::{MailTrouble, Mailer, Passing},
    sessions::{Credentials, SignedIn},
    users::{NewPassword, NewUser},
};
use pressroom_store::{Page, Scope, activity, mails};
use std::{net::IpAddr, time::Duration};

crate::on_both! {
    a_link_by_mail_gives_another_password_once
    nobody_learns_who_is_known
    asking_is_limited_by_address_and_network
    an_operator_makes_a_link
    a_second_factor_stays
    what_is_too_late_is_not_sent
    operators_are_told_how_mail_goes
}

const OLD: &str = "correct horse battery";
const NEW: &str = "another long one";

fn home() -> IpAddr {
    IpAddr::from([192, 0, 2, 7])
}

async fn add(base: &Base, email: &str) -> UserId {
    let new = NewUser {
        email: email.into(),
        name: "Ann".into(),
        operator: false,
        password: Secret::new(OLD.into()),
    };
    base.fleet.add_user(&Base::console(), new).await.unwrap().id
}

async fn sign_in(fleet: &Fleet, password: &str) -> Result<SignedIn, Error> {
    fleet
        .sign_in(Credentials {
            email: "ann@example.com".into(),
            password: Secret::new(password.into()),
            code: None,
            address: home(),
            agent: String::new(),
        })
        .await
}

async fn reset(fleet: &Fleet, secret: &str, password: &str) -> Result<(), Error> {
    let new = NewPassword {
        secret: Secret::new(secret.into()),
        password: Secret::new(password.into()),
        address: home(),
    };
    fleet.reset_password(new).await.map(|_| ())
}

/// The secret of a link that an operator is told.
async fn issued(base: &Base) -> String {
    let console = Base::console();
    let issued = base
        .fleet
        .issue_password_reset(&console, "Ann@example.com", Passing::ByHand)
        .await
        .unwrap();
    let link = issued.link.expect("a link");
    let link = link.expose().strip_prefix("https://press.example/reset/");
    link.expect("an address of ours").to_owned()
}

async fn log(base: &Base) -> Vec<String> {
    let rows = activity::list(&base.store, &Scope::All, Page::ALL)
        .await
        .unwrap();
    rows.into_iter().rev().map(|row| row.kind).collect()
}

async fn a_link_by_mail_gives_another_password_once(base: Base) {
    let sink = Sink::new().await;
    let fleet = base.fleet.clone().with_mail(sink.smtp());
    let mut mailer = Mailer::new(fleet.clone());
    add(&base, "ann@example.com").await;
    let session = sign_in(&fleet, OLD).await.unwrap();
    fleet
        .ask_password_reset(" Ann@Example.com ", home())
        .await
        .unwrap();
    fleet
        .ask_password_reset("ann@example.com", home())
        .await
        .unwrap();
    assert_eq!(mailer.send_due().await.unwrap(), 2);
    let taken = sink.taken();
    assert_eq!(taken[0].to, "ann@example.com");
    assert_eq!(taken[0].header("Subject"), "Another password for Pressroom");
    let (first, second) = (taken[0].secret("reset"), taken[1].secret("reset"));
    assert_ne!(first, second);
    // Asking changes nothing.
    assert!(sign_in(&fleet, OLD).await.is_ok());
    assert_eq!(
        fleet.password_reset(&first).await.unwrap().email,
        "ann@example.com"
    );
    let short = reset(&fleet, &first, "short").await.unwrap_err();
    assert_eq!(short.kind(), Kind::Invalid);

    // Several at once: one of them.
    let tries = (0..3).map(|_| reset(&fleet, &first, NEW));
    let ends = futures_util::future::join_all(tries).await;
    assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 1, "{ends:?}");
    for secret in [&first, &second] {
        let again = reset(&fleet, secret, "a third long one").await.unwrap_err();
        assert_eq!(again.kind(), Kind::NotFound, "the other one went with it");
    }
    assert!(sign_in(&fleet, OLD).await.is_err());
    assert!(sign_in(&fleet, NEW).await.is_ok());
    let old = fleet.resume_session(session.secret.expose()).await.unwrap();
    assert!(old.is_none(), "what was signed in has ended");
    assert_eq!(mailer.send_due().await.unwrap(), 1);
    let told = sink.taken().pop().unwrap();
    assert_eq!(told.to, "ann@example.com");
    assert_eq!(
        told.header("Subject"),
        "Your password for Pressroom was changed"
    );
    let log = log(&base).await;
    let count = |kind: &str| log.iter().filter(|line| *line == kind).count();
    assert_eq!(count(event::USER_PASSWORD_RESET_REQUESTED), 2, "{log:?}");
    assert_eq!(count(event::USER_PASSWORD_CHANGED), 1, "{log:?}");
}

async fn nobody_learns_who_is_known(base: Base) {
    let sink = Sink::new().await;
    let fleet = base.fleet.clone().with_mail(sink.smtp());
    add(&base, "ann@example.com").await;
    add(&base, "out@example.com").await;
    let console = Base::console();
    fleet
        .disable_user(&console, "out@example.com")
        .await
        .unwrap();
    let long = format!("{}@example.com", "a".repeat(5000));
    for email in [
        "out@example.com",
        "nobody@example.com",
        "",
        "@",
        "x",
        long.as_str(),
    ] {
        fleet.ask_password_reset(email, home()).await.unwrap();
    }
    assert_eq!(Mailer::new(fleet).send_due().await.unwrap(), 0);
    assert!(sink.taken().is_empty());
    let told = log(&base).await;
    let asked = event::USER_PASSWORD_RESET_REQUESTED;
    assert!(!told.iter().any(|kind| kind == asked), "{told:?}");
    let lost = base
        .fleet
        .password_reset(&"0".repeat(64))
        .await
        .unwrap_err();
    assert_eq!(lost.kind(), Kind::NotFound);
    // Without a server it is said so, whoever is asked for.
    for email in ["ann@example.com", "nobody@example.com"] {
        let error = base
            .fleet
            .ask_password_reset(email, home())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Unsupported);
    }
}

async fn asking_is_limited_by_address_and_network(base: Base) {
    let sink = Sink::new().await;
    let fleet = base.fleet.clone().with_mail(sink.smtp());
    let ask = async |email: &str, from: [u8; 4]| {
        let asked = fleet.ask_password_reset(email, IpAddr::from(from)).await;
        asked.map_err(|error| error.kind())
    };
    for email in ["ann@example.com", "nobody@example.com"] {
        for last in 1..=3 {
            assert_eq!(ask(email, [198, 51, 100, last]).await, Ok(()));
        }
        let fourth = ask(&email.to_uppercase(), [198, 51, 100, 4]).await;
        assert_eq!(fourth, Err(Kind::Limited), "known or not");
    }
    for number in 0..20 {
        let email = format!("p{number}@example.com");
        assert_eq!(ask(&email, [203, 0, 113, 1]).await, Ok(()));
    }
    let next = ask("p20@example.com", [203, 0, 113, 1]).await;
    assert_eq!(next, Err(Kind::Limited));
    assert_eq!(ask("p20@example.com", [203, 0, 113, 2]).await, Ok(()));
    base.store.advance_clock(Duration::from_hours(1));
    assert_eq!(ask("ann@example.com", [203, 0, 113, 1]).await, Ok(()));
}

async fn an_operator_makes_a_link(base: Base) {
    add(&base, "ann@example.com").await;
    let console = Base::console();
    let first = issued(&base).await;
    let link = issued(&base).await;
    base.store.advance_clock(Duration::from_mins(59));
    assert!(base.fleet.password_reset(&first).await.is_ok());
    base.store.advance_clock(Duration::from_mins(1));
    for secret in [first, link] {
        let late = reset(&base.fleet, &secret, NEW).await.unwrap_err();
        assert_eq!(late.kind(), Kind::NotFound, "an hour is over");
    }
    let link = issued(&base).await;
    let email = "ann@example.com";
    base.fleet.disable_user(&console, email).await.unwrap();
    let conflict = base
        .fleet
        .issue_password_reset(&console, email, Passing::ByHand)
        .await
        .unwrap_err();
    assert_eq!(conflict.kind(), Kind::Conflict);
    let shut_out = reset(&base.fleet, &link, NEW).await.unwrap_err();
    assert_eq!(shut_out.kind(), Kind::NotFound);
    base.fleet.enable_user(&console, email).await.unwrap();
    let again = reset(&base.fleet, &link, NEW).await.unwrap_err();
    assert_eq!(again.kind(), Kind::NotFound, "links ended with the rest");
    // Another password ends them as well.
    let link = issued(&base).await;
    let changed = base
        .fleet
        .set_user_password(&console, email, Secret::new(NEW.into()))
        .await;
    changed.unwrap();
    assert!(base.fleet.password_reset(&link).await.is_err());
    let unknown = base
        .fleet
        .issue_password_reset(&console, "x@example.com", Passing::ByMail)
        .await
        .unwrap_err();
    assert_eq!(unknown.kind(), Kind::NotFound);
}

async fn a_second_factor_stays(base: Base) {
    add(&base, "ann@example.com").await;
    let (fleet, console) = (&base.fleet, Base::console());
    let proposal = fleet
        .propose_second_factor(&console, "ann@example.com")
        .await;
    let uri = proposal.unwrap().uri;
    let code = code_of(uri.expose(), base.store.now().await.unwrap().seconds());
    fleet
        .confirm_second_factor(&console, "ann@example.com", &code)
        .await
        .unwrap();
    let link = issued(&base).await;
    reset(fleet, &link, NEW).await.unwrap();
    let alone = sign_in(fleet, NEW).await.unwrap_err();
    assert_eq!(alone.code(), Some(code::SECOND_FACTOR_REQUIRED));
}

/// The code that an app shows which was given this address.
fn code_of(uri: &str, at: i64) -> String {
    let app = totp_rs::Totp::from_url(uri).unwrap();
    app.generate(u64::try_from(at).unwrap()).to_string()
}

async fn what_is_too_late_is_not_sent(base: Base) {
    let sink = Sink::new().await;
    let fleet = base.fleet.clone().with_mail(sink.smtp());
    let mut mailer = Mailer::new(fleet.clone());
    add(&base, "ann@example.com").await;
    // Nobody sends for longer than the link would be good.
    fleet
        .ask_password_reset("ann@example.com", home())
        .await
        .unwrap();
    base.store.advance_clock(Duration::from_mins(61));
    assert_eq!(mailer.send_due().await.unwrap(), 0);
    fleet
        .ask_password_reset("ann@example.com", home())
        .await
        .unwrap();
    sink.answer(&["451 later", "451 later", "451 later", "451 later"]);
    assert_eq!(mailer.send_due().await.unwrap(), 1);
    for minutes in [1, 5, 15, 60] {
        base.store.advance_clock(Duration::from_mins(minutes));
        mailer.send_due().await.unwrap();
    }
    assert!(sink.taken().is_empty());
    let row = mails::list(&base.store, 5).await.unwrap().remove(0);
    assert_eq!(row.last_error.as_deref(), Some("what it says is over"));
    assert_eq!(row.secret_sealed, None);
}

async fn operators_are_told_how_mail_goes(base: Base) {
    let console = Base::console();
    let trouble = base.fleet.mail_trouble(&console).await.unwrap();
    assert_eq!(trouble, Some(MailTrouble::NotConfigured));
    let error = base.fleet.test_mail(&console, "ann@example.com").await;
    assert_eq!(error.unwrap_err().kind(), Kind::Unsupported);
    let sink = Sink::new().await;
    let fleet = base.fleet.clone().with_mail(sink.smtp());
    assert_eq!(fleet.mail_trouble(&console).await.unwrap(), None);
    fleet.test_mail(&console, "ann@example.com").await.unwrap();
    let mail = sink.taken().remove(0);
    assert_eq!(mail.to, "ann@example.com");
    assert!(
        mail.data.contains("https://press.example arrives"),
        "{mail:?}"
    );
    sink.answer(&["550 no such mailbox", "451 later"]);
    for kind in [Kind::Remote, Kind::Unreachable] {
        let error = fleet.test_mail(&console, "ann@example.com").await;
        assert_eq!(error.unwrap_err().kind(), kind);
    }
    let odd = fleet.test_mail(&console, "a@b.c\r\nBcc: x@y.z").await;
    assert_eq!(odd.unwrap_err().kind(), Kind::Invalid);

    add(&base, "ann@example.com").await;
    sink.answer(&["550 no such mailbox"]);
    fleet
        .issue_password_reset(&console, "ann@example.com", Passing::ByMail)
        .await
        .unwrap();
    Mailer::new(fleet.clone()).send_due().await.unwrap();
    let trouble = fleet.mail_trouble(&console).await.unwrap();
    assert_eq!(trouble, Some(MailTrouble::GivenUp(1)));
    let listed = fleet.list_mails(&console, 10).await.unwrap().remove(0);
    assert_eq!(
        (listed.state, listed.recipient.as_str()),
        ("given_up", "ann@example.com")
    );
    let session = base.person(pressroom_fleet::principal::Role::Owner);
    let refused = fleet.mail_trouble(&session).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Forbidden);
}
