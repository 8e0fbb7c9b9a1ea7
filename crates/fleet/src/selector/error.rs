//! What is wrong with a selector, and where.

use crate::Error;
use std::fmt;

/// How much of a long selector is shown to either side of the fault.
const SHOWN: usize = 36;

/// Why a selector was not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where the fault begins, in characters.
    pub offset: usize,
    /// How many characters are at fault; 0 where something is missing.
    pub length: usize,
    /// What is wrong.
    pub message: String,
    /// What may have been meant.
    pub suggestion: Option<String>,
}

impl SyntaxError {
    pub(super) fn new(offset: usize, length: usize, message: impl Into<String>) -> Self {
        Self {
            offset,
            length,
            message: message.into(),
            suggestion: None,
        }
    }

    #[must_use]
    pub(super) fn suggest(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }

    /// The selector with a line of carets below the fault, then what is wrong and what
    /// may have been meant. Of a long one only the surroundings are shown, and what a
    /// terminal would obey is shown as `?`.
    pub fn render(&self, source: &str) -> String {
        let from = self.offset.saturating_sub(SHOWN);
        let mut line: String = source
            .chars()
            .skip(from)
            .take(self.offset - from + SHOWN)
            .map(printable)
            .collect();
        let mut indent = self.offset - from;
        if from > 0 {
            line.insert(0, '…');
            indent += 1;
        }
        if source.chars().nth(self.offset + SHOWN).is_some() {
            line.push('…');
        }
        let carets = "^".repeat(self.length.clamp(1, SHOWN));
        format!("{line}\n{:indent$}{carets} {self}", "")
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; {suggestion}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SyntaxError {}

impl From<SyntaxError> for Error {
    fn from(error: SyntaxError) -> Self {
        let at = error.offset + 1;
        let refused = Self::invalid(format!(
            "the selector is wrong at character {at}: {}",
            error.message
        ));
        match error.suggestion {
            Some(suggestion) => refused.with_hint(suggestion),
            None => refused,
        }
    }
}

/// A character as one column; text that runs backwards would move the carets too.
pub(super) fn printable(char: char) -> char {
    match char {
        char if char.is_whitespace() => ' ',
        '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => '?',
        char if char.is_control() => '?',
        char => char,
    }
}
