//! Why a configuration is refused.

use super::Origin;

/// A refused configuration: what is wrong, where it was said, what to do.
#[derive(Debug, thiserror::Error)]
#[error("{message}{}", .origin.as_ref().map(|origin| format!(" ({origin})")).unwrap_or_default())]
pub struct Error {
    message: String,
    origin: Option<Origin>,
    hint: Option<String>,
}

impl Error {
    /// A refusal that has no place.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            origin: None,
            hint: None,
        }
    }

    /// Says where the refused value stands.
    pub(crate) fn at(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Says what to do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says what to do, when there is something to say.
    pub(crate) fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// What to do about it.
    pub fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}
