//! Credentials of programs.
mod add;
mod authenticate;
pub use add::{IssuedToken, NewToken, TokenKind};
