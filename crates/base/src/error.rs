//! The kinds of failure that faces and retry policies tell apart.

use serde::{Deserialize, Serialize};

/// What a failure means to whoever asked. Faces choose their wire status by it,
/// the job runner its retry policy; nothing else is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The request cannot be carried out as it stands.
    Invalid,
    /// Nobody is known by these credentials.
    Unauthenticated,
    /// Known, but not allowed.
    Forbidden,
    /// No such thing, as far as the caller may know.
    NotFound,
    /// The present state of the thing does not permit it.
    Conflict,
    /// Another operation holds the thing; later it will be free.
    Busy,
    /// A rate or size limit is used up.
    Limited,
    /// The way to this site cannot do it.
    Unsupported,
    /// The site, its host or a service did not answer.
    Unreachable,
    /// The site or a service answered with a failure of its own.
    Remote,
    /// A fault of ours.
    Internal,
}

impl Kind {
    /// The name used in stored rows and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Busy => "busy",
            Self::Limited => "limited",
            Self::Unsupported => "unsupported",
            Self::Unreachable => "unreachable",
            Self::Remote => "remote",
            Self::Internal => "internal",
        }
    }

    /// Reads [`Kind::as_str`] back; an unknown name is a fault of ours.
    pub fn parse(name: &str) -> Self {
        [
            Self::Invalid,
            Self::Unauthenticated,
            Self::Forbidden,
            Self::NotFound,
            Self::Conflict,
            Self::Busy,
            Self::Limited,
            Self::Unsupported,
            Self::Unreachable,
            Self::Remote,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == name)
        .unwrap_or(Self::Internal)
    }

    /// Whether trying again later, unchanged, can succeed.
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Busy | Self::Limited | Self::Unreachable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for kind in [Kind::Invalid, Kind::Busy, Kind::Remote, Kind::Internal] {
            assert_eq!(Kind::parse(kind.as_str()), kind);
        }
        assert_eq!(Kind::parse("nonsense"), Kind::Internal);
    }
}
