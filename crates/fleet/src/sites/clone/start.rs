//! Asking for a copy: everything that can be refused is refused here.

use super::{
    fit,
    payload::{KIND, Payload},
};
use crate::{
    Caller, Error, Fleet, Result,
    authorize::Action,
    code,
    jobs::Enqueue,
    reach::Shared,
    sites::install::{NewPlace, site_url, values},
    views::{Environment, Job},
};
use pressroom_base::{
    Secret,
    catalog::event,
    id::{EnvironmentId, JobId},
    token,
};
use pressroom_store::{
    DomainRow, EnvironmentKind, EnvironmentRow, EnvironmentState, NewEnvironment, accounts,
    environments,
};

/// A copy to make.
#[derive(Debug, Clone)]
pub struct CloneSite {
    /// A domain of the source's account.
    pub domain: String,
    /// Directory relative to the domain's; `public_html` when `None`.
    pub path: Option<String>,
    /// Database name; the account's prefix is put before it. Generated when `None`.
    pub db_name: Option<String>,
    /// Whether search engines are asked to stay away.
    pub noindex: bool,
}

/// A copy that was asked for.
#[derive(Debug)]
pub struct StartedClone {
    /// The new environment, state `installing`; `None` when it is undone by now.
    pub environment: Option<Environment>,
    /// The job, whose result is a [`Cloned`](super::Cloned).
    pub job: Job,
}

impl Fleet {
    /// Starts copying a site to another place of its account, as a job. It ends
    /// `completed` only when the copy answers at its own address; otherwise everything
    /// that was made for it is gone. Nothing of the source is written.
    ///
    /// Errors: `NotFound` (site, domain), `Forbidden`, `Invalid` (a malformed path or
    /// database name, a place inside the source; with `UNPROCESSABLE` for another
    /// account's domain, or a network whose sites have names of their own), `Limited`
    /// with `NO_ROOM` (the disk), `Conflict` with `ALREADY_INSTALLED`, `NOT_EMPTY` or
    /// `DATABASE_EXISTS` or because the source does not work or calls itself otherwise,
    /// `Busy` with `OPERATION_RUNNING`.
    pub async fn clone_site(
        &self,
        caller: &Caller,
        source: EnvironmentId,
        new: CloneSite,
    ) -> Result<StartedClone> {
        if let Some(job) = caller.earlier_job() {
            return self.started_clone(caller, job).await;
        }
        let source = self
            .environment_row(caller, Action::SiteInstall, source)
            .await?
            .env;
        let domain = self
            .permitted_domain(caller, Action::SiteInstall, &new.domain)
            .await?;
        fit::refuse_recorded(&source, &domain)?;
        let account = accounts::get(&self.parts.store, domain.account_id)
            .await?
            .ok_or_else(|| Error::not_found("account"))?;
        let path = values::relative_path(new.path.as_deref().unwrap_or(values::DOCUMENT_ROOT))?;
        let generated = || token::name(8);
        let db_name = new.db_name.clone().unwrap_or_else(generated);
        let db_name = values::database_name(&db_name, &account.prefix)?;
        let db_user = values::database_user(None, &account.prefix)?;
        let root = format!("{}/{path}", domain.root);
        if root == source.root || root.starts_with(&format!("{}/", source.root)) {
            return Err(Error::invalid("the target is inside the source"));
        }
        self.refuse_occupied(&domain, &path, &db_name, &db_user)
            .await?;
        fit::refuse_unfit(self, &source, &domain).await?;
        let password = token::password();
        let place = NewPlace {
            panel_id: self.free_panel_id(&root).await?,
            domain_id: domain.id,
            domain: domain.name.clone(),
            url: site_url(&self.parts.hosting, &domain.name, &path)?,
            path,
            db_name,
            db_user,
            db_host: self.parts.hosting.db_host()?,
            // Its database is its own: nothing has to be renamed.
            table_prefix: source.table_prefix.clone(),
        };
        let payload = Payload {
            place,
            source: source.id,
            noindex: new.noindex,
        };
        let job = self
            .enqueue_clone(caller, &source, &domain, root, payload, password)
            .await?;
        self.started_clone(caller, job).await
    }

    async fn enqueue_clone(
        &self,
        caller: &Caller,
        source: &EnvironmentRow,
        domain: &DomainRow,
        root: String,
        payload: Payload,
        password: Secret<String>,
    ) -> Result<JobId> {
        let origin = self.parts.hosting.origin(&domain.name)?;
        let place = payload.place.clone();
        let tx = self.parts.store.begin().await?;
        let site = environments::create_site(
            &tx,
            domain.account_id,
            &uuid::Uuid::now_v7().to_string(),
            &source.title,
        )
        .await?;
        let new = NewEnvironment {
            site_id: site.id,
            account_id: domain.account_id,
            unix_user: None,
            domain_id: Some(domain.id),
            host_id: None,
            kind: EnvironmentKind::Clone,
            panel_id: place.panel_id,
            root,
            path: place.path,
            url: place.url,
            origin_addr: Some(origin.addr.to_string()),
            origin_host: Some(origin.host),
            state: EnvironmentState::Installing,
            db_name: place.db_name,
            db_user: place.db_user,
            db_host: place.db_host,
            db_password: Some(Secret::new(password.expose().clone())),
            table_prefix: place.table_prefix,
            core_version: String::new(),
            locale: source.locale.clone(),
            title: source.title.clone(),
        };
        let environment = environments::create(&tx, new)
            .await
            .map_err(|error| match error {
                pressroom_store::Error::Exists { .. } => {
                    Error::conflict("WordPress is already installed in this path")
                        .with_code(code::ALREADY_INSTALLED)
                }
                other => other.into(),
            })?;
        let job = Enqueue::writing(KIND, &environment, &payload)?
            .and_of(Shared::of(source))
            .with_plain_secret(password)
            .with_event(event::SITE_CLONE_STARTED);
        let job = self.enqueue(&tx, caller, job).await?;
        tx.commit().await?;
        Ok(job)
    }

    async fn started_clone(&self, caller: &Caller, id: JobId) -> Result<StartedClone> {
        let job = self.job_by_id(caller, Action::SiteInstall, id).await?;
        let environment = match job.environment_id {
            Some(id) => Some(
                self.get_environment(caller, Action::SiteInstall, id)
                    .await?,
            ),
            None => None,
        };
        Ok(StartedClone { environment, job })
    }
}
