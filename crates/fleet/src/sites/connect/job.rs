//! The job that connects one site. It is tried until it succeeds: the site may be made
//! ready today or next week.

use crate::{Caller, Error, Fleet, Result, jobs::Enqueue, principal::Principal};
use async_trait::async_trait;
use pressroom_base::{Kind, catalog::event, id::SiteId};
use pressroom_jobs::{Interruption, JobContext, JobFailure, JobKind, JobRow, RetryPolicy};
use pressroom_store::{KnownSite, Lane, SiteChange, SiteRow, Tx, sites};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// The kind of the job.
const KIND: &str = "site_connect";
/// What keeps a second one from a site.
pub(super) const KEY: &str = "site_connect:";
/// Every hour, that is for more than ten years.
const ATTEMPTS: i32 = 100_000;
/// Characters of a trouble that is kept.
const LONGEST: usize = 1000;

#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    site: SiteId,
}

/// Connects one site.
pub(crate) struct ConnectJob(pub(crate) Fleet);

/// The site that a job is to connect.
pub(in crate::sites) fn site_of(job: &JobRow) -> Option<SiteId> {
    let payload: Payload = serde_json::from_value(job.payload.clone()).ok()?;
    (job.kind == KIND).then_some(payload.site)
}

#[async_trait]
impl JobKind for ConnectJob {
    fn name(&self) -> &'static str {
        KIND
    }

    fn lane(&self) -> Lane {
        Lane::Read
    }

    fn retry(&self) -> RetryPolicy {
        RetryPolicy {
            transport: true,
            site: true,
            bug: true,
            base: Duration::from_secs(30),
            cap: Duration::from_hours(1),
        }
    }

    fn interruption(&self) -> Interruption {
        Interruption::Resume
    }

    async fn run(&self, ctx: &JobContext) -> std::result::Result<Value, JobFailure> {
        let payload: Payload = ctx.payload()?;
        let fleet = &self.0;
        let known = sites::known(&fleet.parts.store, payload.site).await?;
        let known = known.filter(|known| known.site.url.is_some() && !known.site.paused);
        let Some(known) = known else {
            ctx.line("there is nothing to connect any more");
            return Ok(json!({ "connected": false }));
        };
        match fleet.connect(&known).await {
            Ok(url) => {
                ctx.line(format!("{url} is connected"));
                Ok(json!({ "connected": true, "url": url }))
            }
            Err(error) => {
                fleet.note_trouble(&known, &error).await?;
                let failure = JobFailure::from(error);
                // Whatever it is, somebody may put it right without telling us.
                let passes = failure.kind != Kind::Internal;
                Err(if passes {
                    failure.with_class(pressroom_jobs::Class::Site)
                } else {
                    failure
                })
            }
        }
    }
}

impl Fleet {
    /// Has a site be looked for at once: in the transaction that gives it an address, or
    /// another way to it.
    pub(in crate::sites) async fn begin_to_connect(
        &self,
        tx: &Tx,
        caller: &Caller,
        site: &SiteRow,
    ) -> Result<()> {
        let key = format!("{KEY}{}", site.id);
        if sites::hasten(tx, &key).await?.is_some() {
            return Ok(());
        }
        let payload = Payload { site: site.id };
        let job = Enqueue::reading(KIND, site.account_id, None, &payload)?;
        self.enqueue(tx, caller, job.persistent(key, ATTEMPTS))
            .await?;
        Ok(())
    }

    /// Keeps why a site is not connected. The activity log is told of what is new alone.
    async fn note_trouble(&self, known: &KnownSite, error: &Error) -> Result<()> {
        let trouble = trouble(error);
        let tx = self.parts.store.begin().await?;
        let now = tx.now().await?;
        let before = match sites::lock(&tx, known.site.id).await {
            Ok(before) if before.url == known.site.url => before,
            // Forgotten, or asked for elsewhere meanwhile.
            Ok(_) | Err(pressroom_store::Error::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let change = SiteChange {
            trouble: Some(Some(trouble.clone())),
            tried_at: Some(Some(now)),
            ..SiteChange::default()
        };
        let row = sites::change(&tx, before.id, change).await?;
        if before.trouble.as_ref() != Some(&trouble) {
            let caller = Caller::new(Principal::worker());
            let told = json!({ "url": row.url, "reason": trouble });
            let environment = known.environment.as_ref().map(|row| row.id);
            self.note_site_at(
                &tx,
                &caller,
                event::SITE_CONNECT_FAILED,
                &row,
                environment,
                told,
            )
            .await?;
        }
        Ok(tx.commit().await?)
    }
}

/// For people, on one line.
fn trouble(error: &Error) -> String {
    let mut text = error.message().to_owned();
    if let Some(hint) = error.hint() {
        text = format!("{text}; {hint}");
    }
    text.chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .take(LONGEST)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_is_one_line_with_advice() {
        let error = Error::invalid("no\0thing\nthere").with_hint("put it there");
        assert_eq!(trouble(&error), "no thing there; put it there");
        assert_eq!(trouble(&Error::invalid("x".repeat(5000))).len(), LONGEST);
    }
}
