//! See [`crate::fuzzing`].

pub use super::restore::fuzzing::{Understood, understand};
use super::sql::{Kind, Server, Splitter, Tokens, unwrap_comments};
use crate::Result;
use std::{io::Read, ops::Range};

/// The statements of a dump.
pub fn split(input: &mut dyn Read, limit: usize) -> Result<Vec<Vec<u8>>> {
    let mut splitter = Splitter::new(input, limit);
    let mut all = Vec::new();
    while splitter.advance()? {
        all.push(splitter.statement().to_vec());
    }
    Ok(all)
}

/// Where the tokens of a statement stand.
pub fn tokens(statement: &[u8]) -> Vec<Range<usize>> {
    Tokens::of(statement)
        .map(|token| {
            let _ = token.name();
            token.start..token.end()
        })
        .collect()
}

/// A statement as this server would read it, without executable comments.
pub fn unwrapped(statement: &[u8], mariadb: bool, version: u32) -> Result<Vec<u8>> {
    let server = Server { mariadb, version };
    unwrap_comments(statement, server).map(std::borrow::Cow::into_owned)
}

/// Whether executable comments, or things without an end, are in a statement.
pub fn marks(statement: &[u8]) -> bool {
    Tokens::of(statement).any(|token| matches!(token.kind, Kind::Open | Kind::Close | Kind::Broken))
}
