//! What is sent and received, and nothing else.

mod account;
mod activity;
mod error;
mod health;
pub mod id;
mod login;
mod pair;
mod pipeline;
mod role;
mod site;
pub mod snapshot;
mod user;
mod webhook;

pub use account::AccountOut;
pub use activity::{ActivityLogOut, ActorOut, SubjectOut};
pub use error::ErrorOut;
pub use health::{CheckOut, HealthCheckOut, HealthCheckRowOut};
pub use login::{LoginIn, LogoutOut, TokenOut};
pub use pair::{PairOut, RefreshIn, RevokeIn, RevokedOut};
pub use pipeline::{ApproveIn, PipelineIn, PipelineOut, PipelineRowOut};
pub use site::{
    AddedSiteOut, ConnectionOut, SiteIn, SiteOut, SiteRowOut, SshIn, ThemeOut, UpdatesOut,
};
pub use snapshot::{ContentsOut, SnapshotIn, SnapshotOut, SnapshotRowOut, UploadOut};
pub use user::{MeOut, MemberOut, UserOut};
pub use webhook::{LastDeliveryOut, WebhookEndpointIn, WebhookEndpointOut, WebhookEndpointPatchIn};
