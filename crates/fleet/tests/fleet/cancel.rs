//! What cancelling leaves behind: nothing.

use crate::base::Base;
use pressroom_base::{Kind, id::JobId};
use pressroom_fleet::{
    authorize::Action, principal::Role, sites::RemoveSite, snapshots::NewSnapshot,
};
use pressroom_jobs::{JobState, NewJob};
use pressroom_store::{
    EnvironmentState, Lane, Lookup, Scope, SnapshotRow, SnapshotState, environments,
    jobs::{Cancellation, queue, record},
    snapshots,
};
use serde_json::json;
use std::time::Duration;

crate::on_both! {
    a_snapshot_that_never_began_holds_nothing
    a_removal_that_never_began_leaves_the_site_as_it_was
    an_installation_that_never_began_leaves_no_site
    a_removal_that_began_is_not_cancelled
    whoever_may_not_start_it_may_not_stop_it
    a_snapshot_whose_job_is_gone_is_failed
}

async fn snapshot(base: &Base, name: &str) -> SnapshotRow {
    match snapshots::by_public_id(&base.store, &Scope::All, name).await {
        Ok(Lookup::Found(row)) => row,
        other => panic!("{other:?}"),
    }
}

async fn held(base: &Base) -> i64 {
    snapshots::total_bytes(&base.store, base.account)
        .await
        .unwrap()
}

async fn a_snapshot_that_never_began_holds_nothing(base: Base) {
    let site = base.site("a", EnvironmentState::Active).await;
    let console = Base::console();
    let (made, job) = base
        .fleet
        .create_snapshot(&console, site.id, NewSnapshot::default())
        .await
        .unwrap();
    assert!(held(&base).await > 0);
    base.fleet.cancel_job(&console, job.id, "no").await.unwrap();
    let row = base.ended(job.id).await;
    assert_eq!(row.state, JobState::Cancelled);
    let row = snapshot(&base, &made.id).await;
    assert_eq!((row.state, row.size), (SnapshotState::Failed, 0));
    assert_eq!(row.fault.as_deref(), Some("Cancelled: no"));
    assert_eq!(held(&base).await, 0);
}

async fn a_removal_that_never_began_leaves_the_site_as_it_was(base: Base) {
    let site = base.site("a", EnvironmentState::Active).await;
    let state = async || {
        let row = environments::get(&base.store, site.id).await.unwrap();
        row.unwrap().state
    };
    let console = Base::console();
    let job = base
        .fleet
        .remove_site(&console, site.id, RemoveSite::default())
        .await
        .unwrap();
    assert_eq!(state().await, EnvironmentState::Deleting);
    base.fleet.cancel_job(&console, job.id, "").await.unwrap();
    assert_eq!(base.ended(job.id).await.state, JobState::Cancelled);
    assert_eq!(state().await, EnvironmentState::Active);
}

async fn an_installation_that_never_began_leaves_no_site(base: Base) {
    let site = base.site("a", EnvironmentState::Installing).await;
    let payload = json!({
        "panel_id": site.panel_id, "domain_id": 1, "domain": "a.example",
        "path": "public_html", "url": site.url, "title": "A", "admin_user": "a",
        "admin_email": "a@a.example", "admin_password_generated": false, "db_name": "a",
        "db_user": "a", "db_host": "localhost", "table_prefix": "wp_", "version": "6.5.5",
        "locale": "en_US",
    });
    let mut new = NewJob::new("site_install", payload);
    new.environment = Some(site.id);
    new.account = Some(base.account);
    new.lane = Lane::Write;
    let tx = base.store.begin().await.unwrap();
    let job = pressroom_jobs::enqueue(&tx, new).await.unwrap();
    tx.commit().await.unwrap();
    base.fleet
        .cancel_job(&Base::console(), job, "")
        .await
        .unwrap();
    assert_eq!(base.ended(job).await.state, JobState::Cancelled);
    let row = environments::get(&base.store, site.id).await.unwrap();
    assert_eq!(row, None);
}

async fn a_removal_that_began_is_not_cancelled(base: Base) {
    let site = base.site("a", EnvironmentState::Active).await;
    let console = Base::console();
    let job = base
        .fleet
        .remove_site(&console, site.id, RemoveSite::default())
        .await
        .unwrap();
    let lease = Duration::from_mins(1);
    let row = queue::claim(&base.store, &["site_remove"], "a", lease).await;
    let row = row.unwrap().unwrap();
    let tx = base.store.begin().await.unwrap();
    record::begin_step(&tx, row.id, row.epoch, "remove", &json!(null))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let refused = base.fleet.cancel_job(&console, job.id, "").await;
    assert_eq!(refused.unwrap_err().kind(), Kind::Conflict);
    let hold = queue::look(&base.store, row.id, row.epoch).await.unwrap();
    assert_eq!(hold.cancel, None);
}

async fn whoever_may_not_start_it_may_not_stop_it(base: Base) {
    let kinds = base.fleet.job_kinds();
    assert!(kinds.names().len() > 5);
    for kind in kinds.names() {
        let starts = Action::of_job(kind);
        assert_ne!(starts, Action::Operate, "`{kind}` has no action");
        for role in [Role::Viewer, Role::Member, Role::Admin, Role::Owner] {
            let mut new = NewJob::new(kind, json!({}));
            new.account = Some(base.account);
            let tx = base.store.begin().await.unwrap();
            let job: JobId = pressroom_jobs::enqueue(&tx, new).await.unwrap();
            tx.commit().await.unwrap();
            let got = base.fleet.cancel_job(&base.person(role), job, "").await;
            let may = [Action::JobCancel, starts]
                .iter()
                .all(|action| action.least_role().is_some_and(|least| role >= least));
            let expected = if may { None } else { Some(Kind::Forbidden) };
            assert_eq!(
                got.err().map(|error| error.kind()),
                expected,
                "{kind} {role:?}"
            );
        }
    }
    let unknown = Action::of_job("something");
    assert_eq!(unknown.least_role(), None);
}

async fn a_snapshot_whose_job_is_gone_is_failed(base: Base) {
    let console = Base::console();
    let mut made = Vec::new();
    for name in ["a", "b"] {
        let site = base.site(name, EnvironmentState::Active).await;
        let new = NewSnapshot::default();
        made.push(
            base.fleet
                .create_snapshot(&console, site.id, new)
                .await
                .unwrap(),
        );
    }
    // As if its worker had been lost each time, or the job had been forgotten.
    let tx = base.store.begin().await.unwrap();
    queue::request_cancel(&tx, made[0].1.id, "", Cancellation::default())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    base.fleet.expire_snapshots().await.unwrap();
    let states = async |at: usize| snapshot(&base, &made[at].0.id).await.state;
    assert_eq!(states(0).await, SnapshotState::Failed);
    assert_eq!(states(1).await, SnapshotState::Creating);
}
