//! Sites and their environments, each one running WordPress.

mod many;
mod moved;
mod password;
mod place;

pub use many::{all_live, get_many, get_sites};
pub use moved::{Moved, relocate};
pub use password::db_password;
use password::password_place;
pub(crate) use password::place_of_row;
pub use place::{Adopted, at_host_name, by_root, in_home, lock_home, using_database};

use crate::{Error, Lookup, Page, Read, Result, Scope, Tx, sql, stored::Stored};
use pressroom_base::{
    Secret, Timestamp,
    id::{AccountId, DomainId, EnvironmentId, HostId, ShortId, SiteId},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
    sea_query::{IntoCondition, SimpleExpr},
};

table! {
    /// What a customer means by "my site".
    SiteRow = site("sites") {
        /// The row.
        id: SiteId,
        /// Whose it is.
        account_id: AccountId,
        /// A UUID; unique.
        public_id: String,
        /// What its owner calls it.
        name: String,
        /// When it was added.
        created_at: Timestamp,
        /// What programs call it where a UUID is not the custom; unique.
        short_id: ShortId,
        /// An address that was given to it and at which nobody has seen it yet; unique in its
        /// account. None once it is connected: its environment says where it answers.
        url: Option<String>,
        /// How it is to be reached, if somebody said so.
        method: Option<ConnectionMethod>,
        /// Where it is to be found that way, as its use case wrote it down.
        place: Option<serde_json::Value>,
        /// How it is, as last seen.
        status: SiteStatus,
        /// Since when it is so.
        status_since: Option<Timestamp>,
        /// When it was last looked at.
        checked_at: Option<Timestamp>,
        /// Whether nobody is to look at it, nor to be told of it.
        paused: bool,
        /// When somebody last changed what is recorded of it.
        updated_at: Option<Timestamp>,
        /// Why the last attempt to connect it failed.
        trouble: Option<String>,
        /// When that was.
        tried_at: Option<Timestamp>,
        /// SHA-256 of the token that a connector may introduce itself with.
        token_hash: Option<String>,
        /// Until when.
        token_expires_at: Option<Timestamp>,
    }
}

names! {
    /// How a site is reached.
    ConnectionMethod {
        /// It lives on this machine.
        Local = "local",
        /// It lives on a host that is reached over SSH.
        Ssh = "ssh",
        /// A plugin on it answers for it.
        Connector = "connector",
    }
}

names! {
    /// How a site is, as seen by health checks.
    SiteStatus {
        /// Never connected.
        Pending = "pending",
        /// All is well.
        Healthy = "healthy",
        /// It works, and something should be looked after.
        Degraded = "degraded",
        /// It failed twice in a row.
        Down = "down",
        /// It answers its visitors, and we cannot reach it to work on it.
        Disconnected = "disconnected",
        /// Somebody said not to look.
        Paused = "paused",
    }
}

names! {
    /// What an environment is for.
    EnvironmentKind {
        /// The one visitors see.
        Production = "production",
        /// For trying things.
        Staging = "staging",
        /// A copy made by a job.
        Clone = "clone",
    }
}

names! {
    /// Where an environment stands.
    EnvironmentState {
        /// An installation is at work; nothing is there yet.
        Installing = "installing",
        /// Verified to be serving.
        Active = "active",
        /// There, but not serving.
        Broken = "broken",
        /// Being taken away.
        Deleting = "deleting",
        /// An installation that was undone; nothing is there, the row is a record.
        Failed = "failed",
    }
}

table! {
    /// One running WordPress.
    EnvironmentRow = environment("environments") {
        /// The row.
        id: EnvironmentId,
        /// The site it belongs to.
        site_id: SiteId,
        /// Whose it is.
        account_id: AccountId,
        /// The domain it was installed into.
        domain_id: Option<DomainId>,
        /// What it is for.
        kind: EnvironmentKind,
        /// `wp_` and at least nine hex digits; unique.
        panel_id: String,
        /// The absolute directory of WordPress; unique on its machine unless failed.
        root: String,
        /// The same, relative to the domain's home.
        path: String,
        /// Its address.
        url: String,
        /// `address:port` to probe it at.
        origin_addr: Option<String>,
        /// The host name to send there.
        origin_host: Option<String>,
        /// The Unix user it runs as.
        unix_user: Option<String>,
        /// Where it stands.
        state: EnvironmentState,
        /// Its database.
        db_name: String,
        /// Who opens the database.
        db_user: String,
        /// As in `DB_HOST`.
        db_host: String,
        /// Sealed; opened by [`db_password`].
        db_password_sealed: Option<String>,
        /// As in `$table_prefix`.
        table_prefix: String,
        /// WordPress' version as last seen.
        core_version: String,
        /// Its language.
        locale: String,
        /// Its title.
        title: String,
        /// The PHP it runs on.
        php_version: String,
        /// Whether it is a network of sites.
        multisite: bool,
        /// Whether `WP_DEBUG` is on.
        debug: bool,
        /// When it was last looked at.
        inspected_at: Option<Timestamp>,
        /// When it was added.
        created_at: Timestamp,
        /// The machine it lives on; this one, without. It has a domain only here.
        host_id: Option<HostId>,
        /// The absolute directory that sessions with it start in, where that is not its
        /// domain's: the one above WordPress, of a site that was there before Pressroom.
        home: Option<String>,
        /// The `php` to work on it with; the one that is configured, without.
        php: Option<String>,
        /// Whether its origin speaks TLS.
        origin_tls: bool,
    }
}

/// An environment to add.
#[derive(Debug, Clone)]
pub struct NewEnvironment {
    /// The site it belongs to.
    pub site_id: SiteId,
    /// Whose it is.
    pub account_id: AccountId,
    /// The domain it is installed into; none on another machine.
    pub domain_id: Option<DomainId>,
    /// The machine it lives on, of the same account; this one, without.
    pub host_id: Option<HostId>,
    /// What it is for.
    pub kind: EnvironmentKind,
    /// `wp_` and at least nine hex digits.
    pub panel_id: String,
    /// The absolute directory of WordPress.
    pub root: String,
    /// The same, relative to the domain's home.
    pub path: String,
    /// Its address.
    pub url: String,
    /// `address:port` to probe it at.
    pub origin_addr: Option<String>,
    /// The host name to send there.
    pub origin_host: Option<String>,
    /// The Unix user it runs as.
    pub unix_user: Option<String>,
    /// Where it stands.
    pub state: EnvironmentState,
    /// Its database.
    pub db_name: String,
    /// Who opens the database.
    pub db_user: String,
    /// As in `DB_HOST`.
    pub db_host: String,
    /// Kept sealed.
    pub db_password: Option<Secret<String>>,
    /// As in `$table_prefix`.
    pub table_prefix: String,
    /// WordPress' version, empty while unknown.
    pub core_version: String,
    /// Its language.
    pub locale: String,
    /// Its title.
    pub title: String,
}

/// Changes to an environment; `None` leaves a column alone.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of the row")]
pub struct EnvironmentPatch {
    pub state: Option<EnvironmentState>,
    pub url: Option<String>,
    pub origin_addr: Option<String>,
    pub origin_host: Option<String>,
    pub unix_user: Option<String>,
    pub db_name: Option<String>,
    pub db_user: Option<String>,
    pub db_host: Option<String>,
    pub db_password: Option<Secret<String>>,
    pub table_prefix: Option<String>,
    pub core_version: Option<String>,
    pub locale: Option<String>,
    pub title: Option<String>,
    pub php_version: Option<String>,
    pub multisite: Option<bool>,
    pub debug: Option<bool>,
    pub inspected_at: Option<Timestamp>,
}

/// Which environments to list.
#[derive(Debug, Clone, Default)]
pub struct EnvironmentFilter {
    /// Of this site.
    pub site_id: Option<SiteId>,
    /// In this domain.
    pub domain_id: Option<DomainId>,
    /// On this machine.
    pub host_id: Option<HostId>,
    /// In one of these states; empty means all but `failed`.
    pub states: Vec<EnvironmentState>,
}

/// Adds a site.
pub async fn create_site(
    tx: &Tx,
    account: AccountId,
    public_id: &str,
    name: &str,
) -> Result<SiteRow> {
    let model = site::ActiveModel {
        account_id: Set(account.get()),
        public_id: Set(public_id.to_owned()),
        name: Set(name.to_owned()),
        created_at: Set(tx.now().await?.millis()),
        short_id: Set(ShortId::random().raw()),
        ..Default::default()
    };
    let model = model
        .insert(tx.connection())
        .await
        .map_err(Error::of("site"))?;
    SiteRow::read(model)
}

/// The site of an environment.
pub async fn site_of(from: &impl Read, id: EnvironmentId) -> Result<Option<SiteRow>> {
    let environment = environment::Entity::find_by_id(id.get())
        .one(from.connection())
        .await?;
    match environment {
        None => Ok(None),
        Some(environment) => get_site(from, SiteId::new(environment.site_id)).await,
    }
}

/// One site.
pub async fn get_site(from: &impl Read, id: SiteId) -> Result<Option<SiteRow>> {
    let found = site::Entity::find_by_id(id.get())
        .one(from.connection())
        .await?;
    found.map(SiteRow::read).transpose()
}

/// The sites within a scope, by name.
pub async fn list_sites(from: &impl Read, scope: &Scope) -> Result<Vec<SiteRow>> {
    let mut query = site::Entity::find()
        .order_by_asc(site::Column::Name)
        .order_by_asc(site::Column::Id);
    if let Some(own) = scope.ids() {
        query = query.filter(site::Column::AccountId.is_in(own));
    }
    let found = query.all(from.connection()).await?;
    found.into_iter().map(SiteRow::read).collect()
}

/// Adds an environment; [`Error::Exists`] when its directory or panel id is taken,
/// [`Error::NotFound`] when its machine is not one of the account's.
pub async fn create(tx: &Tx, new: NewEnvironment) -> Result<EnvironmentRow> {
    insert(tx, new, None).await
}

/// Adds an environment that was there before Pressroom; errors as [`create`].
pub async fn adopt(tx: &Tx, new: NewEnvironment, adopted: Adopted) -> Result<EnvironmentRow> {
    insert(tx, new, Some(adopted)).await
}

async fn insert(tx: &Tx, new: NewEnvironment, adopted: Option<Adopted>) -> Result<EnvironmentRow> {
    if let Some(host) = new.host_id {
        refuse_foreign_host(tx, new.account_id, host).await?;
    }
    let sealed = new
        .db_password
        .map(|password| tx.store().seal(&password_place(&new.panel_id), &password));
    let origin_tls = adopted.as_ref().is_some_and(|adopted| adopted.origin_tls);
    let (home, php) = adopted.map_or((None, None), |adopted| (Some(adopted.home), adopted.php));
    let model = environment::ActiveModel {
        site_id: Set(new.site_id.get()),
        account_id: Set(new.account_id.get()),
        domain_id: Set(new.domain_id.raw()),
        host_id: Set(new.host_id.raw()),
        kind: Set(new.kind.raw()),
        panel_id: Set(new.panel_id),
        root: Set(new.root),
        path: Set(new.path),
        url: Set(new.url),
        origin_addr: Set(new.origin_addr),
        origin_host: Set(new.origin_host),
        unix_user: Set(new.unix_user),
        state: Set(new.state.raw()),
        db_name: Set(new.db_name),
        db_user: Set(new.db_user),
        db_host: Set(new.db_host),
        db_password_sealed: Set(sealed),
        table_prefix: Set(new.table_prefix),
        core_version: Set(new.core_version),
        locale: Set(new.locale),
        title: Set(new.title),
        php_version: Set(String::new()),
        multisite: Set(false),
        debug: Set(false),
        inspected_at: Set(None),
        home: Set(home),
        php: Set(php),
        origin_tls: Set(origin_tls),
        created_at: Set(tx.now().await?.millis()),
        ..Default::default()
    };
    let model = model
        .insert(tx.connection())
        .await
        .map_err(Error::of("environment"))?;
    EnvironmentRow::read(model)
}

/// A host of somebody else's is refused as one that does not exist.
async fn refuse_foreign_host(tx: &Tx, account: AccountId, host: HostId) -> Result<()> {
    let own = sql::one(
        tx,
        "SELECT id FROM hosts WHERE id = $1 AND account_id = $2",
        [host.get().into(), account.get().into()],
    );
    match own.await? {
        Some(_) => Ok(()),
        None => Err(Error::NotFound { what: "host" }),
    }
}

/// One environment, in whatever state.
pub async fn get(from: &impl Read, id: EnvironmentId) -> Result<Option<EnvironmentRow>> {
    let found = environment::Entity::find_by_id(id.get())
        .one(from.connection())
        .await?;
    found.map(EnvironmentRow::read).transpose()
}

/// The environment a dialect calls by this id, as far as the scope may know.
pub async fn by_panel_id(
    from: &impl Read,
    scope: &Scope,
    panel_id: &str,
) -> Result<Lookup<EnvironmentRow>> {
    let found = environment::Entity::find()
        .filter(environment::Column::PanelId.eq(panel_id))
        .one(from.connection())
        .await?
        .map(EnvironmentRow::read)
        .transpose()?;
    Ok(scope.lookup(found, |row| Some(row.account_id)))
}

/// The environments within a scope, by directory (so by domain, then path).
pub async fn list(
    from: &impl Read,
    scope: &Scope,
    filter: &EnvironmentFilter,
    page: Page,
) -> Result<Vec<EnvironmentRow>> {
    let found = select(scope, filter)
        .order_by_asc(environment::Column::Root)
        .order_by_asc(environment::Column::Id)
        .limit(page.limit)
        .offset(page.offset)
        .all(from.connection())
        .await?;
    found.into_iter().map(EnvironmentRow::read).collect()
}

/// How many [`list`] would find on all pages.
pub async fn count(from: &impl Read, scope: &Scope, filter: &EnvironmentFilter) -> Result<u64> {
    Ok(select(scope, filter).count(from.connection()).await?)
}

/// Changes an environment.
pub async fn update(tx: &Tx, id: EnvironmentId, patch: EnvironmentPatch) -> Result<EnvironmentRow> {
    let model = environment::Entity::find_by_id(id.get())
        .one(tx.connection())
        .await?
        .ok_or(Error::NotFound {
            what: "environment",
        })?;
    let sealed = patch
        .db_password
        .map(|password| tx.store().seal(&password_place(&model.panel_id), &password));
    let mut model: environment::ActiveModel = model.into();
    macro_rules! patch {
        ($($field:ident),*) => {$(
            if let Some(value) = patch.$field {
                model.$field = Set(value.raw().into());
            }
        )*};
    }
    patch!(
        state,
        url,
        origin_addr,
        origin_host,
        unix_user,
        db_name,
        db_user,
        db_host,
        table_prefix,
        core_version,
        locale,
        title,
        php_version,
        multisite,
        debug,
        inspected_at
    );
    if sealed.is_some() {
        model.db_password_sealed = Set(sealed);
    }
    let model = model
        .update(tx.connection())
        .await
        .map_err(Error::of("environment"))?;
    EnvironmentRow::read(model)
}

/// Removes an environment's row, its components, and its site when nothing else
/// is in it. Jobs and records of owned resources stay.
pub async fn remove(tx: &Tx, id: EnvironmentId) -> Result<()> {
    let model = environment::Entity::find_by_id(id.get())
        .one(tx.connection())
        .await?
        .ok_or(Error::NotFound {
            what: "environment",
        })?;
    environment::Entity::delete_by_id(id.get())
        .exec(tx.connection())
        .await?;
    let others = environment::Entity::find()
        .filter(environment::Column::SiteId.eq(model.site_id))
        .count(tx.connection())
        .await?;
    if others == 0 {
        site::Entity::delete_by_id(model.site_id)
            .exec(tx.connection())
            .await?;
    }
    Ok(())
}

/// The environments in a domain, whatever their state.
pub async fn in_domain(from: &impl Read, domain: DomainId) -> Result<Vec<EnvironmentId>> {
    ids_where(from, environment::Column::DomainId.eq(domain.get())).await
}

async fn ids_where(from: &impl Read, filter: impl IntoCondition) -> Result<Vec<EnvironmentId>> {
    let found: Vec<i64> = environment::Entity::find()
        .select_only()
        .column(environment::Column::Id)
        .filter(filter)
        .order_by_asc(environment::Column::Id)
        .into_tuple()
        .all(from.connection())
        .await?;
    Ok(found.into_iter().map(EnvironmentId::new).collect())
}

/// Whether a domain has environments that are more than a record.
pub async fn live_in_domain(from: &impl Read, domain: DomainId) -> Result<bool> {
    Ok(live(from, environment::Column::DomainId.eq(domain.get())).await? > 0)
}

/// How many environments of a host are more than a record.
pub(crate) async fn live_on_host(from: &impl Read, host: HostId) -> Result<u64> {
    live(from, environment::Column::HostId.eq(host.get())).await
}

async fn live(from: &impl Read, filter: SimpleExpr) -> Result<u64> {
    let found = environment::Entity::find()
        .filter(filter)
        .filter(environment::Column::State.ne(EnvironmentState::Failed.as_str()))
        .count(from.connection())
        .await?;
    Ok(found)
}

pub(crate) async fn remove_failed_of(tx: &Tx, domain: DomainId) -> Result<()> {
    remove_failed(tx, environment::Column::DomainId.eq(domain.get())).await
}

pub(crate) async fn remove_failed_on(tx: &Tx, host: HostId) -> Result<()> {
    remove_failed(tx, environment::Column::HostId.eq(host.get())).await
}

async fn remove_failed(tx: &Tx, filter: SimpleExpr) -> Result<()> {
    let failed = environment::Entity::find()
        .filter(filter)
        .filter(environment::Column::State.eq(EnvironmentState::Failed.as_str()))
        .all(tx.connection())
        .await?;
    for row in failed {
        remove(tx, EnvironmentId::new(row.id)).await?;
    }
    Ok(())
}

fn select(scope: &Scope, filter: &EnvironmentFilter) -> sea_orm::Select<environment::Entity> {
    let mut query = environment::Entity::find();
    if let Some(own) = scope.ids() {
        query = query.filter(environment::Column::AccountId.is_in(own));
    }
    if let Some(site) = filter.site_id {
        query = query.filter(environment::Column::SiteId.eq(site.get()));
    }
    if let Some(domain) = filter.domain_id {
        query = query.filter(environment::Column::DomainId.eq(domain.get()));
    }
    if let Some(host) = filter.host_id {
        query = query.filter(environment::Column::HostId.eq(host.get()));
    }
    if filter.states.is_empty() {
        query.filter(environment::Column::State.ne(EnvironmentState::Failed.as_str()))
    } else {
        let states = filter.states.iter().map(|state| state.as_str());
        query.filter(environment::Column::State.is_in(states))
    }
}
