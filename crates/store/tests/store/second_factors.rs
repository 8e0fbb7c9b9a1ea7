use crate::base::{Base, count, rows};
use pressroom_base::{
    Secret,
    id::{ShortId, UserId},
};
use pressroom_store::{Error, NewUser, second_factors, users};
use std::collections::BTreeSet;

crate::on_both! {
    a_secret_is_sealed_for_its_person
    a_step_is_used_up_with_all_before_it
    a_backup_code_is_good_once
    rows_from_before_get_names_for_programs
}

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

async fn a_secret_is_sealed_for_its_person(base: Base) {
    let (ada, bob) = (person(&base, "a@b.c").await, person(&base, "b@b.c").await);
    let tx = base.store.begin().await.unwrap();
    let missing = second_factors::enable(&tx, ada).await;
    assert!(matches!(missing, Err(Error::NotFound { .. })));
    drop(tx);
    for secret in ["FIRST", "SECOND"] {
        let tx = base.store.begin().await.unwrap();
        second_factors::propose(&tx, ada, &Secret::new(secret.into()))
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
    let row = second_factors::of(&base.store, ada).await.unwrap().unwrap();
    assert!(row.enabled_at.is_none() && !row.secret_sealed.contains("SECOND"));
    let opened = second_factors::secret(&base.store, &row).unwrap();
    assert_eq!(opened.expose(), "SECOND");
    let mut moved = row.clone();
    moved.user_id = bob;
    assert!(second_factors::secret(&base.store, &moved).is_err());
    assert_eq!(
        second_factors::enabled_among(&base.store, &[ada, bob])
            .await
            .unwrap(),
        []
    );
    let tx = base.store.begin().await.unwrap();
    second_factors::enable(&tx, ada).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        second_factors::enabled_among(&base.store, &[ada, bob])
            .await
            .unwrap(),
        [ada]
    );
    let tx = base.store.begin().await.unwrap();
    assert!(second_factors::remove(&tx, ada).await.unwrap());
    assert!(!second_factors::remove(&tx, ada).await.unwrap());
    tx.commit().await.unwrap();
}

async fn a_step_is_used_up_with_all_before_it(base: Base) {
    let ada = person(&base, "a@b.c").await;
    let tx = base.store.begin().await.unwrap();
    second_factors::propose(&tx, ada, &Secret::new("S".into()))
        .await
        .unwrap();
    for (step, good) in [(7, true), (7, false), (6, false), (8, true)] {
        let used = second_factors::use_step(&tx, ada, step).await.unwrap();
        assert_eq!(used, good, "{step}");
    }
    // Another secret begins anew.
    second_factors::propose(&tx, ada, &Secret::new("T".into()))
        .await
        .unwrap();
    assert!(second_factors::use_step(&tx, ada, 7).await.unwrap());
}

async fn a_backup_code_is_good_once(base: Base) {
    let (ada, bob) = (person(&base, "a@b.c").await, person(&base, "b@b.c").await);
    let codes = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<_>>()
    };
    let tx = base.store.begin().await.unwrap();
    second_factors::set_backup_codes(&tx, ada, &codes(&["one", "two", "three"]))
        .await
        .unwrap();
    second_factors::set_backup_codes(&tx, bob, &codes(&["one"]))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let burn = async |user, code: &str| {
        let tx = base.store.begin().await.unwrap();
        let burnt = second_factors::burn(&tx, user, code).await.unwrap();
        tx.commit().await.unwrap();
        burnt
    };
    assert!(!burn(bob, "two").await, "somebody else's");
    assert!(burn(ada, "one").await);
    assert!(!burn(ada, "one").await);
    assert!(burn(bob, "one").await, "the same text, another person's");
    let left = second_factors::backup_codes_left(&base.store, ada).await;
    assert_eq!(left.unwrap(), 2);
    let tx = base.store.begin().await.unwrap();
    second_factors::set_backup_codes(&tx, ada, &codes(&["new"]))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(!burn(ada, "two").await, "replaced");
    let raw = base.raw().await;
    let plain = "SELECT COUNT(*) FROM backup_codes WHERE digest = 'new'";
    assert_eq!(count(&raw, plain).await, 0);
}

async fn rows_from_before_get_names_for_programs(base: Base) {
    use sea_orm::ConnectionTrait;
    let raw = base.raw().await;
    for (email, at) in [("a@b.c", 1), ("b@b.c", 2)] {
        raw.execute_unprepared(&format!(
            "INSERT INTO users (email, name, password_hash, is_operator, created_at) \
             VALUES ('{email}', 'x', 'x', FALSE, {at})"
        ))
        .await
        .unwrap();
    }
    raw.execute_unprepared("DELETE FROM seaql_migrations WHERE version >= 'm0018'")
        .await
        .unwrap();
    pressroom_store::Store::open(&base.url, base.keyring.clone())
        .await
        .unwrap();
    let found = rows(&raw, "SELECT short_id FROM users").await;
    let ids: BTreeSet<String> = found
        .iter()
        .map(|row| row.try_get("", "short_id").unwrap())
        .collect();
    assert_eq!(ids.len(), 2);
    assert!(ids.iter().all(|id| ShortId::parse(id).is_some()), "{ids:?}");
}
