//! Signed-in browsers.
mod resume;
mod sign_in;
pub use resume::Session;
pub use sign_in::{Credentials, SignedIn};
