//! W01, W02: a token by signing in, and its end.

use crate::wire::{LoginIn, LogoutOut, TokenOut};
use pressroom_base::Secret;
use pressroom_dialect_http::{Answer, Call, Fault};
use pressroom_fleet::sessions::Proof;

/// The member that some clients nest all that they send in.
const WRAPPER: &str = "user";

/// W01: signs a program in.
pub async fn begin(call: Call) -> Result<Answer, Fault> {
    let proof = proof(&call)?;
    let issued = call.fleet.sign_in_for_token(proof).await?;
    Answer::ok(&TokenOut::from(issued))
}

/// W02: signs it out. A token that somebody made in the settings lives on.
pub async fn end(call: Call) -> Result<Answer, Fault> {
    call.fleet.sign_out_program(&call.caller).await?;
    Answer::ok(&LogoutOut {})
}

/// Who signs in. What is missing is as wrong as what is wrong.
pub fn proof(call: &Call) -> Result<Proof, Fault> {
    let input: LoginIn = call.unwrapped(WRAPPER)?;
    Ok(Proof {
        email: input.email.unwrap_or_default(),
        password: Secret::new(input.password.unwrap_or_default()),
        code: input.otp_attempt.map(Secret::new),
        address: call.peer,
    })
}
