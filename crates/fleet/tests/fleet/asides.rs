//! What a restore displaced and could not let go of: it is outside the web root, stands
//! in nobody's way, and goes once it is old.

use crate::base::{Base, KEEP_ASIDE};
use pressroom_fleet::{
    sites::RemoveSite,
    snapshots::{NewSnapshot, RestoreSnapshot},
};
use pressroom_jobs::{JobRow, JobState};
use pressroom_store::{JobFilter, Page, Scope, jobs, resources};
use std::{
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::Path,
    time::Duration,
};

const DOMAIN: &str = "aside.example";

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Looks for what is old; the job that came of it, at its end.
async fn swept(base: &Base) -> Option<JobRow> {
    let newest = async || {
        let all = JobFilter::default();
        let found = jobs::list(&base.store, &Scope::All, &all, Page::first(1)).await;
        found.unwrap().pop().unwrap()
    };
    let before = newest().await.id;
    base.fleet.expire_snapshots().await.unwrap();
    let after = newest().await.id;
    if after == before {
        None
    } else {
        Some(base.ended(after).await)
    }
}

#[tokio::test]
async fn what_could_not_be_removed_goes_when_it_is_old() {
    let base = Base::hosting().await;
    let console = Base::console();
    let site = base.install(DOMAIN).await;
    let home = base.hosting.config().sites_dir.join(DOMAIN);
    let (root, staging) = (home.join("public_html"), home.join(".pressroom/staging"));
    // As somebody with all rights leaves it behind: its owner cannot remove it.
    let foreign = root.join("wp-content/foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("letter.txt"), "dear reader").unwrap();

    let snapshot = async || {
        let (made, job) = base
            .fleet
            .create_snapshot(&console, site, NewSnapshot::default())
            .await
            .unwrap();
        let ended = base.ended(job.id).await;
        assert_eq!(ended.state, JobState::Completed, "{ended:#?}");
        made.id
    };
    let restore = RestoreSnapshot {
        snapshot: snapshot().await,
        keep_present: false,
    };
    let job = base.fleet.restore_snapshot(&console, site, restore).await;
    let ended = base.ended(job.unwrap().id).await;
    assert_eq!(ended.state, JobState::Completed, "{ended:#?}");
    assert_eq!(
        fs::read_to_string(foreign.join("letter.txt")).unwrap(),
        "dear reader"
    );
    // The old one is aside, with its bytes, and on record; the tables are gone.
    let left = names(&staging);
    assert_eq!(left.len(), 1, "{left:?}");
    let aside = staging.join(&left[0]).join("files/wp-content/foreign");
    assert_eq!(names(&aside), ["letter.txt"]);
    assert_eq!(fs::metadata(&aside).unwrap().uid(), 0);
    let asides = async || {
        let all = resources::list_by_environment(&base.store, site)
            .await
            .unwrap();
        all.iter().filter(|record| record.kind == "aside").count()
    };
    assert_eq!(asides().await, 1);
    let records = base.fleet.doctor(&console).await.unwrap();
    let records = records
        .iter()
        .find(|check| check.name == "records")
        .unwrap();
    assert_eq!(records.status, "ok", "{}", records.message);

    // Nobody is in its way, and it is in nobody's.
    snapshot().await;
    assert_eq!(names(&staging), left);
    assert!(swept(&base).await.is_none(), "it is not old yet");
    base.store
        .advance_clock(KEEP_ASIDE + Duration::from_mins(1));
    let job = swept(&base).await.unwrap();
    assert_eq!(job.state, JobState::Failed);
    let why = job.error_message.unwrap_or_default();
    assert!(why.contains(&left[0]), "{why}");
    assert_eq!(names(&staging), left);
    assert!(swept(&base).await.is_none(), "it was tried just now");

    // Once it may be removed, it is.
    let owner = fs::metadata(&root).unwrap();
    chown(&aside, Some(owner.uid()), Some(owner.gid())).unwrap();
    base.store
        .advance_clock(KEEP_ASIDE + Duration::from_mins(1));
    let job = swept(&base).await.unwrap();
    assert_eq!(job.state, JobState::Completed, "{job:#?}");
    assert_eq!(names(&staging), Vec::<String>::new());
    assert_eq!(asides().await, 0);
    let removal = RemoveSite::default();
    let job = base.fleet.remove_site(&console, site, removal).await;
    let ended = base.ended(job.unwrap().id).await;
    assert_eq!(ended.state, JobState::Completed, "{ended:#?}");
    assert_eq!(resources::list_all(&base.store).await.unwrap(), []);
    base.hosting.destroy().await.unwrap();
}
