//! What Pressroom keeps: tables, migrations, queries by noun, scopes, the outbox.
//!
//! One code for SQLite and PostgreSQL. Reading functions take anything that can
//! read ([`Store`] or an open [`Tx`]); writing functions take a [`Tx`], so that a
//! job, the change it belongs to and its event commit together. This crate has no
//! rule of the business: it never decides who may do what, it only narrows lists
//! to a [`Scope`] it is given. Entities are private; callers see plain row structs.
//!
//! Start reading at [`Store`], then the file of the noun you need.
//!
//! ```no_run
//! # async fn example(keys: pressroom_base::keyring::Keyring) -> pressroom_store::Result<()> {
//! use pressroom_store::{NewUser, Store, users};
//! let store = Store::open("sqlite:///var/lib/pressroom/pressroom.db", keys).await?;
//! let tx = store.begin().await?;
//! let user = users::create(&tx, NewUser {
//!     email: "ada@example.org".into(),
//!     name: "Ada".into(),
//!     password_hash: "…".into(),
//!     is_operator: false,
//! }).await?;
//! tx.commit().await?;
//! assert_eq!(users::by_email(&store, "ADA@example.org").await?, Some(user));
//! # Ok(()) }
//! ```

#[macro_use]
mod table;

mod connect;
mod error;
mod keys;
mod migrate;
mod migrations;
mod outbox;
mod scope;
mod signal;
mod sql;
mod store;
mod stored;

pub mod accounts;
pub mod activity;
pub mod changes;
pub mod components;
pub mod copy;
pub mod deliveries;
pub mod domains;
pub mod environments;
pub mod events;
pub mod families;
pub mod health;
pub mod hosts;
pub mod idempotency;
pub mod integrity;
pub mod invitations;
pub mod jobs;
pub mod links;
pub mod mails;
pub mod maintenance;
pub mod password_resets;
pub mod pipelines;
pub mod policies;
pub mod rate;
pub mod resources;
pub mod runs;
pub mod sealed;
pub mod second_factors;
pub mod security;
pub mod sessions;
pub mod settings;
pub mod sites;
pub mod snapshots;
pub mod ssh_keys;
pub mod tags;
pub mod tokens;
pub mod users;
pub mod webhooks;

pub use accounts::{AccountRow, MembershipRow, NewAccount, Role};
pub use activity::{ActivityFilter, ActivityRow, By};
pub use changes::{Changed, Moment};
pub use components::{ComponentRow, ComponentVersion, NewComponent};
pub use domains::{DomainRow, NewDomain};
pub use environments::{
    ConnectionMethod, EnvironmentFilter, EnvironmentKind, EnvironmentPatch, EnvironmentRow,
    EnvironmentState, Moved, NewEnvironment, SiteRow, SiteStatus,
};
pub use error::{Error, Result};
pub use events::{EventRow, NewEvent};
pub use families::{FamilyRow, NewFamily};
pub use health::{
    CheckKind, CheckStatus, HealthCheckRow, HealthFilter, Incident, NewHealthCheck, Turn,
};
pub use hosts::{HostKey, HostPatch, HostRow, HostStatus, HostUses, NewHost, Pin};
pub use invitations::{InvitationRow, InvitationState, NewInvitation};
pub use jobs::{JobFilter, JobRow, JobState, Lane, OutputRow, StepRow, StepState};
pub use mails::{MailRow, MailState, NewMail};
pub use password_resets::{PasswordResetRow, ResetRequestRow};
pub use pipelines::{
    FindingRow, NewFinding, NewPicture, NewPipeline, NewTarget, PictureMoment, PictureRow,
    PictureState, PipelineFilter, PipelinePatch, PipelineRow, PipelineState, TargetPatch,
    TargetRow, TargetState,
};
pub use policies::{PolicyFields, PolicyOf, PolicyRow, ReleaseRow, Tried, UpdateTurn};
pub use rate::RateStatus;
pub use resources::{NewResource, ResourceRow, ResourceState};
pub use runs::{
    NewRun, NewRunItem, RunItemEnd, RunItemRow, RunItemState, RunPiece, RunRow, RunState,
};
pub use scope::{Lookup, Page, Scope};
pub use second_factors::SecondFactorRow;
pub use security::SecurityRow;
pub use sessions::{NewSession, SessionRow};
pub use signal::Signal;
pub use sites::{KnownSite, NewSite, SiteChange, SiteFilter};
pub use snapshots::{
    Asked, NewSnapshot, SentSnapshot, SnapshotCause, SnapshotContents, SnapshotFilter,
    SnapshotFormat, SnapshotHolder, SnapshotOrigin, SnapshotRow, SnapshotState, StoredSnapshot,
};
pub use ssh_keys::{NewSshKey, SshKeyKind, SshKeyRow};
pub use store::{Read, Store, Tx};
pub use tags::TagRow;
pub use tokens::{NewToken, TokenRow};
pub use users::{NewUser, UserRow};
pub use webhooks::{
    NewWebhookEndpoint, WebhookDeliveryRow, WebhookEndpointPatch, WebhookEndpointRow, WebhookState,
};
