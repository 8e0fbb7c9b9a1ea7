//! Making links through which whoever has them may download a snapshot.

use super::{
    create::{format_of, named},
    keep::refuse_unready,
};
use crate::{Caller, Error, Fleet, Result, authorize::Action};
use pressroom_archive::link::{Grant, LinkSigner, Purpose};
use pressroom_base::{Kind, Secret, Timestamp, catalog::event, id::EnvironmentId};
use pressroom_store::{SnapshotRow, SnapshotState, environments};
use serde_json::json;
use std::time::Duration;

/// Where links are honoured, below the installation's address; the link follows.
pub const LINK_PATH: &str = "/download/snapshots/";

/// Names the key that links are signed with among those derived from the fleet's.
const KEY: &str = "snapshot links";
/// The longest that a link may be good for.
const LONGEST: Duration = Duration::from_hours(7 * 24);
/// How long one is good for that is a part of what is told of a snapshot.
const SHORT: Duration = Duration::from_mins(15);
/// Of a site's host name, as much as a file name needs.
const LONGEST_HOST: usize = 60;

/// A link to make.
#[derive(Debug, Clone)]
pub struct LinkSnapshot {
    /// The site the snapshot must be of; `None` for any.
    pub environment: Option<EnvironmentId>,
    /// How long it is good for; at most seven days.
    pub lasts: Duration,
    /// Whether it is used up by its first download.
    pub once: bool,
}

impl Default for LinkSnapshot {
    fn default() -> Self {
        Self {
            environment: None,
            lasts: Duration::from_hours(1),
            once: false,
        }
    }
}

/// A link. Whoever has it needs nothing else.
#[derive(Debug)]
pub struct SnapshotLink {
    /// The whole address.
    pub url: Secret<String>,
    /// Its path, for somebody who is there already.
    pub path: Secret<String>,
    /// The first second in which it is not good any more. No later than the snapshot's
    /// own end.
    pub expires_at: Timestamp,
    /// Whether it is used up by its first download.
    pub once: bool,
    /// The name of the file it gives.
    pub file_name: String,
    /// Bytes of it.
    pub size: u64,
    /// SHA-256 of them in hex.
    pub sha256: Option<String>,
}

impl Fleet {
    /// Makes a link to a snapshot that is ready.
    ///
    /// Errors: `NotFound`, `Forbidden`, `Conflict` (not ready, or of another site),
    /// `Invalid` (no time, or more than seven days).
    pub async fn link_snapshot(
        &self,
        caller: &Caller,
        name: &str,
        new: LinkSnapshot,
    ) -> Result<SnapshotLink> {
        let row = self
            .find_snapshot(caller, Action::SnapshotCreate, name)
            .await?;
        refuse_unready(&row)?;
        if new.environment.is_some_and(|id| id != row.environment_id) {
            return Err(Error::conflict("the snapshot is of another site"));
        }
        if new.lasts < Duration::from_secs(1) || new.lasts > LONGEST {
            return Err(Error::invalid(
                "a link is good for at least a second and at most seven days",
            ));
        }
        let end = self.parts.store.now().await?.plus(new.lasts);
        let end = row.expires_at.map_or(end, |until| until.min(end));
        let grant = Grant {
            place: named(&row)?,
            purpose: Purpose::Download,
            file_name: self.file_name(&row).await?,
            expires_at: end.seconds(),
            nonce: None,
        };
        let grant = if new.once { grant.once() } else { grant };
        let path = format!("{LINK_PATH}{}", self.link_signer()?.sign(&grant)?);
        let tx = self.parts.store.begin().await?;
        let told = json!({
            "snapshot": row.public_id,
            "once": new.once,
            "expires_at": Timestamp::from_millis(grant.expires_at * 1000).to_rfc3339(),
        });
        self.note(
            &tx,
            caller,
            event::SNAPSHOT_LINK_CREATED,
            Some(row.account_id),
            told,
        )
        .await?;
        tx.commit().await?;
        Ok(SnapshotLink {
            url: Secret::new(format!("{}{path}", self.parts.settings.public_url)),
            path: Secret::new(path),
            expires_at: Timestamp::from_millis(grant.expires_at * 1000),
            once: new.once,
            file_name: grant.file_name,
            size: u64::try_from(row.size).unwrap_or(0),
            sha256: row.sha256,
        })
    }

    /// The address at which whoever has it may download this snapshot for a quarter of an
    /// hour; `None` where it is not ready, or the caller may not read it. Nothing is noted:
    /// what is noted is its use.
    ///
    /// Errors: `NotFound`.
    pub async fn download_url(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<Option<Secret<String>>> {
        let row = match self
            .find_snapshot(caller, Action::SnapshotCreate, name)
            .await
        {
            Ok(row) => row,
            Err(error) if error.kind() == Kind::Forbidden => return Ok(None),
            Err(error) => return Err(error),
        };
        let end = self.parts.store.now().await?.plus(SHORT);
        let end = row.expires_at.map_or(end, |until| until.min(end));
        if row.state != SnapshotState::Ready {
            return Ok(None);
        }
        let grant = Grant {
            place: named(&row)?,
            purpose: Purpose::Download,
            file_name: self.file_name(&row).await?,
            expires_at: end.seconds(),
            nonce: None,
        };
        let path = format!("{LINK_PATH}{}", self.link_signer()?.sign(&grant)?);
        let url = format!("{}{path}", self.parts.settings.public_url);
        Ok(Some(Secret::new(url)))
    }

    /// What signs links.
    fn link_signer(&self) -> Result<LinkSigner> {
        let key = self.parts.store.derived_key(KEY);
        Ok(LinkSigner::new(key.expose())?)
    }

    /// What tells our links from others', those of before a change of the key as well.
    pub(super) fn link_signers(&self) -> Result<Vec<LinkSigner>> {
        let keys = self.parts.store.derived_keys(KEY);
        keys.iter()
            .map(|key| Ok(LinkSigner::new(key.expose())?))
            .collect()
    }

    /// What a snapshot is saved as: its site's host, its day, its name.
    async fn file_name(&self, row: &SnapshotRow) -> Result<String> {
        // The site may be gone.
        let site = environments::get(&self.parts.store, row.environment_id).await?;
        let host = site.map(|site| site_host(&site.url)).unwrap_or_default();
        let day = row.created_at.to_rfc3339();
        let day = day.split('T').next().unwrap_or_default();
        let end = format_of(row.format).extension();
        Ok(format!("{}-{day}-{}.{end}", plain(&host), row.public_id))
    }
}

/// The host of a site's address.
fn site_host(url: &str) -> String {
    url.parse::<url::Url>()
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_default()
}

/// A host as the beginning of a file name. What a site says of itself ends up in a
/// header and on somebody's disk: only the plainest characters do.
fn plain(host: &str) -> String {
    let mut name = String::new();
    for one in host.chars().take(LONGEST_HOST) {
        match one {
            '.' if name.ends_with('.') => {}
            '.' => name.push('.'),
            one if one.is_ascii_alphanumeric() => name.push(one.to_ascii_lowercase()),
            _ => name.push('-'),
        }
    }
    let name = name.trim_matches(['.', '-']);
    if name.is_empty() {
        "site".to_owned()
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_plain_whatever_a_site_calls_itself() {
        for (url, name) in [
            ("https://blog.example/news", "blog.example"),
            ("http://127.0.0.1:8081", "127.0.0.1"),
            ("http://[::1]:80/", "1"),
            ("https://bücher.example", "xn--bcher-kva.example"),
            ("https://../x", "site"),
            ("https://a....b", "a.b"),
            ("no address", "site"),
            ("https://a\"b\r\nx: y/", "site"),
        ] {
            let made = plain(&site_host(url));
            assert_eq!(made, name, "{url}");
        }
        assert_eq!(plain("a\"; x=../b"), "a---x-.-b");
        assert_eq!(plain(&"a".repeat(200)).len(), LONGEST_HOST);
    }
}
