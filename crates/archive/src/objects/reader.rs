//! Reading an object as a stream.

use super::{ObjectInfo, Objects};
use crate::{Error, Result};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::{GetOptions, GetRange};
use std::{
    fmt, io,
    ops::Range,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::io::StreamReader;

/// Asked for at a time, so that a request is over soon and a broken connection costs
/// little. Two are under way at once.
const CHUNK: u64 = 8 << 20;
const AHEAD: usize = 2;

/// An object, or a part of it, as a stream. Ends early with an error, never silently.
pub struct ObjectReader {
    info: ObjectInfo,
    range: Range<u64>,
    stream: Pin<Box<dyn AsyncRead + Send>>,
}

impl ObjectReader {
    /// A range that ends behind the object is cut there.
    pub(super) fn new(objects: Objects, info: ObjectInfo, range: Option<Range<u64>>) -> Self {
        let range = match range {
            Some(range) => {
                let end = range.end.min(info.size);
                range.start.min(end)..end
            }
            None => 0..info.size,
        };
        let of = info.clone();
        let chunks = stream::iter(chunks(range.clone()))
            .map(move |chunk| fetch(objects.clone(), of.clone(), chunk))
            .buffered(AHEAD)
            .map_err(Error::into_io);
        Self {
            info,
            range,
            stream: Box::pin(StreamReader::new(chunks.boxed())),
        }
    }

    /// The object.
    pub const fn info(&self) -> &ObjectInfo {
        &self.info
    }

    /// Which bytes of it come; their number is what an HTTP answer declares.
    pub const fn range(&self) -> &Range<u64> {
        &self.range
    }
}

impl AsyncRead for ObjectReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_read(context, buffer)
    }
}

impl fmt::Debug for ObjectReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectReader")
            .field("info", &self.info)
            .field("range", &self.range)
            .finish_non_exhaustive()
    }
}

fn chunks(range: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let end = range.end;
    std::iter::successors(Some(range.start), |start| start.checked_add(CHUNK))
        .take_while(move |start| *start < end)
        .map(move |start| start..end.min(start.saturating_add(CHUNK)))
}

async fn fetch(objects: Objects, info: ObjectInfo, range: Range<u64>) -> Result<Bytes> {
    let options = GetOptions {
        range: Some(GetRange::Bounded(range.clone())),
        if_match: info.etag.clone(),
        ..GetOptions::default()
    };
    let failed = |error| Error::of_store(info.key.as_str(), error);
    let result = objects
        .raw()
        .get_opts(&objects.path(&info.key), options)
        .await
        .map_err(failed)?;
    let same = result.meta.e_tag == info.etag && result.meta.size == info.size;
    let bytes = result.bytes().await.map_err(failed)?;
    if same && bytes.len() as u64 == range.end - range.start {
        Ok(bytes)
    } else {
        Err(Error::Damaged {
            key: info.key.to_string(),
            reason: "it changed while it was read".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_a_range_once() {
        let all = |range| {
            chunks(range)
                .map(|chunk| (chunk.start, chunk.end))
                .collect::<Vec<_>>()
        };
        assert_eq!(all(5..5), []);
        assert_eq!(all(0..3), [(0, 3)]);
        assert_eq!(all(1..CHUNK + 2), [(1, CHUNK + 1), (CHUNK + 1, CHUNK + 2)]);
        assert_eq!(all(u64::MAX - 1..u64::MAX), [(u64::MAX - 1, u64::MAX)]);
    }
}
