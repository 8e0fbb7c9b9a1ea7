use crate::base::Base;
use pressroom_base::{id::UserId, token};
use pressroom_store::{NewUser, password_resets, users};
use std::time::Duration;

crate::on_both! {
    what_was_asked_is_taken_once
    a_link_is_good_once_and_for_an_hour
    others_of_the_same_person_go_with_it
}

const HOUR: Duration = Duration::from_hours(1);

async fn person(base: &Base, email: &str) -> UserId {
    let tx = base.store.begin().await.unwrap();
    let new = NewUser {
        email: email.into(),
        name: "Ada".into(),
        password_hash: "x".into(),
        is_operator: false,
    };
    let user = users::create(&tx, new).await.unwrap();
    tx.commit().await.unwrap();
    user.id
}

async fn link(base: &Base, user: UserId, secret: &str) {
    let tx = base.store.begin().await.unwrap();
    let digest = token::digest(secret);
    let row = password_resets::create(&tx, user, digest, HOUR).await;
    assert_eq!(row.unwrap().user_id, user);
    tx.commit().await.unwrap();
}

async fn take(base: &Base, secret: &str) -> Option<UserId> {
    let tx = base.store.begin().await.unwrap();
    let row = password_resets::take(&tx, secret).await.unwrap();
    tx.commit().await.unwrap();
    row.map(|row| row.user_id)
}

async fn what_was_asked_is_taken_once(base: Base) {
    assert!(!password_resets::is_asked(&base.store).await.unwrap());
    for email in ["Ada@Example.com", "nobody@example.com", "bob@example.com"] {
        let tx = base.store.begin().await.unwrap();
        password_resets::ask(&tx, email, Some("192.0.2.1".into()))
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
    assert!(password_resets::is_asked(&base.store).await.unwrap());
    // What a transaction that fails took is there again.
    let tx = base.store.begin().await.unwrap();
    assert_eq!(password_resets::take_asked(&tx, 5).await.unwrap().len(), 3);
    tx.rollback().await.unwrap();
    let tx = base.store.begin().await.unwrap();
    let taken = password_resets::take_asked(&tx, 2).await.unwrap();
    tx.commit().await.unwrap();
    let emails: Vec<_> = taken.iter().map(|row| row.email.as_str()).collect();
    assert_eq!(emails, ["ada@example.com", "nobody@example.com"]);
    assert_eq!(taken[0].address.as_deref(), Some("192.0.2.1"));
    let tx = base.store.begin().await.unwrap();
    assert_eq!(password_resets::take_asked(&tx, 5).await.unwrap().len(), 1);
    tx.commit().await.unwrap();
    assert!(!password_resets::is_asked(&base.store).await.unwrap());
}

async fn a_link_is_good_once_and_for_an_hour(base: Base) {
    let ada = person(&base, "ada@example.com").await;
    link(&base, ada, "s1").await;
    link(&base, ada, "s2").await;
    let found = password_resets::by_secret(&base.store, "s1").await.unwrap();
    assert_ne!(found.unwrap().digest, "s1", "the secret itself is not kept");
    let tries = (0..10).map(|_| take(&base, "s1"));
    let got = futures_util::future::join_all(tries).await;
    assert_eq!(got.into_iter().flatten().collect::<Vec<_>>(), [ada]);
    assert_eq!(take(&base, "s3").await, None);
    base.store.advance_clock(HOUR);
    assert_eq!(take(&base, "s2").await, None, "its time is over");
    let found = password_resets::by_secret(&base.store, "s2").await.unwrap();
    assert!(found.is_none());
    let tx = base.store.begin().await.unwrap();
    assert_eq!(password_resets::prune(&tx).await.unwrap(), 1);
    tx.commit().await.unwrap();
}

async fn others_of_the_same_person_go_with_it(base: Base) {
    let ada = person(&base, "ada@example.com").await;
    let bob = person(&base, "bob@example.com").await;
    link(&base, ada, "s1").await;
    link(&base, ada, "s2").await;
    link(&base, bob, "s3").await;
    let tx = base.store.begin().await.unwrap();
    assert_eq!(password_resets::remove_of(&tx, ada).await.unwrap(), 2);
    tx.commit().await.unwrap();
    assert_eq!(take(&base, "s1").await, None);
    assert_eq!(take(&base, "s3").await, Some(bob));
}
