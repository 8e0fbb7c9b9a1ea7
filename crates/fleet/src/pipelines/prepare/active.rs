//! What WordPress has in use in a clone, before its updates and behind them.

use crate::pipelines::{StageName, looking::BLOCKING, view::label};
use pressroom_store::NewFinding;
use pressroom_wordpress::{
    component::ComponentKind,
    inventory::{Inspection, Place},
};
use std::collections::BTreeMap;

/// Each plugin and theme, and whether the main site uses it; those of which the tables do not
/// say so are left out.
#[derive(Debug, Clone, Default)]
pub(super) struct InUse(BTreeMap<(Kind, String), bool>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Plugin,
    Theme,
}

impl InUse {
    pub(super) fn of(seen: &Inspection) -> Self {
        let components = seen.components.iter();
        let known = components
            .filter(|found| found.place == Place::Normal)
            .filter_map(|found| {
                let kind = match found.kind {
                    ComponentKind::Plugin => Kind::Plugin,
                    ComponentKind::Theme => Kind::Theme,
                };
                Some(((kind, found.slug.clone()), found.active?))
            });
        Self(known.collect())
    }

    /// What was in use and is not any more, the worst first; `updated` are the labels of what
    /// was updated.
    ///
    /// A version that switches itself or the theme off does not work. One that switches off
    /// *another* plugin may have taken over what that was for: a person is asked.
    pub(super) fn findings(&self, before: &Self, updated: &[String]) -> Vec<NewFinding> {
        let ended = before.0.iter().filter(|(_, was)| **was);
        let ended = ended.filter(|(which, _)| self.0.get(*which) == Some(&false));
        let mut found: Vec<_> = ended
            .map(|((kind, slug), _)| {
                let name = match kind {
                    Kind::Plugin => label("plugin", slug),
                    Kind::Theme => label("theme", slug),
                };
                let (severity, message) = if updated.contains(&name) {
                    (BLOCKING, "it deactivated itself".to_owned())
                } else if *kind == Kind::Theme {
                    (BLOCKING, format!("the {name} is not in use any more"))
                } else {
                    ("warning", format!("the {name} was deactivated"))
                };
                NewFinding {
                    stage: StageName::Rehearsal.as_str().to_owned(),
                    target: None,
                    what: "deactivated".to_owned(),
                    severity: severity.to_owned(),
                    place: name,
                    was: "in use".to_owned(),
                    now: "not in use".to_owned(),
                    message,
                }
            })
            .collect();
        found.sort_by_key(|found| found.severity != BLOCKING);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_use(all: &[(Kind, &str, bool)]) -> InUse {
        let all = all.iter();
        InUse(
            all.map(|(kind, slug, active)| ((*kind, (*slug).to_owned()), *active))
                .collect(),
        )
    }

    #[test]
    fn what_switches_itself_off_is_told_from_what_takes_over_for_another() {
        use Kind::{Plugin, Theme};
        let before = in_use(&[
            (Plugin, "blocks", true),
            (Plugin, "gone", true),
            (Plugin, "never", false),
            (Plugin, "shop", true),
            (Plugin, "stays", true),
            (Theme, "nice", true),
            (Theme, "plain", false),
        ]);
        // Of `gone` the tables do not say it.
        let after = in_use(&[
            (Plugin, "blocks", false),
            (Plugin, "never", false),
            (Plugin, "shop", false),
            (Plugin, "stays", true),
            (Theme, "nice", false),
            (Theme, "plain", true),
        ]);
        let found = after.findings(&before, &["plugin shop".to_owned()]);
        let told: Vec<_> = found
            .iter()
            .map(|found| (found.place.as_str(), found.severity.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("plugin shop", BLOCKING),
                ("theme nice", BLOCKING),
                ("plugin blocks", "warning")
            ]
        );
        assert!(before.findings(&before, &[]).is_empty());
    }
}
