//! Updates that cannot break a site: tried in a throw-away clone, approved, made one by one,
//! verified, and taken back where the site suffers.
//!
//! A pipeline is a row (`store::pipelines`) and at most one job at a time: [`PrepareJob`] until
//! somebody is to say yes, [`ApplyJob`] from then on. In between nothing of it is at the site
//! and no job waits. Its stages and targets are data; a job writes down what it is about to do
//! before it does it, and whoever comes after a kill decides by looking.

mod apply;
mod approve;
mod ask;
mod by_policy;
mod cancel;
mod course;
mod exchange;
mod find;
mod looking;
mod options;
mod picture;
mod pictures;
mod plan;
mod prepare;
mod schedule;
mod stage;
mod tell;
mod translations;
mod updater;
mod view;
mod watch;

pub(crate) use apply::ApplyJob;
pub use approve::Approval;
pub use ask::{AskPipeline, AskTarget, Wanted};
pub use find::PipelineQuery;
pub use options::{RollBack, Strategy};
pub use picture::{Area, PipelinePicture};
pub use pictures::OpenPicture;
pub(crate) use prepare::PrepareJob;
pub use pressroom_store::{PictureMoment, PipelineState, TargetState};
pub use stage::{Stage, StageName, StageStatus};
pub use view::{Approved, Finding, Pipeline, PipelineDetails, Target};
pub use watch::PipelineNow;
