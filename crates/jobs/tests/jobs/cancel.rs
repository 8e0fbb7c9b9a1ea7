use crate::base::{Base, Script, plain};
use pressroom_base::Kind;
use pressroom_jobs::{CancelOutcome, JobFailure, JobState, Registry, Stop, cancel};
use pressroom_store::jobs::queue;
use serde_json::json;
use std::time::Duration;

crate::on_both! {
    a_queued_job_is_cancelled_at_once
    a_queued_job_that_left_something_is_undone
    nothing_is_begun_after_the_wish
    a_job_past_its_last_step_goes_on
    a_running_job_is_told_undone_and_cancelled
    a_job_that_does_not_listen_is_stopped
    what_was_done_before_the_wish_stays_done
    one_waiting_for_its_next_attempt_is_undone
}

async fn ask(base: &Base, script: &Script, id: pressroom_base::id::JobId) -> CancelOutcome {
    let registry = Registry::new().with(script.clone());
    let tx = base.store.begin().await.unwrap();
    let outcome = cancel(&tx, &registry, id, "enough").await.unwrap();
    tx.commit().await.unwrap();
    outcome
}

async fn a_queued_job_is_cancelled_at_once(base: Base) {
    let script = Script::new(|_| async { Ok(json!(null)) });
    let id = base.enqueue(plain()).await;
    assert_eq!(ask(&base, &script, id).await, CancelOutcome::Cancelled);
    let after = base.enqueue(plain()).await;
    let runner = base.start(&script);
    base.ended(after).await;
    runner.stop().await;
    let row = base.job(id).await;
    assert_eq!((row.state, row.attempt), (JobState::Cancelled, 0));
    assert_eq!(script.reasons(), Vec::<String>::new());
}

async fn a_queued_job_that_left_something_is_undone(base: Base) {
    let mut script = Script::new(|_| async { Ok(json!(null)) });
    script.undo_unbegun = true;
    let id = base.enqueue(plain()).await;
    assert_eq!(ask(&base, &script, id).await, CancelOutcome::Requested);
    let runner = base.start(&script);
    let row = base.ended(id).await;
    runner.stop().await;
    assert_eq!(row.state, JobState::Cancelled);
    assert_eq!(script.reasons(), ["Cancelled: enough"]);
}

async fn nothing_is_begun_after_the_wish(base: Base) {
    // The wish is stored, but no word of it comes through: the job asks by itself.
    let store = base.store.clone();
    let script = Script::new(move |ctx| {
        let store = store.clone();
        async move {
            let none = pressroom_store::jobs::Cancellation::default();
            let tx = store.begin().await?;
            queue::request_cancel(&tx, ctx.id(), "enough", none).await?;
            tx.commit().await?;
            let step = ctx.begin_step("late", json!(null)).await;
            assert!(step.is_err(), "begun");
            assert!(ctx.cancelled().is_cancelled());
            step.map(|_| json!(null))
        }
    })
    .undo(|ctx| async move {
        let step = ctx.begin_step("undoing", json!(null)).await?;
        ctx.finish_step(step, pressroom_jobs::StepState::Done, json!(null))
            .await
    });
    let id = base.enqueue(plain()).await;
    let runner = base.start(&script);
    assert_eq!(base.ended(id).await.state, JobState::Cancelled);
    runner.stop().await;
    let steps = pressroom_store::jobs::steps(&base.store, id).await.unwrap();
    let names: Vec<_> = steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["undoing"]);
}

async fn a_job_past_its_last_step_goes_on(base: Base) {
    let go = tokio_util::sync::CancellationToken::new();
    let wait = go.clone();
    let mut script = Script::new(move |ctx| {
        let wait = wait.clone();
        async move {
            let step = ctx.begin_step("point", json!(null)).await?;
            wait.cancelled().await;
            ctx.check()?;
            ctx.finish_step(step, pressroom_jobs::StepState::Done, json!(null))
                .await?;
            Ok(json!("done"))
        }
    });
    script.last_step = Some("point");
    let id = base.enqueue(plain()).await;
    let runner = base.start(&script);
    base.until(id, |row| row.step == "point").await;
    assert_eq!(ask(&base, &script, id).await, CancelOutcome::Irrevocable);
    go.cancel();
    let row = base.ended(id).await;
    runner.stop().await;
    assert_eq!(
        (row.state, row.cancel_requested_at),
        (JobState::Completed, None)
    );
    assert_eq!(script.reasons(), Vec::<String>::new());
}

async fn a_running_job_is_told_undone_and_cancelled(base: Base) {
    let script = Script::new(|ctx| async move {
        let _step = ctx.begin_step("long", json!(null)).await?;
        ctx.cancelled().cancelled().await;
        let reason = Stop::Cancelled {
            reason: "enough".into(),
        };
        assert_eq!(ctx.stop_reason(), Some(reason));
        Err(JobFailure::new(Kind::Conflict, "stopped"))
    })
    .undo(|ctx| async move {
        assert!(!ctx.cancelled().is_cancelled(), "undoing is not to stop");
        for step in ctx.steps().await? {
            ctx.undone(&step).await?;
        }
        Ok(())
    });
    let id = base.enqueue(plain()).await;
    let runner = base.start(&script);
    base.until(id, |row| row.step == "long").await;
    assert_eq!(ask(&base, &script, id).await, CancelOutcome::Requested);
    let row = base.ended(id).await;
    runner.stop().await;
    assert_eq!(row.state, JobState::Cancelled);
    assert_eq!(row.error_message.as_deref(), Some("Cancelled: enough"));
    assert_eq!(script.reasons(), ["Cancelled: enough"]);
    let steps = pressroom_store::jobs::steps(&base.store, id).await.unwrap();
    assert_eq!(steps[0].state, pressroom_jobs::StepState::Undone);
}

async fn a_job_that_does_not_listen_is_stopped(base: Base) {
    let script = Script::new(|ctx| async move {
        ctx.progress(1, "deaf").await?;
        std::future::pending().await
    });
    let id = base.enqueue(plain()).await;
    let runner = base.start(&script);
    base.until(id, |row| row.message == "deaf").await;
    ask(&base, &script, id).await;
    assert_eq!(base.ended(id).await.state, JobState::Cancelled);
    runner.stop().await;
    assert_eq!(script.reasons(), ["Cancelled: enough"]);
}

async fn what_was_done_before_the_wish_stays_done(base: Base) {
    let script = Script::new(|ctx| async move {
        ctx.progress(99, "nearly").await?;
        ctx.cancelled().cancelled().await;
        Ok(json!("done"))
    });
    let id = base.enqueue(plain()).await;
    let runner = base.start(&script);
    base.until(id, |row| row.message == "nearly").await;
    ask(&base, &script, id).await;
    let row = base.ended(id).await;
    runner.stop().await;
    assert_eq!(
        (row.state, row.result),
        (JobState::Completed, Some(json!("done")))
    );
    assert_eq!(script.reasons(), Vec::<String>::new());
}

async fn one_waiting_for_its_next_attempt_is_undone(base: Base) {
    let mut script = Script::new(|_| async { Err(JobFailure::new(Kind::Unreachable, "no")) });
    script.retry.base = Duration::from_hours(1);
    script.retry.cap = Duration::from_hours(1);
    let id = base.enqueue(plain()).await;
    let runner = base.start(&script);
    base.until(id, |row| row.attempt == 1 && row.state == JobState::Queued)
        .await;
    assert_eq!(ask(&base, &script, id).await, CancelOutcome::Requested);
    assert_eq!(base.ended(id).await.state, JobState::Cancelled);
    runner.stop().await;
    assert_eq!(script.reasons(), ["Cancelled: enough"]);
}
