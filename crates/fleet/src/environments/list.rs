//! Listing environments.

use crate::{
    Caller, Fleet, Result,
    authorize::{Action, authorize_list},
    views::Environment,
};
use pressroom_base::id::DomainId;
use pressroom_store::{EnvironmentFilter as Stored, EnvironmentRow, Page, Scope, environments};

/// Which environments to list.
#[derive(Debug, Clone, Default)]
pub struct EnvironmentFilter {
    /// Words that domain, title or account must contain.
    pub text: String,
    /// At most so many; 0 means all.
    pub limit: u64,
    /// Skip so many.
    pub offset: u64,
}

impl Fleet {
    /// Environments of the caller's accounts, by domain, then path. Facts older than
    /// a minute are refreshed behind the answer.
    pub async fn list_environments(
        &self,
        caller: &Caller,
        filter: &EnvironmentFilter,
    ) -> Result<Vec<Environment>> {
        authorize_list(&caller.principal, Action::SiteRead)?;
        let scope = caller.principal.scope();
        let rows =
            environments::list(&self.parts.store, &scope, &Stored::default(), Page::ALL).await?;
        self.refresh_stale_behind(&rows);
        let names = self.names(&scope).await?;
        let words: Vec<String> = filter
            .text
            .split_whitespace()
            .map(str::to_lowercase)
            .collect();
        let mut shown: Vec<_> = rows
            .into_iter()
            .filter(|row| words.iter().all(|word| names.mentions(row, word)))
            .collect();
        names.sort(&mut shown);
        let offset = usize::try_from(filter.offset).unwrap_or(usize::MAX);
        let limit = match filter.limit {
            0 => usize::MAX,
            limit => usize::try_from(limit).unwrap_or(usize::MAX),
        };
        // Components are many times as many as sites: only for those that are shown.
        let shown = shown.into_iter().skip(offset).take(limit).collect();
        self.views(&names, shown).await
    }

    /// Every environment in a domain, whoever asks: for use cases.
    pub(crate) async fn environments_of_domain(
        &self,
        domain: DomainId,
    ) -> Result<Vec<EnvironmentRow>> {
        let filter = Stored {
            domain_id: Some(domain),
            ..Stored::default()
        };
        Ok(environments::list(&self.parts.store, &Scope::All, &filter, Page::ALL).await?)
    }
}
