//! What a job that changes components says at its end.

use crate::{Error, error::code};
use pressroom_base::Kind;
use serde::{Deserialize, Serialize};

/// The job's result, as stored in [`crate::views::Job::result`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ChangeReport {
    /// One outcome per component, in the order asked for.
    pub items: Vec<ChangeOutcome>,
}

/// What became of one component, verified by looking.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangeOutcome {
    /// Directory name, or file name without `.php`; what was asked for when there is none.
    pub slug: String,
    /// Whether anything is different from before.
    pub changed: bool,
    /// What happened, for a person.
    pub message: String,
    /// Why it is not as asked; then the site is as it was, unless the message says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<ChangeFailure>,
    /// The theme that is active now, where themes were changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_theme: Option<String>,
}

/// Why a component is not as it was asked to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangeFailure {
    /// Its kind.
    pub kind: Kind,
    /// The named case, see [`crate::error::code`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What to know or do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl ChangeReport {
    /// Whether every component is as it was asked to be.
    pub fn is_success(&self) -> bool {
        self.items.iter().all(ChangeOutcome::is_success)
    }

    /// The first failure, with the words of all of them.
    pub fn failure(&self) -> Option<Error> {
        let mut failed = self.items.iter().filter(|item| !item.is_success());
        let first = failed.next()?.failure()?;
        let rest: Vec<&str> = failed.map(|item| item.message.as_str()).collect();
        if rest.is_empty() {
            return Some(first);
        }
        let message = format!("{}; {}", first.message(), rest.join("; "));
        Some(with_case(Error::new(first.kind(), message), first.code()))
    }
}

impl ChangeOutcome {
    /// Whether it is as it was asked to be.
    pub fn is_success(&self) -> bool {
        self.failure.is_none()
    }

    /// The failure as if the use case itself had met it.
    pub fn failure(&self) -> Option<Error> {
        let failure = self.failure.as_ref()?;
        let named = failure.code.as_deref().and_then(code::known);
        let error = with_case(Error::new(failure.kind, &*self.message), named);
        Some(match &failure.hint {
            Some(hint) => error.with_hint(hint.as_str()),
            None => error,
        })
    }

    /// As it was asked to be.
    pub(super) fn done(slug: &str, changed: bool, message: String) -> Self {
        Self {
            slug: slug.to_owned(),
            changed,
            message,
            failure: None,
            active_theme: None,
        }
    }

    /// Not as it was asked to be.
    pub(super) fn refused(slug: &str, why: &Error) -> Self {
        Self {
            slug: slug.to_owned(),
            changed: false,
            message: why.message().to_owned(),
            failure: Some(ChangeFailure {
                kind: why.kind(),
                code: why.code().map(str::to_owned),
                hint: why.hint().map(str::to_owned),
            }),
            active_theme: None,
        }
    }
}

fn with_case(error: Error, named: Option<&'static str>) -> Error {
    match named {
        Some(named) => error.with_code(named),
        None => error,
    }
}
