//! The cache of objects: a user at Redis, constants that name it, and a drop-in.

use super::{
    bench::{Bench, failed, set, unset},
    redis,
    start::refuse_foreign,
};
use crate::{Result, look::Look};
use pressroom_agent::protocol::Boot;
use pressroom_base::token;
use pressroom_wordpress::{
    bridge::{Action, BridgeOptions},
    caches::{
        DropIn, FoundDropIn, REDIS_ADDRESS, REDIS_DATABASE, REDIS_PASSWORD, REDIS_PREFIX,
        REDIS_SITE, REDIS_USER, acl, redis_site,
    },
    config::ConfigValue,
};

const CONSTANTS: [&str; 6] = [
    REDIS_ADDRESS,
    REDIS_DATABASE,
    REDIS_USER,
    REDIS_PASSWORD,
    REDIS_PREFIX,
    REDIS_SITE,
];

impl Bench<'_> {
    /// Whether an object cache could be put in: no drop-in of somebody else, and a server
    /// that answers. The reason otherwise.
    pub(super) async fn object_is_possible(&self) -> Result<()> {
        let server = self.fleet.redis_server()?;
        refuse_foreign(DropIn::Object, &self.status().await?.object)?;
        redis::ask(server, acl::check).await
    }

    /// Puts the object cache in, and finds at the server what the site put into it.
    pub(super) async fn enable_object(&self) -> Result<()> {
        self.object_is_possible().await?;
        let baseline = self.baseline().await?;
        let status = self.status().await?;
        if status.object == (FoundDropIn::Ours { current: true })
            && self.see_objects(&baseline).await.is_ok()
        {
            return Ok(());
        }
        self.object_on().await?;
        self.see_objects(&baseline).await
    }

    /// User, constants, drop-in: nothing uses what is not there yet.
    pub(super) async fn object_on(&self) -> Result<()> {
        let user = self.fleet.permit_objects(self.ctx, self.row).await?;
        let server = self.fleet.redis_server()?;
        let status = self.status().await?;
        let site = self.fleet.site_ref(self.row);
        let settings = self.session.read_config(site).await?;
        let (Some(database), Some(tables)) = (&settings.db_name, &settings.table_prefix) else {
            return Err(super::start::unprocessable(
                "`wp-config.php` does not say plainly which database the site has",
            ));
        };
        let text = |value: &str| ConfigValue::Text(value.to_owned());
        let edits = vec![
            set(REDIS_ADDRESS, text(&server.address)),
            set(REDIS_DATABASE, ConfigValue::Int(i64::from(server.database))),
            set(REDIS_USER, text(&user.name)),
            set(REDIS_PASSWORD, text(&user.password)),
            set(REDIS_PREFIX, text(&user.prefix)),
            set(REDIS_SITE, text(&redis_site(database, tables))),
        ];
        self.edit(edits, &status.content, DropIn::Object).await?;
        self.session
            .put_drop_in(self.ctx.epoch(), &self.row.path, DropIn::Object)
            .await?;
        let file = format!("{}/{}", status.content, DropIn::Object.file());
        self.forget_compiled(vec![file]).await;
        Ok(())
    }

    /// Takes the object cache out; what remained at the server, if anything did.
    pub(super) async fn disable_object(&self) -> Result<Option<Left>> {
        let status = self.status().await?;
        let was = status.object.is_ours() || status.redis_address.is_some();
        let baseline = self.look().await;
        let left = self.object_off().await?;
        if !was {
            return Ok(None);
        }
        if baseline.trouble().is_none()
            && let Some(trouble) = self.look().await.worse_than(&baseline)
        {
            return Err(failed(format!(
                "the site does not answer as before without the object cache: {trouble}"
            )));
        }
        Ok(Some(Left(left)))
    }

    /// Drop-in, constants, user: the other way round.
    pub(super) async fn object_off(&self) -> Result<Option<String>> {
        let status = self.status().await?;
        self.session
            .remove_drop_in(self.ctx.epoch(), &self.row.path, DropIn::Object)
            .await?;
        let site = self.fleet.site_ref(self.row);
        let listing = self.session.list_config(site).await?;
        let edits = CONSTANTS
            .into_iter()
            .filter(|name| listing.constants.iter().any(|one| one.name == *name))
            .map(unset)
            .collect();
        self.edit(edits, &status.content, DropIn::Object).await?;
        self.fleet.withdraw_objects(self.ctx, self.row.id).await
    }

    /// What the command line and the web server's PHP put into the cache must be at the
    /// server, below the site's prefix; what WordPress says of itself is hearsay.
    async fn see_objects(&self, baseline: &Look) -> Result<()> {
        let server = self.fleet.redis_server()?;
        let prefix = redis::prefix(self.row);
        let (key, value) = (format!("probe-{}", token::hex(16)), token::hex(16));
        let report = self
            .session
            .bridge_with(
                Some(self.ctx.epoch()),
                Boot {
                    options: BridgeOptions::bare(),
                    ..Boot::new(&self.row.path, self.fleet.php_of(self.row))
                },
                vec![Action::SetCached {
                    key: key.clone(),
                    value: value.clone(),
                }],
            )
            .await?;
        let (of, ending) = (prefix.clone(), format!(":{key}"));
        let found = redis::ask(server, move |server, watch| {
            acl::values(server, &of, &ending, watch)
        })
        .await?;
        let kept = |stored: &Vec<u8>| {
            stored
                .windows(value.len())
                .any(|part| part == value.as_bytes())
        };
        if !found.iter().any(kept) {
            let said = report.fatal.map(|fatal| format!(": {fatal}"));
            return Err(failed(format!(
                "what WordPress put into its cache is not in Redis{}",
                said.unwrap_or_default()
            )));
        }
        // Only what the web server's PHP puts there counts from here on.
        let of = prefix.clone();
        redis::ask(server, move |server, watch| {
            acl::remove_keys(server, &of, watch)
        })
        .await?;
        if let Some(trouble) = self.look().await.worse_than(baseline) {
            return Err(failed(format!(
                "the site does not answer as before with the object cache: {trouble}"
            )));
        }
        // They may be long: it is asked for their length alone.
        let is_there = redis::ask(server, move |server, watch| {
            acl::holds(server, &prefix, ":alloptions", watch)
        })
        .await?;
        if !is_there {
            return Err(failed(
                "the web server's PHP does not reach Redis: the site's pages put nothing there",
            ));
        }
        self.ctx.line("the site's objects are in Redis");
        Ok(())
    }
}

/// What could not be taken away at the server, and why.
pub(super) struct Left(pub(super) Option<String>);
