//! A failed command, as it is told.

use crate::{Exit, config};
use pressroom_base::Kind;
use pressroom_fleet as fleet;
use serde_json::json;
use std::error::Error;

/// Why a command failed: for the person, for scripts, and for the shell.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    kind: &'static str,
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            exit: Exit::of(kind),
            kind: kind.as_str(),
            message: message.into(),
            causes: Vec::new(),
            hint: None,
        }
    }

    /// What was typed makes no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            kind: "usage",
            ..Self::new(Kind::Invalid, message)
        }
    }

    /// Something in this machine's files or sockets does not work.
    pub fn local(message: impl Into<String>, cause: &(dyn Error + 'static)) -> Self {
        Self::new(Kind::Internal, message).because(cause)
    }

    /// Names the cause and its causes.
    #[must_use]
    pub fn because(mut self, cause: &(dyn Error + 'static)) -> Self {
        let mut next = Some(cause);
        while let Some(cause) = next {
            let text = cause.to_string();
            // Some libraries repeat their source in their own text.
            if self.causes.last() != Some(&text) && self.message != text {
                self.causes.push(text);
            }
            next = cause.source();
        }
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Ends with another code than its kind's.
    #[must_use]
    pub const fn exiting(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The code it ends with.
    pub const fn exit(&self) -> Exit {
        self.exit
    }

    /// As printed for a person.
    pub fn to_text(&self) -> String {
        let mut text = format!("error: {}\n", self.message);
        for cause in &self.causes {
            text.push_str("  caused by: ");
            text.push_str(&cause.replace('\n', "\n    "));
            text.push('\n');
        }
        if let Some(hint) = &self.hint {
            text.push_str("\nhint: ");
            text.push_str(hint);
            text.push('\n');
        }
        text
    }

    /// As printed with `--json`.
    pub fn to_json(&self) -> serde_json::Value {
        json!({"error": {
            "kind": self.kind,
            "message": self.message,
            "causes": self.causes,
            "hint": self.hint,
        }})
    }
}

impl From<fleet::Error> for Failure {
    fn from(error: fleet::Error) -> Self {
        let failure = Self::new(error.kind(), error.message());
        let failure = match error.hint() {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        };
        // Whoever types here operates the installation: the cause helps them.
        match error.source() {
            Some(source) => failure.because(source),
            None => failure,
        }
    }
}

impl From<config::Error> for Failure {
    fn from(error: config::Error) -> Self {
        let failure = Self {
            kind: "configuration",
            ..Self::new(Kind::Invalid, error.to_string())
        };
        match error.advice() {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    #[test]
    fn tells_what_why_and_what_to_do() {
        let cause = std::io::Error::other("connection refused");
        let error = fleet::Error::new(Kind::Unreachable, "the database server does not answer")
            .with_hint("start it with `pressroom hosting up`")
            .with_source(cause);
        let failure = Failure::from(error);
        assert_eq!(failure.exit(), Exit::Unreachable);
        assert_snapshot!(failure.to_text(), @r"
        error: the database server does not answer
          caused by: connection refused

        hint: start it with `pressroom hosting up`
        ");
        assert_snapshot!(failure.to_json(), @r#"{"error":{"causes":["connection refused"],"hint":"start it with `pressroom hosting up`","kind":"unreachable","message":"the database server does not answer"}}"#);
    }
}
