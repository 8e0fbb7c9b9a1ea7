//! Snapshots that are in the archive, without a site that ever packed them.

use crate::fleet::TestFleet;
use pressroom_archive::{Archive, Format, Objects, Place, Said, SnapshotName, Streaming};
use pressroom_base::{
    Timestamp,
    id::{AccountId, EnvironmentId},
    token,
};
use pressroom_store::{
    NewSnapshot, SnapshotContents, SnapshotFormat, SnapshotRow, StoredSnapshot, snapshots,
};
use std::path::PathBuf;

/// Puts these bytes into the archive as a snapshot, ready and verified.
pub async fn snapshot(
    test: &TestFleet,
    account: AccountId,
    environment: EnvironmentId,
    bytes: &[u8],
    expires_at: Option<Timestamp>,
) -> SnapshotRow {
    let objects = Objects::directory(test.dir.path().join("archive")).expect("a directory");
    let place = Place {
        account,
        environment,
        name: SnapshotName::parse(&token::name(16)).expect("a name"),
    };
    let received = Archive::new(objects)
        .receive(&place, Format::TarZst, bytes, &Streaming::default())
        .await
        .expect("received");
    let manifest = received.commit(Said::default()).await.expect("stored");
    let tx = test.store.begin().await.expect("a transaction");
    let new = NewSnapshot {
        public_id: place.name.to_string(),
        environment_id: environment,
        account_id: account,
        format: SnapshotFormat::TarZst,
        reserved: 0,
        job_id: None,
        created_by: None,
        note: "kept".into(),
        store: "directory".into(),
        object_key: place.object_key(Format::TarZst).expect("a key").to_string(),
        expires_at,
        contents: SnapshotContents::Full,
        panel_id: "wp_2f686f6d6".into(),
        domain: "blog.example".into(),
    };
    let row = snapshots::begin(&tx, new).await.expect("begun");
    let stored = StoredSnapshot {
        size: i64::try_from(manifest.size).expect("small"),
        sha256: manifest.sha256,
        wordpress_version: "6.5.5".into(),
    };
    snapshots::finish(&tx, row.id, stored).await.expect("ready");
    snapshots::mark_verified(&tx, row.id).await.expect("ready");
    tx.commit().await.expect("committed");
    let row = snapshots::get(&test.store, row.id).await.expect("found");
    row.expect("a snapshot")
}

/// The file in which the archive keeps it.
pub fn file(test: &TestFleet, row: &SnapshotRow) -> PathBuf {
    test.dir.path().join("archive").join(&row.object_key)
}
