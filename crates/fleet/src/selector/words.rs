//! The words that a few fields take, and no others.

use super::Standing;
use pressroom_store::{EnvironmentKind, EnvironmentState, SiteStatus};

/// Words for an environment's kind.
pub(super) const KINDS: [(&str, EnvironmentKind); 3] = [
    ("production", EnvironmentKind::Production),
    ("staging", EnvironmentKind::Staging),
    ("clone", EnvironmentKind::Clone),
];

/// Words for how an environment stands. An undone installation is but a record and not
/// selected.
pub(super) const STATES: [(&str, Standing); 10] = [
    ("active", Standing::State(EnvironmentState::Active)),
    ("down", Standing::Down),
    ("broken", Standing::State(EnvironmentState::Broken)),
    ("installing", Standing::State(EnvironmentState::Installing)),
    ("deleting", Standing::State(EnvironmentState::Deleting)),
    ("healthy", Standing::Health(SiteStatus::Healthy)),
    ("degraded", Standing::Health(SiteStatus::Degraded)),
    ("disconnected", Standing::Health(SiteStatus::Disconnected)),
    ("paused", Standing::Health(SiteStatus::Paused)),
    ("pending", Standing::Health(SiteStatus::Pending)),
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
