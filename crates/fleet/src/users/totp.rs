//! Codes that an app makes of a secret (RFC 6238).

use crate::{Error, Result};
use pressroom_base::Secret;
use totp_rs::{Builder, Totp};

/// What apps show beside the person's address.
const ISSUER: &str = "Pressroom";

/// What makes codes of a secret: six digits, thirty seconds, one step either way.
pub(crate) fn totp(secret: &Secret<String>, email: &str) -> Result<Totp> {
    let secret = totp_rs::Secret::try_from_base32(secret.expose()).map_err(Error::internal)?;
    Builder::new()
        .with_secret(secret)
        .with_skew(1)
        .with_issuer(Some(ISSUER))
        // A colon would part it from the issuer.
        .with_account_name(email.replace(':', ""))
        .build()
        .map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: the last six digits for SHA-1.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let secret = totp_rs::Secret::from(*b"12345678901234567890").to_base32();
        let totp = totp(&Secret::new(secret), "ana@example.com").expect("a generator");
        for (time, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(totp.generate(time).to_string(), code);
            for near in [time - 30, time, time + 30] {
                assert_eq!(totp.check(code, near), Some(time / 30), "{time} at {near}");
            }
            assert_eq!(totp.check(code, time + 61), None);
        }
        assert!(totp.to_url().expect("an address").contains("Pressroom"));
    }
}
