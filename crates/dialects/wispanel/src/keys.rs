//! Contract §6: a key issued with a key.

use crate::wire::{IssueKeyIn, IssuedKeyOut};
use pressroom_base::Timestamp;
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{
    Error, code,
    tokens::{NewToken, TokenKind},
};
use std::time::Duration;

/// Days that a key may live, a hundred years.
const LONGEST: u32 = 36_500;
/// Characters of its name.
const LONGEST_NAME: usize = 100;

/// Issues a key to the person that the path names.
pub async fn issue(call: Call) -> Result<Answer, Fault> {
    let input: IssueKeyIn = call.body()?;
    let new = key(call.param("username"), input)?;
    let issued = call
        .fleet
        .issue_token(&call.caller, new)
        .await
        .map_err(|error| crate::lookup::named(error, "User"))?;
    Answer::created(&IssuedKeyOut::new(issued))
}

fn key(username: &str, input: IssueKeyIn) -> Result<NewToken, Fault> {
    let name = input.name.unwrap_or_default();
    if name.trim().is_empty() {
        return Err(Fault::Malformed("Name is required".into()));
    }
    if name.chars().count() > LONGEST_NAME {
        return Err(Fault::Malformed(format!(
            "`name` has at most {LONGEST_NAME} characters"
        )));
    }
    let permissions = input.permissions.unwrap_or_else(|| vec!["read".into()]);
    if permissions.is_empty() {
        // Elsewhere no scope means all of them: not what an empty list says here.
        return Err(Error::invalid("`permissions` must name at least one")
            .with_code(code::UNPROCESSABLE)
            .into());
    }
    let days = input.expires_in.unwrap_or(0);
    if days > LONGEST {
        return Err(
            Error::invalid(format!("`expires_in` is at most {LONGEST} days"))
                .with_code(code::UNPROCESSABLE)
                .into(),
        );
    }
    let lifetime = Duration::from_hours(24 * u64::from(days));
    Ok(NewToken {
        user: username.to_owned(),
        kind: TokenKind::Panel,
        name,
        scopes: permissions,
        networks: input.ip_whitelist.unwrap_or_default(),
        expires_at: (days > 0).then(|| Timestamp::now().plus(lifetime)),
    })
}
