//! The Redis server that sites share: each has a user there that reaches its own keys.
//! The user is recorded before it is made, and goes with the record.

use crate::{Error, Fleet, Result};
use pressroom_base::{Kind, id::EnvironmentId, token};
use pressroom_jobs::JobContext;
use pressroom_store::{
    EnvironmentRow, Lookup, NewResource, ResourceRow, ResourceState, Scope, environments, resources,
};
use pressroom_wordpress::{
    Watch,
    caches::{
        acl::{self, SiteUser, Trouble},
        redis::RedisSettings,
    },
};
use serde_json::json;
use std::time::Duration;

/// The kind of the record.
const USER: &str = "redis_user";
/// How long the server may take for one thing.
const PATIENCE: Duration = Duration::from_mins(1);

type Answer<T> = pressroom_wordpress::Result<std::result::Result<T, Trouble>>;

/// Asks the server on a thread that may wait.
pub(super) async fn ask<T: Send + 'static>(
    server: &RedisSettings,
    question: impl FnOnce(&RedisSettings, &Watch) -> Answer<T> + Send + 'static,
) -> Result<T> {
    let server = server.clone();
    let asked = tokio::task::spawn_blocking(move || {
        let watch = Watch::lasting(PATIENCE);
        question(&server, &watch)
    });
    match asked.await.map_err(Error::internal)? {
        Ok(Ok(answer)) => Ok(answer),
        // For whoever asked for a cache both say the same: it cannot be had here.
        Ok(Err(why)) => Err(Error::new(Kind::Unsupported, why.to_string())
            .with_hint("look at `[cache]` in Pressroom's configuration, and at the server")),
        Err(why) => Err(Error::new(
            Kind::Unsupported,
            format!("Redis could not be asked: {why}"),
        )),
    }
}

/// What all keys of a site begin with.
pub(super) fn prefix(row: &EnvironmentRow) -> String {
    prefix_of(&row.panel_id)
}

fn prefix_of(panel_id: &str) -> String {
    format!("pressroom:{panel_id}:")
}

/// What the names of all users begin with.
const NAMES: &str = "pressroom-";

fn user_name(row: &EnvironmentRow) -> String {
    format!("{NAMES}{}", row.panel_id)
}

impl Fleet {
    /// The server that is configured; `Unsupported` without one.
    pub(super) fn redis_server(&self) -> Result<&RedisSettings> {
        self.parts.settings.redis.as_ref().ok_or_else(|| {
            Error::new(
                Kind::Unsupported,
                "an object cache needs Redis, and none is configured",
            )
            .with_hint("set `redis` in `[cache]` of Pressroom's configuration")
        })
    }

    /// Makes the site's user, or gives it another password. Records it first.
    pub(super) async fn permit_objects(
        &self,
        ctx: &JobContext,
        row: &EnvironmentRow,
    ) -> Result<SiteUser> {
        let server = self.redis_server()?;
        let user = SiteUser {
            name: user_name(row),
            password: token::hex(48),
            prefix: prefix(row),
        };
        let record = if let Some(record) = self.redis_user(row.id).await? {
            record.id
        } else {
            let tx = ctx.begin().await?;
            // One of a site that was here before and could not be removed with it.
            if let Some(old) = resources::by_name(&tx, USER, &user.name).await? {
                resources::forget(&tx, old.id).await?;
            }
            let id = resources::intend(
                &tx,
                NewResource {
                    kind: USER.into(),
                    name: user.name.clone(),
                    environment_id: Some(row.id),
                    job_id: Some(ctx.id()),
                    account_id: Some(row.account_id),
                    detail: json!({ "prefix": user.prefix }),
                    ..NewResource::default()
                },
            )
            .await?;
            tx.commit().await?;
            id
        };
        let made = user.clone();
        ask(server, move |server, watch| {
            acl::permit(server, &made, watch)
        })
        .await?;
        let tx = ctx.begin().await?;
        resources::present(&tx, record).await?;
        tx.commit().await?;
        Ok(user)
    }

    /// Removes the site's user and all its keys. A server that cannot be asked leaves the
    /// record, and the reason is answered.
    pub(crate) async fn withdraw_objects(
        &self,
        ctx: &JobContext,
        environment: EnvironmentId,
    ) -> Result<Option<String>> {
        let Some(record) = self.redis_user(environment).await? else {
            return Ok(None);
        };
        match self.withdraw(&record).await {
            Ok(keys) => {
                let tx = ctx.begin().await?;
                resources::forget(&tx, record.id).await?;
                tx.commit().await?;
                ctx.line(format!(
                    "its user at Redis was removed, and {keys} keys with it"
                ));
                Ok(None)
            }
            Err(error) if error.kind() == Kind::Internal => Err(error),
            Err(error) => {
                let why = format!(
                    "its user `{}` at Redis is still there: {error}",
                    record.name
                );
                ctx.line(&why);
                Ok(Some(why))
            }
        }
    }

    /// Removes the users of sites that are gone and could not take theirs along, because the
    /// server did not answer. Nothing that no record of ours names is touched, and one that
    /// cannot be removed keeps none of the others.
    pub(crate) async fn sweep_objects(&self) -> Result<()> {
        if self.parts.settings.redis.is_none() {
            return Ok(());
        }
        let mut failed = None;
        for record in resources::list_orphaned(&self.parts.store, USER).await? {
            if let Err(error) = self.sweep_user(&record).await {
                failed.get_or_insert(error);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    async fn sweep_user(&self, record: &ResourceRow) -> Result<()> {
        let store = &self.parts.store;
        let Some(panel_id) = record.name.strip_prefix(NAMES) else {
            return Ok(());
        };
        let is_ours = record.state != ResourceState::Released
            && record.detail["prefix"] == prefix_of(panel_id);
        let site = environments::by_panel_id(store, &Scope::All, panel_id).await?;
        if !is_ours || !matches!(site, Lookup::Missing) {
            return Ok(());
        }
        let keys = self.withdraw(record).await?;
        let tx = store.begin().await?;
        resources::forget(&tx, record.id).await?;
        tx.commit().await?;
        tracing::info!(
            user = record.name,
            keys,
            "removed the Redis user of a site that is gone"
        );
        Ok(())
    }

    /// Removes a recorded user and its keys; answers how many there were.
    async fn withdraw(&self, record: &ResourceRow) -> Result<u64> {
        let server = self.redis_server()?;
        let name = record.name.clone();
        let prefix = record.detail["prefix"].as_str().unwrap_or_default();
        let prefix = prefix.to_owned();
        ask(server, move |server, watch| {
            acl::withdraw(server, &name, &prefix, watch)
        })
        .await
    }

    async fn redis_user(&self, environment: EnvironmentId) -> Result<Option<ResourceRow>> {
        let records = resources::list_by_environment(&self.parts.store, environment).await?;
        Ok(records
            .into_iter()
            .find(|record| record.kind == USER && record.state != ResourceState::Released))
    }
}
