//! Honouring links: the link is the right, nobody is asked who they are.

use super::{
    create::{format_of, named, place_of},
    deliver::{Delivery, LinkedSnapshot},
};
use crate::{Error, Fleet, Result};
use pressroom_archive::{
    Error as ArchiveError,
    link::{Grant, Purpose},
};
use pressroom_base::{Kind, Timestamp, catalog::event, token};
use pressroom_store::{
    Lookup, NewEvent, Scope, SnapshotRow, SnapshotState, events, links, snapshots,
};
use serde_json::json;
use std::{net::IpAddr, sync::Arc, time::Duration};

/// Uses of one link in a [`WINDOW`]: each writes a line of the activity log.
const USES: u32 = 30;
const WINDOW: Duration = Duration::from_mins(1);

/// A link that is good, and the record of what it is for.
struct Honoured {
    grant: Grant,
    row: SnapshotRow,
    linked: LinkedSnapshot,
}

impl Fleet {
    /// What a link would give. Looking does not use it up.
    ///
    /// Errors: `NotFound` for every link that gives nothing, whatever the reason;
    /// `Limited` when this one is used too often.
    pub async fn peek_link(&self, link: &str) -> Result<LinkedSnapshot> {
        Ok(self.honour(link).await?.linked)
    }

    /// The snapshot that a link is for, from its beginning. A link that may be used
    /// once is used up by this, also when the transfer breaks off later.
    ///
    /// Errors: as [`Fleet::peek_link`]; `Busy` when as many are handed out as may be;
    /// `Remote` when what is in the archive is not what was stored.
    pub async fn fetch_by_link(
        &self,
        link: &str,
        address: Option<IpAddr>,
    ) -> Result<(LinkedSnapshot, Delivery)> {
        let Honoured { grant, row, linked } = self.honour(link).await?;
        let permit = Arc::clone(&self.downloads)
            .try_acquire_owned()
            .map_err(|_| Error::new(Kind::Busy, "as many snapshots are downloaded as may be"))?;
        // Before the link is used up: an archive that does not answer costs nobody theirs.
        let opened = self.parts.archive.open(&place_of(&row)?).await;
        if let Err(damage @ ArchiveError::Damaged { .. }) = &opened {
            self.note_damage(&row, &damage.to_string()).await;
        }
        let (manifest, reader) = opened?;
        if manifest.size != linked.size || manifest.sha256 != linked.sha256 {
            self.note_damage(&row, "it is not the one that was recorded")
                .await;
            return Err(Error::new(Kind::Remote, "the snapshot is damaged"));
        }
        let tx = self.parts.store.begin().await?;
        if let Some(nonce) = &grant.nonce
            && !links::spend(&tx, nonce, ends(&grant)).await?
        {
            return Err(nothing());
        }
        events::emit(
            &tx,
            NewEvent {
                kind: event::SNAPSHOT_DOWNLOAD_STARTED,
                account_id: Some(row.account_id),
                environment_id: Some(row.environment_id),
                job_id: None,
                actor: "link".to_owned(),
                payload: json!({
                    "snapshot": row.public_id,
                    "once": grant.nonce.is_some(),
                    "address": address,
                }),
                address: address.map(|address| address.to_string()),
                ..NewEvent::default()
            },
        )
        .await?;
        tx.commit().await?;
        let delivery = self.deliver(row, &linked, reader, permit);
        Ok((linked, delivery))
    }

    /// Judges a link. The mark comes first, so that whoever forges one costs no query
    /// and learns nothing from the time it takes.
    async fn honour(&self, link: &str) -> Result<Honoured> {
        let beginning = Timestamp::from_millis(0);
        let grant = self
            .link_signers()?
            .iter()
            .find_map(|signer| signer.open(link, Purpose::Download, beginning).ok())
            .ok_or_else(nothing)?;
        let store = &self.parts.store;
        let now = store.now().await?;
        if now.seconds() >= grant.expires_at {
            return Err(nothing());
        }
        let key = format!("download:{}", token::digest(link));
        if !self.hit_rate(&key, USES, WINDOW).await?.allowed {
            return Err(Error::new(Kind::Limited, "this link is used too often"));
        }
        let name = grant.place.name.as_str();
        let Lookup::Found(row) = snapshots::by_public_id(store, &Scope::All, name).await? else {
            return Err(nothing());
        };
        let is_there = row.state == SnapshotState::Ready
            && row.expires_at.is_none_or(|until| now < until)
            && named(&row)? == grant.place;
        let Some(sha256) = row.sha256.clone().filter(|_| is_there) else {
            return Err(nothing());
        };
        if let Some(nonce) = &grant.nonce
            && links::is_spent(store, nonce).await?
        {
            return Err(nothing());
        }
        let linked = LinkedSnapshot {
            file_name: grant.file_name.clone(),
            media_type: format_of(row.format).content_type(),
            size: u64::try_from(row.size).unwrap_or(0),
            sha256,
        };
        Ok(Honoured { grant, row, linked })
    }
}

fn ends(grant: &Grant) -> Timestamp {
    Timestamp::from_millis(grant.expires_at.saturating_mul(1000))
}

/// The one answer to every link that gives nothing.
fn nothing() -> Error {
    Error::not_found("Download")
}
