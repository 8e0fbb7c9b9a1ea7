//! The task that reads from the agent. The agent lives in hostile territory:
//! anything it may not say ends the session.

use super::{Deaf, Hub, LastWords, Open, State};
use crate::Error;
use pressroom_agent::{
    frame::{Decoder, Frame, FrameError, FrameKind},
    protocol::{MAX_ANSWER, Refusal},
};
use std::{io, sync::Arc};
use tokio::io::{AsyncRead, AsyncReadExt};

/// More unused credit than this no agent of ours grants.
const MAX_CREDIT: usize = 4 * 1024 * 1024;

/// Reads frames to the end of the pipe, then fails whatever is still under way.
pub(super) async fn run(
    mut frames: Frames<impl AsyncRead + Unpin>,
    hub: Arc<Hub>,
    last_words: LastWords,
) {
    let why = loop {
        match frames.next().await {
            Ok(Some(frame)) => {
                if let Err(violation) = route(&hub, frame) {
                    hub.fail(&format!("the agent broke the protocol: {violation}"));
                    return;
                }
            }
            Ok(None) => break "the agent ended".to_owned(),
            Err(error) => break error.to_string(),
        }
    };
    if hub.hang_up.is_cancelled() {
        hub.fail("closed by this side");
        return;
    }
    // Its input is closed first, for it may wait for that before it says why.
    let said = last_words.await;
    hub.fail(&if said.is_empty() {
        why
    } else {
        format!("{why}: {said}")
    });
}

/// The frames that arrive on a pipe.
pub(super) struct Frames<R> {
    input: R,
    decoder: Decoder,
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    /// Frames of a pipe from which these bytes were read already.
    pub(super) fn new(input: R, first: Vec<u8>) -> Self {
        Self {
            input,
            decoder: Decoder::with(first),
            buffer: vec![0; 64 * 1024],
        }
    }

    /// The next frame, `None` at the end between two frames.
    pub(super) async fn next(&mut self) -> Result<Option<Frame>, Broken> {
        loop {
            if let Some(frame) = self.decoder.next_frame()? {
                return Ok(Some(frame));
            }
            match self.input.read(&mut self.buffer).await? {
                0 if self.decoder.is_empty() => return Ok(None),
                0 => return Err(Broken::Short),
                read => self
                    .decoder
                    .push(self.buffer.get(..read).unwrap_or_default()),
            }
        }
    }
}

fn route(hub: &Hub, frame: Frame) -> Result<(), Violation> {
    let mut state = hub.lock();
    match frame.kind {
        FrameKind::Data => {
            let open = find(&mut state, frame.stream)?;
            open.window
                .receive(frame.payload.len())
                .map_err(|error| Violation::Stream(frame.stream, error.to_string()))?;
            if let Some(download) = &open.download {
                // Nobody may want it any more; then nobody grants credit either.
                let _ = download.send(frame.payload);
                return Ok(());
            }
            if open.body.len() + frame.payload.len() > MAX_ANSWER {
                return Err(Violation::Answer(frame.stream));
            }
            open.body.extend_from_slice(&frame.payload);
            let grant = open.window.consume(frame.payload.len());
            drop(state);
            if let Some(grant) = grant {
                hub.say(Frame::credit(frame.stream, grant))?;
            }
        }
        FrameKind::Response => {
            let length = find(&mut state, frame.stream)?.body.len();
            if length + frame.payload.len() > MAX_ANSWER {
                return Err(Violation::Answer(frame.stream));
            }
            let mut open = close(&mut state, frame.stream)?;
            drop(state);
            let mut body = std::mem::take(&mut open.body);
            body.extend_from_slice(&frame.payload);
            open.end(Ok(body));
        }
        FrameKind::Refusal => {
            let refusal: Refusal = serde_json::from_slice(&frame.payload)
                .map_err(|error| Violation::Stream(frame.stream, error.to_string()))?;
            if frame.stream == 0 {
                return Err(Violation::Refused(refusal));
            }
            let open = close(&mut state, frame.stream)?;
            drop(state);
            let op = open.op;
            open.end(Err(Error::Refused { op, refusal }));
        }
        FrameKind::Credit => {
            let granted = frame
                .granted()
                .and_then(|bytes| usize::try_from(bytes).ok())
                .unwrap_or_default();
            // A grant can be under way when its stream ends.
            if let Some(open) = state.open.get(&frame.stream) {
                if open.credit.available_permits() + granted > MAX_CREDIT {
                    return Err(Violation::Credit(frame.stream));
                }
                open.credit.add_permits(granted);
            }
        }
        FrameKind::Pong => {
            let answered = <[u8; 8]>::try_from(frame.payload.as_slice())
                .ok()
                .and_then(|mark| state.pings.remove(&mark));
            if let Some(answered) = answered {
                // Nobody may wait for it any more.
                let _ = answered.send(());
            }
        }
        FrameKind::Ping => {
            drop(state);
            hub.say(Frame {
                kind: FrameKind::Pong,
                ..frame
            })?;
        }
        FrameKind::Welcome | FrameKind::Request | FrameKind::End | FrameKind::Cancel => {
            return Err(Violation::Direction(frame.kind));
        }
    }
    Ok(())
}

fn find(state: &mut State, stream: u32) -> Result<&mut Open, Violation> {
    state
        .open
        .get_mut(&stream)
        .ok_or(Violation::NotOpen(stream))
}

fn close(state: &mut State, stream: u32) -> Result<Open, Violation> {
    state.open.remove(&stream).ok_or(Violation::NotOpen(stream))
}

/// The pipe is of no use any more.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("the pipe broke: {0}")]
    Io(#[from] io::Error),
    #[error("the pipe ended inside a frame")]
    Short,
}

/// What no agent of ours says.
#[derive(Debug, thiserror::Error)]
enum Violation {
    #[error("stream {0} is not open")]
    NotOpen(u32),
    #[error("stream {0}: {1}")]
    Stream(u32, String),
    #[error("stream {0}: the answer is too long")]
    Answer(u32),
    #[error("stream {0}: too much credit")]
    Credit(u32),
    #[error("{0:?} frame from the agent")]
    Direction(FrameKind),
    #[error(transparent)]
    Deaf(#[from] Deaf),
    #[error("it ended the session: {0}")]
    Refused(Refusal),
}
