//! `Authorization: token …`, `Token token="…"`, `Bearer …` with a signed token or a plain
//! one; and `X-Account-Id`.

use crate::{
    jwt::{Keys, Use, is_jwt},
    wire::id,
};
use axum::http::HeaderMap;
use pressroom_base::Kind;
use pressroom_dialect_http::{Fault, authorization};
use pressroom_fleet::{Error, Fleet, Principal, tokens::TokenKind};
use std::net::IpAddr;

const ACCOUNT: &str = "x-account-id";
/// Other dialects' keys: under `Bearer` these are nothing here.
const FOREIGN: &[&str] = &["wsp_", "live_sk_", "test_sk_"];
/// Longer tokens are not looked for.
const LONGEST: usize = 512;

/// Who is asking, and in which account.
pub async fn authenticate(
    keys: &Keys,
    fleet: &Fleet,
    headers: &HeaderMap,
    peer: IpAddr,
) -> Result<Principal, Fault> {
    let mut principal = match credential(headers)? {
        Credential::Plain(token) => {
            match fleet.authenticate_token(TokenKind::Api, token, peer).await {
                // Nobody's: a site introduces itself in the same way.
                Err(error) if error.kind() == Kind::Unauthenticated => {
                    fleet.authenticate_site(token).await
                }
                known => known,
            }
            .map_err(refused)?
        }
        Credential::Signed(token) => {
            let (Use::Access, claims) =
                keys.read(fleet, token).await?.ok_or(Fault::BadCredential)?
            else {
                return Err(Fault::BadCredential);
            };
            fleet.recognize_token(&claims).await.map_err(refused)?
        }
    };
    if let Some(wanted) = headers.get(ACCOUNT) {
        let unknown = || Fault::from(Error::not_found("account"));
        let wanted = wanted
            .to_str()
            .ok()
            .and_then(|text| id::read_account(text.trim()))
            .ok_or_else(unknown)?;
        principal = fleet.work_in_account(principal, &wanted).await?;
    } else if principal.account.is_none() {
        principal.account = principal.memberships.first().map(|(account, _)| *account);
    }
    Ok(principal)
}

fn refused(error: Error) -> Fault {
    match error.kind() {
        Kind::Unauthenticated => Fault::BadCredential,
        _ => error.into(),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Credential<'a> {
    /// A token that is looked up.
    Plain(&'a str),
    /// A token that says itself whose it is.
    Signed(&'a str),
}

/// The credential, if there is one and it looks like one.
fn credential(headers: &HeaderMap) -> Result<Credential<'_>, Fault> {
    let (scheme, value) = authorization(headers)?;
    if scheme.eq_ignore_ascii_case("token") {
        let value = in_rails_form(value).unwrap_or(value);
        return plain(value).map(Credential::Plain);
    }
    if !scheme.eq_ignore_ascii_case("bearer")
        || FOREIGN.iter().any(|prefix| value.starts_with(prefix))
    {
        return Err(Fault::BadCredential);
    }
    if is_jwt(value) {
        return Ok(Credential::Signed(value));
    }
    plain(value).map(Credential::Plain)
}

fn plain(value: &str) -> Result<&str, Fault> {
    let fits = !value.is_empty()
        && value.len() <= LONGEST
        && value.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then_some(value).ok_or(Fault::BadCredential)
}

/// `token="…"`, as Rails' clients write it; further parameters mean nothing.
fn in_rails_form(value: &str) -> Option<&str> {
    let rest = value.strip_prefix("token=")?;
    match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').map(|(token, _)| token),
        None => Some(rest.split([',', ';']).next().unwrap_or(rest).trim()),
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
        credential(&headers).map(|credential| match credential {
            Credential::Plain(token) => format!("plain {token}"),
            Credential::Signed(token) => format!("signed {token}"),
        })
    }

    #[test]
    fn every_form_of_a_credential_is_read() {
        for (value, read_as) in [
            ("token abc", "plain abc"),
            ("Token  abc ", "plain abc"),
            ("TOKEN token=\"abc\"", "plain abc"),
            ("Token token=\"abc\", nonce=\"x\"", "plain abc"),
            ("Token token=abc", "plain abc"),
            ("token a.b.c", "plain a.b.c"),
            ("Bearer abc", "plain abc"),
            ("bearer a.b.c", "signed a.b.c"),
        ] {
            assert_eq!(read(&[value]).expect(value), read_as, "{value}");
        }
        assert!(matches!(read(&[]), Err(Fault::NoCredential)));
        assert!(matches!(
            read(&["token a", "token a"]),
            Err(Fault::Malformed(_))
        ));
        for bad in [
            "",
            "token",
            "Bearer",
            "abc",
            "Basic YTpi",
            "JWT a.b.c",
            "Bearer wsp_x",
            "Bearer live_sk_x",
            "Bearer test_sk_x",
            "token a b",
            "Token token=\"\"",
            &format!("token {}", "a".repeat(513)),
        ] {
            assert!(matches!(read(&[bad]), Err(Fault::BadCredential)), "{bad}");
        }
    }
}
