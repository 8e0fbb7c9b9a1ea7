//! Reading snapshots and lists of them.

use super::{
    Archive, Format, Manifest, Place,
    blocks::BlockReader,
    manifest::LIMIT,
    place::{Part, environment_key, of_key, root_key},
};
use crate::{Error, Key, ObjectReader, Result};
use futures_util::TryStreamExt;
use pressroom_base::{
    Timestamp,
    id::{AccountId, EnvironmentId},
};
use std::ops::Range;

/// A part of a list, in the order of keys: by account, environment and name, each
/// compared as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// At most this many.
    pub limit: usize,
    /// Begin after this one, the last of the page before.
    pub after: Option<Place>,
}

impl Page {
    /// The first so many.
    pub const fn first(limit: usize) -> Self {
        Self { limit, after: None }
    }
}

/// What a listing tells of a snapshot; its manifest is a call more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Where it is.
    pub place: Place,
    /// When its manifest was written.
    pub created: Timestamp,
    /// Its archive: format and bytes. `None` when the manifest stands alone, which is
    /// a damaged snapshot.
    pub object: Option<(Format, u64)>,
}

impl Archive {
    /// What is known of a snapshot; [`Error::NotFound`] when there is none.
    pub async fn manifest(&self, place: &Place) -> Result<Manifest> {
        let key = place.manifest_key()?;
        match self.objects().read_small(&key, LIMIT).await {
            Err(Error::NotFound(_)) => Err(Error::NotFound(place.name.to_string())),
            bytes => Manifest::parse(&key, place, &bytes?),
        }
    }

    /// The archive of a snapshot from its beginning, for a restore or a download.
    pub async fn open(&self, place: &Place) -> Result<(Manifest, ObjectReader)> {
        let manifest = self.manifest(place).await?;
        let reader = self.reader(&manifest, None).await?;
        Ok((manifest, reader))
    }

    /// A part of it, cut where the archive ends: what a `Range` header asks for.
    pub async fn read_range(
        &self,
        place: &Place,
        range: Range<u64>,
    ) -> Result<(Manifest, ObjectReader)> {
        let manifest = self.manifest(place).await?;
        let reader = self.reader(&manifest, Some(range)).await?;
        Ok((manifest, reader))
    }

    /// The same for a thread that may wait, and that goes to and fro in it.
    pub async fn look(&self, place: &Place) -> Result<BlockReader> {
        let manifest = self.manifest(place).await?;
        let key = manifest.place.object_key(manifest.format)?;
        BlockReader::open(self.objects(), &key).await
    }

    pub(super) async fn reader(
        &self,
        manifest: &Manifest,
        range: Option<Range<u64>>,
    ) -> Result<ObjectReader> {
        let key = manifest.place.object_key(manifest.format)?;
        let damaged = |reason: String| Error::Damaged {
            key: key.to_string(),
            reason,
        };
        let reader = match self.objects().open(&key, range).await {
            Err(Error::NotFound(_)) => return Err(damaged("it is missing".to_owned())),
            reader => reader?,
        };
        let size = reader.info().size;
        if size != manifest.size {
            return Err(damaged(format!(
                "it has {size} bytes, stored were {}",
                manifest.size
            )));
        }
        Ok(reader)
    }

    /// The snapshots of an environment.
    pub async fn list(
        &self,
        account: AccountId,
        environment: EnvironmentId,
        page: &Page,
    ) -> Result<Vec<Listed>> {
        self.list_below(&environment_key(account, environment)?, page)
            .await
    }

    /// The snapshots of all an account's environments.
    pub async fn list_account(&self, account: AccountId, page: &Page) -> Result<Vec<Listed>> {
        self.list_below(&super::account_key(account)?, page).await
    }

    /// Every snapshot.
    pub async fn list_all(&self, page: &Page) -> Result<Vec<Listed>> {
        self.list_below(&root_key()?, page).await
    }

    async fn list_below(&self, below: &Key, page: &Page) -> Result<Vec<Listed>> {
        // The key of a name's archive in either format stands behind its manifest's.
        let after = match &page.after {
            Some(place) => Some(place.object_key(Format::Zip)?),
            None => None,
        };
        let mut found: Vec<Listed> = Vec::new();
        let mut objects = self.objects().list(below, after.as_ref()).await?;
        while let Some(object) = objects.try_next().await? {
            let Some((place, part)) = of_key(&object.key) else {
                continue;
            };
            match part {
                Part::Manifest if found.len() == page.limit => break,
                Part::Manifest => found.push(Listed {
                    place,
                    created: object.modified,
                    object: None,
                }),
                Part::Object(format) => {
                    if let Some(last) = found.last_mut()
                        && last.place == place
                    {
                        last.object = Some((format, object.size));
                    }
                }
            }
        }
        Ok(found)
    }
}
