//! Finding our notes and answer in whatever a PHP process prints.
//!
//! A frame is `\n<<<PRESSROOM nonce length sha256>>>` and then `length` bytes of
//! JSON with that hash: the answer. Notes, which come before it as things happen, so
//! that they are known even if PHP is killed, begin with `<<<PRESSROOM-NOTE`.
//! The *first* whole answer with the right nonce counts; everything behind it is
//! noise, later frames included. Our script prints its answer as soon as the
//! actions are done, so code that only runs at shutdown comes too late; code that
//! runs before could still forge one, which is why a report is hearsay.

use super::report::Outcome;
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The most that is taken, all frames of a run together.
pub(crate) const MAX_ANSWER: usize = 16 * 1024 * 1024;
const WORD: &[u8] = b"\n<<<PRESSROOM";
const MAX_HEAD: usize = 96;
const TAIL: usize = 2048;
/// The most that is hashed for frames that turn out to be none. Code that knows the
/// nonce can print as many heads of long frames as it likes; each would be hashed over
/// the same bytes, and no watch is looked at meanwhile.
const MAX_IN_VAIN: usize = 2 * MAX_ANSWER;

/// Takes output piece by piece, keeping no more of it than needed.
#[derive(Debug)]
pub(crate) struct FrameScanner {
    answer_marker: Vec<u8>,
    note_marker: Vec<u8>,
    /// Not yet judged.
    pending: Vec<u8>,
    notes: Vec<Vec<u8>>,
    answer: Option<Vec<u8>>,
    /// Bytes of frames taken so far.
    taken: usize,
    /// Bytes hashed for frames that were none. Beyond [`MAX_IN_VAIN`] all is noise.
    in_vain: usize,
    noise: Noise,
}

/// What a note says.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Note {
    /// WordPress is up, the first action begins.
    Booted(serde::de::IgnoredAny),
    /// An action ended.
    Outcome(Box<Outcome>),
}

/// What was printed outside the frame.
#[derive(Debug, Default)]
pub(crate) struct Noise {
    pub(crate) bytes: u64,
    tail: Vec<u8>,
}

impl Noise {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.tail
            .extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL)..]);
        let surplus = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..surplus);
    }

    pub(crate) fn tail(&self) -> String {
        String::from_utf8_lossy(&self.tail).into_owned()
    }
}

enum Look {
    /// So many bytes in front are noise.
    Noise(usize),
    /// A frame of so many bytes, of which the JSON starts there, and whether it is
    /// the answer.
    Frame(usize, usize, bool),
    /// A whole frame of so many bytes that do not have the hash it says.
    Forged(usize),
    /// More must come.
    Wait,
}

impl FrameScanner {
    pub(crate) fn new(nonce: &str) -> Self {
        Self {
            answer_marker: format!("\n<<<PRESSROOM {nonce} ").into_bytes(),
            note_marker: format!("\n<<<PRESSROOM-NOTE {nonce} ").into_bytes(),
            pending: Vec::new(),
            notes: Vec::new(),
            answer: None,
            taken: 0,
            in_vain: 0,
            noise: Noise::default(),
        }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if self.answer.is_some() || self.in_vain > MAX_IN_VAIN {
            self.noise.add(bytes);
            return;
        }
        self.pending.extend_from_slice(bytes);
        // Taken away at the end at once: each time would move all that is behind it.
        let mut judged = 0;
        loop {
            let pending = self.pending.get(judged..).unwrap_or_default();
            match self.look(pending) {
                Look::Noise(0) | Look::Wait => break,
                Look::Noise(count) => {
                    self.noise.add(&pending[..count]);
                    judged += count;
                }
                Look::Forged(length) => {
                    self.in_vain = self.in_vain.saturating_add(length);
                    if self.in_vain > MAX_IN_VAIN {
                        self.noise.add(pending);
                        self.pending = Vec::new();
                        return;
                    }
                    self.noise.add(&pending[..1]);
                    judged += 1;
                }
                Look::Frame(start, end, is_answer) => {
                    let json = pending[start..end].to_vec();
                    self.taken += json.len();
                    judged += end;
                    if is_answer {
                        self.answer = Some(json);
                        self.noise.add(&self.pending[judged..]);
                        self.pending = Vec::new();
                        return;
                    }
                    self.notes.push(json);
                }
            }
        }
        self.pending.drain(..judged);
    }

    /// The answer, if one came, the notes before it, and everything else.
    pub(crate) fn finish(mut self) -> (Option<Vec<u8>>, Vec<Vec<u8>>, Noise) {
        self.noise.add(&self.pending);
        (self.answer, self.notes, self.noise)
    }

    fn look(&self, pending: &[u8]) -> Look {
        let Some(at) = find(pending, WORD) else {
            // The word may be half here.
            return Look::Noise((pending.len() + 1).saturating_sub(WORD.len()));
        };
        if at > 0 {
            return Look::Noise(at);
        }
        let is_answer = pending.starts_with(&self.answer_marker);
        let marker = if is_answer {
            &self.answer_marker
        } else {
            &self.note_marker
        };
        if !pending.starts_with(marker) {
            let half =
                self.answer_marker.starts_with(pending) || self.note_marker.starts_with(pending);
            return if half { Look::Wait } else { Look::Noise(1) };
        }
        let head = &pending[marker.len()..];
        let Some(end) = find(&head[..head.len().min(MAX_HEAD)], b">>>") else {
            return if head.len() < MAX_HEAD {
                Look::Wait
            } else {
                Look::Noise(1)
            };
        };
        let room = MAX_ANSWER.saturating_sub(self.taken);
        let Some((length, hash)) = parse_head(&head[..end]).filter(|head| head.0 <= room) else {
            return Look::Noise(1);
        };
        let start = marker.len() + end + 3;
        let Some(json) = pending.get(start..start + length) else {
            return Look::Wait;
        };
        if hex::encode(Sha256::digest(json)).as_bytes() == hash {
            Look::Frame(start, start + length, is_answer)
        } else {
            Look::Forged(length)
        }
    }
}

fn parse_head(head: &[u8]) -> Option<(usize, &[u8])> {
    let space = head.iter().position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(&head[..space]).ok()?.parse().ok()?;
    (length <= MAX_ANSWER).then_some((length, &head[space + 1..]))
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    while let Some(at) = text[from..].iter().position(|byte| *byte == first) {
        let at = from + at;
        if text[at..].starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(nonce: &str, answer: &[u8]) -> Vec<u8> {
        frame_of("PRESSROOM", nonce, answer)
    }

    fn frame_of(word: &str, nonce: &str, answer: &[u8]) -> Vec<u8> {
        let mut out = format!(
            "\n<<<{word} {nonce} {} {}>>>",
            answer.len(),
            hex::encode(Sha256::digest(answer))
        )
        .into_bytes();
        out.extend_from_slice(answer);
        out
    }

    fn scan(output: &[u8], piece: usize) -> (Option<Vec<u8>>, Noise) {
        let (answer, _, noise) = scan_all(output, piece);
        (answer, noise)
    }

    fn scan_all(output: &[u8], piece: usize) -> (Option<Vec<u8>>, Vec<Vec<u8>>, Noise) {
        let mut scanner = FrameScanner::new("n1");
        for part in output.chunks(piece) {
            scanner.feed(part);
        }
        scanner.finish()
    }

    #[test]
    fn noise_around_the_frame_disturbs_nothing() {
        let mut output = vec![b'x'; 10_000];
        output.extend_from_slice(b"\n<<<PRESSROOM n1 \n<<<PRESSROOM n1 5 abc>>>");
        output.extend(frame("guessed", b"{\"fake\":1}"));
        output.extend(frame("n1", b"{}"));
        output.extend_from_slice(b"after");
        for piece in [1, 7, 4096, usize::MAX] {
            let (answer, noise) = scan(&output, piece.min(output.len()));
            assert_eq!(answer.as_deref(), Some(b"{}".as_slice()));
            let ours = frame("n1", b"{}").len();
            // The frame's own head is neither answer nor noise.
            assert_eq!(usize::try_from(noise.bytes).unwrap(), output.len() - ours);
            assert!(noise.tail().ends_with("after"));
            assert!(noise.tail().len() <= TAIL);
        }
    }

    #[test]
    fn the_first_whole_frame_counts() {
        let mut output = frame("n1", b"first");
        output.extend(frame("n1", b"second"));
        assert_eq!(scan(&output, 3).0.as_deref(), Some(b"first".as_slice()));
    }

    #[test]
    fn a_damaged_or_cut_frame_is_noise() {
        let mut output = frame("n1", b"answer");
        let last = output.len() - 1;
        output[last] = b'!';
        let (answer, noise) = scan(&output, 5);
        assert_eq!(answer, None);
        assert_eq!(noise.bytes, output.len() as u64);
        output.extend(frame("n1", b"whole"));
        assert_eq!(scan(&output, 5).0.as_deref(), Some(b"whole".as_slice()));
        assert_eq!(scan(&frame("n1", b"answer")[..40], 5).0, None);
        let huge = format!("\n<<<PRESSROOM n1 {} x>>>", usize::MAX);
        assert_eq!(scan(huge.as_bytes(), 9).0, None);
    }

    #[test]
    fn notes_come_before_the_answer_and_count_together() {
        let mut output = b"noise".to_vec();
        output.extend(frame_of("PRESSROOM-NOTE", "n1", b"one"));
        output.extend(frame_of("PRESSROOM-NOTE", "other", b"not ours"));
        output.extend(frame_of("PRESSROOM-NOTE", "n1", b"two"));
        let without_answer = output.clone();
        output.extend(frame("n1", b"answer"));
        output.extend(frame_of("PRESSROOM-NOTE", "n1", b"too late"));
        for piece in [1, 6, usize::MAX] {
            let (answer, notes, _) = scan_all(&output, piece.min(output.len()));
            assert_eq!(answer.as_deref(), Some(b"answer".as_slice()));
            assert_eq!(notes, [b"one", b"two"]);
            // Killed before it could answer.
            let (answer, notes, _) = scan_all(&without_answer, piece.min(output.len()));
            assert_eq!((answer, notes.len()), (None, 2));
        }
        let mut scanner = FrameScanner::new("n1");
        for _ in 0..3 {
            scanner.feed(&frame_of(
                "PRESSROOM-NOTE",
                "n1",
                &vec![b'x'; MAX_ANSWER / 2],
            ));
        }
        assert_eq!(
            scanner.finish().1.len(),
            2,
            "no more than the limit is kept"
        );
    }

    #[test]
    fn heads_of_frames_that_are_none_cost_little() {
        let head = format!("\n<<<PRESSROOM n1 {} {}>>>", MAX_ANSWER / 2, "0".repeat(64));
        let output = head.repeat(MAX_ANSWER / head.len());
        let mut scanner = FrameScanner::new("n1");
        for piece in output.as_bytes().chunks(64 * 1024) {
            scanner.feed(piece);
        }
        assert!(scanner.in_vain <= MAX_IN_VAIN + MAX_ANSWER);
        scanner.feed(&frame("n1", b"too late"));
        let (answer, notes, noise) = scanner.finish();
        assert_eq!((answer, notes.len()), (None, 0));
        assert!(noise.bytes > output.len() as u64);

        // Nor do marks without a head behind one that waits for much.
        let output = format!(
            "\n<<<PRESSROOM n1 {} {}>>>{}",
            MAX_ANSWER - 200,
            "0".repeat(64),
            "\n<<<PRESSROOM".repeat(MAX_ANSWER / 13)
        );
        let (answer, noise) = scan(output.as_bytes(), 64 * 1024);
        assert_eq!((answer, noise.bytes), (None, output.len() as u64));
    }

    proptest! {
        #[test]
        fn keeps_every_note_in_any_noise(
            parts in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..40), prop::collection::vec(any::<u8>(), 0..40)), 0..6),
            piece in 1_usize..50,
        ) {
            let mut output = Vec::new();
            for (noise, note) in &parts {
                output.extend(noise);
                output.extend(frame_of("PRESSROOM-NOTE", "n1", note));
            }
            let (answer, notes, noise) = scan_all(&output, piece);
            prop_assert_eq!(answer, None);
            let expected: Vec<_> = parts.iter().map(|(_, note)| note.clone()).collect();
            prop_assert_eq!(notes, expected);
            let bytes: usize = parts.iter().map(|(noise, _)| noise.len()).sum();
            prop_assert_eq!(noise.bytes, bytes as u64);
        }

        #[test]
        fn finds_it_anywhere(
            before in prop::collection::vec(any::<u8>(), 0..200),
            answer in prop::collection::vec(any::<u8>(), 0..200),
            after in prop::collection::vec(any::<u8>(), 0..200),
            piece in 1_usize..50,
        ) {
            let mut output = before;
            output.extend(frame("n1", &answer));
            output.extend(after);
            prop_assert_eq!(scan(&output, piece).0, Some(answer));
        }
    }
}
