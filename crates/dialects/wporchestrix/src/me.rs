//! W31: who asks.

use crate::wire::{AccountOut, MeOut};
use pressroom_dialect_http::{Answer, Call, Fault};

/// The person whose credential it is, and the account that it works in.
pub async fn show(call: Call) -> Result<Answer, Fault> {
    let person = call.fleet.own_person(&call.caller).await?;
    let current = call.caller.principal.account;
    let account = call.fleet.current_membership(&call.caller).await?;
    let account = account.map(|account| AccountOut::new(account, current));
    Answer::ok(&MeOut::new(person, account))
}
