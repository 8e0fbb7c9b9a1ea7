//! `pressroom token add`

use crate::{Exit, Failure, Printer};
use clap::{Args, ValueEnum};
use pressroom_base::Timestamp;
use pressroom_fleet::{
    Caller, Fleet,
    tokens::{NewToken, TokenKind},
};
use serde_json::json;
use std::time::Duration;

/// Issues a token; prints the secret, alone, once.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom token add --user ann@example.com --kind panel
  pressroom token add --user ann@example.com --kind panel --scope read --name reports
  pressroom token add --user ann@example.com --kind panel --network 192.0.2.0/24 --expires-in 90")]
pub struct Add {
    /// Address of the person it acts for
    #[arg(long, value_name = "EMAIL")]
    pub user: String,
    /// What it opens
    #[arg(long, value_enum)]
    pub kind: Kind,
    /// What it may be used for; may be given several times. Panel tokens without one
    /// may be used for all
    #[arg(long = "scope", value_name = "SCOPE")]
    pub scopes: Vec<String>,
    /// A name to tell it from others
    #[arg(long, default_value = "")]
    pub name: String,
    /// A network it may be used from; may be given several times
    #[arg(long = "network", value_name = "CIDR")]
    pub networks: Vec<String>,
    /// Days until it lapses
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36500))]
    pub expires_in: Option<u32>,
}

/// What a token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// The WPOrchestrix dialect
    Api,
    /// The WisPanel dialect
    Panel,
    /// The CaptainCore dialect
    Application,
}

impl Add {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let issued = fleet
            .add_token(caller, self.into_new(Timestamp::now()))
            .await?;
        let secret = issued.secret.expose();
        printer.one(&json!({"id": issued.token.id, "secret": secret}), secret);
        printer.note("this is the only time it is shown");
        Ok(Exit::Done)
    }

    fn into_new(self, now: Timestamp) -> NewToken {
        const DAY: Duration = Duration::from_hours(24);
        let mut scopes = self.scopes;
        if scopes.is_empty() && self.kind == Kind::Panel {
            scopes.push("all".to_owned());
        }
        NewToken {
            user: self.user,
            kind: match self.kind {
                Kind::Api => TokenKind::Api,
                Kind::Panel => TokenKind::Panel,
                Kind::Application => TokenKind::Application,
            },
            name: self.name,
            scopes,
            networks: self.networks,
            expires_at: self.expires_in.map(|days| now.plus(DAY * days)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panel_token_without_scope_is_for_all_and_days_are_days() {
        let add = |kind, scopes: &[&str]| {
            Add {
                user: "a@example.com".into(),
                kind,
                scopes: scopes.iter().map(ToString::to_string).collect(),
                name: String::new(),
                networks: Vec::new(),
                expires_in: Some(2),
            }
            .into_new(Timestamp::from_millis(0))
        };
        assert_eq!(add(Kind::Panel, &[]).scopes, ["all"]);
        assert_eq!(add(Kind::Panel, &["read"]).scopes, ["read"]);
        assert!(add(Kind::Api, &[]).scopes.is_empty());
        let lapses = add(Kind::Api, &[]).expires_at.expect("an instant");
        assert_eq!(lapses.millis(), 2 * 86_400_000);
    }
}
