//! `pressroom token list`

use crate::{Exit, Failure, Printer, table::Table};
use clap::Args;
use pressroom_base::Timestamp;
use pressroom_fleet::{Caller, Fleet, tokens::Token};

/// Lists tokens, oldest first, revoked and lapsed ones included. A secret is never
/// shown again; what it began with is.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom token list
  pressroom --json token list")]
pub struct List {}

impl List {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        show(&fleet.list_tokens(caller).await?, printer);
        Ok(Exit::Done)
    }
}

fn show(tokens: &[Token], printer: &mut Printer) {
    let mut table = Table::new(&[
        "id", "kind", "state", "user", "name", "begins", "scopes", "networks", "lapses", "used",
    ])
    .cut_except(&[0, 2]);
    let time = |at: Option<Timestamp>| at.map_or_else(String::new, Timestamp::to_rfc3339);
    for token in tokens {
        table.row([
            token.id.to_string(),
            token.kind.clone(),
            token.state.to_owned(),
            token.user.clone().unwrap_or_default(),
            token.name.clone(),
            token.prefix.clone(),
            token.scopes.join(","),
            token.networks.join(","),
            time(token.expires_at),
            time(token.last_used_at),
        ]);
    }
    printer.many(&tokens, &table);
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_base::id::TokenId;

    #[test]
    fn one_token_a_line() {
        let tokens = [Token {
            id: TokenId::new(3),
            kind: "panel".into(),
            user: Some("ann@example.com".into()),
            name: "reports".into(),
            prefix: "wsp_0123abcd".into(),
            scopes: vec!["wordpress".into(), "read".into()],
            networks: Vec::new(),
            state: "revoked",
            expires_at: None,
            last_used_at: None,
            created_at: Timestamp::from_millis(0),
        }];
        let (mut printer, captured) = Printer::captured(None);
        show(&tokens, &mut printer);
        assert_eq!(
            captured.out(),
            "3\tpanel\trevoked\tann@example.com\treports\twsp_0123abcd\twordpress,read\t\t\t\n"
        );
        let (mut printer, captured) = Printer::captured(None);
        printer.set_json(true);
        show(&tokens, &mut printer);
        assert!(captured.out().contains("\"state\":\"revoked\""));
    }
}
