//! Invitations: who may give them, who may accept them, and what is left of each.

use crate::{base::Base, sink::Sink};
use pressroom_base::{Kind, Secret, catalog::event, id::UserId, token};
use pressroom_fleet::{
    Caller, Error, Fleet,
    accounts::Membership,
    code,
    invitations::{Invited, KnownPerson, NewInvitation, Newcomer},
    mail::{Mailer, Passing},
    principal::Role,
    sessions::SignedIn,
    users::NewUser,
};
use pressroom_store::{
    NewSession, NewUser as StoredUser, Page, Role as StoredRole, Scope, accounts, activity,
    sessions, users,
};
use std::{net::IpAddr, time::Duration};

crate::on_both! {
    somebody_new_comes_by_mail_and_is_a_member
    a_link_is_good_once_and_the_latest_alone
    who_is_known_proves_it
    nobody_gives_more_than_they_have
    an_invitation_falls_with_whoever_gave_it
    what_is_over_withdrawn_or_mistyped_looks_alike
    without_a_server_the_link_is_told
}

const PASSWORD: &str = "correct horse battery";

fn home() -> IpAddr {
    IpAddr::from([192, 0, 2, 7])
}

fn to(base: &Base, email: &str, role: Role) -> NewInvitation {
    NewInvitation {
        account: base.account,
        email: email.into(),
        name: String::new(),
        role,
        passing: Passing::ByHand,
    }
}

/// The secret of a link that was handed out.
fn secret(invited: &Invited) -> String {
    let link = invited.link.as_ref().expect("a link").expose();
    let (_, secret) = link
        .split_once("https://press.example/invitation/")
        .expect("an address of ours");
    secret.to_owned()
}

async fn invited(base: &Base, email: &str, role: Role) -> String {
    let console = Base::console();
    let invited = base.fleet.invite(&console, to(base, email, role)).await;
    secret(&invited.unwrap())
}

fn newcomer(secret: &str, password: &str) -> Newcomer {
    Newcomer {
        secret: Secret::new(secret.into()),
        name: "Bob Example".into(),
        password: Secret::new(password.into()),
        address: home(),
        agent: "a browser".into(),
    }
}

fn known(secret: &str, password: &str) -> KnownPerson {
    KnownPerson {
        secret: Secret::new(secret.into()),
        password: Secret::new(password.into()),
        code: None,
        address: home(),
        agent: "a browser".into(),
    }
}

/// Who is signed in, as the console asks for them.
async fn caller(fleet: &Fleet, signed_in: &SignedIn) -> Caller {
    let session = fleet.resume_session(signed_in.secret.expose()).await;
    Caller::new(session.unwrap().expect("a live session").principal)
}

async fn role_of(base: &Base, user: UserId) -> Option<StoredRole> {
    let places = accounts::memberships_of(&base.store, user).await.unwrap();
    let place = places.iter().find(|place| place.account_id == base.account);
    place.map(|place| place.role)
}

/// Somebody who is known, and in no account.
async fn add(base: &Base, email: &str) -> UserId {
    let new = NewUser {
        email: email.into(),
        name: "Known".into(),
        operator: false,
        password: Secret::new(PASSWORD.into()),
    };
    base.fleet.add_user(&Base::console(), new).await.unwrap().id
}

/// A member with a row, signed in by nobody.
async fn member(base: &Base, email: &str, role: StoredRole) -> Caller {
    let tx = base.store.begin().await.unwrap();
    let new = StoredUser {
        email: email.into(),
        name: email.into(),
        password_hash: "-".into(),
        is_operator: false,
    };
    let user = users::create(&tx, new).await.unwrap();
    accounts::set_member(&tx, base.account, user.id, role)
        .await
        .unwrap();
    let secret = token::hex(64);
    let session = NewSession {
        user_id: user.id,
        digest: token::digest(&secret),
        csrf: String::new(),
        lasts: Duration::from_hours(1),
        address: None,
        agent: None,
    };
    sessions::create(&tx, session).await.unwrap();
    tx.commit().await.unwrap();
    let session = base.fleet.resume_session(&secret).await.unwrap();
    Caller::new(session.expect("a live session").principal)
}

#[track_caller]
fn refused<T: std::fmt::Debug>(outcome: Result<T, Error>, kind: Kind) -> Error {
    let error = outcome.expect_err("refused");
    assert_eq!(error.kind(), kind, "{error}");
    error
}

async fn log(base: &Base) -> Vec<String> {
    let own = Scope::Accounts(vec![base.account]);
    let rows = activity::list(&base.store, &own, Page::ALL).await.unwrap();
    rows.into_iter().rev().map(|row| row.kind).collect()
}

async fn somebody_new_comes_by_mail_and_is_a_member(base: Base) {
    let sink = Sink::new().await;
    let fleet = base.fleet.clone().with_mail(sink.smtp());
    let mut mailer = Mailer::new(fleet.clone());
    let ann = member(&base, "ann@example.com", StoredRole::Admin).await;
    let new = NewInvitation {
        name: "Bob".into(),
        passing: Passing::ByMail,
        ..to(&base, " Bob@Example.com ", Role::Member)
    };
    let invited = fleet.invite(&ann, new).await.unwrap();
    assert!(invited.link.is_none(), "it goes by mail alone");
    assert_eq!(invited.invitation.email, "bob@example.com");
    assert_eq!(mailer.send_due().await.unwrap(), 1);
    let mail = sink.taken().remove(0);
    assert_eq!(mail.to, "bob@example.com");
    assert_eq!(mail.header("Subject"), "Invitation to Acme");
    assert!(
        mail.data.contains("ann@example.com invites you"),
        "{mail:?}"
    );
    let secret = mail.secret("invitation");
    assert_eq!(secret.len(), 64);

    let offer = fleet.invitation(&secret).await.unwrap();
    assert!(!offer.known);
    assert_eq!(offer.invitation.account, "Acme");
    let short = fleet.accept_as_new(newcomer(&secret, "short")).await;
    refused(short, Kind::Invalid);
    let signed_in = fleet.accept_as_new(newcomer(&secret, PASSWORD)).await;
    let signed_in = signed_in.unwrap();
    assert_eq!(signed_in.user.email, "bob@example.com");
    assert!(!signed_in.user.operator);
    assert_eq!(
        role_of(&base, signed_in.user.id).await,
        Some(StoredRole::Member)
    );
    let bob = caller(&fleet, &signed_in).await;
    let (places, _): (Vec<Membership>, u64) = fleet.list_memberships(&bob, 10, 0).await.unwrap();
    assert_eq!(places[0].name, "Acme");
    // Their password is theirs.
    let again = invited_password(&fleet, "bob@example.com").await;
    assert_eq!(again.unwrap().user.id, signed_in.user.id);
    let log = log(&base).await;
    let told: Vec<_> = log.iter().map(String::as_str).collect();
    assert_eq!(
        told,
        [
            event::USER_INVITED,
            event::USER_CREATED,
            event::INVITATION_ACCEPTED,
            event::USER_SIGNED_IN,
            event::USER_SIGNED_IN,
        ]
    );
    assert_eq!(mailer.send_due().await.unwrap(), 0);
}

async fn invited_password(fleet: &Fleet, email: &str) -> Result<SignedIn, Error> {
    fleet
        .sign_in(pressroom_fleet::sessions::Credentials {
            email: email.into(),
            password: Secret::new(PASSWORD.into()),
            code: None,
            address: home(),
            agent: String::new(),
        })
        .await
}

async fn a_link_is_good_once_and_the_latest_alone(base: Base) {
    let fleet = &base.fleet;
    let first = invited(&base, "bob@example.com", Role::Viewer).await;
    let second = invited(&base, "BOB@example.com", Role::Member).await;
    refused(fleet.invitation(&first).await, Kind::NotFound);
    let late = fleet.accept_as_new(newcomer(&first, PASSWORD)).await;
    refused(late, Kind::NotFound);
    // Several at once: one of them.
    let tries = (0..4).map(|_| fleet.accept_as_new(newcomer(&second, PASSWORD)));
    let ends = futures_util::future::join_all(tries).await;
    let came: Vec<_> = ends.into_iter().filter_map(Result::ok).collect();
    assert_eq!(came.len(), 1);
    assert_eq!(
        role_of(&base, came[0].user.id).await,
        Some(StoredRole::Member)
    );
    let again = fleet.accept_with_password(known(&second, PASSWORD)).await;
    refused(again, Kind::NotFound);
    let twice = fleet
        .invite(&Base::console(), to(&base, "bob@example.com", Role::Admin))
        .await;
    let error = refused(twice, Kind::Conflict);
    assert!(
        error.message().contains("belongs to `Acme` already"),
        "{error}"
    );
}

async fn who_is_known_proves_it(base: Base) {
    let fleet = &base.fleet;
    let bob = add(&base, "bob@example.com").await;
    let eve = add(&base, "eve@example.com").await;
    let secret = invited(&base, "bob@example.com", Role::Member).await;
    assert!(fleet.invitation(&secret).await.unwrap().known);
    // The link alone is not enough, nor a password of one's own choice.
    let taken_over = fleet
        .accept_as_new(newcomer(&secret, "another long one"))
        .await;
    refused(taken_over, Kind::Conflict);
    let wrong = fleet.accept_with_password(known(&secret, "wrong")).await;
    let wrong = refused(wrong, Kind::Unauthenticated);
    assert_eq!(wrong.code(), Some(code::WRONG_LOGIN));
    let other = invited_password(fleet, "eve@example.com").await.unwrap();
    assert_eq!(other.user.id, eve);
    let other = caller(fleet, &other).await;
    refused(
        fleet.accept_signed_in(&other, &secret).await,
        Kind::NotFound,
    );
    assert_eq!(role_of(&base, eve).await, None);
    assert_eq!(role_of(&base, bob).await, None, "nothing was used up");

    let signed_in = fleet.accept_with_password(known(&secret, PASSWORD)).await;
    assert_eq!(signed_in.unwrap().user.id, bob);
    assert_eq!(role_of(&base, bob).await, Some(StoredRole::Member));
    // Whoever is signed in as who was invited needs no password again.
    let secret = invited(&base, "eve@example.com", Role::Viewer).await;
    fleet.accept_signed_in(&other, &secret).await.unwrap();
    assert_eq!(role_of(&base, eve).await, Some(StoredRole::Viewer));

    // Guesses count as at signing in, and the right password does not help any more.
    add(&base, "kim@example.com").await;
    let secret = invited(&base, "kim@example.com", Role::Owner).await;
    for _ in 0..5 {
        let wrong = fleet.accept_with_password(known(&secret, "wrong")).await;
        refused(wrong, Kind::Unauthenticated);
    }
    let right = fleet.accept_with_password(known(&secret, PASSWORD)).await;
    refused(right, Kind::Limited);
}

async fn nobody_gives_more_than_they_have(base: Base) {
    let fleet = &base.fleet;
    let roles = [
        ("viewer@example.com", StoredRole::Viewer, 0),
        ("member@example.com", StoredRole::Member, 0),
        ("admin@example.com", StoredRole::Admin, 3),
        ("owner@example.com", StoredRole::Owner, 4),
    ];
    for (email, role, may) in roles {
        let caller = member(&base, email, role).await;
        assert_eq!(Fleet::roles_to_give(&caller, base.account).len(), may);
        for (place, given) in Role::ALL.iter().enumerate() {
            let outcome = fleet
                .invite(&caller, to(&base, "bob@example.com", *given))
                .await;
            if place < may {
                assert_eq!(outcome.unwrap().invitation.role, *given);
            } else {
                refused(outcome, Kind::Forbidden);
            }
        }
        let list = fleet.list_invitations(&caller, Some(base.account)).await;
        let withdrawn = fleet
            .withdraw_invitation(&caller, base.account, "bob@example.com")
            .await;
        if may > 0 {
            assert_eq!(list.unwrap().len(), 1);
            withdrawn.unwrap();
        } else {
            refused(list, Kind::Forbidden);
            refused(withdrawn, Kind::Forbidden);
        }
        refused(fleet.list_invitations(&caller, None).await, Kind::Forbidden);
    }
    // Another account does not exist for who is in none of its.
    let console = Base::console();
    let other = fleet
        .add_account(&console, "Other", "owner@example.com")
        .await;
    let other = other.unwrap();
    let admin = member(&base, "second@example.com", StoredRole::Admin).await;
    let new = NewInvitation {
        account: other.id,
        ..to(&base, "bob@example.com", Role::Viewer)
    };
    let error = refused(fleet.invite(&admin, new).await, Kind::NotFound);
    assert_eq!(error.code(), Some(code::FOREIGN));
    let list = fleet.list_invitations(&admin, Some(other.id)).await;
    refused(list, Kind::NotFound);
    let gone = fleet.withdraw_invitation(&admin, other.id, "x@example.com");
    refused(gone.await, Kind::NotFound);
    for bad in ["no address", "a@b", "a@b.c\r\nBcc: x@y.z", ""] {
        let outcome = fleet.invite(&admin, to(&base, bad, Role::Viewer)).await;
        refused(outcome, Kind::Invalid);
    }
    let odd = NewInvitation {
        name: "Bob\nBcc: x@y.z".into(),
        ..to(&base, "bob@example.com", Role::Viewer)
    };
    refused(fleet.invite(&admin, odd).await, Kind::Invalid);
    let mut limited = None;
    for number in 0..40 {
        let new = to(&base, &format!("p{number}@example.com"), Role::Viewer);
        if let Err(error) = fleet.invite(&admin, new).await {
            limited = Some((number, error.kind()));
            break;
        }
    }
    assert_eq!(limited, Some((30, Kind::Limited)));
}

async fn an_invitation_falls_with_whoever_gave_it(base: Base) {
    let fleet = &base.fleet;
    let admin = member(&base, "admin@example.com", StoredRole::Admin).await;
    let id = admin.principal.user_id().unwrap();
    let by = async |email: &str| {
        let made = fleet.invite(&admin, to(&base, email, Role::Admin)).await;
        secret(&made.unwrap())
    };
    let link = by("bob@example.com").await;
    assert!(fleet.invitation(&link).await.is_ok());
    let set = async |role: StoredRole| {
        let tx = base.store.begin().await.unwrap();
        accounts::set_member(&tx, base.account, id, role)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    };
    set(StoredRole::Member).await;
    let late = fleet.accept_as_new(newcomer(&link, PASSWORD)).await;
    refused(late, Kind::NotFound);
    set(StoredRole::Admin).await;
    assert!(fleet.invitation(&link).await.is_ok(), "nothing was used up");
    let console = Base::console();
    fleet
        .disable_user(&console, "admin@example.com")
        .await
        .unwrap();
    refused(fleet.invitation(&link).await, Kind::NotFound);
    fleet
        .enable_user(&console, "admin@example.com")
        .await
        .unwrap();
    let tx = base.store.begin().await.unwrap();
    accounts::remove_member(&tx, base.account, id)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    refused(fleet.invitation(&link).await, Kind::NotFound);
}

async fn what_is_over_withdrawn_or_mistyped_looks_alike(base: Base) {
    let fleet = &base.fleet;
    let console = Base::console();
    let withdrawn = invited(&base, "bob@example.com", Role::Member).await;
    fleet
        .withdraw_invitation(&console, base.account, "bob@example.com")
        .await
        .unwrap();
    let again = fleet.withdraw_invitation(&console, base.account, "bob@example.com");
    refused(again.await, Kind::NotFound);
    add(&base, "eve@example.com").await;
    let shut_out = invited(&base, "eve@example.com", Role::Member).await;
    fleet
        .disable_user(&console, "eve@example.com")
        .await
        .unwrap();
    let over = invited(&base, "kim@example.com", Role::Member).await;
    base.store.advance_clock(Duration::from_hours(7 * 24));
    let mistyped = "0".repeat(64);
    let mut told = Vec::new();
    for secret in [&withdrawn, &shut_out, &over, &mistyped, &String::new()] {
        told.push(refused(fleet.invitation(secret).await, Kind::NotFound));
        let new = fleet.accept_as_new(newcomer(secret, PASSWORD)).await;
        told.push(refused(new, Kind::NotFound));
        let known = fleet.accept_with_password(known(secret, PASSWORD)).await;
        told.push(refused(known, Kind::NotFound));
    }
    assert!(told.iter().all(|error| error.message() == "link not found"));
    assert!(
        fleet
            .list_invitations(&console, None)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn without_a_server_the_link_is_told(base: Base) {
    let new = NewInvitation {
        passing: Passing::ByMail,
        ..to(&base, "bob@example.com", Role::Member)
    };
    let invited = base.fleet.invite(&Base::console(), new).await.unwrap();
    let link = secret(&invited);
    assert!(base.fleet.invitation(&link).await.is_ok());
    // A mail that has not left is withdrawn with its invitation.
    let sink = Sink::new().await;
    let fleet = base.fleet.clone().with_mail(sink.smtp());
    let new = NewInvitation {
        passing: Passing::ByMail,
        ..to(&base, "bob@example.com", Role::Member)
    };
    assert!(
        fleet
            .invite(&Base::console(), new)
            .await
            .unwrap()
            .link
            .is_none()
    );
    let console = Base::console();
    let gone = fleet.withdraw_invitation(&console, base.account, "bob@example.com");
    gone.await.unwrap();
    assert_eq!(Mailer::new(fleet).send_due().await.unwrap(), 0);
    assert!(sink.taken().is_empty());
}
