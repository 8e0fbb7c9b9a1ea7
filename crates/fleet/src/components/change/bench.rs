//! One component of one site, and the looks and hands that every change of it needs.

use super::report::ChangeOutcome;
use crate::{Error, Fleet, Result, code, components::on_disk, look::Look};
use pressroom_agent::protocol::{Boot, SiteRef};
use pressroom_base::Kind;
use pressroom_carrier::Session;
use pressroom_jobs::JobContext;
use pressroom_store::EnvironmentRow;
use pressroom_wordpress::{
    bridge::{Action, Blame, BridgeOptions},
    component::{ComponentKind, Target},
    inventory::{FoundComponent, Inspection, Place},
};

/// A component to be changed.
pub(super) struct Bench<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) ctx: &'a JobContext,
    pub(super) session: &'a Session,
    pub(super) row: &'a EnvironmentRow,
    pub(super) kind: ComponentKind,
    pub(super) slug: &'a str,
}

impl Bench<'_> {
    /// `plugin` or `theme`.
    pub(super) const fn noun(&self) -> &'static str {
        match self.kind {
            ComponentKind::Plugin => "plugin",
            ComponentKind::Theme => "theme",
        }
    }

    /// What is on the disk, with what the tables say is in use.
    pub(super) async fn inspection(&self) -> Result<Inspection> {
        let site = self.fleet.site_ref(self.row);
        Ok(self.session.survey(site, &[]).await?.inspection)
    }

    /// The component as it is now; one in its normal place before another.
    pub(super) async fn found(&self) -> Result<Option<FoundComponent>> {
        Ok(self.pick(self.inspection().await?.components))
    }

    /// This component among others.
    pub(super) fn pick(&self, components: Vec<FoundComponent>) -> Option<FoundComponent> {
        components
            .into_iter()
            .filter(|found| found.kind == self.kind && found.slug == self.slug)
            .min_by_key(|found| found.place != Place::Normal)
    }

    /// It as something that can be staged and exchanged.
    pub(super) fn target(&self, on_disk: &str) -> Target {
        Target {
            root: self.row.path.clone(),
            kind: self.kind,
            slug: on_disk.to_owned(),
        }
    }

    pub(super) fn target_of(&self, found: &FoundComponent) -> Target {
        self.target(on_disk(found))
    }

    /// The site, whole.
    pub(super) fn boot(&self) -> Boot {
        Boot::new(&self.row.path, self.fleet.php_of(self.row))
    }

    /// The site without any code of its own.
    pub(super) fn bare_boot(&self) -> Boot {
        Boot {
            options: BridgeOptions::bare(),
            ..self.boot()
        }
    }

    pub(super) async fn look(&self) -> Look {
        self.fleet.look_at(self.row).await
    }

    /// Caches must not answer with what was there before.
    pub(super) async fn flush_caches(&self, on_disk: &str) {
        let site = SiteRef {
            root: self.row.path.clone(),
            php: None,
        };
        let settings = self.session.read_config(site).await.unwrap_or_default();
        let changed = settings
            .container(&self.row.path, self.kind)
            .map(|container| format!("{container}/{on_disk}"));
        self.fleet
            .flush_caches(
                self.ctx,
                self.session,
                self.row,
                changed.into_iter().collect(),
            )
            .await;
    }

    /// Lets WordPress forget what it cached of its components: a courtesy to whoever looks
    /// into wp-admin next.
    pub(super) async fn refresh_wordpress(&self) {
        let cleaned = self
            .session
            .bridge_with(
                Some(self.ctx.epoch()),
                self.bare_boot(),
                vec![Action::CleanComponentCaches],
            )
            .await;
        if let Err(error) = cleaned {
            self.ctx.line(format!(
                "WordPress' own list of {}s was not refreshed: {error}",
                self.noun()
            ));
        }
    }

    pub(super) fn done(&self, changed: bool, message: impl Into<String>) -> ChangeOutcome {
        ChangeOutcome::done(self.slug, changed, message.into())
    }

    pub(super) fn refused(&self, why: &Error) -> ChangeOutcome {
        ChangeOutcome::refused(self.slug, why)
    }

    /// The request cannot work with this component as it is.
    pub(super) fn impossible(&self, why: impl Into<String>) -> ChangeOutcome {
        self.refused(&Error::invalid(why).with_code(code::UNPROCESSABLE))
    }

    /// The site did not live with it, and is as it was.
    pub(super) fn taken_back(&self, why: impl Into<String>) -> ChangeOutcome {
        self.refused(&Error::new(Kind::Remote, why).with_code(code::TAKEN_BACK))
    }

    /// The site failed.
    pub(super) fn failed(&self, why: impl Into<String>) -> ChangeOutcome {
        self.refused(&Error::new(Kind::Remote, why))
    }

    pub(super) fn not_found(&self) -> ChangeOutcome {
        let what = match self.kind {
            ComponentKind::Plugin => "Plugin",
            ComponentKind::Theme => "Theme",
        };
        let which = format!("`{}` is not installed", self.slug.escape_debug());
        self.refused(&Error::not_found(what).with_hint(which))
    }

    /// Its use is unknown: nothing may be decided by it.
    pub(super) fn unknown_use(&self) -> ChangeOutcome {
        self.failed(format!(
            "whether `{}` is active is not known: the site's tables could not be read",
            self.slug
        ))
    }
}

/// Whether any site of a network, or the one there is, uses it; `None` when that is unknown.
pub(super) fn is_used(found: &FoundComponent) -> Option<bool> {
    if found.network_active == Some(true)
        || !found.active_on.is_empty()
        || found.others.iter().any(|other| other.active == Some(true))
    {
        return Some(true);
    }
    found.active
}

/// Who is to blame, as words to go on with.
pub(super) fn blamed(blame: Option<&Blame>) -> String {
    match blame {
        Some(blame) => {
            let line = blame
                .line
                .map(|line| format!(":{line}"))
                .unwrap_or_default();
            format!(" (in `{}{line}`)", blame.file)
        }
        None => String::new(),
    }
}
