//! Issuing a token.

use super::Token;
use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Action, Resource, authorize},
    code,
};
use ipnet::IpNet;
use pressroom_base::{Secret, Timestamp, catalog::event, token};
use pressroom_store::{self as store, Tx, UserRow, tokens, users};
use serde_json::json;

/// What a token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// The WPOrchestrix dialect.
    Api,
    /// The WisPanel dialect: `wsp_` and 48 hex digits.
    Panel,
    /// Basic authentication of the CaptainCore dialect.
    Application,
}

impl TokenKind {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Panel => "panel",
            Self::Application => "application",
        }
    }

    /// A new credential of this kind's shape.
    fn generate(self) -> String {
        match self {
            Self::Api => token::hex(40),
            Self::Panel => format!("wsp_{}", token::hex(48)),
            Self::Application => token::password().into_inner(),
        }
    }
}

/// Scopes that mean something here.
const SCOPES: &[&str] = &["all", "wordpress", "read"];

/// A token to issue.
#[derive(Debug)]
pub struct NewToken {
    /// Its holder's address.
    pub user: String,
    /// What it opens.
    pub kind: TokenKind,
    /// For the holder to tell tokens apart.
    pub name: String,
    /// Scopes; empty means everything its holder may do.
    pub scopes: Vec<String>,
    /// Networks it may be used from; empty means any.
    pub networks: Vec<String>,
    /// When it lapses.
    pub expires_at: Option<Timestamp>,
}

impl NewToken {
    /// With scopes that mean something, at least one, and networks in canonical form.
    pub(super) fn checked(self) -> Result<Self> {
        Ok(Self {
            scopes: checked_scopes(self.scopes)?,
            networks: checked_networks(&self.networks)?,
            ..self
        })
    }
}

/// A token as shown once.
#[derive(Debug)]
pub struct IssuedToken {
    /// What is known of it.
    pub token: Token,
    /// The credential.
    pub secret: Secret<String>,
}

impl Fleet {
    /// Issues a token; only its hash is kept.
    pub async fn add_token(&self, caller: &Caller, new: NewToken) -> Result<IssuedToken> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let new = new.checked()?;
        let tx = self.parts.store.begin().await?;
        let user = users::by_email(&tx, &new.user).await?.ok_or_else(|| {
            Error::not_found("user").with_hint("add the person first with `pressroom user add`")
        })?;
        let issued = self.issue(&tx, caller, &user, new).await?;
        tx.commit().await?;
        Ok(issued)
    }

    /// The token itself, checked, for whoever may issue it.
    pub(super) async fn issue(
        &self,
        tx: &Tx,
        caller: &Caller,
        user: &UserRow,
        new: NewToken,
    ) -> Result<IssuedToken> {
        let secret = new.kind.generate();
        let row = tokens::create(
            tx,
            store::NewToken {
                kind: new.kind.as_str().to_owned(),
                user_id: Some(user.id),
                account_id: None,
                environment_id: None,
                name: new.name,
                prefix: secret.chars().take(12).collect(),
                digest: token::digest(&secret),
                scopes: new.scopes,
                cidrs: new.networks,
                expires_at: new.expires_at,
                login: false,
            },
        )
        .await?;
        self.note(
            tx,
            caller,
            event::TOKEN_CREATED,
            None,
            json!({ "token_id": row.id, "kind": row.kind, "prefix": row.prefix, "user": user.email }),
        )
        .await?;
        Ok(IssuedToken {
            secret: Secret::new(secret),
            token: Token::new(row, Some(user.email.clone()), Timestamp::now()),
        })
    }
}

fn checked_scopes(scopes: Vec<String>) -> Result<Vec<String>> {
    if scopes.is_empty() {
        return Ok(vec!["all".to_owned()]);
    }
    match scopes
        .iter()
        .find(|scope| !SCOPES.contains(&scope.as_str()))
    {
        None => Ok(scopes),
        Some(unknown) => Err(Error::invalid(format!("unknown scope `{unknown}`"))
            .with_code(code::UNPROCESSABLE)
            .with_hint(format!("scopes are {}", SCOPES.join(", ")))),
    }
}

/// Networks in canonical form; a bare address is a network of one.
fn checked_networks(networks: &[String]) -> Result<Vec<String>> {
    networks
        .iter()
        .map(|text| {
            let network = text
                .parse::<IpNet>()
                .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
                .map_err(|_| {
                    Error::invalid(format!("`{}` is not a network", text.escape_debug()))
                        .with_code(code::UNPROCESSABLE)
                        .with_hint("write it as `192.0.2.0/24` or `2001:db8::/32`")
                })?;
            Ok(network.trunc().to_string())
        })
        .collect()
}
