//! W11, W12: looks at a site.

use crate::{
    filters::{instant, one_of},
    pages::Page,
    wire::{HealthCheckOut, HealthCheckRowOut, id},
};
use pressroom_base::id::ShortId;
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{
    Error,
    health::{CheckKind, CheckStatus, HealthQuery},
};
use time::Time;

/// W11: newest first, without what each looked at.
pub async fn list(call: Call) -> Result<Answer, Fault> {
    let page = Page::of(&call)?;
    let site = site(&call)?;
    let query = HealthQuery {
        status: one_of(&call, "status", CheckStatus::parse)?,
        kind: one_of(&call, "kind", CheckKind::parse)?,
        from: instant(&call, "from", Time::MIDNIGHT)?,
        to: instant(&call, "to", Time::MAX)?,
    };
    let (looks, total) = call
        .fleet
        .list_health_checks(&call.caller, &site, query, page.limit(), page.offset())
        .await?;
    let rows: Vec<_> = looks.iter().map(HealthCheckRowOut::from).collect();
    page.answer(&call, &rows, total)
}

/// W12: one of them.
pub async fn show(call: Call) -> Result<Answer, Fault> {
    let site = site(&call)?;
    let id = id::read_health_check(call.param("id")).ok_or_else(missing)?;
    let look = call
        .fleet
        .find_health_check(&call.caller, &site, &id)
        .await?;
    Answer::ok(&HealthCheckOut::from(look))
}

fn site(call: &Call) -> Result<ShortId, Fault> {
    id::read_site(call.param("site_id")).ok_or_else(missing)
}

fn missing() -> Fault {
    Error::not_found("record").into()
}
