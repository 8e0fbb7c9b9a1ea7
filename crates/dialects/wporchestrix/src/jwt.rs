//! This dialect's own tokens: HS256 under a key of their own, so that no other dialect's
//! token verifies here, nor one of these there. When one is good is decided elsewhere.

use crate::wire::id;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use pressroom_base::Timestamp;
use pressroom_fleet::{
    Error, Fleet,
    families::{Claims, Pair},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::sync::OnceCell;

/// `iss` and `aud`.
const OURS: &str = "wporchestrix";
/// Longer ones are not looked at.
const LONGEST: usize = 2048;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Use {
    /// It opens things.
    Access,
    /// It is exchanged.
    Refresh,
}

/// What a token says.
#[derive(Debug, Serialize, Deserialize)]
struct Body {
    iss: String,
    aud: String,
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    acct: Option<String>,
    typ: Use,
    jti: String,
    fam: String,
    iat: i64,
    exp: i64,
}

/// Two signed tokens.
pub struct Signed {
    /// Opens things.
    pub access: String,
    /// Is exchanged.
    pub refresh: String,
    /// Seconds that the first is good for.
    pub lasts_s: i64,
}

/// Signs and verifies; the key is fetched when it is first needed.
#[derive(Default)]
pub struct Keys(OnceCell<Arc<Key>>);

struct Key {
    sign: EncodingKey,
    verify: DecodingKey,
}

impl Keys {
    async fn get(&self, fleet: &Fleet) -> Result<Arc<Key>, Error> {
        let key = self
            .0
            .get_or_try_init(|| async {
                let secret = fleet.signing_key(OURS).await?;
                Ok::<_, Error>(Arc::new(Key::new(secret.expose().as_bytes())))
            })
            .await?;
        Ok(Arc::clone(key))
    }

    /// Signs a pair.
    pub async fn sign(&self, fleet: &Fleet, pair: &Pair) -> Result<Signed, Error> {
        let key = self.get(fleet).await?;
        Ok(Signed {
            access: key.sign(pair, Use::Access)?,
            refresh: key.sign(pair, Use::Refresh)?,
            lasts_s: pair.access_ends_at.seconds() - pair.issued_at.seconds(),
        })
    }

    /// What a token says and what it is for, if it was signed here; its time may be over.
    pub async fn read(&self, fleet: &Fleet, token: &str) -> Result<Option<(Use, Claims)>, Error> {
        if !is_jwt(token) {
            return Ok(None);
        }
        Ok(self.get(fleet).await?.read(token))
    }
}

/// Whether a text looks like a signed token: three parts, where a token of the other kind
/// has no dot.
pub fn is_jwt(token: &str) -> bool {
    token.len() <= LONGEST && token.split('.').count() == 3
}

impl Key {
    fn new(secret: &[u8]) -> Self {
        Self {
            sign: EncodingKey::from_secret(secret),
            verify: DecodingKey::from_secret(secret),
        }
    }

    fn sign(&self, pair: &Pair, purpose: Use) -> Result<String, Error> {
        let (name, ends_at) = match purpose {
            Use::Access => (&pair.access, pair.access_ends_at),
            Use::Refresh => (&pair.refresh, pair.refresh_ends_at),
        };
        let body = Body {
            iss: OURS.to_owned(),
            aud: OURS.to_owned(),
            sub: id::user(&pair.user),
            acct: pair.account.as_ref().map(id::account),
            typ: purpose,
            jti: name.clone(),
            fam: pair.family.clone(),
            iat: pair.issued_at.seconds(),
            exp: ends_at.seconds(),
        };
        encode(&Header::new(Algorithm::HS256), &body, &self.sign).map_err(Error::internal)
    }

    fn read(&self, token: &str) -> Option<(Use, Claims)> {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_issuer(&[OURS]);
        rules.set_audience(&[OURS]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Time is judged with everything else that is in the store, by its clock.
        rules.validate_exp = false;
        let body = decode::<Body>(token, &self.verify, &rules).ok()?.claims;
        let claims = Claims {
            name: body.jti,
            family: body.fam,
            user: id::read_user(&body.sub)?,
            ends_at: Timestamp::from_millis(body.exp.checked_mul(1000)?),
        };
        Some((body.typ, claims))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pressroom_base::id::ShortId;

    fn pair() -> Pair {
        let now = Timestamp::from_millis(1_700_000_000_000);
        Pair {
            user: ShortId::parse("0123456789abcdefghij").expect("an id"),
            account: ShortId::parse("abcdefghij0123456789"),
            family: "f".into(),
            access: "a".into(),
            refresh: "r".into(),
            issued_at: now,
            access_ends_at: now.plus(std::time::Duration::from_mins(15)),
            refresh_ends_at: now.plus(std::time::Duration::from_hours(168)),
        }
    }

    fn parts(token: &str) -> Vec<serde_json::Value> {
        token
            .split('.')
            .take(2)
            .map(|part| {
                let bytes = data_encoding::BASE64URL_NOPAD
                    .decode(part.as_bytes())
                    .expect("base 64");
                serde_json::from_slice(&bytes).expect("JSON")
            })
            .collect()
    }

    #[test]
    fn a_token_says_what_the_contract_names() {
        let key = Key::new(b"k");
        let token = key.sign(&pair(), Use::Access).expect("signed");
        let [header, body] = &parts(&token)[..] else {
            panic!("two parts")
        };
        assert_eq!(header["alg"], "HS256");
        assert_eq!(
            *body,
            serde_json::json!({
                "iss": "wporchestrix", "aud": "wporchestrix", "sub": "user_0123456789abcdefghij",
                "acct": "acct_abcdefghij0123456789", "typ": "access", "jti": "a", "fam": "f",
                "iat": 1_700_000_000, "exp": 1_700_000_900,
            })
        );
        let (purpose, claims) = key.read(&token).expect("its own");
        assert_eq!((purpose, claims.name.as_str()), (Use::Access, "a"));
        let refresh = key.sign(&pair(), Use::Refresh).expect("signed");
        assert_eq!(key.read(&refresh).expect("its own").0, Use::Refresh);
        assert!(is_jwt(&token) && !is_jwt("abc") && !is_jwt(&"a.".repeat(3)));
    }

    #[test]
    fn what_was_not_signed_here_is_nothing() {
        let key = Key::new(b"k");
        let token = key.sign(&pair(), Use::Access).expect("signed");
        assert!(Key::new(b"other").read(&token).is_none());
        let (head, signature) = token.rsplit_once('.').expect("parts");
        let flipped: String = signature.chars().rev().collect();
        assert!(key.read(&format!("{head}.{flipped}")).is_none());
        assert!(key.read(&format!("{head}.")).is_none());
        // "none" is no algorithm, and neither is another one under the same key.
        for alg in ["none", "HS384", "RS256"] {
            let header = serde_json::json!({ "alg": alg, "typ": "JWT" }).to_string();
            let header = data_encoding::BASE64URL_NOPAD.encode(header.as_bytes());
            let body = head.split_once('.').expect("parts").1;
            for signature in ["", signature] {
                assert!(key.read(&format!("{header}.{body}.{signature}")).is_none());
            }
        }
        // The right key and the wrong words.
        for (iss, aud) in [("maplepress", OURS), (OURS, "maplepress")] {
            let body = Body {
                iss: iss.into(),
                aud: aud.into(),
                sub: "user_0123456789abcdefghij".into(),
                acct: None,
                typ: Use::Access,
                jti: "a".into(),
                fam: "f".into(),
                iat: 0,
                exp: i64::MAX / 2000,
            };
            let token = encode(&Header::new(Algorithm::HS256), &body, &key.sign).expect("signed");
            assert!(key.read(&token).is_none(), "{iss} {aud}");
        }
    }
}
