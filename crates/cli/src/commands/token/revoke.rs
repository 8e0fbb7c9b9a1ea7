//! `pressroom token revoke`

use crate::{Exit, Failure, Printer};
use clap::Args;
use pressroom_base::id::TokenId;
use pressroom_fleet::{Caller, Fleet};

/// Makes a token open nothing any more, from the next request on. Revoking it again
/// changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pressroom token revoke 3
  pressroom --json token revoke 3")]
pub struct Revoke {
    /// The token's number, as `pressroom token list` shows it
    #[arg(value_parser = parse)]
    pub id: TokenId,
}

impl Revoke {
    pub(in crate::commands) async fn run(
        self,
        fleet: &Fleet,
        caller: &Caller,
        printer: &mut Printer,
    ) -> Result<Exit, Failure> {
        let revoked = fleet.revoke_token(caller, self.id).await?;
        if printer.json() {
            printer.json_line(&revoked.token);
        }
        let token = &revoked.token;
        printer.note(&format!(
            "token {} (`{}…`) {}",
            token.id,
            token.prefix,
            if revoked.already {
                "was revoked before"
            } else {
                "opens nothing any more"
            }
        ));
        Ok(Exit::Done)
    }
}

/// A secret typed here would be in the shell's history; its number is enough.
fn parse(text: &str) -> Result<TokenId, String> {
    text.parse::<TokenId>()
        .ok()
        .filter(|id| id.get() > 0)
        .ok_or_else(|| {
            "a token is named by the number that `pressroom token list` shows".to_owned()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_named_by_its_number() {
        assert_eq!(parse("3"), Ok(TokenId::new(3)));
        for wrong in ["", "0", "-1", "wsp_0123abcd", "3 4"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
