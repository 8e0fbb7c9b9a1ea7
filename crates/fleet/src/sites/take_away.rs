//! Taking a site away from this machine, without starting PHP: what an installation
//! made, when it is undone and when the site is removed. Every act is idempotent and
//! decides by the records and by looking, so that it can be interrupted and repeated.

use crate::{Fleet, Result, reach::Ground};
use pressroom_base::id::DomainId;
use pressroom_jobs::JobContext;
use pressroom_providers::hosting;
use pressroom_store::{ResourceRow, ResourceState, domains, resources};
use std::path::Path;

/// What goes, of the site that the job works on.
pub(super) struct TakeAway<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) ctx: &'a JobContext,
    /// The site's domain.
    pub(super) domain_id: DomainId,
    /// Directory of `wp-config.php`, relative to the domain's.
    pub(super) path: &'a str,
    /// The records of what was made for it; nothing else is dropped.
    pub(super) records: Vec<ResourceRow>,
    /// Whether WordPress' files go.
    pub(super) files: bool,
    /// Whether the database and its user go.
    pub(super) database: bool,
}

impl TakeAway<'_> {
    /// Removes it all; answers whether other sites remain in the domain, which then
    /// keeps its directory, its user and its server block.
    pub(super) async fn run(&self) -> Result<bool> {
        let shared = self.is_shared().await?;
        let hosting = &self.fleet.parts.hosting;
        if !shared {
            for web in self.of_kind("web") {
                hosting.remove_web(&web.name).await?;
                self.forget(web).await?;
            }
        }
        if self.files {
            self.remove_files(shared).await?;
        }
        if self.database {
            self.remove_database().await?;
        }
        if !shared && self.files {
            self.remove_ground().await?;
        }
        Ok(shared)
    }

    /// Whether another site lives in the domain.
    async fn is_shared(&self) -> Result<bool> {
        let others = self.fleet.environments_of_domain(self.domain_id).await?;
        Ok(others
            .iter()
            .any(|row| Some(row.id) != self.ctx.environment()))
    }

    async fn remove_files(&self, shared: bool) -> Result<()> {
        let Some(domain) = domains::get(&self.fleet.parts.store, self.domain_id).await? else {
            return Ok(());
        };
        let ground = Ground::of(&domain);
        if !self.ground_is_there(&ground).await? {
            return Ok(());
        }
        let ctx = self.ctx;
        // The job's own token may have fired: undoing is what it fires for.
        let session = self
            .fleet
            .open_session(&ground, ctx.cancelled().clone())
            .await?;
        session.recover(ctx.epoch()).await?;
        session.remove_core(ctx.epoch(), self.path).await?;
        let home = ground.home.display().to_string();
        let ours = self
            .of_kind("home")
            .any(|row| row.name == home && row.state == ResourceState::Present);
        if !shared && ours {
            session.clean_home(ctx.epoch()).await?;
        }
        Ok(())
    }

    /// Whether the home and its user were really made: the records say what was
    /// intended, the machine what is.
    async fn ground_is_there(&self, ground: &Ground) -> Result<bool> {
        let home = ground.home.display().to_string();
        let recorded = resources::by_name(&self.fleet.parts.store, "home", &home).await?;
        let user = match &ground.unix_user {
            None => true,
            Some(name) => self.fleet.parts.hosting.user(name)?.is_some(),
        };
        Ok(recorded.is_some() && user && ground.home.exists())
    }

    async fn remove_database(&self) -> Result<()> {
        let hosting = &self.fleet.parts.hosting;
        for user in self.of_kind("db_user") {
            hosting.drop_database_user(&user.name).await?;
            self.forget(user).await?;
        }
        for database in self.of_kind("database") {
            // One that was only intended may have been made by somebody else in the
            // same moment; ours has no tables before it is recorded as present.
            if database.state == ResourceState::Present
                || !hosting.database_has_tables(&database.name).await?
            {
                hosting.drop_database(&database.name).await?;
            }
            self.forget(database).await?;
        }
        Ok(())
    }

    async fn remove_ground(&self) -> Result<()> {
        let hosting = &self.fleet.parts.hosting;
        for home in self.of_kind("home") {
            match hosting.remove_home(Path::new(&home.name)).await {
                Ok(_) => {}
                Err(hosting::Error::NotEmpty(_)) => {
                    self.ctx
                        .line(format!("{} holds foreign files and was left", home.name));
                    // Its owner stays with it, or the files would belong to nobody.
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
            self.forget(home).await?;
        }
        for user in self.of_kind("unix_user") {
            hosting.remove_user(&user.name).await?;
            let tx = self.ctx.begin().await?;
            domains::set_unix_user(&tx, self.domain_id, None).await?;
            resources::forget(&tx, user.id).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// The records of one kind, the last made first.
    fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a ResourceRow> {
        self.records
            .iter()
            .rev()
            .filter(move |row| row.kind == kind && row.state != ResourceState::Released)
    }

    async fn forget(&self, row: &ResourceRow) -> Result<()> {
        let tx = self.ctx.begin().await?;
        resources::forget(&tx, row.id).await?;
        Ok(tx.commit().await?)
    }
}
