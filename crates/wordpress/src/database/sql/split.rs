//! Cuts a stream of SQL into statements, as the stock client does: by `;` or what
//! `DELIMITER` says, outside quotes and comments. Holds one statement at a time.

use super::token::is_word;
use crate::{Error, Result};
use std::{
    io::{self, Read},
    ops::Range,
};

const CHUNK: usize = 256 * 1024;
/// Bytes of the first comment and of the last that are remembered.
const REMEMBERED: usize = 1024;
const COMMAND: &[u8] = b"delimiter";

/// A stream of statements.
pub(crate) struct Splitter<'a> {
    input: &'a mut dyn Read,
    limit: usize,
    /// What was read, and room for more.
    buffer: Vec<u8>,
    /// How much of the buffer was read.
    filled: usize,
    /// Where the current statement starts in the buffer.
    start: usize,
    /// What has been looked at.
    at: usize,
    /// The statement that was found last.
    found: Range<usize>,
    ended: bool,
    /// Bytes taken from the buffer so far.
    passed: u64,
    delimiter: Vec<u8>,
    state: State,
    /// Executable comments that are open.
    depth: u32,
    /// Nothing but blanks and comments since `start`.
    blank: bool,
    opening: Vec<u8>,
    closing: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Code,
    Quote(u8),
    Line,
    Block,
}

enum Step {
    /// More input is needed to go on.
    More,
    /// A statement ends before the first, and the next starts at the second offset.
    Found(usize, usize),
}

impl<'a> Splitter<'a> {
    /// Cuts `input`; a statement beyond `limit` bytes is refused.
    pub fn new(input: &'a mut dyn Read, limit: usize) -> Self {
        Self {
            input,
            limit,
            buffer: Vec::new(),
            filled: 0,
            start: 0,
            at: 0,
            found: 0..0,
            ended: false,
            passed: 0,
            delimiter: b";".to_vec(),
            state: State::Code,
            depth: 0,
            blank: true,
            opening: Vec::new(),
            closing: Vec::new(),
        }
    }

    /// The first kilobyte.
    pub fn opening(&self) -> &[u8] {
        &self.opening
    }

    /// The last comment outside a statement, at most a kilobyte of it.
    pub fn closing(&self) -> &[u8] {
        &self.closing
    }

    /// Bytes read so far, up to the current statement's end.
    pub fn offset(&self) -> u64 {
        self.passed + self.at as u64
    }

    /// The statement at work, without its delimiter and never blank.
    pub fn statement(&self) -> &[u8] {
        self.buffer[self.found.clone()].trim_ascii()
    }

    /// Moves to the next statement; `false` at the end. A last statement without a
    /// delimiter means that the input was cut off.
    pub fn advance(&mut self) -> Result<bool> {
        loop {
            match self.scan()? {
                Step::Found(end, next) => {
                    self.found = self.start..end;
                    let blank = self.blank;
                    self.start = next;
                    self.at = next;
                    self.blank = true;
                    if !blank {
                        return Ok(true);
                    }
                }
                Step::More if self.ended => {
                    if self.state == State::Line {
                        self.end_comment(self.filled);
                    }
                    if self.blank && !matches!(self.state, State::Quote(_) | State::Block) {
                        return Ok(false);
                    }
                    return Err(Error::BadInput(
                        "the dump ends in the middle of a statement: it was cut off".to_owned(),
                    ));
                }
                Step::More => self.fill()?,
            }
        }
    }

    fn fill(&mut self) -> Result<()> {
        if self.at - self.start > self.limit {
            return Err(Error::BadInput(format!(
                "the statement at byte {} of the dump is larger than {} bytes",
                self.passed + self.start as u64,
                self.limit
            )));
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.filled, 0);
            self.passed += self.start as u64;
            self.filled -= self.start;
            self.at -= self.start;
            self.start = 0;
        }
        // A large statement is met by larger reads, so that it is moved few times.
        if self.buffer.len() - self.filled < CHUNK {
            self.buffer
                .resize(self.filled + CHUNK.max(self.filled / 2), 0);
        }
        let read = loop {
            match self.input.read(&mut self.buffer[self.filled..]) {
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        let read = read.map_err(|why| Error::io("read", "the dump", why))?;
        self.ended = read == 0;
        let missing = REMEMBERED.saturating_sub(self.opening.len()).min(read);
        self.opening
            .extend_from_slice(&self.buffer[self.filled..self.filled + missing]);
        self.filled += read;
        Ok(())
    }

    fn scan(&mut self) -> Result<Step> {
        loop {
            let rest = &self.buffer[self.at..self.filled];
            if rest.is_empty() {
                return Ok(Step::More);
            }
            match self.state {
                State::Code => {
                    if let Some(step) = self.scan_code()? {
                        return Ok(step);
                    }
                }
                State::Quote(quote) => {
                    let found = if quote == b'`' {
                        memchr::memchr(quote, rest)
                    } else {
                        memchr::memchr2(quote, b'\\', rest)
                    };
                    let Some(found) = found else {
                        self.at = self.filled;
                        return Ok(Step::More);
                    };
                    if rest[found] == quote {
                        // A doubled quote opens again at once.
                        self.at += found + 1;
                        self.state = State::Code;
                    } else if found + 2 > rest.len() {
                        self.at += found;
                        return Ok(Step::More);
                    } else {
                        self.at += found + 2;
                    }
                }
                State::Line => {
                    let Some(found) = memchr::memchr(b'\n', rest) else {
                        self.at = self.filled;
                        return Ok(Step::More);
                    };
                    self.end_comment(self.at + found + 1);
                }
                State::Block => {
                    let Some(found) = memchr::memmem::find(rest, b"*/") else {
                        // The last byte may be the `*`.
                        self.at = self.at.max(self.filled - 1);
                        return Ok(Step::More);
                    };
                    self.end_comment(self.at + found + 2);
                }
            }
        }
    }

    fn end_comment(&mut self, end: usize) {
        self.state = State::Code;
        self.at = end;
        if self.blank {
            let comment = &self.buffer[self.start..end];
            self.closing.clear();
            self.closing
                .extend_from_slice(&comment[..comment.len().min(REMEMBERED)]);
            self.start = end;
        }
    }

    /// Looks at code up to something that changes the state; `None` to look again.
    fn scan_code(&mut self) -> Result<Option<Step>> {
        let mut at = self.at;
        let first = self.delimiter[0];
        while let Some(&byte) = self.buffer[..self.filled].get(at) {
            if self.blank {
                if byte.is_ascii_whitespace() {
                    at += 1;
                    if at - self.start > REMEMBERED {
                        self.start = at;
                    }
                    continue;
                }
                if byte.eq_ignore_ascii_case(&COMMAND[0]) {
                    match self.command(at) {
                        Command::More => {
                            self.at = at;
                            return Ok(Some(Step::More));
                        }
                        Command::Until(end) => {
                            // What follows the delimiter in its line says nothing.
                            self.start = end;
                            self.at = end;
                            self.state = State::Line;
                            return Ok(None);
                        }
                        Command::Bad => {
                            return Err(Error::BadInput(
                                "`DELIMITER` in the dump names no delimiter".to_owned(),
                            ));
                        }
                        Command::No => {}
                    }
                }
            } else if !MATTERS[usize::from(byte)] && byte != first {
                at += 1;
                continue;
            }
            let rest = &self.buffer[at..self.filled];
            // Enough to see any mark; at the end of the input there is no more.
            if rest.len() < self.delimiter.len().max(4) && !self.ended {
                self.at = at;
                return Ok(Some(Step::More));
            }
            if self.depth == 0 && rest.starts_with(&self.delimiter) {
                self.at = at;
                return Ok(Some(Step::Found(at, at + self.delimiter.len())));
            }
            let mut code = true;
            let (state, len) = match byte {
                b'\'' | b'"' | b'`' => (State::Quote(byte), 1),
                b'#' => (State::Line, 1),
                b'-' if rest.starts_with(b"--") && rest.get(2).is_none_or(|&b| b <= b' ') => {
                    (State::Line, 2)
                }
                b'/' if rest.starts_with(b"/*!") || rest.starts_with(b"/*M!") => {
                    self.depth += 1;
                    (State::Code, 3)
                }
                b'/' if rest.starts_with(b"/*") => (State::Block, 2),
                b'*' if self.depth > 0 && rest.starts_with(b"*/") => {
                    self.depth -= 1;
                    (State::Code, 2)
                }
                _ => (State::Code, 1),
            };
            if matches!(state, State::Line | State::Block) {
                code = false;
            }
            if code {
                self.blank = false;
            }
            at += len;
            if state != State::Code {
                self.at = at;
                self.state = state;
                return Ok(None);
            }
        }
        self.at = at;
        Ok(Some(Step::More))
    }

    /// Looks for `DELIMITER x` at the start of a statement.
    fn command(&mut self, at: usize) -> Command {
        let rest = &self.buffer[at..self.filled];
        let common = rest
            .iter()
            .zip(COMMAND)
            .take_while(|(byte, letter)| byte.eq_ignore_ascii_case(letter))
            .count();
        if common < COMMAND.len() {
            return if common == rest.len() && !self.ended {
                Command::More
            } else {
                Command::No
            };
        }
        match rest.get(COMMAND.len()) {
            None if self.ended => return Command::Bad,
            None => return Command::More,
            Some(&byte) if is_word(byte) => return Command::No,
            Some(_) => {}
        }
        let told = &rest[COMMAND.len()..];
        let near = &told[..told.len().min(REMEMBERED)];
        let Some(from) = near
            .iter()
            .position(|&byte| byte == b'\n' || !byte.is_ascii_whitespace())
        else {
            return if near.len() == REMEMBERED || self.ended {
                Command::Bad
            } else {
                Command::More
            };
        };
        let len = told[from..].iter().position(u8::is_ascii_whitespace);
        let word = &told[from..from + len.unwrap_or(told.len() - from)];
        if len == Some(0) || word.len() > 16 || word.contains(&b'\\') {
            return Command::Bad;
        }
        if len.is_none() && !self.ended {
            return Command::More;
        }
        self.delimiter = word.to_vec();
        Command::Until(at + COMMAND.len() + from + word.len())
    }
}

enum Command {
    No,
    More,
    Bad,
    Until(usize),
}

/// Bytes that may change the state of code.
static MATTERS: [bool; 256] = {
    let mut table = [false; 256];
    let bytes = b"'\"`#-/*";
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] = true;
        at += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives the bytes in pieces of these sizes, over and over.
    struct Pieces<'a>(&'a [u8], Vec<usize>, usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let size = self.1[self.2 % self.1.len()];
            self.2 += 1;
            let len = size.min(self.0.len()).min(into.len());
            let (now, later) = self.0.split_at(len);
            into[..len].copy_from_slice(now);
            self.0 = later;
            Ok(len)
        }
    }

    fn split(text: &[u8], sizes: &[usize]) -> std::result::Result<Vec<Vec<u8>>, String> {
        let mut input = Pieces(text, sizes.to_vec(), 0);
        let mut splitter = Splitter::new(&mut input, 1 << 20);
        let mut found = Vec::new();
        loop {
            match splitter.advance() {
                Ok(true) => found.push(splitter.statement().to_vec()),
                Ok(false) => return Ok(found),
                Err(why) => return Err(why.to_string()),
            }
        }
    }

    #[test]
    fn cuts_as_the_stock_client_does() {
        let text = b"-- a; comment\n/* b; */ SELECT 1 ; ;\nINSERT INTO t VALUES ('a;''b\\';',\"c;\",`d;`);\n\
            /*!40101 SET x=1; */;# c;\ndelimiter ;;\nCREATE TRIGGER a BEGIN x; y; END ;;\nDELIMITER ;\n\
            SELECT 5--1;SELECT 2 -- '\n;DELIMITERS;\n-- Dump completed";
        let expected: [&[u8]; 8] = [
            b"SELECT 1",
            b"INSERT INTO t VALUES ('a;''b\\';',\"c;\",`d;`)",
            b"/*!40101 SET x=1; */",
            b"CREATE TRIGGER a BEGIN x; y; END",
            b"SELECT 5--1",
            b"SELECT 2 -- '",
            b"DELIMITERS",
            b"",
        ];
        assert_eq!(split(text, &[100]).unwrap(), &expected[..7]);
        let mut input: &[u8] = text;
        let mut splitter = Splitter::new(&mut input, 100);
        while splitter.advance().unwrap() {}
        assert!(splitter.opening().starts_with(b"-- a; comment"));
        assert!(splitter.closing().ends_with(b"-- Dump completed"));
    }

    #[test]
    fn what_is_cut_off_or_too_large_is_refused() {
        for bad in ["SELECT 1", "SELECT 'a", "SELECT `a;", "/* a", "/*! a;"] {
            assert!(split(bad.as_bytes(), &[3]).is_err(), "{bad}");
        }
        for bad in [
            "DELIMITER \n",
            "DELIMITER ",
            "DELIMITER 01234567890123456\n",
        ] {
            assert!(split(bad.as_bytes(), &[3]).is_err(), "{bad}");
        }
        let long = [b"SELECT '".to_vec(), vec![b'a'; 2 << 20], b"';".to_vec()].concat();
        assert!(split(&long, &[4096]).is_err());
        // Blanks are no statement, however many.
        assert_eq!(split(&vec![b' '; 3 << 20], &[65536]).unwrap().len(), 0);
    }

    #[test]
    fn a_long_line_after_delimiter_says_nothing() {
        let long = format!("DELIMITER $$ {}; x\nSELECT 1;2 $$", "y".repeat(5000));
        for sizes in [[1 << 16], [1], [700]] {
            assert_eq!(split(long.as_bytes(), &sizes).unwrap(), [b"SELECT 1;2"]);
        }
        let blanks = format!("DELIMITER {}$$\nSELECT 1 $$", " ".repeat(2000));
        for sizes in [[1 << 16], [1], [700]] {
            assert!(split(blanks.as_bytes(), &sizes).is_err());
        }
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(
            text in "(;|'|\"|`|\\\\|-|--|-- |#|/|\\*|/\\*|\\*/|/\\*!|/\\*M!|\n| |delimiter |DELIMITER ;;\n|;;|a|1){0,40}",
            sizes in proptest::collection::vec(1_usize..7, 1..5),
        ) {
            let whole = split(text.as_bytes(), &[1 << 16]);
            prop_assert_eq!(split(text.as_bytes(), &sizes), whole.clone());
            prop_assert_eq!(split(text.as_bytes(), &[1]), whole);
        }

        #[test]
        fn foreign_bytes_never_panic(bytes: Vec<u8>) {
            let _ = split(&bytes, &[3, 1, 5]);
        }
    }
}
