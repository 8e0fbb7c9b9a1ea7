//! W03 to W05.

use crate::jwt::Signed;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Two tokens.
#[derive(Serialize, ToSchema)]
pub struct PairOut {
    /// Opens things, as `Authorization: Bearer …`.
    access_token: String,
    /// Is exchanged for the next pair.
    refresh_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds that the first is good for.
    expires_in: i64,
}

/// A token to exchange.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct RefreshIn {
    /// The token; required.
    pub refresh_token: Option<String>,
}

/// A token to be good no more.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct RevokeIn {
    /// The token, of either kind; required.
    pub token: Option<String>,
}

/// It is good no more, if it ever was.
#[derive(Serialize, ToSchema)]
pub struct RevokedOut {
    /// For a person.
    pub message: &'static str,
}

impl From<Signed> for PairOut {
    fn from(signed: Signed) -> Self {
        Self {
            access_token: signed.access,
            refresh_token: signed.refresh,
            token_type: "Bearer",
            expires_in: signed.lasts_s,
        }
    }
}
