//! W34: who belongs to the account that the request works in.

use crate::{pages::Page, wire::MemberOut};
use pressroom_dialect_http::{Answer, Call, Fault};

/// Who was added last comes first.
pub async fn list(call: Call) -> Result<Answer, Fault> {
    let page = Page::of(&call)?;
    let Some(account) = call.caller.principal.account else {
        return page.answer::<MemberOut>(&call, &[], 0);
    };
    let (people, total) = call
        .fleet
        .list_people(&call.caller, account, page.limit(), page.offset())
        .await?;
    let rows: Vec<_> = people
        .into_iter()
        .map(|(person, role)| MemberOut::new(person, role))
        .collect();
    page.answer(&call, &rows, total)
}
