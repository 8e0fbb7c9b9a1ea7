//! The session: routes frames to exchanges and keeps count of them.

use super::{
    Ending, Event,
    exchange::{Download, Exchange, Unexpected, Upload},
    output::Output,
};
use crate::{
    frame::{Decoder, Frame, FrameError, FrameKind},
    preamble::{Hello, Reply, VERSIONS},
    protocol::{Call, MAX_REQUESTS, Refusal, RefusalCode, Request, Response, Welcome},
};
use pressroom_wordpress::watch::Watch;
use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

/// The data of a request, both ways.
pub(crate) struct Traffic<'a> {
    /// What the caller sends, for a request that takes data.
    pub(crate) upload: Upload<'a>,
    /// What goes to the caller, for a request that gives data.
    pub(crate) download: Download<'a>,
}

/// What carries requests out.
pub(crate) trait Site: Send + Sync + 'static {
    /// Whether there is a site to serve, and what it remembers.
    fn welcome(&self, version: u16) -> Result<Welcome, Refusal>;

    /// Carries one request out, on a thread of its own.
    fn carry_out(
        &self,
        request: Request,
        traffic: Traffic<'_>,
        watch: &Watch,
    ) -> Result<Response, Refusal>;
}

/// One session.
pub(super) struct Session<S> {
    site: S,
    output: Output,
    events: mpsc::Sender<Event>,
    table: Mutex<Table>,
    idle: Condvar,
}

#[derive(Default)]
struct Table {
    /// The highest stream ever opened.
    last: u32,
    /// Streams whose last frame was not sent yet.
    open: BTreeMap<u32, Arc<Exchange>>,
    /// Threads that carry requests out.
    running: usize,
}

impl<S: Site> Session<S> {
    pub(super) fn new(
        site: S,
        output: impl Write + Send + 'static,
        events: mpsc::Sender<Event>,
    ) -> Self {
        Self {
            site,
            output: Output::new(output, events.clone()),
            events,
            table: Mutex::default(),
            idle: Condvar::new(),
        }
    }

    /// Reads the pipe to its end.
    pub(super) fn read(self: &Arc<Self>, mut input: impl Read) -> Ending {
        let greeted = self.greet(&mut input);
        // The main thread may have stopped waiting.
        let _ = self.events.send(Event::Greeted);
        if let Err(ending) = greeted {
            return ending;
        }
        let mut decoder = Decoder::default();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match input.read(&mut buffer) {
                Ok(0) if decoder.is_empty() => return Ending::Closed,
                Ok(0) => return Ending::Broken(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => decoder.push(buffer.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Ending::Broken(error),
            }
            if let Err(violation) = self.route_all(&mut decoder) {
                let message = violation.to_string();
                self.output.refuse(
                    0,
                    &Refusal {
                        code: RefusalCode::BadInput,
                        message: message.clone(),
                    },
                );
                return Ending::Violation(message);
            }
        }
    }

    fn greet(&self, input: &mut impl Read) -> Result<(), Ending> {
        let hello = Hello::read(input)?;
        let reply = Reply::choose(&hello.versions, &VERSIONS);
        self.output.line(&reply.render(hello.nonce));
        let Reply::Version(version) = reply else {
            return Err(Ending::NoVersion);
        };
        match self.site.welcome(version) {
            Ok(welcome) => {
                // A welcome has no part that cannot be written as JSON.
                let payload = serde_json::to_vec(&welcome).unwrap_or_default();
                self.output.send(FrameKind::Welcome, 0, &payload);
                Ok(())
            }
            Err(refusal) => {
                self.output.refuse(0, &refusal);
                Err(refusal.into())
            }
        }
    }

    fn route_all(self: &Arc<Self>, decoder: &mut Decoder) -> Result<(), Violation> {
        while let Some(frame) = decoder.next_frame()? {
            self.route(&frame)?;
        }
        Ok(())
    }

    fn route(self: &Arc<Self>, frame: &Frame) -> Result<(), Violation> {
        match frame.kind {
            FrameKind::Request => return self.open(frame),
            FrameKind::Ping => self
                .output
                .send(FrameKind::Pong, frame.stream, &frame.payload),
            FrameKind::Pong => {}
            FrameKind::Data => {
                if let Some(exchange) = self.find(frame.stream)? {
                    exchange.arrive(&frame.payload)?;
                }
            }
            FrameKind::End => {
                if let Some(exchange) = self.find(frame.stream)? {
                    exchange.complete()?;
                }
            }
            FrameKind::Cancel => {
                if let Some(exchange) = self.find(frame.stream)? {
                    exchange.withdraw();
                }
            }
            FrameKind::Credit => {
                if let (Some(exchange), Some(bytes)) = (self.find(frame.stream)?, frame.granted()) {
                    exchange.outgoing.grant(bytes);
                }
            }
            FrameKind::Welcome | FrameKind::Response | FrameKind::Refusal => {
                return Err(Violation::Direction(frame.kind));
            }
        }
        Ok(())
    }

    /// The exchange on a stream, `None` once it is over: the caller cannot know yet.
    fn find(&self, stream: u32) -> Result<Option<Arc<Exchange>>, Violation> {
        let table = self.lock();
        if stream == 0 || stream > table.last {
            return Err(Violation::NeverOpened(stream));
        }
        Ok(table.open.get(&stream).cloned())
    }

    fn open(self: &Arc<Self>, frame: &Frame) -> Result<(), Violation> {
        let stream = frame.stream;
        let mut table = self.lock();
        if stream.is_multiple_of(2) || stream <= table.last {
            return Err(Violation::NotRising(stream));
        }
        table.last = stream;
        let call: Call = match serde_json::from_slice(&frame.payload) {
            Ok(call) => call,
            Err(error) => {
                drop(table);
                self.output.refuse(stream, &malformed(&error));
                return Ok(());
            }
        };
        if table.open.len() >= MAX_REQUESTS {
            drop(table);
            self.output.refuse(stream, &busy());
            return Ok(());
        }
        let exchange = Arc::new(Exchange::new(
            stream,
            Duration::from_millis(call.deadline_ms),
            call.request.takes_data(),
        ));
        table.open.insert(stream, Arc::clone(&exchange));
        table.running += 1;
        drop(table);
        let running = Running(Arc::clone(self));
        let started = thread::Builder::new()
            .name(format!("request-{stream}"))
            .spawn(move || running.0.work(&exchange, call.request));
        if started.is_err() {
            self.close(stream);
            self.output.refuse(stream, &busy());
        }
        Ok(())
    }

    fn work(&self, exchange: &Exchange, request: Request) {
        let output = &self.output;
        let traffic = Traffic {
            upload: Upload { exchange, output },
            download: Download { exchange, output },
        };
        let gives_data = request.gives_data();
        // A request that panics is answered like one that fails: what it left on
        // disk is the journal's to settle either way.
        let result = panic::catch_unwind(AssertUnwindSafe(|| {
            exchange.watch.check()?;
            self.site.carry_out(request, traffic, &exchange.watch)
        }))
        .unwrap_or_else(|_| {
            Err(Refusal {
                code: RefusalCode::Internal,
                message: "the agent failed while it carried the request out".into(),
            })
        });
        let result =
            result.and_then(|response| exchange.begin_answer(&self.output, &response, gives_data));
        // Closed before the last frame, so that whoever reads it finds a free slot.
        self.close(exchange.stream);
        match result {
            Ok(rest) => self
                .output
                .send(FrameKind::Response, exchange.stream, &rest),
            Err(refusal) => self.output.refuse(exchange.stream, &refusal),
        }
    }

    fn close(&self, stream: u32) {
        self.lock().open.remove(&stream);
    }

    /// Withdraws every request and waits for their threads, at most this long.
    pub(super) fn settle(&self, at_most: Duration) {
        let until = Instant::now() + at_most;
        let mut table = self.lock();
        for exchange in table.open.values() {
            exchange.withdraw();
        }
        while table.running > 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            table = self
                .idle
                .wait_timeout(table, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

impl<S> Session<S> {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a request's thread until it ends, however it ends.
struct Running<S>(Arc<Session<S>>);

impl<S> Drop for Running<S> {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
        self.0.idle.notify_all();
    }
}

fn malformed(error: &serde_json::Error) -> Refusal {
    // The parser's own words could quote a password from the request.
    let message = format!(
        "malformed request: {:?} error at column {}",
        error.classify(),
        error.column()
    );
    Refusal {
        code: RefusalCode::BadInput,
        message,
    }
}

fn busy() -> Refusal {
    Refusal {
        code: RefusalCode::Busy,
        message: format!("more than {MAX_REQUESTS} requests at once"),
    }
}

/// What no caller of ours sends.
#[derive(Debug, thiserror::Error)]
enum Violation {
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    Unexpected(#[from] Unexpected),
    #[error("{0:?} frame from the caller")]
    Direction(FrameKind),
    #[error("stream {0} was never opened")]
    NeverOpened(u32),
    #[error("stream {0} cannot be opened: ids are odd and rise")]
    NotRising(u32),
}
