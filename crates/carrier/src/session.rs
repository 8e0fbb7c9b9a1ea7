//! A session with a site: opened, asked, closed. Its operations, one method each, are
//! in the files of this directory.

mod bridge;
mod caches;
mod command;
mod components;
mod core;
mod database;
mod files;
mod rehearsal;
mod site;

use crate::{
    Error, Place, Result, deadline, local,
    pipe::{Pipe, Stream},
    place::Way,
    process::Process,
    ssh,
};
use pressroom_agent::{
    php,
    protocol::{Call, Form, Request, Response, Welcome},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time,
};
use tokio_util::sync::CancellationToken;

/// The data that goes along with a call.
pub(super) enum Data<'a> {
    /// None but the answer.
    None,
    /// Read here and sent to the agent.
    Up(&'a mut (dyn AsyncRead + Unpin + Send)),
    /// Given by the agent and written here.
    Down(&'a mut (dyn AsyncWrite + Unpin + Send)),
}

/// A session with one site. Clones share it; dropping the last one closes the pipe,
/// upon which the agent completes or undoes its current act and exits.
#[derive(Debug, Clone)]
pub struct Session {
    link: Arc<Link>,
    deadline: Option<Duration>,
}

#[derive(Debug)]
struct Link {
    pipe: Pipe,
    process: Process,
    welcome: Welcome,
    /// Why the agent is the one in PHP, if it is.
    obstacle: Option<String>,
    cancel: CancellationToken,
}

impl Session {
    /// Starts an agent at the place. When `cancel` fires, requests under way are
    /// withdrawn and later ones fail with [`Error::Cancelled`].
    pub async fn open(place: &Place, cancel: CancellationToken) -> Result<Self> {
        if cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let opening = async {
            match &place.way {
                Way::Local(local) => Ok((local::start(&place.home, local)?.greet().await?, None)),
                // On the heap: it is much longer than what it is a part of.
                Way::Ssh(remote) => Box::pin(ssh::open(&place.home, remote)).await,
            }
        };
        let opened = tokio::select! {
            opened = opening => opened,
            () = cancel.cancelled() => Err(Error::Cancelled),
        };
        let ((pipe, process, welcome), obstacle) = opened?;
        tracing::debug!(
            process.id = process.id(),
            agent.release = welcome.release,
            "agent started"
        );
        Ok(Self {
            link: Arc::new(Link {
                pipe,
                process,
                welcome,
                obstacle,
                cancel,
            }),
            deadline: None,
        })
    }

    /// The same session with another deadline for each operation.
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        Self {
            link: Arc::clone(&self.link),
            deadline: Some(deadline),
        }
    }

    /// What the agent said of itself.
    pub fn welcome(&self) -> &Welcome {
        &self.link.welcome
    }

    /// Why this is the agent in PHP, which carries out a part of the operations; `None`
    /// when it is the other one.
    pub fn obstacle(&self) -> Option<&str> {
        self.link.obstacle.as_deref()
    }

    /// The agent's process, when it is one of this machine.
    pub fn process_id(&self) -> Option<u32> {
        self.link.process.id()
    }

    /// Closes the pipe and waits until the agent is gone: after this no request of
    /// this session, or of its clones, touches the site any more. Of an agent at the
    /// other end of a line that was cut nobody knows that; its writes are then refused
    /// by the site as soon as it has seen a later epoch.
    pub async fn close(self) {
        self.link.pipe.hang_up("closed by this side");
        self.link.process.gone().await;
    }

    /// Whether the agent is there; answered even while it is busy.
    pub async fn ping(&self) -> Result<()> {
        let after = deadline::GRACE;
        match time::timeout(after, self.link.pipe.ping()).await {
            Ok(answered) => answered,
            Err(_) => Err(Error::Timeout { op: "ping", after }),
        }
    }

    /// Refuses a request by its name that this agent does not carry out; to be asked
    /// before something is begun that cannot be ended without it.
    pub fn require(&self, op: &'static str) -> Result<()> {
        if self.link.welcome.form == Form::Php && !php::carries_out(op) {
            let why = self.obstacle().unwrap_or("it was started so").to_owned();
            return Err(Error::Unable { op, why });
        }
        Ok(())
    }

    pub(super) async fn done(&self, request: Request) -> Result<()> {
        let op = request.name();
        match self.call(request, Data::None).await? {
            Response::Done => Ok(()),
            _ => Err(mismatch(op)),
        }
    }

    pub(super) async fn call(&self, request: Request, data: Data<'_>) -> Result<Response> {
        let Link { pipe, cancel, .. } = &*self.link;
        let op = request.name();
        self.require(op)?;
        let writes = request.epoch().is_some();
        let deadline = self.deadline.unwrap_or_else(|| deadline::of(&request));
        let after = deadline.saturating_add(deadline::GRACE);
        let call = Call {
            deadline_ms: u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX),
            request,
        };
        let mut stream = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(Error::Cancelled),
            opened = pipe.open_stream(&call) => opened?,
            () = time::sleep(after) => return Err(Error::Timeout { op, after }),
        };
        tokio::select! {
            biased;
            answer = converse(&mut stream, data) => return answer,
            () = cancel.cancelled() => {}
            () = time::sleep(after) => {
                if writes {
                    // What it still does, nobody would know of.
                    self.abandon(op);
                }
                return Err(Error::Timeout { op, after });
            }
        }
        // The current act completes or is undone; only its answer says which.
        stream.cancel();
        match time::timeout(deadline::GRACE, stream.answer()).await {
            Ok(Err(error)) if error.is_cancelled() => Err(Error::Cancelled),
            Ok(answer) => answer,
            Err(_) => {
                if writes {
                    self.abandon(op);
                }
                Err(Error::Cancelled)
            }
        }
    }

    /// Ends an agent that writes and does not answer any more.
    fn abandon(&self, op: &'static str) {
        tracing::warn!(
            process.id = self.process_id(),
            "agent does not answer `{op}` and is killed"
        );
        self.link
            .pipe
            .hang_up(&format!("the agent did not answer `{op}`"));
        self.link.process.kill();
    }
}

/// Moves the data, if there is any, and waits for the answer, which may well come
/// before what was sent is through.
async fn converse(stream: &mut Stream, data: Data<'_>) -> Result<Response> {
    let failed = match data {
        Data::None => None,
        Data::Up(data) => {
            let sender = stream.sender();
            let sending = sender.send(data);
            tokio::select! {
                biased;
                answer = stream.answer() => return answer,
                sent = sending => sent.err().map(Error::Package),
            }
        }
        Data::Down(data) => stream.receive(data).await.err().map(Error::Receive),
    };
    let Some(failed) = failed else {
        return stream.answer().await;
    };
    stream.cancel();
    // Wait, so that nothing is written any more once the caller knows.
    let _ = time::timeout(deadline::GRACE, stream.answer()).await;
    Err(failed)
}

fn mismatch(op: &str) -> Error {
    Error::Protocol(format!("the answer to `{op}` is of another kind"))
}

pub use rehearsal::Visited;

/// Waits for a call and takes the answer of one kind out of it.
macro_rules! answer {
    ($call:expr, $kind:ident) => {
        match $call.await? {
            pressroom_agent::protocol::Response::$kind(answer) => Ok(answer),
            _ => Err($crate::session::mismatch(stringify!($kind))),
        }
    };
}
use answer;
