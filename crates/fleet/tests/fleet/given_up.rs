//! Installations and removals that are given up half-way: the site says that it is
//! broken, the job what is left and what to do, and asking again ends whole.

use crate::base::{Base, kill_mariadb, site_in};
use pressroom_base::{
    Kind,
    id::{EnvironmentId, JobId},
};
use pressroom_fleet::sites::RemoveSite;
use pressroom_jobs::{JobRow, JobState, NewJob, StepState};
use pressroom_providers::hosting::Inventory;
use pressroom_store::{
    EnvironmentState, Lane, environments,
    jobs::{self, queue},
    resources,
};
use serde_json::json;
use std::time::Duration;

crate::on_both! {
    what_no_worker_survives_is_told_by_the_site
}

const LEASE: Duration = Duration::from_mins(1);

async fn state(base: &Base, site: EnvironmentId) -> EnvironmentState {
    let row = environments::get(&base.store, site).await.unwrap();
    row.expect("the site is recorded").state
}

fn hint(job: &JobRow) -> &str {
    job.error_hint.as_deref().unwrap_or_default()
}

async fn what_no_worker_survives_is_told_by_the_site(base: Base) {
    for (name, kind, doing) in [
        ("a", "site_install", EnvironmentState::Installing),
        ("b", "site_remove", EnvironmentState::Deleting),
    ] {
        let site = base.site(name, doing).await;
        let mut new = NewJob::new(kind, json!({}));
        new.environment = Some(site.id);
        new.account = Some(base.account);
        new.lane = Lane::Write;
        let tx = base.store.begin().await.unwrap();
        let job = pressroom_jobs::enqueue(&tx, new).await.unwrap();
        tx.commit().await.unwrap();
        while let Some(row) = queue::claim(&base.store, &[kind], "dies", LEASE)
            .await
            .unwrap()
        {
            base.store.advance_clock(LEASE + Duration::from_secs(1));
            if row.attempt >= row.max_attempts + queue::UNDO_ATTEMPTS {
                break;
            }
        }
        assert_eq!(state(&base, site.id).await, doing);
        let row = base.ended(job).await;
        assert_eq!(row.state, JobState::Dead);
        assert_eq!(state(&base, site.id).await, EnvironmentState::Broken);
        let advice = format!("pressroom site remove {}", site.panel_id);
        assert!(hint(&row).contains(&advice), "{row:#?}");

        let console = Base::console();
        let again = base
            .fleet
            .remove_site(&console, site.id, RemoveSite::default())
            .await
            .unwrap();
        assert_eq!(base.ended(again.id).await.state, JobState::Completed);
        assert_eq!(environments::get(&base.store, site.id).await.unwrap(), None);
    }
}

/// Everything that the machine has of ours.
async fn inventory(base: &Base) -> Inventory {
    base.hosting.inventory().await.unwrap()
}

/// Waits until a step is done.
async fn done(base: &Base, job: JobId, step: &str) {
    let found = async {
        loop {
            let steps = jobs::steps(&base.store, job).await.unwrap();
            if steps
                .iter()
                .any(|row| row.name == step && row.state == StepState::Done)
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), found)
        .await
        .expect("the step is done");
}

/// Runs jobs until this one is over, however long it waits between its attempts.
async fn exhausted(base: &Base, job: JobId) -> JobRow {
    let impatient = async {
        loop {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let row = jobs::get(&base.store, job).await.unwrap().unwrap();
            if row.state == JobState::Queued {
                base.store.advance_clock(Duration::from_mins(10));
            }
        }
    };
    tokio::select! {
        row = base.ended(job) => row,
        () = impatient => unreachable!("it goes on for ever"),
    }
}

#[tokio::test]
async fn with_the_database_server_gone_and_back() {
    let base = Base::hosting().await;
    let console = Base::console();
    base.fleet
        .add_domain(&console, Base::new_domain("gone.example"))
        .await
        .unwrap();
    let before = inventory(&base).await;

    // The server is lost while the site is installed, and is not back for the undoing.
    let started = base
        .fleet
        .install_site(&console, site_in("gone.example"))
        .await
        .unwrap();
    let site = started.environment.id;
    let lost = async {
        done(&base, started.job.id, "database").await;
        kill_mariadb(&base.hosting);
    };
    let (row, ()) = tokio::join!(exhausted(&base, started.job.id), lost);
    assert_eq!(row.state, JobState::Dead);
    let message = row.error_message.as_deref().unwrap_or_default();
    assert!(message.contains("could not be undone"), "{message}");
    assert!(hint(&row).contains("database `"), "{}", hint(&row));
    assert!(
        hint(&row).contains("pressroom site remove"),
        "{}",
        hint(&row)
    );
    assert_eq!(state(&base, site).await, EnvironmentState::Broken);

    // With it back: the place is taken, and says by what; removing makes room.
    base.hosting.up().await.unwrap();
    let refused = base
        .fleet
        .install_site(&console, site_in("gone.example"))
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
    assert!(refused.hint().unwrap_or_default().contains("site remove"));
    let removal = base
        .fleet
        .remove_site(&console, site, RemoveSite::default())
        .await
        .unwrap();
    let ended = base.ended(removal.id).await;
    assert_eq!(ended.state, JobState::Completed, "{ended:#?}");
    assert_eq!(inventory(&base).await, before);
    assert_eq!(resources::list_all(&base.store).await.unwrap(), []);

    // The same installation now ends whole, and its removal is given up in turn.
    let started = base
        .fleet
        .install_site(&console, site_in("gone.example"))
        .await
        .unwrap();
    let (site, ended) = (started.environment.id, base.ended(started.job.id).await);
    assert_eq!(ended.state, JobState::Completed, "{ended:#?}");
    kill_mariadb(&base.hosting);
    let removal = base
        .fleet
        .remove_site(&console, site, RemoveSite::default())
        .await
        .unwrap();
    let row = exhausted(&base, removal.id).await;
    assert_eq!(row.state, JobState::Dead);
    assert!(hint(&row).contains("database `"), "{}", hint(&row));
    assert!(
        hint(&row).contains("pressroom site remove"),
        "{}",
        hint(&row)
    );
    assert_eq!(state(&base, site).await, EnvironmentState::Broken);
    base.hosting.up().await.unwrap();
    let removal = base
        .fleet
        .remove_site(&console, site, RemoveSite::default())
        .await
        .unwrap();
    let ended = base.ended(removal.id).await;
    assert_eq!(ended.state, JobState::Completed, "{ended:#?}");
    assert_eq!(environments::get(&base.store, site).await.unwrap(), None);
    assert_eq!(inventory(&base).await, before);
    assert_eq!(resources::list_all(&base.store).await.unwrap(), []);
    base.hosting.destroy().await.unwrap();
}
