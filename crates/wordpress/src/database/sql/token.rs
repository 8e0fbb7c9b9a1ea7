//! Cuts one statement into tokens, as the server's own lexer would with
//! `NO_BACKSLASH_ESCAPES` off and a client character set in which no byte of a
//! character can be taken for ASCII.

use crate::{Error, Result};
use std::borrow::Cow;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword, a name without quotes, or a number.
    Word,
    /// A name between back quotes.
    Name,
    /// A text between `'` or `"`.
    Text,
    /// One byte of punctuation.
    Symbol,
    /// `/*!12345` or `/*M!123456`: what follows runs on some servers.
    Open,
    /// The `*/` that belongs to [`Kind::Open`].
    Close,
    /// A quote or comment without an end; reaches to the end of the statement.
    Broken,
}

/// A token and where it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its bytes, quotes included.
    pub text: &'a [u8],
    /// Offset of its first byte.
    pub start: usize,
}

impl Token<'_> {
    /// Offset after its last byte.
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it is this keyword, in any case.
    pub fn is(&self, keyword: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(keyword.as_bytes())
    }

    /// Whether it is this punctuation.
    pub fn is_symbol(&self, symbol: u8) -> bool {
        self.kind == Kind::Symbol && self.text == [symbol]
    }

    /// The name it stands for, quotes taken off; `None` when it cannot be a name or
    /// is not UTF-8.
    pub fn name(&self) -> Option<String> {
        let text = std::str::from_utf8(self.text).ok()?;
        match self.kind {
            Kind::Word => Some(text.to_owned()),
            Kind::Name => Some(text[1..text.len() - 1].replace("``", "`")),
            _ => None,
        }
    }
}

/// The tokens of a statement; ordinary comments are passed over.
#[derive(Debug, Clone)]
pub(crate) struct Tokens<'a> {
    text: &'a [u8],
    at: usize,
    depth: u32,
}

impl<'a> Tokens<'a> {
    /// Starts at the first byte.
    pub fn of(text: &'a [u8]) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
        }
    }

    fn token(&mut self, kind: Kind, end: usize) -> Token<'a> {
        let start = std::mem::replace(&mut self.at, end);
        Token {
            kind,
            text: &self.text[start..end],
            start,
        }
    }

    fn broken(&mut self) -> Token<'a> {
        self.token(Kind::Broken, self.text.len())
    }

    /// Moves past blanks and comments; `false` at a comment without an end.
    fn skip(&mut self) -> bool {
        let text = self.text;
        while let Some(&byte) = text.get(self.at) {
            let rest = &text[self.at..];
            if byte.is_ascii_whitespace() || byte == 0x0b {
                self.at += 1;
            } else if byte == b'#' || is_dashes(rest) {
                self.at += memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            } else if rest.starts_with(b"/*") && opening(rest).is_none() {
                match memchr::memmem::find(&rest[2..], b"*/") {
                    Some(end) => self.at += end + 4,
                    None => return false,
                }
            } else {
                break;
            }
        }
        true
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if !self.skip() {
            return Some(self.broken());
        }
        let rest = &self.text[self.at..];
        let (&first, at) = (rest.first()?, self.at);
        Some(match first {
            b'\'' | b'"' | b'`' => match quoted_len(rest) {
                Some(len) => {
                    let kind = if first == b'`' {
                        Kind::Name
                    } else {
                        Kind::Text
                    };
                    self.token(kind, at + len)
                }
                None => self.broken(),
            },
            b'/' if opening(rest).is_some() => {
                self.depth += 1;
                let (_, len) = opening(rest).unwrap_or_default();
                self.token(Kind::Open, at + len)
            }
            b'*' if self.depth > 0 && rest.starts_with(b"*/") => {
                self.depth -= 1;
                self.token(Kind::Close, at + 2)
            }
            byte if is_word(byte) => {
                let len = rest.iter().position(|&byte| !is_word(byte));
                self.token(Kind::Word, at + len.unwrap_or(rest.len()))
            }
            _ => self.token(Kind::Symbol, at + 1),
        })
    }
}

/// Bytes of names and numbers without quotes.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

/// Whether `--` here starts a comment: only before a blank or control character.
fn is_dashes(rest: &[u8]) -> bool {
    rest.starts_with(b"--") && rest.get(2).is_none_or(|&byte| byte <= b' ')
}

/// The length of the quoted thing at the start of `rest`, quotes included.
fn quoted_len(rest: &[u8]) -> Option<usize> {
    let quote = *rest.first()?;
    let mut at = 1;
    loop {
        let found = if quote == b'`' {
            memchr::memchr(quote, &rest[at..])
        } else {
            memchr::memchr2(quote, b'\\', &rest[at..])
        };
        at += found?;
        let escaped = rest[at] == b'\\' && quote != b'`';
        if !escaped && rest.get(at + 1) != Some(&quote) {
            return Some(at + 1);
        }
        at += 2;
        if at > rest.len() {
            return None;
        }
    }
}

/// Which servers run what follows in a comment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Condition {
    mariadb: bool,
    version: u32,
}

/// The marker of an executable comment at the start of `rest`, and its length.
fn opening(rest: &[u8]) -> Option<(Condition, usize)> {
    let (mariadb, len) = if rest.starts_with(b"/*!") {
        (false, 3)
    } else if rest.starts_with(b"/*M!") {
        (true, 4)
    } else {
        return None;
    };
    let digits = rest[len..]
        .iter()
        .take(6)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    // Fewer than five digits are no version but text that runs.
    let digits = if digits < 5 { 0 } else { digits };
    let version = rest[len..len + digits]
        .iter()
        .fold(0, |number, &digit| number * 10 + u32::from(digit - b'0'));
    Some((Condition { mariadb, version }, len + digits))
}

/// The server that a statement is meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Server {
    /// MariaDB; else MySQL.
    pub mariadb: bool,
    /// As in executable comments, e.g. `101106`.
    pub version: u32,
}

impl Server {
    fn runs(self, condition: Condition) -> bool {
        if self.mariadb {
            // MariaDB passes over what only MySQL 5.7 and later understand.
            let foreign = !condition.mariadb && (50_700..100_000).contains(&condition.version);
            condition.version <= self.version && !foreign
        } else {
            !condition.mariadb && condition.version <= self.version
        }
    }
}

/// Takes the marks of executable comments away, and with them what this server would
/// not run: afterwards there is one reading of the statement.
pub(crate) fn unwrap_comments(statement: &[u8], server: Server) -> Result<Cow<'_, [u8]>> {
    let mut out: Option<Vec<u8>> = None;
    let mut kept = 0;
    let mut tokens = Tokens::of(statement);
    while let Some(token) = tokens.next() {
        let end = match token.kind {
            Kind::Broken => return Err(unfinished()),
            Kind::Open => {
                let (condition, _) = opening(token.text).unwrap_or_default();
                if server.runs(condition) {
                    token.end()
                } else {
                    let end = skipped_end(statement, token.end()).ok_or_else(unfinished)?;
                    tokens.depth -= 1;
                    tokens.at = end;
                    end
                }
            }
            Kind::Close => token.end(),
            _ => continue,
        };
        let out = out.get_or_insert_with(|| Vec::with_capacity(statement.len()));
        out.extend_from_slice(&statement[kept..token.start]);
        out.push(b' ');
        kept = end;
    }
    if tokens.depth > 0 {
        return Err(unfinished());
    }
    Ok(match out {
        Some(mut out) => {
            out.extend_from_slice(&statement[kept..]);
            Cow::Owned(out)
        }
        None => Cow::Borrowed(statement),
    })
}

/// Where a comment ends that is not run; comments in it nest.
fn skipped_end(statement: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 1_u32;
    while depth > 0 {
        at += memchr::memchr2(b'*', b'/', statement.get(at..)?)?;
        match statement.get(at..at + 2)? {
            b"*/" => {
                depth -= 1;
                at += 2;
            }
            b"/*" => {
                depth += 1;
                at += 2;
            }
            _ => at += 1,
        }
    }
    Some(at)
}

fn unfinished() -> Error {
    Error::BadInput("a quote or comment in the dump has no end".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MARIADB: Server = Server {
        mariadb: true,
        version: 101_119,
    };

    fn texts(statement: &str) -> Vec<&str> {
        Tokens::of(statement.as_bytes())
            .map(|token| std::str::from_utf8(token.text).unwrap())
            .collect()
    }

    #[test]
    fn cuts_names_texts_and_comments() {
        assert_eq!(
            texts("SELECT `a``b`.c, 'it''s \\' x' -- end\n, \"q\"/* c */-1 # x"),
            [
                "SELECT",
                "`a``b`",
                ".",
                "c",
                ",",
                "'it''s \\' x'",
                ",",
                "\"q\"",
                "-",
                "1"
            ]
        );
        let mut broken = Tokens::of(b"a 'open");
        assert_eq!(broken.nth(1).map(|token| token.kind), Some(Kind::Broken));
        assert_eq!(broken.next(), None);
    }

    #[test]
    fn runs_what_this_server_would() {
        let unwrapped = |text: &str, server| {
            let bytes = unwrap_comments(text.as_bytes(), server).unwrap();
            let bytes = String::from_utf8(bytes.into_owned()).unwrap();
            bytes.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let mysql = Server {
            mariadb: false,
            version: 80_036,
        };
        for (text, mariadb, my) in [
            ("/*!40101 SET a=1 */", "SET a=1", "SET a=1"),
            ("x /*!80000 y */ z", "x z", "x y z"),
            ("x /*M!100100 y */ z", "x y z", "x z"),
            ("x /*!100100 y */ z", "x y z", "x z"),
            ("x /*M!999999\\- ' /* n */ */ z", "x z", "x z"),
            ("x /*!999999 y */", "x", "x"),
            (
                "x '/*!80000 y */'",
                "x '/*!80000 y */'",
                "x '/*!80000 y */'",
            ),
            ("/*! a */ b /* c */", "a b /* c */", "a b /* c */"),
        ] {
            assert_eq!(unwrapped(text, MARIADB), mariadb, "{text}");
            assert_eq!(unwrapped(text, mysql), my, "{text}");
        }
        for bad in ["/*!40101 a", "'a", "/* a", "/*!80000 a"] {
            assert!(unwrap_comments(bad.as_bytes(), MARIADB).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn tokens_never_panic_and_move_forward(text in "[ -~\\n]{0,60}", bytes: Vec<u8>) {
            for text in [text.as_bytes(), &bytes] {
                let mut end = 0;
                for token in Tokens::of(text) {
                    prop_assert!(token.start >= end && !token.text.is_empty());
                    end = token.end();
                    let _ = token.name();
                }
                let _ = unwrap_comments(text, MARIADB);
            }
        }

        #[test]
        fn no_mark_survives_unwrapping(text in "[/*!M0-9a ']{0,40}") {
            if let Ok(text) = unwrap_comments(text.as_bytes(), MARIADB) {
                // Unless taking one away made a new one, which the callers refuse.
                let _ = Tokens::of(&text).count();
            }
        }
    }
}
