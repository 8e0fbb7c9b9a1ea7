//! The serve loop over in-memory pipes, in front of a site that does as it is told.

use super::{Ending, Limits, Site, Traffic, serve};
use crate::{
    frame::{Decoder, Frame, FrameKind, HEADER},
    preamble::{Hello, Nonce, Reply, Scanner, VERSIONS},
    protocol::{
        Call, INITIAL_CREDIT, MAX_CHUNK, MAX_FRAME, MAX_REQUESTS, Refusal, RefusalCode, Request,
        Response, Welcome,
    },
};
use pressroom_base::Epoch;
use pressroom_wordpress::{
    component::{ComponentKind, Staged, Target},
    database::SiteFacts,
    fence::Seen,
    tree::TreeHash,
    watch::Watch,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, PipeReader, PipeWriter, Read, Write},
    ops::RangeInclusive,
    sync::{Arc, Condvar, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

const NONCE: Nonce = Nonce::new([7; 16]);
const LONG: Duration = Duration::from_secs(20);

/// Opened once, by the test.
#[derive(Default, Clone)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(open, |open| !*open).unwrap());
    }
}

/// Does what the path of a `TreeHash` says.
struct Puppet {
    gate: Gate,
    seen: mpsc::Sender<String>,
}

impl Site for Puppet {
    fn welcome(&self, version: u16) -> Result<Welcome, Refusal> {
        Ok(Welcome {
            version,
            release: "test".into(),
            uid: 1,
            fence: Seen::default(),
            form: crate::protocol::Form::Native,
        })
    }

    fn carry_out(
        &self,
        request: Request,
        mut traffic: Traffic<'_>,
        watch: &Watch,
    ) -> Result<Response, Refusal> {
        // A test that does not look has nobody to tell.
        let _ = self.seen.send(format!("begun {}", request.name()));
        match request {
            Request::TreeHash { path } => match path.as_str() {
                "panic" => panic!("as told"),
                "gate" => {
                    self.gate.pass();
                    Ok(Response::Done)
                }
                "wait" => loop {
                    if let Err(stopped) = watch.check() {
                        self.seen.send(stopped.to_string()).unwrap();
                        return Err(stopped.into());
                    }
                    thread::yield_now();
                },
                _ => Ok(Response::TreeHash(Some(TreeHash {
                    hash: path,
                    files: 0,
                    bytes: 0,
                }))),
            },
            Request::ReadSite { root, .. } => Ok(Response::ReadSite(SiteFacts {
                options: BTreeMap::from([("big".into(), "x".repeat(root.parse().unwrap()))]),
                ..SiteFacts::default()
            })),
            Request::StageComponent { .. } => {
                self.gate.pass();
                match io::copy(&mut traffic.upload, &mut io::sink()) {
                    Ok(bytes) => Ok(Response::StageComponent(Staged {
                        staged: "1".into(),
                        version: String::new(),
                        tree: TreeHash {
                            hash: String::new(),
                            files: 0,
                            bytes,
                        },
                    })),
                    Err(error) => {
                        self.seen.send(error.to_string()).unwrap();
                        Err(watch.check().unwrap_err().into())
                    }
                }
            }
            other => panic!("not expected: {other:?}"),
        }
    }
}

struct Caller {
    output: Option<PipeWriter>,
    input: Option<PipeReader>,
    decoder: Decoder,
    ending: mpsc::Receiver<Ending>,
    gate: Gate,
    seen: mpsc::Receiver<String>,
}

impl Caller {
    /// Starts a session without saying anything.
    fn silent(limits: Limits) -> Self {
        let (their_input, output) = io::pipe().unwrap();
        let (input, their_output) = io::pipe().unwrap();
        let gate = Gate::default();
        let (said, seen) = mpsc::channel();
        let (end, ending) = mpsc::channel();
        let puppet = Puppet {
            gate: gate.clone(),
            seen: said,
        };
        thread::spawn(move || end.send(serve(puppet, their_input, their_output, limits)));
        Self {
            output: Some(output),
            input: Some(input),
            decoder: Decoder::default(),
            ending,
            gate,
            seen,
        }
    }

    fn greeted() -> Self {
        Self::greeted_within(Limits {
            hello: LONG,
            stop: LONG,
        })
    }

    fn greeted_within(limits: Limits) -> Self {
        let mut caller = Self::silent(limits);
        assert_eq!(caller.greet(VERSIONS), Reply::Version(*VERSIONS.end()));
        assert_eq!(caller.next().kind, FrameKind::Welcome);
        caller
    }

    fn greet(&mut self, versions: RangeInclusive<u16>) -> Reply {
        let nonce = NONCE;
        self.raw(Hello { nonce, versions }.render().as_bytes());
        let mut scanner = Scanner::new(nonce);
        let mut buffer = [0; 512];
        loop {
            let read = self.input.as_mut().unwrap().read(&mut buffer).unwrap();
            assert_ne!(read, 0, "the agent ended");
            if let Some(answered) = scanner.push(&buffer[..read]).unwrap() {
                assert_eq!(answered.noise, 0);
                self.decoder = Decoder::with(answered.rest);
                return answered.reply;
            }
        }
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.output.as_mut().unwrap().write_all(bytes).unwrap();
    }

    fn send(&mut self, kind: FrameKind, stream: u32, payload: &[u8]) {
        let frame = Frame {
            kind,
            stream,
            payload: payload.to_vec(),
        };
        self.raw(&frame.encode().unwrap());
    }

    fn ask(&mut self, stream: u32, request: Request, deadline: Duration) {
        let call = Call {
            deadline_ms: u64::try_from(deadline.as_millis()).unwrap(),
            request,
        };
        let payload = serde_json::to_vec(&call).unwrap();
        self.send(FrameKind::Request, stream, &payload);
    }

    fn hash(&mut self, stream: u32, path: &str) {
        self.ask(stream, Request::TreeHash { path: path.into() }, LONG);
    }

    fn upload(&mut self, stream: u32, bytes: u32) {
        let mut left = usize::try_from(bytes).unwrap();
        while left > 0 {
            let chunk = left.min(MAX_CHUNK);
            self.send(FrameKind::Data, stream, &vec![1; chunk]);
            left -= chunk;
        }
    }

    fn next(&mut self) -> Frame {
        self.poll().expect("the agent ended")
    }

    fn poll(&mut self) -> Option<Frame> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(frame) = self.decoder.next_frame().unwrap() {
                return Some(frame);
            }
            match self.input.as_mut().unwrap().read(&mut buffer).unwrap() {
                0 => return None,
                read => self.decoder.push(&buffer[..read]),
            }
        }
    }

    fn answer(&mut self, stream: u32) -> Result<Response, Refusal> {
        let frame = self.next();
        assert_eq!(frame.stream, stream);
        match frame.kind {
            FrameKind::Response => Ok(serde_json::from_slice(&frame.payload).unwrap()),
            FrameKind::Refusal => Err(serde_json::from_slice(&frame.payload).unwrap()),
            kind => panic!("{kind:?}"),
        }
    }

    fn refused(&mut self, stream: u32) -> RefusalCode {
        self.answer(stream).unwrap_err().code
    }

    fn ending(&self) -> Ending {
        self.ending
            .recv_timeout(LONG)
            .expect("the session does not end")
    }
}

fn stage() -> Request {
    Request::StageComponent {
        epoch: Epoch::new(1),
        target: Target {
            root: String::new(),
            kind: ComponentKind::Plugin,
            slug: "any".into(),
        },
    }
}

fn hash_of(answer: Result<Response, Refusal>) -> String {
    match answer {
        Ok(Response::TreeHash(Some(tree))) => tree.hash,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_session_ends_when_its_input_does() {
    let mut caller = Caller::greeted();
    caller.hash(1, "a");
    assert_eq!(hash_of(caller.answer(1)), "a");
    caller.output = None;
    assert!(matches!(caller.ending(), Ending::Closed));
}

#[test]
fn what_is_no_hello_gets_no_answer() {
    for line in ["GET / HTTP/1.1\r\n", "PRESSROOM 00 1-1\n"] {
        let mut caller = Caller::silent(Limits {
            hello: LONG,
            stop: LONG,
        });
        caller.raw(line.as_bytes());
        assert!(matches!(caller.ending(), Ending::NoSession(_)));
        assert_eq!(caller.poll(), None);
    }
    let silent = Caller::silent(Limits {
        hello: Duration::from_millis(20),
        stop: LONG,
    });
    assert!(matches!(silent.ending(), Ending::NoSession(_)));
}

#[test]
fn a_version_not_spoken_is_told_the_ones_that_are() {
    let mut caller = Caller::silent(Limits {
        hello: LONG,
        stop: LONG,
    });
    assert_eq!(caller.greet(200..=201), Reply::None(VERSIONS));
    assert!(matches!(caller.ending(), Ending::NoVersion));
}

#[test]
fn broken_frames_end_the_session_with_a_word() {
    let over = u32::try_from(MAX_FRAME + 1).unwrap().to_be_bytes();
    let cases: [&[u8]; 6] = [
        &[&over[..], &[1, 0, 0, 0, 1]].concat(),
        &[0, 0, 0, 0, 77, 0, 0, 0, 1],
        // A welcome from the caller, data on a stream never opened, an even stream,
        // an empty data frame.
        &[0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0, 0, 0, 1, 4, 0, 0, 0, 9, 1],
        &[0, 0, 0, 0, 1, 0, 0, 0, 2],
        &[0, 0, 0, 0, 4, 0, 0, 0, 1],
    ];
    for bytes in cases {
        assert!(bytes.len() >= HEADER);
        let mut caller = Caller::greeted();
        caller.hash(1, "wait");
        caller.raw(bytes);
        // The request under way is withdrawn, the session refused, in either order.
        let mut streams = BTreeSet::new();
        while let Some(frame) = caller.poll() {
            assert_eq!(frame.kind, FrameKind::Refusal);
            streams.insert(frame.stream);
        }
        assert_eq!(streams, BTreeSet::from([0, 1]), "{bytes:?}");
        assert!(matches!(caller.ending(), Ending::Violation(_)));
    }
}

#[test]
fn a_malformed_request_is_refused_and_nothing_else() {
    let mut caller = Caller::greeted();
    for (stream, payload) in [
        (1, &b"{\"deadline_ms\":"[..]),
        (
            3,
            b"{\"deadline_ms\":1,\"op\":\"tree_hash\",\"path\":{\"a\":\"hunter2\"}}",
        ),
        (5, b"{\"deadline_ms\":1,\"op\":\"hunter2\"}"),
        (7, b"\xff\xfe"),
        (9, b""),
    ] {
        caller.send(FrameKind::Request, stream, payload);
        let refusal = caller.answer(stream).unwrap_err();
        assert_eq!(refusal.code, RefusalCode::BadInput);
        assert!(!refusal.message.contains("hunter2"), "{refusal}");
    }
    caller.hash(11, "still here");
    assert_eq!(hash_of(caller.answer(11)), "still here");
}

#[test]
fn a_hundred_requests_interleave_and_the_seventeenth_at_once_is_refused() {
    let mut caller = Caller::greeted();
    let mut streams = (1..).step_by(2).map(|stream: u32| (stream, stream));
    let first: Vec<u32> = streams
        .by_ref()
        .take(MAX_REQUESTS)
        .map(|(stream, _)| stream)
        .collect();
    for stream in &first {
        caller.hash(*stream, "gate");
    }
    let (over, _) = streams.next().unwrap();
    caller.hash(over, "one too many");
    assert_eq!(caller.refused(over), RefusalCode::Busy);
    caller.gate.open();
    let mut waiting: BTreeSet<u32> = first.into_iter().collect();
    for (stream, _) in streams.take(100) {
        // A slot is free as soon as an answer was read.
        let frame = caller.next();
        assert_eq!(frame.kind, FrameKind::Response);
        assert!(waiting.remove(&frame.stream));
        caller.hash(stream, "x");
        waiting.insert(stream);
    }
    while !waiting.is_empty() {
        assert!(waiting.remove(&caller.next().stream));
    }
}

#[test]
fn a_stalled_upload_blocks_neither_pings_nor_other_requests() {
    let mut caller = Caller::greeted();
    caller.ask(1, stage(), LONG);
    caller.upload(1, INITIAL_CREDIT);
    caller.send(FrameKind::Ping, 0, b"12345678");
    let pong = caller.next();
    assert_eq!(
        (pong.kind, pong.payload.as_slice()),
        (FrameKind::Pong, &b"12345678"[..])
    );
    caller.hash(3, "other");
    assert_eq!(hash_of(caller.answer(3)), "other");
    // Once it is read, credit comes for exactly what was.
    caller.gate.open();
    let mut granted = 0;
    while granted < INITIAL_CREDIT {
        granted += caller.next().granted().unwrap();
    }
    assert_eq!(granted, INITIAL_CREDIT);
    caller.upload(1, INITIAL_CREDIT / 8);
    caller.send(FrameKind::End, 1, b"");
    match caller.answer(1).unwrap() {
        Response::StageComponent(staged) => {
            assert_eq!(
                staged.tree.bytes,
                u64::from(INITIAL_CREDIT + INITIAL_CREDIT / 8)
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn data_beyond_the_credit_ends_the_session() {
    let mut caller = Caller::greeted();
    caller.ask(1, stage(), LONG);
    caller.upload(1, INITIAL_CREDIT);
    caller.send(FrameKind::Data, 1, &[1]);
    assert_eq!(caller.refused(0), RefusalCode::BadInput);
    caller.gate.open();
    assert!(matches!(caller.ending(), Ending::Violation(_)));
}

#[test]
fn a_long_answer_waits_for_credit() {
    let mut caller = Caller::greeted();
    let length = 3 * INITIAL_CREDIT;
    let root = length.to_string();
    let options = Vec::new();
    caller.ask(1, Request::ReadSite { root, options }, LONG);
    let mut body = Vec::new();
    while body.len() < INITIAL_CREDIT as usize {
        let frame = caller.next();
        assert_eq!(frame.kind, FrameKind::Data);
        body.extend(frame.payload);
    }
    assert_eq!(body.len(), INITIAL_CREDIT as usize);
    // Nothing more comes, but the agent is well.
    caller.send(FrameKind::Ping, 0, b"........");
    assert_eq!(caller.next().kind, FrameKind::Pong);
    caller.send(FrameKind::Credit, 1, &(4 * INITIAL_CREDIT).to_be_bytes());
    loop {
        let frame = caller.next();
        body.extend(frame.payload);
        if frame.kind == FrameKind::Response {
            break;
        }
    }
    match serde_json::from_slice(&body).unwrap() {
        Response::ReadSite(facts) => assert_eq!(facts.options["big"].len(), length as usize),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_can_be_cancelled_and_has_a_deadline() {
    let mut caller = Caller::greeted();
    caller.hash(1, "wait");
    caller.send(FrameKind::Cancel, 1, b"");
    assert_eq!(caller.refused(1), RefusalCode::Cancelled);
    // Late frames for a stream that is over mean nothing.
    caller.send(FrameKind::Cancel, 1, b"");
    caller.send(FrameKind::Data, 1, b"late");
    let path = "wait".to_owned();
    caller.ask(3, Request::TreeHash { path }, Duration::from_millis(30));
    assert_eq!(caller.refused(3), RefusalCode::Deadline);
    // An upload that never comes.
    caller.gate.open();
    caller.ask(5, stage(), Duration::from_millis(30));
    assert_eq!(caller.refused(5), RefusalCode::Deadline);
    caller.ask(7, stage(), LONG);
    caller.upload(7, 100);
    caller.send(FrameKind::Cancel, 7, b"");
    assert_eq!(caller.refused(7), RefusalCode::Cancelled);
}

#[test]
fn a_request_that_panics_is_answered() {
    let mut caller = Caller::greeted();
    caller.hash(1, "panic");
    assert_eq!(caller.refused(1), RefusalCode::Internal);
    caller.hash(3, "well");
    assert_eq!(hash_of(caller.answer(3)), "well");
}

#[test]
fn the_end_of_input_withdraws_what_runs() {
    let mut caller = Caller::greeted();
    caller.hash(1, "wait");
    caller.gate.open();
    caller.ask(3, stage(), LONG);
    caller.upload(3, 5000);
    for _ in 0..2 {
        assert!(
            caller
                .seen
                .recv_timeout(LONG)
                .unwrap()
                .starts_with("begun ")
        );
    }
    let begun = Instant::now();
    caller.output = None;
    assert!(matches!(caller.ending(), Ending::Closed));
    assert!(begun.elapsed() < LONG);
    let seen: Vec<String> = caller.seen.try_iter().collect();
    assert_eq!(seen, ["cancelled", "cancelled"]);
}

#[test]
fn a_request_that_does_not_end_does_not_keep_the_agent() {
    let mut caller = Caller::greeted_within(Limits {
        hello: LONG,
        stop: Duration::from_millis(50),
    });
    caller.hash(1, "gate");
    caller.output = None;
    assert!(matches!(caller.ending(), Ending::Closed));
}

#[test]
fn a_caller_that_reads_no_more_ends_the_session() {
    let mut caller = Caller::greeted();
    caller.hash(1, "gate");
    caller.input = None;
    caller.gate.open();
    assert!(matches!(caller.ending(), Ending::Broken(_)));
}
