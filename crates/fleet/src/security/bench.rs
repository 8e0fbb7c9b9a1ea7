//! What every measure works with, and what it must remember to be taken back.

use super::{report::SecurityChanged, served::Visitor, set::Measure};
use crate::{Error, Fleet, Result, code, look::Look};
use pressroom_agent::protocol::Boot;
use pressroom_base::Kind;
use pressroom_carrier::Session;
use pressroom_jobs::JobContext;
use pressroom_store::EnvironmentRow;
use pressroom_wordpress::{
    bridge::{Action, BridgeOptions, Outcome},
    config::{ConfigValue, Edit},
    protection::{self, Protections},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// One measure of one site.
pub(super) struct Bench<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) ctx: &'a JobContext,
    pub(super) session: &'a Session,
    pub(super) row: &'a EnvironmentRow,
}

/// How the site was before, and what it is to become: enough to go on, or back, for
/// whoever comes after a worker that died.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Before {
    /// Whether the measure is to be on.
    pub(super) enabled: bool,
    /// What its login page's address is to be.
    pub(super) slug: Option<String>,
    /// The site as its visitors had it.
    pub(super) look: Look,
    /// What was in its files.
    pub(super) found: Protections,
    /// Constants that may change, and what they were defined as.
    pub(super) constants: Vec<(String, Option<ConfigValue>)>,
    /// Whether its files were to be protected, and the mode of `wp-config.php` before that.
    pub(super) protected: bool,
    pub(super) config_mode: Option<u32>,
}

impl Bench<'_> {
    /// Somebody at the served site.
    pub(super) fn visitor(&self) -> Result<Visitor<'_>> {
        Visitor::of(self.fleet, self.row)
    }

    pub(super) async fn look(&self) -> Look {
        self.fleet.look_at(self.row).await
    }

    /// Changes a file of the site that is ours.
    pub(super) async fn protect(&self, measure: protection::Measure) -> Result<Protections> {
        let (epoch, root) = (self.ctx.epoch(), &self.row.path);
        Ok(self.session.protect(epoch, root, measure).await?)
    }

    /// Changes constants. Where one cannot be changed as it stands, nothing is.
    pub(super) async fn edit(&self, edits: Vec<Edit>) -> Result<()> {
        let (epoch, site) = (self.ctx.epoch(), self.fleet.site_ref(self.row));
        let edited = self.session.edit_config(epoch, site, edits).await;
        let edited = edited.map_err(|error| impossible(error.into()))?;
        if edited.changed {
            self.ctx.line(format!(
                "`{}` was changed; as it was before it is kept as `{}`",
                edited.file,
                edited.backup.as_deref().unwrap_or_default()
            ));
            self.flush(vec![edited.file]).await;
        }
        Ok(())
    }

    /// Compiled code must not answer for what was there before.
    pub(super) async fn flush(&self, changed: Vec<String>) {
        self.fleet
            .flush_caches(self.ctx, self.session, self.row, changed)
            .await;
    }

    /// Asks WordPress, started without plugins and themes.
    pub(super) async fn ask<T: DeserializeOwned>(&self, action: Action) -> Result<T> {
        let boot = Boot {
            options: BridgeOptions::bare(),
            ..Boot::new(&self.row.path, self.fleet.php_of(self.row))
        };
        let report = self.session.bridge_with(None, boot, vec![action]).await?;
        let unsaid = || {
            let fatal = report.fatal.as_deref().unwrap_or("it did not say why");
            Error::new(Kind::Remote, format!("WordPress did not answer: {fatal}"))
        };
        let outcome: &Outcome = report.outcomes.first().ok_or_else(unsaid)?;
        if !outcome.ok {
            let why = outcome.error.as_deref().unwrap_or("it did not say why");
            return Err(Error::new(
                Kind::Remote,
                format!("WordPress did not answer: {why}"),
            ));
        }
        serde_json::from_value(outcome.data.clone()).map_err(|_| unsaid())
    }

    /// Refuses a site that a visitor would call broken now, and would not before.
    pub(super) async fn refuse_worse(&self, before: &Before) -> Result<()> {
        if before.look.trouble().is_some() {
            return Ok(());
        }
        match self.look().await.trouble() {
            None => Ok(()),
            Some(trouble) => Err(unverified(format!(
                "the site does not live with it: {trouble}"
            ))),
        }
    }
}

/// The outcome of a measure, as it begins to be told.
pub(super) fn changed(measure: Measure, before: &Before, message: &str) -> SecurityChanged {
    SecurityChanged {
        measure,
        enabled: before.enabled,
        message: message.to_owned(),
        warning: None,
        slug: None,
        log_file: None,
    }
}

/// It was done and did not come to what it should.
pub(super) fn unverified(why: impl Into<String>) -> Error {
    Error::new(Kind::Remote, why)
}

/// What the site refuses for what it is: the request is well-formed and cannot be done.
pub(super) fn impossible(error: Error) -> Error {
    if error.kind() == Kind::Invalid {
        return error.with_code(code::UNPROCESSABLE);
    }
    error
}
