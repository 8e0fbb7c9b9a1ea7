//! Framing over a pair of byte streams: many requests at once, each on its own
//! stream.
//!
//! Two tasks own the ends. The reading one never waits for anything but the agent;
//! what it has to say back goes through a queue, so neither side can block the
//! other. Neither can an agent that stops reading fill our memory: requests are
//! bounded by [`MAX_REQUESTS`], data by [`MAX_BACKLOG`] whatever credit was granted,
//! and the rest by [`MAX_URGENT`].

mod reader;
mod stream;
#[cfg(test)]
mod tests;
mod writer;

use crate::{Error, Result};
use pressroom_agent::{
    flow::ReceiveWindow,
    frame::{self, Frame, FrameKind},
    preamble::{Answered, Hello, Nonce, Reply, Scanner, VERSIONS},
    protocol::{Call, INITIAL_CREDIT, MAX_FRAME, MAX_REQUESTS, Refusal},
};
use std::{
    collections::HashMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::{
        OwnedSemaphorePermit, Semaphore,
        mpsc::{self, error::TrySendError},
        oneshot,
    },
};
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) use stream::Stream;

/// Bytes of packages that wait for the agent to read them, over all streams.
const MAX_BACKLOG: usize = 4 * 1024 * 1024;
/// Credits and pings that wait for the agent to read them: more than all the longest
/// answers at once call for.
const MAX_URGENT: usize = 4096;

/// The last words of whatever brings the pipe there, waited for when it breaks.
pub(crate) type LastWords = Pin<Box<dyn Future<Output = String> + Send>>;

/// Our end of the pipe. Dropping it closes the other end's input.
pub(crate) struct Pipe {
    hub: Arc<Hub>,
    _hang_up: DropGuard,
}

/// What the tasks and the callers share.
struct Hub {
    state: Mutex<State>,
    frames: mpsc::UnboundedSender<Queued>,
    backlog: Arc<Semaphore>,
    urgent: mpsc::Sender<Frame>,
    slots: Arc<Semaphore>,
    hang_up: CancellationToken,
}

/// A frame on its way to the agent, and the room it takes until it is written.
struct Queued {
    bytes: Vec<u8>,
    _room: Option<OwnedSemaphorePermit>,
}

#[derive(Default)]
struct State {
    /// The last stream id given out.
    last: u32,
    open: HashMap<u32, Open>,
    pings: HashMap<[u8; 8], oneshot::Sender<()>>,
    /// Why the pipe is of no use any more.
    closed: Option<Arc<str>>,
}

/// A stream until the agent ends it, whether or not somebody still waits for it.
struct Open {
    op: &'static str,
    answer: oneshot::Sender<Result<Vec<u8>>>,
    body: Vec<u8>,
    /// Where data goes that is a download; it is bounded by the credit.
    download: Option<mpsc::UnboundedSender<Vec<u8>>>,
    window: ReceiveWindow,
    credit: Arc<Semaphore>,
    _slot: OwnedSemaphorePermit,
}

impl Open {
    fn end(self, answer: Result<Vec<u8>>) {
        self.credit.close();
        // Nobody may wait for it any more.
        let _ = self.answer.send(answer);
    }
}

/// What opening a pipe found.
pub(crate) enum Opening {
    /// An agent; its first frame.
    Welcomed(Pipe, Vec<u8>),
    /// An agent that does not serve this home.
    Refused(Refusal),
    /// An agent of another time.
    Version(Reply),
    /// Something else; what it printed.
    Foreign(String),
}

impl Pipe {
    /// Says hello and waits for the agent's first frame.
    pub(crate) async fn open<R, W>(
        mut input: R,
        mut output: W,
        hang_up: CancellationToken,
        last_words: LastWords,
    ) -> Opening
    where
        R: AsyncRead + Unpin + Send + 'static,
        W: AsyncWrite + Unpin + Send + 'static,
    {
        let mut random = [0; 16];
        pressroom_base::token::fill(&mut random);
        let nonce = Nonce::new(random);
        let versions = VERSIONS;
        let hello = Hello { nonce, versions }.render();
        // A failure shows below, as the end of what can be read.
        let _ = output.write_all(hello.as_bytes()).await;
        let _ = output.flush().await;
        let answered = match scan(&mut input, nonce).await {
            Ok(answered) => answered,
            Err(why) => return Opening::Foreign(why),
        };
        if answered.noise > 0 {
            tracing::debug!(bytes = answered.noise, "noise before the agent's answer");
        }
        match answered.reply {
            Reply::Version(version) if VERSIONS.contains(&version) => {}
            reply => return Opening::Version(reply),
        }
        let mut incoming = reader::Frames::new(input, answered.rest);
        let first = match incoming.next().await {
            Ok(Some(frame)) => frame,
            Ok(None) => return Opening::Foreign("the agent ended at once".into()),
            Err(error) => return Opening::Foreign(error.to_string()),
        };
        match (first.kind, first.stream) {
            (FrameKind::Welcome, 0) => {}
            (FrameKind::Refusal, 0) => {
                return match serde_json::from_slice(&first.payload) {
                    Ok(refusal) => Opening::Refused(refusal),
                    Err(error) => Opening::Foreign(error.to_string()),
                };
            }
            (kind, _) => return Opening::Foreign(format!("its first frame was {kind:?}")),
        }
        let (frames, queue) = mpsc::unbounded_channel();
        let (urgent, urgent_queue) = mpsc::channel(MAX_URGENT);
        let hub = Arc::new(Hub {
            state: Mutex::default(),
            frames,
            backlog: Arc::new(Semaphore::new(MAX_BACKLOG)),
            urgent,
            slots: Arc::new(Semaphore::new(MAX_REQUESTS)),
            hang_up: hang_up.clone(),
        });
        tokio::spawn(writer::run(output, queue, urgent_queue, hang_up.clone()));
        tokio::spawn(reader::run(incoming, Arc::clone(&hub), last_words));
        let pipe = Self {
            hub,
            _hang_up: hang_up.drop_guard(),
        };
        Opening::Welcomed(pipe, first.payload)
    }

    /// Opens a stream for a call, once the agent has room for it.
    pub(crate) async fn open_stream(&self, call: &Call) -> Result<Stream> {
        let op = call.request.name();
        let payload =
            serde_json::to_vec(call).map_err(|error| Error::Protocol(error.to_string()))?;
        if payload.len() > MAX_FRAME {
            let bytes = payload.len();
            return Err(Error::TooLarge { op, bytes });
        }
        let slot = Arc::clone(&self.hub.slots)
            .acquire_owned()
            .await
            .map_err(|_| self.hub.closed())?;
        let credit = Arc::new(Semaphore::new(INITIAL_CREDIT as usize));
        let (answer, answered) = oneshot::channel();
        let (data, arriving) = mpsc::unbounded_channel();
        let mut state = self.hub.lock();
        if let Some(why) = &state.closed {
            return Err(Error::Closed {
                why: Arc::clone(why),
            });
        }
        // Ids are given out and sent under one lock: they must arrive rising.
        let id = if state.last == 0 { 1 } else { state.last + 2 };
        state.last = id;
        let frame = frame::encode(FrameKind::Request, id, &payload)
            .map_err(|error| Error::Protocol(error.to_string()))?;
        self.hub.queue(frame, None);
        state.open.insert(
            id,
            Open {
                op,
                answer,
                body: Vec::new(),
                download: call.request.gives_data().then_some(data),
                window: ReceiveWindow::default(),
                credit: Arc::clone(&credit),
                _slot: slot,
            },
        );
        drop(state);
        Ok(Stream::new(
            id,
            Arc::clone(&self.hub),
            credit,
            answered,
            arriving,
        ))
    }

    /// Waits for a sign of life.
    pub(crate) async fn ping(&self) -> Result<()> {
        let mut mark = [0; 8];
        pressroom_base::token::fill(&mut mark);
        let (answer, answered) = oneshot::channel();
        {
            let mut state = self.hub.lock();
            if state.closed.is_some() {
                drop(state);
                return Err(self.hub.closed());
            }
            state.pings.insert(mark, answer);
        }
        let ping = Frame {
            kind: FrameKind::Ping,
            stream: 0,
            payload: mark.to_vec(),
        };
        if let Err(deaf) = self.hub.say(ping) {
            self.hub.fail(&deaf.to_string());
        }
        answered.await.map_err(|_| self.hub.closed())
    }

    /// Closes the pipe now, whatever is under way.
    pub(crate) fn hang_up(&self, why: &str) {
        self.hub.fail(why);
    }
}

impl fmt::Debug for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipe").finish_non_exhaustive()
    }
}

impl Hub {
    /// Sends a frame in its turn. Nobody takes it once the pipe is closed.
    fn queue(&self, bytes: Vec<u8>, room: Option<OwnedSemaphorePermit>) {
        let _ = self.frames.send(Queued { bytes, _room: room });
    }

    /// Grants credit for data of a stream that was used.
    fn used(&self, stream: u32, bytes: usize) {
        let grant = self
            .lock()
            .open
            .get_mut(&stream)
            .and_then(|open| open.window.consume(bytes));
        if let Some(grant) = grant
            && let Err(deaf) = self.say(Frame::credit(stream, grant))
        {
            self.fail(&deaf.to_string());
        }
    }

    /// Sends a frame before all that are queued. Nobody takes it once the pipe is
    /// closed.
    fn say(&self, frame: Frame) -> std::result::Result<(), Deaf> {
        match self.urgent.try_send(frame) {
            Err(TrySendError::Full(_)) => Err(Deaf),
            Ok(()) | Err(TrySendError::Closed(_)) => Ok(()),
        }
    }

    /// Ends the session: every call under way fails with this reason, unless there
    /// was one already.
    fn fail(&self, why: &str) {
        let mut state = self.lock();
        if state.closed.is_none() {
            state.closed = Some(why.into());
        }
        let open = std::mem::take(&mut state.open);
        state.pings.clear();
        drop(state);
        self.slots.close();
        self.backlog.close();
        for stream in open.into_values() {
            stream.end(Err(self.closed()));
        }
        self.hang_up.cancel();
    }

    fn closed(&self) -> Error {
        let why = self.lock().closed.clone();
        Error::Closed {
            why: why.unwrap_or_else(|| "the pipe is closed".into()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// So much waits to be read that the agent never will.
#[derive(Debug, thiserror::Error)]
#[error("the agent does not read")]
struct Deaf;

async fn scan(
    input: &mut (impl AsyncRead + Unpin),
    nonce: Nonce,
) -> std::result::Result<Answered, String> {
    let mut scanner = Scanner::new(nonce);
    let mut buffer = vec![0; 8 * 1024];
    let why = loop {
        match input.read(&mut buffer).await {
            Ok(0) => break "it ended".to_owned(),
            Ok(read) => match scanner.push(buffer.get(..read).unwrap_or_default()) {
                Ok(Some(answered)) => return Ok(answered),
                Ok(None) => {}
                Err(error) => break error.to_string(),
            },
            Err(error) => break error.to_string(),
        }
    };
    let tail = String::from_utf8_lossy(scanner.tail()).trim().to_owned();
    Err(if tail.is_empty() {
        why
    } else {
        format!("{why} after `{tail}`")
    })
}
