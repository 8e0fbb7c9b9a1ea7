//! Asking for an update.

use crate::{Caller, Error, Fleet, Result, authorize::Action, jobs::Enqueue, views::Job};
use pressroom_base::{catalog::event, id::EnvironmentId};
use pressroom_store::{ComponentRow, components};
use serde::{Deserialize, Serialize};

/// What to update.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UpdateComponents {
    /// `plugin` or `theme`.
    pub kind: String,
    /// Slugs, or main files such as `akismet/akismet.php`; empty means all of the kind.
    pub slugs: Vec<String>,
}

impl Fleet {
    /// Starts the update as a job; wait for it with [`Fleet::wait_for_job`].
    ///
    /// Errors: `NotFound` (component), `Busy` with `OPERATION_RUNNING`. The job ends
    /// `completed` when every item is `updated` or `unchanged`, otherwise `failed`
    /// with [`crate::code::TAKEN_BACK`] where that happened; it has a result either way.
    pub async fn update_components(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        update: UpdateComponents,
    ) -> Result<Job> {
        let row = self
            .environment_row(caller, Action::ComponentUpdate, environment)
            .await?;
        if let Some(id) = caller.earlier_job() {
            return self.job_by_id(caller, Action::ComponentUpdate, id).await;
        }
        // What is recorded may be older than the disk: look before saying "not found".
        self.refresh_row(&row.env).await?;
        let installed = components::list(&self.parts.store, environment).await?;
        let update = resolve(&update, &installed)?;
        let job = Enqueue::writing("component_update", &row.env, &update)?
            .with_event(event::COMPONENT_UPDATE_STARTED);
        self.start_job(caller, Action::ComponentUpdate, job).await
    }
}

/// Turns what was asked for into directory names that are installed, each once.
fn resolve(update: &UpdateComponents, installed: &[ComponentRow]) -> Result<UpdateComponents> {
    let of_kind = || {
        installed
            .iter()
            .filter(|row| row.kind == update.kind && row.place == "normal")
    };
    let mut slugs: Vec<String> = Vec::new();
    if update.slugs.is_empty() {
        slugs.extend(of_kind().map(|row| row.slug.clone()));
    }
    for asked in &update.slugs {
        let found = of_kind()
            .find(|row| row.slug == *asked || row.file == *asked)
            .ok_or_else(|| {
                let noun = if update.kind == "theme" {
                    "Theme"
                } else {
                    "Plugin"
                };
                Error::not_found(noun)
                    .with_hint(format!("`{}` is not installed", asked.escape_debug()))
            })?;
        if !slugs.contains(&found.slug) {
            slugs.push(found.slug.clone());
        }
    }
    Ok(UpdateComponents {
        kind: update.kind.clone(),
        slugs,
    })
}
