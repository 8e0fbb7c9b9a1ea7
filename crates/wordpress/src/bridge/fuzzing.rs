//! See [`crate::fuzzing`].

use super::frame::FrameScanner;

/// What the scanner of frames made of some output.
#[derive(Debug, PartialEq, Eq)]
pub struct Scanned {
    /// The first whole answer.
    pub answer: Option<Vec<u8>>,
    /// What came before it.
    pub notes: Vec<Vec<u8>>,
    /// Bytes outside frames.
    pub noise: u64,
}

/// Feeds the pieces to a scanner that waits for this nonce.
pub fn scan<'a>(nonce: &str, pieces: impl Iterator<Item = &'a [u8]>) -> Scanned {
    let mut scanner = FrameScanner::new(nonce);
    pieces.for_each(|piece| scanner.feed(piece));
    let (answer, notes, noise) = scanner.finish();
    Scanned {
        answer,
        notes,
        noise: noise.bytes,
    }
}
