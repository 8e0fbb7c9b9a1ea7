//! The words that a few fields take, and no others.

use pressroom_store::{EnvironmentKind, EnvironmentState};

/// Words for an environment's kind.
pub(super) const KINDS: [(&str, EnvironmentKind); 3] = [
    ("production", EnvironmentKind::Production),
    ("staging", EnvironmentKind::Staging),
    ("clone", EnvironmentKind::Clone),
];

/// Words for where an environment stands; the first of several is printed. An undone
/// installation is but a record and not selected.
pub(super) const STATES: [(&str, EnvironmentState); 5] = [
    ("active", EnvironmentState::Active),
    ("down", EnvironmentState::Broken),
    ("broken", EnvironmentState::Broken),
    ("installing", EnvironmentState::Installing),
    ("deleting", EnvironmentState::Deleting),
];

/// The word for a value.
pub(super) fn word<T: Copy + PartialEq>(
    words: &[(&'static str, T)],
    value: T,
) -> Option<&'static str> {
    words
        .iter()
        .find(|(_, found)| *found == value)
        .map(|(word, _)| *word)
}
