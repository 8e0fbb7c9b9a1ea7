//! `Authorization: Bearer wsp_…`.

use axum::http::HeaderMap;
use pressroom_base::Kind;
use pressroom_dialect_http::{Fault, authorization};
use pressroom_fleet::{Fleet, Principal, tokens::TokenKind};
use std::net::IpAddr;

const PREFIX: &str = "wsp_";
const DIGITS: usize = 48;

/// Who is asking.
pub async fn authenticate(
    fleet: &Fleet,
    headers: &HeaderMap,
    peer: IpAddr,
) -> Result<Principal, Fault> {
    let key = key(headers)?;
    fleet
        .authenticate_token(TokenKind::Panel, key, peer)
        .await
        .map_err(|error| match error.kind() {
            Kind::Unauthenticated => Fault::BadCredential,
            _ => error.into(),
        })
}

/// The key, if there is one and it looks like one: what cannot be a key is not worth
/// a look into the store.
fn key(headers: &HeaderMap) -> Result<&str, Fault> {
    let (scheme, key) = authorization(headers)?;
    let is_key = key.strip_prefix(PREFIX).is_some_and(|digits| {
        digits.len() == DIGITS
            && digits
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    });
    if scheme.eq_ignore_ascii_case("bearer") && is_key {
        Ok(key)
    } else {
        Err(Fault::BadCredential)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderValue, header};

    fn read(values: &[&str]) -> Result<String, Fault> {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = HeaderValue::from_str(value).expect("a header value");
            headers.append(header::AUTHORIZATION, value);
        }
        key(&headers).map(str::to_owned)
    }

    #[test]
    fn only_bearer_keys_are_looked_up() {
        let good = format!("wsp_{}", "0a".repeat(24));
        assert_eq!(read(&[&format!("Bearer {good}")]).expect("a key"), good);
        assert_eq!(read(&[&format!("bearer  {good} ")]).expect("a key"), good);
        assert!(matches!(read(&[]), Err(Fault::NoCredential)));
        let twice = format!("Bearer {good}");
        assert!(matches!(read(&[&twice, &twice]), Err(Fault::Malformed(_))));
        for bad in [
            String::new(),
            "Bearer".into(),
            format!("token {good}"),
            format!("Basic {good}"),
            good.clone(),
            format!("Bearer {}", good.to_uppercase()),
            format!("Bearer {good}0"),
            "Bearer live_sk_x".into(),
        ] {
            assert!(matches!(read(&[&bad]), Err(Fault::BadCredential)), "{bad}");
        }
    }
}
