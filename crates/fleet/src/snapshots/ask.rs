//! Asking for a snapshot of a site: that it be packed, or to send one.

use super::{
    NewSnapshot, Snapshot,
    create::{LONGEST_NOTE, in_days, recorded},
    tell,
};
use crate::{
    Caller, Error, Fleet, Problem, Result, authorize::Action, code, error::refuse, sites::Site,
    teller::Teller,
};
use pressroom_archive::{Format, Place, SnapshotName};
use pressroom_base::{
    catalog::event,
    id::{EnvironmentId, ShortId, SnapshotId},
    token,
};
use pressroom_store::{
    self as store, Asked, Page, Scope, SiteRow, SnapshotFilter, SnapshotFormat, SnapshotState,
    sites, snapshots,
};
use pressroom_wordpress::snapshot::Contents;
use serde_json::json;
use std::time::Duration;

/// How long one that is to be sent is awaited.
const AWAITED: Duration = Duration::from_hours(24);
/// How long one is kept unless something else is said.
const KEPT_DAYS: u32 = 30;
/// The longest that may be said.
const MOST_DAYS: u32 = 365;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct AskSnapshot {
    /// Who makes the archive.
    pub mode: Mode,
    /// What of the site goes in.
    pub contents: Contents,
    /// What its owner calls it.
    pub label: String,
    /// Days until it expires: 1 to 365, 30 where nothing is said.
    pub retention_days: Option<i64>,
}

/// Who makes the archive of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The site packs itself.
    Capture,
    /// Somebody sends it.
    Upload,
}

impl Fleet {
    /// Asks for a snapshot of the site that programs call so. Of [`Mode::Capture`] it is
    /// `creating` and its job queued, of [`Mode::Upload`] it is awaited for a day.
    ///
    /// Errors: `Invalid`, with everything that cannot be; `NotFound`, `Forbidden`;
    /// `Conflict` (not connected, or one is being made already); and as
    /// [`Fleet::create_snapshot`].
    pub async fn ask_snapshot(
        &self,
        caller: &Caller,
        site: &ShortId,
        ask: AskSnapshot,
    ) -> Result<Snapshot> {
        let site = self.site_for(caller, Action::SnapshotCreate, site).await?;
        let mut problems = Vec::new();
        if ask.label.chars().count() > LONGEST_NOTE {
            let text = format!("is too long (maximum is {LONGEST_NOTE} characters)");
            problems.push(Problem::new("label", text));
        }
        let days = match ask.retention_days {
            None => Some(KEPT_DAYS),
            Some(days) => u32::try_from(days)
                .ok()
                .filter(|days| (1..=MOST_DAYS).contains(days)),
        };
        if days.is_none() {
            let text = format!("must be between 1 and {MOST_DAYS}");
            problems.push(Problem::new("retention_days", text));
        }
        refuse(problems)?;
        let days = days.unwrap_or(KEPT_DAYS);
        match ask.mode {
            Mode::Capture => self.capture(caller, &site, ask, days).await,
            Mode::Upload => self.await_snapshot(caller, &site, ask, days).await,
        }
    }

    async fn capture(
        &self,
        caller: &Caller,
        site: &SiteRow,
        ask: AskSnapshot,
        days: u32,
    ) -> Result<Snapshot> {
        let known = sites::known(&self.parts.store, site.id).await?;
        let view = Site::from(known.ok_or_else(|| Error::not_found("site"))?);
        let Some(environment) = view.environment_id.filter(|_| view.connected) else {
            return Err(Error::conflict("site is not connected")
                .with_hint("a snapshot can be sent in the meantime"));
        };
        let new = NewSnapshot {
            contents: ask.contents,
            note: ask.label,
            keep_days: Some(days),
            ..NewSnapshot::default()
        };
        match self.create_snapshot(caller, environment, new).await {
            Ok((snapshot, _)) => Ok(snapshot),
            Err(error) if error.code() == Some(code::OPERATION_RUNNING) => {
                if self.is_being_made(environment).await? {
                    return Err(Error::conflict("snapshot already in progress")
                        .with_code(code::OPERATION_RUNNING));
                }
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    async fn is_being_made(&self, environment: EnvironmentId) -> Result<bool> {
        let filter = SnapshotFilter {
            environment_id: Some(environment),
            states: vec![SnapshotState::Creating],
            ..SnapshotFilter::default()
        };
        let page = Page::first(1);
        let found = snapshots::list(&self.parts.store, &Scope::All, &filter, page).await?;
        Ok(!found.is_empty())
    }

    async fn await_snapshot(
        &self,
        caller: &Caller,
        site: &SiteRow,
        ask: AskSnapshot,
        days: u32,
    ) -> Result<Snapshot> {
        if let Some(made) = caller.earlier_made() {
            let row = snapshots::get(&self.parts.store, SnapshotId::new(made)).await?;
            return Ok(row.ok_or_else(|| Error::not_found("snapshot"))?.into());
        }
        let known = sites::known(&self.parts.store, site.id).await?;
        let environment = known.and_then(|known| known.environment);
        let name = token::name(16);
        let place = Place {
            account: site.account_id,
            // A site that is not connected has none yet.
            environment: environment
                .as_ref()
                .map_or(EnvironmentId::new(0), |row| row.id),
            name: SnapshotName::parse(&name)?,
        };
        let domain = match &environment {
            Some(row) => self.domain_name(row).await?,
            None => String::new(),
        };
        let tx = self.parts.store.begin().await?;
        let new = store::NewSnapshot {
            public_id: name,
            environment_id: place.environment,
            account_id: site.account_id,
            format: SnapshotFormat::TarZst,
            reserved: 0,
            job_id: None,
            created_by: caller.principal.user_id(),
            note: ask.label,
            store: self.parts.archive.objects().name().to_owned(),
            object_key: place.object_key(Format::TarZst)?.to_string(),
            expires_at: Some(in_days(days)),
            contents: recorded(ask.contents),
            panel_id: environment.map(|row| row.panel_id).unwrap_or_default(),
            domain,
        };
        let asked = Asked {
            site_id: Some(site.id),
            upload_until: Some(tx.now().await?.plus(AWAITED)),
            ..Asked::default()
        };
        let row = snapshots::begin_as(&tx, new, asked).await?;
        caller.makes(&tx, row.id.get()).await?;
        let told = json!({ "snapshot": row.public_id, "kind": row.contents.as_str() });
        tell::happened(&tx, event::SNAPSHOT_AWAITED, &row, Teller::of(caller), told).await?;
        tx.commit().await?;
        Ok(row.into())
    }
}
