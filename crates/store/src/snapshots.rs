//! Records of snapshots: what was asked for, what is in the archive, until when.

mod ends;
mod holds;
mod sent;

pub use ends::{
    due, left_behind, limit_expiry, limit_expiry_of_site, mark_deleted, mark_expired, mark_gone,
    mark_unsent, set_expiry,
};
pub use holds::{SnapshotHolder, held_by, hold, prune_holds};
pub use sent::{SentSnapshot, finish_upload, intend_upload, unsent};

use crate::{Error, Lookup, Page, Read, Result, Scope, Tx, sql, stored::Stored};
use pressroom_base::{
    Timestamp,
    id::{AccountId, EnvironmentId, JobId, ShortId, SiteId, SnapshotId, UserId},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select, Set, UpdateMany, sea_query::Expr,
};
use std::collections::HashMap;

names! {
    /// How a snapshot is packed.
    SnapshotFormat {
        /// A tar archive in zstd frames.
        TarZst = "tar.zst",
        /// A zip archive.
        Zip = "zip",
        /// A tar archive in gzip, as somebody sent it.
        TarGz = "tar.gz",
        /// A tar archive, as somebody sent it.
        Tar = "tar",
    }
}

names! {
    /// What of a site is in a snapshot.
    SnapshotContents {
        /// Tables and files.
        Full = "full",
        /// The tables alone.
        Database = "database",
        /// The files alone.
        Files = "files",
    }
}

names! {
    /// What there is of a snapshot.
    SnapshotState {
        /// Somebody is to send it.
        Awaiting = "awaiting_upload",
        /// It is being made; its size is what is set aside for it.
        Creating = "creating",
        /// It is in the archive.
        Ready = "ready",
        /// It came to nothing.
        Failed = "failed",
        /// It was in the archive, or was to be sent; its time was over.
        Expired = "expired",
        /// Somebody removed it.
        Deleted = "deleted",
    }
}

names! {
    /// What a snapshot was made for.
    #[derive(Default)]
    SnapshotCause {
        /// Somebody asked for it, or for something that takes one first.
        #[default]
        Manual = "manual",
        /// A schedule.
        Scheduled = "scheduled",
        /// An upgrade.
        Upgrade = "upgrade",
    }
}

names! {
    /// Where a snapshot's bytes come from.
    SnapshotOrigin {
        /// The site packed them.
        Capture = "capture",
        /// Somebody sent them.
        Upload = "upload",
    }
}

table! {
    /// A snapshot of an environment.
    SnapshotRow = snapshot("snapshots") {
        /// The row.
        id: SnapshotId,
        /// Its name in addresses and in the archive; unique.
        public_id: String,
        /// What it is of; it may be gone.
        environment_id: EnvironmentId,
        /// Whose it is.
        account_id: AccountId,
        /// How it is packed.
        format: SnapshotFormat,
        /// What there is of it.
        state: SnapshotState,
        /// Bytes in the archive; while it is made, those set aside for it.
        size: i64,
        /// SHA-256 of them in hex, once they are there.
        sha256: Option<String>,
        /// When it was last read back whole.
        verified_at: Option<Timestamp>,
        /// WordPress' version in it; empty while it is not known.
        wordpress_version: String,
        /// The job that made it.
        job_id: Option<JobId>,
        /// Who asked for it.
        created_by: Option<UserId>,
        /// What its owner wrote to it.
        note: String,
        /// The store it is in.
        store: String,
        /// Where it is there; unique in it.
        object_key: String,
        /// Why it failed, or what is wrong with it.
        fault: Option<String>,
        /// When it was asked for.
        created_at: Timestamp,
        /// When it was ready, or had failed.
        finished_at: Option<Timestamp>,
        /// When it may be removed; never, without one.
        expires_at: Option<Timestamp>,
        /// What of the site is in it.
        contents: SnapshotContents,
        /// The id that panels call the site by; it may be gone.
        panel_id: String,
        /// The domain the site was in.
        domain: String,
        /// What programs call it.
        short_id: ShortId,
        /// The site it is of; it may be gone.
        site_id: Option<SiteId>,
        /// What it was made for.
        cause: SnapshotCause,
        /// Where its bytes come from.
        origin: SnapshotOrigin,
        /// Until when it may be sent.
        upload_until: Option<Timestamp>,
        /// What was found in one that was sent.
        found: Option<serde_json::Value>,
    }
}

/// A snapshot about to be made.
#[derive(Debug, Clone)]
pub struct NewSnapshot {
    /// Its name in addresses and in the archive.
    pub public_id: String,
    /// What it is of.
    pub environment_id: EnvironmentId,
    /// Whose it is.
    pub account_id: AccountId,
    /// How it is packed.
    pub format: SnapshotFormat,
    /// Bytes to set aside for it; 0 where nothing is counted.
    pub reserved: i64,
    /// The job that makes it.
    pub job_id: Option<JobId>,
    /// Who asked for it.
    pub created_by: Option<UserId>,
    /// What its owner wrote to it.
    pub note: String,
    /// The store it goes to.
    pub store: String,
    /// Where it will be there.
    pub object_key: String,
    /// When it may be removed.
    pub expires_at: Option<Timestamp>,
    /// What of the site is in it.
    pub contents: SnapshotContents,
    /// The id that panels call the site by.
    pub panel_id: String,
    /// The domain the site is in.
    pub domain: String,
}

/// What is told of a new snapshot beside that.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The site it is of; that of its environment, where this says nothing.
    pub site_id: Option<SiteId>,
    /// What it is made for.
    pub cause: SnapshotCause,
    /// Somebody is to send it until then; without, the site packs it.
    pub upload_until: Option<Timestamp>,
}

/// What is in the archive of a snapshot that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSnapshot {
    /// Bytes.
    pub size: i64,
    /// SHA-256 of them in hex.
    pub sha256: String,
    /// WordPress' version in it.
    pub wordpress_version: String,
}

/// Which snapshots to list.
#[derive(Debug, Clone, Default)]
pub struct SnapshotFilter {
    /// Of this environment only.
    pub environment_id: Option<EnvironmentId>,
    /// In these states; in any, when empty.
    pub states: Vec<SnapshotState>,
    /// Of this site only.
    pub site_id: Option<SiteId>,
    /// With such contents only.
    pub contents: Option<SnapshotContents>,
}

/// Records that a snapshot is being made; [`Error::Exists`] when its name or place is
/// taken. Commit before making it.
pub async fn begin(tx: &Tx, new: NewSnapshot) -> Result<SnapshotRow> {
    begin_as(tx, new, Asked::default()).await
}

/// The same with what else is known of it. One that is to be sent is awaited.
pub async fn begin_as(tx: &Tx, new: NewSnapshot, asked: Asked) -> Result<SnapshotRow> {
    let site = match asked.site_id {
        None => site_of(tx, new.environment_id).await?,
        site => site,
    };
    let (state, origin) = match asked.upload_until {
        None => (SnapshotState::Creating, SnapshotOrigin::Capture),
        Some(_) => (SnapshotState::Awaiting, SnapshotOrigin::Upload),
    };
    let model = snapshot::ActiveModel {
        public_id: Set(new.public_id),
        environment_id: Set(new.environment_id.raw()),
        account_id: Set(new.account_id.raw()),
        format: Set(new.format.raw()),
        state: Set(state.raw()),
        size: Set(new.reserved),
        sha256: Set(None),
        verified_at: Set(None),
        wordpress_version: Set(String::new()),
        job_id: Set(new.job_id.raw()),
        created_by: Set(new.created_by.raw()),
        note: Set(new.note),
        store: Set(new.store),
        object_key: Set(new.object_key),
        fault: Set(None),
        created_at: Set(tx.now().await?.millis()),
        finished_at: Set(None),
        expires_at: Set(new.expires_at.raw()),
        contents: Set(new.contents.raw()),
        panel_id: Set(new.panel_id),
        domain: Set(new.domain),
        short_id: Set(ShortId::random().raw()),
        site_id: Set(site.raw()),
        cause: Set(asked.cause.raw()),
        origin: Set(origin.raw()),
        upload_until: Set(asked.upload_until.raw()),
        found: Set(None),
        ..Default::default()
    };
    let model = model
        .insert(tx.connection())
        .await
        .map_err(Error::of("snapshot"))?;
    SnapshotRow::read(model)
}

async fn site_of(from: &impl Read, environment: EnvironmentId) -> Result<Option<SiteId>> {
    let found = sql::one(
        from,
        "SELECT site_id FROM environments WHERE id = $1",
        [environment.get().into()],
    )
    .await?;
    match found {
        Some(row) => Ok(Some(SiteId::new(row.try_get("", "site_id")?))),
        None => Ok(None),
    }
}

/// Records what is in the archive of one that was being made; [`Error::NotFound`] when
/// none is.
pub async fn finish(tx: &Tx, id: SnapshotId, stored: StoredSnapshot) -> Result<()> {
    let now = tx.now().await?.millis();
    let change = change(id, SnapshotState::Creating)
        .col_expr(
            snapshot::Column::State,
            Expr::val(SnapshotState::Ready.as_str()),
        )
        .col_expr(snapshot::Column::Size, Expr::val(stored.size))
        .col_expr(snapshot::Column::Sha256, Expr::val(stored.sha256))
        .col_expr(
            snapshot::Column::WordpressVersion,
            Expr::val(stored.wordpress_version),
        )
        .col_expr(snapshot::Column::FinishedAt, Expr::val(now));
    one(tx, change).await
}

/// Records that one that was being made came to nothing: it keeps no bytes any more.
/// [`Error::NotFound`] when none is.
pub async fn fail(tx: &Tx, id: SnapshotId, fault: &str) -> Result<()> {
    let now = tx.now().await?.millis();
    let change = change(id, SnapshotState::Creating)
        .col_expr(
            snapshot::Column::State,
            Expr::val(SnapshotState::Failed.as_str()),
        )
        .col_expr(snapshot::Column::Size, Expr::val(0_i64))
        .col_expr(snapshot::Column::Fault, Expr::val(fault))
        .col_expr(snapshot::Column::FinishedAt, Expr::val(now));
    one(tx, change).await
}

/// One snapshot.
pub async fn get(from: &impl Read, id: SnapshotId) -> Result<Option<SnapshotRow>> {
    let found = snapshot::Entity::find_by_id(id.get())
        .one(from.connection())
        .await?;
    found.map(SnapshotRow::read).transpose()
}

/// The snapshot of this name, as far as the scope may know.
pub async fn by_public_id(
    from: &impl Read,
    scope: &Scope,
    public_id: &str,
) -> Result<Lookup<SnapshotRow>> {
    let found = snapshot::Entity::find()
        .filter(snapshot::Column::PublicId.eq(public_id))
        .one(from.connection())
        .await?
        .map(SnapshotRow::read)
        .transpose()?;
    Ok(scope.lookup(found, |row| Some(row.account_id)))
}

/// The snapshot that programs call so.
pub async fn by_short_id(
    from: &impl Read,
    scope: &Scope,
    id: &ShortId,
) -> Result<Lookup<SnapshotRow>> {
    let found = snapshot::Entity::find()
        .filter(snapshot::Column::ShortId.eq(id.as_str()))
        .one(from.connection())
        .await?
        .map(SnapshotRow::read)
        .transpose()?;
    Ok(scope.lookup(found, |row| Some(row.account_id)))
}

/// The snapshots within a scope, newest first.
pub async fn list(
    from: &impl Read,
    scope: &Scope,
    filter: &SnapshotFilter,
    page: Page,
) -> Result<Vec<SnapshotRow>> {
    let found = select(scope, filter)
        .order_by_desc(snapshot::Column::CreatedAt)
        .order_by_desc(snapshot::Column::Id)
        .limit(page.limit)
        .offset(page.offset)
        .all(from.connection())
        .await?;
    found.into_iter().map(SnapshotRow::read).collect()
}

/// How many [`list`] would find on all pages.
pub async fn count(from: &impl Read, scope: &Scope, filter: &SnapshotFilter) -> Result<u64> {
    Ok(select(scope, filter).count(from.connection()).await?)
}

/// Records that one that is ready was read back whole.
pub async fn mark_verified(tx: &Tx, id: SnapshotId) -> Result<()> {
    let now = tx.now().await?.millis();
    let change = change(id, SnapshotState::Ready)
        .col_expr(snapshot::Column::VerifiedAt, Expr::val(now))
        .col_expr(snapshot::Column::Fault, Expr::val(None::<String>));
    one(tx, change).await
}

/// Records that one that is ready was read back and is not whole: it counts as verified
/// no more.
pub async fn mark_damaged(tx: &Tx, id: SnapshotId, fault: &str) -> Result<()> {
    let change = change(id, SnapshotState::Ready)
        .col_expr(snapshot::Column::VerifiedAt, Expr::val(None::<i64>))
        .col_expr(snapshot::Column::Fault, Expr::val(fault));
    one(tx, change).await
}

/// One that is held until the transaction ends: nobody else holds, removes or expires it.
pub async fn lock(tx: &Tx, id: SnapshotId) -> Result<SnapshotRow> {
    let clause = tx.store().lock_clause("FOR NO KEY UPDATE");
    let held = format!("SELECT id FROM snapshots WHERE id = $1 {clause}");
    sql::one(tx, held, [id.get().into()]).await?;
    let found = get(tx, id).await?;
    found.ok_or(Error::NotFound { what: "snapshot" })
}

/// Bytes an account keeps, with those set aside for what is being made.
pub async fn total_bytes(from: &impl Read, account: AccountId) -> Result<i64> {
    sum(from, account, "state IN ('creating', 'ready')").await
}

/// Bytes that an account's finished snapshots have.
pub async fn kept_bytes(from: &impl Read, account: AccountId) -> Result<i64> {
    sum(from, account, "state = 'ready'").await
}

async fn sum(from: &impl Read, account: AccountId, which: &str) -> Result<i64> {
    // A sum of `bigint` is `numeric` on PostgreSQL.
    let found = sql::one(
        from,
        format!(
            "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) AS total FROM snapshots \
             WHERE account_id = $1 AND {which}"
        ),
        [account.get().into()],
    )
    .await?;
    match found {
        Some(row) => Ok(row.try_get("", "total")?),
        None => Ok(0),
    }
}

/// How large the last finished snapshot of an environment with such contents was; `None`
/// without one.
pub async fn last_size(
    from: &impl Read,
    environment: EnvironmentId,
    contents: SnapshotContents,
) -> Result<Option<i64>> {
    let found = snapshot::Entity::find()
        .filter(snapshot::Column::EnvironmentId.eq(environment.get()))
        .filter(snapshot::Column::Contents.eq(contents.as_str()))
        .filter(snapshot::Column::Sha256.is_not_null())
        .filter(snapshot::Column::Origin.eq(SnapshotOrigin::Capture.as_str()))
        .order_by_desc(snapshot::Column::Id)
        .one(from.connection())
        .await?;
    Ok(found.map(|model| model.size))
}

/// When the newest snapshot of each environment within a scope was asked for, of those
/// that hold the whole site, were packed by it and were not found damaged.
pub async fn newest_whole(
    from: &impl Read,
    scope: &Scope,
) -> Result<HashMap<EnvironmentId, Timestamp>> {
    let ready = SnapshotFilter {
        states: vec![SnapshotState::Ready],
        ..SnapshotFilter::default()
    };
    newest(from, select(scope, &ready)).await
}

/// The same of these environments, of which one statement can name them all: some hundreds.
pub async fn newest_whole_of(
    from: &impl Read,
    environments: &[EnvironmentId],
) -> Result<HashMap<EnvironmentId, Timestamp>> {
    let ready = SnapshotFilter {
        states: vec![SnapshotState::Ready],
        ..SnapshotFilter::default()
    };
    let ids = environments.iter().map(|id| id.get());
    let these = snapshot::Column::EnvironmentId.is_in(ids);
    newest(from, select(&Scope::All, &ready).filter(these)).await
}

async fn newest(
    from: &impl Read,
    ready: Select<snapshot::Entity>,
) -> Result<HashMap<EnvironmentId, Timestamp>> {
    let found: Vec<(i64, i64)> = ready
        .select_only()
        .column(snapshot::Column::EnvironmentId)
        .column_as(snapshot::Column::CreatedAt.max(), "newest")
        .filter(snapshot::Column::Contents.eq(SnapshotContents::Full.as_str()))
        .filter(snapshot::Column::Fault.is_null())
        .filter(snapshot::Column::Origin.eq(SnapshotOrigin::Capture.as_str()))
        .group_by(snapshot::Column::EnvironmentId)
        .into_tuple()
        .all(from.connection())
        .await?;
    Ok(found
        .into_iter()
        .map(|(id, at)| (EnvironmentId::new(id), Timestamp::from_millis(at)))
        .collect())
}

/// Those still being made although their job is over or gone, the oldest first.
pub async fn stranded(from: &impl Read, limit: u64) -> Result<Vec<SnapshotRow>> {
    let over = Expr::cust(
        "NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = snapshots.job_id \
         AND jobs.state IN ('queued', 'running'))",
    );
    let found = snapshot::Entity::find()
        .filter(snapshot::Column::State.eq(SnapshotState::Creating.as_str()))
        .filter(over)
        .order_by_asc(snapshot::Column::Id)
        .limit(limit)
        .all(from.connection())
        .await?;
    found.into_iter().map(SnapshotRow::read).collect()
}

/// Forgets a snapshot. What is in the archive is removed before.
pub async fn remove(tx: &Tx, id: SnapshotId) -> Result<()> {
    let done = snapshot::Entity::delete_by_id(id.get())
        .exec(tx.connection())
        .await?;
    if done.rows_affected == 0 {
        return Err(Error::NotFound { what: "snapshot" });
    }
    Ok(())
}

/// Holds an account's row until the transaction ends, so that two snapshots are not
/// promised the same bytes. SQLite has one writer anyway.
pub async fn lock_account(tx: &Tx, account: AccountId) -> Result<()> {
    sql::one(
        tx,
        format!(
            "SELECT id FROM accounts WHERE id = $1 {}",
            tx.store().lock_clause("FOR NO KEY UPDATE")
        ),
        [account.get().into()],
    )
    .await?;
    Ok(())
}

fn select(scope: &Scope, filter: &SnapshotFilter) -> Select<snapshot::Entity> {
    let mut query = snapshot::Entity::find();
    if let Some(own) = scope.ids() {
        query = query.filter(snapshot::Column::AccountId.is_in(own));
    }
    if let Some(environment) = filter.environment_id {
        query = query.filter(snapshot::Column::EnvironmentId.eq(environment.get()));
    }
    if let Some(site) = filter.site_id {
        query = query.filter(snapshot::Column::SiteId.eq(site.get()));
    }
    if let Some(contents) = filter.contents {
        query = query.filter(snapshot::Column::Contents.eq(contents.as_str()));
    }
    if !filter.states.is_empty() {
        let states = filter.states.iter().map(|state| state.as_str());
        query = query.filter(snapshot::Column::State.is_in(states));
    }
    query
}

/// A change to one snapshot, if it is in this state.
fn change(id: SnapshotId, state: SnapshotState) -> UpdateMany<snapshot::Entity> {
    snapshot::Entity::update_many()
        .filter(snapshot::Column::Id.eq(id.get()))
        .filter(snapshot::Column::State.eq(state.as_str()))
}

async fn one(tx: &Tx, change: UpdateMany<snapshot::Entity>) -> Result<()> {
    let done = change.exec(tx.connection()).await?;
    if done.rows_affected == 0 {
        return Err(Error::NotFound { what: "snapshot" });
    }
    Ok(())
}
