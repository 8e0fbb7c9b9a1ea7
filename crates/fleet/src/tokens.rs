//! Credentials of programs.
mod add;
mod authenticate;
mod issue;
mod list;
mod revoke;
mod view;
pub use add::{IssuedToken, NewToken, TokenKind};
pub use revoke::Revoked;
pub use view::Token;
