//! Whether whoever asked for a run may still do it.

use super::Operation;
use crate::{
    Caller, Fleet, Principal, Result,
    authorize::{Resource, authorize},
};
use pressroom_base::{
    Epoch,
    id::{JobId, UserId},
};
use pressroom_store::{EnvironmentRow, EnvironmentState};
use std::time::Duration;
use tokio::time::Instant;

/// How long what is known of a person holds.
const LASTS: Duration = Duration::from_secs(5);

/// The rights of whoever asked for a run, as they are now.
pub(super) struct Rights {
    /// `None`: the machine's own console.
    person: Option<UserId>,
    /// What is begun is part of this job.
    part_of: (JobId, Epoch),
    seen: Option<(Caller, Instant)>,
}

/// Why nothing may be begun at an environment, in words.
pub(super) type Refused = &'static str;

impl Rights {
    pub(super) const fn of(person: Option<UserId>, part_of: (JobId, Epoch)) -> Self {
        Self {
            person,
            part_of,
            seen: None,
        }
    }

    /// Whoever asked and the environment, when it is there and they may still do that to it.
    pub(super) async fn at(
        &mut self,
        fleet: &Fleet,
        row: Option<EnvironmentRow>,
        operation: &Operation,
    ) -> Result<std::result::Result<(Caller, EnvironmentRow), Refused>> {
        let Some(row) = row else {
            return Ok(Err("the site is no longer recorded"));
        };
        let gone = match row.state {
            EnvironmentState::Active | EnvironmentState::Broken => None,
            EnvironmentState::Installing => Some("the site is being installed"),
            EnvironmentState::Deleting => Some("the site is being removed"),
            EnvironmentState::Failed => Some("the site was never installed"),
        };
        if let Some(why) = gone {
            return Ok(Err(why));
        }
        let Some(caller) = self.caller(fleet).await? else {
            return Ok(Err("whoever asked for it may not sign in any more"));
        };
        let owner = Resource::OfAccount(row.account_id);
        Ok(
            match authorize(&caller.principal, operation.action(), owner) {
                Ok(()) => Ok((caller, row)),
                Err(_) => Err("whoever asked for it may not do it there any more"),
            },
        )
    }

    async fn caller(&mut self, fleet: &Fleet) -> Result<Option<Caller>> {
        if let Some((caller, seen)) = &self.seen
            && seen.elapsed() < LASTS
        {
            return Ok(Some(caller.clone()));
        }
        let principal = match self.person {
            None => Some(Principal::console()),
            Some(person) => fleet.person(person).await?,
        };
        let caller = principal.map(|principal| Caller {
            part_of: Some(self.part_of),
            ..Caller::new(principal)
        });
        self.seen = caller.clone().map(|caller| (caller, Instant::now()));
        Ok(caller)
    }
}
