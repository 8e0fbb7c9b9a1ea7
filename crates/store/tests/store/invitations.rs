use crate::base::Base;
use pressroom_base::{id::AccountId, token};
use pressroom_store::{InvitationState, NewInvitation, Role, Scope, invitations};
use std::time::Duration;

crate::on_both! {
    one_of_many_gets_an_invitation
    the_later_one_takes_the_earlier_ones_place
    what_is_over_opens_nothing_and_is_forgotten
}

const WEEK: Duration = Duration::from_hours(7 * 24);

async fn invite(base: &Base, account: AccountId, email: &str, secret: &str) {
    let tx = base.store.begin().await.unwrap();
    let new = NewInvitation {
        account_id: account,
        email: email.into(),
        name: "Bob".into(),
        role: Role::Member,
        digest: token::digest(secret),
        inviter_id: None,
        inviter: "command line".into(),
        lasts: WEEK,
    };
    invitations::create(&tx, new).await.unwrap();
    tx.commit().await.unwrap();
}

async fn accept(base: &Base, secret: &str) -> bool {
    let tx = base.store.begin().await.unwrap();
    let got = invitations::accept(&tx, secret).await.unwrap();
    tx.commit().await.unwrap();
    got.is_some()
}

async fn one_of_many_gets_an_invitation(base: Base) {
    let account = base.account("Acme").await.id;
    invite(&base, account, "Bob@Example.com", "s1").await;
    let found = invitations::by_secret(&base.store, "s1").await.unwrap();
    let found = found.unwrap();
    assert_eq!(
        (found.email.as_str(), found.role),
        ("bob@example.com", Role::Member)
    );
    assert_ne!(found.digest, "s1", "the secret itself is not kept");
    // One that is taken back is none.
    let tx = base.store.begin().await.unwrap();
    assert!(invitations::accept(&tx, "s1").await.unwrap().is_some());
    tx.rollback().await.unwrap();
    let tries = (0..10).map(|_| accept(&base, "s1"));
    let got = futures_util::future::join_all(tries).await;
    assert_eq!(got.into_iter().filter(|ours| *ours).count(), 1);
    assert!(
        invitations::by_secret(&base.store, "s1")
            .await
            .unwrap()
            .is_none()
    );
    assert!(!accept(&base, "s2").await, "an unknown one");
}

async fn the_later_one_takes_the_earlier_ones_place(base: Base) {
    let account = base.account("Acme").await.id;
    let other = base.account("Other").await.id;
    invite(&base, account, "bob@example.com", "s1").await;
    invite(&base, other, "bob@example.com", "s2").await;
    invite(&base, account, "BOB@example.com", "s3").await;
    assert!(!accept(&base, "s1").await);
    let list = invitations::list_open(&base.store, &Scope::All)
        .await
        .unwrap();
    let accounts: Vec<_> = list.iter().map(|row| row.account_id).collect();
    assert_eq!(accounts, [account, other]);
    let own = Scope::Accounts(vec![other]);
    let list = invitations::list_open(&base.store, &own).await.unwrap();
    assert_eq!(list.len(), 1);

    let tx = base.store.begin().await.unwrap();
    let gone = invitations::withdraw(&tx, account, "Bob@example.com").await;
    assert_eq!(gone.unwrap().unwrap().state, InvitationState::Withdrawn);
    let again = invitations::withdraw(&tx, account, "bob@example.com").await;
    assert!(again.unwrap().is_none());
    tx.commit().await.unwrap();
    assert!(!accept(&base, "s3").await);
    assert!(accept(&base, "s2").await, "another account's");

    // Two at the same time: one holds.
    let (one, two) = ("s4", "s5");
    tokio::join!(
        invite(&base, account, "bob@example.com", one),
        invite(&base, account, "bob@example.com", two),
    );
    let got = [accept(&base, one).await, accept(&base, two).await];
    assert_eq!(got.iter().filter(|ours| **ours).count(), 1);
}

async fn what_is_over_opens_nothing_and_is_forgotten(base: Base) {
    let account = base.account("Acme").await.id;
    invite(&base, account, "bob@example.com", "s1").await;
    base.store
        .advance_clock(WEEK.saturating_sub(Duration::from_secs(10)));
    assert!(
        invitations::by_secret(&base.store, "s1")
            .await
            .unwrap()
            .is_some()
    );
    base.store.advance_clock(Duration::from_secs(10));
    assert!(
        invitations::by_secret(&base.store, "s1")
            .await
            .unwrap()
            .is_none()
    );
    assert!(!accept(&base, "s1").await);
    let list = invitations::list_open(&base.store, &Scope::All)
        .await
        .unwrap();
    assert!(list.is_empty());
    // Its row does not stand in the way of another.
    invite(&base, account, "bob@example.com", "s2").await;
    let tx = base.store.begin().await.unwrap();
    assert_eq!(invitations::prune(&tx, WEEK).await.unwrap(), 0);
    tx.rollback().await.unwrap();
    base.store.advance_clock(WEEK + Duration::from_secs(1));
    let tx = base.store.begin().await.unwrap();
    assert_eq!(invitations::prune(&tx, WEEK).await.unwrap(), 1);
    tx.commit().await.unwrap();
}
