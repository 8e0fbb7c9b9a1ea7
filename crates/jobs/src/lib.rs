//! Durable work: the queue's face, the context a job runs in, and the runner.
//!
//! A job is a row written in the transaction of the change that wants it. A worker
//! leases it; every write the worker makes afterwards carries the claim's epoch, so
//! one that was taken for dead can write nothing more. What a job does is told by
//! a [`JobKind`]; this crate knows no kind and no site. It never retries what its
//! kind does not want retried, and never calls a job done that did not say so.
//!
//! Start reading at [`JobKind`], then [`Runner`].
//!
//! ```
//! use pressroom_jobs::{Interruption, JobContext, JobFailure, JobKind, Lane};
//!
//! struct Greet;
//!
//! #[async_trait::async_trait]
//! impl JobKind for Greet {
//!     fn name(&self) -> &'static str { "greet" }
//!     fn lane(&self) -> Lane { Lane::Read }
//!     fn interruption(&self) -> Interruption { Interruption::Resume }
//!     async fn run(&self, ctx: &JobContext) -> Result<serde_json::Value, JobFailure> {
//!         let name: String = ctx.payload()?;
//!         ctx.line(format!("Hello {name}"));
//!         Ok(serde_json::json!({ "greeted": name }))
//!     }
//! }
//! ```

mod config;
mod context;
mod execute;
mod failure;
mod keeper;
mod kind;
mod output;
mod part;
mod queue;
mod retry;
mod runner;
mod thread;
mod watch;

pub use config::RunnerConfig;
pub use context::{JobContext, Step, Stop};
pub use failure::{Class, INTERRUPTED, JobFailure};
pub use kind::{Interruption, JobKind, Registry};
pub use output::{CHUNK_BYTES, OUTPUT_CAP_BYTES};
pub use part::Part;
pub use pressroom_store::jobs::{
    CancelOutcome, Enqueued, JobRow, JobState, Lane, NewJob, OutputRow, StepRow, StepState,
};
pub use queue::{SECRET_LASTS, cancel, enqueue, enqueue_once, requeue, take_job_secret};
pub use retry::RetryPolicy;
pub use runner::Runner;
pub use watch::{JobUpdate, watch, watch_after};
