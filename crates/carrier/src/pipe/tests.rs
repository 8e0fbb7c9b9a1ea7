//! The pipe in front of agents that mean ill, or are merely slow.

use super::{LastWords, Opening, Pipe, reader::Frames};
use crate::{Error, Result};
use pressroom_agent::{
    frame::{Frame, FrameKind},
    preamble::{Hello, Reply, VERSIONS},
    protocol::{
        Call, INITIAL_CREDIT, MAX_ANSWER, MAX_CHUNK, MAX_NOISE, MAX_REQUESTS, Refusal, RefusalCode,
        Request, Response,
    },
};
use pressroom_base::Epoch;
use std::{collections::BTreeSet, future::Future, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf},
    task::JoinHandle,
    time,
};
use tokio_util::sync::CancellationToken;

/// The agent's side, played by the test.
struct Agent {
    input: Frames<ReadHalf<DuplexStream>>,
    hello: Hello,
    output: WriteHalf<DuplexStream>,
}

type Pending = JoinHandle<Opening>;

async fn connect() -> (Agent, Pending) {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let (input, output) = tokio::io::split(ours);
    let last_words: LastWords = Box::pin(async { "its last words".to_owned() });
    let opening = tokio::spawn(Pipe::open(
        input,
        output,
        CancellationToken::new(),
        last_words,
    ));
    let (mut input, output) = tokio::io::split(theirs);
    let mut line = Vec::new();
    loop {
        match input.read_u8().await.unwrap() {
            b'\n' => break,
            byte => line.push(byte),
        }
    }
    let agent = Agent {
        input: Frames::new(input, Vec::new()),
        output,
        hello: Hello::parse(&line).unwrap(),
    };
    (agent, opening)
}

async fn welcomed() -> (Agent, Pipe) {
    let (mut agent, opening) = connect().await;
    let hello = agent.hello.clone();
    agent
        .raw(Reply::Version(1).render(hello.nonce).as_bytes())
        .await;
    agent.send(FrameKind::Welcome, 0, b"{}").await;
    match soon(opening).await.unwrap() {
        Opening::Welcomed(pipe, _) => (agent, pipe),
        _ => panic!("not welcomed"),
    }
}

impl Agent {
    async fn raw(&mut self, bytes: &[u8]) {
        self.output.write_all(bytes).await.unwrap();
    }

    async fn send(&mut self, kind: FrameKind, stream: u32, payload: &[u8]) {
        let frame = Frame {
            kind,
            stream,
            payload: payload.to_vec(),
        };
        self.raw(&frame.encode().unwrap()).await;
    }

    async fn done(&mut self, stream: u32) {
        let done = serde_json::to_vec(&Response::Done).unwrap();
        self.send(FrameKind::Response, stream, &done).await;
    }

    async fn next(&mut self) -> Option<Frame> {
        soon(self.input.next()).await.unwrap()
    }

    async fn expect(&mut self, kind: FrameKind) -> Frame {
        let frame = self.next().await.expect("the pipe was closed");
        assert_eq!(frame.kind, kind);
        frame
    }
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    time::timeout(Duration::from_secs(20), what)
        .await
        .expect("nothing happens")
}

fn call() -> Call {
    Call {
        deadline_ms: 1000,
        request: Request::TreeHash { path: "x".into() },
    }
}

async fn ask(pipe: &Pipe) -> Result<Response> {
    pipe.open_stream(&call()).await?.answer().await
}

#[tokio::test]
async fn login_noise_is_skipped_up_to_a_limit() {
    for (noise, admitted) in [(0, true), (MAX_NOISE, true), (MAX_NOISE + 1, false)] {
        let (mut agent, opening) = connect().await;
        let hello = agent.hello.clone();
        assert_eq!(hello.versions, VERSIONS);
        let mut bytes = vec![b'#'; noise];
        bytes.extend(Reply::Version(1).render(hello.nonce).bytes());
        agent.raw(&bytes).await;
        agent.send(FrameKind::Welcome, 0, b"{}").await;
        let opening = soon(opening).await.unwrap();
        assert_eq!(matches!(opening, Opening::Welcomed(..)), admitted);
    }
}

#[tokio::test]
async fn only_the_right_nonce_counts() {
    let (mut agent, opening) = connect().await;
    let forged = Reply::Version(1).render(pressroom_agent::preamble::Nonce::new([0; 16]));
    agent.raw(forged.as_bytes()).await;
    drop(agent);
    match soon(opening).await.unwrap() {
        Opening::Foreign(why) => assert!(why.contains("PRESSROOM-AGENT 0000"), "{why}"),
        _ => panic!("a forged answer was taken"),
    }
}

#[tokio::test]
async fn other_versions_are_told() {
    for (reply, range) in [(Reply::None(7..=8), 7..=8), (Reply::Version(9), 9..=9)] {
        let (mut agent, opening) = connect().await;
        let hello = agent.hello.clone();
        agent.raw(reply.render(hello.nonce).as_bytes()).await;
        match soon(opening).await.unwrap() {
            Opening::Version(Reply::None(theirs)) => assert_eq!(theirs, range),
            Opening::Version(Reply::Version(theirs)) => assert_eq!(theirs..=theirs, range),
            _ => panic!("another version was taken"),
        }
    }
}

#[tokio::test]
async fn an_agent_that_cannot_serve_says_why() {
    let (mut agent, opening) = connect().await;
    let hello = agent.hello.clone();
    agent
        .raw(Reply::Version(1).render(hello.nonce).as_bytes())
        .await;
    let refusal = br#"{"code":"missing","message":"no home"}"#;
    agent.send(FrameKind::Refusal, 0, refusal).await;
    match soon(opening).await.unwrap() {
        Opening::Refused(refusal) => assert_eq!(refusal.code, RefusalCode::Missing),
        _ => panic!("not refused"),
    }
}

#[tokio::test]
async fn what_an_agent_may_not_say_ends_the_session() {
    let unknown: &[u8] = &[0, 0, 0, 0, 99, 0, 0, 0, 1];
    let frames = [
        (FrameKind::Data, 5, &b"x"[..]),
        (FrameKind::Response, 3, b"{}"),
        (FrameKind::Request, 1, b"{}"),
        (FrameKind::Welcome, 0, b"{}"),
        (FrameKind::Refusal, 1, b"no json"),
        (
            FrameKind::Refusal,
            0,
            br#"{"code":"io","message":"all over"}"#,
        ),
        (FrameKind::Credit, 1, &[0xff; 4]),
    ];
    let mut cases: Vec<Vec<u8>> = frames
        .into_iter()
        .map(|(kind, stream, payload)| {
            let payload = payload.to_vec();
            Frame {
                kind,
                stream,
                payload,
            }
            .encode()
            .unwrap()
        })
        .collect();
    cases.push(unknown.to_vec());
    cases.push(vec![0xff; 9]);
    for case in cases {
        let (mut agent, pipe) = welcomed().await;
        let (asked, ()) = tokio::join!(soon(ask(&pipe)), async {
            agent.expect(FrameKind::Request).await;
            agent.raw(&case).await;
        });
        assert!(
            matches!(asked, Err(Error::Closed { .. })),
            "{case:?}: {asked:?}"
        );
        // The input of the agent is closed, and the pipe stays unusable.
        assert_eq!(agent.next().await, None);
        assert!(matches!(ask(&pipe).await, Err(Error::Closed { .. })));
        assert!(matches!(pipe.ping().await, Err(Error::Closed { .. })));
    }
}

#[tokio::test]
async fn an_answer_has_a_longest_length() {
    let (mut agent, pipe) = welcomed().await;
    let (asked, ()) = tokio::join!(soon(ask(&pipe)), async {
        let stream = agent.expect(FrameKind::Request).await.stream;
        let chunk = vec![b' '; MAX_CHUNK];
        let mut sent = 0;
        let mut credit = INITIAL_CREDIT as usize;
        while sent <= MAX_ANSWER {
            if credit < chunk.len() {
                let granted = agent.expect(FrameKind::Credit).await.granted().unwrap();
                credit += granted as usize;
            }
            agent.send(FrameKind::Data, stream, &chunk).await;
            sent += chunk.len();
            credit -= chunk.len();
        }
    });
    match asked {
        Err(Error::Closed { why }) => assert!(why.contains("too long"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_end_of_an_agent_carries_its_last_words() {
    let (mut agent, pipe) = welcomed().await;
    let (asked, ()) = tokio::join!(soon(ask(&pipe)), async move {
        agent.expect(FrameKind::Request).await;
        drop(agent);
    });
    match asked {
        Err(Error::Closed { why }) => {
            assert_eq!(&*why, "the agent ended: its last words");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn no_more_requests_are_open_than_the_agent_takes() {
    let (mut agent, pipe) = welcomed().await;
    let asking = async {
        let mut calls = tokio::task::JoinSet::new();
        let pipe = std::sync::Arc::new(pipe);
        for _ in 0..100 {
            let pipe = std::sync::Arc::clone(&pipe);
            calls.spawn(async move { ask(&pipe).await.map(drop) });
        }
        calls.join_all().await
    };
    let answering = async {
        let mut last = 0;
        let mut open = BTreeSet::new();
        for _ in 0..100 {
            // Answers one only when it has to: as many as allowed are open by then.
            if open.len() == MAX_REQUESTS {
                let stream = open.pop_last().unwrap();
                agent.done(stream).await;
            }
            let stream = agent.expect(FrameKind::Request).await.stream;
            assert!(stream > last && stream % 2 == 1);
            last = stream;
            open.insert(stream);
        }
        for stream in open {
            agent.done(stream).await;
        }
    };
    let (answers, ()) = soon(async { tokio::join!(asking, answering) }).await;
    assert!(answers.iter().all(Result::is_ok));
}

#[tokio::test]
async fn a_call_that_is_dropped_is_cancelled_and_keeps_its_slot_until_answered() {
    let (mut agent, pipe) = welcomed().await;
    let mut streams = Vec::new();
    for _ in 0..MAX_REQUESTS {
        streams.push(pipe.open_stream(&call()).await.unwrap());
        agent.expect(FrameKind::Request).await;
    }
    drop(streams.pop());
    let stream = agent.expect(FrameKind::Cancel).await.stream;
    let request = call();
    let mut next = Box::pin(pipe.open_stream(&request));
    tokio::select! {
        biased;
        _ = &mut next => panic!("the slot was given away"),
        () = tokio::task::yield_now() => {}
    }
    let refusal = serde_json::to_vec(&Refusal {
        code: RefusalCode::Cancelled,
        message: String::new(),
    });
    agent
        .send(FrameKind::Refusal, stream, &refusal.unwrap())
        .await;
    assert!(soon(next).await.is_ok());
}

#[tokio::test]
async fn a_package_waits_for_credit_and_lets_a_ping_pass() {
    let (mut agent, pipe) = welcomed().await;
    let stage = Call {
        deadline_ms: 1000,
        request: Request::InstallCore {
            epoch: Epoch::new(1),
            root: String::new(),
        },
    };
    let length = 3 * INITIAL_CREDIT as usize;
    let mut stream = pipe.open_stream(&stage).await.unwrap();
    let sender = stream.sender();
    let sending = tokio::spawn(async move {
        let mut package = tokio::io::repeat(5).take(length as u64);
        sender.send(&mut package).await
    });
    let id = agent.expect(FrameKind::Request).await.stream;
    let mut got = 0;
    while got < INITIAL_CREDIT as usize {
        got += agent.expect(FrameKind::Data).await.payload.len();
    }
    assert_eq!(got, INITIAL_CREDIT as usize);
    let (ponged, ()) = tokio::join!(soon(pipe.ping()), async {
        let ping = agent.expect(FrameKind::Ping).await;
        agent.send(FrameKind::Pong, 0, &ping.payload).await;
    });
    ponged.unwrap();
    agent
        .send(FrameKind::Credit, id, &(2 * INITIAL_CREDIT).to_be_bytes())
        .await;
    while got < length {
        got += agent.expect(FrameKind::Data).await.payload.len();
    }
    agent.expect(FrameKind::End).await;
    soon(sending).await.unwrap().unwrap();
    agent.done(id).await;
    assert!(matches!(soon(stream.answer()).await, Ok(Response::Done)));
}

#[tokio::test]
async fn an_agent_that_grants_and_does_not_read_fills_no_memory() {
    let (mut agent, pipe) = welcomed().await;
    let stage = Call {
        deadline_ms: 1000,
        request: Request::InstallCore {
            epoch: Epoch::new(1),
            root: String::new(),
        },
    };
    let stream = pipe.open_stream(&stage).await.unwrap();
    let id = agent.expect(FrameKind::Request).await.stream;
    let sender = stream.sender();
    let sending = tokio::spawn(async move { sender.send(&mut tokio::io::repeat(1)).await });
    // Grants as if it had read what it did not: first what the backlog holds, then
    // as much again, of which hardly anything is used.
    let plenty = 2 * INITIAL_CREDIT as usize;
    let grants: [(u32, &dyn Fn(usize) -> bool); 2] =
        [(3, &|unused| unused == 0), (4, &|unused| unused > plenty)];
    for (grant, reached) in grants {
        let bytes = (grant * INITIAL_CREDIT).to_be_bytes();
        agent.send(FrameKind::Credit, id, &bytes).await;
        soon(async {
            while !reached(stream.unused_credit()) {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert!(stream.unused_credit() > plenty);
    // And pings it never reads the answers of end the session.
    let ping = Frame {
        kind: FrameKind::Ping,
        stream: 0,
        payload: vec![0; 8],
    };
    let ping = ping.encode().unwrap();
    soon(async { while agent.output.write_all(&ping).await.is_ok() {} }).await;
    assert!(matches!(pipe.ping().await, Err(Error::Closed { .. })));
    assert!(soon(sending).await.unwrap().is_ok());
}

#[tokio::test]
async fn a_dropped_pipe_closes_the_agents_input() {
    let (mut agent, pipe) = welcomed().await;
    drop(pipe);
    assert_eq!(agent.next().await, None);
}
