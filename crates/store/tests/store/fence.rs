use crate::base::Base;
use pressroom_base::{Kind, id::EnvironmentId};
use pressroom_store::{
    Error, JobRow, JobState, Lane, StepState, Store,
    jobs::{self, CancelOutcome, Cancellation, Failure, NewJob, orphans, queue, record},
};
use sea_orm::ConnectionTrait;
use std::{collections::HashMap, time::Duration};

crate::on_both! {
    eight_workers_take_a_thousand_jobs_once_each
    the_index_keeps_a_second_writer_out
    a_worker_that_lost_its_lease_writes_nothing
    a_key_stands_for_one_unfinished_job
    epochs_rise_over_all_jobs
    a_job_nobody_survives_is_given_up
    cancelling_depends_on_how_far_it_is
    the_more_urgent_goes_first
}

const LEASE: Duration = Duration::from_mins(1);

fn plain() -> NewJob {
    NewJob::new("test", serde_json::json!({}))
}

async fn enqueue(store: &Store, job: NewJob) -> jobs::Enqueued {
    let tx = store.begin().await.unwrap();
    let queued = queue::insert(&tx, job).await.unwrap();
    tx.commit().await.unwrap();
    queued
}

async fn claim(store: &Store, holder: &str) -> Option<JobRow> {
    queue::claim(store, &["test", "other"], holder, LEASE)
        .await
        .unwrap()
}

async fn complete(store: &Store, row: &JobRow) -> Result<(), Error> {
    let tx = store.begin().await.unwrap();
    queue::complete(&tx, row.id, row.epoch, &serde_json::json!(1)).await?;
    tx.commit().await
}

async fn eight_workers_take_a_thousand_jobs_once_each(base: Base) {
    let tx = base.store.begin().await.unwrap();
    for _ in 0..1000 {
        queue::insert(&tx, plain()).await.unwrap();
    }
    tx.commit().await.unwrap();
    let workers: Vec<_> = (0..8)
        .map(|number| {
            let store = base.store.clone();
            tokio::spawn(async move {
                let holder = format!("w{number}");
                let mut taken = Vec::new();
                while let Some(row) = claim(&store, &holder).await {
                    complete(&store, &row).await.unwrap();
                    taken.push((row.id, row.epoch));
                }
                taken
            })
        })
        .collect();
    let mut times = HashMap::new();
    let mut epochs = std::collections::HashSet::new();
    for worker in workers {
        for (id, epoch) in worker.await.unwrap() {
            *times.entry(id).or_insert(0) += 1;
            assert!(epochs.insert(epoch), "epoch {epoch} was drawn twice");
        }
    }
    // A worker may have gone home while the last jobs were between two others.
    while let Some(row) = claim(&base.store, "last").await {
        complete(&base.store, &row).await.unwrap();
        *times.entry(row.id).or_insert(0) += 1;
    }
    assert_eq!(times.len(), 1000);
    assert!(times.values().all(|times| *times == 1));
    let states = jobs::count_by_state(&base.store).await.unwrap();
    assert_eq!(states, [("completed".to_owned(), 1000)]);
}

async fn the_index_keeps_a_second_writer_out(base: Base) {
    let store = &base.store;
    let on = |environment, lane| NewJob {
        environment: Some(EnvironmentId::new(environment)),
        lane,
        ..plain()
    };
    let first = enqueue(store, on(1, Lane::Write)).await;
    let second = enqueue(store, on(1, Lane::Write)).await;
    let reader = enqueue(store, on(1, Lane::Read)).await;
    let elsewhere = enqueue(store, on(2, Lane::Write)).await;

    let holder = claim(store, "a").await.unwrap();
    assert_eq!(holder.id, first.id);
    assert_eq!(claim(store, "b").await.unwrap().id, reader.id);
    assert_eq!(claim(store, "c").await.unwrap().id, elsewhere.id);
    assert_eq!(claim(store, "d").await, None, "the second writer waits");
    let waiting = jobs::writing_on(store, EnvironmentId::new(1))
        .await
        .unwrap();
    assert_eq!(waiting.len(), 2);

    // Even code that does not ask is kept out by the database.
    let raw = base.raw().await;
    let forced = format!("UPDATE jobs SET state = 'running' WHERE id = {}", second.id);
    let refused = raw.execute_unprepared(&forced).await.unwrap_err();
    assert!(
        matches!(
            refused.sql_err(),
            Some(sea_orm::SqlErr::UniqueConstraintViolation(_))
        ),
        "{refused:?}"
    );

    complete(store, &holder).await.unwrap();
    // PostgreSQL tells the refusal before it lets go of the row, and a claim passes
    // a locked row over until it looks again.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    let next = loop {
        if let Some(row) = claim(store, "d").await {
            break row;
        }
        assert!(tokio::time::Instant::now() < deadline, "it stays locked");
        tokio::task::yield_now().await;
    };
    assert_eq!(next.id, second.id);
}

async fn a_worker_that_lost_its_lease_writes_nothing(base: Base) {
    let store = &base.store;
    let job = enqueue(store, plain()).await;
    let ghost = claim(store, "ghost").await.unwrap();
    let tx = store.begin().await.unwrap();
    let step = record::begin_step(&tx, job.id, ghost.epoch, "one", &serde_json::json!({}))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    queue::heartbeat(store, job.id, ghost.epoch, LEASE)
        .await
        .unwrap();
    assert_eq!(claim(store, "heir").await, None, "the lease holds");

    base.store.advance_clock(LEASE + Duration::from_secs(1));
    let heir = claim(store, "heir").await.unwrap();
    assert_eq!((heir.id, heir.attempt), (job.id, 2));
    assert!(heir.interrupted && heir.epoch > ghost.epoch);
    let before = jobs::get(store, job.id).await.unwrap();
    let steps = jobs::steps(store, job.id).await.unwrap();

    let lost =
        |result: Result<(), Error>| assert!(matches!(result, Err(Error::LostLease)), "{result:?}");
    let (id, epoch) = (job.id, ghost.epoch);
    lost(queue::heartbeat(store, id, epoch, LEASE).await.map(|_| ()));
    lost(queue::look(store, id, epoch).await.map(|_| ()));
    lost(complete(store, &ghost).await);
    let why = Failure {
        kind: Kind::Internal,
        message: "late".into(),
        hint: None,
        code: None,
        result: None,
    };
    let json = serde_json::json!({});
    let secret = "late".to_owned().into();
    macro_rules! each_refused {
        ($($write:expr),* $(,)?) => {$(
            let tx = store.begin().await.unwrap();
            let refused = ($write)(&tx).await;
            assert!(matches!(refused, Err(Error::LostLease)), stringify!($write));
            tx.commit().await.unwrap();
        )*};
    }
    each_refused!(
        async |tx| queue::fence(tx, id, epoch).await,
        async |tx| record::begin_step(tx, id, epoch, "two", &json).await,
        async |tx| record::finish_step(tx, id, epoch, step.id, StepState::Done, &json).await,
        async |tx| record::set_progress(tx, id, epoch, 90, "late").await,
        async |tx| record::append_output(tx, id, epoch, "late\n").await,
        async |tx| record::keep_secret(tx, id, epoch, &secret).await,
        async |tx| queue::retry(tx, id, epoch, Duration::ZERO, &why).await,
        async |tx| queue::release(tx, id, epoch, Duration::ZERO).await,
        async |tx| queue::undo_first(tx, id, epoch, JobState::Failed, &why).await,
        async |tx| queue::end_undone(tx, id, epoch).await,
    );
    assert_eq!(jobs::get(store, job.id).await.unwrap(), before);
    assert_eq!(jobs::steps(store, job.id).await.unwrap(), steps);
    assert_eq!(jobs::output_size(store, job.id).await.unwrap(), (0, 0));
    complete(store, &heir).await.unwrap();
    lost(complete(store, &heir).await);
}

async fn a_key_stands_for_one_unfinished_job(base: Base) {
    let keyed = || NewJob {
        dedupe_key: Some("update:7".into()),
        ..plain()
    };
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let store = base.store.clone();
            tokio::spawn(async move { enqueue(&store, keyed()).await })
        })
        .collect();
    let mut new = 0;
    let mut ids = std::collections::HashSet::new();
    for task in tasks {
        let queued = task.await.unwrap();
        new += i32::from(queued.is_new);
        ids.insert((queued.id, queued.public_id));
    }
    assert_eq!((new, ids.len()), (1, 1));

    let row = claim(&base.store, "a").await.unwrap();
    assert!(
        !enqueue(&base.store, keyed()).await.is_new,
        "running counts"
    );
    complete(&base.store, &row).await.unwrap();
    let next = enqueue(&base.store, keyed()).await;
    assert!(next.is_new && next.id != row.id);
    assert!(next.public_id.starts_with("job_") && next.public_id.len() == 16);
}

async fn epochs_rise_over_all_jobs(base: Base) {
    let mut last = pressroom_base::Epoch::ZERO;
    for _ in 0..5 {
        enqueue(&base.store, plain()).await;
        let row = claim(&base.store, "a").await.unwrap();
        assert!(row.epoch > last);
        last = row.epoch;
        complete(&base.store, &row).await.unwrap();
    }
    assert_eq!(claim(&base.store, "a").await, None);
    enqueue(&base.store, plain()).await;
    let row = claim(&base.store, "a").await.unwrap();
    assert_eq!(row.epoch.get(), last.get() + 1, "idle looks draw none");
}

async fn a_job_nobody_survives_is_given_up(base: Base) {
    let store = &base.store;
    let job = enqueue(
        store,
        NewJob {
            max_attempts: 1,
            ..plain()
        },
    )
    .await;
    let lost = async || orphans::lost(store, &["test"]).await.unwrap();
    for attempt in 1..=1 + queue::UNDO_ATTEMPTS {
        assert_eq!(lost().await, []);
        assert_eq!(claim(store, "a").await.unwrap().attempt, attempt);
        store.advance_clock(LEASE + Duration::from_secs(1));
    }
    assert_eq!(orphans::lost(store, &["other"]).await.unwrap(), []);
    assert_eq!(lost().await, [job.id]);
    let tx = store.begin().await.unwrap();
    let buried = orphans::bury(&tx, job.id).await.unwrap().unwrap();
    queue::advise(&tx, job.id, "look").await.unwrap();
    assert_eq!(orphans::bury(&tx, job.id).await.unwrap(), None);
    tx.commit().await.unwrap();
    assert_eq!((buried.id, lost().await), (job.id, Vec::new()));
    let row = jobs::get(store, job.id).await.unwrap().unwrap();
    assert_eq!(row.state, JobState::Dead);
    assert_eq!(row.error_hint.as_deref(), Some("look"));
    assert_eq!(claim(store, "a").await, None);

    let tx = store.begin().await.unwrap();
    queue::requeue(&tx, job.id).await.unwrap();
    tx.commit().await.unwrap();
    let row = claim(store, "a").await.unwrap();
    assert_eq!((row.id, row.attempt), (job.id, 1));
    let tx = store.begin().await.unwrap();
    let refused = queue::requeue(&tx, job.id).await;
    assert!(matches!(refused, Err(Error::InUse { .. })), "{refused:?}");
}

async fn cancelling_depends_on_how_far_it_is(base: Base) {
    let store = &base.store;
    let cancel = async |id| {
        let tx = store.begin().await.unwrap();
        let outcome = queue::request_cancel(&tx, id, "changed my mind", Cancellation::default())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        outcome
    };
    let queued = enqueue(store, plain()).await;
    assert_eq!(cancel(queued.id).await, CancelOutcome::Cancelled);
    assert_eq!(claim(store, "a").await, None);
    assert_eq!(cancel(queued.id).await, CancelOutcome::TooLate);

    // One that left something behind when it was asked for is claimed once more.
    let prepared = enqueue(store, plain()).await;
    let how = Cancellation {
        undo_unbegun: true,
        last_step: Some("point"),
    };
    let tx = store.begin().await.unwrap();
    let outcome = queue::request_cancel(&tx, prepared.id, "no", how).await;
    assert_eq!(outcome.unwrap(), CancelOutcome::Requested);
    tx.commit().await.unwrap();
    let row = claim(store, "a").await.unwrap();
    assert_eq!(row.id, prepared.id);
    assert_eq!(row.cancel_reason.as_deref(), Some("no"));

    // Past the step that cannot be taken back, nobody is told to stop.
    let tx = store.begin().await.unwrap();
    record::begin_step(&tx, row.id, row.epoch, "point", &serde_json::Value::Null)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let tx = store.begin().await.unwrap();
    let outcome = queue::request_cancel(&tx, row.id, "no", how).await;
    assert_eq!(outcome.unwrap(), CancelOutcome::Irrevocable);
    tx.rollback().await.unwrap();

    let running = enqueue(store, plain()).await;
    let row = claim(store, "a").await.unwrap();
    assert_eq!(cancel(running.id).await, CancelOutcome::Requested);
    let hold = queue::look(store, row.id, row.epoch).await.unwrap();
    assert_eq!(hold.cancel.as_deref(), Some("changed my mind"));

    // One that waits for its next attempt may have something to undo.
    let waiting = enqueue(store, plain()).await;
    let row = claim(store, "a").await.unwrap();
    let tx = store.begin().await.unwrap();
    let why = Failure {
        kind: Kind::Unreachable,
        message: "no".into(),
        hint: None,
        code: None,
        result: None,
    };
    queue::retry(&tx, row.id, row.epoch, Duration::from_hours(1), &why)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(claim(store, "a").await, None);
    assert_eq!(cancel(waiting.id).await, CancelOutcome::Requested);
    let row = claim(store, "a").await.unwrap();
    assert_eq!(row.id, waiting.id);
    assert!(row.cancel_requested_at.is_some());
}

async fn the_more_urgent_goes_first(base: Base) {
    let store = &base.store;
    let now = store.now().await.unwrap();
    let later = NewJob {
        run_at: Some(now.plus(Duration::from_mins(5))),
        priority: 99,
        ..plain()
    };
    let later = enqueue(store, later).await;
    let low = enqueue(store, plain()).await;
    let high = enqueue(
        store,
        NewJob {
            priority: 5,
            ..plain()
        },
    )
    .await;
    let mut unknown = plain();
    unknown.kind = "unknown".into();
    unknown.priority = 100;
    enqueue(store, unknown).await;
    assert_eq!(claim(store, "a").await.unwrap().id, high.id);
    assert_eq!(claim(store, "a").await.unwrap().id, low.id);
    assert_eq!(claim(store, "a").await, None);
    store.advance_clock(Duration::from_mins(6));
    // Those leases have run out too, and come before what is queued.
    assert_eq!(claim(store, "a").await.unwrap().id, high.id);
    assert_eq!(claim(store, "a").await.unwrap().id, low.id);
    assert_eq!(claim(store, "a").await.unwrap().id, later.id);
}
