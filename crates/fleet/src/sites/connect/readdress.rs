//! A site that is connected, at another address.

use crate::{
    Caller, Error, Fleet, Result,
    look::origin_of,
    principal::Principal,
    sites::{
        address,
        adopt::{authority, refuse_another},
    },
};
use pressroom_base::{Kind, catalog::event};
use pressroom_carrier::CancellationToken;
use pressroom_providers::hosting::Origin;
use pressroom_store::{EnvironmentPatch, EnvironmentRow, SiteChange, SiteRow, environments, sites};
use serde_json::json;
use url::Url;

impl Fleet {
    /// Records that a site is at another address, once it calls itself by that and answers
    /// there. Nothing of it is changed.
    pub(super) async fn see_at(
        &self,
        site: &SiteRow,
        row: &EnvironmentRow,
        url: &Url,
    ) -> Result<String> {
        let ground = self.ground(row).await?;
        let session = self.open_session(&ground, CancellationToken::new()).await?;
        let survey = session.survey(self.site_ref(row), &[]).await;
        session.close().await;
        refuse_another(&survey?, url)?;
        let origin = origin_of(row)
            .ok_or_else(|| Error::new(Kind::Unsupported, "nobody knows where it is asked"))?;
        let origin = Origin {
            host: authority(url),
            ..origin
        };
        let text = address::text(url);
        if let Some(trouble) = self.look_from(&origin, &text).await.trouble() {
            return Err(Error::new(
                Kind::Remote,
                format!("asked at {}, it does not work: {trouble}", origin.addr),
            ));
        }
        let tx = self.parts.store.begin().await?;
        let now = sites::lock(&tx, site.id)
            .await
            .map_err(|_| Error::not_found("site"))?;
        if now.url != site.url {
            return Err(Error::new(Kind::Busy, "its address was changed meanwhile"));
        }
        let patch = EnvironmentPatch {
            url: Some(text.clone()),
            origin_host: Some(origin.host),
            ..EnvironmentPatch::default()
        };
        environments::update(&tx, row.id, patch).await?;
        let change = SiteChange {
            url: Some(None),
            trouble: Some(None),
            tried_at: Some(None),
            ..SiteChange::default()
        };
        sites::change(&tx, site.id, change).await?;
        let caller = Caller::new(Principal::worker());
        let told = json!({ "changed": ["url"], "from": row.url, "url": text });
        self.note_site_at(&tx, &caller, event::SITE_UPDATED, site, Some(row.id), told)
            .await?;
        tx.commit().await?;
        Ok(text)
    }
}
