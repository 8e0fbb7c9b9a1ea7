//! What a move's job carries from the request to the worker.

use crate::readdress::Readdress;
use pressroom_base::id::DomainId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The name of the job's kind in the queue.
pub(crate) const KIND: &str = "site_move";

/// What the job is told; decided once, so that every attempt means the same.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Payload {
    /// The domain it leaves.
    pub(super) from: DomainId,
    pub(super) from_name: String,
    /// The domain it goes to.
    pub(super) to: DomainId,
    pub(super) to_name: String,
    /// Host and port, before and after.
    pub(super) address: Readdress,
    pub(super) old_url: String,
    pub(super) new_url: String,
    /// Where its home is, and where it will be: the same when the home is not named
    /// after the domain.
    pub(super) old_home: String,
    pub(super) new_home: String,
    /// The home of the domain that it goes to, as it was meant without the site.
    pub(super) unused_home: String,
    /// Names the snapshot that is taken first.
    pub(super) snapshot: String,
}

impl Payload {
    /// Whether the home is renamed.
    pub(super) fn renames(&self) -> bool {
        self.old_home != self.new_home
    }

    /// Where the tables from before are kept in the archive until the end.
    pub(super) fn copy_key(&self) -> String {
        format!("moves/{}.sql", self.snapshot)
    }
}

/// Whether a move with this payload writes to a domain.
pub(crate) fn touches(payload: &Value, domain: DomainId) -> bool {
    // One that cannot be read fails by itself; until then it holds no domain.
    Payload::deserialize(payload).is_ok_and(|told| told.from == domain || told.to == domain)
}
