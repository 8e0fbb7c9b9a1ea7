//! Credentials of programs.
mod add;
mod authenticate;
mod issue;
mod list;
mod login;
mod revoke;
mod site;
mod view;
pub use add::{IssuedToken, NewToken, TokenKind};
pub(crate) use login::ATTEMPTS as LOGIN_ATTEMPTS;
pub use revoke::Revoked;
pub use view::Token;
