//! PHP's tokens, as far as reading configuration needs them.

use std::ops::Range;

/// One token; comments and blanks are not tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// A name or keyword, as written.
    Name(Vec<u8>),
    /// A variable, without `$`.
    Variable(Vec<u8>),
    /// A string's value; `None` when PHP would compute it.
    Text(Option<Vec<u8>>),
    /// An integer; `None` when it is no plain one.
    Number(Option<i64>),
    /// Anything else, byte by byte.
    Sign(u8),
    /// Output between `?>` and the next opening tag, which also ends a statement.
    Output,
}

/// A token and the bytes it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lexeme {
    /// The token.
    pub token: Token,
    /// Where it stands in the file.
    pub span: Range<usize>,
}

/// A file taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lexed {
    /// The tokens in order.
    pub tokens: Vec<Lexeme>,
    /// Where the comments stand, in order, marks included.
    pub comments: Vec<Range<usize>>,
}

/// Splits a PHP file. Malformed input gives some tokens, never a failure.
pub fn tokenize(file: &[u8]) -> Vec<Token> {
    lex(file).tokens.into_iter().map(|it| it.token).collect()
}

/// As [`tokenize`], with the place of everything.
pub fn lex(file: &[u8]) -> Lexed {
    let mut scan = Scan {
        rest: file,
        tokens: Vec::new(),
    };
    let mut result = Lexed::default();
    while scan.enter_php() {
        loop {
            let start = file.len() - scan.rest.len();
            let more = scan.step();
            let place = start..file.len() - scan.rest.len();
            if let Some(token) = scan.tokens.pop() {
                result.tokens.push(Lexeme { token, span: place });
            } else if matches!(file.get(start), Some(b'#' | b'/')) {
                result.comments.push(place);
            }
            if !more {
                break;
            }
        }
    }
    result
}

struct Scan<'a> {
    rest: &'a [u8],
    /// At most the one token of the last step.
    tokens: Vec<Token>,
}

impl Scan<'_> {
    /// Skips to behind the next opening tag.
    fn enter_php(&mut self) -> bool {
        loop {
            let Some(at) = find(self.rest, b"<?") else {
                self.rest = &[];
                return false;
            };
            self.rest = &self.rest[at + 2..];
            if let Some(tag) = self.rest.get(..3)
                && tag.eq_ignore_ascii_case(b"php")
                && self.rest.get(3).is_none_or(u8::is_ascii_whitespace)
            {
                self.rest = &self.rest[3..];
                return true;
            }
            if self.rest.first() == Some(&b'=') {
                self.rest = &self.rest[1..];
                return true;
            }
        }
    }

    /// Takes one token; false at the end of the PHP part.
    fn step(&mut self) -> bool {
        let Some(&byte) = self.rest.first() else {
            return false;
        };
        let next = self.rest.get(1).copied();
        match byte {
            b if b.is_ascii_whitespace() => self.skip(1),
            b'?' if next == Some(b'>') => {
                self.skip(2);
                self.tokens.push(Token::Output);
                return false;
            }
            b'#' if next != Some(b'[') => self.skip_line(),
            b'/' if next == Some(b'/') => self.skip_line(),
            b'/' if next == Some(b'*') => {
                let end = find(&self.rest[2..], b"*/").map_or(self.rest.len(), |at| at + 4);
                self.skip(end);
            }
            b'\'' => self.single_quoted(),
            b'"' => self.double_quoted(),
            b'`' => {
                let end = closing(self.rest, b'`');
                self.skip(end);
                self.tokens.push(Token::Text(None));
            }
            b'<' if self.rest.starts_with(b"<<<") => self.heredoc(),
            b'$' if next.is_some_and(starts_name) => {
                self.skip(1);
                let name = self.name();
                self.tokens.push(Token::Variable(name));
            }
            b if starts_name(b) => {
                let name = self.name();
                self.tokens.push(Token::Name(name));
            }
            b if b.is_ascii_digit() => self.number(),
            b => {
                self.skip(1);
                self.tokens.push(Token::Sign(b));
            }
        }
        true
    }

    fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    /// A one-line comment ends at the line's end, or before a closing tag.
    fn skip_line(&mut self) {
        let line = self
            .rest
            .iter()
            .position(|byte| matches!(byte, b'\n' | b'\r'))
            .unwrap_or(self.rest.len());
        let end = find(&self.rest[..line], b"?>").unwrap_or(line);
        self.skip(end);
    }

    fn name(&mut self) -> Vec<u8> {
        let length = self
            .rest
            .iter()
            .take_while(|byte| starts_name(**byte) || byte.is_ascii_digit())
            .count();
        let name = self.rest[..length].to_vec();
        self.skip(length);
        name
    }

    fn number(&mut self) {
        let length = self
            .rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
            .count();
        let value = integer(&self.rest[..length]);
        self.skip(length);
        self.tokens.push(Token::Number(value));
    }

    fn single_quoted(&mut self) {
        let mut value = Vec::new();
        let mut at = 1;
        while let Some(&byte) = self.rest.get(at) {
            match byte {
                b'\'' => {
                    self.skip(at + 1);
                    self.tokens.push(Token::Text(Some(value)));
                    return;
                }
                b'\\' if matches!(self.rest.get(at + 1), Some(b'\'' | b'\\')) => {
                    value.push(self.rest[at + 1]);
                    at += 2;
                }
                byte => {
                    value.push(byte);
                    at += 1;
                }
            }
        }
        self.unterminated();
    }

    fn double_quoted(&mut self) {
        let end = closing(self.rest, b'"');
        if end > self.rest.len() || end < 2 {
            self.unterminated();
            return;
        }
        let value = unescape(&self.rest[1..end - 1], Some(b'"'));
        self.skip(end);
        self.tokens.push(Token::Text(value));
    }

    fn unterminated(&mut self) {
        self.rest = &[];
        self.tokens.push(Token::Text(None));
    }

    /// A heredoc or nowdoc: its lines without the indentation of its closing mark.
    fn heredoc(&mut self) {
        let mut label = self.rest[3..].trim_ascii_start();
        let quote = label.first().copied().filter(|b| matches!(b, b'\'' | b'"'));
        if quote.is_some() {
            label = &label[1..];
        }
        let length = label
            .iter()
            .take_while(|byte| starts_name(**byte) || byte.is_ascii_digit())
            .count();
        if length == 0 {
            // A shift and a comparison: `1 <<< 2` is no PHP, but neither our problem.
            self.skip(3);
            return;
        }
        let name = label[..length].to_vec();
        let mut rest = &label[length..];
        let mut lines: Vec<&[u8]> = Vec::new();
        while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
            rest = &rest[at + 1..];
            let indent = rest
                .iter()
                .take_while(|byte| matches!(byte, b' ' | b'\t'))
                .count();
            let line = &rest[indent..];
            if let Some(after) = line.strip_prefix(name.as_slice())
                && !after
                    .first()
                    .is_some_and(|byte| starts_name(*byte) || byte.is_ascii_digit())
            {
                let value = joined(&lines, indent).and_then(|text| match quote {
                    Some(b'\'') => Some(text),
                    _ => unescape(&text, None),
                });
                self.rest = after;
                self.tokens.push(Token::Text(value));
                return;
            }
            let end = rest.iter().position(|byte| *byte == b'\n');
            lines.push(&rest[..end.map_or(rest.len(), |end| end + 1)]);
        }
        self.unterminated();
    }
}

/// The lines of a heredoc with the last line's end left off; `None` where a line is
/// indented less than the closing mark, which PHP refuses.
fn joined(lines: &[&[u8]], indent: usize) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    for line in lines {
        let blank = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t'));
        let blank = blank.count();
        if blank >= indent {
            text.extend_from_slice(&line[indent..]);
        } else if line.trim_ascii().is_empty() {
            text.extend_from_slice(&line[blank..]);
        } else {
            return None;
        }
    }
    if text.last() == Some(&b'\n') {
        text.pop();
        if text.last() == Some(&b'\r') {
            text.pop();
        }
    }
    Some(text)
}

/// An integer as PHP writes it: decimal, `0x`, `0b`, `0o` or octal with a leading
/// zero, `_` between digits; `None` for anything else, floats and overflow included.
fn integer(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?.to_ascii_lowercase();
    let (digits, radix) = if let Some(hex) = text.strip_prefix("0x") {
        (hex, 16)
    } else if let Some(binary) = text.strip_prefix("0b") {
        (binary, 2)
    } else if let Some(octal) = text.strip_prefix("0o") {
        (octal, 8)
    } else if text.len() > 1 && text.starts_with('0') {
        (&text[1..], 8)
    } else {
        (text.as_str(), 10)
    };
    let split_well = text
        .split('_')
        .all(|part| !part.is_empty() && part != "0x" && part != "0b");
    if !split_well || !digits.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return None;
    }
    i64::from_str_radix(&digits.replace('_', ""), radix).ok()
}

fn starts_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|part| part == wanted)
}

/// The length of a quoted string with its quotes; past the end when it is open.
fn closing(text: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    text.len() + 1
}

/// The value of a double-quoted string or, without `quote`, of a heredoc; `None` when
/// variables are in it.
fn unescape(text: &[u8], quote: Option<u8>) -> Option<Vec<u8>> {
    let mut value = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let next = text.get(at + 1).copied();
        match (byte, next) {
            (b'$', Some(next)) if starts_name(next) || next == b'{' => return None,
            (b'{', Some(b'$')) => return None,
            (b'\\', Some(escape)) => {
                at += 2;
                match escape {
                    b'n' => value.push(b'\n'),
                    b't' => value.push(b'\t'),
                    b'r' => value.push(b'\r'),
                    b'v' => value.push(0x0b),
                    b'e' => value.push(0x1b),
                    b'f' => value.push(0x0c),
                    b'\\' | b'$' => value.push(escape),
                    b'"' if quote == Some(b'"') => value.push(escape),
                    b'0'..=b'7' => {
                        let digits = digits(&text[at - 1..], 3, 8)?;
                        at += digits.1 - 1;
                        // PHP keeps the low byte of `\400` and above.
                        value.push(u8::try_from(digits.0 & 0xff).unwrap_or_default());
                    }
                    b'x' if text.get(at).is_some_and(u8::is_ascii_hexdigit) => {
                        let digits = digits(&text[at..], 2, 16)?;
                        at += digits.1;
                        value.push(u8::try_from(digits.0).unwrap_or_default());
                    }
                    b'u' if text.get(at) == Some(&b'{') => {
                        let digits = digits(&text[at + 1..], 6, 16)?;
                        if text.get(at + 1 + digits.1) != Some(&b'}') {
                            return None;
                        }
                        at += digits.1 + 2;
                        let mut utf8 = [0; 4];
                        let letter = char::from_u32(digits.0)?;
                        value.extend_from_slice(letter.encode_utf8(&mut utf8).as_bytes());
                    }
                    other => value.extend_from_slice(&[b'\\', other]),
                }
            }
            _ => {
                value.push(byte);
                at += 1;
            }
        }
    }
    Some(value)
}

/// Up to `most` digits of a number and how many there were; `None` without any.
fn digits(text: &[u8], most: usize, radix: u32) -> Option<(u32, usize)> {
    let count = text
        .iter()
        .take(most)
        .take_while(|byte| char::from(**byte).is_digit(radix))
        .count();
    let number = std::str::from_utf8(&text[..count]).ok()?;
    Some((u32::from_str_radix(number, radix).ok()?, count))
}

/// The string that a file first assigns to a variable, as in `$wp_version = '6.5';`,
/// wherever on its line.
pub fn assigned_text(file: &[u8], variable: &str) -> Option<String> {
    tokenize(file).windows(3).find_map(|three| match three {
        [
            Token::Variable(name),
            Token::Sign(b'='),
            Token::Text(Some(text)),
        ] if name == variable.as_bytes() => String::from_utf8(text.clone()).ok(),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_is_found_in_minified_code_too() {
        for file in [
            "<?php\n/** $wp_version = 'no'; */\n$wp_version = '6.5.5';\n",
            "<?php $wp_version='6.5.5';$x=1;",
            "<?php $x = '$wp_version = 1';\n$wp_version\n=\n\"6.5.5\";",
        ] {
            assert_eq!(
                assigned_text(file.as_bytes(), "wp_version").as_deref(),
                Some("6.5.5"),
                "in {file}"
            );
        }
        assert_eq!(
            assigned_text(b"<?php $wp_version = f();", "wp_version"),
            None
        );
        assert_eq!(assigned_text(b"$wp_version = '1';", "wp_version"), None);
    }
}
