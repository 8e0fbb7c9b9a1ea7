//! One safe update: its steps as they go, its plan, what it found and saw, and the yes.

pub(crate) mod act;
pub(crate) mod begin;
mod facts;
mod findings;
pub(crate) mod pictures;

pub(crate) use facts::PipelineFacts;

use crate::{
    Console,
    errors::Failure,
    frame::{Frame, Section},
    pages::path::pipeline_id,
    session::Current,
};
use askama::Template;
use axum::{
    extract::{Path, State},
    response::Html,
};
use pressroom_base::Timestamp;

#[derive(Template)]
#[template(path = "pipeline.html")]
pub(crate) struct PipelinePage {
    pub(crate) frame: Frame,
    pub(crate) pipeline: PipelineFacts,
}

/// The part of the page that follows the pipeline.
#[derive(Template)]
#[template(path = "pipeline_state.html")]
pub(crate) struct PipelineFragment {
    pub(crate) pipeline: PipelineFacts,
}

/// `GET /pipelines/{id}`
pub(crate) async fn show(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
) -> Result<Html<String>, Failure> {
    let id = pipeline_id(&id)?;
    let now = console.fleet.pipeline_now(&current.caller(), &id).await?;
    let pipeline = PipelineFacts::new(&now, &current, Timestamp::now());
    let page = PipelinePage {
        frame: current.frame(
            format!("Update of {}", pipeline.site_name),
            Section::Updates,
        ),
        pipeline,
    };
    Ok(Html(page.render()?))
}
