use crate::base::{Base, DEADLINE, Running, Script, config, fired, plain};
use pressroom_base::{Kind, Secret, id::EnvironmentId};
use pressroom_jobs::{JobFailure, JobState, NewJob, RunnerConfig, StepState, take_job_secret};
use pressroom_store::jobs;
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;

crate::on_both! {
    two_processes_share_the_work
    one_writer_at_a_time_changes_an_environment
    a_job_has_its_payload_secrets_steps_and_result
    a_panic_is_a_failure_and_is_undone
    progress_never_falls
    a_call_is_heard_without_polling
}

async fn two_processes_share_the_work(base: Base) {
    let ran = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&ran);
    let script = Script::new(move |ctx| {
        let counter = Arc::clone(&counter);
        async move {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok(json!(ctx.payload::<i64>()? * 2))
        }
    });
    let mut queued = Vec::new();
    for number in 0..100 {
        queued.push((
            number,
            base.enqueue(NewJob::new("test", json!(number))).await,
        ));
    }
    let other = base.other_process().await;
    let runners = [
        base.start(&script),
        Running::start(&other, &script, config()),
    ];
    for (number, id) in queued {
        let row = base.ended(id).await;
        assert_eq!(row.state, JobState::Completed);
        assert_eq!((row.result, row.progress), (Some(json!(number * 2)), 100));
        assert_eq!((row.attempt, row.holder, row.lease_until), (1, None, None));
    }
    for runner in runners {
        runner.stop().await;
    }
    assert_eq!(ran.load(Ordering::SeqCst), 100);
}

async fn one_writer_at_a_time_changes_an_environment(base: Base) {
    let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (now, peak) = (Arc::clone(&inside), Arc::clone(&most));
    let script = Script::new(move |ctx| {
        let (now, peak) = (Arc::clone(&now), Arc::clone(&peak));
        async move {
            peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // Two writes to the store: time enough for another to come in.
            ctx.progress(10, "inside").await?;
            ctx.progress(20, "still inside").await?;
            now.fetch_sub(1, Ordering::SeqCst);
            Ok(json!(null))
        }
    });
    let mut queued = Vec::new();
    for _ in 0..12 {
        let mut job = plain();
        job.environment = Some(EnvironmentId::new(1));
        queued.push(base.enqueue(job).await);
    }
    let runner = base.start(&script);
    for id in queued {
        assert_eq!(base.ended(id).await.state, JobState::Completed);
    }
    runner.stop().await;
    assert_eq!(most.load(Ordering::SeqCst), 1);
}

async fn a_job_has_its_payload_secrets_steps_and_result(base: Base) {
    let script = Script::new(|ctx| async move {
        let site: String = ctx.payload()?;
        assert_eq!(ctx.secrets()?.expect("it has some").expose(), "hunter2");
        let made: i64 = ctx
            .step("download", async { Ok::<_, JobFailure>(42) })
            .await?;
        let step = ctx.begin_step("unpack", json!({ "to": "/srv" })).await?;
        ctx.finish_step(step, StepState::Done, json!({ "files": made }))
            .await?;
        let missed = ctx
            .step("optional", async {
                Err::<(), _>(JobFailure::new(Kind::Remote, "not there"))
            })
            .await;
        assert!(missed.is_err());
        ctx.keep_secret(&Secret::new("shown once".to_owned()))
            .await?;
        let tx = ctx.begin().await?;
        pressroom_store::settings::set(&tx, "installed", &site).await?;
        tx.commit().await?;
        Ok(json!({ "site": site }))
    });
    let mut job = NewJob::new("test", json!("example.org"));
    job.secrets = Some(Secret::new("hunter2".to_owned()));
    let id = base.enqueue(job).await;
    let runner = base.start(&script);
    let row = base.ended(id).await;
    runner.stop().await;
    assert_eq!(row.state, JobState::Completed, "{row:#?}");
    assert_eq!(row.result, Some(json!({ "site": "example.org" })));
    assert_eq!((row.secrets_sealed, &*row.step), (None, "optional"));
    let steps = jobs::steps(&base.store, id).await.unwrap();
    let seen: Vec<_> = steps
        .iter()
        .map(|step| (step.position, &*step.name, step.state))
        .collect();
    assert_eq!(
        seen,
        [
            (1, "download", StepState::Done),
            (2, "unpack", StepState::Done),
            (3, "optional", StepState::Failed)
        ]
    );
    assert_eq!(steps[1].intent, json!({ "to": "/srv" }));
    assert_eq!(steps[1].result, Some(json!({ "files": 42 })));
    let stored = pressroom_store::settings::get(&base.store, "installed").await;
    assert_eq!(stored.unwrap().as_deref(), Some("example.org"));
    for expected in [Some("shown once".to_owned()), None] {
        let tx = base.store.begin().await.unwrap();
        let taken = take_job_secret(&tx, id).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(taken.map(Secret::into_inner), expected);
    }
}

async fn a_panic_is_a_failure_and_is_undone(base: Base) {
    let script = Script::new(|ctx| async move {
        assert!(ctx.attempt() > 99, "this was to be expected");
        Ok(json!(null))
    });
    let id = base.enqueue(plain()).await;
    let runner = base.start(&script);
    let row = base.ended(id).await;
    runner.stop().await;
    assert_eq!(row.state, JobState::Failed);
    assert_eq!(row.error_kind, Some(Kind::Internal));
    assert!(
        row.error_message
            .unwrap()
            .contains("this was to be expected")
    );
    assert_eq!(script.reasons().len(), 1);
}

async fn progress_never_falls(base: Base) {
    let script = Script::new(|ctx| async move {
        ctx.progress(60, "far").await?;
        ctx.progress(30, "back").await?;
        Err(JobFailure::new(Kind::Invalid, "no"))
    });
    let id = base.enqueue(plain()).await;
    let runner = base.start(&script);
    let row = base.ended(id).await;
    runner.stop().await;
    assert_eq!((row.progress, &*row.message), (60, "back"));
}

/// On PostgreSQL from another process, on SQLite from this one.
async fn a_call_is_heard_without_polling(base: Base) {
    let script = Script::new(|_| async { Ok(json!(null)) });
    let patient = RunnerConfig {
        poll: Duration::from_hours(1),
        ..config()
    };
    let caller = if base.url.starts_with("postgres") {
        base.other_process().await
    } else {
        base.store.clone()
    };
    let runner = Running::start(&base.store, &script, patient);
    // Whether the runner listens yet cannot be seen: several calls, one is heard.
    let heard = CancellationToken::new();
    let calls = async {
        loop {
            let tx = caller.begin().await.unwrap();
            let id = pressroom_jobs::enqueue(&tx, plain()).await.unwrap();
            tx.commit().await.unwrap();
            for _ in 0..20 {
                if base.job(id).await.state == JobState::Completed {
                    heard.cancel();
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    };
    tokio::time::timeout(DEADLINE, calls)
        .await
        .expect("it is heard");
    fired(&heard).await;
    runner.stop().await;
}
