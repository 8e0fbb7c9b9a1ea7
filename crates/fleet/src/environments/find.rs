//! Finding one environment.

use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Action, Resource, authorize},
    code,
    views::{Environment, Job},
};
use pressroom_base::{Kind, id::EnvironmentId};
use pressroom_jobs::JobContext;
use pressroom_store::{EnvironmentRow, Lookup, Scope, environments};

/// An environment that somebody may act on.
pub(crate) struct Row {
    pub(crate) env: EnvironmentRow,
}

impl Fleet {
    /// The environment with this panel id, for this action. One of another account
    /// is `NotFound` with [`crate::code::FOREIGN`], an unknown one `NotFound`.
    pub async fn find_environment(
        &self,
        caller: &Caller,
        action: Action,
        panel_id: &str,
    ) -> Result<Environment> {
        let row = environments::by_panel_id(&self.parts.store, &Scope::All, panel_id).await?;
        let row = permitted(caller, action, row.found())?;
        self.fresh_view(row).await
    }

    /// The environment with this row id; errors as [`Fleet::find_environment`].
    pub async fn get_environment(
        &self,
        caller: &Caller,
        action: Action,
        id: EnvironmentId,
    ) -> Result<Environment> {
        let row = self.environment_row(caller, action, id).await?;
        self.fresh_view(row.env).await
    }

    /// The environment of a domain, for people who name sites so; one that was adopted by
    /// the host name in its address. Where there are several, the one with the shortest
    /// path.
    pub async fn find_environment_of_domain(
        &self,
        caller: &Caller,
        action: Action,
        domain: &str,
    ) -> Result<Environment> {
        let missing = || Error::not_found("site");
        let name = crate::domains::ascii_name(domain).map_err(|_| missing())?;
        let store = &self.parts.store;
        let domain = pressroom_store::domains::by_name(store, &Scope::All, &name).await?;
        let rows = match domain {
            Lookup::Found(domain) => self.environments_of_domain(domain.id).await?,
            _ => Vec::new(),
        };
        let row = match rows.into_iter().min_by_key(|row| row.path.len()) {
            Some(row) => Some(row),
            // One that was there before has no domain of ours, but an address.
            None => environments::at_host_name(store, &caller.principal.scope(), &name)
                .await?
                .into_iter()
                .next(),
        };
        if row.is_none() {
            return Err(missing());
        }
        let row = permitted(caller, action, row)?;
        self.fresh_view(row).await
    }

    /// The row itself, for use cases.
    pub(crate) async fn environment_row(
        &self,
        caller: &Caller,
        action: Action,
        id: EnvironmentId,
    ) -> Result<Row> {
        let row = environments::get(&self.parts.store, id).await?;
        Ok(Row {
            env: permitted(caller, action, row)?,
        })
    }

    /// The environment a job works on.
    pub(crate) async fn row_of_job(&self, ctx: &JobContext) -> Result<EnvironmentRow> {
        let missing = || Error::new(Kind::NotFound, "the site is no longer recorded");
        let id = ctx.environment().ok_or_else(missing)?;
        environments::get(&self.parts.store, id)
            .await?
            .ok_or_else(missing)
    }
}

fn permitted(
    caller: &Caller,
    action: Action,
    row: Option<EnvironmentRow>,
) -> Result<EnvironmentRow> {
    let missing = || Error::not_found("Installation");
    let Some(row) = row else {
        // A credential too weak for the action is told so before it learns what exists.
        authorize_credential(caller, action)?;
        return Err(missing());
    };
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

/// Refuses a credential whose scopes never permit this action.
fn authorize_credential(caller: &Caller, action: Action) -> Result<()> {
    match authorize(&caller.principal, action, Resource::Installation) {
        Err(error) if error.code() == Some(code::OUT_OF_SCOPE) => Err(error),
        _ => Ok(()),
    }
}

impl Row {
    /// What can still be said of an installation that was undone.
    pub(crate) fn of_undone_install(job: &Job) -> Environment {
        crate::environments::view::undone(job)
    }
}
