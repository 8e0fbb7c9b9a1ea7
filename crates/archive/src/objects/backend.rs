//! What an object store is made of: a directory or a bucket, and how a key is called
//! there.

use super::{
    Key,
    directory::{Directory, STAGING},
    s3::S3,
};
use crate::{Error, Result};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, path::Path};
use pressroom_base::Timestamp;
use std::sync::Arc;

/// An object store. Cheap to clone; clones are the same store.
#[derive(Debug, Clone)]
pub struct Objects(pub(super) Arc<Backend>);

#[derive(Debug)]
pub(super) enum Backend {
    Directory(Directory),
    S3(S3),
}

/// What a listing says of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its name.
    pub key: Key,
    /// Its size in bytes.
    pub size: u64,
    /// When it was written; on S3, when its upload was begun.
    pub modified: Timestamp,
    /// What changes when the content does, where the store says it.
    pub etag: Option<String>,
}

impl Objects {
    /// What is known of an object, if it is there.
    pub async fn load(&self, key: &Key) -> Result<Option<ObjectInfo>> {
        match self.raw().head(&self.path(key)).await {
            Ok(meta) => Ok(self.info(meta)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(Error::of_store(key.as_str(), error)),
        }
    }

    /// Bytes that the disk of a directory has left; `None` for a bucket.
    pub fn free_bytes(&self) -> Result<Option<u64>> {
        match &*self.0 {
            Backend::Directory(directory) => directory.free_bytes().map(Some),
            Backend::S3(_) => Ok(None),
        }
    }

    pub(super) fn raw(&self) -> &dyn ObjectStore {
        match &*self.0 {
            Backend::Directory(directory) => &directory.store,
            Backend::S3(s3) => &s3.store,
        }
    }

    pub(super) fn path(&self, key: &Key) -> Path {
        match &*self.0 {
            Backend::Directory(_) => key.below(None),
            Backend::S3(s3) => key.below(s3.prefix.as_ref()),
        }
    }

    /// A name in the directory's staging area for something that becomes `key`.
    pub(super) fn staged(key: &Key) -> Path {
        let name = key.name();
        Path::from(format!(
            "{STAGING}/{name}-{}",
            pressroom_base::token::hex(16)
        ))
    }

    pub(super) fn info(&self, meta: ObjectMeta) -> Option<ObjectInfo> {
        let prefix = match &*self.0 {
            Backend::Directory(_) => None,
            Backend::S3(s3) => s3.prefix.as_ref(),
        };
        Some(ObjectInfo {
            key: Key::of_path(&meta.location, prefix)?,
            size: meta.size,
            modified: Timestamp::from_millis(meta.last_modified.timestamp_millis()),
            etag: meta.e_tag,
        })
    }
}
