//! Asking for a removal.

use crate::{Caller, Error, Fleet, Result, authorize::Action, jobs::Enqueue, views::Job};
use pressroom_base::{catalog::event, id::EnvironmentId};
use pressroom_store::{EnvironmentPatch, EnvironmentState, environments};
use serde::{Deserialize, Serialize};

/// What of a site goes. Only what Pressroom's records say it made is ever removed;
/// files that are not WordPress' stay where they are.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct RemoveSite {
    /// WordPress' own files with `wp-content`, and the domain's directory, Unix user
    /// and server block where nothing else is left in it.
    pub files: bool,
    /// The database and its user, unless another site uses them.
    pub database: bool,
    /// Whether a snapshot of all of it is taken first. It outlives the site.
    #[serde(default)]
    pub backup: bool,
}

/// What became of a removal.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RemovedSite {
    /// It is gone.
    pub removed: bool,
    /// The address it had.
    pub url: Option<String>,
    /// The id that panels called it by.
    pub panel_id: Option<String>,
    /// The snapshot of it, if one was asked for.
    pub backup: Option<String>,
}

impl Default for RemoveSite {
    fn default() -> Self {
        Self {
            files: true,
            database: true,
            backup: false,
        }
    }
}

/// What the job is told.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Payload {
    #[serde(flatten)]
    pub(super) remove: RemoveSite,
    /// What the site was before.
    #[serde(default)]
    before: Option<EnvironmentState>,
}

impl Payload {
    /// What the site is again when nothing of it was touched.
    pub(super) fn state_before(&self) -> EnvironmentState {
        match self.before {
            // Nobody was at work on it: what did was given up.
            Some(EnvironmentState::Deleting | EnvironmentState::Installing) | None => {
                EnvironmentState::Broken
            }
            Some(before) => before,
        }
    }
}

impl Fleet {
    /// Starts the removal as a job, whose result is a [`RemovedSite`]. Once begun it goes
    /// on to its end: a removal that was interrupted is completed. Where the snapshot that
    /// was asked for cannot be taken, nothing is removed.
    ///
    /// Errors: `NotFound`, `Forbidden`, `Conflict` (a site that was there before Pressroom),
    /// `Busy` with `OPERATION_RUNNING`.
    pub async fn remove_site(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        remove: RemoveSite,
    ) -> Result<Job> {
        if let Some(id) = caller.earlier_job() {
            return self.job_by_id(caller, Action::SiteRemove, id).await;
        }
        let row = self
            .environment_row(caller, Action::SiteRemove, environment)
            .await?;
        if row.env.home.is_some() {
            return Err(Error::conflict(
                "Pressroom did not make this site, and removes only what it made",
            )
            .with_hint("`pressroom site release` stops managing it and leaves it as it is"));
        }
        let tx = self.parts.store.begin().await?;
        let payload = Payload {
            remove,
            before: Some(row.env.state),
        };
        let id = self
            .enqueue(
                &tx,
                caller,
                Enqueue::writing("site_remove", &row.env, &payload)?
                    .with_event(event::SITE_REMOVE_STARTED),
            )
            .await?;
        environments::update(
            &tx,
            environment,
            EnvironmentPatch {
                state: Some(EnvironmentState::Deleting),
                ..EnvironmentPatch::default()
            },
        )
        .await?;
        tx.commit().await?;
        self.job_by_id(caller, Action::SiteRemove, id).await
    }
}
