//! Reading SQL text that somebody else wrote: cutting a stream into statements, and
//! a statement into tokens.

mod split;
mod token;

pub(crate) use split::Splitter;
pub(crate) use token::{Kind, Server, Token, Tokens, unwrap_comments};
