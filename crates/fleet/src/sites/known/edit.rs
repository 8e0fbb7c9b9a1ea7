//! Changing what is recorded of a site.

use super::{
    add::taken,
    place::{Said, SshAt, Way},
    values,
    view::SiteDetails,
};
use crate::{
    Caller, Error, Fleet, Problem, Result, authorize::Action, error::refuse, sites::address,
};
use pressroom_base::{catalog::event, id::SiteId};
use pressroom_store::{
    ConnectionMethod, EnvironmentRow, KnownSite, SiteChange, SiteRow, Tx, sites, tags,
};
use serde_json::json;
use url::Url;

/// What to change; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct EditSite {
    /// What its owner calls it.
    pub name: Option<String>,
    /// Its address.
    pub url: Option<String>,
    /// All words to select it by.
    pub tags: Option<Vec<String>>,
    /// Whether nobody is to look at it.
    pub paused: Option<bool>,
    /// How it is to be reached, as for [`AddSite`](super::AddSite).
    pub method: Option<String>,
    /// Where it is on a host.
    pub ssh: Option<SshAt>,
}

/// The same, checked.
struct Wanted {
    name: Option<String>,
    /// Another address than now.
    url: Option<Url>,
    tags: Option<Vec<String>>,
    paused: Option<bool>,
    /// Another way than now.
    way: Option<Way>,
}

impl Fleet {
    /// Changes what is recorded of a site; nothing is written to its WordPress. At another
    /// address it is looked for again, and so it is when it is no longer paused.
    ///
    /// Errors: `Invalid`, with everything that cannot be; `Unsupported` (the connector);
    /// `Conflict` (another way to a site that is connected); `NotFound`, `Forbidden`.
    pub async fn edit_site(
        &self,
        caller: &Caller,
        id: SiteId,
        edit: EditSite,
    ) -> Result<SiteDetails> {
        let known = self.known_site(caller, Action::SiteEdit, id).await?;
        let wanted = self.wanted(&known, edit).await?;
        let tx = self.parts.store.begin().await?;
        let before = sites::lock(&tx, id).await.map_err(gone)?;
        let row = sites::change(&tx, id, change(&known, &wanted))
            .await
            .map_err(taken)?;
        let mut changed = changed(&before, &row);
        if let Some(tags) = &wanted.tags
            && set_tags(&tx, &known, tags).await?
        {
            changed.push("tags");
        }
        if changed.is_empty() {
            return self.site_details(known).await;
        }
        let touch = SiteChange {
            by_hand: true,
            ..SiteChange::default()
        };
        let row = sites::change(&tx, id, touch).await?;
        self.note_site(
            &tx,
            caller,
            event::SITE_UPDATED,
            &row,
            json!({ "changed": changed, "name": row.name, "url": row.url, "paused": row.paused }),
        )
        .await?;
        let elsewhere = ["url", "connection_method", "paused"];
        if row.url.is_some() && !row.paused && changed.iter().any(|field| elsewhere.contains(field))
        {
            self.begin_to_connect(&tx, caller, &row).await?;
        }
        tx.commit().await?;
        let known = sites::known(&self.parts.store, id).await?;
        let known = known.ok_or_else(|| Error::not_found("site"))?;
        self.site_details(known).await
    }

    async fn wanted(&self, known: &KnownSite, edit: EditSite) -> Result<Wanted> {
        let mut problems = Vec::new();
        let name = edit.name.map(|name| values::name(&name, &mut problems));
        let tags = edit.tags.map(|tags| values::tags(&tags, &mut problems));
        let given = edit
            .url
            .as_deref()
            .and_then(|url| values::url(url, &mut problems));
        refuse(std::mem::take(&mut problems))?;
        let now = address::parse(&address_of(known));
        let url = given.filter(|url| now.as_ref() != Some(url));
        let said = Said {
            method: edit.method.as_deref(),
            ssh: edit.ssh.as_ref(),
        };
        let way = if let Some(environment) = &known.environment {
            refuse_another_way(environment, said)?;
            None
        } else {
            let at = url.as_ref().or(now.as_ref());
            self.way_anew(&known.site, at, url.is_some(), said, &mut problems)
                .await?
        };
        let method = match (&way, &known.environment) {
            (Some(way), _) => way.method,
            (None, Some(_)) => Some(ConnectionMethod::Local),
            (None, None) => known.site.method,
        };
        if let Some(url) = &url
            && method.is_none()
        {
            self.refuse_private(url, &mut problems).await;
        }
        refuse(problems)?;
        Ok(Wanted {
            name,
            url,
            tags,
            paused: edit.paused,
            way,
        })
    }

    /// The way to a site that is not connected, where it may be another one now.
    async fn way_anew(
        &self,
        site: &SiteRow,
        at: Option<&Url>,
        moved: bool,
        said: Said<'_>,
        problems: &mut Vec<Problem>,
    ) -> Result<Option<Way>> {
        let Some(at) = at else { return Ok(None) };
        let nothing_said = said.method.is_none() && said.ssh.is_none();
        // At another address the same host is asked, but not the same domain.
        if nothing_said && (!moved || site.method == Some(ConnectionMethod::Ssh)) {
            return Ok(None);
        }
        let way = self.way_to(site.account_id, at, said, problems).await?;
        Ok(Some(way))
    }
}

/// What is written; what is as it was stays.
fn change(known: &KnownSite, wanted: &Wanted) -> SiteChange {
    let mut change = SiteChange {
        name: wanted.name.clone(),
        paused: wanted.paused,
        ..SiteChange::default()
    };
    if let Some(url) = &wanted.url {
        let url = address::text(url);
        let served = known.environment.as_ref().map(|row| row.url.as_str());
        // Back at the address where it is seen, there is nothing to look for.
        change.url = Some((served != Some(url.as_str())).then_some(url));
        change.trouble = Some(None);
        change.tried_at = Some(None);
    }
    if let Some(way) = &wanted.way {
        change.method = Some(way.method);
        change.place = Some(way.place.clone());
        change.trouble = Some(None);
        change.tried_at = Some(None);
        if way.method.is_some() {
            change.token = Some(None);
        }
    }
    change
}

fn address_of(known: &KnownSite) -> String {
    let served = known.environment.as_ref().map(|row| row.url.clone());
    known.site.url.clone().or(served).unwrap_or_default()
}

/// What a site that is connected is reached by is where it lives.
fn refuse_another_way(environment: &EnvironmentRow, said: Said<'_>) -> Result<()> {
    let now = match environment.host_id {
        Some(_) => ConnectionMethod::Ssh,
        None => ConnectionMethod::Local,
    };
    let is_same = said.ssh.is_none() && said.method.is_none_or(|method| method == now.as_str());
    if is_same {
        return Ok(());
    }
    Err(Error::conflict(format!(
        "the site is connected (`{}`): delete it and add it again to connect it in another way",
        now.as_str()
    )))
}

fn changed(before: &SiteRow, after: &SiteRow) -> Vec<&'static str> {
    let mut changed = Vec::new();
    if before.name != after.name {
        changed.push("name");
    }
    if before.url != after.url {
        changed.push("url");
    }
    if before.paused != after.paused {
        changed.push("paused");
    }
    if before.method != after.method || before.place != after.place {
        changed.push("connection_method");
    }
    changed
}

/// Whether its tags are others now.
async fn set_tags(tx: &Tx, known: &KnownSite, wanted: &[String]) -> Result<bool> {
    let Some(environment) = &known.environment else {
        let before = sites::tags(tx, known.site.id).await?;
        sites::set_tags(tx, known.site.id, wanted).await?;
        return Ok(before != wanted);
    };
    tags::lock(tx, environment.id).await.map_err(gone)?;
    let before = tags::list(tx, environment.id).await?;
    for tag in before.iter().filter(|tag| !wanted.contains(tag)) {
        tags::remove(tx, environment.id, tag).await?;
    }
    for tag in wanted.iter().filter(|tag| !before.contains(tag)) {
        tags::add(tx, environment.id, tag).await?;
    }
    Ok(before != wanted)
}

fn gone(error: pressroom_store::Error) -> Error {
    match error {
        pressroom_store::Error::NotFound { .. } => Error::not_found("site"),
        other => other.into(),
    }
}
