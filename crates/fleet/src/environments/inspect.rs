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
    inventory::{FoundComponent, Inspection, Place, Survey},
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

/// What a package source said of one component.
pub(crate) struct Offered {
    kind: ComponentKind,
    slug: String,
    newer: Newer<String>,
}

impl Fleet {
    /// The view of an environment, read from its disk first when what is recorded is
    /// older than a minute. A site that does not answer is shown as recorded.
    pub(super) async fn fresh_view(&self, row: EnvironmentRow) -> Result<Environment> {
        if !is_stale(&row) {
            return self.view(row).await;
        }
        let id = row.id;
        match tokio::time::timeout(PATIENCE, self.refresh_row(&row)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(environment.id = %id, error = %error, "the site could not be inspected");
            }
            Err(_) => {
                tracing::warn!(environment.id = %id, "inspecting the site takes too long");
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
        let (survey, offers) = self.survey(&session, row).await?;
        let tx = self.parts.store.begin().await?;
        record_survey(&tx, row.id, &survey, &offers).await?;
        tx.commit().await?;
        self.serve_as_seen(row, &survey).await;
        Ok(())
    }

    /// The same at the end of a job, through its own session and under its fence.
    pub(crate) async fn record_state(
        &self,
        ctx: &JobContext,
        session: &Session,
        row: &EnvironmentRow,
    ) -> Result<()> {
        let (survey, offers) = self.survey(session, row).await?;
        let tx = ctx.begin().await?;
        record_survey(&tx, row.id, &survey, &offers).await?;
        tx.commit().await?;
        self.serve_as_seen(row, &survey).await;
        Ok(())
    }

    /// Looks at files and tables in one call, and asks the package source of every
    /// component that it may answer for.
    async fn survey(
        &self,
        session: &Session,
        row: &EnvironmentRow,
    ) -> Result<(Survey, Vec<Offered>)> {
        let survey = session.survey(self.site_ref(row), &[]).await?;
        if let Some(trouble) = &survey.trouble {
            // Files are told even where the database is down.
            tracing::debug!(environment.id = %row.id, trouble, "the site's tables could not be read");
        }
        let mut offers = Vec::new();
        for found in survey
            .inspection
            .components
            .iter()
            .filter(|found| found.place == Place::Normal)
        {
            offers.push(Offered {
                kind: found.kind,
                slug: found.slug.clone(),
                newer: self.newer_version(found).await,
            });
        }
        Ok((survey, offers))
    }
}

fn is_stale(row: &EnvironmentRow) -> bool {
    row.inspected_at
        .is_none_or(|at| at.plus(FRESH) < Timestamp::now())
}

/// Records what was seen of an environment.
pub(crate) async fn record_survey(
    tx: &Tx,
    id: EnvironmentId,
    survey: &Survey,
    offers: &[Offered],
) -> Result<()> {
    let inspection = &survey.inspection;
    let seen = inspection
        .components
        .iter()
        .map(|found| {
            let (new_version, offer_unknown) = offer(found, offers);
            NewComponent {
                kind: kind_name(found.kind).to_owned(),
                place: place_name(found.place).to_owned(),
                slug: found.slug.clone(),
                file: found.file.clone(),
                name: found.name.clone(),
                version: found.version.clone(),
                status: status(found, inspection).to_owned(),
                new_version,
                offer_unknown,
                tree_hash: None,
                author: found.author.clone(),
                description: found.description.clone(),
                parent: found.parent.clone(),
            }
        })
        .collect();
    components::replace_all(tx, id, seen).await?;
    let known = environments::get(tx, id).await?.map(|row| row.url);
    let option = |name| {
        survey
            .facts
            .as_ref()
            .and_then(|facts| facts.options.get(name))
    };
    let url = option("home")
        .map(|url| url.trim_end_matches('/').to_owned())
        .filter(|said| known.as_deref().is_some_and(|known| same_host(said, known)));
    environments::update(
        tx,
        id,
        EnvironmentPatch {
            core_version: inspection.version.clone(),
            locale: Some(inspection.locale.clone()),
            title: option("blogname").map(|stored| plain(stored)),
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

/// The newer version of a component, or why none is known of. Where nobody was asked,
/// nothing is known.
fn offer(found: &FoundComponent, offers: &[Offered]) -> (Option<String>, Option<String>) {
    if found.place != Place::Normal {
        // WordPress does not update it.
        return (None, None);
    }
    let told = offers
        .iter()
        .find(|offer| offer.kind == found.kind && offer.slug == found.slug);
    match told.map(|offer| &offer.newer) {
        Some(Newer::Is(version)) => (Some(version.clone()), None),
        Some(Newer::None) => (None, None),
        Some(Newer::Unknown(why)) => (None, Some(why.clone())),
        None => (
            None,
            Some("the package source was not asked yet".to_owned()),
        ),
    }
}

/// Whether a component is in use, as the site's own tables say; `unknown` without them.
fn status(found: &FoundComponent, inspection: &Inspection) -> &'static str {
    match (found.place, found.kind) {
        (Place::MustUse, _) => "must-use",
        (Place::DropIn, _) => "dropin",
        (Place::Normal, ComponentKind::Plugin) if found.network_active == Some(true) => {
            "active-network"
        }
        (Place::Normal, kind) => match found.active {
            None => "unknown",
            Some(true) => "active",
            Some(false) if kind == ComponentKind::Theme && is_parent(found, inspection) => "parent",
            Some(false) => "inactive",
        },
    }
}

/// Whether the active theme is a child of this one.
fn is_parent(found: &FoundComponent, inspection: &Inspection) -> bool {
    inspection.components.iter().any(|theme| {
        theme.kind == ComponentKind::Theme
            && theme.active == Some(true)
            && theme.parent.as_deref() == Some(&found.slug)
    })
}

pub(crate) const fn kind_name(kind: ComponentKind) -> &'static str {
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
