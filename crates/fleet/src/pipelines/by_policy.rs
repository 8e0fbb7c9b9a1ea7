//! Updates that nobody asked for: those that a policy permits begin by themselves, in their
//! windows, each once.

use super::{
    ask::{AskPipeline, Wanted},
    course::end_untouched,
    view::{Approved, CORE, read_options},
};
use crate::{
    Caller, Error, Fleet, Principal, Result,
    authorize::{Action, Resource, authorize},
    policies::{Effective, Offered, Openness, admit, is_excluded, site_zone, timestamp},
    teller::Teller,
};
use futures_util::{StreamExt, stream};
use pressroom_base::{
    Timestamp,
    id::{SiteId, UserId},
};
use pressroom_phpdata::version::compare;
use pressroom_providers::packages::PackageKind;
use pressroom_store::{
    EnvironmentRow, NewTarget, PipelinePatch, PipelineRow, PipelineState, ReleaseRow, SiteRow,
    TargetState, Tried, UpdateTurn, components, environments, pipelines, policies,
};
use serde::Deserialize;
use std::{cmp::Ordering, time::Duration};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Between looks for whose turn it is.
const PAUSE: Duration = Duration::from_secs(3);
/// Sites that one process asks at once.
const AT_ONCE: usize = 16;
/// How long one is waited for.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long a turn is held: longer than anybody waits.
const LEASE: Duration = Duration::from_mins(10);
/// Between two looks at a site in its window.
const AGAIN: Duration = Duration::from_hours(1);
/// The same where something is in the way.
const SOON: Duration = Duration::from_mins(15);
/// The longest time that is slept over: a site may have another time zone by then.
const LONGEST_SLEEP: Duration = Duration::from_hours(24);
/// Sites begin within so much of the beginning of a window.
const SPREAD: Duration = Duration::from_mins(15);
/// Looks for new releases are that many pauses apart: ten minutes.
const PAUSES_PER_NOTE: u32 = 200;
/// How long a site is waited for that is to tell its time zone, before what is approved there.
const ZONE_PATIENCE: Duration = Duration::from_secs(20);
/// Until it is asked again.
const UNKNOWN: Duration = Duration::from_mins(1);
/// The options that tell a site's time zone.
const ZONE_OPTIONS: [&str; 2] = ["timezone_string", "gmt_offset"];
/// What is written to a pipeline that a policy began.
const NOTE: &str = "begun by the update policy";

/// How a turn ends.
struct Next {
    due_at: Timestamp,
    /// The site's own time zone, where it was read.
    zone: Option<String>,
    /// Whether a pipeline was begun.
    begun: bool,
}

impl Next {
    const fn at(due_at: Timestamp) -> Self {
        Self {
            due_at,
            zone: None,
            begun: false,
        }
    }
}

/// What keeps an approved pipeline of a policy from going on.
pub(super) enum Barred {
    /// The windows are closed: it may go on from then on.
    Until(Timestamp),
    /// The policy does not permit it any more.
    Ever(String),
}

impl Fleet {
    /// Has updates begin that policies permit, until it is dropped.
    pub async fn watch_policies(&self) {
        let mut round = 0_u32;
        loop {
            if round.is_multiple_of(PAUSES_PER_NOTE)
                && let Err(error) = policies::note_offers(&self.parts.store).await
            {
                tracing::warn!(%error, "new releases are not noted, it is tried again");
            }
            round = round.wrapping_add(1);
            match self.round().await {
                // There may be more.
                Ok((taken, _)) if taken == AT_ONCE => {}
                Ok(_) => sleep(PAUSE).await,
                Err(error) => {
                    tracing::warn!(%error, "no update begins by itself, it is tried again");
                    sleep(PAUSE * 10).await;
                }
            }
        }
    }

    /// Asks the sites whose turn it is what their policies permit, and begins that; says how
    /// many pipelines were begun.
    pub async fn attend_to_policies(&self) -> Result<usize> {
        Ok(self.round().await?.1)
    }

    /// How many turns were taken, and how many pipelines begun.
    async fn round(&self) -> Result<(usize, usize)> {
        let store = &self.parts.store;
        policies::enrol(store).await?;
        let turns = policies::claim_due(store, AT_ONCE, LEASE).await?;
        let taken = turns.len();
        let begun = stream::iter(turns)
            .map(|turn| async move { self.weigh_and_settle(&turn).await })
            .buffer_unordered(AT_ONCE)
            .collect::<Vec<_>>()
            .await;
        let begun: Result<usize> = begun.into_iter().sum();
        Ok((taken, begun?))
    }

    async fn weigh_and_settle(&self, turn: &UpdateTurn) -> Result<usize> {
        let next = match timeout(PATIENCE, Box::pin(self.weigh(turn))).await {
            Ok(Ok(next)) => next,
            Ok(Err(error)) => {
                tracing::debug!(site.id = %turn.site_id, %error, "what its policy permits is not known");
                Next::at(self.parts.store.now().await?.plus(SOON))
            }
            Err(_) => Next::at(self.parts.store.now().await?.plus(SOON)),
        };
        let begun = usize::from(next.begun);
        policies::settle(&self.parts.store, turn, next.due_at, next.zone.as_deref()).await?;
        Ok(begun)
    }

    async fn weigh(&self, turn: &UpdateTurn) -> Result<Next> {
        let store = &self.parts.store;
        let now = store.now().await?;
        let Some(site) = environments::get_site(store, turn.site_id).await? else {
            return Ok(Next::at(now.plus(AGAIN)));
        };
        let applies = self.effective_policy(&site).await?;
        if !applies.policy.automatic {
            return Ok(Next::at(now.plus(AGAIN)));
        }
        let needs_zone = applies.needs_zone();
        // Before its window is known to be open, a site is left alone.
        if (turn.zone.is_some() || !needs_zone)
            && let Some(wait) = wait(&applies, turn.zone.as_deref(), site.id, now)
        {
            return Ok(Next::at(wait));
        }
        if pipelines::open_of(store, site.id).await?.is_some() {
            return Ok(Next::at(now.plus(SOON)));
        }
        let Some(caller) = self
            .setter(applies.automatic_by, &site, Action::ComponentUpdate)
            .await?
        else {
            tracing::debug!(site.id = %site.id, "whoever set its policy may not update it any more");
            return Ok(Next::at(now.plus(AGAIN)));
        };
        let row = self.running(&site).await?;
        let zone = if needs_zone {
            Some(self.read_zone(&row).await?)
        } else {
            None
        };
        if let Some(zone) = &zone
            && let Some(wait) = wait(&applies, Some(zone), site.id, now)
        {
            return Ok(Next {
                zone: Some(zone.clone()),
                ..Next::at(wait)
            });
        }
        self.refresh_row(&row).await?;
        let begun = self.begin_permitted(&caller, &site, &row, &applies).await?;
        Ok(Next {
            zone,
            begun,
            due_at: now.plus(AGAIN).plus(jitter(site.id, SOON)),
        })
    }

    /// Begins a pipeline of what is on offer and permitted; `false` where that is nothing.
    async fn begin_permitted(
        &self,
        caller: &Caller,
        site: &SiteRow,
        row: &EnvironmentRow,
        applies: &Effective,
    ) -> Result<bool> {
        let store = &self.parts.store;
        let row = environments::get(store, row.id)
            .await?
            .ok_or_else(|| Error::not_found("site"))?;
        let offers = self.offers_of(&row, applies.policy.hold_days).await?;
        let now = store.now().await?;
        let tried = policies::tried(store, site.id).await?;
        let mut permitted = Vec::new();
        for offer in &offers {
            match admit(&applies.policy, offer, now) {
                Ok(version) => {
                    let new = Tried {
                        kind: offer.kind.clone(),
                        slug: offer.slug.clone(),
                        version,
                    };
                    if !tried.contains(&new) {
                        permitted.push(new);
                    }
                }
                Err(refused) => tracing::debug!(
                    site.id = %site.id, kind = offer.kind, slug = offer.slug, ?refused,
                    "an update does not begin by itself"
                ),
            }
        }
        permitted.truncate(super::ask::MOST_TARGETS);
        if permitted.is_empty() {
            return Ok(false);
        }
        let may_approve = applies.policy.auto_approve
            && self
                .setter(applies.approved_by, site, Action::UpgradeApprove)
                .await?
                .is_some();
        let ask = AskPipeline {
            wanted: Wanted::All,
            requires_approval: !may_approve,
            note: NOTE.to_owned(),
            ..AskPipeline::default()
        };
        let tx = store.begin().await?;
        let mut wanted = Vec::new();
        for new in permitted {
            // Whoever was quicker has begun it.
            if policies::begin(&tx, site.id, &new).await? {
                wanted.push(NewTarget {
                    kind: new.kind,
                    slug: new.slug,
                    wanted: Some(new.version),
                });
            }
        }
        if wanted.is_empty() {
            return Ok(false);
        }
        super::ask::record(&tx, caller, site, &row, ask, wanted, true).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// What is on offer for a site, and since when each is known.
    async fn offers_of(&self, row: &EnvironmentRow, hold_days: u32) -> Result<Vec<Offered>> {
        let store = &self.parts.store;
        let mut offers: Vec<Offered> = components::list(store, row.id)
            .await?
            .into_iter()
            .filter(|found| found.place == "normal")
            .filter_map(|found| {
                Some(Offered {
                    kind: found.kind,
                    slug: found.slug,
                    from: found.version,
                    newest: found.new_version?,
                    releases: Vec::new(),
                })
            })
            .collect();
        let mut seen: Vec<_> = offers
            .iter()
            .map(|it| (it.kind.clone(), it.slug.clone(), it.newest.clone()))
            .collect();
        if let Some(newest) = self.newer_core(&row.core_version).await {
            // Of WordPress, each branch has a newest version.
            let all = self
                .parts
                .packages
                .core_versions()
                .await
                .unwrap_or_default();
            let newer = all
                .into_iter()
                .filter(|it| compare(it, &row.core_version) == Ordering::Greater);
            let core = |version| (CORE.to_owned(), CORE.to_owned(), version);
            seen.extend(newer.map(core));
            seen.push(core(newest.clone()));
            offers.push(Offered {
                kind: CORE.to_owned(),
                slug: CORE.to_owned(),
                from: row.core_version.clone(),
                newest,
                releases: Vec::new(),
            });
        }
        let tx = store.begin().await?;
        policies::note_releases(&tx, &seen).await?;
        tx.commit().await?;
        for offer in &mut offers {
            let mut releases = policies::releases_of(store, &offer.kind, &offer.slug).await?;
            if hold_days > 0 {
                for release in &mut releases {
                    if release.version == offer.newest && !release.asked {
                        self.ask_release(release).await?;
                    }
                }
            }
            offer.releases = releases;
        }
        Ok(offers)
    }

    /// Asks a release's source when it was released, once.
    async fn ask_release(&self, release: &mut ReleaseRow) -> Result<()> {
        let kind = match release.kind.as_str() {
            "plugin" => PackageKind::Plugin,
            "theme" => PackageKind::Theme,
            // No source tells it of WordPress.
            _ => return Ok(()),
        };
        let packages = &self.parts.packages;
        let told = match packages
            .released(kind, &release.slug, &release.version)
            .await
        {
            Ok(told) => told,
            Err(error) => {
                tracing::debug!(%error, slug = release.slug, "its date is not known for the moment");
                return Ok(());
            }
        };
        let tx = self.parts.store.begin().await?;
        policies::set_released(&tx, release, told).await?;
        tx.commit().await?;
        release.released_at = told;
        Ok(())
    }

    /// The time zone of a site's clocks.
    async fn read_zone(&self, row: &EnvironmentRow) -> Result<String> {
        let ground = self.ground(row).await?;
        let session = self.open_session(&ground, CancellationToken::new()).await?;
        let facts = session.read_site(&row.path, &ZONE_OPTIONS).await;
        session.close().await;
        let facts = facts?;
        let option = |name: &str| facts.options.get(name).map(String::as_str);
        Ok(site_zone(option(ZONE_OPTIONS[0]), option(ZONE_OPTIONS[1])))
    }

    /// Whoever said something, if they may still do that at the site.
    pub(crate) async fn setter(
        &self,
        person: Option<UserId>,
        site: &SiteRow,
        action: Action,
    ) -> Result<Option<Caller>> {
        let principal = match person {
            None => Some(Principal::console()),
            Some(person) => self.person(person).await?,
        };
        let owner = Resource::OfAccount(site.account_id);
        Ok(principal
            .filter(|principal| authorize(principal, action, owner).is_ok())
            .map(Caller::new))
    }

    /// Has the time zones known by which windows of these open: several at once, as one that does
    /// not answer is in nobody's way.
    pub(super) async fn know_zones(&self, rows: &[PipelineRow]) {
        let rows = rows.iter().filter(|row| read_options(row).by_policy);
        stream::iter(rows)
            .for_each_concurrent(AT_ONCE, |row| async move {
                if let Err(error) = Box::pin(self.know_zone(row.site_id)).await {
                    tracing::debug!(site.id = %row.site_id, %error, "its time zone is not known");
                }
            })
            .await;
    }

    /// Has the time zone known by which a site's windows open, where that is its own.
    async fn know_zone(&self, site: SiteId) -> Result<()> {
        let store = &self.parts.store;
        let Some(site) = environments::get_site(store, site).await? else {
            return Ok(());
        };
        let needed = self.effective_policy(&site).await?.needs_zone();
        if !needed || policies::zone(store, site.id).await?.is_some() {
            return Ok(());
        }
        let row = self.running(&site).await?;
        let zone = timeout(ZONE_PATIENCE, Box::pin(self.read_zone(&row))).await;
        let zone = zone.map_err(|_| Error::conflict("the site did not tell its time zone"))??;
        policies::set_zone(store, site.id, &zone).await?;
        Ok(())
    }

    /// What keeps an approved pipeline from going on that a policy began.
    async fn barred(&self, row: &PipelineRow) -> Result<Option<Barred>> {
        let store = &self.parts.store;
        let Some(site) = environments::get_site(store, row.site_id).await? else {
            return Ok(None);
        };
        let applies = self.effective_policy(&site).await?;
        // What a person said yes to needs no other permission.
        let approval = row.approval.as_ref();
        let approved = approval.and_then(|it| Approved::deserialize(it).ok());
        if approved.is_none_or(|it| it.by.is_none()) {
            let setter = self.setter(applies.approved_by, &site, Action::UpgradeApprove);
            if !applies.policy.automatic || !applies.policy.auto_approve || setter.await?.is_none()
            {
                let why = "its policy does not permit it without a yes any more";
                return Ok(Some(Barred::Ever(why.to_owned())));
            }
            let targets = pipelines::targets(store, row.id).await?;
            let excluded = targets.iter().find(|target| {
                target.status == TargetState::Pending
                    && is_excluded(&applies.policy.exclusions, &target.kind, &target.slug)
            });
            if let Some(target) = excluded {
                let label = super::view::label(&target.kind, &target.slug);
                let why = format!("its policy excludes {label} by now");
                return Ok(Some(Barred::Ever(why)));
            }
        }
        let zone = policies::zone(store, site.id).await?;
        let now = store.now().await?;
        if zone.is_none() && applies.needs_zone() {
            return Ok(Some(Barred::Until(now.plus(UNKNOWN))));
        }
        Ok(match applies.openness(zone.as_deref(), now) {
            Openness::Open(_) => None,
            Openness::Closed(Some(next)) => Some(Barred::Until(timestamp(next))),
            Openness::Closed(None) => Some(Barred::Ever(
                "its policy has no window that ever opens".to_owned(),
            )),
        })
    }

    /// Has an approved pipeline wait, or ends it, where its policy does not let it go on now.
    pub(super) async fn is_held(&self, row: &PipelineRow) -> Result<bool> {
        if !read_options(row).by_policy {
            return Ok(false);
        }
        let tx = self.parts.store.begin().await?;
        let from = [PipelineState::Approved];
        // Takes the row first: whoever changes the policy meanwhile wakes it afterwards.
        let held = pipelines::change(&tx, row.id, &from, PipelinePatch::default()).await?;
        if held.is_none() {
            return Ok(true);
        }
        let Some(barred) = self.barred(row).await? else {
            return Ok(false);
        };
        match barred {
            Barred::Until(at) => {
                let patch = PipelinePatch {
                    scheduled_at: Some(at),
                    ..PipelinePatch::default()
                };
                pipelines::change(&tx, row.id, &from, patch).await?;
            }
            Barred::Ever(why) => {
                end_untouched(&tx, row.id, &from, &why, Teller::ourselves()).await?;
            }
        }
        tx.commit().await?;
        Ok(true)
    }
}

/// Until when a site waits whose windows are closed.
fn wait(
    applies: &Effective,
    zone: Option<&str>,
    site: SiteId,
    now: Timestamp,
) -> Option<Timestamp> {
    match applies.openness(zone, now) {
        Openness::Open(_) => None,
        Openness::Closed(next) => {
            let latest = now.plus(LONGEST_SLEEP);
            let next = next.map_or(latest, |next| {
                // A window may be shorter than what sites are spread over.
                let next = timestamp(next);
                let spread = next.plus(jitter(site, SPREAD));
                match applies.openness(zone, spread) {
                    Openness::Open(_) => spread,
                    Openness::Closed(_) => next,
                }
            });
            Some(next.min(latest))
        }
    }
}

/// A part of a stretch of time that is a site's own, so that many do not act at once.
fn jitter(site: SiteId, within: Duration) -> Duration {
    let own = site.get().unsigned_abs().wrapping_mul(7919);
    let within = u64::try_from(within.as_millis()).unwrap_or(u64::MAX).max(1);
    Duration::from_millis(own.wrapping_mul(1000) % within)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_are_spread() {
        let mut all: Vec<_> = (1..=900)
            .map(|id| jitter(SiteId::new(id), SPREAD).as_secs())
            .collect();
        assert!(all.iter().all(|it| *it < SPREAD.as_secs()));
        all.sort_unstable();
        all.dedup();
        assert!(all.len() > 450, "{}", all.len());
    }
}
