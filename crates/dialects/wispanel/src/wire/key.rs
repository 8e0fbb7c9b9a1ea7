//! Contract §6.

use pressroom_base::Timestamp;
use pressroom_fleet::tokens::{IssuedToken, Token};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// "Never", in key objects.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// A key to issue.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct IssueKeyIn {
    /// For its holder to tell keys apart; required.
    pub name: Option<String>,
    /// `all`, `wordpress`, `read`; only `read` when absent.
    pub permissions: Option<Vec<String>>,
    /// Addresses and networks it may be used from; anywhere when empty.
    pub ip_whitelist: Option<Vec<String>>,
    /// Days; 0 is never.
    pub expires_in: Option<u32>,
}

/// A key, shown once.
#[derive(Serialize, ToSchema)]
pub struct IssuedKeyOut {
    /// `true`.
    success: bool,
    /// For a person.
    message: &'static str,
    /// The key.
    secret_key: String,
    /// The same.
    api_key: String,
    key: KeyOut,
}

/// What is known of a key.
#[derive(Serialize, ToSchema)]
pub struct KeyOut {
    id: i64,
    name: String,
    /// The first twelve characters.
    key_prefix: String,
    permissions: Vec<String>,
    ip_whitelist: Vec<String>,
    last_used: String,
    created_at: String,
    expires_at: String,
    enabled: bool,
}

impl IssuedKeyOut {
    /// The key and what is known of it.
    pub fn new(issued: IssuedToken) -> Self {
        let secret = issued.secret.into_inner();
        Self {
            success: true,
            message: "API key created; it is shown only now",
            secret_key: secret.clone(),
            api_key: secret,
            key: issued.token.into(),
        }
    }
}

impl From<Token> for KeyOut {
    fn from(token: Token) -> Self {
        let or_never =
            |at: Option<Timestamp>| at.map_or_else(|| NEVER.to_owned(), Timestamp::to_rfc3339);
        Self {
            id: token.id.get(),
            name: token.name,
            key_prefix: token.prefix,
            permissions: token.scopes,
            ip_whitelist: token.networks,
            last_used: or_never(token.last_used_at),
            created_at: token.created_at.to_rfc3339(),
            expires_at: or_never(token.expires_at),
            enabled: token.state != "revoked",
        }
    }
}
