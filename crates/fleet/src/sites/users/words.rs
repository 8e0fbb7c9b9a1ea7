//! What WordPress refuses, in our words.

use crate::{Error, Result, code};
use pressroom_base::Kind;
use pressroom_wordpress::bridge::Report;

/// The error in a report, if an action was refused or WordPress did not get through.
pub(super) fn refused(report: &Report) -> Result<()> {
    if let Some(failed) = report.outcomes.iter().find(|outcome| !outcome.ok) {
        let message = failed.error.as_deref().unwrap_or("WordPress refused");
        return Err(match failed.code.as_deref() {
            Some("user_missing") => Error::not_found("User"),
            Some("existing_user_login") => Error::conflict("a user of that name exists already"),
            Some("existing_user_email") => Error::conflict("a user has that address already"),
            Some("invalid_email" | "invalid_role" | "invalid_username" | "empty_password") => {
                Error::invalid(message).with_code(code::UNPROCESSABLE)
            }
            _ => Error::new(Kind::Remote, message),
        });
    }
    if let Some(fatal) = &report.fatal {
        let blame = report
            .blamed
            .as_deref()
            .map(|slug| format!(" (`{slug}` is to blame)"))
            .unwrap_or_default();
        return Err(Error::new(
            Kind::Remote,
            format!("WordPress did not get through{blame}: {fatal}"),
        ));
    }
    Ok(())
}
