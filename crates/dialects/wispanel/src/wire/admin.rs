//! T12, T14. Not `Debug`: they carry passwords.

use super::RunningOut;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A user to add.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct CreateAdminIn {
    /// The installation; required.
    pub id: Option<String>,
    /// Login name; required.
    pub username: Option<String>,
    /// Mail address; required.
    pub email: Option<String>,
    /// Generated when absent, and then shown once in the answer.
    pub password: Option<String>,
    /// `administrator` when absent.
    pub role: Option<String>,
}

/// What became of it.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum CreateAdminOut {
    /// The user is there.
    Created(AdminCreatedOut),
    /// It takes longer than a minute.
    Running(RunningOut),
}

/// The new user.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdminCreatedOut {
    /// `true`.
    pub success: bool,
    /// As the site's tables have them.
    pub user: UserOut,
    /// Only if it was generated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// A user of a site.
#[derive(Serialize, ToSchema)]
pub struct UserOut {
    /// Id within the site.
    pub id: u64,
    /// Login name.
    pub username: String,
    /// Mail address.
    pub email: String,
    /// The role that was asked for.
    pub role: String,
}

/// A password to change: of `username` or of `user_id`.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct ResetPasswordIn {
    /// The installation; required.
    pub id: Option<String>,
    /// Login name.
    pub username: Option<String>,
    /// Id within the site.
    pub user_id: Option<u64>,
    /// Generated when absent, and then shown once in the answer.
    pub password: Option<String>,
}

/// What became of it.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum ResetPasswordOut {
    /// The password is another one.
    Done(PasswordResetOut),
    /// It takes longer than a minute.
    Running(RunningOut),
}

/// Whose password was changed.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordResetOut {
    /// `true`.
    pub success: bool,
    /// For a person.
    pub message: &'static str,
    /// Login name.
    pub username: String,
    /// Only if it was generated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}
