//! What looks at a site found.

use super::{HealthCheck, view::view};
use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Action, Resource, authorize},
    code,
};
use pressroom_base::{
    Kind, Timestamp,
    id::{ShortId, SiteId},
};
use pressroom_store::{
    CheckKind, CheckStatus, HealthCheckRow, HealthFilter, Page, Scope, SiteRow, environments,
    health,
};

/// Which looks are asked for; nothing is all of them.
#[derive(Debug, Clone, Default)]
pub struct HealthQuery {
    /// With this result.
    pub status: Option<CheckStatus>,
    /// For this reason.
    pub kind: Option<CheckKind>,
    /// From this instant on.
    pub from: Option<Timestamp>,
    /// Up to this instant.
    pub to: Option<Timestamp>,
}

impl Fleet {
    /// The looks at the site that programs call so, newest first and without what each
    /// looked at; and how many there are in all. A site of another account is `NotFound`
    /// with [`code::FOREIGN`].
    pub async fn list_health_checks(
        &self,
        caller: &Caller,
        site: &ShortId,
        query: HealthQuery,
        limit: u64,
        offset: u64,
    ) -> Result<(Vec<HealthCheck>, u64)> {
        let site = self.site_to_read(caller, site).await?;
        self.looks_at(&site, query, Page { limit, offset }).await
    }

    /// The same of a site by its row.
    pub async fn list_health_checks_of(
        &self,
        caller: &Caller,
        site: SiteId,
        query: HealthQuery,
        limit: u64,
    ) -> Result<(Vec<HealthCheck>, u64)> {
        let found = environments::get_site(&self.parts.store, site).await?;
        let site = permitted(caller, found)?;
        self.looks_at(&site, query, Page::first(limit)).await
    }

    /// A look at this site, with all that was looked at; `NotFound` where it was another
    /// site that was looked at.
    pub async fn find_health_check(
        &self,
        caller: &Caller,
        site: &ShortId,
        id: &ShortId,
    ) -> Result<HealthCheck> {
        let site = self.site_to_read(caller, site).await?;
        let found = health::by_public_id(&self.parts.store, Some(site.id), id).await?;
        let row = found
            .found()
            .ok_or_else(|| Error::not_found("health check"))?;
        self.look_in_full(row, &site).await
    }

    /// A look at whichever site, with all that was looked at.
    pub async fn get_health_check(&self, caller: &Caller, id: &ShortId) -> Result<HealthCheck> {
        let store = &self.parts.store;
        let missing = || Error::not_found("health check");
        let row = health::by_public_id(store, None, id).await?.found();
        let row = row.ok_or_else(missing)?;
        let site = environments::get_site(store, row.site_id).await?;
        let site = permitted(caller, site).map_err(|error| match error.kind() {
            Kind::NotFound => missing().with_code(code::FOREIGN),
            _ => error,
        })?;
        self.look_in_full(row, &site).await
    }

    async fn site_to_read(&self, caller: &Caller, site: &ShortId) -> Result<SiteRow> {
        let found = health::site_by_short_id(&self.parts.store, &Scope::All, site).await?;
        let site = permitted(caller, found.found())?;
        // Programs work in one account at a time.
        match caller.principal.account {
            Some(account) if account != site.account_id => {
                Err(Error::not_found("site").with_code(code::FOREIGN))
            }
            _ => Ok(site),
        }
    }

    async fn looks_at(
        &self,
        site: &SiteRow,
        query: HealthQuery,
        page: Page,
    ) -> Result<(Vec<HealthCheck>, u64)> {
        let filter = HealthFilter {
            status: query.status,
            kind: query.kind,
            from: query.from,
            to: query.to,
        };
        let store = &self.parts.store;
        let (rows, total) = health::list(store, site.id, &filter, page).await?;
        let mut ids: Vec<i64> = rows.iter().map(|row| row.detail_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let details = health::details(store, &ids).await?;
        let looks = rows
            .into_iter()
            .map(|row| {
                let kept = details.get(&row.detail_id).map(String::as_str);
                view(row, site.short_id.as_str(), kept)
            })
            .collect();
        Ok((looks, total))
    }

    async fn look_in_full(&self, row: HealthCheckRow, site: &SiteRow) -> Result<HealthCheck> {
        let details = health::details(&self.parts.store, &[row.detail_id]).await?;
        let kept = details.get(&row.detail_id).map(String::as_str);
        Ok(view(row, site.short_id.as_str(), kept))
    }
}

pub(super) fn permitted(caller: &Caller, site: Option<SiteRow>) -> Result<SiteRow> {
    let missing = || Error::not_found("site");
    let Some(site) = site else {
        return match authorize(&caller.principal, Action::SiteRead, Resource::Installation) {
            Err(error) if error.code() == Some(code::OUT_OF_SCOPE) => Err(error),
            _ => Err(missing()),
        };
    };
    match authorize(
        &caller.principal,
        Action::SiteRead,
        Resource::OfAccount(site.account_id),
    ) {
        Ok(()) => Ok(site),
        Err(error) if error.kind() == Kind::NotFound => Err(missing().with_code(code::FOREIGN)),
        Err(error) => Err(error),
    }
}
