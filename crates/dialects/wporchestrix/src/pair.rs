//! W03 to W05: pairs of tokens.

use crate::{
    jwt::{Keys, Use},
    login::proof,
    wire::{PairOut, RefreshIn, RevokeIn, RevokedOut},
};
use pressroom_base::Kind;
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::{Error, code, families::Pair};
use std::sync::Arc;

/// The member that some clients nest all that they send in.
const WRAPPER: &str = "jwt";

/// W03: signs a program in.
pub async fn begin(keys: Arc<Keys>, call: Call) -> Result<Answer, Fault> {
    let proof = proof(&call)?;
    let pair = call.fleet.sign_in_for_pair(proof).await?;
    signed(&keys, &call, &pair).await
}

/// W04: exchanges a token for the next pair.
pub async fn exchange(keys: Arc<Keys>, call: Call) -> Result<Answer, Fault> {
    let input: RefreshIn = call.unwrapped(WRAPPER)?;
    let token = required(input.refresh_token, "Refresh token is required")?;
    let refused = || {
        Error::new(Kind::Unauthenticated, "this is no refresh token").with_code(code::NOT_EXCHANGED)
    };
    let Some((Use::Refresh, claims)) = keys.read(&call.fleet, &token).await? else {
        return Err(refused().into());
    };
    let pair = call.fleet.exchange_token(&claims, call.peer).await?;
    signed(&keys, &call, &pair).await
}

/// W05: has a token be good no more. One that is not the caller's, or is no token, is
/// answered alike: it opens nothing of the caller's.
pub async fn revoke(keys: Arc<Keys>, call: Call) -> Result<Answer, Fault> {
    let input: RevokeIn = call.unwrapped(WRAPPER)?;
    let token = required(input.token, "Token is required")?;
    match keys.read(&call.fleet, &token).await? {
        Some((Use::Access, claims)) => {
            call.fleet
                .revoke_access_token(&call.caller, &claims)
                .await?;
        }
        Some((Use::Refresh, claims)) => {
            call.fleet
                .revoke_refresh_token(&call.caller, &claims)
                .await?;
        }
        None => {
            call.fleet.revoke_own_token(&call.caller, &token).await?;
        }
    }
    Answer::ok(&RevokedOut {
        message: "Token revoked",
    })
}

async fn signed(keys: &Keys, call: &Call, pair: &Pair) -> Result<Answer, Fault> {
    let signed = keys.sign(&call.fleet, pair).await?;
    Answer::ok(&PairOut::from(signed))
}

fn required(given: Option<String>, text: &str) -> Result<String, Fault> {
    given
        .map(|token| token.trim().to_owned())
        .filter(|token| !token.is_empty())
        .ok_or_else(|| Error::invalid(text).with_code(code::UNPROCESSABLE).into())
}
