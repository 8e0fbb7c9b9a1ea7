//! W01, W02; what W03 takes.

use pressroom_fleet::tokens::IssuedToken;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// Who signs in. Other members, such as those of a native app's notifications, mean nothing.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct LoginIn {
    /// The person's address.
    pub email: Option<String>,
    /// Their password.
    pub password: Option<String>,
    /// The code of their second factor, or a backup code.
    #[serde(deserialize_with = "code")]
    #[schema(value_type = Option<String>)]
    pub otp_attempt: Option<String>,
}

/// A token, shown once.
#[derive(Serialize, ToSchema)]
pub struct TokenOut {
    token: String,
}

/// Nothing more to say.
#[derive(Serialize, ToSchema)]
pub struct LogoutOut {}

impl From<IssuedToken> for TokenOut {
    fn from(issued: IssuedToken) -> Self {
        Self {
            token: issued.secret.into_inner(),
        }
    }
}

/// Six digits are a number to some; zeros at its beginning are lost then.
fn code<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a code, expected a string")]
    enum Code {
        Text(String),
        Number(u32),
    }
    Ok(Option::<Code>::deserialize(from)?.map(|code| match code {
        Code::Text(text) => text,
        Code::Number(number) => format!("{number:06}"),
    }))
}
