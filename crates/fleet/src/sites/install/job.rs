//! The installation itself, step by step.

use super::{
    made,
    payload::{Payload, Secrets},
    undo,
};
use crate::{
    Error, Fleet, Result, code,
    reach::{Ground, told},
    sites::given_up,
};
use async_trait::async_trait;
use pressroom_agent::protocol::SiteRef;
use pressroom_base::{Kind, Secret, catalog::event};
use pressroom_carrier::Session;
use pressroom_jobs::{Interruption, JobContext, JobFailure, JobKind, JobRow};
use pressroom_store::{EnvironmentPatch, EnvironmentState, Tx, environments};
use pressroom_wordpress::{
    bridge::Action,
    config::{ConfigValue, NewConfig},
    core,
    watch::Watch,
};
use serde_json::{Value, json};
use std::io::BufReader;

/// Installs a WordPress; undone as a whole when it cannot be completed.
pub(crate) struct InstallJob(pub(crate) Fleet);

#[async_trait]
impl JobKind for InstallJob {
    fn name(&self) -> &'static str {
        "site_install"
    }

    fn interruption(&self) -> Interruption {
        // Interrupted, it is undone, unless it was only its end that was not written:
        // `run` looks.
        Interruption::Resume
    }

    fn undo_unbegun(&self) -> bool {
        // The site is recorded as being installed, and keeps others from its place.
        true
    }

    async fn run(&self, ctx: &JobContext) -> std::result::Result<Value, JobFailure> {
        let install = Install::new(&self.0, ctx)?;
        if ctx.attempt() > 1 {
            return install.announced().await;
        }
        Ok(Box::pin(install.run()).await?)
    }

    async fn undo(
        &self,
        ctx: &JobContext,
        _why: &JobFailure,
    ) -> std::result::Result<(), JobFailure> {
        let payload: Payload = ctx.payload()?;
        Ok(Box::pin(undo::undo(&self.0, ctx, &payload.place)).await?)
    }

    async fn given_up(
        &self,
        tx: &Tx,
        job: &JobRow,
    ) -> std::result::Result<Option<String>, pressroom_store::Error> {
        given_up::give_up(tx, job.environment_id).await
    }
}

struct Install<'a> {
    fleet: &'a Fleet,
    ctx: &'a JobContext,
    payload: Payload,
    secrets: Secrets,
}

impl<'a> Install<'a> {
    fn new(fleet: &'a Fleet, ctx: &'a JobContext) -> std::result::Result<Self, JobFailure> {
        let secrets = ctx
            .secrets()?
            .and_then(|sealed| serde_json::from_str(sealed.expose()).ok())
            .ok_or_else(|| JobFailure::bug("the job's secrets are missing"))?;
        Ok(Self {
            fleet,
            ctx,
            payload: ctx.payload()?,
            secrets,
        })
    }

    /// What an interrupted run has already announced as installed; anything less is
    /// refused, and so undone.
    async fn announced(&self) -> std::result::Result<Value, JobFailure> {
        let environment = self.fleet.row_of_job(self.ctx).await?;
        if environment.state == EnvironmentState::Active {
            return Ok(self.result());
        }
        Err(JobFailure::new(Kind::Remote, "Interrupted"))
    }

    fn result(&self) -> Value {
        json!({
            "environment_id": self.ctx.environment(),
            "panel_id": self.payload.place.panel_id,
            "url": self.payload.place.url,
            "version": self.payload.version,
            "admin_user": self.payload.admin_user,
        })
    }

    async fn run(&self) -> Result<Value> {
        let ctx = self.ctx;
        let ground = ctx.step("validate", told(self.prepare_ground())).await?;
        ctx.progress(10, "the ground is ready").await?;
        let session = self
            .fleet
            .open_session(&ground, ctx.cancelled().clone())
            .await?;
        session.recover(ctx.epoch()).await?;
        ctx.step("database", told(self.database())).await?;
        ctx.progress(20, "the database is ready").await?;
        ctx.step("download", told(self.download(&session))).await?;
        ctx.progress(50, "WordPress is unpacked").await?;
        ctx.step("config", told(self.write_config(&session)))
            .await?;
        ctx.progress(55, "the configuration is written").await?;
        let php = ctx
            .step("core_install", told(self.core_install(&session)))
            .await?;
        ctx.progress(80, "WordPress is installed").await?;
        ctx.step("permissions", told(self.serve(&ground))).await?;
        ctx.progress(90, "the web server knows it").await?;
        let result = ctx
            .step("finalize", told(self.finalize(&session, php)))
            .await?;
        ctx.progress(100, "the site answers").await?;
        Ok(result)
    }

    async fn prepare_ground(&self) -> Result<Ground> {
        let ground = made::ground(self.fleet, self.ctx, self.payload.place.domain_id).await?;
        self.ctx
            .line(format!("directory {} is ready", ground.home.display()));
        Ok(ground)
    }

    async fn database(&self) -> Result<()> {
        let password = Secret::new(self.secrets.db_password.clone());
        made::database(self.fleet, self.ctx, &self.payload.place, &password).await?;
        self.ctx.line(format!(
            "database `{}` and its user were made",
            self.payload.place.db_name
        ));
        Ok(())
    }

    async fn download(&self, session: &Session) -> Result<()> {
        let package = self
            .fleet
            .parts
            .packages
            .core(Some(&self.payload.version), &self.payload.locale)
            .await?;
        let file = tokio::fs::File::open(&package.path)
            .await
            .map_err(Error::internal)?;
        let installed = session
            .install_core(self.ctx.epoch(), &self.payload.place.path, file)
            .await?;
        let path = package.path.clone();
        let expected = tokio::task::spawn_blocking(move || {
            let zip = std::fs::File::open(&path).map_err(Error::internal)?;
            core::package_tree(BufReader::new(zip), &Watch::unbounded()).map_err(|error| {
                Error::new(Kind::Remote, format!("the package is damaged: {error}"))
            })
        })
        .await
        .map_err(Error::internal)??;
        if installed.tree.hash != expected.hash {
            return Err(Error::new(
                Kind::Remote,
                "what arrived at the site is not the package",
            ));
        }
        if installed.version != package.version {
            return Err(Error::new(
                Kind::Remote,
                format!(
                    "WordPress {} was asked for, but {} is on disk",
                    package.version, installed.version
                ),
            ));
        }
        self.ctx.line(format!(
            "WordPress {} unpacked: {} files",
            installed.version, installed.tree.files
        ));
        Ok(())
    }

    async fn write_config(&self, session: &Session) -> Result<()> {
        let on = ConfigValue::Bool(true);
        let config = NewConfig {
            db_name: self.payload.place.db_name.clone(),
            db_user: self.payload.place.db_user.clone(),
            db_password: self.secrets.db_password.clone(),
            db_host: self.payload.place.db_host.clone(),
            table_prefix: self.payload.place.table_prefix.clone(),
            constants: vec![
                ("WP_DEBUG".into(), ConfigValue::Bool(false)),
                // PHP runs as the owner of the files: no FTP credentials are needed.
                ("FS_METHOD".into(), ConfigValue::Text("direct".into())),
                // Core updates are Pressroom's, verified; WordPress must not race it.
                ("WP_AUTO_UPDATE_CORE".into(), ConfigValue::Bool(false)),
                ("AUTOMATIC_UPDATER_DISABLED".into(), on),
            ],
        };
        session
            .write_config(self.ctx.epoch(), &self.payload.place.path, config)
            .await?;
        Ok(())
    }

    /// Runs the installer and answers the version of PHP it ran on.
    async fn core_install(&self, session: &Session) -> Result<Option<String>> {
        let report = session
            .bridge(
                Some(self.ctx.epoch()),
                &self.payload.place.path,
                &self.fleet.parts.settings.php,
                vec![Action::Install {
                    url: self.payload.place.url.clone(),
                    title: self.payload.title.clone(),
                    admin_user: self.payload.admin_user.clone(),
                    admin_password: self.secrets.admin_password.clone(),
                    admin_email: self.payload.admin_email.clone(),
                    locale: self.payload.locale.clone(),
                    permalinks: "/%postname%/".into(),
                }],
            )
            .await?;
        if let Some(fatal) = &report.fatal {
            return Err(Error::new(
                Kind::Remote,
                format!("the installer failed: {fatal}"),
            ));
        }
        if let Some(error) = report.outcomes.iter().find(|outcome| !outcome.ok) {
            let why = error.error.as_deref().unwrap_or("no reason given");
            return Err(Error::new(
                Kind::Remote,
                format!("the installer failed: {why}"),
            ));
        }
        if let Some(version) = &report.php_version {
            self.ctx.line(format!("installer ran on PHP {version}"));
        }
        self.verify_tables(session).await?;
        Ok(report.php_version)
    }

    /// The installer's word is not enough: look into the tables.
    async fn verify_tables(&self, session: &Session) -> Result<()> {
        let facts = session.read_site(&self.payload.place.path, &[]).await?;
        let differs = |what: &str| {
            Error::new(
                Kind::Remote,
                format!("the installer reported success, but {what}"),
            )
        };
        if facts.options.get("siteurl") != Some(&self.payload.place.url) {
            return Err(differs("the site's address is not in its tables"));
        }
        if !facts
            .administrators
            .iter()
            .any(|user| user.login == self.payload.admin_user)
        {
            return Err(differs("the administrator is not in its tables"));
        }
        Ok(())
    }

    async fn serve(&self, ground: &Ground) -> Result<()> {
        made::web(self.fleet, self.ctx, &self.payload.place, ground).await
    }

    async fn finalize(&self, session: &Session, php_version: Option<String>) -> Result<Value> {
        let id = self
            .ctx
            .environment()
            .ok_or_else(|| Error::not_found("environment"))?;
        let alive = self
            .fleet
            .look_until_alive(&self.payload.place.domain, &self.payload.place.url)
            .await?;
        if let Some(trouble) = alive.trouble() {
            return Err(Error::new(
                Kind::Remote,
                format!("the new site does not answer: {trouble}"),
            ));
        }
        let site = SiteRef {
            root: self.payload.place.path.clone(),
            // What it says was written here, and can be read.
            php: None,
        };
        let survey = session.survey(site, &[]).await?;
        if let Some(trouble) = survey.trouble {
            return Err(Error::new(Kind::Remote, trouble));
        }
        if survey.inspection.version.as_deref() != Some(self.payload.version.as_str()) {
            return Err(
                Error::new(Kind::Remote, "the version on disk changed meanwhile")
                    .with_code(code::NOT_EMPTY),
            );
        }
        if self.payload.admin_password_generated {
            let password = Secret::new(self.secrets.admin_password.clone());
            self.ctx.keep_secret(&password).await?;
        }
        let tx = self.ctx.begin().await?;
        crate::environments::record_survey(&tx, id, &survey, &[]).await?;
        environments::update(
            &tx,
            id,
            EnvironmentPatch {
                state: Some(EnvironmentState::Active),
                php_version,
                ..EnvironmentPatch::default()
            },
        )
        .await?;
        self.fleet
            .emit(
                &tx,
                self.ctx,
                event::SITE_INSTALLED,
                json!({ "url": self.payload.place.url, "version": self.payload.version }),
            )
            .await?;
        tx.commit().await?;
        self.ctx.line(format!(
            "{} answers with status {}: WordPress {}",
            self.payload.place.url,
            alive.status(),
            self.payload.version
        ));
        Ok(self.result())
    }
}
