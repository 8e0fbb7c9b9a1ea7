//! How a job says that it failed.

use pressroom_base::Kind;
use pressroom_store::jobs::Failure;

/// The named case of a job whose worker was lost or stopped in the middle, and which was
/// not begun again.
pub const INTERRUPTED: &str = "interrupted";

/// Whose fault a failure is; decides whether trying again is worth while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The way to the site: cut connections, timeouts, things that are busy.
    Transport,
    /// The site or a service did something wrong.
    Site,
    /// We did.
    Bug,
    /// Whoever asked for it.
    User,
}

/// Why a job failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct JobFailure {
    /// What kind of failure.
    pub kind: Kind,
    /// Whose fault.
    pub class: Class,
    /// What happened, for people; no secrets.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The named case within the kind, where callers tell cases apart.
    pub code: Option<String>,
    /// What came of the job all the same, kept as its result.
    pub result: Option<serde_json::Value>,
}

impl JobFailure {
    /// A failure of the class that usually goes with its kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        let class = match kind {
            Kind::Unreachable | Kind::Busy | Kind::Limited => Class::Transport,
            Kind::Remote => Class::Site,
            Kind::Internal => Class::Bug,
            _ => Class::User,
        };
        Self {
            kind,
            class,
            message: message.into(),
            hint: None,
            code: None,
            result: None,
        }
    }

    /// A fault of ours.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Kind::Internal, message)
    }

    /// The same with another class.
    #[must_use]
    pub fn with_class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// The same with the case named.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// The same with what came of the job all the same.
    #[must_use]
    pub fn with_result(mut self, result: serde_json::Value) -> Self {
        self.result = Some(result);
        self
    }

    /// The same with advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn interrupted() -> Self {
        // Whoever asked learns the word itself, not a reference to our log.
        Self::new(Kind::Remote, "Interrupted")
            .with_class(Class::Bug)
            .with_code(INTERRUPTED)
    }

    /// As kept with the job.
    pub(crate) fn stored(&self) -> Failure {
        Failure {
            kind: self.kind,
            // PostgreSQL takes no NUL in text.
            message: self.message.replace('\0', "\u{fffd}"),
            hint: self
                .hint
                .as_ref()
                .map(|hint| hint.replace('\0', "\u{fffd}")),
            code: self.code.clone(),
            result: self.result.clone(),
        }
    }
}

impl From<pressroom_store::Error> for JobFailure {
    fn from(error: pressroom_store::Error) -> Self {
        let kind = error.kind();
        let mut message = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            source = cause.source();
        }
        Self::new(kind, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_their_usual_class() {
        assert_eq!(
            JobFailure::new(Kind::Unreachable, "x").class,
            Class::Transport
        );
        assert_eq!(JobFailure::new(Kind::Remote, "x").class, Class::Site);
        assert_eq!(JobFailure::bug("x").class, Class::Bug);
        assert_eq!(JobFailure::new(Kind::Invalid, "x").class, Class::User);
        assert_eq!(JobFailure::bug("a\0b").stored().message, "a\u{fffd}b");
    }
}
