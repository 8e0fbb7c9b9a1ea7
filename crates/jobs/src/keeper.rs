//! Keeps one job's lease alive, from a task of its own: work that hogs the job's
//! task must not lose its lease, and a lost lease must reach it.

use crate::{JobContext, RunnerConfig, context::Stop};
use pressroom_store::{Error, Signal, Store, jobs::queue};
use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, MissedTickBehavior, interval, interval_at, timeout_at},
};
use tokio_util::sync::CancellationToken;

/// Runs until the lease is lost or the task is aborted.
pub(crate) async fn keep(
    ctx: JobContext,
    config: RunnerConfig,
    claimed: Instant,
    drained: CancellationToken,
) {
    let mut signals = ctx.store().signals();
    // The claim has just said that we live.
    let mut beat = interval_at(claimed + config.heartbeat, config.heartbeat);
    let mut look = interval(config.poll);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The database's clock decides; ours only says when we can no longer know.
    let mut good_until = claimed + config.lease;
    let mut draining = false;
    loop {
        let heartbeat = tokio::select! {
            _ = beat.tick() => true,
            _ = look.tick() => false,
            signal = signals.recv() => match signal {
                Ok(signal) if signal != Signal::Job(ctx.id()) => continue,
                Err(RecvError::Closed) => return,
                _ => false,
            },
            () = drained.cancelled(), if !draining => {
                draining = true;
                ctx.stop(Stop::Shutdown);
                continue;
            }
        };
        let asked = Instant::now();
        let answer = timeout_at(good_until, ask(ctx.store(), &ctx, &config, heartbeat)).await;
        match answer {
            Ok(Ok(hold)) => {
                if heartbeat {
                    good_until = asked + config.lease;
                }
                if let Some(reason) = hold.cancel {
                    ctx.stop(Stop::Cancelled { reason });
                }
            }
            Ok(Err(Error::LostLease)) | Err(_) => {
                ctx.stop(Stop::LostLease);
                return;
            }
            Ok(Err(error)) => {
                tracing::warn!(job.id = %ctx.id(), %error, "cannot renew the lease of job {}", ctx.id());
                if Instant::now() >= good_until {
                    ctx.stop(Stop::LostLease);
                    return;
                }
            }
        }
    }
}

async fn ask(
    store: &Store,
    ctx: &JobContext,
    config: &RunnerConfig,
    heartbeat: bool,
) -> Result<pressroom_store::jobs::Hold, Error> {
    if heartbeat {
        queue::heartbeat(store, ctx.id(), ctx.epoch(), config.lease).await
    } else {
        queue::look(store, ctx.id(), ctx.epoch()).await
    }
}
