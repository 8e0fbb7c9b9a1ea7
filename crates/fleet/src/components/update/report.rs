//! What an update job says at its end.

use serde::{Deserialize, Serialize};

/// The job's result, as stored in [`crate::views::Job::result`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct UpdateReport {
    /// One outcome per component, in the order asked for.
    pub items: Vec<ItemOutcome>,
}

/// What became of one component.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ItemOutcome {
    /// Directory name.
    pub slug: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Version before.
    pub old_version: String,
    /// Version now: equals `old_version` unless the outcome is `updated`.
    pub new_version: String,
    /// Version that was tried.
    pub offered_version: Option<String>,
    /// Hash of the live tree before.
    pub tree_before: Option<String>,
    /// Hash of the live tree now.
    pub tree_now: Option<String>,
    /// The handle of a tree that was left beside the site for a person to look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_aside: Option<String>,
    /// What happened, for a person.
    pub message: String,
}

/// How a component's update ended. Every one of these was verified by looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The new version is live: version and tree hash are the package's, the site answers.
    Updated,
    /// Nothing newer is offered.
    Unchanged,
    /// The site did not survive the new version; the old tree is live again, hash equal.
    TakenBack,
    /// Not tried or not changed; the message says why.
    Failed,
}

impl UpdateReport {
    /// Whether every component is as it was asked to be.
    pub fn is_success(&self) -> bool {
        self.items
            .iter()
            .all(|item| matches!(item.outcome, Outcome::Updated | Outcome::Unchanged))
    }

    /// One sentence over what went wrong, worst first.
    pub fn trouble(&self) -> String {
        let bad: Vec<&str> = self
            .items
            .iter()
            .filter(|item| matches!(item.outcome, Outcome::TakenBack | Outcome::Failed))
            .map(|item| item.message.as_str())
            .collect();
        bad.join("; ")
    }
}
