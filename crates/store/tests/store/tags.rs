//! Words that people give to environments.

use crate::base::Base;
use pressroom_store::{Error, Scope, TagRow, tags};

crate::on_both! { a_tag_is_given_once_and_seen_by_its_own }

async fn a_tag_is_given_once_and_seen_by_its_own(base: Base) {
    let (acme, other) = (base.account("acme").await, base.account("other").await);
    let one = base.environment(acme.id, "/srv/one").await.id;
    let two = base.environment(other.id, "/srv/two").await.id;
    let tx = base.store.begin().await.unwrap();
    tags::lock(&tx, one).await.unwrap();
    assert!(tags::add(&tx, one, "shop").await.unwrap());
    assert!(!tags::add(&tx, one, "shop").await.unwrap());
    assert!(tags::add(&tx, one, "blog").await.unwrap());
    assert!(tags::add(&tx, two, "shop").await.unwrap());
    assert!(tags::add(&tx, two, "secret").await.unwrap());
    let nowhere = tags::lock(&tx, pressroom_base::id::EnvironmentId::new(999)).await;
    assert!(matches!(nowhere, Err(Error::NotFound { .. })));
    tx.commit().await.unwrap();

    assert_eq!(
        tags::list(&base.store, one).await.unwrap(),
        ["blog", "shop"]
    );
    let both = tags::list_many(&base.store, &[two, one]).await.unwrap();
    let told = |rows: Vec<TagRow>| -> Vec<String> { rows.into_iter().map(|row| row.tag).collect() };
    assert_eq!(told(both), ["blog", "shop", "secret", "shop"]);
    for (scope, names) in [
        (Scope::All, &["blog", "secret", "shop"][..]),
        (Scope::Accounts(vec![acme.id]), &["blog", "shop"]),
        (Scope::Accounts(Vec::new()), &[]),
    ] {
        assert_eq!(tags::names(&base.store, &scope).await.unwrap(), names);
    }
    let own = Scope::Accounts(vec![other.id]);
    let own = tags::list_all(&base.store, &own).await.unwrap();
    assert!(own.iter().all(|row| row.environment_id == two));
    assert_eq!(told(own), ["secret", "shop"]);

    let tx = base.store.begin().await.unwrap();
    assert!(tags::remove(&tx, one, "shop").await.unwrap());
    assert!(!tags::remove(&tx, one, "shop").await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(tags::list(&base.store, one).await.unwrap(), ["blog"]);
    assert_eq!(tags::list(&base.store, two).await.unwrap().len(), 2);
}
