//! What people are told by mail, through a server that keeps what it takes.

use crate::{base::Base, sink::Sink};
use pressroom_base::catalog::event;
use pressroom_fleet::mail::{Mailer, Security, Server, Smtp};
use pressroom_store::{
    MailState, NewEvent, NewUser, Role, accounts, environments, events, mails, users,
};
use serde_json::{Value, json};
use std::time::Duration;

crate::on_both! {
    an_owner_is_told_of_what_is_critical
    a_disabled_receiver_is_told_of
    what_is_refused_for_now_comes_later_and_once
    what_is_refused_for_good_is_given_up
    without_a_server_nothing_piles_up
}

async fn person(base: &Base, email: &str, role: Role) {
    let tx = base.store.begin().await.unwrap();
    let new = NewUser {
        email: email.into(),
        name: email.into(),
        password_hash: "-".into(),
        is_operator: false,
    };
    let user = users::create(&tx, new).await.unwrap();
    accounts::set_member(&tx, base.account, user.id, role)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

async fn happens(base: &Base, kind: &'static str, payload: Value) {
    let tx = base.store.begin().await.unwrap();
    let sites = environments::list_sites(&tx, &pressroom_store::Scope::All).await;
    let subject = sites
        .unwrap()
        .first()
        .map(|site| ("site", site.short_id.clone()));
    let new = NewEvent {
        kind,
        account_id: Some(base.account),
        actor: "test".into(),
        subject,
        payload,
        ..NewEvent::default()
    };
    events::emit(&tx, new).await.unwrap();
    tx.commit().await.unwrap();
}

async fn site(base: &Base, name: &str) {
    let tx = base.store.begin().await.unwrap();
    environments::create_site(&tx, base.account, name, name)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

async fn an_owner_is_told_of_what_is_critical(base: Base) {
    person(&base, "owner@example.com", Role::Owner).await;
    person(&base, "second@example.com", Role::Owner).await;
    person(&base, "admin@example.com", Role::Admin).await;
    site(&base, "Blog <Straße>").await;
    let sink = Sink::new().await;
    let mut mailer = Mailer::new(base.fleet.clone().with_mail(sink.smtp()));
    happens(
        &base,
        "site.down",
        json!({ "error": "502 <b>", "http_status": 502 }),
    )
    .await;
    happens(&base, "site.connected", json!({})).await;
    happens(
        &base,
        "security.vulnerability_found",
        json!({ "severity": "high" }),
    )
    .await;
    assert_eq!(mailer.send_due().await.unwrap(), 2);
    let taken = sink.taken();
    let to: Vec<_> = taken.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(to, ["owner@example.com", "second@example.com"]);
    let mail = &taken[0];
    assert_eq!(mail.header("From"), "Pressroom <press@example.com>");
    assert!(
        mail.header("Message-ID").ends_with("@press.example>"),
        "{mail:?}"
    );
    assert_ne!(taken[0].header("Message-ID"), taken[1].header("Message-ID"));
    assert!(mail.data.contains("multipart/alternative"), "{mail:?}");
    assert!(mail.data.contains("Error: 502 <b>"), "{mail:?}");
    assert!(mail.data.contains("502 &#60;b&#62;"), "{mail:?}");
    // A subject that is not ASCII is encoded, and is one line.
    assert!(mail.header("Subject").contains("=?utf-8?"), "{mail:?}");
    happens(
        &base,
        "security.vulnerability_found",
        json!({ "severity": "critical" }),
    )
    .await;
    happens(&base, "site.recovered", json!({ "downtime_seconds": 60 })).await;
    assert_eq!(mailer.send_due().await.unwrap(), 4);
    assert_eq!(mailer.send_due().await.unwrap(), 0, "each once");
}

async fn a_disabled_receiver_is_told_of(base: Base) {
    person(&base, "owner@example.com", Role::Owner).await;
    let sink = Sink::new().await;
    let mut mailer = Mailer::new(base.fleet.clone().with_mail(sink.smtp()));
    let payload = json!({ "url": "https://hooks.example/in", "reason": "failing", "given_up": 7 });
    happens(&base, event::WEBHOOK_ENDPOINT_DISABLED, payload).await;
    assert_eq!(mailer.send_due().await.unwrap(), 1);
    let mail = sink.taken().remove(0);
    assert_eq!(mail.header("Subject"), "Webhooks of Acme are disabled");
    assert!(mail.data.contains("https://hooks.example/in"), "{mail:?}");
    assert!(mail.data.contains("Given up just now: 7"), "{mail:?}");
}

async fn what_is_refused_for_now_comes_later_and_once(base: Base) {
    person(&base, "owner@example.com", Role::Owner).await;
    let sink = Sink::new().await;
    let fleet = base.fleet.clone().with_mail(sink.smtp());
    let mut mailer = Mailer::new(fleet.clone());
    sink.answer(&["451 later", "451 later"]);
    happens(&base, "site.down", json!({ "name": "Blog" })).await;
    assert_eq!(mailer.send_due().await.unwrap(), 1);
    assert_eq!(mailer.send_due().await.unwrap(), 0, "not at once");
    base.store.advance_clock(Duration::from_mins(1));
    assert_eq!(mailer.send_due().await.unwrap(), 1);
    let row = mails::list(&base.store, 10).await.unwrap().remove(0);
    assert_eq!((row.state, row.attempts), (MailState::Pending, 2));
    assert!(row.last_error.unwrap().contains("451"));
    base.store.advance_clock(Duration::from_mins(5));
    // Two at once send it once.
    let mut other = Mailer::new(fleet);
    let (one, two) = tokio::join!(mailer.send_due(), other.send_due());
    assert_eq!(one.unwrap() + two.unwrap(), 1);
    assert_eq!(sink.taken().len(), 1);
    let row = mails::list(&base.store, 10).await.unwrap().remove(0);
    assert_eq!(row.state, MailState::Sent);
}

async fn what_is_refused_for_good_is_given_up(base: Base) {
    person(&base, "owner@example.com", Role::Owner).await;
    let sink = Sink::new().await;
    let mut mailer = Mailer::new(base.fleet.clone().with_mail(sink.smtp()));
    sink.answer(&["550 no such mailbox"]);
    happens(&base, "site.down", json!({})).await;
    mailer.send_due().await.unwrap();
    let row = mails::list(&base.store, 10).await.unwrap().remove(0);
    assert_eq!(row.state, MailState::GivenUp);
    assert!(row.last_error.unwrap().contains("550"));

    // A server that is away is asked for about a day.
    let gone = Smtp::new(&Server {
        host: "127.0.0.1".into(),
        port: 1,
        security: Security::None,
        login: None,
        from: "press@example.com".into(),
        name: "press.example".into(),
    });
    let mut mailer = Mailer::new(base.fleet.clone().with_mail(gone.unwrap()));
    happens(&base, "site.down", json!({})).await;
    let mut attempts = 0;
    for _ in 0..60 {
        attempts += mailer.send_due().await.unwrap();
        base.store.advance_clock(Duration::from_mins(30));
    }
    assert_eq!(attempts, 8);
    let row = mails::list(&base.store, 10).await.unwrap().remove(0);
    assert_eq!(row.state, MailState::GivenUp);

    let tx = base.store.begin().await.unwrap();
    let month = Duration::from_hours(24 * 30);
    assert_eq!(mails::prune(&tx, month).await.unwrap(), 0);
    tx.rollback().await.unwrap();
    base.store.advance_clock(month);
    let tx = base.store.begin().await.unwrap();
    assert_eq!(mails::prune(&tx, month).await.unwrap(), 2);
    tx.commit().await.unwrap();
}

async fn without_a_server_nothing_piles_up(base: Base) {
    person(&base, "owner@example.com", Role::Owner).await;
    happens(&base, "site.down", json!({})).await;
    let mut mailer = Mailer::new(base.fleet.clone());
    assert_eq!(mailer.send_due().await.unwrap(), 0);
    assert!(mails::list(&base.store, 10).await.unwrap().is_empty());
    // Whoever names one later is not told of what was.
    let sink = Sink::new().await;
    let mut mailer = Mailer::new(base.fleet.clone().with_mail(sink.smtp()));
    assert_eq!(mailer.send_due().await.unwrap(), 0);
    assert!(sink.taken().is_empty());
    let nonsense = Server {
        host: "127.0.0.1".into(),
        port: 25,
        security: Security::None,
        login: None,
        from: "nobody at all".into(),
        name: "press.example".into(),
    };
    assert!(Smtp::new(&nonsense).is_err());
}
