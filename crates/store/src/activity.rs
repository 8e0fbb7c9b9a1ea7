//! The activity log: a line for each event, written with it, and never changed or removed.

use crate::{Page, Read, Result, Scope, Tx, environments, stored::Stored, users};
use pressroom_base::{
    Timestamp, catalog,
    id::{AccountId, EnvironmentId, EventId, JobId, ShortId, UserId},
};
use sea_orm::{
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select, Set,
    sea_query::OnConflict,
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
        /// What programs call the line; unique.
        public_id: ShortId,
        /// `user`, `api_token` or `system`.
        actor_kind: String,
        /// What programs call the person who did it.
        actor_id: Option<String>,
        /// The person's name at the time.
        actor_name: Option<String>,
        /// What it is about: `user`, `account`, `site`, …
        subject_kind: Option<String>,
        /// What programs call that.
        subject_id: Option<String>,
        /// What programs call the site it concerns; it stays when the site goes.
        site_id: Option<String>,
        /// Where from.
        address: Option<String>,
        /// The event's particulars.
        metadata: serde_json::Value,
    }
}

/// Which lines of the log are asked for.
#[derive(Debug, Clone, Default)]
pub struct ActivityFilter {
    /// About this site.
    pub site: Option<String>,
    /// By this person.
    pub actor: Option<String>,
    /// Of this kind; with a `.*` at its end, of all kinds that begin so.
    pub kind: Option<String>,
    /// From this instant on.
    pub from: Option<Timestamp>,
    /// Up to this instant.
    pub to: Option<Timestamp>,
}

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum By {
    /// Pressroom, or its operator at the command line.
    #[default]
    System,
    /// A person.
    User(UserId),
    /// A program, with a person's token.
    Token(UserId),
}

/// What a line says of its event.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub event_id: EventId,
    pub kind: String,
    pub account_id: Option<AccountId>,
    pub environment_id: Option<EnvironmentId>,
    pub job_id: Option<JobId>,
    pub actor: String,
    pub payload: serde_json::Value,
    pub at: Timestamp,
    pub about: About,
}

/// What a line says beyond its event.
#[derive(Debug, Clone, Default)]
pub(crate) struct About {
    actor_kind: Option<&'static str>,
    actor_id: Option<String>,
    actor_name: Option<String>,
    subject: Option<(String, String)>,
    site_id: Option<String>,
    address: Option<String>,
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

/// What happened in one account, newest first, and how many lines that are in all.
pub async fn of_account(
    from: &impl Read,
    account: AccountId,
    filter: &ActivityFilter,
    page: Page,
) -> Result<(Vec<ActivityRow>, u64)> {
    let query = filtered(account, filter);
    let total = query.clone().count(from.connection()).await?;
    let found = query
        .order_by_desc(activity::Column::At)
        .order_by_desc(activity::Column::Id)
        .limit(page.limit)
        .offset(page.offset)
        .all(from.connection())
        .await?;
    let rows: Result<_> = found.into_iter().map(ActivityRow::read).collect();
    Ok((rows?, total))
}

fn filtered(account: AccountId, filter: &ActivityFilter) -> Select<activity::Entity> {
    let mut query = activity::Entity::find().filter(activity::Column::AccountId.eq(account.get()));
    if let Some(site) = &filter.site {
        query = query.filter(activity::Column::SiteId.eq(site));
    }
    if let Some(actor) = &filter.actor {
        query = query.filter(activity::Column::ActorId.eq(actor));
    }
    if let Some(kind) = &filter.kind {
        query = match kind.strip_suffix(".*") {
            None => query.filter(activity::Column::Kind.eq(kind)),
            // The end of a range, not LIKE: that reads `_` as any character.
            Some(prefix) => query
                .filter(activity::Column::Kind.gte(format!("{prefix}.")))
                .filter(activity::Column::Kind.lt(format!("{prefix}/"))),
        };
    }
    if let Some(from) = filter.from {
        query = query.filter(activity::Column::At.gte(from.millis()));
    }
    if let Some(to) = filter.to {
        query = query.filter(activity::Column::At.lte(to.millis()));
    }
    query
}

impl About {
    /// Looks up who and what an event is about, while both are there.
    pub(crate) async fn of(
        from: &impl Read,
        by: By,
        subject: Option<&(&'static str, ShortId)>,
        environment: Option<EnvironmentId>,
        address: Option<&str>,
    ) -> Result<Self> {
        let (kind, person) = match by {
            By::System => ("system", None),
            By::User(id) => ("user", users::get(from, id).await?),
            By::Token(id) => ("api_token", users::get(from, id).await?),
        };
        let site = match environment {
            None => None,
            Some(id) => environments::site_of(from, id).await?,
        };
        // One that is known by its address alone has no environment.
        let own = subject.filter(|(kind, _)| *kind == "site");
        let site_id = site
            .map(|site| site.short_id.to_string())
            .or_else(|| own.map(|(_, id)| id.to_string()));
        let subject = match (subject, &site_id) {
            (Some((kind, id)), _) => Some(((*kind).to_owned(), id.to_string())),
            (None, Some(site)) => Some(("site".to_owned(), site.clone())),
            (None, None) => None,
        };
        Ok(Self {
            actor_kind: Some(kind),
            actor_id: person.as_ref().map(|person| person.short_id.to_string()),
            actor_name: person.map(|person| person.name),
            subject,
            site_id,
            address: address.map(str::to_owned),
        })
    }
}

/// Writes the line of an event, unless it is there.
pub(crate) async fn record(tx: &Tx, line: Line) -> Result<()> {
    let text = describe(&line);
    let about = line.about;
    let (subject_kind, subject_id) = about.subject.unzip();
    let model = activity::ActiveModel {
        event_id: Set(line.event_id.get()),
        kind: Set(line.kind),
        account_id: Set(line.account_id.raw()),
        environment_id: Set(line.environment_id.raw()),
        job_id: Set(line.job_id.raw()),
        actor: Set(line.actor),
        text: Set(text),
        at: Set(line.at.millis()),
        public_id: Set(ShortId::random().raw()),
        actor_kind: Set(about.actor_kind.unwrap_or("system").to_owned()),
        actor_id: Set(about.actor_id),
        actor_name: Set(about.actor_name),
        subject_kind: Set(subject_kind),
        subject_id: Set(subject_id),
        site_id: Set(about.site_id),
        address: Set(about.address),
        metadata: Set(line.payload.raw()),
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
fn describe(event: &Line) -> String {
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
