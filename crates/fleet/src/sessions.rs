//! Signed-in browsers.
mod home;
mod prove;
mod resume;
mod sign_in;
pub(crate) use home::{home, signing_in};
pub use prove::Proof;
pub use resume::Session;
pub(crate) use sign_in::ATTEMPTS;
pub use sign_in::{Credentials, SignedIn};
