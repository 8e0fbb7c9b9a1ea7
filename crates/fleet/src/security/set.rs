//! Asking for a measure.

use super::slug;
use crate::{Caller, Error, Fleet, Result, authorize::Action, code, jobs::Enqueue, views::Job};
use pressroom_base::{catalog::event, id::EnvironmentId};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

/// What can be switched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// wp-admin's editors of plugins and themes are off.
    FileEditing,
    /// The web server refuses what is nobody's business.
    FileProtection,
    /// The login page has an address of its own.
    HideLogin,
    /// PHP's complaints are logged where no address leads.
    Debug,
}

/// A measure to be on or off.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SetSecurity {
    /// Which.
    pub measure: Measure,
    /// Whether it is to be on. When `None`: on, and for [`Measure::Debug`] the opposite of
    /// what it is.
    pub enabled: Option<bool>,
    /// The last part of the login page's address; when `None` the one it has, or one that
    /// nobody guesses.
    pub slug: Option<String>,
}

impl SetSecurity {
    /// A measure without anything to choose.
    pub const fn new(measure: Measure, enabled: Option<bool>) -> Self {
        Self {
            measure,
            enabled,
            slug: None,
        }
    }

    /// Refuses what can be done nowhere.
    pub(crate) fn check(&self) -> Result<()> {
        match (&self.slug, self.measure) {
            (Some(slug), Measure::HideLogin) => slug::check(slug),
            (Some(_), _) => Err(Error::invalid("only a hidden login page has a slug")
                .with_code(code::UNPROCESSABLE)),
            (None, _) => Ok(()),
        }
    }

    /// As on the command line, where editing files is what is switched.
    pub(crate) fn summary(&self) -> String {
        let (name, on) = match self.measure {
            Measure::FileEditing => ("file-editing", self.enabled.map(|enabled| !enabled)),
            Measure::FileProtection => ("file-protection", self.enabled),
            Measure::HideLogin => ("hide-login", self.enabled),
            Measure::Debug => ("debug", self.enabled),
        };
        match on {
            Some(true) => format!("{name} on"),
            Some(false) => format!("{name} off"),
            None => name.to_owned(),
        }
    }
}

impl Fleet {
    /// Starts switching a measure as a job whose result is a
    /// [`SecurityChanged`](super::SecurityChanged). It is verified at the site; what cannot
    /// be verified there is taken back.
    ///
    /// Errors: `Invalid` with `UNPROCESSABLE` (no slug can be that), `Busy` with
    /// `OPERATION_RUNNING`, `Unreachable`; of the job as well `Invalid` with `UNPROCESSABLE` (a page or a
    /// directory has the slug; a constant cannot be changed where it stands), `Conflict`
    /// (somebody else's file has the name of ours), `Remote` with `TAKEN_BACK`.
    pub async fn set_security(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        set: SetSecurity,
    ) -> Result<Job> {
        let row = self
            .environment_row(caller, Action::SiteConfigure, environment)
            .await?
            .env;
        if let Some(id) = caller.earlier_job() {
            return self.job_by_id(caller, Action::SiteConfigure, id).await;
        }
        set.check()?;
        let tx = self.parts.store.begin().await?;
        self.refuse_while_written_to(&tx, &row).await?;
        tx.rollback().await?;
        // A site that cannot be reached is told at once, and not by a job.
        let ground = self.ground(&row).await?;
        self.open_session(&ground, CancellationToken::new()).await?;
        let job =
            Enqueue::writing("site_security", &row, &set)?.with_event(event::SITE_SECURITY_STARTED);
        self.start_job(caller, Action::SiteConfigure, job).await
    }
}
