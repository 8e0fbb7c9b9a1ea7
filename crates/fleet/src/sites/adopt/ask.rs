//! Adopting a site.

use super::{
    address,
    place::Found,
    site::{AdoptSite, Adopted},
};
use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Action, Resource, authorize},
    code,
    environments::record_survey,
    hosts::php_of,
    look::Look,
    sites::address::{parse, same_place, text},
    views::Environment,
};
use pressroom_agent::protocol::SiteRef;
use pressroom_base::{Kind, Secret, catalog::event};
use pressroom_carrier::{CancellationToken, Session};
use pressroom_providers::hosting::Origin;
use pressroom_store::{
    self as store, ConnectionMethod, EnvironmentKind, EnvironmentRow, EnvironmentState,
    NewEnvironment, SiteChange, SiteRow, SiteStatus, Tx, environments, jobs, sites,
};
use pressroom_wordpress::inventory::Survey;
use serde_json::json;
use url::Url;

/// What was seen of a site before it is recorded.
struct Seen {
    survey: Survey,
    url: Url,
    origin: Origin,
    look: Look,
}

impl Fleet {
    /// Takes a site under management that was there before. It is looked at and recorded;
    /// nothing of it changes but that the directory above gets one in which Pressroom
    /// remembers what it does. One that is managed by the same account already is
    /// answered as it is.
    ///
    /// Errors: `Forbidden`; `NotFound` (host, account, directory); `Invalid` (path,
    /// address, no WordPress or none that is configured, a directory that is root's or in
    /// which nothing could be exchanged); `Conflict` (another account's site or host, a
    /// domain's own directory, another address, another Pressroom at work there); of the
    /// host as with [`Fleet::test_host`].
    pub async fn adopt_site(&self, caller: &Caller, new: AdoptSite) -> Result<Adopted> {
        authorize(&caller.principal, Action::Operate, Resource::Installation)?;
        let found = self.find_to_adopt(&new).await?;
        if let Some(known) = self.adopted_before(&found).await? {
            return Ok(Adopted {
                environment: self.view(known).await?,
                is_new: false,
                trouble: None,
            });
        }
        let seen = self.see_to_adopt(&new, &found).await?;
        let trouble = seen.look.trouble();
        let environment = self.record_adopted(caller, new, found, seen, None).await?;
        Ok(Adopted {
            environment,
            is_new: true,
            trouble,
        })
    }

    /// The same for a site that was added by its address, which it must call itself by and
    /// answer at.
    pub(in crate::sites) async fn adopt_added(
        &self,
        caller: &Caller,
        site: &SiteRow,
        url: &Url,
        found: Found,
    ) -> Result<Environment> {
        if let Some(known) = self.adopted_before(&found).await? {
            return Err(Error::conflict(format!(
                "the WordPress in `{}` is managed already, as `{}`",
                found.root, known.url
            )));
        }
        let new = AdoptSite {
            path: found.root.clone(),
            url: Some(text(url)),
            name: Some(site.name.clone()),
            ..AdoptSite::default()
        };
        let seen = self.see_to_adopt(&new, &found).await?;
        refuse_another(&seen.survey, url)?;
        if let Some(trouble) = seen.look.trouble() {
            return Err(Error::new(
                Kind::Remote,
                format!("asked at {}, it does not work: {trouble}", seen.origin.addr),
            ));
        }
        self.record_adopted(caller, new, found, seen, Some(site))
            .await
    }

    /// What a site says of itself that is not managed yet.
    pub(in crate::sites) async fn survey_to_adopt(
        &self,
        new: &AdoptSite,
        found: &Found,
    ) -> Result<Survey> {
        let session = self
            .open_session(&found.ground, CancellationToken::new())
            .await?;
        let survey = self.ask_site(&session, new, found).await;
        session.close().await;
        survey
    }

    async fn adopted_before(&self, found: &Found) -> Result<Option<EnvironmentRow>> {
        let host = found.ground.host;
        let known = environments::by_root(&self.parts.store, host, &found.root).await?;
        match known {
            Some(row) if row.account_id != found.account.id => Err(Error::conflict(format!(
                "`{}` is another account's site already",
                found.root
            ))
            .with_code(code::ALREADY_INSTALLED)),
            known => Ok(known),
        }
    }

    async fn see_to_adopt(&self, new: &AdoptSite, found: &Found) -> Result<Seen> {
        let survey = self.survey_to_adopt(new, found).await?;
        let url = address::url_of(new, &survey)?;
        let (origin, look) = self.origin_to_adopt(new, found.host.as_ref(), &url).await?;
        Ok(Seen {
            survey,
            url,
            origin,
            look,
        })
    }

    async fn ask_site(&self, session: &Session, new: &AdoptSite, found: &Found) -> Result<Survey> {
        // Before anything is made there: whoever comes to a site whose fence is higher
        // could never write to it.
        let fence = session.welcome().fence.epoch;
        if fence > jobs::last_epoch(&self.parts.store).await? {
            return Err(Error::conflict(format!(
                "another Pressroom works, or worked, in `{}`",
                found.home()
            ))
            .with_hint(
                "let it release the site; when there is none any more, remove the directory \
                 `.pressroom` there",
            ));
        }
        let site = SiteRef {
            root: found.name.clone(),
            php: Some(self.php_to_adopt(new, found)),
        };
        let survey = session.survey(site, &[]).await?;
        if survey.inspection.version.is_none() {
            return Err(
                Error::invalid(format!("there is no WordPress in `{}`", found.root))
                    .with_hint("name the directory that has wp-includes in it"),
            );
        }
        if survey.inspection.settings.file.is_none() {
            return Err(Error::invalid(format!(
                "the WordPress in `{}` is not configured: it has no wp-config.php",
                found.root
            )));
        }
        session.check_adoption(&found.name).await?;
        Ok(survey)
    }

    fn php_to_adopt(&self, new: &AdoptSite, found: &Found) -> String {
        let host = found.host.as_ref();
        new.php
            .clone()
            .or_else(|| host.map(|host| php_of(host).0))
            .unwrap_or_else(|| self.parts.settings.php.clone())
    }

    async fn record_adopted(
        &self,
        caller: &Caller,
        new: AdoptSite,
        found: Found,
        seen: Seen,
        into: Option<&SiteRow>,
    ) -> Result<Environment> {
        let php = found.host.is_some() || new.php.is_some();
        let php = php.then(|| self.php_to_adopt(&new, &found));
        let home = found.home();
        let settings = &seen.survey.inspection.settings;
        let place = match &found.host {
            None => found.root.clone(),
            Some(host) => format!("{}:{}", host.address, found.root),
        };
        let panel_id = self.free_panel_id(&place).await?;
        let title = |survey: &Survey| survey.facts.as_ref()?.options.get("blogname").cloned();
        let title = title(&seen.survey).unwrap_or_default();
        let name = new.name.filter(|name| !name.trim().is_empty());
        let version = match found.host.as_ref() {
            Some(host) => php_of(host).1,
            None if into.is_some() => self.php_version().await,
            None => None,
        };
        let tx = self.parts.store.begin().await?;
        let added = match into {
            Some(site) => Some(still_wanted(&tx, site).await?),
            None => sites::unconnected_at(&tx, found.account.id, &text(&seen.url)).await?,
        };
        let site = match &added {
            Some(site) => site.clone(),
            None => {
                environments::create_site(
                    &tx,
                    found.account.id,
                    &uuid::Uuid::now_v7().to_string(),
                    name.as_deref().unwrap_or(&title),
                )
                .await?
            }
        };
        let state = match seen.look.trouble() {
            None => EnvironmentState::Active,
            Some(_) => EnvironmentState::Broken,
        };
        let environment = NewEnvironment {
            site_id: site.id,
            account_id: found.account.id,
            unix_user: found.ground.unix_user,
            domain_id: None,
            host_id: found.ground.host,
            kind: EnvironmentKind::Production,
            panel_id,
            root: found.root.clone(),
            path: found.name,
            url: text(&seen.url),
            origin_addr: Some(seen.origin.addr.to_string()),
            origin_host: Some(seen.origin.host),
            state,
            db_name: settings.db_name.clone().unwrap_or_default(),
            db_user: settings.db_user.clone().unwrap_or_default(),
            db_host: settings.db_host.clone().unwrap_or_default(),
            db_password: settings.db_password.clone().map(Secret::new),
            table_prefix: settings.table_prefix.clone().unwrap_or_default(),
            core_version: String::new(),
            locale: String::new(),
            title,
        };
        let adopted = environments::Adopted {
            home,
            php,
            origin_tls: seen.origin.tls,
        };
        let row = environments::adopt(&tx, environment, adopted)
            .await
            .map_err(|error| match error {
                store::Error::Exists { .. } => {
                    Error::conflict(format!("`{}` was adopted just now", found.root))
                        .with_code(code::ALREADY_INSTALLED)
                }
                other => other.into(),
            })?;
        // The sources of packages are asked when it is looked at next.
        record_survey(&tx, row.id, &seen.survey, &[]).await?;
        if let Some(version) = version {
            let patch = store::EnvironmentPatch {
                php_version: Some(version),
                ..store::EnvironmentPatch::default()
            };
            environments::update(&tx, row.id, patch).await?;
        }
        self.note(
            &tx,
            caller,
            event::SITE_ADOPTED,
            Some(row.account_id),
            json!({ "url": row.url, "panel_id": row.panel_id, "root": row.root, "host_id": row.host_id }),
        )
        .await?;
        let row = environments::get(&tx, row.id)
            .await?
            .ok_or_else(|| Error::not_found("site"))?;
        if let Some(site) = added {
            self.connected(&tx, caller, &site, &row).await?;
        }
        tx.commit().await?;
        self.view(row).await
    }

    /// Records that a site which was added by its address is connected.
    async fn connected(
        &self,
        tx: &Tx,
        caller: &Caller,
        site: &SiteRow,
        row: &EnvironmentRow,
    ) -> Result<()> {
        sites::hand_tags_over(tx, site.id, row.id).await?;
        let is_well = row.state == EnvironmentState::Active;
        let change = SiteChange {
            url: Some(None),
            method: Some(None),
            place: Some(None),
            trouble: Some(None),
            tried_at: Some(None),
            token: Some(None),
            status: is_well.then_some(SiteStatus::Healthy),
            checked_at: Some(tx.now().await?),
            ..SiteChange::default()
        };
        sites::change(tx, site.id, change).await?;
        let method = match row.host_id {
            Some(_) => ConnectionMethod::Ssh,
            None => ConnectionMethod::Local,
        };
        let told = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        self.note_site_at(
            tx,
            caller,
            event::SITE_CONNECTED,
            site,
            Some(row.id),
            json!({
                "wp_version": told(&row.core_version),
                "php_version": told(&row.php_version),
                "connection_method": method,
            }),
        )
        .await
    }
}

/// The site as it is now, provided that it is wanted where it was found.
async fn still_wanted(tx: &Tx, site: &SiteRow) -> Result<SiteRow> {
    let now = sites::lock(tx, site.id)
        .await
        .map_err(|_| Error::not_found("site"))?;
    let is_same = now.url == site.url
        && now.method == site.method
        && now.place == site.place
        && now.paused == site.paused;
    if is_same {
        return Ok(now);
    }
    Err(Error::new(
        Kind::Busy,
        "what is recorded of the site was changed meanwhile",
    ))
}

/// What is recorded is where its visitors are: a site that sends them elsewhere is another.
pub(in crate::sites) fn refuse_another(survey: &Survey, url: &Url) -> Result<()> {
    let itself = address::calls_itself(survey).ok_or_else(|| {
        let why = survey.trouble.as_deref().unwrap_or("its tables do not say");
        Error::new(
            Kind::Remote,
            format!("what the site calls itself is unknown: {why}"),
        )
    })?;
    if parse(&itself).is_some_and(|itself| same_place(&itself, url)) {
        return Ok(());
    }
    Err(Error::conflict(format!(
        "the site calls itself `{}`, and not `{}`",
        itself.escape_debug(),
        text(url)
    ))
    .with_hint("`pressroom site search-replace` changes what it calls itself"))
}
