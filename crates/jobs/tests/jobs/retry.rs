use crate::base::{Base, Script, plain};
use pressroom_base::Kind;
use pressroom_jobs::{
    CancelOutcome, Class, JobFailure, JobState, NewJob, Registry, RetryPolicy, cancel, requeue,
};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

crate::on_both! {
    what_may_pass_is_tried_again
    each_class_has_its_say
    a_job_that_never_works_is_dead_and_can_be_queued_again
    undoing_is_tried_again
    undoing_that_never_works_ends_dead
    a_host_that_is_away_is_waited_for
    waiting_for_a_host_ends_after_a_day_or_when_asked
}

async fn what_may_pass_is_tried_again(base: Base) {
    let script = Script::new(|ctx| async move {
        if ctx.attempt() < 3 {
            return Err(JobFailure::new(Kind::Unreachable, "no answer"));
        }
        Ok(json!(ctx.attempt()))
    });
    let id = base.enqueue(plain()).await;
    let runner = base.start(&script);
    let row = base.ended(id).await;
    runner.stop().await;
    assert_eq!((row.state, row.attempt), (JobState::Completed, 3));
    assert_eq!((row.result, row.error_message), (Some(json!(3)), None));
    assert_eq!(script.reasons(), Vec::<String>::new(), "nothing was undone");
}

async fn each_class_has_its_say(base: Base) {
    let classes = [Class::Transport, Class::Site, Class::Bug, Class::User];
    let mut script = Script::new(move |ctx| async move {
        let class = classes[ctx.payload::<usize>()?];
        Err(JobFailure::new(Kind::Remote, "always").with_class(class))
    });
    script.retry = RetryPolicy {
        site: true,
        ..script.retry
    };
    let mut queued = Vec::new();
    for number in 0..classes.len() {
        queued.push(base.enqueue(NewJob::new("test", json!(number))).await);
    }
    let runner = base.start(&script);
    let expected = [
        (JobState::Dead, 3),
        (JobState::Dead, 3),
        (JobState::Failed, 1),
        (JobState::Failed, 1),
    ];
    for (id, expected) in queued.into_iter().zip(expected) {
        let row = base.ended(id).await;
        assert_eq!((row.state, row.attempt), expected, "{row:#?}");
    }
    runner.stop().await;
    assert_eq!(
        script.reasons(),
        ["always"; 4],
        "each was undone once, at its end"
    );
}

async fn a_job_that_never_works_is_dead_and_can_be_queued_again(base: Base) {
    let script = Script::new(|ctx| async move {
        assert_eq!(ctx.secrets()?.expect("still there").expose(), "hunter2");
        Err(JobFailure::new(Kind::Busy, "later").with_hint("wait"))
    });
    let mut job = plain();
    job.max_attempts = 2;
    job.secrets = Some("hunter2".to_owned().into());
    let id = base.enqueue(job).await;
    let runner = base.start(&script);
    let row = base.ended(id).await;
    assert_eq!((row.state, row.attempt), (JobState::Dead, 2));
    assert_eq!(row.error_kind, Some(Kind::Busy));
    assert_eq!(row.error_hint.as_deref(), Some("wait"));
    assert_eq!(script.reasons(), ["later"]);

    let tx = base.store.begin().await.unwrap();
    requeue(&tx, id).await.unwrap();
    tx.commit().await.unwrap();
    let row = base.until(id, |_| script.reasons().len() == 2).await;
    assert_eq!(row.attempt, 2);
    assert_eq!(base.ended(id).await.state, JobState::Dead);
    runner.stop().await;
}

async fn undoing_is_tried_again(base: Base) {
    let script = Script::new(|_| async { Err(JobFailure::new(Kind::Invalid, "bad name")) }).undo(
        |ctx| async move {
            if ctx.attempt() < 2 {
                return Err(JobFailure::new(Kind::Remote, "in use"));
            }
            Ok(())
        },
    );
    let id = base.enqueue(plain()).await;
    let runner = base.start(&script);
    base.until(id, |row| row.attempt == 1 && row.state == JobState::Queued)
        .await;
    base.store.advance_clock(Duration::from_mins(10));
    let row = base.ended(id).await;
    runner.stop().await;
    assert_eq!((row.state, row.attempt), (JobState::Failed, 2));
    assert_eq!(row.error_message.as_deref(), Some("bad name"));
    assert_eq!(script.reasons(), ["bad name"; 2]);
}

async fn undoing_that_never_works_ends_dead(base: Base) {
    let script = Script::new(|_| async { Err(JobFailure::new(Kind::Invalid, "bad name")) })
        .undo(|_| async { Err(JobFailure::new(Kind::Remote, "in use")) });
    let mut job = plain();
    job.max_attempts = 1;
    let id = base.enqueue(job).await;
    let runner = base.start(&script);
    for attempt in 1..=3 {
        base.until(id, |row| {
            row.attempt == attempt && row.state == JobState::Queued
        })
        .await;
        base.store.advance_clock(Duration::from_mins(10));
    }
    let row = base.ended(id).await;
    runner.stop().await;
    assert_eq!((row.state, row.attempt), (JobState::Dead, 4));
    let message = row.error_message.unwrap();
    assert_eq!(message, "bad name; it could not be undone: in use");
}

async fn a_host_that_is_away_is_waited_for(base: Base) {
    let asked = Arc::new(AtomicU32::new(0));
    let times = asked.clone();
    let script =
        Script::new(|_| async { Err(JobFailure::new(Kind::Remote, "broke")) }).undo(move |_| {
            let time = times.fetch_add(1, SeqCst);
            async move {
                if time < 20 {
                    return Err(JobFailure::new(Kind::Unreachable, "no answer"));
                }
                Ok(())
            }
        });
    let mut job = plain();
    job.max_attempts = 1;
    let id = base.enqueue(job).await;
    let runner = base.start(&script);
    for time in 1..=20 {
        let row = base
            .until(id, |row| {
                asked.load(SeqCst) == time && row.state == JobState::Queued
            })
            .await;
        assert_eq!(row.attempt, 0, "what is not reached is not tried");
        let wait = row.run_at.millis() - base.store.now().await.unwrap().millis();
        assert!((4_000..=300_000).contains(&wait), "{wait} ms");
        base.store.advance_clock(Duration::from_mins(10));
    }
    let row = base.ended(id).await;
    runner.stop().await;
    assert_eq!((row.state, row.attempt), (JobState::Failed, 1));
    assert_eq!(row.error_message.as_deref(), Some("broke"));
}

async fn waiting_for_a_host_ends_after_a_day_or_when_asked(base: Base) {
    let script = Script::new(|_| async { Err(JobFailure::new(Kind::Remote, "broke")) })
        .undo(|_| async { Err(JobFailure::new(Kind::Unreachable, "no answer")) });
    let runner = base.start(&script);
    for asks in [true, false] {
        let mut job = plain();
        job.max_attempts = 1;
        let id = base.enqueue(job).await;
        base.until(id, |row| {
            row.state == JobState::Queued && row.attempt == 0 && row.undo_to.is_some()
        })
        .await;
        if asks {
            let tx = base.store.begin().await.unwrap();
            let registry = Registry::new().with(script.clone());
            let outcome = cancel(&tx, &registry, id, "enough").await.unwrap();
            assert_eq!(outcome, CancelOutcome::Requested);
            tx.commit().await.unwrap();
        } else {
            base.store.advance_clock(Duration::from_hours(24));
        }
        // As often as any other is.
        for attempt in 1..=3 {
            base.until(id, |row| {
                row.attempt == attempt && row.state == JobState::Queued
            })
            .await;
            base.store.advance_clock(Duration::from_mins(10));
        }
        let row = base.ended(id).await;
        assert_eq!(row.state, JobState::Dead);
        let message = row.error_message.unwrap();
        assert_eq!(message, "broke; it could not be undone: no answer");
    }
    runner.stop().await;
}
