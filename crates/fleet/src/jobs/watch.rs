//! Following a job while it runs.

use super::JobRef;
use crate::{Caller, Fleet, Result, authorize::Action, views::JobUpdate};
use futures_util::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use pressroom_base::id::JobId;

impl Fleet {
    /// The job's state now and at each change, and its output after `after_seq`
    /// (0 for all of it). Ends when the job is final and all output was given.
    pub async fn watch_job(
        &self,
        caller: &Caller,
        id: JobId,
        after_seq: i64,
    ) -> Result<BoxStream<'static, JobUpdate>> {
        let row = self
            .job_row(caller, Action::SiteRead, &JobRef::Id(id))
            .await?;
        let fleet = self.clone();
        let after = i32::try_from(after_seq).unwrap_or(i32::MAX);
        let updates = pressroom_jobs::watch_after(&self.parts.store, row.id, after);
        Ok(updates.then(move |update| {
            let fleet = fleet.clone();
            async move {
                let mut news = Vec::with_capacity(update.output.len() + 1);
                // Output first: who sees a final state may stop listening.
                news.extend(update.output.into_iter().map(|piece| JobUpdate::Output {
                    seq: i64::from(piece.seq),
                    text: piece.text,
                }));
                match fleet.job_view(update.job).await {
                    Ok(job) => news.push(JobUpdate::State(Box::new(job))),
                    Err(error) => {
                        tracing::warn!(job.id = %id, error = %error, "a watched job could not be read");
                    }
                }
                stream::iter(news)
            }
        })
        .flatten()
            .boxed())
    }
}
