//! Parts of a job: claimed at once, and each with an end of its own.

use crate::base::{Base, Running, Script, config, plain};
use pressroom_base::id::EnvironmentId;
use pressroom_jobs::{
    INTERRUPTED, Interruption, JobContext, JobKind, JobRow, JobState, NewJob, enqueue,
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

crate::on_both! {
    a_part_runs_beside_its_job_and_is_nobody_elses
    a_part_may_outlive_a_job_that_leaves
}

/// Another kind with the same code.
struct Named(&'static str, Script);

#[async_trait::async_trait]
impl JobKind for Named {
    fn name(&self) -> &'static str {
        self.0
    }
    fn interruption(&self) -> Interruption {
        Interruption::Undo
    }
    async fn run(&self, ctx: &JobContext) -> Result<Value, pressroom_jobs::JobFailure> {
        self.1.run(ctx).await
    }
}

fn part() -> NewJob {
    let mut job = NewJob::new("part", Value::Null);
    job.environment = Some(EnvironmentId::new(7));
    job
}

async fn a_part_runs_beside_its_job_and_is_nobody_elses(base: Base) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let of_part = {
        let seen = Arc::clone(&seen);
        Script::new(move |ctx| {
            seen.lock().unwrap().push((ctx.id(), ctx.epoch()));
            async { Ok(json!("done")) }
        })
    };
    let job = Script::new(move |ctx| {
        let of_part = of_part.clone();
        async move {
            let tx = ctx.begin().await?;
            let id = enqueue(&tx, part()).await?;
            let claimed = ctx.claim_part(&tx, id).await?;
            tx.commit().await?;
            let over = ctx.run_part(Arc::new(Named("part", of_part)), claimed);
            over.await.unwrap();
            Ok(json!(id.get()))
        }
    });
    let running = base.start(&job);
    let id = base.enqueue(plain()).await;
    let ended = base.ended(id).await;
    assert_eq!(ended.state, JobState::Completed, "{ended:#?}");
    let part = ended.result.and_then(|value| value.as_i64()).unwrap();
    let part = base.job(pressroom_base::id::JobId::new(part)).await;
    assert_eq!(part.state, JobState::Completed);
    assert_eq!(part.result, Some(json!("done")));
    assert_eq!(*seen.lock().unwrap(), [(part.id, part.epoch)]);
    assert!(part.epoch > ended.epoch);
    running.stop().await;
}

async fn a_part_may_outlive_a_job_that_leaves(base: Base) {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let of_part = {
        let (begun, go_on) = (Arc::clone(&begun), Arc::clone(&go_on));
        Script::new(move |_| {
            let (begun, go_on) = (Arc::clone(&begun), Arc::clone(&go_on));
            async move {
                begun.notify_one();
                go_on.notified().await;
                Ok(Value::Null)
            }
        })
    };
    let parts = Arc::new(Mutex::new(Vec::new()));
    let job = {
        let parts = Arc::clone(&parts);
        Script::new(move |ctx| {
            let (of_part, parts) = (of_part.clone(), Arc::clone(&parts));
            async move {
                if ctx.attempt() > 1 {
                    return Ok(json!("the rest"));
                }
                let tx = ctx.begin().await?;
                let id = enqueue(&tx, part()).await?;
                let claimed = ctx.claim_part(&tx, id).await?;
                tx.commit().await?;
                parts.lock().unwrap().push(id);
                drop(ctx.run_part(Arc::new(Named("part", of_part)), claimed));
                ctx.closing().cancelled().await;
                Err(ctx.leave())
            }
        })
    };
    let config = pressroom_jobs::RunnerConfig {
        drain: crate::base::DEADLINE,
        ..config()
    };
    let first = Running::start(&base.store, &job, config);
    let id = base.enqueue(plain()).await;
    begun.notified().await;
    // Asked to end, the job is left for the next worker; its part gets to its end.
    let stopping = tokio::spawn(first.stop());
    // A worker that was about to claim a job when it was asked to end may take it up itself.
    let left = |row: &JobRow| row.state == JobState::Queued || row.attempt == 2;
    base.until(id, left).await;
    let part = parts.lock().unwrap()[0];
    assert_eq!(base.job(part).await.state, JobState::Running);
    go_on.notify_one();
    stopping.await.unwrap();
    assert_eq!(base.job(part).await.state, JobState::Completed);
    let second = base.start(&job);
    let ended = base.ended(id).await;
    assert_eq!((ended.attempt, ended.result), (2, Some(json!("the rest"))));
    assert_ne!(ended.error_code.as_deref(), Some(INTERRUPTED));
    second.stop().await;
}
