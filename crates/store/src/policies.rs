//! What is updated by itself, when, and what is not: by account and by site, field by field.

mod releases;
mod tries;
mod turns;

pub use releases::{ReleaseRow, note_offers, note_releases, releases_of, set_released};
pub use tries::{Tried, begin, forget, tried};
pub use turns::{UpdateTurn, claim_due, enrol, set_zone, settle, wake, zone};

use crate::{Error, Read, Result, Tx, sql, stored::Stored};
use pressroom_base::{
    Timestamp,
    id::{AccountId, SiteId, UserId},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};

table! {
    /// What one account, or one site, says of its updates. What is `None` is left to the next
    /// wider one.
    PolicyRow = policy("update_policies") {
        /// The row.
        id: i64,
        /// The account whose it is; `None` where it is a site's.
        account_id: Option<AccountId>,
        /// The site whose it is; `None` where it is an account's.
        site_id: Option<SiteId>,
        /// Whether updates begin by themselves.
        automatic: Option<bool>,
        /// How old a release must be, in days.
        hold_days: Option<i64>,
        /// Whether major versions are left out.
        minor_only: Option<bool>,
        /// What is never updated by itself, as patterns `kind/slug`.
        exclusions: Option<Vec<String>>,
        /// When updates may be made, as an array of objects.
        windows: Option<serde_json::Value>,
        /// The time zone of the windows, an IANA name.
        time_zone: Option<String>,
        /// Whether nobody has to say yes to what was clean in its rehearsal.
        auto_approve: Option<bool>,
        /// Who said so last; `None` at this machine's own command line.
        set_by: Option<UserId>,
        /// Their name in the activity log.
        actor: String,
        /// When it was said.
        updated_at: Timestamp,
    }
}

/// Whose policy it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyOf {
    /// An account's.
    Account(AccountId),
    /// A site's.
    Site(SiteId),
}

/// What a policy says; what is `None` is left to the next wider one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PolicyFields {
    /// Whether updates begin by themselves.
    pub automatic: Option<bool>,
    /// How old a release must be, in days.
    pub hold_days: Option<i64>,
    /// Whether major versions are left out.
    pub minor_only: Option<bool>,
    /// What is never updated by itself, as patterns `kind/slug`.
    pub exclusions: Option<Vec<String>>,
    /// When updates may be made, as an array of objects.
    pub windows: Option<serde_json::Value>,
    /// The time zone of the windows.
    pub time_zone: Option<String>,
    /// Whether nobody has to say yes to what was clean in its rehearsal.
    pub auto_approve: Option<bool>,
}

impl From<PolicyRow> for PolicyFields {
    fn from(row: PolicyRow) -> Self {
        Self {
            automatic: row.automatic,
            hold_days: row.hold_days,
            minor_only: row.minor_only,
            exclusions: row.exclusions,
            windows: row.windows,
            time_zone: row.time_zone,
            auto_approve: row.auto_approve,
        }
    }
}

/// What is said by exactly this one.
pub async fn get(from: &impl Read, of: PolicyOf) -> Result<Option<PolicyRow>> {
    let found = policy::Entity::find()
        .filter(whose(of))
        .one(from.connection())
        .await?;
    found.map(PolicyRow::read).transpose()
}

/// Has nobody else say something of this one until `tx` ends.
pub async fn lock(tx: &Tx, of: PolicyOf) -> Result<()> {
    let (table, id) = match of {
        PolicyOf::Account(id) => ("accounts", id.get()),
        PolicyOf::Site(id) => ("sites", id.get()),
    };
    let lock = tx.store().lock_clause("FOR NO KEY UPDATE");
    let sql = format!("SELECT id FROM {table} WHERE id = $1 {lock}");
    sql::one(tx, sql, [id.into()]).await?;
    Ok(())
}

/// Makes this what it says from now on.
pub async fn put(
    tx: &Tx,
    of: PolicyOf,
    fields: PolicyFields,
    set_by: Option<UserId>,
    actor: &str,
) -> Result<PolicyRow> {
    let now = tx.now().await?;
    let (account, site) = match of {
        PolicyOf::Account(id) => (Some(id), None),
        PolicyOf::Site(id) => (None, Some(id)),
    };
    let earlier = policy::Entity::find()
        .filter(whose(of))
        .one(tx.connection())
        .await?;
    let mut model = policy::ActiveModel {
        account_id: Set(account.raw()),
        site_id: Set(site.raw()),
        automatic: Set(fields.automatic.raw()),
        hold_days: Set(fields.hold_days.raw()),
        minor_only: Set(fields.minor_only.raw()),
        exclusions: Set(fields.exclusions.raw()),
        windows: Set(fields.windows.raw()),
        time_zone: Set(fields.time_zone),
        auto_approve: Set(fields.auto_approve.raw()),
        set_by: Set(set_by.raw()),
        actor: Set(actor.to_owned()),
        updated_at: Set(now.millis()),
        ..Default::default()
    };
    let model = if let Some(earlier) = earlier {
        model.id = Set(earlier.id);
        model.update(tx.connection()).await?
    } else {
        model
            .insert(tx.connection())
            .await
            .map_err(Error::of("update policy"))?
    };
    PolicyRow::read(model)
}

/// Has it say nothing any more; whether it said something.
pub async fn clear(tx: &Tx, of: PolicyOf) -> Result<bool> {
    let gone = policy::Entity::delete_many()
        .filter(whose(of))
        .exec(tx.connection())
        .await?;
    Ok(gone.rows_affected > 0)
}

fn whose(of: PolicyOf) -> sea_orm::sea_query::SimpleExpr {
    match of {
        PolicyOf::Account(id) => policy::Column::AccountId.eq(id.get()),
        PolicyOf::Site(id) => policy::Column::SiteId.eq(id.get()),
    }
}
