//! Giving back what killed writers left.

use super::{
    Archive, Place,
    place::{Part, of_key, root_key},
};
use crate::{Key, Result};
use futures_util::TryStreamExt;
use pressroom_base::Timestamp;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What a sweep found and did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sweep {
    /// Archives without a manifest, removed.
    pub orphans: Vec<Key>,
    /// Their bytes.
    pub bytes: u64,
    /// Uploads nobody finished, given back.
    pub uploads: u64,
    /// Manifests without an archive: damaged snapshots, left as they are.
    pub broken: Vec<Place>,
    /// What could not be removed, with the reason; the next sweep tries again.
    pub failures: Vec<String>,
}

impl Archive {
    /// Removes archives that have had no manifest for `age`, and uploads that nobody
    /// finished for as long. `age` must be longer than any transfer; a day is.
    pub async fn sweep(&self, age: Duration, cancel: &CancellationToken) -> Result<Sweep> {
        let before = Timestamp::now().minus(age);
        let mut sweep = Sweep::default();
        // Manifest and archive of a name are neighbours, the manifest first.
        let mut manifest: Option<Place> = None;
        let mut orphans = Vec::new();
        let mut objects = self.objects().list(&root_key()?, None).await?;
        while let Some(object) = objects.try_next().await? {
            if cancel.is_cancelled() {
                return Err(crate::Error::Cancelled);
            }
            match of_key(&object.key) {
                Some((place, Part::Manifest)) => sweep.broken.extend(manifest.replace(place)),
                Some((place, Part::Object(_))) if manifest.as_ref() == Some(&place) => {
                    manifest = None;
                }
                Some((place, Part::Object(_))) if object.modified < before => {
                    orphans.push((place, object));
                }
                Some((_, Part::Object(_))) | None => {}
            }
        }
        sweep.broken.extend(manifest);
        for (place, object) in orphans {
            if cancel.is_cancelled() {
                return Err(crate::Error::Cancelled);
            }
            // The listing took its time: look again directly before.
            let key = place.manifest_key()?;
            let done = match self.objects().load(&key).await {
                Ok(Some(_)) => continue,
                Ok(None) => self.objects().delete(&object.key).await,
                Err(error) => Err(error),
            };
            match done {
                Ok(()) => {
                    sweep.bytes += object.size;
                    sweep.orphans.push(object.key);
                }
                Err(error) => sweep.failures.push(format!("{}: {error}", object.key)),
            }
        }
        for upload in self.objects().unfinished(before).await? {
            match self.objects().discard(&upload).await {
                Ok(()) => sweep.uploads += 1,
                Err(error) => sweep.failures.push(format!("an upload: {error}")),
            }
        }
        Ok(sweep)
    }
}
