use crate::base::{Base, Running, Script, config, plain};
use pressroom_base::Kind;
use pressroom_jobs::{Interruption, JobFailure, JobState, RunnerConfig, StepState, Stop};
use pressroom_store::jobs::{self, queue};
use serde_json::json;
use std::time::Duration;

crate::on_both! {
    a_lost_worker_s_job_is_undone_if_its_kind_says_so
    a_lost_worker_s_job_goes_on_if_its_kind_says_so
    a_worker_lost_while_undoing_is_followed_by_one_that_undoes
    the_last_attempt_lost_is_undone_and_dead
    a_shutdown_lets_jobs_end
    a_shutdown_gives_slow_jobs_back
}

const LEASE: Duration = Duration::from_secs(2);

/// Claims the job as a worker that then dies.
async fn die_with(base: &Base) -> jobs::JobRow {
    let row = queue::claim(&base.store, &["test"], "dead", LEASE)
        .await
        .unwrap()
        .unwrap();
    base.store.advance_clock(LEASE + Duration::from_millis(1));
    row
}

async fn a_lost_worker_s_job_is_undone_if_its_kind_says_so(base: Base) {
    let mut script = Script::new(|_| async { panic!("must not run again") });
    script.interruption = Interruption::Undo;
    let id = base.enqueue(plain()).await;
    die_with(&base).await;
    let runner = base.start(&script);
    let row = base.ended(id).await;
    runner.stop().await;
    assert_eq!((row.state, row.attempt), (JobState::Failed, 2));
    assert_eq!(row.error_message.as_deref(), Some("Interrupted"));
    assert_eq!(script.reasons(), ["Interrupted"]);
}

async fn a_lost_worker_s_job_goes_on_if_its_kind_says_so(base: Base) {
    let script = Script::new(|ctx| async move {
        let steps = ctx.steps().await?;
        assert_eq!(steps.len(), 2);
        assert!(ctx.done_step("download").await?.is_some());
        assert!(
            ctx.done_step("swap").await?.is_none(),
            "its result is not known"
        );
        assert_eq!(steps[1].intent, json!({ "to": "2.0" }));
        Ok(json!(ctx.attempt()))
    });
    let id = base.enqueue(plain()).await;
    let row = queue::claim(&base.store, &["test"], "dead", LEASE)
        .await
        .unwrap()
        .unwrap();
    let tx = base.store.begin().await.unwrap();
    let epoch = row.epoch;
    let null = json!(null);
    let step = jobs::record::begin_step(&tx, id, epoch, "download", &null)
        .await
        .unwrap();
    jobs::record::finish_step(&tx, id, epoch, step.id, StepState::Done, &null)
        .await
        .unwrap();
    jobs::record::begin_step(&tx, id, epoch, "swap", &json!({ "to": "2.0" }))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    base.store.advance_clock(LEASE + Duration::from_millis(1));
    let runner = base.start(&script);
    let row = base.ended(id).await;
    runner.stop().await;
    assert_eq!(
        (row.state, row.result),
        (JobState::Completed, Some(json!(2)))
    );
}

async fn a_worker_lost_while_undoing_is_followed_by_one_that_undoes(base: Base) {
    let script = Script::new(|_| async { panic!("must not run again") });
    let id = base.enqueue(plain()).await;
    let row = queue::claim(&base.store, &["test"], "dead", LEASE)
        .await
        .unwrap()
        .unwrap();
    let why = jobs::Failure {
        kind: Kind::Invalid,
        message: "bad name".into(),
        hint: None,
        code: None,
        result: None,
    };
    let tx = base.store.begin().await.unwrap();
    queue::undo_first(&tx, id, row.epoch, JobState::Failed, &why)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    base.store.advance_clock(LEASE + Duration::from_millis(1));
    let runner = base.start(&script);
    let row = base.ended(id).await;
    runner.stop().await;
    assert_eq!(row.state, JobState::Failed);
    assert_eq!(row.error_kind, Some(Kind::Invalid));
    assert_eq!(script.reasons(), ["bad name"]);
}

async fn the_last_attempt_lost_is_undone_and_dead(base: Base) {
    let script = Script::new(|_| async { panic!("must not run again") });
    let mut job = plain();
    job.max_attempts = 1;
    let id = base.enqueue(job).await;
    die_with(&base).await;
    let runner = base.start(&script);
    let row = base.ended(id).await;
    runner.stop().await;
    assert_eq!((row.state, row.attempt), (JobState::Dead, 2));
    assert_eq!(script.reasons(), ["Interrupted"]);
}

async fn a_shutdown_lets_jobs_end(base: Base) {
    let go = tokio_util::sync::CancellationToken::new();
    let gate = go.clone();
    let script = Script::new(move |ctx| {
        let gate = gate.clone();
        async move {
            ctx.progress(1, "running").await?;
            gate.cancelled().await;
            Ok(json!(null))
        }
    });
    let id = base.enqueue(plain()).await;
    let generous = RunnerConfig {
        drain: Duration::from_mins(5),
        ..config()
    };
    let runner = Running::start(&base.store, &script, generous);
    base.until(id, |row| row.message == "running").await;
    let later = base.enqueue(plain()).await;
    base.until(later, |row| row.state == JobState::Running)
        .await;
    runner.shutdown.cancel();
    let unclaimed = base.enqueue(plain()).await;
    go.cancel();
    runner.stop().await;
    assert_eq!(base.job(id).await.state, JobState::Completed);
    assert_eq!(base.job(later).await.state, JobState::Completed);
    // A claim that was under way at that moment may still have taken the third; it is
    // then carried to its end like the others, and never left in the middle.
    let third = base.job(unclaimed).await.state;
    assert!(
        matches!(third, JobState::Queued | JobState::Completed),
        "{third:?}"
    );
}

async fn a_shutdown_gives_slow_jobs_back(base: Base) {
    let script = Script::new(|ctx| async move {
        if ctx.attempt() == 2 {
            assert!(ctx.job().interrupted);
            return Ok(json!("second"));
        }
        ctx.progress(1, "slow").await?;
        ctx.cancelled().cancelled().await;
        assert_eq!(ctx.stop_reason(), Some(Stop::Shutdown));
        Err(JobFailure::new(Kind::Conflict, "stopped"))
    });
    let id = base.enqueue(plain()).await;
    let runner = base.start(&script);
    base.until(id, |row| row.message == "slow").await;
    runner.stop().await;
    let row = base.job(id).await;
    assert_eq!(
        (row.state, row.attempt, row.interrupted),
        (JobState::Queued, 1, true)
    );
    assert_eq!(row.lease_until, None);
    assert_eq!(script.reasons(), Vec::<String>::new(), "nothing was undone");

    // The next process takes it up at once, without waiting for a lease to lapse.
    let runner = base.start(&script);
    let row = base.ended(id).await;
    runner.stop().await;
    assert_eq!(
        (row.state, row.result),
        (JobState::Completed, Some(json!("second")))
    );
}
