use crate::base::Base;
use pressroom_base::{
    Timestamp,
    id::{AccountId, EnvironmentId, JobId, SnapshotId},
};
use pressroom_store::{
    Asked, Error, Lookup, NewSnapshot, Page, Scope, SentSnapshot, SnapshotCause, SnapshotContents,
    SnapshotFilter, SnapshotFormat, SnapshotHolder, SnapshotOrigin, SnapshotRow, SnapshotState,
    StoredSnapshot, environments,
    jobs::{Cancellation, NewJob, queue},
    snapshots,
};
use std::time::Duration;

crate::on_both! {
    a_snapshot_is_begun_and_finished_once
    a_failed_one_keeps_no_bytes
    lists_stay_within_scope_and_environment
    look_ups_tell_foreign_from_missing
    what_is_verified_is_remembered_until_it_is_damaged
    what_is_due_comes_the_longest_due_first
    bytes_are_counted_per_account
    one_whose_job_is_over_is_stranded
    the_last_size_is_of_what_was_stored
    the_newest_whole_one_is_told_per_environment
    two_reservations_do_not_see_the_same_rest
    a_snapshot_outlives_its_environment
    what_is_sent_is_recorded_once
    what_is_held_is_not_due
    what_is_removed_is_left_behind_until_its_bytes_are_gone
}

fn new(account: AccountId, environment: EnvironmentId, name: &str) -> NewSnapshot {
    NewSnapshot {
        public_id: name.into(),
        environment_id: environment,
        account_id: account,
        format: SnapshotFormat::TarZst,
        reserved: 100,
        job_id: Some(JobId::new(3)),
        created_by: None,
        note: "before the move".into(),
        store: "directory".into(),
        object_key: format!("snapshots/{account}/{environment}/{name}.tar.zst"),
        expires_at: None,
        contents: SnapshotContents::Full,
        panel_id: "wp_2f686f6d6".into(),
        domain: "blog.example".into(),
    }
}

fn stored(size: i64) -> StoredSnapshot {
    StoredSnapshot {
        size,
        sha256: "ab".repeat(32),
        wordpress_version: "6.5.5".into(),
    }
}

async fn begun(base: &Base, new: NewSnapshot) -> SnapshotRow {
    let tx = base.store.begin().await.unwrap();
    let row = snapshots::begin(&tx, new).await.unwrap();
    tx.commit().await.unwrap();
    row
}

async fn ready(base: &Base, new: NewSnapshot, size: i64) -> SnapshotRow {
    let row = begun(base, new).await;
    let tx = base.store.begin().await.unwrap();
    snapshots::finish(&tx, row.id, stored(size)).await.unwrap();
    tx.commit().await.unwrap();
    get(base, row.id).await
}

async fn get(base: &Base, id: SnapshotId) -> SnapshotRow {
    snapshots::get(&base.store, id).await.unwrap().unwrap()
}

async fn a_snapshot_is_begun_and_finished_once(base: Base) {
    let acme = base.account("Acme").await;
    let site = base.environment(acme.id, "/sites/acme").await;
    let row = begun(&base, new(acme.id, site.id, "first")).await;
    assert_eq!(row.state, SnapshotState::Creating);
    assert_eq!((row.size, row.sha256.clone()), (100, None));
    assert_eq!(row.note, "before the move");
    assert_eq!(get(&base, row.id).await, row);

    // Neither name nor place twice.
    for twin in [
        NewSnapshot {
            object_key: "elsewhere".into(),
            ..new(acme.id, site.id, "first")
        },
        NewSnapshot {
            public_id: "second".into(),
            ..new(acme.id, site.id, "first")
        },
    ] {
        let tx = base.store.begin().await.unwrap();
        let taken = snapshots::begin(&tx, twin).await;
        assert!(matches!(taken, Err(Error::Exists { what: "snapshot" })));
    }

    let tx = base.store.begin().await.unwrap();
    snapshots::finish(&tx, row.id, stored(77)).await.unwrap();
    let again = snapshots::finish(&tx, row.id, stored(78)).await;
    assert!(matches!(again, Err(Error::NotFound { .. })));
    let failed = snapshots::fail(&tx, row.id, "too late").await;
    assert!(matches!(failed, Err(Error::NotFound { .. })));
    tx.commit().await.unwrap();
    let done = get(&base, row.id).await;
    assert_eq!(done.state, SnapshotState::Ready);
    assert_eq!(done.size, 77);
    assert_eq!(done.sha256, Some("ab".repeat(32)));
    assert_eq!(done.wordpress_version, "6.5.5");
    assert!(done.finished_at >= Some(done.created_at));
    assert_eq!(done.format, SnapshotFormat::TarZst);
}

async fn a_failed_one_keeps_no_bytes(base: Base) {
    let acme = base.account("Acme").await;
    let row = begun(&base, new(acme.id, EnvironmentId::new(1), "x")).await;
    let tx = base.store.begin().await.unwrap();
    snapshots::fail(&tx, row.id, "the disk is full")
        .await
        .unwrap();
    for late in [
        snapshots::finish(&tx, row.id, stored(1)).await,
        snapshots::mark_verified(&tx, row.id).await,
        snapshots::mark_expired(&tx, row.id).await,
        snapshots::set_expiry(&tx, row.id, None).await,
    ] {
        assert!(matches!(late, Err(Error::NotFound { .. })), "{late:?}");
    }
    tx.commit().await.unwrap();
    let failed = get(&base, row.id).await;
    assert_eq!(failed.state, SnapshotState::Failed);
    assert_eq!(failed.fault.as_deref(), Some("the disk is full"));
    assert_eq!(failed.size, 0);
    assert!(failed.finished_at.is_some());
}

async fn lists_stay_within_scope_and_environment(base: Base) {
    let (acme, other) = (base.account("Acme").await, base.account("Other").await);
    let (one, two) = (EnvironmentId::new(1), EnvironmentId::new(2));
    for (account, environment, name) in [
        (acme.id, one, "a"),
        (acme.id, one, "b"),
        (acme.id, two, "c"),
        (other.id, one, "d"),
    ] {
        begun(&base, new(account, environment, name)).await;
    }
    ready(&base, new(acme.id, one, "e"), 5).await;
    let of = |environment, states: &[SnapshotState]| SnapshotFilter {
        environment_id: environment,
        states: states.to_vec(),
        ..SnapshotFilter::default()
    };
    let acme = Scope::Accounts(vec![acme.id]);
    let names = async |scope: &Scope, filter: SnapshotFilter, page| {
        let rows = snapshots::list(&base.store, scope, &filter, page)
            .await
            .unwrap();
        let names: String = rows.into_iter().map(|row| row.public_id).collect();
        if page.offset == 0 && page.limit == 9 {
            let count = snapshots::count(&base.store, scope, &filter).await.unwrap();
            assert_eq!(count, names.len() as u64);
        }
        names
    };
    let all = Page::first(9);
    assert_eq!(names(&Scope::All, of(None, &[]), all).await, "edcba");
    assert_eq!(names(&acme, of(None, &[]), all).await, "ecba");
    assert_eq!(names(&acme, of(Some(one), &[]), all).await, "eba");
    let is_ready = [SnapshotState::Ready, SnapshotState::Expired];
    assert_eq!(names(&acme, of(Some(one), &is_ready), all).await, "e");
    assert_eq!(names(&acme, of(Some(two), &is_ready), all).await, "");
    let second = Page {
        limit: 2,
        offset: 2,
    };
    assert_eq!(names(&acme, of(None, &[]), second).await, "ba");
    let nobody = Scope::Accounts(vec![]);
    assert_eq!(names(&nobody, of(None, &[]), all).await, "");
}

async fn the_newest_whole_one_is_told_per_environment(base: Base) {
    let (acme, other) = (base.account("Acme").await, base.account("Other").await);
    let (one, two) = (EnvironmentId::new(1), EnvironmentId::new(2));
    ready(&base, new(acme.id, one, "a"), 5).await;
    let newest = ready(&base, new(acme.id, one, "b"), 5).await;
    let tables = NewSnapshot {
        contents: SnapshotContents::Database,
        ..new(acme.id, one, "c")
    };
    ready(&base, tables, 5).await;
    begun(&base, new(acme.id, one, "d")).await;
    let damaged = ready(&base, new(acme.id, one, "e"), 5).await;
    let theirs = ready(&base, new(other.id, two, "f"), 5).await;
    let tx = base.store.begin().await.unwrap();
    let fault = "a frame is cut";
    snapshots::mark_damaged(&tx, damaged.id, fault)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let told = async |scope: Scope| {
        let told = snapshots::newest_whole(&base.store, &scope).await.unwrap();
        let mut told: Vec<_> = told.into_iter().collect();
        told.sort_unstable();
        told
    };
    let (of_one, of_two) = ((one, newest.created_at), (two, theirs.created_at));
    assert_eq!(told(Scope::All).await, [of_one, of_two]);
    assert_eq!(told(Scope::Accounts(vec![acme.id])).await, [of_one]);
    assert_eq!(told(Scope::Accounts(vec![])).await, []);
}

async fn look_ups_tell_foreign_from_missing(base: Base) {
    let (acme, other) = (base.account("Acme").await, base.account("Other").await);
    let row = begun(&base, new(acme.id, EnvironmentId::new(1), "x")).await;
    let look = async |scope: Scope, name: &str| {
        snapshots::by_public_id(&base.store, &scope, name)
            .await
            .unwrap()
    };
    let of = |account: AccountId| Scope::Accounts(vec![account]);
    assert_eq!(look(of(acme.id), "x").await, Lookup::Found(row.clone()));
    assert_eq!(look(Scope::All, "x").await, Lookup::Found(row));
    assert_eq!(look(of(other.id), "x").await, Lookup::Foreign);
    assert_eq!(look(of(acme.id), "y").await, Lookup::Missing);
}

async fn what_is_verified_is_remembered_until_it_is_damaged(base: Base) {
    let acme = base.account("Acme").await;
    let row = ready(&base, new(acme.id, EnvironmentId::new(1), "x"), 5).await;
    assert_eq!(row.verified_at, None);
    let tx = base.store.begin().await.unwrap();
    snapshots::mark_verified(&tx, row.id).await.unwrap();
    tx.commit().await.unwrap();
    let seen = get(&base, row.id).await;
    assert!(seen.verified_at >= row.finished_at);
    let tx = base.store.begin().await.unwrap();
    snapshots::mark_damaged(&tx, row.id, "its bytes differ")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let seen = get(&base, row.id).await;
    assert_eq!(seen.verified_at, None);
    assert_eq!(seen.fault.as_deref(), Some("its bytes differ"));
    let tx = base.store.begin().await.unwrap();
    snapshots::mark_verified(&tx, row.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(get(&base, row.id).await.fault, None);
}

async fn what_is_due_comes_the_longest_due_first(base: Base) {
    let acme = base.account("Acme").await;
    let now = base.store.now().await.unwrap();
    let day = Duration::from_hours(24);
    for (name, expires_at) in [
        ("later", Some(now.plus(day))),
        ("never", None),
        ("now", Some(now)),
        ("before", Some(now.minus(day))),
    ] {
        let new = NewSnapshot {
            expires_at,
            ..new(acme.id, EnvironmentId::new(1), name)
        };
        ready(&base, new, 5).await;
    }
    let unfinished = NewSnapshot {
        expires_at: Some(now.minus(day)),
        ..new(acme.id, EnvironmentId::new(1), "unfinished")
    };
    begun(&base, unfinished).await;
    let due = async |at: Timestamp, limit| {
        let rows = snapshots::due(&base.store, at, limit).await.unwrap();
        let names: Vec<_> = rows.iter().map(|row| row.public_id.clone()).collect();
        (names.join(" "), rows)
    };
    assert_eq!(due(now, 9).await.0, "before now");
    assert_eq!(due(now.plus(day), 9).await.0, "before now later");
    let (names, rows) = due(now, 1).await;
    assert_eq!(names, "before");
    let tx = base.store.begin().await.unwrap();
    snapshots::mark_expired(&tx, rows[0].id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(get(&base, rows[0].id).await.state, SnapshotState::Expired);
    let (names, rows) = due(now, 9).await;
    assert_eq!(names, "now");
    let tx = base.store.begin().await.unwrap();
    snapshots::set_expiry(&tx, rows[0].id, None).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(due(now, 9).await.0, "");
}

async fn bytes_are_counted_per_account(base: Base) {
    let (acme, other) = (base.account("Acme").await, base.account("Other").await);
    let total = async |account| snapshots::total_bytes(&base.store, account).await.unwrap();
    assert_eq!(total(acme.id).await, 0);
    let site = EnvironmentId::new(1);
    let large = 3_000_000_000_000;
    let kept = ready(&base, new(acme.id, site, "a"), large).await;
    ready(&base, new(acme.id, site, "b"), large).await;
    ready(&base, new(other.id, site, "c"), 7).await;
    let making = begun(&base, new(acme.id, site, "d")).await;
    assert_eq!(total(acme.id).await, 2 * large + 100);
    let tx = base.store.begin().await.unwrap();
    snapshots::fail(&tx, making.id, "no").await.unwrap();
    snapshots::mark_expired(&tx, kept.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(total(acme.id).await, large);
    let tx = base.store.begin().await.unwrap();
    snapshots::remove(&tx, kept.id).await.unwrap();
    let twice = snapshots::remove(&tx, kept.id).await;
    assert!(matches!(twice, Err(Error::NotFound { what: "snapshot" })));
    tx.commit().await.unwrap();
    assert_eq!(snapshots::get(&base.store, kept.id).await.unwrap(), None);
    assert_eq!(total(other.id).await, 7);
}

/// Ten ask at once for 100 of 500 bytes: five get them.
async fn one_whose_job_is_over_is_stranded(base: Base) {
    let (store, acme) = (&base.store, base.account("Acme").await);
    let site = base.environment(acme.id, "/sites/acme").await;
    let mut rows = Vec::new();
    for name in ["queued", "cancelled"] {
        let tx = store.begin().await.unwrap();
        let job = NewJob::new("test", serde_json::json!({}));
        let job = queue::insert(&tx, job).await.unwrap();
        let new = NewSnapshot {
            job_id: Some(job.id),
            ..new(acme.id, site.id, name)
        };
        rows.push(snapshots::begin(&tx, new).await.unwrap());
        if name == "cancelled" {
            let how = Cancellation::default();
            queue::request_cancel(&tx, job.id, "", how).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
    let gone = NewSnapshot {
        job_id: Some(JobId::new(4711)),
        ..new(acme.id, site.id, "gone")
    };
    let none = NewSnapshot {
        job_id: None,
        ..new(acme.id, site.id, "none")
    };
    rows.extend([begun(&base, gone).await, begun(&base, none).await]);
    ready(&base, new(acme.id, site.id, "ready"), 5).await;

    let found = snapshots::stranded(store, 10).await.unwrap();
    assert_eq!(found, rows[1..]);
    assert_eq!(snapshots::stranded(store, 1).await.unwrap(), rows[1..2]);
}

async fn the_last_size_is_of_what_was_stored(base: Base) {
    let acme = base.account("Acme").await;
    let site = base.environment(acme.id, "/sites/acme").await;
    let last = async || {
        let full = SnapshotContents::Full;
        snapshots::last_size(&base.store, site.id, full)
            .await
            .unwrap()
    };
    let first = begun(&base, new(acme.id, site.id, "first")).await;
    assert_eq!(last().await, None);
    let kept = async || snapshots::kept_bytes(&base.store, acme.id).await.unwrap();
    assert_eq!(kept().await, 0);
    let second = ready(&base, new(acme.id, site.id, "second"), 70).await;
    let tx = base.store.begin().await.unwrap();
    snapshots::fail(&tx, first.id, "no").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((last().await, kept().await), (Some(70), 70));
    let tx = base.store.begin().await.unwrap();
    snapshots::mark_expired(&tx, second.id).await.unwrap();
    tx.commit().await.unwrap();
    // It says as much of the site as before.
    assert_eq!((last().await, kept().await), (Some(70), 0));
    // One of the tables alone says nothing of a whole.
    let tables = NewSnapshot {
        contents: SnapshotContents::Database,
        ..new(acme.id, site.id, "tables")
    };
    let tables = ready(&base, tables, 5).await;
    assert_eq!(tables.contents, SnapshotContents::Database);
    assert_eq!(last().await, Some(70));
}

async fn two_reservations_do_not_see_the_same_rest(base: Base) {
    let acme = base.account("Acme").await;
    let asking = (0..10).map(|number| {
        let store = base.store.clone();
        let new = new(acme.id, EnvironmentId::new(1), &format!("x{number}"));
        tokio::spawn(async move {
            let tx = store.begin().await.unwrap();
            snapshots::lock_account(&tx, new.account_id).await.unwrap();
            let used = snapshots::total_bytes(&tx, new.account_id).await.unwrap();
            if used + new.reserved > 500 {
                return false;
            }
            snapshots::begin(&tx, new).await.unwrap();
            tx.commit().await.unwrap();
            true
        })
    });
    let got = futures_util::future::join_all(asking).await;
    assert_eq!(
        got.into_iter().filter(|got| *got.as_ref().unwrap()).count(),
        5
    );
    let total = snapshots::total_bytes(&base.store, acme.id).await.unwrap();
    assert_eq!(total, 500);
}

async fn a_snapshot_outlives_its_environment(base: Base) {
    let acme = base.account("Acme").await;
    let site = base.environment(acme.id, "/sites/acme").await;
    let row = ready(&base, new(acme.id, site.id, "x"), 5).await;
    let tx = base.store.begin().await.unwrap();
    environments::remove(&tx, site.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(get(&base, row.id).await, row);
}

async fn what_is_sent_is_recorded_once(base: Base) {
    let acme = base.account("Acme").await;
    let site = base.environment(acme.id, "/sites/acme").await;
    let tx = base.store.begin().await.unwrap();
    let until = tx.now().await.unwrap().plus(Duration::from_hours(1));
    let asked = Asked {
        upload_until: Some(until),
        ..Asked::default()
    };
    let row = snapshots::begin_as(&tx, new(acme.id, site.id, "sent"), asked)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        (row.state, row.origin),
        (SnapshotState::Awaiting, SnapshotOrigin::Upload)
    );
    assert_eq!(
        (row.cause, row.site_id),
        (SnapshotCause::Manual, Some(site.site_id))
    );
    let by_id = snapshots::by_short_id(&base.store, &Scope::All, &row.short_id).await;
    assert_eq!(by_id.unwrap(), Lookup::Found(row.clone()));
    let unsent = async |at| snapshots::unsent(&base.store, at, 9).await.unwrap().len();
    assert_eq!(
        (
            unsent(until.minus(Duration::from_secs(1))).await,
            unsent(until).await
        ),
        (0, 1)
    );

    let sent = || SentSnapshot {
        stored: stored(7),
        format: SnapshotFormat::TarGz,
        object_key: "sent/1".into(),
        contents: SnapshotContents::Files,
        found: serde_json::json!({ "files": true }),
    };
    let tx = base.store.begin().await.unwrap();
    snapshots::intend_upload(&tx, row.id, "sent/0")
        .await
        .unwrap();
    snapshots::finish_upload(&tx, row.id, sent()).await.unwrap();
    for late in [
        snapshots::finish_upload(&tx, row.id, sent()).await,
        snapshots::intend_upload(&tx, row.id, "sent/2").await,
        snapshots::mark_unsent(&tx, row.id, "late").await,
    ] {
        assert!(matches!(late, Err(Error::NotFound { what: "snapshot" })));
    }
    tx.commit().await.unwrap();
    let seen = get(&base, row.id).await;
    assert_eq!(
        (seen.state, seen.format),
        (SnapshotState::Ready, SnapshotFormat::TarGz)
    );
    assert_eq!((seen.size, seen.object_key.as_str()), (7, "sent/1"));
    assert_eq!(seen.found, Some(serde_json::json!({ "files": true })));
    assert!(seen.verified_at.is_some());
    // No look back on the site itself.
    let newest = snapshots::newest_whole_of(&base.store, &[site.id]).await;
    assert!(newest.unwrap().is_empty());
    let of_site = SnapshotFilter {
        site_id: Some(site.site_id),
        contents: Some(SnapshotContents::Files),
        ..SnapshotFilter::default()
    };
    assert_eq!(
        snapshots::count(&base.store, &Scope::All, &of_site)
            .await
            .unwrap(),
        1
    );
}

async fn what_is_held_is_not_due(base: Base) {
    let acme = base.account("Acme").await;
    let now = base.store.now().await.unwrap();
    let new = NewSnapshot {
        expires_at: Some(now),
        ..new(acme.id, EnvironmentId::new(1), "held")
    };
    let row = ready(&base, new, 5).await;
    let due = async |at| snapshots::due(&base.store, at, 9).await.unwrap().len();
    assert_eq!(due(now).await, 1);
    let tx = base.store.begin().await.unwrap();
    let job = queue::insert(&tx, NewJob::new("test", serde_json::json!({})))
        .await
        .unwrap();
    let day = now.plus(Duration::from_hours(24));
    snapshots::hold(&tx, row.id, SnapshotHolder::Restore, Some(job.id), None)
        .await
        .unwrap();
    snapshots::hold(&tx, row.id, SnapshotHolder::Upgrade, None, Some(day))
        .await
        .unwrap();
    let held = snapshots::held_by(&tx, row.id).await.unwrap();
    assert_eq!(held, Some(SnapshotHolder::Restore));
    tx.commit().await.unwrap();
    assert_eq!((due(now).await, due(day).await), (0, 0));
    let tx = base.store.begin().await.unwrap();
    queue::request_cancel(&tx, job.id, "", Cancellation::default())
        .await
        .unwrap();
    let held = snapshots::held_by(&tx, row.id).await.unwrap();
    assert_eq!(held, Some(SnapshotHolder::Upgrade));
    assert_eq!(snapshots::prune_holds(&tx).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!((due(now).await, due(day).await), (0, 1));
}

async fn what_is_removed_is_left_behind_until_its_bytes_are_gone(base: Base) {
    let acme = base.account("Acme").await;
    let site = base.environment(acme.id, "/sites/acme").await;
    let row = ready(&base, new(acme.id, site.id, "gone"), 5).await;
    let being_made = begun(&base, new(acme.id, site.id, "made")).await;
    let left = async || {
        let rows = snapshots::left_behind(&base.store, 9).await.unwrap();
        rows.into_iter()
            .map(|row| row.public_id)
            .collect::<Vec<_>>()
    };
    let tx = base.store.begin().await.unwrap();
    let wrong = snapshots::mark_deleted(&tx, row.id, SnapshotState::Creating).await;
    assert!(matches!(wrong, Err(Error::NotFound { what: "snapshot" })));
    snapshots::mark_deleted(&tx, row.id, SnapshotState::Ready)
        .await
        .unwrap();
    snapshots::mark_deleted(&tx, being_made.id, SnapshotState::Creating)
        .await
        .unwrap();
    // Whoever makes it finds out.
    let late = snapshots::finish(&tx, being_made.id, stored(5)).await;
    assert!(matches!(late, Err(Error::NotFound { what: "snapshot" })));
    tx.commit().await.unwrap();
    assert_eq!(left().await, ["gone", "made"]);
    assert_eq!(
        snapshots::total_bytes(&base.store, acme.id).await.unwrap(),
        0
    );
    let tx = base.store.begin().await.unwrap();
    for id in [row.id, being_made.id] {
        snapshots::mark_gone(&tx, id).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert!(left().await.is_empty());
}
