//! W25: what happened in the account that the request works in.

use crate::{
    filters::{given, instant},
    pages::Page,
    wire::{ActivityLogOut, id},
};
use pressroom_base::id::ShortId;
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::activity::ActivityQuery;
use time::Time;

/// Newest first.
pub async fn list(call: Call) -> Result<Answer, Fault> {
    let page = Page::of(&call)?;
    let query = ActivityQuery {
        site: named(&call, "site_id", id::read_site)?,
        actor: named(&call, "actor_id", id::read_user)?,
        kind: given(&call, "event")?.map(str::to_owned),
        from: instant(&call, "from", Time::MIDNIGHT)?,
        to: instant(&call, "to", Time::MAX)?,
    };
    let Some(account) = call.caller.principal.account else {
        return page.answer::<ActivityLogOut>(&call, &[], 0);
    };
    let (lines, total) = call
        .fleet
        .list_activity(&call.caller, account, query, page.limit(), page.offset())
        .await?;
    let rows: Vec<_> = lines.into_iter().map(ActivityLogOut::from).collect();
    page.answer(&call, &rows, total)
}

/// What an id names; one of another shape names nothing, and so nothing is found by it.
fn named(
    call: &Call,
    name: &str,
    read: fn(&str) -> Option<ShortId>,
) -> Result<Option<String>, Fault> {
    Ok(given(call, name)?.map(|text| read(text).map(|id| id.to_string()).unwrap_or_default()))
}
