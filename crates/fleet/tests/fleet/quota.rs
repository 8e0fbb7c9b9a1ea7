//! How much of an account's archive a snapshot sets aside.

use crate::base::{Base, QUOTA};
use pressroom_base::Kind;
use pressroom_fleet::{Error, snapshots::NewSnapshot};
use pressroom_store::{
    EnvironmentRow, EnvironmentState, NewSnapshot as NewRow, Page, Scope, SnapshotContents,
    SnapshotFilter, SnapshotFormat, SnapshotState, StoredSnapshot, snapshots,
};

crate::on_both! {
    several_are_taken_at_once
    the_last_size_decides_what_is_set_aside
    a_full_archive_says_what_to_do
}

/// Records one that is in the archive.
async fn kept(base: &Base, site: &EnvironmentRow, bytes: i64) {
    let name = pressroom_base::token::name(16);
    let tx = base.store.begin().await.unwrap();
    let new = NewRow {
        public_id: name.clone(),
        environment_id: site.id,
        account_id: base.account,
        format: SnapshotFormat::TarZst,
        reserved: 0,
        job_id: None,
        created_by: None,
        note: String::new(),
        store: "directory".into(),
        object_key: name,
        expires_at: None,
        contents: SnapshotContents::Full,
        panel_id: "wp_2f686f6d6".into(),
        domain: "blog.example".into(),
    };
    let row = snapshots::begin(&tx, new).await.unwrap();
    let stored = StoredSnapshot {
        size: bytes,
        sha256: "ab".repeat(32),
        wordpress_version: String::new(),
    };
    snapshots::finish(&tx, row.id, stored).await.unwrap();
    tx.commit().await.unwrap();
}

async fn take(base: &Base, site: &EnvironmentRow) -> Result<(), Error> {
    let new = NewSnapshot::default();
    base.fleet
        .create_snapshot(&Base::console(), site.id, new)
        .await
        .map(drop)
}

async fn set_aside(base: &Base) -> i64 {
    let total = snapshots::total_bytes(&base.store, base.account).await;
    total.unwrap()
        - snapshots::kept_bytes(&base.store, base.account)
            .await
            .unwrap()
}

async fn several_are_taken_at_once(base: Base) {
    for name in ["a", "b", "c", "d"] {
        let site = base.site(name, EnvironmentState::Active).await;
        take(&base, &site).await.unwrap();
    }
    assert_eq!(set_aside(&base).await, 1000);
    let fifth = base.site("e", EnvironmentState::Active).await;
    let error = take(&base, &fifth).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Busy);
    assert!(error.message().contains("other snapshots"), "{error}");
}

async fn the_last_size_decides_what_is_set_aside(base: Base) {
    let (small, large) = (
        base.site("small", EnvironmentState::Active).await,
        base.site("large", EnvironmentState::Active).await,
    );
    kept(&base, &small, 100).await;
    kept(&base, &large, 500).await;
    take(&base, &small).await.unwrap();
    assert_eq!(set_aside(&base).await, 150);
    // It would need 750: it waits while others run, and has a try when they are done.
    assert_eq!(take(&base, &large).await.unwrap_err().kind(), Kind::Busy);
    let filter = SnapshotFilter {
        states: vec![SnapshotState::Creating],
        ..SnapshotFilter::default()
    };
    let running = snapshots::list(&base.store, &Scope::All, &filter, Page::first(10)).await;
    let running = running.unwrap();
    let tx = base.store.begin().await.unwrap();
    snapshots::fail(&tx, running[0].id, "no").await.unwrap();
    tx.commit().await.unwrap();
    take(&base, &large).await.unwrap();
    assert_eq!(set_aside(&base).await, 400);
}

async fn a_full_archive_says_what_to_do(base: Base) {
    let site = base.site("a", EnvironmentState::Active).await;
    kept(&base, &site, i64::try_from(QUOTA).unwrap()).await;
    let error = take(&base, &site).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Limited);
    let hint = error.hint().unwrap_or_default();
    assert!(hint.contains("snapshot remove"), "{hint}");
}
