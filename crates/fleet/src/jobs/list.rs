//! Listing jobs.

use crate::{
    Caller, Fleet, Result,
    authorize::{Action, authorize_list},
    views::Job,
};
use pressroom_base::id::EnvironmentId;
use pressroom_store::{JobFilter as Stored, JobState, Page, jobs};

/// Which jobs to list.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Only of this environment.
    pub environment: Option<EnvironmentId>,
    /// Only in this state.
    pub state: Option<String>,
    /// At most so many; 0 means 100.
    pub limit: u64,
}

impl Fleet {
    /// Jobs of the caller's accounts, newest first, without their steps.
    pub async fn list_jobs(&self, caller: &Caller, filter: &JobFilter) -> Result<Vec<Job>> {
        authorize_list(&caller.principal, Action::SiteRead)?;
        let states = match &filter.state {
            None => Vec::new(),
            Some(name) => match JobState::parse(name) {
                Some(state) => vec![state],
                None => return Ok(Vec::new()),
            },
        };
        let stored = Stored {
            environment_id: filter.environment,
            states,
            ..Stored::default()
        };
        let page = Page {
            limit: if filter.limit == 0 { 100 } else { filter.limit },
            offset: 0,
        };
        let rows = jobs::list(&self.parts.store, &caller.principal.scope(), &stored, page).await?;
        self.job_views(rows).await
    }
}
