//! W18 to W21: safe updates of a site.

use crate::{
    filters::one_of,
    pages::Page,
    wire::{ApproveIn, PipelineIn, PipelineOut, PipelineRowOut, id},
};
use axum::http::{HeaderValue, header};
use pressroom_base::id::ShortId;
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{
    Error,
    pipelines::{Approval, PipelineQuery, PipelineState},
};

/// The member that some clients nest all that they send in.
const WRAPPER: &str = "upgrade_pipeline";

/// W18: newest first, without the figures of stages.
pub async fn list(call: Call) -> Result<Answer, Fault> {
    let page = Page::of(&call)?;
    let site = site(&call)?;
    let query = PipelineQuery {
        status: one_of(&call, "status", PipelineState::parse)?,
        ..PipelineQuery::default()
    };
    let (found, total) = call
        .fleet
        .list_site_pipelines(&call.caller, &site, query, page.limit(), page.offset())
        .await?;
    let rows: Vec<_> = found.into_iter().map(PipelineRowOut::new).collect();
    page.answer(&call, &rows, total)
}

/// W19: one of them, with all that it found.
pub async fn show(call: Call) -> Result<Answer, Fault> {
    let (site, id) = named(&call)?;
    let found = call
        .fleet
        .find_site_pipeline(&call.caller, &site, &id)
        .await?;
    Answer::ok(&PipelineOut::new(found))
}

/// W20: asks for one. Nothing is done to the site yet.
pub async fn create(call: Call) -> Result<Answer, Fault> {
    let site = site(&call)?;
    let input: PipelineIn = call.unwrapped(WRAPPER)?;
    let made = call
        .fleet
        .ask_pipeline(&call.caller, &site, input.asked()?)
        .await?;
    let path = format!(
        "/api/v1/sites/{}/upgrade_pipelines/{}",
        id::site(site.as_str()),
        id::pipeline(&made.id)
    );
    let answer = Answer::created(&PipelineOut::without_findings(made))?;
    // Ids are letters and digits.
    Ok(match HeaderValue::from_str(&path) {
        Ok(path) => answer.with_header(header::LOCATION, path),
        Err(_) => answer,
    })
}

/// W21: says yes to what was tried. A worker makes the updates then.
pub async fn approve(call: Call) -> Result<Answer, Fault> {
    let (site, id) = named(&call)?;
    let input: ApproveIn = call.unwrapped(WRAPPER)?;
    let approval = Approval {
        note: input.note,
        targets: input.targets,
        read: None,
    };
    call.fleet
        .approve_site_pipeline(&call.caller, &site, &id, approval)
        .await?;
    let found = call
        .fleet
        .find_site_pipeline(&call.caller, &site, &id)
        .await?;
    Answer::ok(&PipelineOut::new(found))
}

/// The site and the pipeline in the path.
fn named(call: &Call) -> Result<(ShortId, ShortId), Fault> {
    let id = id::read_pipeline(call.param("id")).ok_or_else(missing)?;
    Ok((site(call)?, id))
}

fn site(call: &Call) -> Result<ShortId, Fault> {
    id::read_site(call.param("site_id")).ok_or_else(missing)
}

fn missing() -> Fault {
    Error::not_found("record").into()
}
