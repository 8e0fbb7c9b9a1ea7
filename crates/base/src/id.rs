//! Row identifiers, one type per noun, so that none is taken for another.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// Names the row with this number.
            pub const fn new(id: i64) -> Self { Self(id) }
            /// The number, as stored.
            pub const fn get(self) -> i64 { self.0 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> { text.parse().map(Self) }
        }
    )*};
}

ids! {
    /// A person.
    UserId;
    /// Who owns sites and pays.
    AccountId;
    /// A domain that an account may install into.
    DomainId;
    /// A site: what a customer means by "my site".
    SiteId;
    /// One running WordPress of a site.
    EnvironmentId;
    /// A unit of durable work.
    JobId;
    /// One step of a job.
    StepId;
    /// A credential of a program.
    TokenId;
    /// A signed-in browser.
    SessionId;
    /// Something that happened.
    EventId;
    /// Something Pressroom made outside its store.
    ResourceId;
    /// A stored answer to a request that may come again.
    IdempotencyId;
    /// The record of a snapshot.
    SnapshotId;
    /// A machine that is reached over SSH.
    HostId;
    /// A key that opens such machines.
    SshKeyId;
    /// One operation on many environments.
    RunId;
    /// One environment of such a run.
    RunItemId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_prints() {
        let id: JobId = "42".parse().expect("a number");
        assert_eq!(id, JobId::new(42));
        assert!("4x".parse::<JobId>().is_err());
    }
}
