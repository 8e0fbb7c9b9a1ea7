//! Adding a site by its address.

use super::{
    place::{Said, SshAt, Way},
    values,
    view::SiteDetails,
};
use crate::{
    Caller, Error, Fleet, Problem, Result,
    authorize::{Action, Resource, authorize},
    error::{refusal, refuse},
    sites::{address, connect},
};
use pressroom_base::{Secret, Timestamp, catalog::event, id::AccountId, token};
use pressroom_store::{self as store, ConnectionMethod, NewSite, SiteChange, SiteRow, Tx, sites};
use serde_json::json;
use std::time::Duration;

/// How long an invitation is good.
const INVITED: Duration = Duration::from_hours(7 * 24);

/// A site to add.
#[derive(Debug, Clone)]
pub struct AddSite {
    /// Whose it is.
    pub account: AccountId,
    /// What its owner calls it.
    pub name: String,
    /// Its address.
    pub url: String,
    /// `local` or `ssh`; without, `ssh` where a host is named, otherwise `local` where its
    /// host name is a domain of the account.
    pub method: Option<String>,
    /// Where it is on a host.
    pub ssh: Option<SshAt>,
    /// Words to select it by.
    pub tags: Vec<String>,
}

/// A site that was added; whether it can be connected is found out behind that.
#[derive(Debug)]
pub struct AddedSite {
    /// The site.
    pub details: SiteDetails,
    /// What a connector may introduce itself with, where nobody knows another way.
    pub invitation: Option<Invitation>,
}

/// A token that is told once.
#[derive(Debug)]
pub struct Invitation {
    /// The token.
    pub token: Secret<String>,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

impl Fleet {
    /// Records a site of which an address is known, and begins to connect it. That its
    /// WordPress cannot be reached is no error here: the site stays `pending`, and is tried
    /// again.
    ///
    /// Errors: `Invalid`, with everything that cannot be; `Unsupported` (the connector);
    /// `NotFound` (account), `Forbidden`.
    pub async fn add_site(&self, caller: &Caller, new: AddSite) -> Result<AddedSite> {
        let whose = Resource::OfAccount(new.account);
        authorize(&caller.principal, Action::SiteAdd, whose)?;
        if let Some(added) = self.added_before(caller).await? {
            return Ok(added);
        }
        let mut problems = Vec::new();
        let name = values::name(&new.name, &mut problems);
        let url = values::url(&new.url, &mut problems);
        let tags = values::tags(&new.tags, &mut problems);
        let (url, way) = match url {
            None => return Err(refusal(problems)),
            Some(url) => {
                let said = Said {
                    method: new.method.as_deref(),
                    ssh: new.ssh.as_ref(),
                };
                let way = self.way_to(new.account, &url, said, &mut problems).await?;
                (url, way)
            }
        };
        // What lives on a machine that an operator named is asked there, and nowhere else.
        if way.method.is_none() {
            self.refuse_private(&url, &mut problems).await;
        }
        refuse(problems)?;
        let tx = self.parts.store.begin().await?;
        let (site, invitation) = record(&tx, &new, name, address::text(&url), way).await?;
        sites::set_tags(&tx, site.id, &tags).await?;
        self.note_site(
            &tx,
            caller,
            event::SITE_CREATED,
            &site,
            json!({ "name": site.name, "url": site.url, "connection_method": site.method }),
        )
        .await?;
        self.begin_to_connect(&tx, caller, &site).await?;
        tx.commit().await?;
        self.added(site.id, invitation).await
    }

    async fn added(
        &self,
        id: pressroom_base::id::SiteId,
        invitation: Option<Invitation>,
    ) -> Result<AddedSite> {
        let known = sites::known(&self.parts.store, id).await?;
        let known = known.ok_or_else(|| Error::not_found("site"))?;
        Ok(AddedSite {
            details: self.site_details(known).await?,
            invitation,
        })
    }

    /// The site that an interrupted run of the same request added. Nobody was told of its
    /// token, so there is another.
    async fn added_before(&self, caller: &Caller) -> Result<Option<AddedSite>> {
        let Some(job) = caller.earlier_job() else {
            return Ok(None);
        };
        let store = &self.parts.store;
        let Some(job) = store::jobs::get(store, job).await? else {
            return Ok(None);
        };
        let id = connect::site_of(&job).ok_or_else(|| Error::not_found("site"))?;
        let tx = store.begin().await?;
        let row = sites::lock(&tx, id).await?;
        let mut invitation = None;
        if row.token_hash.is_some() {
            let (new, stored) = invite(&tx).await?;
            let change = SiteChange {
                token: Some(Some(stored)),
                ..SiteChange::default()
            };
            sites::change(&tx, id, change).await?;
            invitation = Some(new);
        }
        tx.commit().await?;
        self.added(id, invitation).await.map(Some)
    }
}

async fn record(
    tx: &Tx,
    new: &AddSite,
    name: String,
    url: String,
    way: Way,
) -> Result<(SiteRow, Option<Invitation>)> {
    let waits = matches!(way.method, None | Some(ConnectionMethod::Connector));
    let (invitation, token) = if waits {
        let (invitation, stored) = invite(tx).await?;
        (Some(invitation), Some(stored))
    } else {
        (None, None)
    };
    let row = sites::add(
        tx,
        NewSite {
            account_id: new.account,
            public_id: uuid::Uuid::now_v7().to_string(),
            name,
            url,
            method: way.method,
            place: way.place,
            token,
        },
    )
    .await
    .map_err(taken)?;
    Ok((row, invitation))
}

/// A token, and what is kept of it.
async fn invite(tx: &Tx) -> Result<(Invitation, (String, Timestamp))> {
    let token = token::base64url(32);
    let stored = token::digest(&token);
    let expires_at = tx.now().await?.plus(INVITED);
    let invitation = Invitation {
        token: Secret::new(token),
        expires_at,
    };
    Ok((invitation, (stored, expires_at)))
}

/// What the store says of two sites at one address.
pub(super) fn taken(error: store::Error) -> Error {
    match error {
        store::Error::Exists { .. } => refusal(vec![Problem::new("url", "has already been taken")]),
        other => other.into(),
    }
}
