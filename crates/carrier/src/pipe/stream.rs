//! One request under way, from the caller's side.

use super::Hub;
use crate::{Error, Result};
use pressroom_agent::{
    frame::{self, Frame, FrameKind},
    protocol::{MAX_CHUNK, Response},
};
use std::{io, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::{Semaphore, mpsc, oneshot},
};

/// One request under way. Dropped before its answer it is cancelled at the agent.
pub(crate) struct Stream {
    id: u32,
    hub: Arc<Hub>,
    credit: Arc<Semaphore>,
    answered: oneshot::Receiver<Result<Vec<u8>>>,
    arriving: mpsc::UnboundedReceiver<Vec<u8>>,
    over: bool,
}

impl Stream {
    pub(super) const fn new(
        id: u32,
        hub: Arc<Hub>,
        credit: Arc<Semaphore>,
        answered: oneshot::Receiver<Result<Vec<u8>>>,
        arriving: mpsc::UnboundedReceiver<Vec<u8>>,
    ) -> Self {
        Self {
            id,
            hub,
            credit,
            answered,
            arriving,
            over: false,
        }
    }

    /// Waits for the answer; once.
    pub(crate) async fn answer(&mut self) -> Result<Response> {
        let answer = (&mut self.answered)
            .await
            .unwrap_or_else(|_| Err(self.hub.closed()));
        self.over = true;
        serde_json::from_slice(&answer?).map_err(|error| Error::Protocol(error.to_string()))
    }

    /// Writes what the agent gives until the stream ends. Credit is granted as it is
    /// written, so a slow reader slows the agent down.
    pub(crate) async fn receive(
        &mut self,
        out: &mut (dyn AsyncWrite + Unpin + Send),
    ) -> io::Result<()> {
        while let Some(chunk) = self.arriving.recv().await {
            out.write_all(&chunk).await?;
            self.hub.used(self.id, chunk.len());
        }
        out.flush().await
    }

    /// Tells the agent that the answer is no longer wanted. It answers all the same.
    pub(crate) fn cancel(&self) {
        let cancel = Frame::bare(FrameKind::Cancel, self.id);
        self.hub.queue(cancel.encode().unwrap_or_default(), None);
    }

    /// What sends data on this stream.
    pub(crate) fn sender(&self) -> Sender {
        Sender {
            id: self.id,
            hub: Arc::clone(&self.hub),
            credit: Arc::clone(&self.credit),
        }
    }

    #[cfg(test)]
    pub(super) fn unused_credit(&self) -> usize {
        self.credit.available_permits()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if !self.over {
            self.cancel();
        }
    }
}

/// Sends data on a stream.
pub(crate) struct Sender {
    id: u32,
    hub: Arc<Hub>,
    credit: Arc<Semaphore>,
}

impl Sender {
    /// Sends everything, as fast as the agent grants credit for it; stops early when
    /// the stream is over.
    pub(crate) async fn send(&self, data: &mut (dyn AsyncRead + Unpin + Send)) -> io::Result<()> {
        let mut buffer = vec![0; MAX_CHUNK];
        loop {
            let read = data.read(&mut buffer).await?;
            if read == 0 {
                let end = Frame::bare(FrameKind::End, self.id);
                self.hub.queue(end.encode().unwrap_or_default(), None);
                return Ok(());
            }
            let wanted = u32::try_from(read).unwrap_or(u32::MAX);
            let Ok(credit) = self.credit.acquire_many(wanted).await else {
                return Ok(());
            };
            let backlog = Arc::clone(&self.hub.backlog);
            let Ok(room) = backlog.acquire_many_owned(wanted).await else {
                return Ok(());
            };
            credit.forget();
            let chunk = buffer.get(..read).unwrap_or_default();
            let frame = frame::encode(FrameKind::Data, self.id, chunk).map_err(io::Error::other)?;
            self.hub.queue(frame, Some(room));
        }
    }
}
