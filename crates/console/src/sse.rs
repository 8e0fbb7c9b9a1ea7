//! A job's state and output as it runs, and a safe update's, as server-sent events.

use crate::{
    Console,
    errors::Failure,
    pages::{
        job::{self, JobFacts, JobState},
        path::pipeline_id,
        pipeline::{PipelineFacts, PipelineFragment},
    },
    session::Current,
};
use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::HeaderMap,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{Stream, StreamExt, stream};
use pressroom_base::Timestamp;
use pressroom_fleet::views::JobUpdate;
use serde::Deserialize;
use std::{convert::Infallible, time::Duration};

/// After this long the browser connects again, so that an ended session ends here too.
const LIFETIME: Duration = Duration::from_mins(5);
const KEEP_ALIVE: Duration = Duration::from_secs(15);

#[derive(Deserialize)]
pub(crate) struct From {
    #[serde(default)]
    after: i64,
}

/// `GET /jobs/{id}/events`: `state` with markup, `output` with text and the output's
/// number as id, `end` once the job is final.
pub(crate) async fn events(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
    Query(from): Query<From>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let caller = current.caller();
    let job = job::find(&console.fleet, &caller, &id).await?;
    let after = last_event_id(&headers).unwrap_or(from.after);
    let updates = console.fleet.watch_job(&caller, job.id, after).await?;
    Ok(stream_of(
        updates.filter_map(|update| async { event(update) }),
    ))
}

/// `GET /pipelines/{id}/events`: `state` with markup each time that something changed, `end`
/// once the pipeline is over.
pub(crate) async fn pipeline_events(
    State(console): State<Console>,
    current: Current,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let id = pipeline_id(&id)?;
    let caller = current.caller();
    let states = console.fleet.watch_pipeline(&caller, &id).await?;
    let events = states.filter_map(move |now| {
        let pipeline = PipelineFacts::new(&now, &current, Timestamp::now());
        std::future::ready(state(&PipelineFragment { pipeline }))
    });
    Ok(stream_of(events))
}

/// The events of what somebody watches, and its end.
fn stream_of(events: impl Stream<Item = Event> + Send + 'static) -> Response {
    // Browsers drop an event whose data is empty.
    let end = stream::once(async { Event::default().event("end").data("final") });
    let events = events
        .chain(end)
        .take_until(tokio::time::sleep(LIFETIME))
        .map(Ok::<_, Infallible>);
    let mut response = Sse::new(events)
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response();
    // Proxies of the nginx family would collect the stream otherwise.
    response.headers_mut().insert(
        "x-accel-buffering",
        axum::http::HeaderValue::from_static("no"),
    );
    response
}

fn state(markup: &impl Template) -> Option<Event> {
    match markup.render() {
        Ok(html) => Some(Event::default().event("state").data(html)),
        Err(error) => {
            tracing::error!("a state could not be rendered: {error}");
            None
        }
    }
}

fn event(update: JobUpdate) -> Option<Event> {
    match update {
        JobUpdate::State(job) => {
            let job = JobFacts::new(&job, Timestamp::now());
            state(&JobState { job })
        }
        JobUpdate::Output { seq, text } => Some(
            Event::default()
                .event("output")
                .id(seq.to_string())
                .data(job::whole_lines(&text)),
        ),
    }
}

fn last_event_id(headers: &HeaderMap) -> Option<i64> {
    headers.get("last-event-id")?.to_str().ok()?.parse().ok()
}
