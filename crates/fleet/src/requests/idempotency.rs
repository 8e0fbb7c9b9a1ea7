//! Requests that may come again, also after this process was killed.

use crate::{Fleet, Result, caller::IdempotencySlot};
use pressroom_base::Secret;
use pressroom_store::idempotency::{self, Claim};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// How long a request waits for the one with the same key that runs already.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(100);

/// What is known of a repeated request.
#[derive(Debug)]
pub enum Begin {
    /// Nobody ran it, or who did is gone: run it with this slot, then
    /// [`Fleet::finish_request`].
    Run(IdempotencySlot),
    /// It was answered before: answer the same.
    Answered {
        /// HTTP status of the first answer.
        status: u16,
        /// Its body.
        body: Secret<String>,
    },
    /// The key was used with another request.
    Mismatch,
    /// Another process is running it and did not finish in time.
    InProgress,
}

/// How long a claim is kept alive at most; no request runs longer.
const LONGEST: Duration = Duration::from_mins(10);

impl Fleet {
    /// Claims a key. While another request with the same key runs, waits for its
    /// answer up to a minute.
    pub async fn begin_request(&self, scope: &str, key: &str, fingerprint: &str) -> Result<Begin> {
        let deadline = Instant::now() + PATIENCE;
        let attempt = Uuid::now_v7();
        let holder = attempt.to_string();
        let lease = self.parts.settings.request_lease;
        loop {
            let claim =
                idempotency::claim(&self.parts.store, scope, key, fingerprint, &holder, lease)
                    .await?;
            let slot = match claim {
                Claim::Fresh(id) => IdempotencySlot {
                    id,
                    attempt,
                    job: None,
                    made: None,
                },
                Claim::Resumed { id, job, made } => IdempotencySlot {
                    id,
                    attempt,
                    job,
                    made,
                },
                Claim::Done { status, body } => {
                    return Ok(Begin::Answered {
                        status,
                        body: Secret::new(body),
                    });
                }
                Claim::Mismatch => return Ok(Begin::Mismatch),
                Claim::InProgress if Instant::now() >= deadline => return Ok(Begin::InProgress),
                Claim::InProgress => {
                    sleep(LOOK).await;
                    continue;
                }
            };
            self.keep_claim(slot);
            return Ok(Begin::Run(slot));
        }
    }

    /// Renews a claim until its request is answered, so that a short lease suffices
    /// and a killed process is noticed soon.
    fn keep_claim(&self, slot: IdempotencySlot) {
        let fleet = self.clone();
        tokio::spawn(async move {
            let lease = fleet.parts.settings.request_lease;
            let holder = slot.attempt.to_string();
            let end = Instant::now() + LONGEST;
            while Instant::now() < end {
                sleep(lease / 3).await;
                let renewed =
                    idempotency::heartbeat(&fleet.parts.store, slot.id, &holder, lease).await;
                // Answered, or lost: either way there is nothing left to keep.
                if renewed.is_err() {
                    return;
                }
            }
        });
    }

    /// Keeps the answer for 24 hours, sealed. A passing answer (something is busy or
    /// unreachable) and one of status 5xx are kept only when the request has started a
    /// job or made something; otherwise it had no effect and may be tried again.
    pub async fn finish_request(
        &self,
        slot: IdempotencySlot,
        status: u16,
        body: &Secret<String>,
        passing: bool,
    ) -> Result<()> {
        let store = &self.parts.store;
        let (id, holder) = (slot.id, slot.attempt.to_string());
        let passing = passing || status >= 500;
        if passing {
            idempotency::release(store, id, &holder).await?;
        }
        match idempotency::finish(store, id, &holder, status, body.expose()).await {
            Err(error) if error.is_lost_lease() && passing => Ok(()),
            done => Ok(done?),
        }
    }
}
