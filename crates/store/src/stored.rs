//! How values of ours look in a column.

use pressroom_base::{Epoch, Kind, Timestamp, id};

/// A type that a row shows and a column keeps in a plainer form.
pub(crate) trait Stored: Sized {
    /// What the column holds.
    type Raw;
    /// Reads it; `None` when it makes no sense.
    fn read(raw: Self::Raw) -> Option<Self>;
    /// Writes it.
    fn raw(&self) -> Self::Raw;
}

/// What a column holds of a `T`. The entity derive reads types as text and needs
/// it in one word.
pub(crate) type Raw<T> = <T as Stored>::Raw;

macro_rules! plain {
    ($($ty:ty),*) => {$(
        impl Stored for $ty {
            type Raw = $ty;
            fn read(raw: $ty) -> Option<Self> { Some(raw) }
            fn raw(&self) -> $ty { self.clone() }
        }
    )*};
}
plain!(String, i64, i32, bool);

macro_rules! numbered {
    ($($ty:ty),*) => {$(
        impl Stored for $ty {
            type Raw = i64;
            fn read(raw: i64) -> Option<Self> { Some(Self::new(raw)) }
            fn raw(&self) -> i64 { self.get() }
        }
    )*};
}
numbered!(
    id::UserId,
    id::AccountId,
    id::DomainId,
    id::SiteId,
    id::EnvironmentId,
    id::JobId,
    id::StepId,
    id::TokenId,
    id::SessionId,
    id::EventId,
    id::ResourceId,
    id::IdempotencyId,
    id::SnapshotId,
    id::HostId,
    id::SshKeyId,
    id::RunId,
    id::RunItemId,
    id::FamilyId,
    id::WebhookEndpointId,
    id::WebhookDeliveryId,
    id::MailId,
    id::PipelineId,
    id::PipelineTargetId,
    id::PipelineFindingId,
    id::PipelinePictureId,
    id::InvitationId,
    id::PasswordResetId,
    id::HealthCheckId,
    Epoch
);

/// A row that somebody wrote by hand may lack one.
impl Stored for id::ShortId {
    type Raw = Option<String>;
    fn read(raw: Option<String>) -> Option<Self> {
        Some(Self::stored(raw.unwrap_or_default()))
    }
    fn raw(&self) -> Option<String> {
        Some(self.as_str().to_owned())
    }
}

/// A port; columns have no unsigned numbers.
impl Stored for u16 {
    type Raw = i32;
    fn read(raw: i32) -> Option<Self> {
        Self::try_from(raw).ok()
    }
    fn raw(&self) -> i32 {
        i32::from(*self)
    }
}

impl Stored for Timestamp {
    type Raw = i64;
    fn read(raw: i64) -> Option<Self> {
        Some(Self::from_millis(raw))
    }
    fn raw(&self) -> i64 {
        self.millis()
    }
}

impl Stored for Kind {
    type Raw = String;
    fn read(raw: String) -> Option<Self> {
        Some(Self::parse(&raw))
    }
    fn raw(&self) -> String {
        self.as_str().to_owned()
    }
}

impl Stored for serde_json::Value {
    type Raw = String;
    fn read(raw: String) -> Option<Self> {
        serde_json::from_str(&raw).ok()
    }
    fn raw(&self) -> String {
        self.to_string()
    }
}

/// A set of words, kept with spaces between.
impl Stored for Vec<String> {
    type Raw = String;
    fn read(raw: String) -> Option<Self> {
        Some(raw.split_whitespace().map(str::to_owned).collect())
    }
    fn raw(&self) -> String {
        self.join(" ")
    }
}

impl<T: Stored> Stored for Option<T> {
    type Raw = Option<T::Raw>;
    fn read(raw: Self::Raw) -> Option<Self> {
        raw.map_or(Some(None), |raw| T::read(raw).map(Some))
    }
    fn raw(&self) -> Self::Raw {
        self.as_ref().map(Stored::raw)
    }
}
