//! What signs a receiver's messages.

use data_encoding::BASE64;
use pressroom_base::{Secret, token};

/// What secrets of the Standard Webhooks begin with.
const PREFIX: &str = "whsec_";

/// A new one: the prefix and 32 random bytes in base64.
pub(super) fn new_secret() -> Secret<String> {
    let mut bytes = [0; 32];
    token::fill(&mut bytes);
    Secret::new(format!("{PREFIX}{}", BASE64.encode(&bytes)))
}
