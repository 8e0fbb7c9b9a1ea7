//! Finding one domain.

use super::ascii_name;
use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Action, Resource, authorize},
    code,
};
use pressroom_base::Kind;
use pressroom_store::{DomainRow, Lookup, Scope, domains};

impl Fleet {
    /// The domain of this name, for this action. One of another account is `NotFound`
    /// with [`code::FOREIGN`], an unknown one `NotFound`.
    pub(crate) async fn permitted_domain(
        &self,
        caller: &Caller,
        action: Action,
        name: &str,
    ) -> Result<DomainRow> {
        let unknown = || {
            Error::not_found("Domain").with_hint("`pressroom domain list` lists those there are")
        };
        let name = ascii_name(name).map_err(|_| unknown())?;
        let Lookup::Found(domain) = domains::by_name(&self.parts.store, &Scope::All, &name).await?
        else {
            return Err(unknown());
        };
        authorize(
            &caller.principal,
            action,
            Resource::OfAccount(domain.account_id),
        )
        .map_err(|error| match error.kind() {
            Kind::NotFound => unknown().with_code(code::FOREIGN),
            _ => error,
        })?;
        Ok(domain)
    }
}
