//! Taking a snapshot in.

use super::{
    Archive, Format, Manifest, Place, Said, Streaming, blocks::BlockReader, streaming::ReadError,
};
use crate::{Error, Key, Result, Stored, Upload};
use tokio::{io::AsyncRead, runtime::Handle};

impl Archive {
    /// Streams a site's archive into the store. The snapshot does not exist before
    /// [`Received::commit`]. After a failure (end of input with an error, limit,
    /// cancellation, store) nothing of it is left.
    ///
    /// The end of `input` is taken for the end of the archive: whoever makes the reader
    /// turns a transfer that broke off into a read error.
    pub async fn receive<R: AsyncRead + Unpin>(
        &self,
        place: &Place,
        format: Format,
        mut input: R,
        streaming: &Streaming,
    ) -> Result<Received> {
        let key = place.object_key(format)?;
        if streaming.limit == Some(0) {
            return Err(Error::OverLimit { limit: 0 });
        }
        if self.objects().load(&place.manifest_key()?).await?.is_some() {
            return Err(Error::Exists(place.name.to_string()));
        }
        let mut upload = self.objects().upload(&key, streaming.expected).await?;
        match fill(&mut upload, &mut input, streaming).await {
            Ok(()) => {}
            Err(error) => {
                upload.abort().await;
                return Err(error);
            }
        }
        let stored = upload.finish().await?;
        Ok(Received {
            archive: self.clone(),
            place: place.clone(),
            format,
            key: Some(key),
            stored,
        })
    }
}

async fn fill<R: AsyncRead + Unpin>(
    upload: &mut Upload,
    input: &mut R,
    streaming: &Streaming,
) -> Result<()> {
    let mut buffer = Streaming::buffer();
    loop {
        let count = match streaming.next(input, &mut buffer).await {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(ReadError::Cancelled) => return Err(Error::Cancelled),
            Err(ReadError::Failed(error)) => return Err(Error::Input(error)),
        };
        if let Some(limit) = streaming.limit
            && upload.size() + count as u64 > limit
        {
            return Err(Error::OverLimit { limit });
        }
        streaming
            .unless_cancelled(upload.write(&buffer[..count]))
            .await?;
        streaming.tell(upload.size());
    }
}

/// An archive that is in the store whole, and not yet a snapshot. Dropped, it is
/// removed in passing; if that is not possible, by a later sweep.
#[derive(Debug)]
pub struct Received {
    archive: Archive,
    place: Place,
    format: Format,
    /// Until it is committed or discarded.
    key: Option<Key>,
    stored: Stored,
}

impl Received {
    /// What arrived.
    pub const fn stored(&self) -> &Stored {
        &self.stored
    }

    /// What arrived, to be looked into before it counts. Each call reads from the
    /// beginning; a thread that may wait reads it.
    pub async fn look(&self) -> Result<BlockReader> {
        let key = self.place.object_key(self.format)?;
        BlockReader::open(self.archive.objects(), &key).await
    }

    /// Makes it a snapshot: writes the manifest, the last thing to be written. Refused
    /// with [`Error::Differs`], and the archive removed, when the site sent something
    /// else than arrived.
    pub async fn commit(mut self, said: Said) -> Result<Manifest> {
        if let Some(what) = self.difference(&said) {
            self.discard().await?;
            return Err(Error::Differs { what });
        }
        let manifest_key = self.place.manifest_key()?;
        let manifest = Manifest::new(self.place.clone(), self.format, self.stored.clone(), said);
        let bytes = manifest.render(&manifest_key)?;
        let Some(key) = self.key.take() else {
            return Err(Error::NotFound(self.place.name.to_string()));
        };
        // From here on the archive may belong to a snapshot, so nothing in passing
        // removes it any more.
        let objects = self.archive.objects();
        let written = objects.put_new(&manifest_key, &bytes).await;
        match (written, objects.load(&key).await) {
            (Ok(()), Ok(Some(info))) if info.size == manifest.size => Ok(manifest),
            // A sweep that took us for dead, or a store that forgets.
            (Ok(()), Ok(_)) => {
                objects.delete(&manifest_key).await?;
                objects.delete(&key).await?;
                Err(Error::Damaged {
                    key: key.to_string(),
                    reason: "it is not there after it was stored".to_owned(),
                })
            }
            (Ok(()), Err(error)) => Err(error),
            (Err(error), _) => {
                let theirs = match self.archive.manifest(&self.place).await {
                    Ok(manifest) => manifest.format == self.format,
                    // Unless it is certain that there is none, the archive stays.
                    Err(refused) => !matches!(refused, Error::NotFound(_)),
                };
                if !theirs {
                    let _ = objects.delete(&key).await;
                }
                Err(error)
            }
        }
    }

    /// Removes what arrived.
    pub async fn discard(mut self) -> Result<()> {
        match self.key.take() {
            Some(key) => self.archive.objects().delete(&key).await,
            None => Ok(()),
        }
    }

    fn difference(&self, said: &Said) -> Option<&'static str> {
        if said.size.is_some_and(|size| size != self.stored.size) {
            return Some("size");
        }
        let hash = said.sha256.as_deref()?;
        (!hash.eq_ignore_ascii_case(&self.stored.sha256)).then_some("hash")
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        if let Some(key) = self.key.take()
            && let Ok(runtime) = Handle::try_current()
        {
            let objects = self.archive.objects().clone();
            runtime.spawn(async move {
                if let Err(error) = objects.delete(&key).await {
                    tracing::warn!(%key, %error, "cannot remove `{key}`, a sweep will");
                }
            });
        }
    }
}
