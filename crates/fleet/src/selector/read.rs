//! The characters of a selector, one after the other.

use super::{SyntaxError, error::printable};

/// What may stand in a value without quotes. All else is kept for what the language may
/// yet come to mean: `*`, `,`, `|`.
pub(super) fn is_bare(char: char) -> bool {
    char.is_alphanumeric() || "._-/@+:~#%".contains(char)
}

fn ends_a_condition(char: char) -> bool {
    char == ')' || char.is_whitespace()
}

/// A value and where it was written.
pub(super) struct Spanned {
    pub(super) text: String,
    pub(super) offset: usize,
    pub(super) length: usize,
}

impl Spanned {
    pub(super) fn wrong(&self, message: impl Into<String>) -> SyntaxError {
        SyntaxError::new(self.offset, self.length, message)
    }
}

/// A place in the text.
pub(super) struct Reader {
    chars: Vec<char>,
    at: usize,
}

impl Reader {
    pub(super) fn new(text: &str) -> Self {
        Self {
            chars: text.chars().collect(),
            at: 0,
        }
    }

    /// The characters read so far.
    pub(super) const fn offset(&self) -> usize {
        self.at
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }

    /// Reads `text` if that is what comes next.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let comes = self.chars.iter().skip(self.at).copied();
        let length = text.chars().count();
        let taken = comes.take(length).eq(text.chars());
        if taken {
            self.at += length;
        }
        taken
    }

    /// Reads a word if it comes next and ends there.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        self.is_at_word(word) && self.take(word)
    }

    /// Whether a word comes next and ends there.
    pub(super) fn is_at_word(&self, word: &str) -> bool {
        let rest = self.chars.iter().skip(self.at).copied();
        let letters = rest.take_while(|char| !ends_a_condition(*char));
        letters.eq(word.chars())
    }

    pub(super) fn skip_blanks(&mut self) {
        self.while_(char::is_whitespace);
    }

    /// Whether a condition may end here.
    pub(super) fn at_boundary(&self) -> bool {
        self.peek().is_none_or(ends_a_condition)
    }

    /// Reads on as long as it is true.
    pub(super) fn while_(&mut self, is: impl Fn(char) -> bool) -> Spanned {
        let offset = self.at;
        let mut text = String::new();
        while let Some(char) = self.peek().filter(|char| is(*char)) {
            text.push(char);
            self.at += 1;
        }
        Spanned {
            text,
            offset,
            length: self.at - offset,
        }
    }

    /// The character that comes next.
    pub(super) fn here(&self) -> Spanned {
        Spanned {
            text: self.peek().map(String::from).unwrap_or_default(),
            offset: self.at,
            length: usize::from(self.peek().is_some()),
        }
    }

    /// The character here is out of place.
    pub(super) fn wrong_here(&self, message: impl Into<String>) -> SyntaxError {
        self.here().wrong(message)
    }

    /// A value, with or without quotes.
    pub(super) fn value(&mut self) -> Result<Spanned, SyntaxError> {
        if self.peek() == Some('"') {
            return self.quoted();
        }
        let value = self.while_(is_bare);
        if value.length == 0 && (self.at_boundary() || self.at_comparison()) {
            return Err(self.wrong_here("a value is missing"));
        }
        if !self.at_boundary() && !self.at_comparison() {
            return Err(self.unquoted());
        }
        Ok(value)
    }

    fn at_comparison(&self) -> bool {
        self.peek().is_some_and(|char| "<>=!".contains(char))
    }

    fn unquoted(&self) -> SyntaxError {
        let char = self.peek().map_or(' ', printable);
        self.wrong_here(format!("`{char}` cannot stand in a value without quotes"))
            .suggest("write the whole value between double quotes")
    }

    fn quoted(&mut self) -> Result<Spanned, SyntaxError> {
        let offset = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let at = self.at;
            match self.next() {
                None => {
                    return Err(SyntaxError::new(offset, 1, "this quote is never closed")
                        .suggest("end the value with `\"`"));
                }
                Some('"') => break,
                Some('\\') => match self.next() {
                    Some(char @ ('"' | '\\')) => text.push(char),
                    _ => {
                        return Err(SyntaxError::new(
                            at,
                            1,
                            "`\\` stands before `\"` or `\\` only",
                        )
                        .suggest("write `\\\\` for the character itself"));
                    }
                },
                Some(char) if char.is_control() => {
                    return Err(SyntaxError::new(
                        at,
                        1,
                        "a control character cannot stand in a value",
                    ));
                }
                Some(char) => text.push(char),
            }
        }
        let length = self.at - offset;
        if text.trim().is_empty() {
            return Err(SyntaxError::new(offset, length, "this value is empty"));
        }
        Ok(Spanned {
            text,
            offset,
            length,
        })
    }
}
