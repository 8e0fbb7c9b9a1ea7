//! Sites as their account knows them: those that have an environment, and those that were
//! added by their address and are not connected yet. One whose installation failed is none.

mod list;
mod tags;

pub use list::{KnownSite, SiteFilter, count, known, list, list_unconnected};
pub use tags::{hand_tags_over, set_tags, tags};

use crate::{
    ConnectionMethod, EnvironmentState, Error, Lookup, Read, Result, Scope, SiteRow, SiteStatus,
    Tx, accounts,
    environments::{environment, site},
    sql,
    stored::Stored,
};
use pressroom_base::{
    Timestamp,
    id::{AccountId, JobId, ShortId, SiteId},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};

/// A site to add by its address.
#[derive(Debug, Clone)]
pub struct NewSite {
    /// Whose it is.
    pub account_id: AccountId,
    /// A UUID.
    pub public_id: String,
    /// What its owner calls it.
    pub name: String,
    /// Its address, as addresses are compared.
    pub url: String,
    /// How it is to be reached, if that is known.
    pub method: Option<ConnectionMethod>,
    /// Where it is to be found that way.
    pub place: Option<serde_json::Value>,
    /// SHA-256 of the token that its connector may introduce itself with, and until when.
    pub token: Option<(String, Timestamp)>,
}

/// Changes to a site; `None` leaves a column alone.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of the row")]
pub struct SiteChange {
    pub name: Option<String>,
    pub url: Option<Option<String>>,
    pub method: Option<Option<ConnectionMethod>>,
    pub place: Option<Option<serde_json::Value>>,
    pub status: Option<SiteStatus>,
    pub checked_at: Option<Timestamp>,
    pub paused: Option<bool>,
    pub trouble: Option<Option<String>>,
    pub tried_at: Option<Option<Timestamp>>,
    pub token: Option<Option<(String, Timestamp)>>,
    /// Whether a person changed it, so that it was updated now.
    pub by_hand: bool,
}

/// Adds a site by its address; [`Error::Exists`] when the account has one there.
pub async fn add(tx: &Tx, new: NewSite) -> Result<SiteRow> {
    refuse_taken(tx, new.account_id, &new.url, None).await?;
    let now = tx.now().await?;
    let (hash, until) = new.token.unzip();
    let model = site::ActiveModel {
        account_id: Set(new.account_id.get()),
        public_id: Set(new.public_id),
        name: Set(new.name),
        created_at: Set(now.millis()),
        short_id: Set(ShortId::random().raw()),
        url: Set(Some(new.url)),
        method: Set(new.method.raw()),
        place: Set(new.place.raw()),
        status: Set(SiteStatus::Pending.raw()),
        status_since: Set(Some(now.millis())),
        token_hash: Set(hash),
        token_expires_at: Set(until.raw()),
        ..Default::default()
    };
    let model = model
        .insert(tx.connection())
        .await
        .map_err(Error::of("site"))?;
    SiteRow::read(model)
}

/// Changes a site; [`Error::Exists`] when its account has another at that address.
pub async fn change(tx: &Tx, id: SiteId, change: SiteChange) -> Result<SiteRow> {
    let row = lock(tx, id).await?;
    if let Some(Some(url)) = &change.url {
        refuse_taken(tx, row.account_id, url, Some(id)).await?;
    }
    let now = tx.now().await?;
    let mut model = site::ActiveModel {
        id: Set(id.get()),
        ..Default::default()
    };
    macro_rules! set {
        ($($field:ident),*) => {$(
            if let Some(value) = change.$field {
                model.$field = Set(value.raw().into());
            }
        )*};
    }
    set!(
        name, url, method, place, paused, trouble, tried_at, checked_at
    );
    if let Some(status) = change.status {
        model.status = Set(status.raw());
        if status != row.status {
            model.status_since = Set(Some(now.millis()));
        }
    }
    if let Some(token) = change.token {
        let (hash, until) = token.unzip();
        model.token_hash = Set(hash);
        model.token_expires_at = Set(until.raw());
    }
    if change.by_hand {
        model.updated_at = Set(Some(now.millis()));
    }
    if !model.is_changed() {
        return Ok(row);
    }
    let model = model
        .update(tx.connection())
        .await
        .map_err(Error::of("site"))?;
    SiteRow::read(model)
}

/// A site, whose row is held until the transaction ends; [`Error::NotFound`] when it is gone.
pub async fn lock(tx: &Tx, id: SiteId) -> Result<SiteRow> {
    let clause = tx.store().lock_clause("FOR NO KEY UPDATE");
    let held = format!("SELECT id FROM sites WHERE id = $1 {clause}");
    sql::one(tx, held, [id.get().into()]).await?;
    let found = site::Entity::find_by_id(id.get())
        .one(tx.connection())
        .await?;
    let found = found.ok_or(Error::NotFound { what: "site" })?;
    SiteRow::read(found)
}

/// Forgets a site that has no environment.
pub async fn remove(tx: &Tx, id: SiteId) -> Result<()> {
    site::Entity::delete_by_id(id.get())
        .exec(tx.connection())
        .await
        .map_err(Error::of("site"))?;
    Ok(())
}

/// The site whose connector may introduce itself with the token of this hash, until its time
/// is over.
pub async fn by_token_hash(
    from: &impl Read,
    hash: &str,
    now: Timestamp,
) -> Result<Option<SiteRow>> {
    let found = site::Entity::find()
        .filter(site::Column::TokenHash.eq(hash))
        .filter(site::Column::TokenExpiresAt.gt(now.millis()))
        .one(from.connection())
        .await?;
    found.map(SiteRow::read).transpose()
}

/// The site that programs call so, as far as the scope may know.
pub async fn by_short_id(from: &impl Read, scope: &Scope, id: &ShortId) -> Result<Lookup<SiteRow>> {
    let found = site::Entity::find()
        .filter(site::Column::ShortId.eq(id.as_str()))
        .one(from.connection())
        .await?;
    let found = found.map(SiteRow::read).transpose()?;
    Ok(scope.lookup(found, |row| Some(row.account_id)))
}

/// The site of an account that was added by this address and has no environment.
pub async fn unconnected_at(tx: &Tx, account: AccountId, url: &str) -> Result<Option<SiteRow>> {
    let found = site::Entity::find()
        .filter(site::Column::AccountId.eq(account.get()))
        .filter(site::Column::Url.eq(url))
        .one(tx.connection())
        .await?;
    let Some(row) = found.map(SiteRow::read).transpose()? else {
        return Ok(None);
    };
    let lived_in = list::known(tx, row.id).await?;
    Ok(lived_in
        .filter(|known| known.environment.is_none())
        .map(|_| row))
}

/// Sites that have an address at which nobody has seen them yet, and no unfinished job of
/// their key, which is this prefix and their id. Nobody looks at those that are paused.
pub async fn unattended(from: &impl Read, prefix: &str) -> Result<Vec<SiteRow>> {
    let found = sql::all(
        from,
        "SELECT s.id AS id FROM sites s WHERE s.url IS NOT NULL AND NOT s.paused \
         AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.dedupe_key = $1 || CAST(s.id AS TEXT) \
         AND j.state IN ('queued', 'running')) ORDER BY s.id LIMIT 500",
        [prefix.into()],
    )
    .await?;
    let ids: Vec<SiteId> = found
        .iter()
        .map(|row| Ok(SiteId::new(row.try_get("", "id")?)))
        .collect::<Result<_>>()?;
    crate::environments::get_sites(from, &ids).await
}

/// Has a queued job be tried at once, as if for the first time; `None` when no queued job
/// has this key.
pub async fn hasten(tx: &Tx, dedupe_key: &str) -> Result<Option<JobId>> {
    let clock = tx.store().clock();
    let row = sql::one(
        tx,
        format!(
            "UPDATE jobs SET run_at = {clock}, attempt = 0 \
             WHERE dedupe_key = $1 AND state = 'queued' AND undo_to IS NULL RETURNING id"
        ),
        [dedupe_key.into()],
    )
    .await?;
    let Some(row) = row else { return Ok(None) };
    tx.signal(crate::Signal::Queued);
    Ok(Some(JobId::new(row.try_get("", "id")?)))
}

/// Two sites of an account are never at one address, connected or not.
async fn refuse_taken(
    tx: &Tx,
    account: AccountId,
    url: &str,
    except: Option<SiteId>,
) -> Result<()> {
    // Whoever adds another at this moment waits.
    accounts::lock(tx, account).await?;
    let mut added = site::Entity::find()
        .filter(site::Column::AccountId.eq(account.get()))
        .filter(site::Column::Url.eq(url));
    let mut living = environment::Entity::find()
        .filter(environment::Column::AccountId.eq(account.get()))
        .filter(environment::Column::Url.eq(url))
        .filter(environment::Column::State.ne(EnvironmentState::Failed.as_str()));
    if let Some(id) = except {
        added = added.filter(site::Column::Id.ne(id.get()));
        living = living.filter(environment::Column::SiteId.ne(id.get()));
    }
    let connection = tx.connection();
    let is_taken = added
        .order_by_asc(site::Column::Id)
        .one(connection)
        .await?
        .is_some()
        || living
            .order_by_asc(environment::Column::Id)
            .one(connection)
            .await?
            .is_some();
    if is_taken {
        return Err(Error::Exists { what: "site" });
    }
    Ok(())
}
