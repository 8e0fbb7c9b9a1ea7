//! W32, W33: accounts that the caller belongs to.

use crate::{
    pages::Page,
    wire::{AccountOut, id},
};
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::Error;

/// W32: by name.
pub async fn list(call: Call) -> Result<Answer, Fault> {
    let page = Page::of(&call)?;
    let (accounts, total) = call
        .fleet
        .list_memberships(&call.caller, page.limit(), page.offset())
        .await?;
    let current = call.caller.principal.account;
    let rows: Vec<_> = accounts
        .into_iter()
        .map(|account| AccountOut::new(account, current))
        .collect();
    page.answer(&call, &rows, total)
}

/// W33: one of them.
pub async fn show(call: Call) -> Result<Answer, Fault> {
    let id = id::read_account(call.param("id"))
        .ok_or_else(|| Fault::from(Error::not_found("account")))?;
    let account = call.fleet.find_membership(&call.caller, &id).await?;
    Answer::ok(&AccountOut::new(account, call.caller.principal.account))
}
