//! Random names and credentials, and how a credential is stored.

use crate::Secret;
use sha2::{Digest, Sha256};

/// Fills a buffer from the operating system's generator.
///
/// # Panics
/// If the operating system has no randomness to give; nothing secure can be done then.
pub fn fill(buffer: &mut [u8]) {
    getrandom::fill(buffer).expect("the operating system's random generator works");
}

/// `len` random lower-case hex digits.
pub fn hex(len: usize) -> String {
    let mut bytes = vec![0; len.div_ceil(2)];
    fill(&mut bytes);
    let mut text = hex::encode(bytes);
    text.truncate(len);
    text
}

/// `len` characters of `alphabet`, each equally likely.
pub fn from_alphabet(alphabet: &[u8], len: usize) -> String {
    // Bytes beyond the last whole multiple would favour the alphabet's start.
    let limit = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(len);
    let mut buffer = [0; 64];
    while text.len() < len {
        fill(&mut buffer);
        for byte in buffer {
            if usize::from(byte) < limit && text.len() < len {
                text.push(char::from(alphabet[usize::from(byte) % alphabet.len()]));
            }
        }
    }
    text
}

/// `len` random characters of `a-z0-9`, the first a letter, so that the result
/// may begin a Unix user's or a database's name.
pub fn name(len: usize) -> String {
    let mut text = from_alphabet(b"abcdefghijklmnopqrstuvwxyz", 1.min(len));
    text.push_str(&from_alphabet(
        b"abcdefghijklmnopqrstuvwxyz0123456789",
        len.saturating_sub(1),
    ));
    text
}

/// `bytes` random bytes in base64url without padding.
pub fn base64url(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    fill(&mut random);
    data_encoding::BASE64URL_NOPAD.encode(&random)
}

/// A password for a person or a database: 24 characters, about 142 bits.
pub fn password() -> Secret<String> {
    Secret::new(from_alphabet(
        b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789",
        24,
    ))
}

/// SHA-256 of a credential in lower-case hex: all that is stored of it. A plain
/// hash is enough because the credential itself is random.
pub fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// Whether two strings are equal, in time that depends on their length alone.
pub fn equal(left: &str, right: &str) -> bool {
    subtle::ConstantTimeEq::ct_eq(left.as_bytes(), right.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn have_the_promised_shape() {
        assert_eq!(hex(9).len(), 9);
        let user = name(8);
        assert!(user.as_bytes()[0].is_ascii_lowercase());
        assert_eq!(password().expose().len(), 24);
        assert_eq!(base64url(32).len(), 43);
        assert_eq!(
            digest("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
