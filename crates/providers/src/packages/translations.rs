//! Language packs: what sources offer for a WordPress, and the packs themselves.

use super::{
    Error, PackageCache, Result,
    cache::note,
    released::{release_time, revision_time},
    source::{Source, check_name},
    storage::stamp_of,
};
use pressroom_base::Timestamp;
use std::path::PathBuf;
use url::Url;

/// A language pack on offer.
#[derive(Debug, Clone)]
pub struct TranslationOffer {
    /// Its language, e.g. `de_DE`.
    pub locale: String,
    /// The version that it translates.
    pub version: String,
    /// When it was last changed, where the source tells.
    pub updated: Option<Timestamp>,
    url: Url,
    /// Which of the sources offers it.
    source: usize,
}

/// A language pack on this machine: a zip without folders. Whether its files are
/// translations, and of which language, is not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LanguagePack {
    /// The zip.
    pub path: PathBuf,
    /// Hash of the zip, lower-case hex.
    pub sha256: String,
    /// Bytes of the zip.
    pub size: u64,
}

impl TranslationOffer {
    /// Whether it is newer than files of this `PO-Revision-Date`, as WordPress compares
    /// them. What states none counts as older.
    pub fn is_newer_than(&self, revision: Option<&str>) -> bool {
        match (self.updated, revision.and_then(revision_time)) {
            (Some(updated), Some(revision)) => updated > revision,
            _ => true,
        }
    }
}

impl PackageCache {
    /// The language packs of a WordPress, of each language the one of the first source that
    /// has it. Nothing where no source has any, as directories have none; an error where
    /// none was found and a source could not be asked.
    pub async fn core_translations(&self, version: &str) -> Result<Vec<TranslationOffer>> {
        check_name("version", version)?;
        let mut offers: Vec<TranslationOffer> = Vec::new();
        let mut failed = None;
        for (source, client) in self.sources().iter().enumerate() {
            let Source::WordPressOrg(client) = client else {
                continue;
            };
            let packs = match client.core_translations(version).await {
                Ok(packs) => packs,
                Err(error) => {
                    failed = Some(note(error));
                    continue;
                }
            };
            for pack in packs {
                let known = offers.iter().any(|offer| offer.locale == pack.language);
                let is_named = check_name("locale", &pack.language).is_ok();
                if let Some(url) = pack.url.filter(|_| is_named && !known) {
                    offers.push(TranslationOffer {
                        locale: pack.language,
                        version: pack.version,
                        updated: pack.updated.as_str().and_then(release_time),
                        url,
                        source,
                    });
                }
            }
        }
        match failed {
            Some(error) if offers.is_empty() => Err(error),
            _ => Ok(offers),
        }
    }

    /// A language pack: from the cache, or from its source into the cache. One that was
    /// changed since is fetched anew.
    pub async fn fetch_translation(&self, offer: &TranslationOffer) -> Result<LanguagePack> {
        let nowhere = || Error::Damaged {
            name: offer.locale.clone(),
            message: "its source has no language packs".into(),
        };
        let Some(Source::WordPressOrg(client)) = self.sources().get(offer.source) else {
            return Err(nowhere());
        };
        let mut dated = offer.url.clone();
        let updated = offer.updated.map_or(0, Timestamp::millis);
        dated.set_fragment(Some(&updated.to_string()));
        let stamp = stamp_of(&dated);
        let index = self.storage().pack_index(&stamp);
        let fetch = async {
            if let Some(row) = self.storage().load(&index, &stamp) {
                return Ok(row);
            }
            let temporary = self.storage().temporary()?;
            let url = offer.url.clone();
            client.download_pack(url.clone(), &temporary.path).await?;
            let (cache, version) = (self.clone(), offer.version.clone());
            let (index, stamp) = (index.clone(), stamp.clone());
            let keep = move || {
                let storage = cache.storage();
                storage.keep_pack(&temporary, &url, version, &index, stamp)
            };
            // Archives come from outside: whatever they do to their reader is their fault.
            tokio::task::spawn_blocking(keep).await.unwrap_or_else(|_| {
                Err(Error::Damaged {
                    name: offer.locale.clone(),
                    message: "reading it failed".into(),
                })
            })
        };
        let row = self.in_turn(&index, fetch).await?;
        Ok(LanguagePack {
            path: self.storage().object(&row.sha256),
            sha256: row.sha256,
            size: row.size,
        })
    }
}
