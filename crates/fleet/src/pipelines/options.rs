//! How a pipeline is to be done.

use serde::{Deserialize, Serialize};

/// In which steps the site is changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// One target at a time, each judged by itself.
    #[default]
    Canary,
    /// All targets, judged together.
    AllAtOnce,
}

impl Strategy {
    /// As programs call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Canary => "canary",
            Self::AllAtOnce => "all_at_once",
        }
    }

    /// Reads what programs call it.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Canary, Self::AllAtOnce]
            .into_iter()
            .find(|known| known.as_str() == text)
    }
}

/// Who takes back what makes the site worse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RollBack {
    /// The pipeline itself, at once.
    #[default]
    Auto,
    /// A person: the pipeline stops and leaves the site as it is.
    Manual,
}

impl RollBack {
    /// As programs call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Manual => "manual",
        }
    }

    /// Reads what programs call it.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Auto, Self::Manual]
            .into_iter()
            .find(|known| known.as_str() == text)
    }
}

/// How a pipeline is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Options {
    pub(crate) strategy: Strategy,
    pub(crate) rollback: RollBack,
    /// Whether the site is packed into the archive before.
    pub(crate) snapshot: bool,
    /// Pages to look at, relative to the site.
    pub(crate) paths: Vec<String>,
    /// What its owner wrote to it.
    pub(crate) note: String,
    /// Whether a policy began it: then it keeps to that policy's windows.
    #[serde(default)]
    pub(crate) by_policy: bool,
}
