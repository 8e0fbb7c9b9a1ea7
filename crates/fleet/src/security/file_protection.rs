//! What the web server gives out.

use super::{
    bench::{Before, Bench, changed, impossible, unverified},
    report::SecurityChanged,
    set::Measure,
};
use crate::{Fleet, Result, sites::below_root};
use pressroom_carrier::Session;
use pressroom_jobs::JobContext;
use pressroom_store::{EnvironmentRow, domains, security};
use pressroom_wordpress::protection::{self, Protections};

/// Its owner writes, its group reads.
const CONFIG_MODE: u32 = 0o640;

/// A site in a server block of ours.
pub(super) struct Served {
    domain: String,
    directory: String,
}

impl Fleet {
    /// The server block a site is in; `None` where another web server answers for it.
    pub(super) async fn served_by_us(&self, row: &EnvironmentRow) -> Result<Option<Served>> {
        let (Some(domain), Some(directory)) = (row.domain_id, below_root(&row.path)) else {
            return Ok(None);
        };
        let Some(domain) = domains::get(&self.parts.store, domain).await? else {
            return Ok(None);
        };
        let hosting = &self.parts.hosting;
        if hosting.web(&domain.name)?.is_none() {
            return Ok(None);
        }
        let ours = hosting.origin(&domain.name)?.addr.to_string();
        Ok((row.origin_addr.as_ref() == Some(&ours)).then(|| Served {
            domain: domain.name,
            directory: directory.to_owned(),
        }))
    }

    /// Has a site protected as it is recorded to be, after its files were exchanged: those
    /// of another time know nothing of it.
    pub(crate) async fn protect_as_recorded(
        &self,
        ctx: &JobContext,
        session: &Session,
        row: &EnvironmentRow,
    ) -> Result<()> {
        if !security::get(&self.parts.store, row.id)
            .await?
            .file_protection
        {
            return Ok(());
        }
        let bench = Bench {
            fleet: self,
            ctx,
            session,
            row,
        };
        let found = session.protections(&row.path).await?;
        protect(&bench, &found).await
    }
}

/// Has everything in place, or gone.
pub(super) async fn apply(bench: &Bench<'_>, before: &Before) -> Result<()> {
    if before.enabled {
        let mode = before.found.config.as_ref().map(|config| config.mode);
        // The first time tells how it was.
        let kept = if before.protected {
            before.config_mode
        } else {
            mode
        };
        record(bench, true, kept).await?;
        return protect(bench, &before.found).await;
    }
    record(bench, false, None).await?;
    if let Some(served) = bench.fleet.served_by_us(bench.row).await? {
        serve(bench, &served, false).await?;
    }
    if before.found.server_rules {
        rules(bench, false).await?;
    }
    let now = before.found.config.as_ref().map(|config| config.mode);
    match before.config_mode {
        // Somebody else's choice since then stays.
        Some(mode) if now == Some(CONFIG_MODE) && mode != CONFIG_MODE => {
            set_mode(bench, mode).await
        }
        _ => Ok(()),
    }
}

async fn protect(bench: &Bench<'_>, found: &Protections) -> Result<()> {
    match bench.fleet.served_by_us(bench.row).await? {
        Some(served) => serve(bench, &served, true).await?,
        None => rules(bench, true).await?,
    }
    match &found.config {
        Some(config) if config.mode != CONFIG_MODE => set_mode(bench, CONFIG_MODE).await,
        _ => Ok(()),
    }
}

/// Puts back what was there.
pub(super) async fn undo(bench: &Bench<'_>, before: &Before) -> Result<()> {
    record(bench, before.protected, before.config_mode).await?;
    if let Some(served) = bench.fleet.served_by_us(bench.row).await? {
        serve(bench, &served, before.protected).await?;
    }
    let now = bench.session.protections(&bench.row.path).await?;
    if now.server_rules != before.found.server_rules {
        rules(bench, before.found.server_rules).await?;
    }
    match (&now.config, &before.found.config) {
        (Some(now), Some(then)) if now.mode != then.mode => set_mode(bench, then.mode).await,
        _ => Ok(()),
    }
}

/// Whether visitors are refused what they are to be refused. On a web server that is not
/// ours, what was done stays and is told to have no effect.
pub(super) async fn verify(bench: &Bench<'_>, before: &Before) -> Result<SecurityChanged> {
    let found = bench.session.protections(&bench.row.path).await?;
    let visitor = bench.visitor()?;
    let served = bench.fleet.served_by_us(bench.row).await?;
    if !before.enabled {
        bench.refuse_worse(before).await?;
        if found.server_rules {
            return Err(unverified("the block in `.htaccess` is still there"));
        }
        return Ok(changed(
            Measure::FileProtection,
            before,
            "file protection is off",
        ));
    }
    let exposed = visitor.exposed_at_last(&found).await;
    bench.refuse_worse(before).await?;
    if found
        .config
        .as_ref()
        .is_none_or(|config| config.mode != CONFIG_MODE)
    {
        return Err(unverified("`wp-config.php` did not get its mode"));
    }
    if exposed.is_empty() {
        let message = "visitors are refused what is nobody's business";
        return Ok(changed(Measure::FileProtection, before, message));
    }
    let exposed = exposed.join(", ");
    if served.is_some() {
        return Err(unverified(format!("visitors are still given: {exposed}")));
    }
    let mut told = changed(
        Measure::FileProtection,
        before,
        "the rules are in `.htaccess`, and `wp-config.php` has its mode",
    );
    told.warning = Some(format!(
        "the site's web server is not Pressroom's and does not follow `.htaccess`: visitors are still given {exposed}"
    ));
    Ok(told)
}

async fn record(bench: &Bench<'_>, wanted: bool, config_mode: Option<u32>) -> Result<()> {
    let tx = bench.ctx.begin().await?;
    security::set_file_protection(&tx, bench.row.id, wanted, config_mode).await?;
    Ok(tx.commit().await?)
}

async fn serve(bench: &Bench<'_>, served: &Served, wanted: bool) -> Result<()> {
    let hosting = &bench.fleet.parts.hosting;
    hosting
        .serve_protected(&served.domain, &served.directory, wanted)
        .await?;
    Ok(())
}

async fn rules(bench: &Bench<'_>, wanted: bool) -> Result<()> {
    let measure = protection::Measure::ServerRules { wanted };
    bench.protect(measure).await.map_err(impossible)?;
    Ok(())
}

async fn set_mode(bench: &Bench<'_>, mode: u32) -> Result<()> {
    bench
        .protect(protection::Measure::ConfigMode { mode })
        .await?;
    Ok(())
}
