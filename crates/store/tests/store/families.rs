use crate::base::Base;
use pressroom_base::id::UserId;
use pressroom_store::{NewFamily, NewToken, NewUser, families, settings, tokens, users};
use std::time::Duration;

crate::on_both! {
    the_current_token_is_exchanged_once
    a_family_ends_when_it_is_revoked_or_over
    a_denied_token_is_remembered_for_its_time
    the_newest_logins_stay
    a_setting_is_made_once
}

const DAY: Duration = Duration::from_hours(24);

async fn person(base: &Base) -> UserId {
    let tx = base.store.begin().await.unwrap();
    let new = NewUser {
        email: "a@b.c".into(),
        name: "Ada".into(),
        password_hash: "x".into(),
        is_operator: false,
    };
    let user = users::create(&tx, new).await.unwrap();
    tx.commit().await.unwrap();
    user.id
}

async fn family(base: &Base) -> pressroom_store::FamilyRow {
    let new = NewFamily {
        user_id: person(base).await,
        account_id: None,
        lasts: DAY,
        address: Some("192.0.2.1".into()),
    };
    let tx = base.store.begin().await.unwrap();
    let row = families::create(&tx, new).await.unwrap();
    tx.commit().await.unwrap();
    row
}

async fn exchange(base: &Base, row: &pressroom_store::FamilyRow, from: &str, to: &str) -> bool {
    let tx = base.store.begin().await.unwrap();
    let done = families::exchange(&tx, row.id, from, to).await.unwrap();
    tx.commit().await.unwrap();
    done
}

async fn the_current_token_is_exchanged_once(base: Base) {
    let row = family(&base).await;
    let found = families::by_public_id(&base.store, &row.public_id).await;
    assert_eq!(found.unwrap(), Some(row.clone()));
    let next: Vec<String> = (0..8).map(|number| format!("next-{number}")).collect();
    let all = next
        .iter()
        .map(|next| exchange(&base, &row, &row.current, next));
    let done = futures_util::future::join_all(all).await;
    assert_eq!(done.iter().filter(|done| **done).count(), 1, "{done:?}");
    assert!(!exchange(&base, &row, &row.current, "again").await);
}

async fn a_family_ends_when_it_is_revoked_or_over(base: Base) {
    let row = family(&base).await;
    assert!(exchange(&base, &row, &row.current, "two").await);
    base.store.advance_clock(DAY);
    assert!(!exchange(&base, &row, "two", "three").await, "it is over");
    let tx = base.store.begin().await.unwrap();
    assert!(families::revoke(&tx, row.id).await.unwrap());
    assert!(!families::revoke(&tx, row.id).await.unwrap());
    assert_eq!(families::prune(&tx, DAY).await.unwrap(), 0);
    tx.commit().await.unwrap();
    base.store.advance_clock(DAY * 2);
    let tx = base.store.begin().await.unwrap();
    assert_eq!(families::prune(&tx, DAY).await.unwrap(), 1);
}

async fn a_denied_token_is_remembered_for_its_time(base: Base) {
    let now = base.store.now().await.unwrap();
    let tx = base.store.begin().await.unwrap();
    assert!(families::deny(&tx, "one", now.plus(DAY)).await.unwrap());
    assert!(!families::deny(&tx, "one", now.plus(DAY)).await.unwrap());
    tx.commit().await.unwrap();
    for (name, denied) in [("one", true), ("two", false)] {
        let found = families::is_denied(&base.store, name).await.unwrap();
        assert_eq!(found, denied, "{name}");
    }
    base.store.advance_clock(DAY * 2);
    let tx = base.store.begin().await.unwrap();
    assert_eq!(families::prune(&tx, DAY / 2).await.unwrap(), 1);
}

async fn the_newest_logins_stay(base: Base) {
    let user = person(&base).await;
    let tx = base.store.begin().await.unwrap();
    for number in 0..5 {
        let new = NewToken {
            kind: "api".into(),
            user_id: Some(user),
            name: format!("t{number}"),
            digest: format!("d{number}"),
            // The first was made by hand.
            login: number > 0,
            ..NewToken::default()
        };
        tokens::create(&tx, new).await.unwrap();
    }
    assert_eq!(tokens::trim_logins(&tx, user, 2).await.unwrap(), 2);
    assert_eq!(tokens::trim_logins(&tx, user, 2).await.unwrap(), 0);
    let left = tokens::list(&tx, Some(user)).await.unwrap();
    let names: Vec<_> = left.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["t0", "t3", "t4"]);
}

async fn a_setting_is_made_once(base: Base) {
    let ensure = async |wanted: &str| {
        let tx = base.store.begin().await.unwrap();
        let kept = settings::ensure(&tx, "key", wanted).await.unwrap();
        tx.commit().await.unwrap();
        kept
    };
    assert_eq!(ensure("one").await, "one");
    assert_eq!(ensure("two").await, "one");
}
