//! An agent that runs somewhere: what is known of it until and after it speaks.

use crate::{
    Error, Result, deadline,
    pipe::{LastWords, Opening, Pipe},
};
use pressroom_agent::{
    preamble::{Reply, VERSIONS},
    protocol::Welcome,
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    time,
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// An agent that spoke.
pub(crate) type Greeted = (Pipe, Process, Welcome);

/// What begins the reason why something that said nothing is no agent.
pub(crate) const SILENT: &str = "it said nothing";

/// The agent's process. Whoever watches over it obeys the one token and fires the
/// other.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    id: Option<u32>,
    kill: CancellationToken,
    gone: CancellationToken,
}

impl Process {
    /// A process with this id, if it is one of this machine.
    pub(crate) fn new(id: Option<u32>) -> Self {
        Self {
            id,
            kill: CancellationToken::new(),
            gone: CancellationToken::new(),
        }
    }

    pub(crate) const fn id(&self) -> Option<u32> {
        self.id
    }

    /// Ends it and what it started, at once.
    pub(crate) fn kill(&self) {
        self.kill.cancel();
    }

    /// Waits until it is to be ended.
    pub(crate) async fn killed(&self) {
        self.kill.cancelled().await;
    }

    /// Says that it is gone.
    pub(crate) fn leave(&self) {
        self.gone.cancel();
    }

    /// Waits until it is gone.
    pub(crate) async fn gone(&self) {
        self.gone.cancelled().await;
    }
}

/// An agent that was started and did not speak yet.
pub(crate) struct Started {
    program: String,
    input: Box<dyn AsyncWrite + Unpin + Send>,
    output: Box<dyn AsyncRead + Unpin + Send>,
    process: Process,
    hang_up: CancellationToken,
    tail: Tail,
    /// Whatever happens until it is welcomed, a process of no use is not left behind.
    unused: DropGuard,
}

impl Started {
    /// The agent `program` with the two ends of its pipe; `hang_up` fires when ours is
    /// closed.
    pub(crate) fn new(
        program: String,
        input: impl AsyncWrite + Unpin + Send + 'static,
        output: impl AsyncRead + Unpin + Send + 'static,
        process: Process,
        hang_up: CancellationToken,
        tail: Tail,
    ) -> Self {
        Self {
            program,
            input: Box::new(input),
            output: Box::new(output),
            unused: process.kill.clone().drop_guard(),
            process,
            hang_up,
            tail,
        }
    }

    /// Waits for it to speak.
    pub(crate) async fn greet(self) -> Result<Greeted> {
        let Self {
            program,
            input,
            output,
            process,
            hang_up,
            tail,
            unused,
        } = self;
        let opening = Pipe::open(output, input, hang_up, tail.last_words());
        let opening = match time::timeout(deadline::OPEN, opening).await {
            Ok(opening) => opening,
            Err(_) => Opening::Foreign(SILENT.into()),
        };
        let foreign = |why: String| Error::NotAnAgent {
            program: program.clone(),
            why,
        };
        match opening {
            Opening::Welcomed(pipe, welcome) => {
                let welcome =
                    serde_json::from_slice(&welcome).map_err(|error| foreign(error.to_string()))?;
                unused.disarm();
                Ok((pipe, process, welcome))
            }
            Opening::Refused(refusal) => Err(Error::Refused {
                op: "session",
                refusal,
            }),
            Opening::Version(reply) => Err(Error::Version {
                theirs: match reply {
                    Reply::Version(version) => version..=version,
                    Reply::None(range) => range,
                },
                ours: VERSIONS,
            }),
            Opening::Foreign(why) => {
                drop(unused);
                let said = tail.last_words().await;
                Err(foreign(if said.is_empty() {
                    why
                } else {
                    format!("{why}: {said}")
                }))
            }
        }
    }
}

/// The last bytes of what was printed to a standard error.
#[derive(Debug, Clone)]
pub(crate) struct Tail {
    bytes: Arc<Mutex<Vec<u8>>>,
    ended: CancellationToken,
}

impl Tail {
    const LENGTH: usize = 2048;

    pub(crate) fn new() -> Self {
        Self {
            bytes: Arc::default(),
            ended: CancellationToken::new(),
        }
    }

    /// The tail of what can be read here.
    pub(crate) fn follow(mut errors: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let tail = Self::new();
        let kept = tail.clone();
        tokio::spawn(async move {
            let mut buffer = [0; 1024];
            while let Ok(read @ 1..) = errors.read(&mut buffer).await {
                kept.push(buffer.get(..read).unwrap_or_default());
            }
            kept.end();
        });
        tail
    }

    /// Adds what was printed.
    pub(crate) fn push(&self, printed: &[u8]) {
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.extend_from_slice(printed);
        let over = bytes.len().saturating_sub(Self::LENGTH);
        bytes.drain(..over);
    }

    /// Nothing more comes.
    pub(crate) fn end(&self) {
        self.ended.cancel();
    }

    /// What was said last, once nothing more comes or after a second: something the
    /// agent started may hold its standard error open.
    pub(crate) fn last_words(&self) -> LastWords {
        let tail = self.clone();
        Box::pin(async move {
            let _ = time::timeout(Duration::from_secs(1), tail.ended.cancelled()).await;
            tail.text()
        })
    }

    /// What was said so far.
    pub(crate) fn text(&self) -> String {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).trim().to_owned()
    }
}
