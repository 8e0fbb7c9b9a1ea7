//! What is wanted of sites and was seen of them.

use crate::base::Base;
use pressroom_store::{Moved, NewDomain, SecurityRow, domains, environments, security};

crate::on_both! { what_is_wanted_and_what_was_seen_are_kept_apart }

async fn what_is_wanted_and_what_was_seen_are_kept_apart(base: Base) {
    let account = base.account("acme").await;
    let one = base.environment(account.id, "/srv/one").await;
    let two = base.environment(account.id, "/srv/two").await;
    let tx = base.store.begin().await.unwrap();
    let domain = NewDomain {
        account_id: account.id,
        name: "a.example".into(),
        root: "/srv".into(),
    };
    let domain = domains::create(&tx, domain).await.unwrap();
    for row in [&one, &two] {
        let moved = Moved {
            domain_id: domain.id,
            root: row.root.clone(),
            url: row.url.clone(),
            origin_addr: "127.0.0.1:80".into(),
            origin_host: "a.example".into(),
        };
        environments::relocate(&tx, row.id, moved).await.unwrap();
    }
    tx.commit().await.unwrap();
    let get = async |id| security::get(&base.store, id).await.unwrap();
    assert_eq!(get(one.id).await, SecurityRow::default());

    let tx = base.store.begin().await.unwrap();
    security::saw_files(&tx, one.id, "unknown").await.unwrap();
    security::set_file_protection(&tx, one.id, true, Some(0o604))
        .await
        .unwrap();
    security::saw_files(&tx, one.id, "modified").await.unwrap();
    security::set_file_protection(&tx, two.id, true, None)
        .await
        .unwrap();
    security::set_file_protection(&tx, two.id, false, None)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let row = get(one.id).await;
    assert!(row.file_protection);
    assert_eq!(row.config_mode, Some(0o604));
    assert_eq!(row.files.unwrap().0, "modified");
    assert!(!get(two.id).await.file_protection);
    let protected = security::protected_in(&base.store, domain.id)
        .await
        .unwrap();
    assert_eq!(protected, [one.id]);

    let tx = base.store.begin().await.unwrap();
    environments::remove(&tx, one.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(get(one.id).await, SecurityRow::default());
}
