//! Errors (§1.1).

use serde::Serialize;
use utoipa::ToSchema;

/// An error. `error` and `message` are the same text.
#[derive(Serialize, ToSchema)]
pub struct ErrorOut {
    success: bool,
    code: &'static str,
    error: String,
    message: String,
    status: u16,
}

impl ErrorOut {
    /// An error with this status, code and text.
    pub fn new(status: u16, code: &'static str, text: String) -> Self {
        Self {
            success: false,
            code,
            error: text.clone(),
            message: text,
            status,
        }
    }
}
