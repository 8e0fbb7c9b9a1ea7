//! Finding pipelines.

use super::{
    picture::PipelinePicture,
    view::{Around, Pipeline, PipelineDetails},
};
use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Action, Resource, authorize, authorize_list},
    code,
};
use pressroom_base::{
    Kind,
    id::{EnvironmentId, ShortId, SiteId},
};
use pressroom_store::{
    Page, PipelineFilter, PipelineRow, PipelineState, Scope, environments, pipelines, users,
};

/// Which pipelines are asked for; nothing is all.
#[derive(Debug, Clone, Default)]
pub struct PipelineQuery {
    /// In this state.
    pub status: Option<PipelineState>,
    /// Those that are not over.
    pub open: bool,
    /// Of these sites; where one site is asked for by itself, of that.
    pub sites: Option<Vec<SiteId>>,
}

impl Fleet {
    /// The pipelines of the site that programs call so, newest first, and how many there are.
    ///
    /// Errors: `NotFound`, `Forbidden`.
    pub async fn list_site_pipelines(
        &self,
        caller: &Caller,
        site: &ShortId,
        query: PipelineQuery,
        limit: u64,
        offset: u64,
    ) -> Result<(Vec<Pipeline>, u64)> {
        let site = self.site_for(caller, Action::SiteRead, site).await?;
        let filter = PipelineFilter {
            site_ids: Some(vec![site.id]),
            status: query.status,
            open: query.open,
            ..PipelineFilter::default()
        };
        self.pipelines_of(&Scope::All, &filter, Page { limit, offset })
            .await
    }

    /// The pipelines of an environment's site, newest first, and how many there are.
    ///
    /// Errors: `NotFound`, `Forbidden`.
    pub async fn list_environment_pipelines(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        query: PipelineQuery,
        limit: u64,
    ) -> Result<(Vec<Pipeline>, u64)> {
        let row = self
            .environment_row(caller, Action::SiteRead, environment)
            .await?
            .env;
        let filter = PipelineFilter {
            site_ids: Some(vec![row.site_id]),
            status: query.status,
            open: query.open,
            ..PipelineFilter::default()
        };
        self.pipelines_of(&Scope::All, &filter, Page::first(limit))
            .await
    }

    /// The pipelines of all sites that the caller may see, newest first, and how many there
    /// are.
    pub async fn list_pipelines(
        &self,
        caller: &Caller,
        query: PipelineQuery,
        limit: u64,
        offset: u64,
    ) -> Result<(Vec<Pipeline>, u64)> {
        authorize_list(&caller.principal, Action::SiteRead)?;
        let filter = PipelineFilter {
            site_ids: query.sites,
            status: query.status,
            open: query.open,
            ..PipelineFilter::default()
        };
        let scope = caller.principal.scope();
        self.pipelines_of(&scope, &filter, Page { limit, offset })
            .await
    }

    /// One of a site, with what it found; `NotFound` where it is another site's.
    pub async fn find_site_pipeline(
        &self,
        caller: &Caller,
        site: &ShortId,
        id: &ShortId,
    ) -> Result<PipelineDetails> {
        let row = self
            .site_pipeline(caller, Action::SiteRead, site, id)
            .await?;
        self.pipeline_details(row).await
    }

    /// The one that programs call so, with what it found.
    ///
    /// Errors: `NotFound`, `Forbidden`.
    pub async fn find_pipeline(&self, caller: &Caller, id: &ShortId) -> Result<PipelineDetails> {
        let row = self.pipeline_row(caller, Action::SiteRead, id).await?;
        self.pipeline_details(row).await
    }

    /// The row of one of a site, for this action.
    pub(super) async fn site_pipeline(
        &self,
        caller: &Caller,
        action: Action,
        site: &ShortId,
        id: &ShortId,
    ) -> Result<PipelineRow> {
        let site = self.site_for(caller, action, site).await?;
        let found = pipelines::by_short_id(&self.parts.store, &Scope::All, id).await?;
        found
            .found()
            .filter(|row| row.site_id == site.id)
            .ok_or_else(missing)
    }

    /// The row of one, for this action.
    pub(super) async fn pipeline_row(
        &self,
        caller: &Caller,
        action: Action,
        id: &ShortId,
    ) -> Result<PipelineRow> {
        let found = pipelines::by_short_id(&self.parts.store, &Scope::All, id).await?;
        let row = found.found().ok_or_else(missing)?;
        match authorize(
            &caller.principal,
            action,
            Resource::OfAccount(row.account_id),
        ) {
            Ok(()) => Ok(row),
            Err(error) if error.kind() == Kind::NotFound => Err(missing().with_code(code::FOREIGN)),
            Err(error) => Err(error),
        }
    }

    async fn pipelines_of(
        &self,
        scope: &Scope,
        filter: &PipelineFilter,
        page: Page,
    ) -> Result<(Vec<Pipeline>, u64)> {
        let store = &self.parts.store;
        let total = pipelines::count(store, scope, filter).await?;
        let rows = pipelines::list(store, scope, filter, page).await?;
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let mut targets = pipelines::targets_of(store, &ids).await?;
        let mut views = Vec::with_capacity(rows.len());
        for row in rows {
            let own = targets.remove(&row.id).unwrap_or_default();
            let around = self.around(&row).await?;
            views.push(Pipeline::new(row, own, around));
        }
        Ok((views, total))
    }

    /// A row as faces see it.
    pub(super) async fn pipeline_view(&self, row: PipelineRow) -> Result<Pipeline> {
        let targets = pipelines::targets(&self.parts.store, row.id).await?;
        let around = self.around(&row).await?;
        Ok(Pipeline::new(row, targets, around))
    }

    pub(super) async fn pipeline_details(&self, row: PipelineRow) -> Result<PipelineDetails> {
        let findings = pipelines::findings(&self.parts.store, row.id).await?;
        let pictures = pipelines::pictures(&self.parts.store, row.id).await?;
        Ok(PipelineDetails {
            findings: findings.into_iter().map(super::Finding::from).collect(),
            pictures: pictures.into_iter().map(PipelinePicture::from).collect(),
            pipeline: self.pipeline_view(row).await?,
        })
    }

    async fn around(&self, row: &PipelineRow) -> Result<Around> {
        let store = &self.parts.store;
        let site = environments::get_site(store, row.site_id).await?;
        let environment = environments::get(store, row.environment_id).await?;
        let person = match row.created_by {
            Some(id) => users::get(store, id).await?,
            None => None,
        };
        Ok(Around {
            site_id: site
                .as_ref()
                .map(|site| site.short_id.to_string())
                .unwrap_or_default(),
            site: site.map(|site| site.name).unwrap_or_default(),
            url: environment.map(|row| row.url).unwrap_or_default(),
            created_by: person.map(|user| user.short_id.to_string()),
        })
    }
}

pub(super) fn missing() -> Error {
    Error::not_found("pipeline")
}
