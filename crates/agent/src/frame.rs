//! The frames on the pipe: `u32 BE payload length | u8 kind | u32 BE stream | payload`.
//!
//! Both ends read foreign bytes with [`Decoder`], which never panics, never holds
//! more than one frame and what was just pushed, and finds the same frames however
//! the bytes were split.

use crate::protocol::MAX_FRAME;

/// Bytes before the payload.
pub const HEADER: usize = 9;

/// What a frame is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum FrameKind {
    /// Agent → caller, once, on stream 0: [`crate::protocol::Welcome`].
    Welcome = 0,
    /// Caller → agent: opens a stream with a [`crate::protocol::Call`].
    Request = 1,
    /// Agent → caller: ends a stream. The answer is the data sent on the stream
    /// before, followed by this payload.
    Response = 2,
    /// Agent → caller: ends a stream with a [`crate::protocol::Refusal`]; on
    /// stream 0 it ends the session.
    Refusal = 3,
    /// Bytes of a stream, either way, within the credit granted.
    Data = 4,
    /// Caller → agent: no more data follows on this stream.
    End = 5,
    /// Grants the other side this many further bytes (`u32` BE).
    Credit = 6,
    /// Caller → agent: the answer is no longer wanted.
    Cancel = 7,
    /// Are you there? Eight bytes of the sender's choice.
    Ping = 8,
    /// Yes; the same eight bytes.
    Pong = 9,
}

impl FrameKind {
    const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::Welcome,
            1 => Self::Request,
            2 => Self::Response,
            3 => Self::Refusal,
            4 => Self::Data,
            5 => Self::End,
            6 => Self::Credit,
            7 => Self::Cancel,
            8 => Self::Ping,
            9 => Self::Pong,
            _ => return None,
        })
    }

    /// Whether a payload of this length can belong to this kind.
    const fn admits(self, length: usize) -> bool {
        match self {
            Self::Credit => length == 4,
            Self::Ping | Self::Pong => length == 8,
            Self::End | Self::Cancel => length == 0,
            // An empty data frame costs the sender no credit, so it may not exist.
            Self::Data => length > 0 && length <= MAX_FRAME,
            Self::Welcome | Self::Request | Self::Response | Self::Refusal => length <= MAX_FRAME,
        }
    }
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it is for.
    pub kind: FrameKind,
    /// Which exchange it belongs to; 0 is the session itself.
    pub stream: u32,
    /// Its content.
    pub payload: Vec<u8>,
}

impl Frame {
    /// A credit frame.
    pub fn credit(stream: u32, bytes: u32) -> Self {
        Self {
            kind: FrameKind::Credit,
            stream,
            payload: bytes.to_be_bytes().to_vec(),
        }
    }

    /// A frame without content.
    pub const fn bare(kind: FrameKind, stream: u32) -> Self {
        Self {
            kind,
            stream,
            payload: Vec::new(),
        }
    }

    /// The bytes granted, when this is a credit frame.
    pub fn granted(&self) -> Option<u32> {
        let bytes = <[u8; 4]>::try_from(self.payload.as_slice()).ok()?;
        (self.kind == FrameKind::Credit).then(|| u32::from_be_bytes(bytes))
    }

    /// The frame as it goes on the pipe.
    pub fn encode(&self) -> Result<Vec<u8>, FrameError> {
        encode(self.kind, self.stream, &self.payload)
    }
}

/// The bytes of one frame.
pub fn encode(kind: FrameKind, stream: u32, payload: &[u8]) -> Result<Vec<u8>, FrameError> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    if !kind.admits(payload.len()) {
        return Err(FrameError::Length { kind, length });
    }
    let mut bytes = Vec::with_capacity(HEADER + payload.len());
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.push(kind as u8);
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    Ok(bytes)
}

/// Finds frames in a stream of bytes.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
    start: usize,
}

impl Decoder {
    /// A decoder that has seen `bytes` already.
    pub const fn with(bytes: Vec<u8>) -> Self {
        Self { bytes, start: 0 }
    }

    /// Adds what was read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.start);
        self.start = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame, `None` until more was read. After an error the
    /// stream has no meaning any more and every further call repeats it.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        let rest = self.bytes.get(self.start..).unwrap_or_default();
        let Some((header, rest)) = rest.split_first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let [l0, l1, l2, l3, kind, s0, s1, s2, s3] = *header;
        let length = u32::from_be_bytes([l0, l1, l2, l3]);
        let kind = FrameKind::from_byte(kind).ok_or(FrameError::Kind(kind))?;
        let Some(size) = usize::try_from(length)
            .ok()
            .filter(|size| kind.admits(*size))
        else {
            return Err(FrameError::Length { kind, length });
        };
        let Some(payload) = rest.get(..size) else {
            return Ok(None);
        };
        let frame = Frame {
            kind,
            stream: u32::from_be_bytes([s0, s1, s2, s3]),
            payload: payload.to_vec(),
        };
        self.start += HEADER + size;
        Ok(Some(frame))
    }

    /// Whether the bytes end between two frames.
    pub const fn is_empty(&self) -> bool {
        self.bytes.len() == self.start
    }
}

/// Bytes that are no frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A kind this release does not know.
    #[error("frame of unknown kind {0}")]
    Kind(u8),
    /// A length the kind does not admit.
    #[error("{kind:?} frame of {length} bytes")]
    Length {
        /// The frame's kind.
        kind: FrameKind,
        /// The length announced.
        length: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode_all(chunks: &[&[u8]]) -> (Vec<Frame>, Option<FrameError>) {
        let mut decoder = Decoder::default();
        let mut frames = Vec::new();
        for chunk in chunks {
            decoder.push(chunk);
            loop {
                match decoder.next_frame() {
                    Ok(Some(frame)) => frames.push(frame),
                    Ok(None) => break,
                    Err(error) => return (frames, Some(error)),
                }
            }
        }
        (frames, None)
    }

    fn frames() -> impl Strategy<Value = Vec<Frame>> {
        let frame = (
            0u8..10,
            any::<u32>(),
            prop::collection::vec(any::<u8>(), 1..200),
        )
            .prop_map(|(kind, stream, mut payload)| {
                let kind = FrameKind::from_byte(kind).unwrap();
                match kind {
                    FrameKind::Credit => payload.resize(4, 0),
                    FrameKind::Ping | FrameKind::Pong => payload.resize(8, 0),
                    FrameKind::End | FrameKind::Cancel => payload.clear(),
                    _ => {}
                }
                Frame {
                    kind,
                    stream,
                    payload,
                }
            });
        prop::collection::vec(frame, 0..12)
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_frames(frames in frames(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8)) {
            let bytes: Vec<u8> = frames.iter().flat_map(|f| f.encode().unwrap()).collect();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|w| &bytes[w[0]..w[1]]).collect();
            prop_assert_eq!(decode_all(&chunks), (frames, None));
        }

        #[test]
        fn foreign_bytes_never_panic_and_split_alike(bytes in prop::collection::vec(any::<u8>(), 0..600), cut in any::<prop::sample::Index>()) {
            let cut = cut.index(bytes.len() + 1);
            let whole = decode_all(&[&bytes]);
            prop_assert_eq!(decode_all(&[&bytes[..cut], &bytes[cut..]]), whole.clone());
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            prop_assert_eq!(decode_all(&single), whole);
        }
    }

    #[test]
    fn an_oversized_frame_is_refused_by_its_header_alone() {
        let mut decoder = Decoder::default();
        let length = u32::try_from(MAX_FRAME).unwrap() + 1;
        decoder.push(&[&length.to_be_bytes()[..], &[4, 0, 0, 0, 1]].concat());
        let refused = Err(FrameError::Length {
            kind: FrameKind::Data,
            length,
        });
        assert_eq!(decoder.next_frame(), refused);
        assert_eq!(decoder.next_frame(), refused);
    }

    #[test]
    fn the_largest_frame_passes_and_an_empty_data_frame_does_not() {
        let payload = vec![7; MAX_FRAME];
        let bytes = encode(FrameKind::Data, 3, &payload).unwrap();
        let (found, error) = decode_all(&[&bytes]);
        assert_eq!(error, None);
        assert_eq!(found[0].payload, payload);
        assert!(encode(FrameKind::Data, 3, &[]).is_err());
        assert_eq!(
            decode_all(&[&[0, 0, 0, 0, 99, 0, 0, 0, 0]]).1,
            Some(FrameError::Kind(99))
        );
    }
}
