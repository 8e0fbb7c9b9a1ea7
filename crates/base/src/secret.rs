//! Values that must not reach a log, a screen or a serializer by accident.

use std::fmt;

/// Wraps a value so that `Debug` hides it and no serializer accepts it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Takes the value into hiding.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself; each call site is a place to look at in review.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Gives the value up.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}
