//! Removing a snapshot.

use super::{Archive, Format, Place};
use crate::{Error, Result};

/// What was there to remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Removed {
    /// There was a manifest.
    pub manifest: bool,
    /// Bytes of the archive, if there was one.
    pub bytes: u64,
}

impl Archive {
    /// Removes a snapshot, its manifest first: interrupted, it leaves an archive that
    /// is no snapshot, never a snapshot without its archive. Twice does no harm. That
    /// all is gone was looked at when this returns.
    pub async fn remove(&self, place: &Place) -> Result<Removed> {
        let objects = self.objects();
        let mut removed = Removed::default();
        let manifest = place.manifest_key()?;
        if objects.load(&manifest).await?.is_some() {
            objects.delete(&manifest).await?;
            removed.manifest = true;
        }
        for format in Format::ALL {
            let key = place.object_key(format)?;
            if let Some(object) = objects.load(&key).await? {
                objects.delete(&key).await?;
                removed.bytes += object.size;
            }
        }
        let mut keys = vec![manifest];
        for format in Format::ALL {
            keys.push(place.object_key(format)?);
        }
        for key in keys {
            if objects.load(&key).await?.is_some() {
                return Err(Error::Store(format!("`{key}` is still there").into()));
            }
        }
        Ok(removed)
    }

    /// The same for one that did not become a snapshot, with what was sent of it. Call
    /// it once its writer can write no more.
    pub async fn abandon(&self, place: &Place) -> Result<Removed> {
        let removed = self.remove(place).await?;
        let keys = Format::ALL.map(|format| place.object_key(format));
        let keys = keys.into_iter().collect::<Result<Vec<_>>>()?;
        if let Err(error) = self.objects().discard_all_of(&keys).await {
            // A key may lack the right to list uploads; a sweep comes later.
            let name = &place.name;
            tracing::warn!(%error, "an unfinished upload of snapshot `{name}` was not given back yet");
        }
        Ok(removed)
    }
}
