//! The two lines before the frames: who is there, and which version is spoken.
//!
//! The caller writes `PRESSROOM <nonce> <oldest>-<newest>`; the agent answers
//! `PRESSROOM-AGENT <nonce> <version>`. Login scripts and banners may print before
//! the agent starts, so the caller looks for the answer inside up to
//! [`MAX_NOISE`] bytes, and only its own nonce counts: a site cannot print an
//! answer in advance, and an echo of the caller's line is not one.

use crate::protocol::{MAX_NOISE, OLDEST_VERSION, VERSION};
use std::{fmt, io, ops::RangeInclusive, str::FromStr};

/// The versions spoken by this release.
pub const VERSIONS: RangeInclusive<u16> = OLDEST_VERSION..=VERSION;
/// The longest line of a preamble.
const MAX_LINE: usize = 96;

/// Sixteen random bytes that tie an answer to its question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nonce([u8; 16]);

impl Nonce {
    /// The nonce of these random bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for Nonce {
    type Err = PreambleError;

    fn from_str(text: &str) -> Result<Self, PreambleError> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| PreambleError::Malformed)?;
        Ok(Self(bytes))
    }
}

/// The caller's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// What the answer must carry.
    pub nonce: Nonce,
    /// The versions the caller speaks.
    pub versions: RangeInclusive<u16>,
}

impl Hello {
    /// The line, with its line feed.
    pub fn render(&self) -> String {
        let (oldest, newest) = (self.versions.start(), self.versions.end());
        format!("PRESSROOM {} {oldest}-{newest}\n", self.nonce)
    }

    /// Reads the line without its line feed.
    pub fn parse(line: &[u8]) -> Result<Self, PreambleError> {
        let line = std::str::from_utf8(line).map_err(|_| PreambleError::Malformed)?;
        let mut words = line.trim_end_matches('\r').split(' ');
        let (Some("PRESSROOM"), Some(nonce), Some(versions), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(PreambleError::Malformed);
        };
        Ok(Self {
            nonce: nonce.parse()?,
            versions: parse_range(versions).ok_or(PreambleError::Malformed)?,
        })
    }

    /// Reads the line from a pipe, and not one byte more.
    pub fn read(input: &mut impl io::Read) -> Result<Self, PreambleError> {
        let mut line = Vec::new();
        let mut byte = [0];
        while line.len() < MAX_LINE {
            match input.read(&mut byte) {
                Ok(0) => return Err(PreambleError::Closed),
                Ok(_) if byte == *b"\n" => return Self::parse(&line),
                Ok(_) => line.extend_from_slice(&byte),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(PreambleError::Closed),
            }
        }
        Err(PreambleError::Malformed)
    }
}

/// The agent's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// This version is spoken from here on.
    Version(u16),
    /// There is none in common; these are the agent's.
    None(RangeInclusive<u16>),
}

impl Reply {
    /// The newest version both sides speak.
    pub fn choose(theirs: &RangeInclusive<u16>, ours: &RangeInclusive<u16>) -> Self {
        let newest = *theirs.end().min(ours.end());
        if theirs.contains(&newest) && ours.contains(&newest) {
            Self::Version(newest)
        } else {
            Self::None(ours.clone())
        }
    }

    /// The line, with its line feed.
    pub fn render(&self, nonce: Nonce) -> String {
        match self {
            Self::Version(version) => format!("PRESSROOM-AGENT {nonce} {version}\n"),
            Self::None(ours) => format!(
                "PRESSROOM-AGENT {nonce} none {}-{}\n",
                ours.start(),
                ours.end()
            ),
        }
    }

    fn parse(rest: &[u8]) -> Option<Self> {
        let rest = std::str::from_utf8(rest).ok()?.trim_end_matches('\r');
        match rest.strip_prefix("none ") {
            Some(range) => parse_range(range).map(Self::None),
            None => rest.parse().ok().map(Self::Version),
        }
    }
}

fn parse_range(text: &str) -> Option<RangeInclusive<u16>> {
    let (oldest, newest) = text.split_once('-')?;
    let range = oldest.parse().ok()?..=newest.parse().ok()?;
    (!range.is_empty()).then_some(range)
}

/// Looks for the agent's line in what a pipe says first.
#[derive(Debug)]
pub struct Scanner {
    mark: Vec<u8>,
    seen: Vec<u8>,
    /// No mark begins before this offset.
    searched: usize,
}

/// What [`Scanner::push`] found.
#[derive(Debug, PartialEq, Eq)]
pub struct Answered {
    /// What the agent said.
    pub reply: Reply,
    /// Bytes after the line: the first frames.
    pub rest: Vec<u8>,
    /// Bytes before the line.
    pub noise: usize,
}

impl Scanner {
    /// Looks for the answer to this nonce.
    pub fn new(nonce: Nonce) -> Self {
        Self {
            mark: format!("PRESSROOM-AGENT {nonce} ").into_bytes(),
            seen: Vec::new(),
            searched: 0,
        }
    }

    /// Adds what was read; `None` until the whole line is there.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Option<Answered>, PreambleError> {
        self.seen.extend_from_slice(bytes);
        let unsearched = self.seen.get(self.searched..).unwrap_or_default();
        let Some(noise) = find(unsearched, &self.mark).map(|at| self.searched + at) else {
            self.searched = self.seen.len().saturating_sub(self.mark.len() - 1);
            return if self.seen.len() > MAX_NOISE + self.mark.len() {
                Err(PreambleError::Noise)
            } else {
                Ok(None)
            };
        };
        if noise > MAX_NOISE {
            return Err(PreambleError::Noise);
        }
        let line = self.seen.get(noise + self.mark.len()..).unwrap_or_default();
        let Some(end) = find(line, b"\n") else {
            return if line.len() > MAX_LINE {
                Err(PreambleError::Malformed)
            } else {
                Ok(None)
            };
        };
        // However the bytes were split.
        if end > MAX_LINE {
            return Err(PreambleError::Malformed);
        }
        let (line, rest) = line.split_at(end);
        let reply = Reply::parse(line).ok_or(PreambleError::Malformed)?;
        Ok(Some(Answered {
            reply,
            rest: rest.get(1..).unwrap_or_default().to_vec(),
            noise,
        }))
    }

    /// The last bytes seen, for an error message.
    pub fn tail(&self) -> &[u8] {
        let from = self.seen.len().saturating_sub(1024);
        self.seen.get(from..).unwrap_or_default()
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

/// Why no session began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PreambleError {
    /// Not a line of ours.
    #[error("malformed preamble")]
    Malformed,
    /// Too much else was printed.
    #[error("more than 64 kB were printed before the agent answered")]
    Noise,
    /// The pipe ended first.
    #[error("the pipe was closed before the preamble")]
    Closed,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NONCE: Nonce = Nonce::new([0xab; 16]);

    #[test]
    fn the_newest_common_version_is_chosen() {
        assert_eq!(Reply::choose(&(1..=3), &(2..=4)), Reply::Version(3));
        assert_eq!(Reply::choose(&(3..=4), &(2..=3)), Reply::Version(3));
        assert_eq!(Reply::choose(&(1..=1), &(2..=3)), Reply::None(2..=3));
        assert_eq!(Reply::choose(&(5..=6), &(2..=3)), Reply::None(2..=3));
    }

    #[test]
    fn the_callers_line_reads_back_and_nothing_else_does() {
        let hello = Hello {
            nonce: NONCE,
            versions: 1..=2,
        };
        let line = hello.render();
        assert_eq!(Hello::read(&mut line.as_bytes()), Ok(hello));
        for wrong in [
            &b"PRESSROOM abab 1-2\n"[..],
            b"GET / HTTP/1.1\r\n",
            b"PRESSROOM abababababababababababababababab 2-1\n",
            &[b'x'; 4096],
        ] {
            assert_eq!(Hello::read(&mut &*wrong), Err(PreambleError::Malformed));
        }
        assert_eq!(Hello::read(&mut &b""[..]), Err(PreambleError::Closed));
    }

    #[test]
    fn an_echo_and_a_foreign_nonce_are_noise() {
        let hello = Hello {
            nonce: NONCE,
            versions: VERSIONS,
        };
        let mut scanner = Scanner::new(NONCE);
        assert_eq!(scanner.push(hello.render().as_bytes()), Ok(None));
        let foreign = Reply::Version(1).render(Nonce::new([1; 16]));
        assert_eq!(scanner.push(foreign.as_bytes()), Ok(None));
        let found = scanner
            .push(format!("prompt$ {}\0", Reply::Version(1).render(NONCE)).as_bytes())
            .unwrap()
            .unwrap();
        assert_eq!((found.reply, found.rest), (Reply::Version(1), vec![0]));
    }

    #[test]
    fn noise_has_a_limit() {
        let answer = Reply::Version(1).render(NONCE).into_bytes();
        let most = [vec![b'.'; MAX_NOISE], answer.clone()].concat();
        assert!(Scanner::new(NONCE).push(&most).unwrap().is_some());
        let over = [vec![b'.'; MAX_NOISE + 1], answer].concat();
        assert_eq!(Scanner::new(NONCE).push(&over), Err(PreambleError::Noise));
        let endless = vec![b'.'; 2 * MAX_NOISE];
        assert_eq!(
            Scanner::new(NONCE).push(&endless),
            Err(PreambleError::Noise)
        );
    }

    proptest! {
        #[test]
        fn any_split_finds_the_same_answer(noise in prop::collection::vec(any::<u8>(), 0..300), rest in prop::collection::vec(any::<u8>(), 0..50), size in 1usize..40) {
            let bytes = [noise.clone(), Reply::Version(1).render(NONCE).into_bytes(), rest.clone()].concat();
            let mut scanner = Scanner::new(NONCE);
            let mut chunks = bytes.chunks(size);
            let mut found = loop {
                if let Some(found) = scanner.push(chunks.next().unwrap()).unwrap() {
                    break found;
                }
            };
            found.rest.extend(chunks.flatten());
            prop_assert_eq!(found, Answered { reply: Reply::Version(1), rest, noise: noise.len() });
        }
    }
}
