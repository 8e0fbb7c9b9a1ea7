//! An object that reaches a service in parts.

use super::{Key, Objects, backend::Backend, calls::Creation, s3::S3};
use crate::{Error, Result};
use bytes::Bytes;
use object_store::multipart::{MultipartStore, PartId};
use std::time::Duration;
use tokio::{runtime::Handle, task::JoinSet};

/// The protocol's limits.
const MOST_PARTS: u64 = 10_000;
const SMALLEST_PART: u64 = 8 << 20;
const LARGEST_PART: u64 = 5 << 30;
/// Without an expectation. All parts have one size because some services insist on it.
const USUAL_PART: u64 = 16 << 20;
/// Bytes under way at once, and at least one part; with the part being filled they
/// bound the memory.
const UNDER_WAY: usize = 48 << 20;

/// How long an abort waits for parts that are on their way.
const SETTLING: Duration = Duration::from_secs(5);

/// Parts under way and there. The upload is begun at the service with the first part,
/// so what fits into one needs no upload at all.
pub(super) struct PartUpload {
    objects: Objects,
    key: Key,
    upload_id: Option<String>,
    parts: Vec<Option<PartId>>,
    running: JoinSet<Result<(usize, PartId)>>,
}

impl PartUpload {
    pub(super) fn new(objects: Objects, key: Key) -> Self {
        Self {
            objects,
            key,
            upload_id: None,
            parts: Vec::new(),
            running: JoinSet::new(),
        }
    }

    /// The size of parts for so many bytes: a tenth is left for what was not expected.
    pub(super) fn part_size(expected: Option<u64>) -> usize {
        let size = match expected {
            None => USUAL_PART,
            Some(bytes) => bytes
                .div_ceil(MOST_PARTS * 9 / 10)
                .next_multiple_of(1 << 20)
                .clamp(SMALLEST_PART, LARGEST_PART),
        };
        usize::try_from(size).unwrap_or(usize::MAX)
    }

    /// Sends one more part, once there is room for it.
    pub(super) async fn put(&mut self, bytes: Bytes) -> Result<()> {
        let index = self.parts.len();
        if index as u64 == MOST_PARTS {
            return Err(Error::OverLimit {
                limit: bytes.len() as u64 * MOST_PARTS,
            });
        }
        let upload_id = self.begun().await?;
        while self.running.len() >= (UNDER_WAY / bytes.len().max(1)).max(1) {
            self.one_arrives().await?;
        }
        let objects = self.objects.clone();
        let key = self.key.clone();
        self.parts.push(None);
        self.running.spawn(async move {
            let part = service(&objects)?
                .store
                .put_part(&objects.path(&key), &upload_id, index, bytes.into())
                .await
                .map_err(|error| Error::of_store(key.as_str(), error))?;
            Ok((index, part))
        });
        Ok(())
    }

    /// The upload at the service, begun when it is first asked for.
    async fn begun(&mut self) -> Result<String> {
        if let Some(id) = &self.upload_id {
            return Ok(id.clone());
        }
        let id = service(&self.objects)?
            .store
            .create_multipart(&self.objects.path(&self.key))
            .await
            .map_err(|error| Error::of_store(self.key.as_str(), error))?;
        Ok(self.upload_id.insert(id).clone())
    }

    /// Makes the object out of the parts and the last bytes.
    pub(super) async fn complete(&mut self, last: Bytes) -> Result<()> {
        if self.upload_id.is_some() && !last.is_empty() {
            self.put(last.clone()).await?;
        }
        while !self.running.is_empty() {
            self.one_arrives().await?;
        }
        let creation = match &self.upload_id {
            None => Creation::Whole(last),
            Some(id) => Creation::Parts {
                upload_id: id.clone(),
                parts: std::mem::take(&mut self.parts)
                    .into_iter()
                    .collect::<Option<_>>()
                    .ok_or_else(|| Error::Store("a part is missing".into()))?,
            },
        };
        service(&self.objects)?.create(&self.key, &creation).await?;
        self.forget();
        Ok(())
    }

    /// There is nothing left to take back.
    pub(super) fn forget(&mut self) {
        self.upload_id = None;
    }

    /// Gives the parts back. A failure is left to a later sweep.
    pub(super) async fn abort(mut self) {
        settle(&mut self.running).await;
        if let Some(id) = self.upload_id.take() {
            give_back(&self.objects, &self.key, &id).await;
        }
    }

    async fn one_arrives(&mut self) -> Result<()> {
        if let Some(arrived) = self.running.join_next().await {
            let (index, part) = arrived.map_err(|error| Error::Store(Box::new(error)))??;
            if let Some(place) = self.parts.get_mut(index) {
                *place = Some(part);
            }
        }
        Ok(())
    }
}

impl Drop for PartUpload {
    fn drop(&mut self) {
        if let Some(id) = self.upload_id.take()
            && let Ok(runtime) = Handle::try_current()
        {
            let (objects, key) = (self.objects.clone(), self.key.clone());
            let mut running = std::mem::take(&mut self.running);
            runtime.spawn(async move {
                settle(&mut running).await;
                give_back(&objects, &key, &id).await;
            });
        }
    }
}

/// Lets parts that are on their way arrive, for a while: one that arrives after the rest
/// was given back would stay.
async fn settle(running: &mut JoinSet<Result<(usize, PartId)>>) {
    let all = async { while running.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(SETTLING, all).await;
    running.shutdown().await;
}

async fn give_back(objects: &Objects, key: &Key, id: &str) {
    if let Ok(s3) = service(objects)
        && let Err(error) = s3.abort(key, id).await
    {
        tracing::warn!(%key, %error, "cannot give the parts of `{key}` back, a sweep will");
    }
}

fn service(objects: &Objects) -> Result<&S3> {
    match &*objects.0 {
        Backend::S3(s3) => Ok(s3),
        Backend::Directory(_) => Err(Error::Store("a directory has no parts".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_as_large_as_their_number_asks() {
        let size = PartUpload::part_size;
        assert_eq!(size(None), 16 << 20);
        assert_eq!(size(Some(0)), 8 << 20);
        assert_eq!(size(Some(70 << 30)), 8 << 20);
        for bytes in [80 << 30, 1 << 40, 5 << 40] {
            let parts = bytes / size(Some(bytes)) as u64;
            assert!((8_000..=9_001).contains(&parts), "{bytes}: {parts}");
        }
    }
}
