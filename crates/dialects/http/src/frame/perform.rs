//! Running a handler: once per idempotency key, to its end, whatever happens.

use super::{Frame, admit, stored};
use crate::{Answer, Call, Fault, Route};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use futures_util::{FutureExt as _, future::BoxFuture};
use pressroom_base::Secret;
use pressroom_fleet::{caller::IdempotencySlot, requests::Begin};
use sha2::{Digest, Sha256};
use std::panic::AssertUnwindSafe;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const KEY_LENGTH: usize = 255;

/// What carries a request out.
pub type Run = Box<dyn FnOnce(Call) -> BoxFuture<'static, Result<Answer, Fault>> + Send>;

/// A request ready to be carried out.
pub struct Work {
    pub frame: Frame,
    pub reference: String,
    pub handler: Run,
    pub key: Option<String>,
    pub method: Method,
    pub target: String,
    pub call: Call,
}

/// The request's idempotency key, where the route heeds one.
pub fn idempotency_key(route: &Route, headers: &HeaderMap) -> Result<Option<String>, Fault> {
    if !route.idempotent {
        return Ok(None);
    }
    let mut values = headers.get_all(KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or_default();
    if key.is_empty() || key.len() > KEY_LENGTH || values.next().is_some() {
        return Err(Fault::Malformed(format!(
            "`Idempotency-Key` must be given once, with 1 to {KEY_LENGTH} printable ASCII characters"
        )));
    }
    Ok(Some(key.to_owned()))
}

impl Work {
    /// Carries the request out, or answers as the first request with its key was.
    pub async fn run(mut self) -> Result<Answer, Fault> {
        let Some(key) = self.key.take() else {
            return self.handle().await;
        };
        let fleet = self.call.fleet.clone();
        let scope = format!(
            "{}:{}",
            self.frame.dialect.name(),
            admit::holder(&self.call.caller.principal)
        );
        match fleet
            .begin_request(&scope, &key, &self.fingerprint())
            .await?
        {
            Begin::Run(slot) => {
                self.call.caller.idempotency = Some(slot);
                Ok(self.answer_and_keep(slot).await)
            }
            Begin::Answered { status, body } => {
                Ok(self.frame.dialect.replayed(replay(status, &body)))
            }
            Begin::Mismatch => Err(Fault::KeyReused),
            Begin::InProgress => Err(Fault::KeyInProgress),
        }
    }

    /// The answer is rendered here, errors too, so that a later request with the key
    /// gets the same bytes.
    async fn answer_and_keep(self, slot: IdempotencySlot) -> Answer {
        let (frame, reference) = (self.frame.clone(), self.reference.clone());
        let (answer, passing) = match self.handle().await {
            Ok(answer) => (answer, false),
            Err(fault) => (frame.refuse(&fault, &reference), fault.is_transient()),
        };
        let (status, body) = (answer.status.as_u16(), stored(&answer));
        let fleet = &frame.fleet;
        if let Err(error) = fleet.finish_request(slot, status, &body, passing).await {
            // The effect is there and so is the answer; a repetition finds the job.
            tracing::error!(
                error = super::chain(&error),
                "the answer of request {reference} was not kept"
            );
        }
        answer
    }

    async fn handle(self) -> Result<Answer, Fault> {
        let reference = self.reference;
        let run = async move { (self.handler)(self.call).await };
        AssertUnwindSafe(run)
            .catch_unwind()
            .await
            .unwrap_or_else(|panic| {
                let text = panic
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or_else(|| panic.downcast_ref::<&str>().copied());
                tracing::error!(panic = text, "the handler of request {reference} panicked");
                Err(Fault::Panicked)
            })
    }

    fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for part in [
            self.method.as_str().as_bytes(),
            self.target.as_bytes(),
            &self.call.body,
        ] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hex::encode(hash.finalize())
    }
}

fn replay(status: u16, body: &Secret<String>) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let answer = if body.expose().is_empty() {
        Answer::empty(status)
    } else {
        Answer::bytes(status, crate::answer::JSON, body.expose().clone().into())
    };
    answer.with_header(REPLAYED, HeaderValue::from_static("true"))
}
