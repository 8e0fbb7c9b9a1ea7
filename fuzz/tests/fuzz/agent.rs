//! The agent's protocol, at both ends.

use crate::input::{cuts, target};
use pressroom_agent::{
    frame::{Decoder, Frame, FrameError, FrameKind},
    preamble::{Hello, Nonce, PreambleError, Reply, Scanner},
    protocol::{Call, Refusal, Welcome},
};

fn decode(pieces: Vec<&[u8]>) -> (Vec<Frame>, Option<FrameError>) {
    let (mut decoder, mut frames) = (Decoder::default(), Vec::new());
    for piece in pieces {
        decoder.push(piece);
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(why) => return (frames, Some(why)),
            }
        }
    }
    (frames, None)
}

#[test]
fn agent_frames() {
    let two = [
        Frame::credit(3, 65_536).encode().unwrap(),
        Frame::bare(FrameKind::Cancel, 3).encode().unwrap(),
        pressroom_agent::frame::encode(FrameKind::Data, 9, b"some data").unwrap(),
        pressroom_agent::frame::encode(FrameKind::Ping, 0, b"12345678").unwrap(),
    ]
    .concat();
    let words = [
        "\0",
        "\x01",
        "\x04",
        "\x05\0\0\0\x01",
        "\0\0\0\x04",
        "\0\0\0\0\x07\0\0\0\x01",
        "\0\0\0\x01\x04\0\0\0\x01a",
        "\x7f",
    ];
    let huge: &[u8] = &[0, 4, 0, 1, 4, 0, 0, 0, 1, 9];
    target("agent_frames", &[&two, huge], &words, |input| {
        let [whole, single, ragged] = cuts(input).map(decode);
        assert_eq!(whole, single);
        assert_eq!(whole, ragged);
        let again: Vec<u8> = whole
            .0
            .iter()
            .flat_map(|frame| frame.encode().unwrap())
            .collect();
        assert!(input.starts_with(&again));
    });
}

type Found = Option<(Reply, usize, usize)>;

fn scan(pieces: Vec<&[u8]>) -> Result<Found, PreambleError> {
    let mut scanner = Scanner::new(Nonce::new([0x11; 16]));
    let mut left = pieces.iter().map(|piece| piece.len()).sum::<usize>();
    for piece in pieces {
        left -= piece.len();
        if let Some(found) = scanner.push(piece)? {
            return Ok(Some((found.reply, found.noise, found.rest.len() + left)));
        }
    }
    Ok(None)
}

#[test]
fn agent_preamble() {
    const SAMPLES: &[&[u8]] = &[
        b"PRESSROOM 11111111111111111111111111111111 1-3\n",
        b"Welcome!\nPRESSROOM 11111111111111111111111111111111 1-1\r\nPRESSROOM-AGENT 11111111111111111111111111111111 1\r\n\0\0\0\0",
        b"PRESSROOM-AGENT 11111111111111111111111111111111 none 2-4\nrest",
    ];
    const WORDS: &[&str] = &[
        "PRESSROOM ",
        "PRESSROOM-AGENT ",
        "11111111111111111111111111111111",
        "11111111111111111111111111111111 ",
        " ",
        "-",
        "1",
        "0",
        "65536",
        "none ",
        "\n",
        "\r",
        "PRESSROOM-AGENT 11111111111111111111111111111111 ",
        "+1",
        "\u{e9}",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ];
    target("agent_preamble", SAMPLES, WORDS, |input| {
        let line = input
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        if let Ok(hello) = Hello::parse(line) {
            assert_eq!(
                Hello::parse(hello.render().trim_end().as_bytes()).as_ref(),
                Ok(&hello)
            );
        }
        let _ = Hello::read(&mut &*input);
        let [whole, single, ragged] = cuts(input).map(scan);
        assert_eq!(whole, single);
        assert_eq!(whole, ragged);
    });
}

#[test]
fn agent_messages() {
    const SAMPLES: &[&[u8]] = &[
        br#"{"deadline_ms":1000,"op":"inspect","site":{"root":"www","php":null},"root":"www"}"#,
        br#"{"deadline_ms":1000,"request":"find","below":"","depth":5}"#,
        br#"{"deadline_ms":9,"op":"survey","site":{"root":"www","php":"php"},"options":["home"]}"#,
        br#"{"deadline_ms":9,"op":"bridge","epoch":7,"root":"www","php":"php","options":{"blog":2,"skip_plugins":[]},"actions":[{"action":"at","blog":2,"inner":{"action":"site_info"}}],"each":true}"#,
        br#"{"deadline_ms":9,"op":"activate_plugins","epoch":7,"root":"www","php":"php","plugins":["a"],"network_wide":false}"#,
        br#"{"deadline_ms":9,"op":"pack","options":{"packer":{"format":"zip","level":3,"threads":0},"prefix":"files","tree":{"source":"www","usual_excludes":true,"exclude":[]}}}"#,
        br#"{"code":"bad_input","message":"x"}"#,
        br#"{"deadline_ms":18446744073709551615,"recover":{"epoch":7}}"#,
    ];
    const WORDS: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        ",",
        "\"root\":",
        "\"epoch\":7",
        "\"op\":",
        "null",
        "true",
        "-1",
        "1e400",
        "\\u0000",
        "\\ud800",
        "[[[[[[[[",
        "{\"a\":",
        "\"php\":",
        "\"deadline_ms\":5,",
        "\"swap\"",
        "\"inspect\"",
        "\"options\":{",
        "\"actions\":[",
        "\"time_limit_s\":4294967295,",
        "\"blog\":18446744073709551615,",
        "\"each\":true,",
    ];
    fn again<T: serde::Serialize + serde::de::DeserializeOwned>(input: &[u8]) {
        if let Ok(found) = serde_json::from_slice::<T>(input) {
            let written = serde_json::to_vec(&found).unwrap();
            let read: T = serde_json::from_slice(&written).unwrap();
            assert_eq!(serde_json::to_vec(&read).unwrap(), written);
        }
    }
    target("agent_messages", SAMPLES, WORDS, |input| {
        again::<Call>(input);
        again::<Refusal>(input);
        again::<Welcome>(input);
    });
}
