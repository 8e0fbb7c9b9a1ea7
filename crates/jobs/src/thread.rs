//! A thread for one job's code. In a worker thread of the runtime, code that
//! forgets to yield would hold up whatever it had woken there, the keeper of its
//! own lease included (seen in a test: the keeper waited for the database
//! connection the job had just given back).

use crate::JobFailure;
use pressroom_base::id::JobId;
use std::{any::Any, future::Future, panic::AssertUnwindSafe};
use tokio::{runtime::Handle, sync::oneshot};
use tokio_util::sync::CancellationToken;

/// How the work ended.
pub(crate) enum Ended<T> {
    /// It is done.
    Ok(T),
    /// It failed or panicked.
    Failed(JobFailure),
    /// It was stopped from outside.
    Stopped,
}

/// Work on a thread of its own.
pub(crate) struct OwnThread<T> {
    answer: oneshot::Receiver<Ended<T>>,
    stop: CancellationToken,
}

impl<T: Send + 'static> OwnThread<T> {
    /// Starts it. The thread is not waited for when the process ends.
    pub(crate) fn start(
        job: JobId,
        work: impl Future<Output = Result<T, JobFailure>> + Send + 'static,
    ) -> Self {
        let (tell, answer) = oneshot::channel();
        let stop = CancellationToken::new();
        let (stopped, runtime) = (stop.clone(), Handle::current());
        let thread = move || {
            // Whatever panics in there is dropped in there, before we answer.
            let ended = std::panic::catch_unwind(AssertUnwindSafe(|| {
                runtime.block_on(async {
                    tokio::select! {
                        biased;
                        () = stopped.cancelled() => Ended::Stopped,
                        done = work => match done {
                            Ok(value) => Ended::Ok(value),
                            Err(failure) => Ended::Failed(failure),
                        },
                    }
                })
            }));
            let ended = ended.unwrap_or_else(|panic| Ended::Failed(panicked(panic.as_ref())));
            // Nobody waits any more when the process ends.
            let _ = tell.send(ended);
        };
        // Without a thread `tell` is dropped, which is told below.
        if let Err(error) = std::thread::Builder::new()
            .name(format!("job-{job}"))
            .spawn(thread)
        {
            tracing::error!(job.id = %job, %error, "cannot start a thread for job {job}");
        }
        Self { answer, stop }
    }

    /// Waits for its end; may be given up and called again.
    pub(crate) async fn ended(&mut self) -> Ended<T> {
        (&mut self.answer).await.unwrap_or_else(|_| {
            Ended::Failed(JobFailure::bug("the job's thread could not be started"))
        })
    }

    /// Stops it at its next `await` and waits until nothing of it runs.
    pub(crate) async fn stop(&mut self) -> Ended<T> {
        self.stop.cancel();
        self.ended().await
    }
}

fn panicked(payload: &(dyn Any + Send)) -> JobFailure {
    let said = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or_default();
    JobFailure::bug(format!("the job's code panicked: {said}"))
}
