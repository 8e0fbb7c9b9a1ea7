//! Installing: staged beside the site, moved in by one act, and gone again unless it is
//! whole and the site answers.

use super::{bench::Bench, report::ChangeOutcome, theme::fault};
use crate::{Error, Result, code, components::package_tree};
use pressroom_base::Kind;
use pressroom_jobs::JobContext;
use pressroom_providers::packages::{Error as PackageError, Package, PackageKind};
use pressroom_store::StepState;
use pressroom_wordpress::{
    component::{ComponentKind, Swap},
    inventory::Place,
    recovery::Recovery,
};
use serde_json::json;

/// What is to be installed.
pub(super) struct Wanted<'a> {
    pub(super) version: Option<&'a str>,
    pub(super) source: Option<&'a str>,
    pub(super) activate: bool,
}

impl Bench<'_> {
    /// Installs a component that is not there.
    pub(super) async fn install(
        &self,
        wanted: Wanted<'_>,
        recovery: &Recovery,
    ) -> Result<ChangeOutcome> {
        // What an interrupted run put there was judged by nobody: it goes, and all begins anew.
        self.undo_install(recovery).await?;
        let inspection = self.inspection().await?;
        let broken = inspection
            .broken_themes
            .iter()
            .find(|broken| broken.slug == self.slug)
            .map(|broken| fault(self.slug, &broken.fault));
        if let Some(found) = self.pick(inspection.components)
            && found.place == Place::Normal
        {
            let version = &found.version;
            let message = format!("`{}` {version} is installed already", self.slug);
            return if wanted.activate {
                self.activated(self.done(false, message)).await
            } else {
                Ok(self.done(false, message))
            };
        }
        let target = self.target(self.slug);
        if self.session.hash_component(target.clone()).await?.is_some() {
            let why = broken.unwrap_or_else(|| format!("it holds no {}", self.noun()));
            return Ok(self.refused(
                &Error::conflict(format!(
                    "a directory `{}` is there already: {why}",
                    self.slug
                ))
                .with_code(code::NOT_EMPTY),
            ));
        }
        let package = match self.package(&wanted).await {
            Ok(package) => package,
            Err(error) => return Ok(self.refused(&error)),
        };
        let baseline = self.look().await;
        if let Some(trouble) = baseline.trouble() {
            return Ok(self.failed(format!(
                "`{}` was not installed: the site did not answer before ({trouble}), so its health after it could not be judged",
                self.slug
            )));
        }
        let swap = match self.put_in(&package).await? {
            Ok(swap) => swap,
            Err(refused) => return Ok(refused),
        };
        self.flush_caches(self.slug).await;
        let inspection = self.inspection().await?;
        let broken = inspection
            .broken_themes
            .iter()
            .find(|broken| broken.slug == self.slug)
            .map(|broken| fault(self.slug, &broken.fault));
        let found = self.pick(inspection.components);
        let look = self.look().await;
        let trouble = if let Some(trouble) = look.worse_than(&baseline) {
            Some(self.taken_back(format!(
                "`{}` was not installed: with it {trouble}",
                self.slug
            )))
        } else if let Some(why) = broken {
            Some(self.impossible(why))
        } else if found.is_none_or(|found| found.version != package.version) {
            Some(self.impossible(format!(
                "`{}` was not installed: WordPress would not recognise it",
                self.slug
            )))
        } else {
            None
        };
        if let Some(refused) = trouble {
            self.take_out(&swap).await?;
            return Ok(refused);
        }
        self.refresh_wordpress().await;
        let done = self.done(
            true,
            format!(
                "`{}` {} is installed: its files are the package's, and the site answers",
                self.slug, package.version
            ),
        );
        if !wanted.activate {
            return Ok(done);
        }
        let outcome = self.activated(done).await?;
        if !outcome.is_success() {
            // A failed installation leaves nothing.
            self.take_out(&swap).await?;
            let mut outcome = outcome;
            outcome.message.push_str("; it was not installed");
            return Ok(outcome);
        }
        Ok(outcome)
    }

    /// Removes what this job put in and did not settle, activation included.
    pub(super) async fn undo_install(&self, recovery: &Recovery) -> Result<()> {
        for swap in made(self.ctx, self.slug).await? {
            let found = recovery
                .swaps
                .iter()
                .any(|found| found.swap.staged == swap.staged);
            if !found {
                continue;
            }
            match self.kind {
                ComponentKind::Plugin => self.undo_switch().await?,
                ComponentKind::Theme => self.undo_theme().await?,
            }
            self.take_out(&swap).await?;
        }
        Ok(())
    }

    /// With its activation, in one outcome.
    async fn activated(&self, installed: ChangeOutcome) -> Result<ChangeOutcome> {
        let mut outcome = match self.kind {
            ComponentKind::Plugin => self.activate_plugin().await?,
            ComponentKind::Theme => self.activate_theme().await?,
        };
        if outcome.is_success() {
            outcome.changed |= installed.changed;
            outcome.message = format!("{}; {}", installed.message, outcome.message);
        }
        Ok(outcome)
    }

    async fn package(&self, wanted: &Wanted<'_>) -> Result<Package> {
        let kind = match self.kind {
            ComponentKind::Plugin => PackageKind::Plugin,
            ComponentKind::Theme => PackageKind::Theme,
        };
        let packages = &self.fleet.parts.packages;
        let fetched = match wanted.source {
            Some(url) => packages.fetch_address(kind, self.slug, url).await,
            None => packages.fetch(kind, self.slug, wanted.version).await,
        };
        fetched.map_err(|error| refusal(self.slug, error))
    }

    /// Stages, compares and moves in; the outcome when the package is at fault.
    async fn put_in(&self, package: &Package) -> Result<std::result::Result<Swap, ChangeOutcome>> {
        let target = self.target(self.slug);
        let expected = match package_tree(package, target.clone()).await {
            Ok(tree) => tree,
            Err(error) => return Ok(Err(self.impossible(error.message()))),
        };
        let file = tokio::fs::File::open(&package.path)
            .await
            .map_err(Error::internal)?;
        let epoch = self.ctx.epoch();
        let staged = match self
            .session
            .stage_component(epoch, target.clone(), file)
            .await
        {
            Ok(staged) => staged,
            Err(error) if error.kind() == Kind::Invalid => {
                return Ok(Err(self.impossible(format!(
                    "`{}` was not installed: {error}",
                    self.slug
                ))));
            }
            Err(error) => return Err(error.into()),
        };
        if staged.tree.hash != expected.hash {
            self.session.drop_staged(epoch, &staged.staged).await?;
            return Ok(Err(self.failed(format!(
                "`{}` was not installed: what arrived at the site is not the package",
                self.slug
            ))));
        }
        let swap = Swap {
            target,
            staged: staged.staged,
            before: None,
            after: staged.tree.hash,
        };
        let intent = serde_json::to_value(&swap).map_err(Error::internal)?;
        let step = self.ctx.begin_step(&put_step(self.slug), intent).await?;
        let put = self.session.swap_component(epoch, swap.clone()).await;
        let (state, said) = match &put {
            Ok(exchanged) => (StepState::Done, json!({ "tree": exchanged.tree.hash })),
            Err(error) => (StepState::Failed, json!({ "error": error.to_string() })),
        };
        self.ctx.finish_step(step, state, said).await?;
        let exchanged = put?;
        if exchanged.tree.hash != swap.after {
            self.take_out(&swap).await?;
            return Ok(Err(self.failed(format!(
                "`{}` was not installed: its files changed while they were moved in",
                self.slug
            ))));
        }
        Ok(Ok(swap))
    }

    /// Takes out what was moved in, and lets it go.
    async fn take_out(&self, swap: &Swap) -> Result<()> {
        let epoch = self.ctx.epoch();
        self.session.take_back(epoch, swap.clone()).await?;
        self.flush_caches(self.slug).await;
        self.refresh_wordpress().await;
        self.session.drop_staged(epoch, &swap.staged).await?;
        self.ctx
            .line(format!("`{}` was taken out again", self.slug));
        Ok(())
    }
}

/// What this job has put in of a component, or was about to, oldest first.
pub(super) async fn made(ctx: &JobContext, slug: &str) -> Result<Vec<Swap>> {
    Ok(ctx.intents(&put_step(slug)).await?)
}

fn put_step(slug: &str) -> String {
    format!("put in {slug}")
}

/// A package that could not be had, for whoever asked for it.
fn refusal(slug: &str, error: PackageError) -> Error {
    let mut message = format!("`{slug}` could not be had: {error}");
    if let Some(source) = std::error::Error::source(&error) {
        message.push_str(": ");
        message.push_str(&source.to_string());
    }
    let refused = if error.blames_request() {
        Error::invalid(message).with_code(code::UNPROCESSABLE)
    } else {
        Error::new(error.kind(), message)
    };
    refused.with_source(error)
}
