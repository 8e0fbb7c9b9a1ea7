//! What goes for every transfer of bytes.

use crate::{Error, Result};
use std::{fmt, sync::Arc};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_util::sync::CancellationToken;

/// Read at a time.
const BUFFER: usize = 256 << 10;

/// How a transfer is bounded, stopped and watched.
#[derive(Clone, Default)]
pub struct Streaming {
    /// Bytes that may come at most; one more and the transfer fails with
    /// [`Error::OverLimit`]. Verifying holds it against the unpacked bytes.
    pub limit: Option<u64>,
    /// Bytes that will come at most, if that is known.
    pub expected: Option<u64>,
    /// Stops the transfer with [`Error::Cancelled`].
    pub cancel: CancellationToken,
    /// Is told how many bytes have passed, every 256 kB at most.
    pub progress: Option<Arc<dyn Fn(u64) + Send + Sync>>,
}

impl Streaming {
    /// Reads the next bytes into the buffer: how many, 0 at the end.
    pub(super) async fn next<R: AsyncRead + Unpin>(
        &self,
        input: &mut R,
        buffer: &mut [u8],
    ) -> Result<usize, ReadError> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(ReadError::Cancelled),
            read = input.read(buffer) => read.map_err(ReadError::Failed),
        }
    }

    pub(super) fn tell(&self, bytes: u64) {
        if let Some(progress) = &self.progress {
            progress(bytes);
        }
    }

    pub(super) fn buffer() -> Vec<u8> {
        vec![0; BUFFER]
    }

    /// Runs something that is not a transfer, until it is cancelled.
    pub(super) async fn unless_cancelled<T>(
        &self,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(Error::Cancelled),
            done = work => done,
        }
    }
}

/// Why no more bytes came.
pub(super) enum ReadError {
    Cancelled,
    Failed(std::io::Error),
}

impl fmt::Debug for Streaming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streaming")
            .field("limit", &self.limit)
            .field("expected", &self.expected)
            .finish_non_exhaustive()
    }
}
