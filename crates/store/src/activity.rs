//! The activity log, filled from the outbox.

use crate::{EventRow, Page, Read, Result, Scope, Tx, stored::Stored};
use pressroom_base::{
    Timestamp, catalog,
    id::{AccountId, EnvironmentId, EventId, JobId},
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set, sea_query::OnConflict,
};

table! {
    /// A line of the activity log.
    ActivityRow = activity("activity") {
        /// The row.
        id: i64,
        /// The event it tells of; unique.
        event_id: EventId,
        /// The event's kind.
        kind: String,
        /// The account it concerns.
        account_id: Option<AccountId>,
        /// The environment it concerns.
        environment_id: Option<EnvironmentId>,
        /// The job it belongs to.
        job_id: Option<JobId>,
        /// Who did it.
        actor: String,
        /// What they did, for people.
        text: String,
        /// When.
        at: Timestamp,
    }
}

/// What happened within a scope, newest first.
pub async fn list(from: &impl Read, scope: &Scope, page: Page) -> Result<Vec<ActivityRow>> {
    let mut query = activity::Entity::find()
        .order_by_desc(activity::Column::EventId)
        .limit(page.limit)
        .offset(page.offset);
    if let Some(own) = scope.ids() {
        query = query.filter(activity::Column::AccountId.is_in(own));
    }
    let found = query.all(from.connection()).await?;
    found.into_iter().map(ActivityRow::read).collect()
}

pub(crate) async fn record(tx: &Tx, event: &EventRow) -> Result<()> {
    let model = activity::ActiveModel {
        event_id: Set(event.id.get()),
        kind: Set(event.kind.clone()),
        account_id: Set(event.account_id.raw()),
        environment_id: Set(event.environment_id.raw()),
        job_id: Set(event.job_id.raw()),
        actor: Set(event.actor.clone()),
        text: Set(describe(event)),
        at: Set(event.at.millis()),
        ..Default::default()
    };
    activity::Entity::insert(model)
        .on_conflict(
            OnConflict::column(activity::Column::EventId)
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(tx.connection())
        .await?;
    Ok(())
}

/// What the activity log says of an event.
fn describe(event: &EventRow) -> String {
    if let Some(text) = event.payload.get("text").and_then(|text| text.as_str()) {
        return text.to_owned();
    }
    catalog::event::ALL
        .iter()
        .find(|(kind, _)| *kind == event.kind)
        .map_or_else(
            || event.kind.clone(),
            |(_, description)| description.trim().trim_end_matches('.').to_owned(),
        )
}
