//! Keeping what is recorded of an environment true to what is on its disk.

use crate::{Fleet, Result, components::Newer, reach::Ground, views::Environment};
use pressroom_base::{Timestamp, id::EnvironmentId};
use pressroom_carrier::Session;
use pressroom_jobs::JobContext;
use pressroom_store::{
    EnvironmentPatch, EnvironmentRow, EnvironmentState, NewComponent, Tx, components, environments,
};
use pressroom_wordpress::{
    component::ComponentKind,
    database::SiteFacts,
    inventory::{FoundComponent, Inspection, Place},
};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How old recorded facts may be before they are read again (contract
/// `wispanel.md` §2).
const FRESH: Duration = Duration::from_mins(1);
/// How long a caller waits for fresh facts before the recorded ones will do.
const PATIENCE: Duration = Duration::from_secs(5);
/// Sites looked at behind one listing.
const BEHIND: usize = 20;

/// The version a package source offers for one component.
pub(crate) struct Offered {
    kind: ComponentKind,
    slug: String,
    version: String,
}

impl Fleet {
    /// The view of an environment, read from its disk first when what is recorded is
    /// older than a minute. A site that does not answer is shown as recorded.
    pub(super) async fn fresh_view(&self, row: EnvironmentRow) -> Result<Environment> {
        let id = row.id;
        if is_stale(&row) {
            match tokio::time::timeout(PATIENCE, self.refresh_row(&row)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(environment.id = %id, error = %error, "the site could not be inspected");
                }
                Err(_) => {
                    tracing::warn!(environment.id = %id, "inspecting the site takes too long");
                }
            }
        }
        let row = environments::get(&self.parts.store, id)
            .await?
            .unwrap_or(row);
        self.view(row).await
    }

    /// Starts refreshing stale environments of a list, without waiting for them.
    pub(super) fn refresh_stale_behind(&self, rows: &[EnvironmentRow]) {
        let stale: Vec<EnvironmentRow> = rows
            .iter()
            .filter(|row| is_stale(row))
            .take(BEHIND)
            .cloned()
            .collect();
        if stale.is_empty() {
            return;
        }
        let Ok(permit) = self.refreshing.clone().try_acquire_owned() else {
            return;
        };
        let fleet = self.clone();
        tokio::spawn(async move {
            let _permit = permit;
            for row in stale {
                if let Err(error) = fleet.refresh_row(&row).await {
                    tracing::debug!(environment.id = %row.id, error = %error, "the site could not be inspected");
                }
            }
        });
    }

    /// Reads an environment's disk and tables, and records what was seen.
    pub(crate) async fn refresh_row(&self, row: &EnvironmentRow) -> Result<()> {
        if row.state == EnvironmentState::Installing {
            return Ok(());
        }
        let ground: Ground = self.ground(row).await?;
        let session = self.open_session(&ground, CancellationToken::new()).await?;
        let (inspection, facts, offers) = self.inspect(&session, row).await?;
        let tx = self.parts.store.begin().await?;
        record_inspection(&tx, row.id, &inspection, &facts, &offers).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The same at the end of a job, through its own session and under its fence.
    pub(crate) async fn record_state(
        &self,
        ctx: &JobContext,
        session: &Session,
        row: &EnvironmentRow,
    ) -> Result<()> {
        let (inspection, facts, offers) = self.inspect(session, row).await?;
        let tx = ctx.begin().await?;
        record_inspection(&tx, row.id, &inspection, &facts, &offers).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn inspect(
        &self,
        session: &Session,
        row: &EnvironmentRow,
    ) -> Result<(Inspection, SiteFacts, Vec<Offered>)> {
        let inspection = session.inspect(&row.path).await?;
        // Files are told even where the database is down.
        let facts = session.read_site(&row.path, &[]).await.unwrap_or_default();
        let mut offers = Vec::new();
        for found in inspection
            .components
            .iter()
            .filter(|found| found.place == Place::Normal)
        {
            if let Newer::Is(version) = self.newer_version(found).await {
                offers.push(Offered {
                    kind: found.kind,
                    slug: found.slug.clone(),
                    version,
                });
            }
        }
        Ok((inspection, facts, offers))
    }
}

fn is_stale(row: &EnvironmentRow) -> bool {
    row.inspected_at
        .is_none_or(|at| at.plus(FRESH) < Timestamp::now())
}

/// Records what was seen of an environment.
pub(crate) async fn record_inspection(
    tx: &Tx,
    id: EnvironmentId,
    inspection: &Inspection,
    facts: &SiteFacts,
    offers: &[Offered],
) -> Result<()> {
    let seen = inspection
        .components
        .iter()
        .map(|found| NewComponent {
            kind: kind_name(found.kind).to_owned(),
            place: place_name(found.place).to_owned(),
            slug: found.slug.clone(),
            file: found.file.clone(),
            name: found.name.clone(),
            version: found.version.clone(),
            status: status(found, inspection, facts).to_owned(),
            new_version: offers
                .iter()
                .find(|offer| offer.kind == found.kind && offer.slug == found.slug)
                .map(|offer| offer.version.clone()),
            tree_hash: None,
            author: found.author.clone(),
            description: found.description.clone(),
        })
        .collect();
    components::replace_all(tx, id, seen).await?;
    let known = environments::get(tx, id).await?.map(|row| row.url);
    let url = facts
        .options
        .get("home")
        .map(|url| url.trim_end_matches('/').to_owned())
        .filter(|said| known.as_deref().is_some_and(|known| same_host(said, known)));
    environments::update(
        tx,
        id,
        EnvironmentPatch {
            core_version: inspection.version.clone(),
            locale: Some(inspection.locale.clone()),
            title: facts.options.get("blogname").map(|stored| plain(stored)),
            url,
            multisite: inspection.settings.multisite,
            debug: inspection.settings.debug,
            inspected_at: Some(Timestamp::now()),
            ..EnvironmentPatch::default()
        },
    )
    .await?;
    Ok(())
}

/// A title as people read it: WordPress stores it with the five entities of
/// `esc_html` (`wp_specialchars_decode` with `ENT_QUOTES`).
fn plain(stored: &str) -> String {
    stored
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#039;", "'")
        // Last, or it would make entities of what was none.
        .replace("&amp;", "&")
}

/// A site says itself where it lives, but login links lead there: only an address on
/// the host that is registered for it is believed.
fn same_host(said: &str, known: &str) -> bool {
    match (url::Url::parse(said), url::Url::parse(known)) {
        (Ok(said), Ok(known)) => {
            matches!(said.scheme(), "http" | "https") && said.host() == known.host()
        }
        _ => false,
    }
}

/// Whether a component is in use, as the site's own tables say; `unknown` without them.
fn status(found: &FoundComponent, inspection: &Inspection, facts: &SiteFacts) -> &'static str {
    match (found.place, found.kind) {
        (Place::MustUse, _) => "must-use",
        (Place::DropIn, _) => "dropin",
        (Place::Normal, ComponentKind::Plugin) => match facts.options.get("active_plugins") {
            None => "unknown",
            // The stored list is serialised; a file name stands there whole, in quotes.
            Some(list) if list.contains(&format!("\"{}\"", found.file)) => "active",
            Some(_) => "inactive",
        },
        (Place::Normal, ComponentKind::Theme) => {
            let active = facts.options.get("stylesheet");
            match active {
                None => "unknown",
                Some(active) if *active == found.slug => "active",
                Some(active) if is_parent(&found.slug, active, inspection) => "parent",
                Some(_) => "inactive",
            }
        }
    }
}

fn is_parent(slug: &str, active: &str, inspection: &Inspection) -> bool {
    inspection
        .components
        .iter()
        .any(|theme| theme.slug == active && theme.parent.as_deref() == Some(slug))
}

const fn kind_name(kind: ComponentKind) -> &'static str {
    match kind {
        ComponentKind::Plugin => "plugin",
        ComponentKind::Theme => "theme",
    }
}

const fn place_name(place: Place) -> &'static str {
    match place {
        Place::Normal => "normal",
        Place::MustUse => "must_use",
        Place::DropIn => "drop_in",
    }
}
