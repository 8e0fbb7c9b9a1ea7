//! Listing what happened.

use crate::{
    Caller, Fleet, Result,
    authorize::{Action, Resource, authorize},
};
use pressroom_base::{Timestamp, id::AccountId};
use pressroom_store::{ActivityFilter, ActivityRow, Page, activity};
use serde_json::Value;

/// Which lines are asked for; nothing is all of them.
#[derive(Debug, Clone, Default)]
pub struct ActivityQuery {
    /// About the site that programs call so.
    pub site: Option<String>,
    /// By the person that programs call so.
    pub actor: Option<String>,
    /// Of this kind; with `.*` at its end, of all kinds that begin so.
    pub kind: Option<String>,
    /// From this instant on.
    pub from: Option<Timestamp>,
    /// Up to this instant.
    pub to: Option<Timestamp>,
}

/// A line of the log. Ids are without a dialect's prefix.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its own id.
    pub id: String,
    /// What happened: a name of the catalogue.
    pub kind: String,
    /// `user`, `api_token` or `system`.
    pub actor_kind: String,
    /// The person, when it was one or a token of theirs.
    pub actor_id: Option<String>,
    /// How people call who did it.
    pub actor_name: String,
    /// What it is about.
    pub subject_kind: Option<String>,
    /// The id of that, where it has one.
    pub subject_id: Option<String>,
    /// The site it concerns, also when that is gone.
    pub site_id: Option<String>,
    /// Where from.
    pub address: Option<String>,
    /// Its particulars.
    pub metadata: Value,
    /// When.
    pub at: Timestamp,
}

impl Fleet {
    /// What happened in an account, newest first, and how many lines that are in all.
    pub async fn list_activity(
        &self,
        caller: &Caller,
        account: AccountId,
        query: ActivityQuery,
        limit: u64,
        offset: u64,
    ) -> Result<(Vec<Line>, u64)> {
        authorize(
            &caller.principal,
            Action::AccountRead,
            Resource::OfAccount(account),
        )?;
        let filter = ActivityFilter {
            site: query.site,
            actor: query.actor,
            kind: query.kind,
            from: query.from,
            to: query.to,
        };
        let page = Page { limit, offset };
        let (rows, total) = activity::of_account(&self.parts.store, account, &filter, page).await?;
        Ok((rows.into_iter().map(line).collect(), total))
    }
}

fn line(row: ActivityRow) -> Line {
    Line {
        id: row.public_id.to_string(),
        kind: row.kind,
        actor_kind: row.actor_kind,
        actor_id: row.actor_id,
        actor_name: row.actor_name.unwrap_or(row.actor),
        subject_kind: row.subject_kind,
        subject_id: row.subject_id,
        site_id: row.site_id,
        address: row.address,
        metadata: row.metadata,
        at: row.at,
    }
}
