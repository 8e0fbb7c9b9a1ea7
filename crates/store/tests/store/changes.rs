//! What is marked as changed, and that nobody misses it.

use crate::base::{Base, count, rows};
use pressroom_base::id::{AccountId, EnvironmentId};
use pressroom_store::{
    Changed, EnvironmentPatch, Moment, NewComponent, NewDomain, NewSnapshot, SnapshotContents,
    SnapshotFormat, Store, StoredSnapshot, Tx, changes, components, domains, environments,
    snapshots, tags,
};
use sea_orm::ConnectionTrait;
use std::collections::BTreeSet;

crate::on_both! {
    whatever_selectors_see_is_marked
    what_stays_as_it_was_is_not_marked
    names_are_marked_for_all_who_bear_them
    what_was_taken_back_is_no_change
    commits_out_of_order_are_all_seen
    what_is_removed_stays_marked
    nobody_misses_what_many_write_at_once
    marks_of_another_server_are_not_new
}

async fn commit(base: &Base, write: impl AsyncFnOnce(&Tx)) {
    let tx = base.store.begin().await.unwrap();
    write(&tx).await;
    tx.commit().await.unwrap();
}

/// What is new since a moment, which is moved on.
async fn new(store: &Store, seen: &mut Moment) -> Vec<Changed> {
    let (changed, moment) = changes::since(store, seen).await.unwrap();
    *seen = moment;
    changed
}

fn plugin(slug: &str, version: &str) -> NewComponent {
    NewComponent {
        kind: "plugin".into(),
        place: "normal".into(),
        slug: slug.into(),
        version: version.into(),
        ..NewComponent::default()
    }
}

fn snapshot(account_id: AccountId, environment_id: EnvironmentId) -> NewSnapshot {
    NewSnapshot {
        public_id: "first".into(),
        environment_id,
        account_id,
        format: SnapshotFormat::TarZst,
        reserved: 0,
        job_id: None,
        created_by: None,
        note: String::new(),
        store: "directory".into(),
        object_key: "first".into(),
        expires_at: None,
        contents: SnapshotContents::Full,
        panel_id: String::new(),
        domain: String::new(),
    }
}

async fn whatever_selectors_see_is_marked(base: Base) {
    let account = base.account("acme").await;
    let mut seen = changes::now(&base.store).await.unwrap();
    let id = base.environment(account.id, "/srv/one").await.id;
    let marked = [Changed::Environment(id)];
    assert_eq!(new(&base.store, &mut seen).await, marked, "added");
    assert_eq!(new(&base.store, &mut seen).await, []);

    let patches = [
        EnvironmentPatch {
            php_version: Some("8.2".into()),
            ..EnvironmentPatch::default()
        },
        EnvironmentPatch {
            url: Some("https://other.example".into()),
            ..EnvironmentPatch::default()
        },
        EnvironmentPatch {
            inspected_at: Some(base.store.now().await.unwrap()),
            ..EnvironmentPatch::default()
        },
    ];
    for patch in patches {
        let text = format!("{patch:?}");
        commit(&base, async |tx| {
            environments::update(tx, id, patch).await.unwrap();
        })
        .await;
        assert_eq!(new(&base.store, &mut seen).await, marked, "{text}");
    }
    let mut row = 0;
    commit(&base, async |tx| {
        row = components::put(tx, id, plugin("akismet", "5.3"))
            .await
            .unwrap();
    })
    .await;
    assert_eq!(new(&base.store, &mut seen).await, marked, "a plugin");
    commit(&base, async |tx| {
        components::replace_all(tx, id, vec![plugin("akismet", "5.4")])
            .await
            .unwrap();
    })
    .await;
    assert_eq!(new(&base.store, &mut seen).await, marked, "its version");
    commit(&base, async |tx| {
        components::set_new_version(tx, row, Some("6.0"))
            .await
            .unwrap();
    })
    .await;
    assert_eq!(new(&base.store, &mut seen).await, marked, "an offer");
    commit(&base, async |tx| {
        components::remove(tx, id, "plugin", "akismet")
            .await
            .unwrap();
    })
    .await;
    assert_eq!(new(&base.store, &mut seen).await, marked, "without it");

    let mut taken = None;
    commit(&base, async |tx| {
        taken = Some(snapshots::begin(tx, snapshot(account.id, id)).await);
    })
    .await;
    let taken = taken.unwrap().unwrap().id;
    new(&base.store, &mut seen).await;
    commit(&base, async |tx| {
        let stored = StoredSnapshot {
            size: 1,
            sha256: "ab".repeat(32),
            wordpress_version: String::new(),
        };
        snapshots::finish(tx, taken, stored).await.unwrap();
    })
    .await;
    assert_eq!(new(&base.store, &mut seen).await, marked, "a snapshot");
    commit(&base, async |tx| {
        snapshots::mark_damaged(tx, taken, "a frame is cut")
            .await
            .unwrap();
    })
    .await;
    assert_eq!(new(&base.store, &mut seen).await, marked, "its damage");
    commit(&base, async |tx| {
        snapshots::remove(tx, taken).await.unwrap();
    })
    .await;
    assert_eq!(new(&base.store, &mut seen).await, marked, "its end");

    commit(&base, async |tx| {
        assert!(tags::add(tx, id, "shop").await.unwrap());
    })
    .await;
    assert_eq!(new(&base.store, &mut seen).await, marked, "a tag");
    commit(&base, async |tx| {
        assert!(tags::remove(tx, id, "shop").await.unwrap());
    })
    .await;
    assert_eq!(new(&base.store, &mut seen).await, marked, "without it");
}

async fn what_stays_as_it_was_is_not_marked(base: Base) {
    let account = base.account("acme").await;
    let id = base.environment(account.id, "/srv/one").await.id;
    let look = async |tx: &Tx| {
        let patch = EnvironmentPatch {
            php_version: Some("8.2".into()),
            title: Some(format!("at {:?}", tx.now().await.unwrap())),
            inspected_at: Some(tx.now().await.unwrap()),
            ..EnvironmentPatch::default()
        };
        environments::update(tx, id, patch).await.unwrap();
        let seen = vec![plugin("akismet", "5.3"), plugin("jetpack", "13.0")];
        components::replace_all(tx, id, seen).await.unwrap();
    };
    commit(&base, look).await;
    commit(&base, async |tx| {
        tags::add(tx, id, "shop").await.unwrap();
    })
    .await;
    let mut seen = changes::now(&base.store).await.unwrap();
    base.store.advance_clock(std::time::Duration::from_mins(2));
    commit(&base, look).await;
    commit(&base, async |tx| {
        assert!(!tags::add(tx, id, "shop").await.unwrap());
        assert!(!tags::remove(tx, id, "other").await.unwrap());
    })
    .await;
    assert_eq!(new(&base.store, &mut seen).await, []);
}

async fn names_are_marked_for_all_who_bear_them(base: Base) {
    let account = base.account("acme").await;
    let row = base.environment(account.id, "/srv/one").await;
    let mut domain = None;
    commit(&base, async |tx| {
        let new = NewDomain {
            account_id: account.id,
            name: "a.example".into(),
            root: "/srv".into(),
        };
        domain = Some(domains::create(tx, new).await.unwrap().id);
    })
    .await;
    let mut seen = changes::now(&base.store).await.unwrap();
    let raw = base.raw().await;
    for (sql, marked) in [
        (
            "UPDATE accounts SET name = 'New'",
            Changed::Account(account.id),
        ),
        ("UPDATE sites SET name = 'New'", Changed::Site(row.site_id)),
        (
            "UPDATE domains SET name = 'b.example'",
            Changed::Domain(domain.unwrap()),
        ),
    ] {
        raw.execute_unprepared(sql).await.unwrap();
        assert_eq!(new(&base.store, &mut seen).await, [marked], "{sql}");
        raw.execute_unprepared(sql).await.unwrap();
        assert_eq!(new(&base.store, &mut seen).await, [], "{sql} again");
    }
}

async fn what_was_taken_back_is_no_change(base: Base) {
    let account = base.account("acme").await;
    let id = base.environment(account.id, "/srv/one").await.id;
    let mut seen = changes::now(&base.store).await.unwrap();
    let tx = base.store.begin().await.unwrap();
    tags::add(&tx, id, "shop").await.unwrap();
    assert_eq!(new(&base.store, &mut seen).await, [], "before its end");
    tx.rollback().await.unwrap();
    assert_eq!(new(&base.store, &mut seen).await, []);
    // On SQLite the next change gets the number that the lost one had.
    commit(&base, async |tx| {
        tags::add(tx, id, "shop").await.unwrap();
    })
    .await;
    let marked = [Changed::Environment(id)];
    assert_eq!(new(&base.store, &mut seen).await, marked);
}

/// A transaction that began first and ends last, while somebody looks in between.
async fn commits_out_of_order_are_all_seen(base: Base) {
    if base.is_sqlite() {
        return; // There is one writer.
    }
    let account = base.account("acme").await;
    let one = base.environment(account.id, "/srv/one").await.id;
    let two = base.environment(account.id, "/srv/two").await.id;
    let mut seen = changes::now(&base.store).await.unwrap();
    let slow = base.store.begin().await.unwrap();
    tags::add(&slow, one, "slow").await.unwrap();
    commit(&base, async |tx| {
        tags::add(tx, two, "quick").await.unwrap();
    })
    .await;
    let marked = [Changed::Environment(two)];
    assert_eq!(new(&base.store, &mut seen).await, marked);
    assert_eq!(new(&base.store, &mut seen).await, [], "told once");
    slow.commit().await.unwrap();
    let marked = [Changed::Environment(one)];
    assert_eq!(new(&base.store, &mut seen).await, marked);
}

async fn what_is_removed_stays_marked(base: Base) {
    let account = base.account("acme").await;
    let id = base.environment(account.id, "/srv/one").await.id;
    commit(&base, async |tx| {
        tags::add(tx, id, "shop").await.unwrap();
    })
    .await;
    let mut seen = changes::now(&base.store).await.unwrap();
    commit(&base, async |tx| {
        environments::remove(tx, id).await.unwrap();
    })
    .await;
    let marked = [Changed::Environment(id)];
    assert_eq!(new(&base.store, &mut seen).await, marked);
    let raw = base.raw().await;
    assert_eq!(
        count(&raw, "SELECT COUNT(*) FROM environment_tags").await,
        0
    );
}

async fn nobody_misses_what_many_write_at_once(base: Base) {
    let account = base.account("acme").await;
    let mut ids = Vec::new();
    for number in 0..8 {
        let root = format!("/srv/{number}");
        ids.push(base.environment(account.id, &root).await.id);
    }
    let mut seen = changes::now(&base.store).await.unwrap();
    // A picture of what is tagged, kept by marks alone.
    let other = Store::open(&base.url, base.keyring.clone()).await.unwrap();
    let writers = ids.iter().enumerate().map(|(number, id)| {
        let store = if number % 2 == 0 { &base.store } else { &other };
        let (store, id) = (store.clone(), *id);
        tokio::spawn(async move {
            for round in 0..25 {
                let tx = store.begin().await.unwrap();
                tags::add(&tx, id, &format!("t{round}")).await.unwrap();
                tokio::task::yield_now().await;
                if round % 5 == 4 {
                    tx.rollback().await.unwrap();
                } else {
                    tx.commit().await.unwrap();
                }
            }
        })
    });
    let mut writers: Vec<_> = writers.collect();
    let mut picture = BTreeSet::new();
    loop {
        let over = writers.iter().all(tokio::task::JoinHandle::is_finished);
        for changed in new(&base.store, &mut seen).await {
            let Changed::Environment(id) = changed else {
                panic!("{changed:?}");
            };
            let now = tags::list(&base.store, id).await.unwrap();
            picture.extend(now.into_iter().map(|tag| (id.get(), tag)));
        }
        if over {
            break;
        }
    }
    for writer in writers.drain(..) {
        writer.await.unwrap();
    }
    assert_eq!(picture.len(), 8 * 20);
    let stored = tags::list_many(&base.store, &ids).await.unwrap();
    let stored = stored
        .into_iter()
        .map(|row| (row.environment_id.get(), row.tag));
    let stored: BTreeSet<_> = stored.collect();
    assert_eq!(picture, stored);
}

/// A database that was dumped and loaded elsewhere has marks of transactions that the
/// new server never had.
async fn marks_of_another_server_are_not_new(base: Base) {
    if base.is_sqlite() {
        return; // Numbers are the file's own.
    }
    let account = base.account("acme").await;
    let id = base.environment(account.id, "/srv/one").await.id;
    let raw = base.raw().await;
    raw.execute_unprepared("UPDATE changes SET stamp = stamp + 1000000000")
        .await
        .unwrap();
    let mut seen = changes::now(&base.store).await.unwrap();
    assert_eq!(new(&base.store, &mut seen).await, []);
    commit(&base, async |tx| {
        tags::add(tx, id, "shop").await.unwrap();
    })
    .await;
    let marked = [Changed::Environment(id)];
    assert_eq!(new(&base.store, &mut seen).await, marked);
    assert_eq!(rows(&raw, "SELECT * FROM changes").await.len(), 1);
}
