//! Whether a statement stays in the clone's own tables, told from its words alone.
//!
//! Every place in which a table can be named is looked at, and what is not understood is
//! refused: a false refusal is a line in the report, a false pass is a change of the live
//! site. Names of the live site's tables are refused wherever they stand, so that a place
//! that is overlooked here does no harm.

mod walker;

use crate::database::sql::{Kind, Server, Token, Tokens, unwrap_comments};
use std::collections::HashSet;
use walker::Walker;

/// What the clone may name.
#[derive(Debug, Clone)]
pub(crate) struct Territory {
    /// What its tables' names begin with.
    pub prefix: String,
    /// The database that it shares with the live site.
    pub database: String,
    /// The live tables that it was made from, in lower case.
    pub live: HashSet<String>,
    /// Which statements run on this server only.
    pub server: Server,
}

/// A statement that may pass.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Passed {
    /// The tables that it may make.
    pub made: Vec<String>,
}

/// A statement that may not.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Its first word.
    pub act: String,
    /// The table that it names, or what else is wrong with it.
    pub what: String,
}

impl Territory {
    /// Whether the statement may go to the server.
    pub fn judge(&self, statement: &[u8]) -> Result<Passed, Refused> {
        let refuse = |what: &str| Refused {
            act: String::new(),
            what: what.to_owned(),
        };
        let text = unwrap_comments(statement, self.server)
            .map_err(|_| refuse("a statement that cannot be read"))?;
        let tokens: Vec<Token> = Tokens::of(&text).collect();
        let readable = |token: &Token| {
            matches!(
                token.kind,
                Kind::Word | Kind::Name | Kind::Text | Kind::Symbol
            )
        };
        if !tokens.iter().all(readable) {
            return Err(refuse("a statement that cannot be read"));
        }
        let tokens = match tokens.split_last() {
            Some((last, rest)) if last.is_symbol(b';') => rest,
            _ => &tokens,
        };
        let first = tokens.iter().find(|token| !token.is_symbol(b'('));
        let Some(first) = first else {
            // The server says that it is empty.
            return Ok(Passed::default());
        };
        let act = walker::upper(first);
        Walker::new(self, tokens, &act)
            .judge()
            .map_err(|what| Refused { act, what })
    }

    /// Whether a table may be named, as one alone and not in a statement.
    pub fn holds(&self, table: &str) -> bool {
        table.starts_with(&self.prefix) && table.len() > self.prefix.len()
    }
}

#[cfg(test)]
mod tests;
