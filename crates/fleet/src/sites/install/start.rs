//! Asking for an installation: everything that can be refused is refused here.

use super::{
    payload::{NewPlace, Payload, Secrets},
    values::{self, DOCUMENT_ROOT, InstallSite},
};
use crate::{
    Caller, Error, Fleet, Result,
    authorize::Action,
    code,
    environments::Row,
    jobs::Enqueue,
    reach::Ground,
    views::{Environment, Job},
};
use pressroom_base::{Kind, catalog::event, token};
use pressroom_providers::hosting::LocalHosting;
use pressroom_store::{
    DomainRow, EnvironmentKind, EnvironmentState, Lookup, NewEnvironment, ResourceState, Scope,
    accounts, environments, resources,
};
use std::path::Path;
use tokio_util::sync::CancellationToken;

/// An installation that was asked for.
#[derive(Debug)]
pub struct StartedInstall {
    /// The environment, state `installing`.
    pub environment: Environment,
    /// The job. Its result: `{"environment_id":…, "panel_id":…, "admin_user":…}`; a
    /// generated password is had once from [`Fleet::take_job_secret`].
    pub job: Job,
}

/// A page smaller than this may be a host's placeholder.
const PLACEHOLDER_BYTES: u64 = 16 * 1024;

impl Fleet {
    /// Checks the request and starts the installation as a job.
    ///
    /// Errors: `Invalid` (a value is malformed; with [`crate::code::UNPROCESSABLE`]
    /// when it is well-formed but cannot work; with [`crate::code::PATH_ESCAPES`]),
    /// `NotFound` (domain), `Conflict` with `ALREADY_INSTALLED`, `NOT_EMPTY` or
    /// `DATABASE_EXISTS`, `Forbidden`, `Unreachable` (database server).
    pub async fn install_site(&self, caller: &Caller, new: InstallSite) -> Result<StartedInstall> {
        if let Some(job) = caller.earlier_job() {
            return self.started_earlier(caller, job).await;
        }
        let domain = self
            .permitted_domain(caller, Action::SiteInstall, &new.domain)
            .await?;
        let account = accounts::get(&self.parts.store, domain.account_id)
            .await?
            .ok_or_else(|| Error::not_found("account"))?;
        let values = values::check(&new, &domain.name, &account.prefix)?;
        let core = self
            .parts
            .packages
            .core(new.version.as_deref(), &values.locale)
            .await
            .map_err(unknown_version)?;
        if core.locale != values.locale {
            return Err(Error::invalid(format!(
                "no package source has WordPress {} in the locale `{}`",
                core.version, values.locale
            ))
            .with_code(code::UNPROCESSABLE));
        }
        self.refuse_occupied(&domain, &values.path, &values.db_name, &values.db_user)
            .await?;

        let url = site_url(&self.parts.hosting, &domain.name, &values.path)?;
        let root = format!("{}/{}", domain.root, values.path);
        let origin = self.parts.hosting.origin(&domain.name)?;
        let panel_id = self.free_panel_id(&root).await?;
        let secrets = Secrets {
            db_password: values.db_password.expose().clone(),
            admin_password: values.admin_password.expose().clone(),
        };
        let payload = Payload {
            place: NewPlace {
                panel_id: panel_id.clone(),
                domain_id: domain.id,
                domain: domain.name.clone(),
                path: values.path.clone(),
                url: url.clone(),
                db_name: values.db_name.clone(),
                db_user: values.db_user.clone(),
                db_host: self.parts.hosting.db_host()?,
                table_prefix: values.table_prefix.clone(),
            },
            title: values.title.clone(),
            admin_user: values.admin_user,
            admin_email: values.admin_email,
            admin_password_generated: values.admin_password_generated,
            version: core.version,
            locale: values.locale.clone(),
        };

        let tx = self.parts.store.begin().await?;
        let site = environments::create_site(
            &tx,
            domain.account_id,
            &uuid::Uuid::now_v7().to_string(),
            &values.title,
        )
        .await?;
        let environment = environments::create(
            &tx,
            NewEnvironment {
                site_id: site.id,
                account_id: domain.account_id,
                unix_user: None,
                domain_id: Some(domain.id),
                host_id: None,
                kind: EnvironmentKind::Production,
                panel_id,
                root,
                path: values.path,
                url,
                origin_addr: Some(origin.addr.to_string()),
                origin_host: Some(origin.host),
                state: EnvironmentState::Installing,
                db_name: values.db_name,
                db_user: values.db_user,
                db_host: payload.place.db_host.clone(),
                db_password: Some(values.db_password),
                table_prefix: values.table_prefix,
                core_version: String::new(),
                locale: values.locale,
                title: values.title,
            },
        )
        .await
        .map_err(|error| match error {
            pressroom_store::Error::Exists { .. } => already_installed(),
            other => other.into(),
        })?;
        let job = self
            .enqueue(
                &tx,
                caller,
                Enqueue::writing("site_install", &environment, &payload)?
                    .with_secrets(&secrets)?
                    .with_event(event::SITE_INSTALL_STARTED),
            )
            .await?;
        tx.commit().await?;
        self.started_earlier(caller, job).await
    }

    async fn started_earlier(
        &self,
        caller: &Caller,
        job: pressroom_base::id::JobId,
    ) -> Result<StartedInstall> {
        let job = self.job_by_id(caller, Action::SiteInstall, job).await?;
        let environment = match job.environment_id {
            Some(id) => {
                self.get_environment(caller, Action::SiteInstall, id)
                    .await?
            }
            // Undone by now: what is left of it is in the job.
            None => Row::of_undone_install(&job),
        };
        Ok(StartedInstall { environment, job })
    }

    /// Refuses what is plainly in the way now. The job looks again when it acts.
    pub(in crate::sites) async fn refuse_occupied(
        &self,
        domain: &DomainRow,
        path: &str,
        db_name: &str,
        db_user: &str,
    ) -> Result<()> {
        let store = &self.parts.store;
        let root = format!("{}/{path}", domain.root);
        if let Some(row) = environments::by_root(store, None, &root).await? {
            return Err(if row.state == EnvironmentState::Broken {
                already_installed().with_hint(format!(
                    "the site there is broken; `pressroom site remove {}` makes room",
                    row.panel_id
                ))
            } else {
                already_installed()
            });
        }
        self.refuse_occupied_directory(domain, path).await?;
        if self.parts.hosting.database_exists(db_name).await? {
            return Err(
                Error::conflict(format!("Database `{db_name}` already exists"))
                    .with_code(code::DATABASE_EXISTS)
                    .with_hint("choose another `db_name`; an existing database is never adopted"),
            );
        }
        if self.parts.hosting.database_user_exists(db_user).await? {
            return Err(
                Error::conflict(format!("Database user `{db_user}` already exists"))
                    .with_code(code::DATABASE_EXISTS),
            );
        }
        Ok(())
    }

    async fn refuse_occupied_directory(&self, domain: &DomainRow, path: &str) -> Result<()> {
        let not_empty = || {
            Error::conflict("The target directory is not empty")
                .with_code(code::NOT_EMPTY)
                .with_hint("choose another `path`; what is there is left as it is")
        };
        let ours = resources::by_name(&self.parts.store, "home", &domain.root)
            .await?
            .is_some_and(|home| home.state != ResourceState::Released);
        if !ours {
            return if Path::new(&domain.root).exists() {
                Err(not_empty())
            } else {
                Ok(())
            };
        }
        let session = self
            .open_session(&Ground::of(domain), CancellationToken::new())
            .await?;
        let Some(tree) = session.tree_hash(path).await? else {
            return Ok(());
        };
        // A lone small file may be a placeholder page: the job looks at it closely.
        if tree.files == 0 || (tree.files == 1 && tree.bytes < PLACEHOLDER_BYTES) {
            return Ok(());
        }
        match session.inspect(path).await {
            Ok(found) if found.version.is_some() => Err(already_installed()),
            _ => Err(not_empty()),
        }
    }

    /// `wp_` and the first nine hex digits of SHA-256(host, root), two more on each
    /// collision (contract `wispanel.md` §2).
    pub(in crate::sites) async fn free_panel_id(&self, root: &str) -> Result<String> {
        let digest = token::digest(&format!("{}\0{root}", self.parts.settings.node));
        for len in (9..digest.len()).step_by(2) {
            let id = format!("wp_{}", &digest[..len]);
            let taken = environments::by_panel_id(&self.parts.store, &Scope::All, &id).await?;
            if matches!(taken, Lookup::Missing) {
                return Ok(id);
            }
        }
        Ok(format!("wp_{}", token::hex(32)))
    }
}

fn already_installed() -> Error {
    Error::conflict("WordPress is already installed in this path")
        .with_code(code::ALREADY_INSTALLED)
}

fn unknown_version(error: pressroom_providers::packages::Error) -> Error {
    match error.kind() {
        Kind::NotFound | Kind::Invalid => {
            Error::invalid(error.to_string()).with_code(code::UNPROCESSABLE)
        }
        _ => error.into(),
    }
}

/// The address a site in this directory has: the document root is the domain
/// itself, a directory below it a path. The port shows when it is not the usual one.
pub(in crate::sites) fn site_url(
    hosting: &LocalHosting,
    domain: &str,
    path: &str,
) -> Result<String> {
    let below = path
        .strip_prefix(DOCUMENT_ROOT)
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
        .ok_or_else(|| {
            Error::invalid(format!("path `{path}` is not below the document root"))
                .with_code(code::UNPROCESSABLE)
                .with_hint(format!("begin the path with `{DOCUMENT_ROOT}`"))
        })?;
    Ok(match hosting.origin(domain)?.addr.port() {
        80 => format!("http://{domain}{below}"),
        port => format!("http://{domain}:{port}{below}"),
    })
}
