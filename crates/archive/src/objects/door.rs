//! The one interface to both kinds of store.

use super::{
    Key, ObjectInfo, ObjectReader, Objects, S3Config, Upload, backend::Backend, calls::pause,
    directory::Directory, s3::S3,
};
use crate::{Error, Result};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use object_store::{ObjectStoreExt, multipart::MultipartStore};
use pressroom_base::Timestamp;
use std::{
    ops::Range,
    path::Path as FilePath,
    pin::Pin,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};
use url::Url;

/// The longest that S3 lets an address be valid.
const LONGEST_URL: Duration = Duration::from_hours(7 * 24);

/// An upload that nobody finished; it takes space and shows nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// What it was to become, where the store says it.
    pub key: Option<Key>,
    /// When it was begun (S3) or last written to (directory).
    pub since: Timestamp,
    handle: String,
}

impl Objects {
    /// Keeps objects in a directory of this machine, which is made for its owner alone
    /// (0700). A write is durable when it returns, and is seen whole or not at all.
    pub fn directory(path: impl AsRef<FilePath>) -> Result<Self> {
        let directory = Directory::open(path.as_ref())?;
        Ok(Self(Arc::new(Backend::Directory(directory))))
    }

    /// Keeps objects in a bucket. Nothing is asked of the service yet: see
    /// [`Objects::check`].
    pub fn s3(config: S3Config) -> Result<Self> {
        Ok(Self(Arc::new(Backend::S3(S3::open(config)?))))
    }

    /// `directory` or `s3`.
    pub fn name(&self) -> &'static str {
        match &*self.0 {
            Backend::Directory(_) => "directory",
            Backend::S3(_) => "s3",
        }
    }

    /// Writes, reads back and removes a small object: whether this store can be used.
    pub async fn check(&self) -> Result<()> {
        let text = pressroom_base::token::hex(24);
        let key = Key::parse(&format!("checks/{text}"))?;
        self.put_new(&key, text.as_bytes()).await?;
        let read = self.read_small(&key, 64).await;
        self.delete(&key).await?;
        if read? == text.as_bytes() {
            Ok(())
        } else {
            Err(Error::Store("it gives back something else".into()))
        }
    }

    /// Begins to write an object that must not exist yet. `expected` is how many bytes
    /// will come at most, if that is known: S3 has a limit on the number of parts, so
    /// without it an object ends at 160 GB.
    pub async fn upload(&self, key: &Key, expected: Option<u64>) -> Result<Upload> {
        Upload::begin(self.clone(), key.clone(), expected).await
    }

    /// Writes a small object that must not exist yet; [`Error::Exists`] otherwise.
    pub async fn put_new(&self, key: &Key, bytes: &[u8]) -> Result<()> {
        let mut upload = self.upload(key, None).await?;
        match upload.write(bytes).await {
            Ok(()) => upload.finish().await.map(|_| ()),
            Err(error) => {
                upload.abort().await;
                Err(error)
            }
        }
    }

    /// Reads an object, or a range of it, as a stream with bounded memory that takes
    /// up again where a connection broke. [`Error::NotFound`] comes at once; later
    /// failures come as read errors.
    pub async fn open(&self, key: &Key, range: Option<Range<u64>>) -> Result<ObjectReader> {
        let info = self
            .load(key)
            .await?
            .ok_or_else(|| Error::NotFound(key.to_string()))?;
        Ok(ObjectReader::new(self.clone(), info, range))
    }

    /// A small object whole; one larger than `limit` bytes is refused.
    pub async fn read_small(&self, key: &Key, limit: u64) -> Result<Vec<u8>> {
        let result = self
            .raw()
            .get(&self.path(key))
            .await
            .map_err(|error| Error::of_store(key.as_str(), error))?;
        if result.meta.size > limit {
            return Err(Error::Damaged {
                key: key.to_string(),
                reason: format!(
                    "it has {} bytes, at most {limit} make sense",
                    result.meta.size
                ),
            });
        }
        let bytes = result
            .bytes()
            .await
            .map_err(|error| Error::of_store(key.as_str(), error))?;
        Ok(bytes.to_vec())
    }

    /// Objects below a key, in the order of their keys, beginning after `after`. What
    /// is not named as [`Key`] allows is not ours and is left out.
    pub async fn list(
        &self,
        below: &Key,
        after: Option<&Key>,
    ) -> Result<Pin<Box<dyn Stream<Item = Result<ObjectInfo>> + Send>>> {
        let path = self.path(below);
        let found = match after {
            None => self.raw().list(Some(&path)),
            Some(after) => self.raw().list_with_offset(Some(&path), &self.path(after)),
        };
        let this = self.clone();
        let place = below.to_string();
        let listed = found
            .map_err(move |error| Error::of_store(&place, error))
            .try_filter_map(move |meta| std::future::ready(Ok(this.info(meta))));
        match &*self.0 {
            Backend::S3(_) => Ok(listed.boxed()),
            Backend::Directory(_) => {
                let mut all: Vec<ObjectInfo> = listed.try_collect().await?;
                all.sort_by(|one, other| one.key.cmp(&other.key));
                Ok(stream::iter(all.into_iter().map(Ok)).boxed())
            }
        }
    }

    /// Removes an object; one that is not there is removed already.
    pub async fn delete(&self, key: &Key) -> Result<()> {
        match self.raw().delete(&self.path(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(Error::of_store(key.as_str(), error)),
        }
    }

    /// An address of the store itself at which anybody may fetch the object for a
    /// while (at most seven days), saved under `file_name`; `None` where the store
    /// has no addresses.
    pub async fn url(&self, key: &Key, ttl: Duration, file_name: &Key) -> Result<Option<Url>> {
        match &*self.0 {
            Backend::Directory(_) => Ok(None),
            Backend::S3(s3) => s3
                .presigned(key, ttl.min(LONGEST_URL), file_name.name())
                .await
                .map(Some),
        }
    }

    /// Uploads that were begun before `before` and never finished.
    pub async fn unfinished(&self, before: Timestamp) -> Result<Vec<Unfinished>> {
        match &*self.0 {
            Backend::S3(s3) => {
                let begun = s3.begun_uploads().await?;
                Ok(begun
                    .into_iter()
                    .filter(|upload| upload.initiated < before)
                    .map(|upload| Unfinished {
                        key: Some(upload.key),
                        since: upload.initiated,
                        handle: upload.upload_id,
                    })
                    .collect())
            }
            Backend::Directory(_) => {
                let this = self.clone();
                let millis = u64::try_from(before.millis()).unwrap_or(0);
                let before = UNIX_EPOCH + Duration::from_millis(millis);
                let found = blocking(move || match &*this.0 {
                    Backend::Directory(directory) => directory.unfinished(before),
                    Backend::S3(_) => Ok(Vec::new()),
                })
                .await?;
                Ok(found
                    .into_iter()
                    .map(|(handle, changed)| Unfinished {
                        key: None,
                        since: Timestamp::from_millis(0)
                            .plus(changed.duration_since(UNIX_EPOCH).unwrap_or_default()),
                        handle,
                    })
                    .collect())
            }
        }
    }

    /// Gives back the space of one of them.
    pub async fn discard(&self, upload: &Unfinished) -> Result<()> {
        if let (Backend::S3(s3), Some(key)) = (&*self.0, &upload.key) {
            return s3.abort(key, &upload.handle).await;
        }
        let this = self.clone();
        let handle = upload.handle.clone();
        blocking(move || match &*this.0 {
            Backend::Directory(directory) => directory.discard(&handle),
            Backend::S3(_) => Ok(()),
        })
        .await
    }

    /// Gives back what writers of these objects left who are known to be gone; says how
    /// many there were. The store is listed once.
    pub async fn discard_all_of(&self, keys: &[Key]) -> Result<u64> {
        let mut discarded = 0;
        // A clock that is ahead of ours is no reason to leave one.
        let soon = Timestamp::now().plus(Duration::from_hours(24));
        for upload in self.unfinished(soon).await? {
            let is_of = |key: &Key| match &upload.key {
                Some(of) => of == key,
                None => upload
                    .handle
                    .strip_prefix(key.name())
                    .is_some_and(|rest| rest.starts_with('-')),
            };
            if keys.iter().any(is_of) {
                self.discard(&upload).await?;
                discarded += 1;
            }
        }
        Ok(discarded)
    }
}

impl S3 {
    /// Gives the parts of an upload back. One that is not there was given back before.
    pub(super) async fn abort(&self, key: &Key, id: &str) -> Result<()> {
        let path = key.below(self.prefix.as_ref());
        let id = id.to_owned();
        let mut tries = 0;
        loop {
            tries += 1;
            match self.store.abort_multipart(&path, &id).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => return Ok(()),
                Err(error) => {
                    let error = Error::of_store(key.as_str(), error);
                    if !error.is_unsure() || tries >= self.attempts {
                        return Err(error);
                    }
                }
            }
            tokio::time::sleep(pause(tries)).await;
        }
    }
}

/// Runs something that waits for a disk.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::Store(Box::new(error)))?
}
