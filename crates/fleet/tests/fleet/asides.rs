//! What a restore displaced and could not let go of: it is outside the web root, stands
//! in nobody's way, and goes once it is old.

use crate::base::{Base, KEEP_ASIDE};
use pressroom_base::id::EnvironmentId;
use pressroom_fleet::{
    sites::RemoveSite,
    snapshots::{NewSnapshot, RestoreSnapshot},
};
use pressroom_jobs::{JobRow, JobState};
use pressroom_store::{JobFilter, Page, Scope, jobs, resources};
use std::{
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
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

async fn snapshot(base: &Base, site: EnvironmentId) -> String {
    let new = NewSnapshot::default();
    let made = base
        .fleet
        .create_snapshot(&Base::console(), site, new)
        .await;
    let (made, job) = made.unwrap();
    let ended = base.ended(job.id).await;
    assert_eq!(ended.state, JobState::Completed, "{ended:#?}");
    made.id
}

/// Restores the site while it holds what its owner cannot remove; where that is aside now.
async fn put_aside(base: &Base, site: EnvironmentId) -> PathBuf {
    let home = base.hosting.config().sites_dir.join(DOMAIN);
    // As somebody with all rights leaves it behind.
    let foreign = home.join("public_html/wp-content/foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("letter.txt"), "dear reader").unwrap();
    let restore = RestoreSnapshot {
        snapshot: snapshot(base, site).await,
        keep_present: false,
        part: None,
        force: false,
    };
    let console = Base::console();
    let job = base.fleet.restore_snapshot(&console, site, restore).await;
    let ended = base.ended(job.unwrap().id).await;
    assert_eq!(ended.state, JobState::Completed, "{ended:#?}");
    assert_eq!(
        fs::read_to_string(foreign.join("letter.txt")).unwrap(),
        "dear reader"
    );
    let staging = home.join(".pressroom/staging");
    let left = names(&staging);
    assert_eq!(left.len(), 1, "{left:?}");
    staging.join(&left[0])
}

/// Gives what is aside to the owner of the site, who may remove it then.
fn give_back(base: &Base, aside: &Path) {
    let owner = fs::metadata(base.hosting.config().sites_dir.join(DOMAIN)).unwrap();
    let foreign = aside.join("files/wp-content/foreign");
    chown(foreign, Some(owner.uid()), Some(owner.gid())).unwrap();
}

#[tokio::test]
async fn what_could_not_be_removed_goes_when_it_is_old() {
    let base = Base::hosting().await;
    let console = Base::console();
    let site = base.install(DOMAIN).await;
    // The old one is aside, with its bytes, and on record; the tables are gone.
    let directory = put_aside(&base, site).await;
    let staging = directory.parent().unwrap();
    let left = names(staging);
    let aside = directory.join("files/wp-content/foreign");
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
    snapshot(&base, site).await;
    assert_eq!(names(staging), left);
    assert!(swept(&base).await.is_none(), "it is not old yet");
    base.store
        .advance_clock(KEEP_ASIDE + Duration::from_mins(1));
    let job = swept(&base).await.unwrap();
    assert_eq!(job.state, JobState::Failed);
    let why = job.error_message.unwrap_or_default();
    assert!(why.contains(&left[0]), "{why}");
    assert_eq!(names(staging), left);
    assert!(swept(&base).await.is_none(), "it was tried just now");

    // Once it may be removed, it is.
    give_back(&base, &directory);
    base.store
        .advance_clock(KEEP_ASIDE + Duration::from_mins(1));
    let job = swept(&base).await.unwrap();
    assert_eq!(job.state, JobState::Completed, "{job:#?}");
    assert_eq!(names(staging), Vec::<String>::new());
    assert_eq!(asides().await, 0);
    let removal = RemoveSite::default();
    let job = base.fleet.remove_site(&console, site, removal).await;
    let ended = base.ended(job.unwrap().id).await;
    assert_eq!(ended.state, JobState::Completed, "{ended:#?}");
    assert_eq!(resources::list_all(&base.store).await.unwrap(), []);
    base.hosting.destroy().await.unwrap();
}

#[tokio::test]
async fn a_site_that_goes_takes_along_what_it_kept_aside() {
    let base = Base::hosting().await;
    let site = base.install(DOMAIN).await;
    let directory = put_aside(&base, site).await;
    give_back(&base, &directory);
    // The home stays, and so would all that lies in it.
    let removal = RemoveSite {
        files: false,
        database: false,
        ..RemoveSite::default()
    };
    let console = Base::console();
    let job = base.fleet.remove_site(&console, site, removal).await;
    let ended = base.ended(job.unwrap().id).await;
    assert_eq!(ended.state, JobState::Completed, "{ended:#?}");
    assert!(!directory.exists());
    let left = resources::list_all(&base.store).await.unwrap();
    assert!(left.iter().all(|record| record.kind != "aside"), "{left:?}");
    // A home that was to stay is not destroyed with the stack.
    let hosting = &base.hosting;
    hosting.remove_web(DOMAIN).await.unwrap();
    let home = hosting.home_of(DOMAIN).unwrap();
    fs::remove_dir_all(home).unwrap();
    for user in left.iter().filter(|record| record.kind == "unix_user") {
        hosting.remove_user(&user.name).await.unwrap();
    }
    hosting.destroy().await.unwrap();
}
