//! A principal with one request's circumstances.

use crate::{Result, principal::Principal};
use pressroom_base::{
    Epoch,
    id::{IdempotencyId, JobId},
};
use pressroom_store::{Tx, idempotency};
use std::net::IpAddr;
use uuid::Uuid;

/// Who calls a use case, and whether this call is a repetition.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub principal: Principal,
    /// Set when the request carried an idempotency key: the job the use case starts
    /// is attached to this row in the transaction that creates it.
    pub idempotency: Option<IdempotencySlot>,
    /// Where the request came from, for the activity log.
    pub address: Option<IpAddr>,
    /// The job in whose course the use case is called, as it was claimed: what is started is
    /// a part of it, and begins only while that claim holds.
    pub(crate) part_of: Option<(JobId, Epoch)>,
}

/// The stored record of a request that may come again.
#[derive(Debug, Clone, Copy)]
pub struct IdempotencySlot {
    /// The row.
    pub id: IdempotencyId,
    /// This attempt at the request, unlike every other: who holds the row.
    pub(crate) attempt: Uuid,
    /// The job an earlier, interrupted run of this request has already started. A use
    /// case that starts a job returns this one instead of acting again.
    pub job: Option<JobId>,
    /// The row such a run has made, changed or removed. A use case that starts no job, and
    /// would do something twice, answers from this one instead.
    pub made: Option<i64>,
}

impl Caller {
    /// A call without an idempotency key.
    pub const fn new(principal: Principal) -> Self {
        Self {
            principal,
            idempotency: None,
            address: None,
            part_of: None,
        }
    }

    /// The same, from this address.
    #[must_use]
    pub const fn from_address(mut self, address: IpAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// The job an earlier run of the same request started, if any.
    pub fn earlier_job(&self) -> Option<JobId> {
        self.idempotency.and_then(|slot| slot.job)
    }
}

impl Caller {
    /// The row an earlier run of the same request has made, changed or removed, if any.
    pub(crate) fn earlier_made(&self) -> Option<i64> {
        self.idempotency.and_then(|slot| slot.made)
    }

    /// Whether an earlier run of the same request has done all that it was to do. Who removes
    /// something has nothing left to look for then.
    pub(crate) fn was_done(&self) -> bool {
        self.earlier_made().is_some()
    }

    /// Has a later run of the same request know what this one makes, changes or removes, if
    /// `tx` commits.
    pub(crate) async fn makes(&self, tx: &Tx, row: i64) -> Result<()> {
        if let Some(slot) = self.idempotency {
            idempotency::attach_made(tx, slot.id, &slot.attempt.to_string(), row).await?;
        }
        Ok(())
    }
}

impl From<Principal> for Caller {
    fn from(principal: Principal) -> Self {
        Self::new(principal)
    }
}
