//! Who belongs to an account, invitations, and other passwords.

use crate::world::{CSRF, PASSWORD, Reply, Who, World};
use axum::http::{Method, StatusCode};
use pressroom_base::{Timestamp, id::ShortId};
use pressroom_fleet::{Caller, Principal, mail::Passing};
use pressroom_store::{NewSite, SiteChange, health, jobs::queue, sites};
use serde_json::json;

const OURS: (&str, &str) = ("origin", "http://console.example");

fn people(world: &World) -> String {
    format!("/people/{}", world.own.environment.account_id)
}

/// Invites as somebody; what they are shown.
async fn invite(world: &World, who: Who, email: &str, role: &str) -> Reply {
    let form = format!(
        "csrf={CSRF}&email={}&role={role}&name=Nora",
        email.replace('@', "%40")
    );
    let path = format!("{}/invite", people(world));
    world.ask(who, &Method::POST, &path, &form).await
}

/// The path of the link that a page shows.
fn link(reply: &Reply) -> String {
    let (_, rest) = reply
        .text
        .split_once("<code id=\"link\">")
        .unwrap_or_else(|| panic!("no link: {}", reply.text));
    let link = rest.split('<').next().expect("an end");
    let (_, secret) = link.split_once("/invitation/").expect("an address");
    format!("/invitation/{secret}")
}

/// The session that a reply gave.
fn cookie(reply: &Reply) -> String {
    let cookie = reply.header("set-cookie");
    cookie.split(';').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn members_are_shown_to_all_and_invitations_to_who_may_give_them() {
    let world = World::new().await;
    let home = world.get(Who::Member, "/people").await;
    assert_eq!(home.header("location"), people(&world));
    let page = world.get(Who::Viewer, &people(&world)).await;
    for email in ["mia@example.com", "vic@example.com", "olga@example.com"] {
        assert!(page.text.contains(email), "{}", page.text);
    }
    assert!(!page.text.contains("fred@example.com"));
    assert!(!page.text.contains("/invite"), "a viewer cannot");
    assert!(!page.text.contains("/withdraw"));
    let page = world.get(Who::Operator, &people(&world)).await;
    assert!(page.text.contains("/invite") && page.text.contains("value=\"owner\""));
    assert!(page.text.contains("you are shown a link to pass on"));
}

#[tokio::test]
async fn without_mail_the_inviter_alone_is_shown_the_link_once() {
    let world = World::new().await;
    let shown = invite(&world, Who::Operator, "nora@example.com", "member").await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.text);
    let path = link(&shown);
    assert_eq!(shown.header("cache-control"), "no-store");
    let page = world.get(Who::Operator, &people(&world)).await;
    assert!(page.text.contains("nora@example.com"), "it is listed");
    let secret = path.trim_start_matches("/invitation/");
    assert!(
        !page.text.contains(secret),
        "and its link is not shown again"
    );

    for (email, role, status, told) in [
        (
            "no address",
            "member",
            StatusCode::UNPROCESSABLE_ENTITY,
            "not an e-mail address",
        ),
        (
            "x@example.com",
            "king",
            StatusCode::UNPROCESSABLE_ENTITY,
            "Choose a role",
        ),
        (
            "mia@example.com",
            "admin",
            StatusCode::CONFLICT,
            "belongs to `Acme` already",
        ),
    ] {
        let refused = invite(&world, Who::Operator, email, role).await;
        assert_eq!(refused.status, status, "{email}");
        assert!(refused.text.contains("id=\"problem\""), "{}", refused.text);
        let told = told.replace('`', "");
        let plain = refused.text.replace('`', "");
        assert!(plain.contains(&told), "{}", refused.text);
    }
    let refused = invite(&world, Who::Member, "x@example.com", "viewer").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);

    let form = format!("csrf={CSRF}&email=nora%40example.com");
    let withdraw = format!("{}/withdraw", people(&world));
    for _ in 0..2 {
        let back = world
            .ask(Who::Operator, &Method::POST, &withdraw, &form)
            .await;
        assert_eq!(back.header("location"), people(&world));
    }
    let gone = world.get(Who::Nobody, &path).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    assert!(gone.text.contains("This link is not good"), "{}", gone.text);
    let mistyped = format!("/invitation/{}", "0".repeat(64));
    let mistyped = world.get(Who::Nobody, &mistyped).await;
    assert_eq!(
        gone.text, mistyped.text,
        "withdrawn and mistyped look alike"
    );
}

#[tokio::test]
async fn somebody_new_chooses_a_password_and_is_in() {
    let world = World::new().await;
    let shown = invite(&world, Who::Operator, "nora@example.com", "viewer").await;
    let path = link(&shown);
    let page = world.get(Who::Nobody, &path).await;
    assert_eq!(page.status, StatusCode::OK);
    for part in [
        "Come to Acme",
        "nora@example.com",
        "value=\"Nora\"",
        "Viewer",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    let foreign = [("origin", "https://evil.example")];
    let form = "name=Nora+N&password=long+enough&again=long+enough";
    let refused = world.post(&path, &foreign, form).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    for (form, told) in [
        (
            "name=Nora+N&password=long+enough&again=other",
            "The passwords are not the same",
        ),
        (
            "name=Nora+N&password=short&again=short",
            "at least 8 characters",
        ),
        (
            "name=&password=long+enough&again=long+enough",
            "Name must be one line",
        ),
    ] {
        let refused = world.post(&path, &[OURS], form).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
        assert!(refused.text.contains(told), "{}", refused.text);
        assert_eq!(refused.header("set-cookie"), "");
    }
    let done = world.post(&path, &[OURS], form).await;
    assert_eq!(done.header("location"), "/fleet", "{}", done.text);
    let session = cookie(&done);
    let headers = [("cookie", session.as_str())];
    let fleet = world.send(&Method::GET, "/fleet", &headers, "").await;
    assert!(
        fleet.text.contains("Title of blog.example"),
        "{}",
        fleet.text
    );
    assert!(!fleet.text.contains("foreign.example"));
    let again = world.post(&path, &[OURS], form).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND, "it was good once");
}

#[tokio::test]
async fn who_is_known_is_never_signed_in_by_the_link_alone() {
    let world = World::new().await;
    let shown = invite(&world, Who::Operator, "fred@example.com", "member").await;
    let path = link(&shown);
    let page = world.get(Who::Nobody, &path).await;
    assert!(page.text.contains("prove that it is you"), "{}", page.text);
    assert!(!page.text.contains("name=\"again\""));
    // What somebody new would send changes nothing.
    let form = "name=Eve&password=my+own+password&again=my+own+password";
    let refused = world.post(&path, &[OURS], form).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refused.header("set-cookie"), "");
    let page = world.get(Who::Member, &path).await;
    assert!(
        page.text.contains("mia@example.com is signed in here"),
        "{}",
        page.text
    );
    let posted = world
        .ask(Who::Member, &Method::POST, &path, &format!("csrf={CSRF}"))
        .await;
    assert_eq!(
        posted.status,
        StatusCode::UNAUTHORIZED,
        "somebody else's session"
    );

    // Fred himself, signed in: a button, which takes his session's token.
    let page = world.get(Who::Foreigner, &path).await;
    assert!(!page.text.contains("name=\"password\""), "{}", page.text);
    let forged = world
        .ask(Who::Foreigner, &Method::POST, &path, "csrf=x")
        .await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    let form = format!("csrf={CSRF}");
    let done = world.ask(Who::Foreigner, &Method::POST, &path, &form).await;
    assert_eq!(done.header("location"), "/fleet", "{}", done.text);
    let fleet = world.get(Who::Foreigner, "/fleet").await;
    assert!(fleet.text.contains("Title of blog.example"));

    // With the password, by somebody who is signed in nowhere.
    let tx = world.test.store.begin().await.expect("a transaction");
    let account = world.own.environment.account_id;
    let fred = pressroom_store::users::by_email(&tx, "fred@example.com").await;
    let fred = fred.expect("found").expect("a user");
    let left = pressroom_store::accounts::remove_member(&tx, account, fred.id).await;
    left.expect("removed");
    tx.commit().await.expect("committed");
    let shown = invite(&world, Who::Operator, "fred@example.com", "viewer").await;
    let form = format!("password={}", PASSWORD.replace(' ', "+"));
    let done = world.post(&link(&shown), &[OURS], &form).await;
    assert_eq!(done.header("location"), "/fleet", "{}", done.text);
    assert!(cookie(&done).starts_with("pressroom_session="));
}

#[tokio::test]
async fn another_password_by_a_link_of_an_operators() {
    let world = World::new().await;
    let page = world.get(Who::Nobody, "/sign-in").await;
    assert!(page.text.contains("href=\"/forgot\""));
    let page = world.get(Who::Nobody, "/forgot").await;
    assert!(page.text.contains("pressroom user reset"), "{}", page.text);
    assert!(!page.text.contains("<form"), "no mail is sent from here");
    let asked = world
        .post("/forgot", &[OURS], "email=mia%40example.com")
        .await;
    assert_eq!(asked.text, page.text);

    let console = Caller::new(Principal::console());
    let issued = world
        .test
        .fleet
        .issue_password_reset(&console, "mia@example.com", Passing::ByHand)
        .await
        .expect("a link");
    let link = issued.link.expect("to be passed on");
    let (_, secret) = link.expose().split_once("/reset/").expect("an address");
    let path = format!("/reset/{secret}");
    let page = world.get(Who::Nobody, &path).await;
    for part in ["mia@example.com", "it is still asked for when you sign in"] {
        assert!(page.text.contains(part), "{}", page.text);
    }
    let unequal = "password=long+enough&again=other";
    let refused = world.post(&path, &[OURS], unequal).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let form = "password=long+enough&again=long+enough";
    let done = world.post(&path, &[OURS], form).await;
    assert_eq!(done.header("location"), "/sign-in?news=password");
    assert_eq!(done.header("set-cookie"), "", "nobody is signed in by it");
    let page = world.get(Who::Nobody, "/sign-in?news=password").await;
    assert!(page.text.contains("Your password is changed"));
    let late = world.post(&path, &[OURS], form).await;
    assert_eq!(late.status, StatusCode::NOT_FOUND);
    assert!(late.text.contains("This link is not good"), "{}", late.text);
    for (password, status) in [
        (PASSWORD, StatusCode::UNAUTHORIZED),
        ("long enough", StatusCode::SEE_OTHER),
    ] {
        let password = password.replace(' ', "+");
        let form = format!("email=mia%40example.com&password={password}");
        let reply = world.post("/sign-in", &[OURS], &form).await;
        assert_eq!(reply.status, status);
    }
}

#[tokio::test]
async fn operators_are_told_that_no_mail_is_sent() {
    let world = World::new().await;
    for path in ["/fleet", "/jobs", "/people"] {
        let told = "id=\"banner\"";
        let path = if path == "/people" {
            people(&world)
        } else {
            path.to_owned()
        };
        let page = world.get(Who::Operator, &path).await;
        assert!(
            page.text.contains(told) && page.text.contains("mail.smtp"),
            "{path}"
        );
        let page = world.get(Who::Member, &path).await;
        assert!(!page.text.contains(told), "{path}");
    }
}

#[tokio::test]
async fn a_site_that_waits_is_listed_with_the_reason() {
    let world = World::new().await;
    let tx = world.test.store.begin().await.expect("a transaction");
    let new = NewSite {
        account_id: world.own.environment.account_id,
        public_id: "later".into(),
        name: "Later".into(),
        url: "https://later.example".into(),
        method: None,
        place: None,
        token: None,
    };
    let site = sites::add(&tx, new).await.expect("a site");
    let change = SiteChange {
        trouble: Some(Some("no WordPress at `/srv/<later>`".into())),
        ..SiteChange::default()
    };
    sites::change(&tx, site.id, change).await.expect("written");
    tx.commit().await.expect("committed");
    let page = world.get(Who::Viewer, "/fleet").await;
    for part in [
        "Waiting to be connected",
        "later.example",
        "<code>/srv/&#60;later&#62;</code>",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    let page = world.get(Who::Foreigner, "/fleet").await;
    assert!(!page.text.contains("later.example"));
    let page = world.get(Who::Viewer, "/fleet?q=blog").await;
    assert!(!page.text.contains("later.example"), "it does not match");
}

#[tokio::test]
async fn a_sites_health_is_shown_and_looked_at_now() {
    let world = World::new().await;
    let site = format!("/sites/{}", world.own.environment.id);
    let page = world.get(Who::Viewer, &site).await;
    for part in [
        "id=\"health\"",
        "Nobody has looked at this site yet",
        "Check now",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    let form = format!("csrf={CSRF}");
    let path = format!("{site}/check");
    let looked = world.ask(Who::Viewer, &Method::POST, &path, &form).await;
    assert_eq!(
        looked.header("location"),
        format!("{site}#health"),
        "{}",
        looked.text
    );
    // Nothing answers there, which is no wonder while a job is at work.
    let page = world.get(Who::Viewer, &site).await;
    for part in ["Manual", "Warning", "is at work on the site"] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert!(!page.text.contains("Down: it began"));
    let tx = world.test.store.begin().await.expect("a transaction");
    let done = json!({ "items": [] });
    let ended = queue::complete(&tx, world.own.job_id, world.own.epoch, &done).await;
    ended.expect("completed");
    tx.commit().await.expect("committed");
    world.ask(Who::Viewer, &Method::POST, &path, &form).await;
    let page = world.get(Who::Viewer, &site).await;
    assert!(page.text.contains("badge-bad\">Failed"), "{}", page.text);
    // Since when it is down is told with the reason.
    let tx = world.test.store.begin().await.expect("a transaction");
    let (of, now) = (world.own.environment.site_id, Timestamp::now());
    let (look, why) = (ShortId::random(), Some("answered <502>"));
    let opened = health::open(&tx, of, now, &look, why).await;
    assert!(opened.expect("written"));
    tx.commit().await.expect("committed");
    let page = world.get(Who::Viewer, &site).await;
    for part in ["Down: it began", "answered &#60;502&#62;"] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    let foreign = format!("/sites/{}/check", world.foreign.environment.id);
    let refused = world.ask(Who::Viewer, &Method::POST, &foreign, &form).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
}
