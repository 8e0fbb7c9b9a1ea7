//! Runs, their items, and what they printed.

use crate::base::Base;
use pressroom_base::id::{AccountId, EnvironmentId, HostId, JobId, UserId};
use pressroom_store::{
    NewRun, NewRunItem, Page, RunItemEnd, RunItemState, RunState, Scope,
    jobs::{self, NewJob, queue},
    runs,
};
use std::time::Duration;

crate::on_both! {
    items_end_once_and_stay_in_order
    lists_and_counts_are_narrowed
    output_is_kept_as_it_was
    a_part_is_claimed_in_the_transaction_that_queues_it
    old_runs_are_forgotten_whole
    what_was_begun_and_not_written_down_is_found
}

fn new_run(person: Option<UserId>) -> NewRun {
    NewRun {
        requested_by: person,
        actor: "owner@press.example".into(),
        selector: "env:production".into(),
        operation: serde_json::json!({ "operation": "command", "argv": ["true"] }),
        at_once: 8,
        per_host: 4,
        wait_ms: 1000,
        resumes: None,
    }
}

fn places(count: i64) -> Vec<NewRunItem> {
    (1..=count)
        .map(|number| NewRunItem {
            environment: EnvironmentId::new(number),
            account: AccountId::new(1 + number % 2),
            host: (number % 3 == 0).then(|| HostId::new(7)),
            panel_id: format!("wp_{number}"),
            label: format!("site-{number}.example"),
        })
        .collect()
}

async fn items_end_once_and_stay_in_order(base: Base) {
    let tx = base.store.begin().await.unwrap();
    // More than one statement may have parameters.
    let run = runs::create(&tx, new_run(None), places(1203))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(run.public_id.starts_with("run_"));
    assert_eq!((run.state, run.ended_at), (RunState::Open, None));
    let all = runs::items(&base.store, run.id, &Scope::All, Page::ALL)
        .await
        .unwrap();
    let ordinals: Vec<i32> = all.iter().map(|item| item.ordinal).collect();
    assert_eq!(ordinals, (1..=1203).collect::<Vec<_>>());
    assert_eq!(all[2].host_id, Some(HostId::new(7)));
    assert_eq!(all[1202].label, "site-1203.example");

    let (first, second) = (all[0].id, all[1].id);
    let tx = base.store.begin().await.unwrap();
    runs::begin_item(&tx, first, JobId::new(5)).await.unwrap();
    // It is under way already.
    assert!(runs::begin_item(&tx, first, JobId::new(6)).await.is_err());
    let failed = RunItemEnd {
        exit_code: Some(3),
        dropped_bytes: 12,
        ..RunItemEnd::new(RunItemState::Failed, "ended with\0 3")
    };
    assert!(runs::end_item(&tx, first, &failed).await.unwrap());
    let late = RunItemEnd::new(RunItemState::Done, "");
    assert!(!runs::end_item(&tx, first, &late).await.unwrap());
    assert!(runs::begin_item(&tx, first, JobId::new(6)).await.is_err());
    // What never began may end as well.
    let skipped = RunItemEnd::new(RunItemState::Skipped, "the site is gone");
    assert!(runs::end_item(&tx, second, &skipped).await.unwrap());
    let cancelled = RunItemEnd::new(RunItemState::Cancelled, "");
    let rest = runs::end_all(&tx, run.id, RunItemState::Waiting, &cancelled);
    assert_eq!(rest.await.unwrap(), 1201);
    runs::end(&tx, run.id, RunState::Cancelled).await.unwrap();
    tx.commit().await.unwrap();

    let item = runs::get_item(&base.store, first).await.unwrap().unwrap();
    assert_eq!(item.state, RunItemState::Failed);
    assert_eq!((item.exit_code, item.dropped_bytes), (Some(3), 12));
    assert_eq!(item.job_id, Some(JobId::new(5)));
    assert_eq!(item.note, "ended with\u{fffd} 3");
    assert!(item.started_at.is_some() && item.ended_at.is_some());
    let run = runs::get(&base.store, run.id).await.unwrap().unwrap();
    assert_eq!(run.state, RunState::Cancelled);
    assert!(run.ended_at.is_some());
    let waiting = runs::items_in(&base.store, run.id, RunItemState::Waiting).await;
    assert!(waiting.unwrap().is_empty());
}

async fn lists_and_counts_are_narrowed(base: Base) {
    let tx = base.store.begin().await.unwrap();
    let theirs = runs::create(&tx, new_run(Some(UserId::new(2))), places(3));
    let theirs = theirs.await.unwrap();
    let ours = runs::create(&tx, new_run(Some(UserId::new(1))), places(5));
    let ours = ours.await.unwrap();
    runs::set_job(&tx, ours.id, JobId::new(9)).await.unwrap();
    tx.commit().await.unwrap();
    let list = async |of| -> Vec<String> {
        let rows = runs::list(&base.store, of, Page::ALL).await.unwrap();
        rows.into_iter().map(|row| row.public_id).collect()
    };
    let own = ours.public_id.clone();
    assert_eq!(list(None).await, [own.clone(), theirs.public_id.clone()]);
    assert_eq!(list(Some(UserId::new(1))).await, std::slice::from_ref(&own));
    assert!(list(Some(UserId::new(3))).await.is_empty());
    let found = runs::by_public_id(&base.store, &own)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.id, found.job_id), (ours.id, Some(JobId::new(9))));
    assert!(
        runs::by_public_id(&base.store, "run_x")
            .await
            .unwrap()
            .is_none()
    );

    // Items of another account are neither shown nor counted.
    let one = Scope::Accounts(vec![AccountId::new(1)]);
    let shown = runs::items(&base.store, ours.id, &one, Page::ALL)
        .await
        .unwrap();
    assert_eq!(shown.len(), 2);
    for (scope, waiting) in [
        (Scope::All, vec![(RunItemState::Waiting, 5)]),
        (one, vec![(RunItemState::Waiting, 2)]),
        (Scope::Accounts(Vec::new()), Vec::new()),
    ] {
        let counts = runs::counts(&base.store, ours.id, &scope).await.unwrap();
        assert_eq!(counts, waiting);
    }
}

async fn output_is_kept_as_it_was(base: Base) {
    let tx = base.store.begin().await.unwrap();
    let run = runs::create(&tx, new_run(None), places(2)).await.unwrap();
    let items = runs::items(&tx, run.id, &Scope::All, Page::ALL)
        .await
        .unwrap();
    let (one, two) = (items[0].id, items[1].id);
    let binary = [0, 0xff, b'\n', 0x80];
    runs::append_output(&tx, one, "stdout", &binary)
        .await
        .unwrap();
    runs::append_output(&tx, two, "stderr", b"other")
        .await
        .unwrap();
    runs::append_output(&tx, one, "stderr", b"late")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let pieces = runs::output_after(&base.store, one, 0, 10).await.unwrap();
    assert_eq!(pieces.len(), 2);
    assert_eq!(
        (pieces[0].seq, pieces[0].bytes.as_slice()),
        (1, &binary[..])
    );
    assert_eq!(pieces[1].channel, "stderr");
    let rest = runs::output_after(&base.store, one, 1, 10).await.unwrap();
    assert_eq!(rest, pieces[1..]);
}

async fn a_part_is_claimed_in_the_transaction_that_queues_it(base: Base) {
    let account = base.account("acme").await;
    let row = base.environment(account.id, "/srv/one").await;
    let job = || {
        let mut job = jobs::NewJob::new("site_command", serde_json::Value::Null);
        job.environment = Some(row.id);
        job
    };
    let tx = base.store.begin().await.unwrap();
    let queued = jobs::queue::insert(&tx, job()).await.unwrap();
    let lease = Duration::from_mins(1);
    let claimed = jobs::queue::claim_queued(&tx, queued.id, "here", lease);
    let claimed = claimed.await.unwrap();
    assert_eq!(
        (claimed.attempt, claimed.holder.as_deref()),
        (1, Some("here"))
    );
    assert!(claimed.epoch.get() > 0 && !claimed.interrupted);
    tx.commit().await.unwrap();
    // It is nobody else's, and it is the environment's one writer.
    let other = jobs::queue::claim(&base.store, &["site_command"], "there", lease);
    assert!(other.await.unwrap().is_none());
    let tx = base.store.begin().await.unwrap();
    assert!(
        jobs::queue::claim_queued(&tx, queued.id, "there", lease)
            .await
            .is_err()
    );
    tx.rollback().await.unwrap();
    let tx = base.store.begin().await.unwrap();
    let second = jobs::queue::insert(&tx, job()).await.unwrap();
    assert!(
        jobs::queue::claim_queued(&tx, second.id, "there", lease)
            .await
            .is_err()
    );
    tx.rollback().await.unwrap();
    // Its worker is lost: the next one finds it interrupted.
    base.store.advance_clock(Duration::from_mins(2));
    let found = jobs::queue::claim(&base.store, &["site_command"], "there", lease);
    let found = found.await.unwrap().unwrap();
    assert!(found.interrupted && found.epoch > claimed.epoch);
}

async fn old_runs_are_forgotten_whole(base: Base) {
    let tx = base.store.begin().await.unwrap();
    let old = runs::create(&tx, new_run(None), places(2)).await.unwrap();
    let open = runs::create(&tx, new_run(None), places(2)).await.unwrap();
    let items = runs::items(&tx, old.id, &Scope::All, Page::ALL)
        .await
        .unwrap();
    runs::append_output(&tx, items[0].id, "stdout", b"x")
        .await
        .unwrap();
    runs::end(&tx, old.id, RunState::Ended).await.unwrap();
    tx.commit().await.unwrap();
    let day = Duration::from_hours(24);
    let tx = base.store.begin().await.unwrap();
    assert_eq!(runs::prune(&tx, day).await.unwrap(), 0);
    tx.commit().await.unwrap();
    base.store.advance_clock(day * 2);
    let tx = base.store.begin().await.unwrap();
    assert_eq!(runs::prune(&tx, day).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert!(runs::get(&base.store, old.id).await.unwrap().is_none());
    assert!(runs::get(&base.store, open.id).await.unwrap().is_some());
    assert!(
        runs::get_item(&base.store, items[0].id)
            .await
            .unwrap()
            .is_none()
    );
    let pieces = runs::output_after(&base.store, items[0].id, 0, 10).await;
    assert!(pieces.unwrap().is_empty());
}

async fn what_was_begun_and_not_written_down_is_found(base: Base) {
    let tx = base.store.begin().await.unwrap();
    let run = runs::create(&tx, new_run(None), places(4)).await.unwrap();
    let other = runs::create(&tx, new_run(None), places(4)).await.unwrap();
    let of = |environment: i64, parent: Option<JobId>| NewJob {
        environment: Some(EnvironmentId::new(environment)),
        parent,
        ..NewJob::new("test", serde_json::json!({}))
    };
    let queue = async |job| queue::insert(&tx, job).await.unwrap().id;
    let parent = queue(NewJob::new("run", serde_json::json!({}))).await;
    let stranger = queue(NewJob::new("run", serde_json::json!({}))).await;
    let first = queue(of(1, Some(parent))).await;
    let second = queue(of(2, Some(parent))).await;
    // Somebody else's, and nobody's.
    queue(of(3, Some(stranger))).await;
    queue(of(4, None)).await;
    let items = runs::items(&tx, run.id, &Scope::All, Page::ALL)
        .await
        .unwrap();
    // What has ended stays so.
    let done = RunItemEnd::new(RunItemState::Done, "");
    runs::end_item(&tx, items[1].id, &done).await.unwrap();
    assert_eq!(runs::take_up_begun(&tx, run.id, parent).await.unwrap(), 1);
    assert_eq!(runs::take_up_begun(&tx, run.id, parent).await.unwrap(), 0);
    tx.commit().await.unwrap();
    let states = async |id| -> Vec<(RunItemState, Option<JobId>)> {
        let items = runs::items(&base.store, id, &Scope::All, Page::ALL)
            .await
            .unwrap();
        items.iter().map(|item| (item.state, item.job_id)).collect()
    };
    let waiting = (RunItemState::Waiting, None);
    let begun = (RunItemState::Running, Some(first));
    assert_ne!(first, second);
    assert_eq!(
        states(run.id).await,
        [begun, (RunItemState::Done, None), waiting, waiting]
    );
    assert_eq!(states(other.id).await, [waiting; 4]);

    let tx = base.store.begin().await.unwrap();
    let rest = NewRun {
        resumes: Some(run.id),
        ..new_run(None)
    };
    let rest = runs::create(&tx, rest, places(1)).await.unwrap();
    tx.commit().await.unwrap();
    let found = runs::resumed_from(&base.store, run.id).await.unwrap();
    assert_eq!(
        found.iter().map(|run| run.id).collect::<Vec<_>>(),
        [rest.id]
    );
    assert!(
        runs::resumed_from(&base.store, other.id)
            .await
            .unwrap()
            .is_empty()
    );
}
