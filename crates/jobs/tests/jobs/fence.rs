use crate::base::{Base, Script, config, fired, plain};
use pressroom_jobs::{JobFailure, JobState, StepState, Stop};
use pressroom_store::{
    Lane,
    jobs::{self, orphans, queue},
};
use serde_json::json;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

crate::on_both! {
    a_lost_lease_stops_the_job_at_once
    a_ghost_s_writes_are_all_refused
    a_long_job_keeps_its_lease
    a_worker_that_is_known_to_be_dead_is_not_waited_for
}

async fn a_lost_lease_stops_the_job_at_once(base: Base) {
    let dropped = CancellationToken::new();
    let guard = dropped.clone();
    let script = Script::new(move |ctx| {
        let guard = guard.clone().drop_guard();
        async move {
            let _guard = guard;
            ctx.progress(1, "deaf").await?;
            // Does not listen: it is stopped all the same, without any grace.
            std::future::pending().await
        }
    });
    let id = base.enqueue(plain()).await;
    let runner = base.start(&script);
    base.until(id, |row| row.message == "deaf").await;
    // As when this worker was stopped for longer than its lease.
    let thief = base.other_process().await;
    thief.advance_clock(Duration::from_hours(1));
    let heir = queue::claim(&thief, &["test"], "heir", Duration::from_hours(1))
        .await
        .unwrap()
        .unwrap();
    fired(&dropped).await;
    runner.stop().await;
    let row = base.job(id).await;
    assert_eq!((row.state, row.epoch), (JobState::Running, heir.epoch));
    assert_eq!(row.holder.as_deref(), Some("heir"));
    assert_eq!(
        script.reasons(),
        Vec::<String>::new(),
        "a ghost does not undo"
    );
}

/// The ghost tries everything a job can write, after another took over and before
/// anybody told it.
async fn a_ghost_s_writes_are_all_refused(base: Base) {
    let ready = CancellationToken::new();
    let taken = CancellationToken::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (is_ready, is_taken, refusals) = (ready.clone(), taken.clone(), Arc::clone(&seen));
    let tried = CancellationToken::new();
    let all_tried = tried.clone();
    let script = Script::new(move |ctx| {
        let (ready, taken) = (is_ready.clone(), is_taken.clone());
        let (refusals, tried) = (Arc::clone(&refusals), all_tried.clone());
        async move {
            let step = ctx.begin_step("one", json!(null)).await?;
            // In a task of its own, so that stopping the job does not stop this.
            tokio::spawn(async move {
                ready.cancel();
                taken.cancelled().await;
                let mut results = vec![
                    ("begin", ctx.begin().await.is_err()),
                    ("progress", ctx.progress(50, "late").await.is_err()),
                    (
                        "begin_step",
                        ctx.begin_step("two", json!(null)).await.is_err(),
                    ),
                    (
                        "keep_secret",
                        ctx.keep_secret(&"x".to_owned().into()).await.is_err(),
                    ),
                ];
                let done = ctx.finish_step(step, StepState::Done, json!(1)).await;
                results.push(("finish_step", done.is_err()));
                results.push(("check", ctx.check().is_err()));
                results.push(("stop", ctx.stop_reason() == Some(Stop::LostLease)));
                ctx.line("late");
                *refusals.lock().unwrap() = results;
                tried.cancel();
            });
            std::future::pending::<Result<_, JobFailure>>().await
        }
    });
    let id = base.enqueue(plain()).await;
    // No heartbeat comes between. On PostgreSQL the claim is told to the keeper,
    // which stops the job; what it set going tries all the same.
    let blind = pressroom_jobs::RunnerConfig {
        heartbeat: Duration::from_hours(1),
        poll: Duration::from_hours(1),
        lease: Duration::from_hours(2),
        ..config()
    };
    let runner = crate::base::Running::start(&base.store, &script, blind);
    fired(&ready).await;
    let thief = base.other_process().await;
    thief.advance_clock(Duration::from_hours(3));
    let heir = queue::claim(&thief, &["test"], "heir", Duration::from_hours(1))
        .await
        .unwrap()
        .unwrap();
    let before = base.job(id).await;
    taken.cancel();
    fired(&tried).await;
    runner.stop().await;
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 7);
    assert!(seen.iter().all(|(_, refused)| *refused), "{seen:?}");
    assert_eq!(base.job(id).await, before);
    assert_eq!(before.epoch, heir.epoch);
    let steps = jobs::steps(&base.store, id).await.unwrap();
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0].state, StepState::Running);
    assert_eq!(jobs::output_size(&base.store, id).await.unwrap(), (0, 0));
}

async fn a_long_job_keeps_its_lease(base: Base) {
    let script = Script::new(|ctx| async move {
        ctx.progress(1, "long").await?;
        // Over twice the lease without ever yielding.
        let until = std::time::Instant::now() + Duration::from_millis(4500);
        while std::time::Instant::now() < until {
            std::hint::spin_loop();
            std::thread::park_timeout(Duration::from_millis(20));
        }
        ctx.check()?;
        Ok(json!(ctx.attempt()))
    });
    let mut job = plain();
    job.lane = Lane::Read;
    let id = base.enqueue(job).await;
    let runner = base.start(&script);
    let row = base.ended(id).await;
    runner.stop().await;
    assert_eq!((row.state, row.attempt), (JobState::Completed, 1));
}

/// Its lease would last for an hour.
async fn a_worker_that_is_known_to_be_dead_is_not_waited_for(base: Base) {
    let id = base.enqueue(plain()).await;
    let hour = Duration::from_hours(1);
    let claim = async |holder: &str| {
        let claimed = queue::claim(&base.store, &["test"], holder, hour).await;
        claimed.unwrap()
    };
    let first = claim("dead").await.unwrap();
    assert_eq!(orphans::lapse(&base.store, "another").await.unwrap(), 0);
    assert!(claim("heir").await.is_none());
    assert_eq!(orphans::lapse(&base.store, "dead").await.unwrap(), 1);
    let heir = claim("heir").await.unwrap();
    assert_eq!((heir.id, heir.attempt, heir.interrupted), (id, 2, true));
    assert!(heir.epoch > first.epoch);
    // What it holds by now is another's.
    assert_eq!(orphans::lapse(&base.store, "dead").await.unwrap(), 0);
}
