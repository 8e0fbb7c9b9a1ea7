//! A place in a list of tokens, and the steps a reader takes from there.

use crate::database::sql::Token;

/// A place in a list of tokens.
pub(super) struct Cursor<'t, 'a> {
    pub tokens: &'t [Token<'a>],
    pub at: usize,
}

impl<'t, 'a> Cursor<'t, 'a> {
    /// Starts at the token of this number.
    pub fn at(tokens: &'t [Token<'a>], at: usize) -> Self {
        Self { tokens, at }
    }

    /// The token here.
    pub fn peek(&self) -> Option<&'t Token<'a>> {
        self.tokens.get(self.at)
    }

    /// The token here, and moves past it.
    pub fn next(&mut self) -> Option<&'t Token<'a>> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some(token)
    }

    /// Moves past a keyword if it is here.
    pub fn word(&mut self, word: &str) -> bool {
        let here = self.peek().is_some_and(|token| token.is(word));
        self.at += usize::from(here);
        here
    }

    /// Moves past punctuation if it is here.
    pub fn symbol(&mut self, symbol: u8) -> bool {
        let here = self.peek().is_some_and(|token| token.is_symbol(symbol));
        self.at += usize::from(here);
        here
    }

    /// Moves past `IF NOT EXISTS`.
    pub fn if_not_exists(&mut self) {
        if self.word("IF") {
            self.word("NOT");
            self.word("EXISTS");
        }
    }
}
