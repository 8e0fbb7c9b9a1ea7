//! A body that is handed on as it comes, however long it is.

use crate::{Fault, multipart};
use axum::{
    body::Body,
    http::{Version, header, request::Parts},
};
use bytes::{Buf as _, Bytes};
use futures_util::{Stream, StreamExt as _};
use http_body_util::BodyExt as _;
use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, ReadBuf},
    sync::oneshot,
    time::Sleep,
};

/// How long nothing may come before its sender is taken for gone.
const SILENCE: Duration = Duration::from_mins(1);
/// What a form may have around the file in it.
const AROUND: u64 = 64 * 1024;
const FORM: &str = "multipart/form-data";

/// What is said of how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// So many bytes.
    Declared(u64),
    /// It comes in pieces until it ends.
    Open,
    /// Nothing, which means that there is no body.
    Missing,
}

/// A body on its way. Dropped, what is left of it goes back to the frame.
pub struct Incoming {
    body: Option<Body>,
    back: Option<oneshot::Sender<Body>>,
    length: Length,
    media: String,
    boundary: Option<String>,
    /// Its sender waits to be told to send; nothing is told before the first read.
    asked_first: bool,
}

/// Where the frame gets back what the handler left.
pub(crate) struct Rest(oneshot::Receiver<Body>);

impl Rest {
    /// What is left, once the handler has ended.
    pub(crate) fn take(mut self) -> Option<Body> {
        self.0.try_recv().ok()
    }
}

impl Incoming {
    pub(crate) fn new(parts: &Parts, body: Body) -> (Self, Rest) {
        let header = |name| {
            let value = parts.headers.get(name)?;
            value.to_str().ok().map(str::trim)
        };
        let declared = header(header::CONTENT_LENGTH).and_then(|text| text.parse().ok());
        let in_pieces = parts.headers.contains_key(header::TRANSFER_ENCODING)
            || parts.version > Version::HTTP_11;
        let length = match declared {
            Some(bytes) => Length::Declared(bytes),
            None if in_pieces => Length::Open,
            None => Length::Missing,
        };
        let kind = header(header::CONTENT_TYPE).unwrap_or_default();
        let media = kind.split(';').next().unwrap_or_default();
        let (back, rest) = oneshot::channel();
        let incoming = Self {
            body: Some(body),
            back: Some(back),
            length,
            boundary: multipart::boundary(kind),
            media: media.trim().to_ascii_lowercase(),
            asked_first: header(header::EXPECT).is_some(),
        };
        (incoming, Rest(rest))
    }

    /// What is said of its length.
    pub const fn length(&self) -> Length {
        self.length
    }

    /// Its media type in lower case, without parameters; empty where none is named.
    pub fn media(&self) -> &str {
        &self.media
    }

    /// Whether it is a form that holds the file.
    pub fn is_form(&self) -> bool {
        self.media == FORM
    }

    /// Bytes that the file has at most, as far as that is known.
    pub const fn declared(&self) -> Option<u64> {
        match self.length {
            Length::Declared(bytes) => Some(bytes),
            Length::Open | Length::Missing => None,
        }
    }

    /// Whether more is declared than `limit` bytes; a form has something around its file.
    pub fn is_over(&self, limit: u64) -> bool {
        let around = if self.is_form() { AROUND } else { 0 };
        self.declared()
            .is_some_and(|bytes| bytes > limit.saturating_add(around))
    }

    /// The bytes: of a form those of its first file of this name. Ends with an error when
    /// the connection broke, or nothing came for a minute.
    pub fn reader(self, field: &'static str) -> Result<Pin<Box<dyn AsyncRead + Send>>, Fault> {
        if !self.is_form() {
            return Ok(Box::pin(Pieces::new(self)));
        }
        let boundary = self.boundary.clone().ok_or_else(|| {
            Fault::Malformed("the form does not name what its parts end with".into())
        })?;
        let file = multipart::file(Pieces::new(self), &boundary, field);
        Ok(Box::pin(Pieces::new(file.boxed())))
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if let (Some(body), Some(back), false) =
            (self.body.take(), self.back.take(), self.asked_first)
        {
            // Nobody takes it back where the frame is gone.
            let _ = back.send(body);
        }
    }
}

impl Stream for Incoming {
    type Item = io::Result<Bytes>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Bytes>>> {
        self.asked_first = false;
        loop {
            let Some(body) = &mut self.body else {
                return Poll::Ready(None);
            };
            let mut frame = body.frame();
            let next = std::task::ready!(Pin::new(&mut frame).poll(context));
            let end = match next {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => return Poll::Ready(Some(Ok(bytes))),
                    // Trailers say nothing here.
                    Err(_) => continue,
                },
                Some(Err(error)) => Some(Err(io::Error::other(error))),
                None => None,
            };
            self.body = None;
            return Poll::Ready(end);
        }
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("length", &self.length)
            .field("media", &self.media)
            .finish_non_exhaustive()
    }
}

/// A stream of pieces as a reader that does not wait for ever.
pub(crate) struct Pieces<S> {
    stream: S,
    at_hand: Bytes,
    silence: Pin<Box<Sleep>>,
    waiting: bool,
}

impl<S: Stream<Item = io::Result<Bytes>> + Unpin> Pieces<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            at_hand: Bytes::new(),
            silence: Box::pin(tokio::time::sleep(SILENCE)),
            waiting: false,
        }
    }
}

impl<S: Stream<Item = io::Result<Bytes>> + Unpin> AsyncRead for Pieces<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.at_hand.is_empty() {
            match self.stream.poll_next_unpin(context) {
                Poll::Ready(Some(Ok(piece))) => {
                    self.at_hand = piece;
                    self.waiting = false;
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Pending => {
                    if !self.waiting {
                        self.waiting = true;
                        let until = tokio::time::Instant::now() + SILENCE;
                        self.silence.as_mut().reset(until);
                    }
                    std::task::ready!(self.silence.as_mut().poll(context));
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
        }
        let count = self.at_hand.len().min(buffer.remaining());
        buffer.put_slice(&self.at_hand[..count]);
        self.at_hand.advance(count);
        Poll::Ready(Ok(()))
    }
}
