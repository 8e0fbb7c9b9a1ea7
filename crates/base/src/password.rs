//! Passwords of people: Argon2id, in the PHC string form.

use crate::Secret;
use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};

/// The shortest password accepted for a person.
pub const MIN_LENGTH: usize = 8;

/// Hashes a password. Takes tens of milliseconds and 19 MiB: run it on a
/// blocking pool.
///
/// # Panics
/// Never for the parameters used here.
pub fn hash(password: &Secret<String>) -> String {
    Argon2::default()
        .hash_password(password.expose().as_bytes())
        .expect("default Argon2 parameters are valid")
        .to_string()
}

/// Whether the password matches. A hash that cannot be read matches nothing.
pub fn verify(password: &Secret<String>, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|parsed| {
        Argon2::default()
            .verify_password(password.expose().as_bytes(), &parsed)
            .is_ok()
    })
}

/// A hash that nothing matches, to be verified against when a user is unknown, so
/// that the answer takes the same time.
pub fn decoy() -> &'static str {
    use std::sync::OnceLock;
    static DECOY: OnceLock<String> = OnceLock::new();
    DECOY.get_or_init(|| hash(&crate::token::password()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_matches() {
        let stored = hash(&Secret::new("correct horse".into()));
        assert!(verify(&Secret::new("correct horse".into()), &stored));
        assert!(!verify(&Secret::new("correct mule".into()), &stored));
        assert!(!verify(&Secret::new("x".into()), "not a hash"));
    }
}
