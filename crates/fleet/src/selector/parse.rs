//! From text to a tree: `OR` binds loosest, then what stands side by side, then `-`.

use super::{
    Expr, Selector, SyntaxError,
    read::{Reader, Spanned},
};
use std::str::FromStr;

/// No selector is longer, in bytes.
pub const MAX_BYTES: usize = 4096;
/// No brackets and negations lie deeper in each other.
pub const MAX_DEPTH: usize = 32;

impl FromStr for Selector {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        if text.len() > MAX_BYTES {
            let fits = text
                .char_indices()
                .take_while(|(at, char)| at + char.len_utf8() <= MAX_BYTES);
            let message = format!("a selector has at most {MAX_BYTES} bytes");
            return Err(SyntaxError::new(fits.count(), 1, message));
        }
        let mut parser = Parser {
            read: Reader::new(text),
            depth: 0,
        };
        let expr = parser.any()?;
        match parser.read.peek() {
            None => Ok(Self::new(expr)),
            Some(_) => Err(parser
                .read
                .wrong_here("this bracket closes nothing")
                .suggest("leave it out, or open it before")),
        }
    }
}

pub(super) struct Parser {
    pub(super) read: Reader,
    depth: usize,
}

impl Parser {
    /// `… OR …`; ends before a closing bracket or at the end.
    fn any(&mut self) -> Result<Expr, SyntaxError> {
        let mut parts = vec![self.every()?];
        while self.read.take_word("OR") {
            parts.push(self.every()?);
        }
        Ok(Expr::or(parts))
    }

    /// Side by side; `AND` may stand between.
    fn every(&mut self) -> Result<Expr, SyntaxError> {
        let mut parts = Vec::new();
        loop {
            self.read.skip_blanks();
            parts.push(self.single()?);
            if !self.read.at_boundary() {
                return Err(self
                    .read
                    .wrong_here("a blank is missing between conditions"));
            }
            self.read.skip_blanks();
            if self.read.take_word("AND") {
                continue;
            }
            if matches!(self.read.peek(), None | Some(')')) || self.read.is_at_word("OR") {
                return Ok(Expr::and(parts));
            }
        }
    }

    /// A condition, a negation or a bracket.
    fn single(&mut self) -> Result<Expr, SyntaxError> {
        match self.read.peek() {
            Some('-') => self.deeper(|parser| {
                parser.read.next();
                Ok(parser.single()?.negated())
            }),
            Some('(') => self.deeper(|parser| {
                let open = parser.read.offset();
                parser.read.next();
                let inner = parser.any()?;
                match parser.read.next() {
                    Some(')') => Ok(inner),
                    _ => Err(SyntaxError::new(open, 1, "this bracket is never closed")
                        .suggest("close it with `)`")),
                }
            }),
            _ => self.condition(),
        }
    }

    fn deeper(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<Expr, SyntaxError>,
    ) -> Result<Expr, SyntaxError> {
        self.guard_depth(&self.read.here())?;
        self.depth += 1;
        let found = inner(self);
        self.depth -= 1;
        found
    }

    /// Refuses to go deeper than there may be brackets and negations in each other.
    pub(super) fn guard_depth(&self, at: &Spanned) -> Result<(), SyntaxError> {
        if self.depth < MAX_DEPTH {
            return Ok(());
        }
        Err(at.wrong(format!(
            "brackets and negations lie at most {MAX_DEPTH} deep"
        )))
    }
}
