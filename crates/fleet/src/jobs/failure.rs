//! A job's failure, as if whoever asked for it had met it.

use crate::{Error, code, views::Job};
use pressroom_base::Kind;

impl Job {
    /// Why it did not do what was asked; `None` while it is under way, and when it
    /// completed.
    pub fn failure(&self) -> Option<Error> {
        if !self.is_final() || self.state == "completed" {
            return None;
        }
        let Some(error) = &self.error else {
            return Some(match self.state.as_str() {
                "cancelled" => Error::conflict("the job was cancelled"),
                _ => Error::new(Kind::Internal, "the job ended without saying why"),
            });
        };
        let mut failure = Error::new(error.kind, error.message.clone());
        if let Some(named) = error.code.as_deref().and_then(code::known) {
            failure = failure.with_code(named);
        }
        if let Some(hint) = &error.hint {
            failure = failure.with_hint(hint.clone());
        }
        Some(failure)
    }
}
