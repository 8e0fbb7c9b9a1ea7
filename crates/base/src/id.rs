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

/// What programs call a row whose number is nobody's business: 20 random characters of
/// `0-9a-z`. A dialect puts its own prefix before it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ShortId(String);

impl ShortId {
    /// How many characters it has.
    pub const LENGTH: usize = 20;

    /// A new one.
    pub fn random() -> Self {
        let alphabet = b"0123456789abcdefghijklmnopqrstuvwxyz";
        Self(crate::token::from_alphabet(alphabet, Self::LENGTH))
    }

    /// Reads one; `None` where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let is_one = text.len() == Self::LENGTH
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase());
        is_one.then(|| Self(text.to_owned()))
    }

    /// One as it is stored. A row that was written without one has the empty one, which
    /// [`ShortId::parse`] never makes: nobody asks for it.
    pub const fn stored(text: String) -> Self {
        Self(text)
    }

    /// Its characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ShortId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
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
    /// Where an account is told of what happens.
    WebhookEndpointId;
    /// One event on its way to one such place.
    WebhookDeliveryId;
    /// A mail on its way.
    MailId;
    /// Somebody's invitation to an account.
    InvitationId;
    /// A link that gives somebody another password.
    PasswordResetId;
    /// Tokens that one sign-in led to, each in exchange for the one before.
    FamilyId;
    /// A look at a site.
    HealthCheckId;
    /// A safe update of a site.
    PipelineId;
    /// One thing that it updates.
    PipelineTargetId;
    /// Something that it found.
    PipelineFindingId;
    /// A picture that it took.
    PipelinePictureId;
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

    #[test]
    fn short_ids_are_random_and_have_a_shape() {
        let id = ShortId::random();
        assert_eq!(ShortId::parse(id.as_str()), Some(id.clone()));
        assert_ne!(ShortId::random(), id);
        for bad in ["", "1", "ABCDEFGHIJKLMNOPQRST", "1234567890123456789-"] {
            assert_eq!(ShortId::parse(bad), None, "{bad}");
        }
    }
}
