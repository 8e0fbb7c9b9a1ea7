//! W06 to W10: the sites of the account that the request works in.

use crate::{
    errors,
    pages::Page,
    wire::{AddedSiteOut, SiteIn, SiteOut, SiteRowOut, id},
};
use axum::http::{HeaderValue, StatusCode, header};
use pressroom_base::id::{AccountId, ShortId};
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{
    Error,
    authorize::Action,
    sites::{SiteDetails, SiteQuery},
};
use serde::Deserialize;

/// The member that some clients nest all that they send in.
const WRAPPER: &str = "site";
/// Where the sites are.
const SITES: &str = "/api/v1/sites";
/// Where the connector's plugin will be.
pub const PLUGIN: &str = "/api/v1/wporchestrix/connector";

/// W06: by name.
pub async fn list(call: Call) -> Result<Answer, Fault> {
    let page = Page::of(&call)?;
    let given = |name| Ok::<_, Fault>(call.query(name)?.filter(|text| !text.is_empty()));
    let query = SiteQuery {
        status: given("status")?.map(str::to_owned),
        text: given("q")?.map(str::to_owned),
        tag: given("tag")?.map(str::to_owned),
    };
    let Some(account) = call.caller.principal.account else {
        return page.answer::<SiteRowOut>(&call, &[], 0);
    };
    let (sites, total) = call
        .fleet
        .list_sites(&call.caller, account, query, page.limit(), page.offset())
        .await?;
    let rows: Vec<_> = sites.into_iter().map(SiteRowOut::from).collect();
    page.answer(&call, &rows, total)
}

/// W07: one of them.
pub async fn show(call: Call) -> Result<Answer, Fault> {
    let site = named(&call, Action::SiteRead).await?;
    Answer::ok(&SiteOut::from(site))
}

/// W08: adds one, and begins to connect it.
pub async fn add(call: Call) -> Result<Answer, Fault> {
    let account = account(&call)?;
    let input: SiteIn = call.unwrapped(WRAPPER)?;
    let added = call
        .fleet
        .add_site(&call.caller, input.to_add(account))
        .await?;
    let plugin = format!("{}{PLUGIN}", call.fleet.public_url());
    let answer = Answer::created(&AddedSiteOut::new(added, &plugin))?;
    Ok(with_location(answer))
}

/// W09: changes what is recorded of one.
pub async fn edit(call: Call) -> Result<Answer, Fault> {
    let site = named(&call, Action::SiteEdit).await?;
    let input: SiteIn = call.unwrapped(WRAPPER)?;
    let site = call
        .fleet
        .edit_site(&call.caller, site.site.id, input.to_edit())
        .await?;
    Answer::ok(&SiteOut::from(site))
}

/// W10: forgets one. Its WordPress stays as it is.
pub async fn forget(call: Call) -> Result<Answer, Fault> {
    let (account, id) = place(&call)?;
    call.fleet
        .forget_site_of(&call.caller, account, &id)
        .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// Where the plugin will be that a new site's `connection` speaks of.
pub async fn plugin(_: Call) -> Result<Answer, Fault> {
    errors::no_connector()
}

/// What was created says where it is.
pub fn with_location(answer: Answer) -> Answer {
    #[derive(Deserialize)]
    struct Created {
        id: String,
    }
    if answer.status != StatusCode::CREATED {
        return answer;
    }
    let created = serde_json::from_slice::<Created>(&answer.body).ok();
    let site = created.filter(|created| id::read_site(&created.id).is_some());
    let place = site.and_then(|site| HeaderValue::from_str(&format!("{SITES}/{}", site.id)).ok());
    match place {
        Some(place) => answer.with_header(header::LOCATION, place),
        None => answer,
    }
}

fn account(call: &Call) -> Result<AccountId, Fault> {
    let account = call.caller.principal.account;
    account.ok_or_else(|| Error::not_found("account").into())
}

/// The account that is worked in, and the site in the path.
fn place(call: &Call) -> Result<(AccountId, ShortId), Fault> {
    let id = id::read_site(call.param("id")).ok_or_else(|| Error::not_found("site"))?;
    Ok((account(call)?, id))
}

/// The site in the path, for this action.
async fn named(call: &Call, action: Action) -> Result<SiteDetails, Fault> {
    let (account, id) = place(call)?;
    let site = call
        .fleet
        .find_site(&call.caller, action, account, &id)
        .await?;
    Ok(site)
}
